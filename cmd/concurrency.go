package cmd

import (
	"fmt"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/prantikov/millrace/control"
)

// concurrencyCommand sets how many keys a consumer works on side by side.
func concurrencyCommand(p *Program) *cobra.Command {
	var output string
	command := &cobra.Command{
		Use:   "concurrency CONSUMER N",
		Short: "Set how many keys a running consumer works on side by side",
		Long: "Concurrency tells the process that runs in the data directory to work on N keys of a consumer side by side, from now on and until\n" +
			"it ends. A consumer whose records are taken one after another has none: one with a unit of work, or one that is ordered by partition.",
		Args: exactly("CONSUMER", "N"),
		RunE: func(c *cobra.Command, arguments []string) error {
			keys, err := strconv.Atoi(arguments[1])
			if err != nil {
				return usage("the concurrency is a number from 1 to %d, not %q", control.MostKeys, arguments[1])
			}
			if err := control.CheckKeys(keys); err != nil {
				return misused(err)
			}
			return p.reach(c, func(client *control.Client) error {
				set, err := client.SetConcurrency(c.Context(), arguments[0], keys)
				if err != nil {
					return err
				}
				return p.print(output, set, func() error {
					_, err := fmt.Fprintf(p.out, "consumer %q works on %d keys side by side; before, on %d\n", set.Consumer, set.Concurrency, set.Before)
					return err
				})
			})
		},
	}
	addOutputFlag(command, &output)
	return command
}
