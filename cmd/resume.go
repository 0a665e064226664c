package cmd

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/prantikov/millrace/control"
)

// resumeCommand ends pauses before their time.
func resumeCommand(p *Program) *cobra.Command {
	var output string
	target := control.Target{}
	command := &cobra.Command{
		Use:   "resume CONSUMER",
		Short: "End the pauses of a running consumer",
		Long: "Resume tells the process that runs in the data directory to end every pause of the consumer, or those of a topic or partition.\n" +
			"A part of a pause cannot be resumed: resume the whole, and pause the rest.",
		Args: exactly("CONSUMER"),
		RunE: func(c *cobra.Command, arguments []string) error {
			target.Consumer = arguments[0]
			if err := checkTarget(c.Flags(), target); err != nil {
				return err
			}
			return p.reach(c, func(client *control.Client) error {
				resumed, err := client.Resume(c.Context(), target)
				if err != nil {
					return err
				}
				return p.print(output, resumed, func() error {
					for _, ended := range resumed.Ended {
						if _, err := fmt.Fprintf(p.out, "%s is resumed\n", ended); err != nil {
							return err
						}
					}
					return nil
				})
			})
		},
	}
	addTargetFlags(command.Flags(), &target)
	addOutputFlag(command, &output)
	return command
}
