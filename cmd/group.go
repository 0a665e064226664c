package cmd

import (
	"strings"

	"github.com/spf13/cobra"
)

// group is a command that only has others below it. Alone, or with a word that none of them has, it is not understood: a script must not
// take the help text for an answer.
func group(use, short string, commands ...*cobra.Command) *cobra.Command {
	names := make([]string, len(commands))
	for i, command := range commands {
		names[i] = command.Name()
	}
	there := strings.Join(names, ", ")
	parent := &cobra.Command{
		Use:   use,
		Short: short,
		Args:  cobra.ArbitraryArgs,
		RunE: func(c *cobra.Command, arguments []string) error {
			if len(arguments) > 0 {
				return usage("%s has no command %q: there are %s", c.CommandPath(), arguments[0], there)
			}
			return usage("%s needs a command: %s", c.CommandPath(), there)
		},
	}
	parent.AddCommand(commands...)
	return parent
}
