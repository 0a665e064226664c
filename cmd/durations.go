package cmd

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/prantikov/millrace/handlers/analytics"
	"github.com/prantikov/millrace/store"
)

// durationsCommand shows how long entities took from step to step.
func durationsCommand(p *Program) *cobra.Command {
	var o measureOptions
	command := &cobra.Command{
		Use:   "durations",
		Short: "Show how long it took from booking to confirmation and completion, from order to delivery",
		Long: "Durations measures the steps that appointments, prescriptions and orders reached on the days from --from to --to: their number, median, the\n" +
			"90th percentile and the mean; in JSON and CSV in seconds. BACKWARDS are those that were left out because the second step has an earlier time than\n" +
			"the first. docs/analytics.md defines each. No broker is asked.",
		Example: "  millrace analytics durations --entity order --by pharmacy\n  millrace analytics durations --by day --from 2026-01-01 -o json",
		Args:    noArguments,
		RunE: func(c *cobra.Command, _ []string) error {
			return p.measure(c, o, []reportColumn{
				{"from", "FROM"}, {"to", "TO"}, {"count", "COUNT"}, {"medianSeconds", "MEDIAN"}, {"p90Seconds", "P90"}, {"meanSeconds", "MEAN"},
				{"backwards", "BACKWARDS"},
			}, durationRows)
		},
	}
	addMeasureFlags(command, &o)
	return command
}

func durationRows(ctx context.Context, s *store.Store, q analytics.Query) ([][]any, error) {
	durations, err := analytics.Durations(ctx, s, q)
	var rows [][]any
	for _, d := range durations {
		row := append(groupCells(q, d.Group), d.From, d.To, d.Count)
		if d.Count == 0 {
			row = append(row, nil, nil, nil)
		} else {
			row = append(row, d.Median, d.P90, d.Mean)
		}
		rows = append(rows, append(row, d.Backwards))
	}
	return rows, err
}
