package cmd

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"
	"golang.org/x/term"
)

// addOutputFlag gives a command -o table|json. Data goes to stdout, everything else to stderr.
func addOutputFlag(command *cobra.Command, output *string) {
	addFormFlag(command, output, "`table` or json", "table", "json")
}

// addReportFlag gives a command -o table|json|csv.
func addReportFlag(command *cobra.Command, output *string) {
	addFormFlag(command, output, "`table`, json or csv", "table", "json", "csv")
}

func addFormFlag(command *cobra.Command, output *string, help string, forms ...string) {
	command.Flags().StringVarP(output, "output", "o", "table", help)
	command.PreRunE = func(*cobra.Command, []string) error {
		if !slices.Contains(forms, *output) {
			return usage("-o takes %s, not %q", strings.ReplaceAll(help, "`", ""), *output)
		}
		return nil
	}
}

// print writes value as JSON, or a table.
func (p *Program) print(output string, value any, table func() error) error {
	if output != "json" {
		return table()
	}
	encoder := json.NewEncoder(p.out)
	encoder.SetEscapeHTML(false)
	return encoder.Encode(value)
}

// say writes a line of data for people.
func (p *Program) say(format string, arguments ...any) error {
	_, err := fmt.Fprintf(p.out, format, arguments...)
	return err
}

// table writes rows in columns, the first row being their names.
func (p *Program) table(rows [][]string) error {
	writer := tabwriter.NewWriter(p.out, 0, 0, 2, ' ', 0)
	for _, row := range rows {
		for i, cell := range row {
			if i > 0 {
				_, _ = io.WriteString(writer, "\t")
			}
			_, _ = io.WriteString(writer, cell)
		}
		_, _ = io.WriteString(writer, "\n")
	}
	return writer.Flush()
}

// isTerminal says whether somebody looks at the writer.
func isTerminal(writer io.Writer) bool {
	file, ok := writer.(*os.File)
	return ok && term.IsTerminal(int(file.Fd()))
}
