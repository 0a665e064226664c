package cmd

import (
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"
)

// Version is the version of the module that the binary was built from, with its revision where it is known.
func Version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	for _, module := range append(info.Deps, &info.Main) {
		if module.Path == "github.com/prantikov/millrace" && module.Version != "" {
			return module.Version
		}
	}
	return "unknown"
}

// versionCommand prints the version.
func versionCommand(p *Program) *cobra.Command {
	var output string
	command := &cobra.Command{
		Use:   "version",
		Short: "Print the version",
		Args:  noArguments,
		RunE: func(*cobra.Command, []string) error {
			row := struct {
				Version string `json:"version"`
				Go      string `json:"go"`
			}{Version(), runtime.Version()}
			return p.print(output, row, func() error {
				_, err := fmt.Fprintf(p.out, "millrace %s %s\n", row.Version, row.Go)
				return err
			})
		},
	}
	addOutputFlag(command, &output)
	return command
}
