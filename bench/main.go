// Command bench owns the measurements of Millrace against its peers: each peer in a process of its own, in turn, several rounds in one run.
// It never judges by an absolute figure: a bar is a ratio within one run, for the machine and its neighbours change between two runs.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
)

func main() { os.Exit(run(os.Args[1:], os.Stdin, os.Stdout, os.Stderr)) }

// The modes in which this binary starts itself. They are no flags: nobody types them.
const (
	modePeer   = "-peer"
	modeBroker = "-broker"
)

// run is the whole program: its exit status is 0 when everything was measured, also when a bar was missed; 1 after an error; 2 when the
// command was not understood.
func run(arguments []string, in io.Reader, out, errout io.Writer) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	err := execute(ctx, arguments, in, out, errout)
	var misused *usageError
	switch {
	case err == nil:
		return 0
	case errors.As(err, &misused):
		fmt.Fprintf(errout, "bench: %v\nbench: -list names the workloads, -h the flags\n", err)
		return 2
	default:
		fmt.Fprintf(errout, "bench: %v\n", err)
		return 1
	}
}

func execute(ctx context.Context, arguments []string, in io.Reader, out, errout io.Writer) error {
	if len(arguments) == 1 {
		switch arguments[0] {
		case modePeer:
			return servePeer(ctx, in, out)
		case modeBroker:
			return serveBroker(ctx, in, out)
		}
	}
	o, err := parseOptions(arguments, errout)
	if err != nil || o.help {
		return err
	}
	if o.list {
		return printList(out)
	}
	return measureAll(ctx, o, out, errout)
}

// measureAll measures the workloads that were asked for, prints what came of them and writes the report.
func measureAll(ctx context.Context, o options, out, errout io.Writer) error {
	brokers, end, err := openBrokers(ctx, o)
	if err != nil {
		return err
	}
	defer end()
	var measured []measurement
	for _, w := range o.chosen() {
		m, err := measure(ctx, o, brokers, w, errout)
		if err != nil && (!o.all || ctx.Err() != nil) {
			return fmt.Errorf("measuring %s: %w", w.name, err)
		}
		if err != nil {
			// One workload that fails is a row that says so; the others are still worth their figures.
			fmt.Fprintf(errout, "bench: measuring %s: %v\n", w.name, err)
			m.Failure, m.Bars = err.Error(), nil
			for _, one := range w.bars {
				m.Bars = append(m.Bars, verdict{Bar: one.text()})
			}
		}
		if err := print(out, o.output, m); err != nil {
			return err
		}
		measured = append(measured, m)
	}
	if o.report == "" {
		return nil
	}
	return writeReport(ctx, o, brokers, measured)
}
