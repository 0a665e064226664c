package cmd

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/prantikov/millrace/handlers/analytics"
	"github.com/prantikov/millrace/messages"
	"github.com/prantikov/millrace/store"
)

// analyticsCommand shows what the analytics consumer knows.
func analyticsCommand(p *Program) *cobra.Command {
	return group("analytics", "Show counts, rates, durations, and appointments past their date",
		analyticsCountsCommand(p), ratesCommand(p), durationsCommand(p), overdueCommand(p))
}

// days are what --from and --to say.
type days struct{ from, to string }

// addDaysFlags gives a command --from and --to.
func addDaysFlags(command *cobra.Command, d *days) {
	command.Flags().StringVar(&d.from, "from", "", "only this `day` (2006-01-02) and later ones")
	command.Flags().StringVar(&d.to, "to", "", "only this `day` (2006-01-02) and earlier ones")
}

func (d days) check() error {
	for _, bound := range []struct{ flag, day string }{{"--from", d.from}, {"--to", d.to}} {
		if _, err := parseDay(bound.flag, bound.day); err != nil {
			return err
		}
	}
	if d.from != "" && d.to != "" && d.from > d.to {
		return usage("--from %s is after --to %s", d.from, d.to)
	}
	return nil
}

// parseDay reads a flag's day; an empty one is none.
func parseDay(flag, text string) (messages.Date, error) {
	if text == "" {
		return messages.Date{}, nil
	}
	day, err := time.Parse(time.DateOnly, text)
	if err != nil {
		return messages.Date{}, usage("%s takes a day such as 2026-01-31, not %q", flag, text)
	}
	return messages.DateOf(day), nil
}

// addByFlag gives a command --by, which takes some of the words.
func addByFlag(command *cobra.Command, by *[]string, standard []string, words ...string) {
	command.Flags().StringSliceVar(by, "by", standard, "what each row is of: `"+strings.Join(words, "|")+"`, or several with commas")
}

// checkBy refuses words that are none of a command's, and two that do not go together.
func checkBy(by []string, apart [2]string, why string, words ...string) error {
	for _, word := range by {
		if !slices.Contains(words, word) {
			return usage("--by takes %s, not %q", strings.Join(words, ", "), word)
		}
	}
	if slices.Contains(by, apart[0]) && slices.Contains(by, apart[1]) {
		return usage("--by takes %s or %s, not both: %s", apart[0], apart[1], why)
	}
	return nil
}

// measureOptions are the flags of rates and durations.
type measureOptions struct {
	days
	by             []string
	entity, output string
}

func addMeasureFlags(command *cobra.Command, o *measureOptions) {
	addDaysFlags(command, &o.days)
	addByFlag(command, &o.by, nil, "day", "doctor", "pharmacy")
	command.Flags().StringVar(&o.entity, "entity", "", "only this `kind`: "+strings.Join(entityNames(), ", "))
	addReportFlag(command, &o.output)
}

func entityNames() []string {
	var names []string
	for _, entity := range analytics.Entities() {
		names = append(names, entity.Name)
	}
	return names
}

// query is what the flags ask for, but for the zone.
func (o measureOptions) query() (analytics.Query, error) {
	if err := o.check(); err != nil {
		return analytics.Query{}, err
	}
	err := checkBy(o.by, [2]string{"doctor", "pharmacy"}, "no entity has both", "day", "doctor", "pharmacy")
	if err != nil {
		return analytics.Query{}, err
	}
	if o.entity != "" && !slices.Contains(entityNames(), o.entity) {
		return analytics.Query{}, usage("--entity takes %s, not %q", strings.Join(entityNames(), ", "), o.entity)
	}
	q := analytics.Query{Entity: o.entity, ByDay: slices.Contains(o.by, "day"), ByRole: roleOf(o.by)}
	q.From, _ = parseDay("--from", o.from) // check has read both
	q.To, _ = parseDay("--to", o.to)
	return q, nil
}

// roleOf is the role among the words of --by; empty for none.
func roleOf(by []string) string {
	for _, role := range []string{"doctor", "pharmacy"} {
		if slices.Contains(by, role) {
			return role
		}
	}
	return ""
}

// zone is where a day of analytics begins and ends; the settings have been checked.
func (s *session) zone() (*time.Location, error) {
	return time.LoadLocation(s.settings.Analytics.TimeZone)
}

// measure prints what rows makes of the store for the query of the flags, under columns.
func (p *Program) measure(c *cobra.Command, o measureOptions, columns []reportColumn, rows func(context.Context, *store.Store, analytics.Query) ([][]any, error)) error {
	q, err := o.query()
	if err != nil {
		return err
	}
	s, err := p.open(c)
	if err != nil {
		return err
	}
	if q.Zone, err = s.zone(); err != nil {
		return err
	}
	shown := report{columns: append(groupColumns(q), columns...)}
	err = s.readStore(c.Context(), func(opened *store.Store) (err error) {
		shown.rows, err = rows(c.Context(), opened, q)
		return err
	})
	if err != nil {
		return err
	}
	return p.printReport(o.output, shown)
}

// groupColumns and groupCells say what a row is of.
func groupColumns(q analytics.Query) []reportColumn {
	columns := []reportColumn{{"entity", "ENTITY"}}
	if q.ByDay {
		columns = append(columns, reportColumn{"day", "DAY"})
	}
	if q.ByRole != "" {
		columns = append(columns, reportColumn{q.ByRole, strings.ToUpper(q.ByRole)})
	}
	return columns
}

func groupCells(q analytics.Query, g analytics.Group) []any {
	cells := []any{g.Entity}
	if q.ByDay {
		cells = append(cells, g.Day)
	}
	if q.ByRole != "" {
		cells = append(cells, g.Counterpart)
	}
	return cells
}
