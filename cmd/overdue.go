package cmd

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/prantikov/millrace/handlers/analytics"
	"github.com/prantikov/millrace/messages"
	"github.com/prantikov/millrace/store"
)

type overdueOptions struct {
	asOf   string
	by     []string
	output string
}

// overdueCommand shows the appointments that are still open past their date.
func overdueCommand(p *Program) *cobra.Command {
	var o overdueOptions
	command := &cobra.Command{
		Use:   "overdue",
		Short: "Show the appointments that are still open past their date",
		Long: "Overdue counts the appointments with a date before --as-of that were neither completed nor cancelled nor deleted at the end of that day. --by\n" +
			"appointment names each, with its doctor if asked for, but not with its date, which is patient data. docs/analytics.md says more. No broker is asked.",
		Example: "  millrace analytics overdue --by doctor\n  millrace analytics overdue --by appointment,doctor -o csv",
		Args:    noArguments,
		RunE:    func(c *cobra.Command, _ []string) error { return p.overdue(c, o) },
	}
	command.Flags().StringVar(&o.asOf, "as-of", "", "the `day` (2006-01-02) for which it is asked (default today)")
	addByFlag(command, &o.by, nil, overdueBy[:]...)
	addReportFlag(command, &o.output)
	return command
}

var overdueBy = [...]string{"day", "doctor", "appointment"}

func (p *Program) overdue(c *cobra.Command, o overdueOptions) error {
	asOf, err := parseDay("--as-of", o.asOf)
	if err != nil {
		return err
	}
	if err := checkBy(o.by, [2]string{"day", "appointment"}, "the date of an appointment is patient data", overdueBy[:]...); err != nil {
		return err
	}
	s, err := p.open(c)
	if err != nil {
		return err
	}
	zone, err := s.zone()
	if err != nil {
		return err
	}
	if !asOf.IsSet() {
		asOf = messages.DateOf(time.Now().In(zone))
	}
	q := analytics.OverdueQuery{AsOf: asOf, Zone: zone}
	q.ByDay, q.ByDoctor, q.ByAppointment = slices.Contains(o.by, "day"), slices.Contains(o.by, "doctor"), slices.Contains(o.by, "appointment")
	shown := report{columns: overdueColumns(q)}
	err = s.readStore(c.Context(), func(opened *store.Store) (err error) {
		shown.rows, err = s.overdueRows(c.Context(), opened, q)
		return err
	})
	if err != nil {
		return err
	}
	return p.printReport(o.output, shown)
}

func overdueColumns(q analytics.OverdueQuery) []reportColumn {
	var columns []reportColumn
	if q.ByDay {
		columns = append(columns, reportColumn{"day", "DAY"})
	}
	if q.ByDoctor {
		columns = append(columns, reportColumn{"doctor", "DOCTOR"})
	}
	if q.ByAppointment {
		columns = append(columns, reportColumn{"appointment", "APPOINTMENT"})
	}
	return append(columns, reportColumn{"scheduled", "SCHEDULED"}, reportColumn{"confirmed", "CONFIRMED"}, reportColumn{"overdue", "OVERDUE"})
}

func (s *session) overdueRows(ctx context.Context, opened *store.Store, q analytics.OverdueQuery) ([][]any, error) {
	all, undated, err := analytics.PastDate(ctx, opened, q)
	if err != nil {
		return nil, err
	}
	if undated > 0 {
		fmt.Fprintf(s.program.errout, "%d open appointments have no date that the appointments consumer has seen\n", undated)
	}
	var rows [][]any
	for _, o := range all {
		var row []any
		if q.ByDay {
			row = append(row, o.Day)
		}
		if q.ByDoctor {
			row = append(row, o.Doctor)
		}
		if q.ByAppointment {
			row = append(row, o.Appointment)
		}
		rows = append(rows, append(row, o.Scheduled, o.Confirmed, o.Total()))
	}
	return rows, nil
}
