package cmd

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/prantikov/millrace/store"
)

// countsCommand is the short way to [analyticsCountsCommand].
func countsCommand(p *Program) *cobra.Command {
	command := analyticsCountsCommand(p)
	command.Short += ": analytics counts"
	return command
}

type countsOptions struct {
	days
	topic, output string
	by            []string
}

// analyticsCountsCommand shows how many events the analytics consumer has counted.
func analyticsCountsCommand(p *Program) *cobra.Command {
	var o countsOptions
	command := &cobra.Command{
		Use:     "counts",
		Short:   "Show how many events there were, by day, topic, action and status",
		Long:    "Counts reads what the analytics consumer has counted, from the store in the data directory. No broker is asked.",
		Example: "  millrace analytics counts --from 2026-01-01\n  millrace analytics counts --by doctor --topic appointment-events -o csv",
		Args:    noArguments,
		RunE:    func(c *cobra.Command, _ []string) error { return p.counts(c, o) },
	}
	command.Flags().StringVar(&o.topic, "topic", "", "only this `topic`")
	addDaysFlags(command, &o.days)
	addByFlag(command, &o.by, []string{"day"}, countsBy[:]...)
	addReportFlag(command, &o.output)
	return command
}

var countsBy = [...]string{"day", "doctor", "pharmacy"}

func (p *Program) counts(c *cobra.Command, o countsOptions) error {
	if err := o.check(); err != nil {
		return err
	}
	if err := checkBy(o.by, [2]string{"doctor", "pharmacy"}, "no event has both", countsBy[:]...); err != nil {
		return err
	}
	s, err := p.open(c)
	if err != nil {
		return err
	}
	counts, err := s.countsOf(c.Context(), o)
	if err != nil {
		return err
	}
	return p.printReport(o.output, countsReport(o, counts))
}

// countsOf are those that the flags ask for; none, with a word on stderr, when nothing has made a store yet.
func (s *session) countsOf(ctx context.Context, o countsOptions) (counts []store.Count, err error) {
	filter := store.CountFilter{Topic: s.onBrokers(o.topic), From: o.from, To: o.to}
	err = s.readStore(ctx, func(opened *store.Store) (err error) {
		if role := roleOf(o.by); role != "" {
			counts, err = opened.CountsOf(ctx, role, filter)
		} else {
			counts, err = opened.Counts(ctx, filter)
		}
		return err
	})
	if err == nil && !slices.Contains(o.by, "day") {
		counts = overDays(counts)
	}
	return counts, err
}

// overDays adds the counts of all days up.
func overDays(counts []store.Count) []store.Count {
	sums := map[store.Count]int64{}
	for _, c := range counts {
		n := c.N
		c.Day, c.N = "", 0
		sums[c] += n
	}
	added := make([]store.Count, 0, len(sums))
	for c, n := range sums {
		c.N = n
		added = append(added, c)
	}
	slices.SortFunc(added, func(a, b store.Count) int {
		return cmp.Or(cmp.Compare(a.Counterpart, b.Counterpart), cmp.Compare(a.Topic, b.Topic), cmp.Compare(a.Action, b.Action), cmp.Compare(a.Status, b.Status))
	})
	return added
}

func countsReport(o countsOptions, counts []store.Count) report {
	byDay, role := slices.Contains(o.by, "day"), roleOf(o.by)
	var shown report
	if byDay {
		shown.columns = append(shown.columns, reportColumn{"day", "DAY"})
	}
	if role != "" {
		shown.columns = append(shown.columns, reportColumn{role, strings.ToUpper(role)})
	}
	shown.columns = append(shown.columns, reportColumn{"topic", "TOPIC"}, reportColumn{"action", "ACTION"}, reportColumn{"status", "STATUS"}, reportColumn{"count", "COUNT"})
	for _, c := range counts {
		var row []any
		if byDay {
			row = append(row, c.Day)
		}
		if role != "" {
			row = append(row, c.Counterpart)
		}
		shown.rows = append(shown.rows, append(row, c.Topic, c.Action, c.Status, c.N))
	}
	return shown
}

// onBrokers is the name on the brokers of a topic that is named by its own name; any other name stays.
func (s *session) onBrokers(name string) string {
	for _, declared := range s.app.types() {
		if declared.Topic() == name {
			return s.topicName(name)
		}
	}
	return name
}
