package cmd

import (
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/prantikov/millrace/control"
)

// pauseCommand stops a consumer's intake for a time.
func pauseCommand(p *Program) *cobra.Command {
	var output string
	var length time.Duration
	target := control.Target{}
	command := &cobra.Command{
		Use:   "pause CONSUMER",
		Short: "Stop what a running consumer takes, for a time",
		Long: "Pause tells the process that runs in the data directory to take no more for a consumer. What is in flight ends and is committed.\n" +
			"The pause ends by itself, by resume, and with the process. Pausing again sets its time anew.",
		Args: exactly("CONSUMER"),
		RunE: func(c *cobra.Command, arguments []string) error {
			target.Consumer = arguments[0]
			if err := checkTarget(c.Flags(), target); err != nil {
				return err
			}
			if err := control.CheckPause(length); err != nil {
				return usage("--for: %w", err)
			}
			return p.reach(c, func(client *control.Client) error {
				paused, err := client.Pause(c.Context(), control.PauseRequest{Target: target, For: length.String()})
				if err != nil {
					return err
				}
				return p.printPaused(output, paused)
			})
		},
	}
	addTargetFlags(command.Flags(), &target)
	command.Flags().DurationVar(&length, "for", control.DefaultPause, "how long, at most 24h")
	addOutputFlag(command, &output)
	return command
}

func (p *Program) printPaused(output string, paused control.Paused) error {
	return p.print(output, paused, func() error {
		left := time.Duration(paused.Seconds) * time.Second
		word := "paused"
		if paused.Replaced {
			word = "paused already, and now"
		}
		_, err := fmt.Fprintf(p.out, "%s is %s until %s (%s)\n", paused.Target, word, paused.Until.Local().Format(time.DateTime), left)
		return err
	})
}
