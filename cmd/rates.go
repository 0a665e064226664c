package cmd

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/prantikov/millrace/handlers/analytics"
	"github.com/prantikov/millrace/store"
)

// ratesCommand shows what became of the entities that were created.
func ratesCommand(p *Program) *cobra.Command {
	var o measureOptions
	command := &cobra.Command{
		Use:   "rates",
		Short: "Show how many entities were completed and cancelled of those that were created",
		Long: "Rates says what became, until now, of the appointments, prescriptions and orders that were created on the days from --from to --to. Both rates are\n" +
			"per cent of CREATED, which is the sum of completed, cancelled, deleted and open ones. docs/analytics.md defines each. No broker is asked.",
		Example: "  millrace analytics rates --by day --from 2026-01-01\n  millrace analytics rates --entity appointment --by doctor -o csv",
		Args:    noArguments,
		RunE: func(c *cobra.Command, _ []string) error {
			return p.measure(c, o, []reportColumn{
				{"created", "CREATED"}, {"completed", "COMPLETED"}, {"completionRate", "COMPLETED/CREATED"}, {"cancelled", "CANCELLED"},
				{"cancellationRate", "CANCELLED/CREATED"}, {"deleted", "DELETED"}, {"open", "OPEN"},
			}, rateRows)
		},
	}
	addMeasureFlags(command, &o)
	return command
}

func rateRows(ctx context.Context, s *store.Store, q analytics.Query) ([][]any, error) {
	rates, err := analytics.Rates(ctx, s, q)
	var rows [][]any
	for _, r := range rates {
		rows = append(rows, append(groupCells(q, r.Group), r.Created, r.Completed, perCent(r.CompletionRate()), r.Cancelled, perCent(r.CancellationRate()), r.Deleted, r.Open))
	}
	return rows, err
}
