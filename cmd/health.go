package cmd

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/prantikov/millrace/control"
)

// healthTime bounds how long an answer about health is waited for: a process that takes longer is not well.
const healthTime = 5 * time.Second

// healthCommand says whether the running process is well.
func healthCommand(p *Program) *cobra.Command {
	var ready bool
	command := &cobra.Command{
		Use:   "health",
		Short: "Say in one line whether the running process is well",
		Long: "Health asks the process that runs in the data directory or, when none does, the metrics or http address of the settings, where one is\n" +
			"set. It exits with 0 when no partition is stuck, and with --ready when also Kafka answers and every consumer is in its group; else with 1.\n" +
			"An image without a shell has its health check in it.",
		Args: noArguments,
		RunE: func(c *cobra.Command, _ []string) error {
			s, err := p.open(c)
			if err != nil {
				return err
			}
			within, cancel := context.WithTimeout(c.Context(), healthTime)
			defer cancel()
			health, err := s.askHealth(within)
			if err != nil {
				return err
			}
			if !health.Well(ready) {
				return errors.New(health.Line(ready))
			}
			_, err = fmt.Fprintln(p.out, health.Line(ready))
			return err
		},
	}
	command.Flags().BoolVar(&ready, "ready", false, "want it also connected: Kafka answers and every consumer is in its group")
	return command
}

// askHealth asks the process in the data directory, or the one at an address that somebody chose. The default address is anybody's.
func (s *session) askHealth(ctx context.Context) (control.Health, error) {
	health, err := control.NewClient(s.settings.DataDir).Health(ctx)
	if !errors.Is(err, control.ErrNotRunning) {
		return health, err
	}
	for _, chosen := range []struct{ path, address string }{
		{"metrics.address", s.settings.Metrics.Address}, {"http.address", s.settings.HTTP.Address},
	} {
		if s.isSet(chosen.path) && !anyPort(chosen.address) {
			return control.AskHealth(ctx, chosen.address)
		}
	}
	return control.Health{}, err
}
