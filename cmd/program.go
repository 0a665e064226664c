// Package cmd owns the command line: one file per command, and the wiring of the parts behind it.
// It never holds a rule about events; those live in the packages that it wires.
package cmd

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/prantikov/millrace/handlers/notification"
)

// Exit statuses of every command.
const (
	exitOK    = 0
	exitError = 1
	exitUsage = 2
	// exitDiffer is compare's, of two groups that have not done the same.
	exitDiffer = 3
)

// Program is a binary: its options, and where it reads and writes.
type Program struct {
	// name is the binary's.
	name    string
	builtin bool
	without []string
	plugins []func(*App) error
	// directory is where people are reached, when the program knows that by itself.
	directory notification.Directory

	in          io.Reader
	out, errout io.Writer
	// logs is where the log goes; nil is errout.
	logs        io.Writer
	environment []string
	// quit ends the process at a second signal.
	quit func(status int)
}

// Main runs the command line of a program with these options and returns its exit status: 0 when all went well, also after a clean stop
// by SIGTERM or SIGINT; 1 after an error; 2 when the command was not understood; 3 when what was compared is not the same.
func Main(arguments []string, options ...Option) int {
	keepPrivate()
	program := &Program{name: strings.TrimSuffix(filepath.Base(os.Args[0]), ".exe"), in: os.Stdin, out: os.Stdout, errout: os.Stderr, environment: os.Environ(), quit: os.Exit}
	for _, option := range options {
		option(program)
	}
	ctx, stop := program.signals(context.Background())
	defer stop()
	return program.execute(ctx, arguments)
}

// signals returns a context that ends at the first SIGINT or SIGTERM. The second one ends the process at once.
func (p *Program) signals(parent context.Context) (context.Context, func()) {
	ctx, cancel := context.WithCancel(parent)
	received := make(chan os.Signal, 2)
	signal.Notify(received, os.Interrupt, syscall.SIGTERM)
	go func() {
		for count := 0; ; count++ {
			select {
			case <-received:
				if count > 0 {
					p.quit(exitError)
				}
				cancel()
			case <-parent.Done():
				return
			}
		}
	}()
	return ctx, func() {
		signal.Stop(received)
		cancel()
	}
}

// usageError is a command that was not understood.
type usageError struct{ err error }

func (e *usageError) Error() string { return e.err.Error() }
func (e *usageError) Unwrap() error { return e.err }

// statusError is an error with an exit status of its own.
type statusError struct {
	status int
	err    error
}

func (e *statusError) Error() string { return e.err.Error() }
func (e *statusError) Unwrap() error { return e.err }

func usage(format string, arguments ...any) error {
	return &usageError{fmt.Errorf(format, arguments...)}
}

// execute runs one command line.
func (p *Program) execute(ctx context.Context, arguments []string) int {
	root := p.command()
	root.SetArgs(arguments)
	root.SetIn(p.in)
	root.SetOut(p.out)
	root.SetErr(p.errout)
	err := root.ExecuteContext(ctx)
	if err == nil {
		return exitOK
	}
	fmt.Fprintf(p.errout, "%s: %v\n", p.name, err)
	var misused *usageError
	if errors.As(err, &misused) {
		fmt.Fprintf(p.errout, "Run '%s help' for the commands and their flags.\n", p.name)
		return exitUsage
	}
	var own *statusError
	if errors.As(err, &own) {
		return own.status
	}
	return exitError
}

// command is the tree of commands.
func (p *Program) command() *cobra.Command {
	root := &cobra.Command{
		Use:           p.name,
		Short:         "The event router for healthcare on Kafka",
		Long:          "Millrace takes every event of a healthcare platform from Kafka to the function written for its action,\nfans it out, retries, dead-letters, and shows what it did.",
		SilenceUsage:  true,
		SilenceErrors: true,
		Args:          noCommand,
		RunE:          func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return &usageError{err} })
	addGlobalFlags(root.PersistentFlags())
	for _, make := range []func(*Program) *cobra.Command{
		runCommand, demoCommand, healthCommand, statusCommand, pauseCommand, resumeCommand, concurrencyCommand,
		publishCommand, topicsCommand, routesCommand, aclsCommand, lagCommand, compareCommand, leaveCommand,
		dlqCommand, replayCommand, stateCommand, analyticsCommand, countsCommand, gapsCommand, archiveCommand, configCommand,
		versionCommand,
	} {
		root.AddCommand(make(p))
	}
	return root
}

// noCommand refuses what is left when no command was recognised.
func noCommand(_ *cobra.Command, arguments []string) error {
	if len(arguments) > 0 {
		return usage("there is no command %q", arguments[0])
	}
	return nil
}

// noArguments refuses arguments.
func noArguments(c *cobra.Command, arguments []string) error {
	if len(arguments) > 0 {
		return usage("%s takes no argument %q", c.CommandPath(), arguments[0])
	}
	return nil
}

// exactly refuses another number of arguments than named.
func exactly(names ...string) cobra.PositionalArgs {
	return func(c *cobra.Command, arguments []string) error {
		if len(arguments) != len(names) {
			return usage("%s needs %d argument(s): %v", c.CommandPath(), len(names), names)
		}
		return nil
	}
}
