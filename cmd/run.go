package cmd

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/spf13/cobra"
)

// runCommand runs the consumers.
func runCommand(p *Program) *cobra.Command {
	var options runOptions
	command := &cobra.Command{
		Use:   "run",
		Short: "Run the consumers",
		Long: "Run takes every event to the function written for its action, until SIGTERM or SIGINT: then it lets work in flight end,\n" +
			"commits, and exits with 0. A second signal ends it at once. With kafka.instance_id it stays in its groups when it stops,\n" +
			"for the next start to go on with the same partitions; millrace leave ends that.",
		Args: noArguments,
		RunE: func(c *cobra.Command, _ []string) error {
			switch {
			case c.Flags().Changed("consumers") && len(options.consumers) == 0:
				return usage("--consumers names no consumer")
			case options.timeout <= 0:
				return usage("--timeout takes a time longer than 0")
			case c.Flags().Changed("timeout") && !options.exitAtEnd:
				return usage("--timeout goes with --exit-at-end")
			}
			s, err := p.open(c)
			if err != nil {
				return err
			}
			return s.run(c.Context(), options)
		},
	}
	flags := command.Flags()
	flags.StringSliceVar(&options.consumers, "consumers", nil, "run only these consumers, `a,b`")
	flags.BoolVar(&options.exitAtEnd, "exit-at-end", false, "stop when every consumer is through to where the log ended at the start")
	flags.DurationVar(&options.timeout, "timeout", 10*time.Minute, "with --exit-at-end: how long the whole run may take")
	flags.String("wait", "", "how `long` a broker that is away at start is waited for (kafka.wait, default 60s)")
	return command
}

type runOptions struct {
	consumers []string
	exitAtEnd bool
	timeout   time.Duration
}

// run takes the data directory and works until the context ends or, with --exit-at-end, the end of the log is reached.
func (s *session) run(ctx context.Context, options runOptions) error {
	began := time.Now()
	if !s.settings.Dev && len(s.settings.Kafka.Brokers) == 0 {
		return errNoBrokers()
	}
	unlock, err := lockDataDir(s.settings.DataDir)
	if err != nil {
		return err
	}
	defer unlock()
	disconnect, err := s.connect(ctx)
	if err != nil {
		return unlessStopped(ctx, err)
	}
	defer disconnect()
	service := &service{session: s}
	err = service.work(ctx, options, began)
	return errors.Join(err, service.stop())
}

// unlessStopped is err, or nil when a signal ended what was tried: a stop during the start is a clean one too.
func unlessStopped(ctx context.Context, err error) error {
	if ctx.Err() != nil && errors.Is(err, context.Canceled) {
		return nil
	}
	return err
}

// work starts the service and returns when it is to be stopped.
func (s *service) work(ctx context.Context, options runOptions, began time.Time) error {
	if err := s.start(ctx, options.consumers); err != nil {
		return unlessStopped(ctx, err)
	}
	watching, cancel := context.WithCancel(ctx)
	defer cancel()
	at, err := s.serve(watching)
	if err != nil {
		return err
	}
	names := make([]string, len(s.members))
	for i, m := range s.members {
		names[i] = m.consumer.Name()
	}
	said := []any{
		"version", Version(), "consumers", strings.Join(names, ","), "brokers", strings.Join(s.settings.Kafka.Brokers, ","),
		"data_dir", s.settings.DataDir, "http", "http://" + at.http,
	}
	if at.metrics != "" {
		said = append(said, "metrics", "http://"+at.metrics)
	}
	s.logger.Info("running", said...)
	go s.observe(watching)
	var tidying sync.WaitGroup
	tidying.Go(func() { s.tidy(watching) })
	defer func() {
		cancel()
		tidying.Wait()
	}()
	defer s.control(watching)()
	if options.exitAtEnd {
		within, cancel := context.WithDeadline(ctx, began.Add(options.timeout))
		defer cancel()
		if err := s.untilEnd(within); ctx.Err() == nil {
			s.leaveForGood()
			return err
		}
	}
	return s.untilStopped(ctx)
}

// untilStopped returns when the context ends, or with the reason when no consumer is left.
func (s *service) untilStopped(ctx context.Context) error {
	select {
	case <-ctx.Done():
		s.logger.Info("stopping: work in flight ends, at most for the drain timeout", "drain_timeout", s.settings.Kafka.DrainTimeout)
		return nil
	case err := <-s.gone:
		return err
	case err := <-s.ran:
		s.ran <- nil
		if failed := s.failures(); failed != nil {
			return failed
		}
		if err == nil {
			err = errors.New("every consumer ended by itself")
		}
		return fmt.Errorf("running the consumers: %w", err)
	}
}
