package cmd

import (
	"context"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/prantikov/millrace/store"
)

// countsCommand shows how many events the analytics consumer has counted.
func countsCommand(p *Program) *cobra.Command {
	var output string
	var filter store.CountFilter
	command := &cobra.Command{
		Use:   "counts",
		Short: "Show how many events there were, by day, topic, action and status",
		Long:  "Counts reads what the analytics consumer has counted, from the store in the data directory. No broker is asked.",
		Args:  noArguments,
		RunE: func(c *cobra.Command, _ []string) error {
			if err := checkDays(filter); err != nil {
				return err
			}
			s, err := p.open(c)
			if err != nil {
				return err
			}
			rows, err := s.counts(c.Context(), filter)
			if err != nil {
				return err
			}
			return p.printCounts(output, rows)
		},
	}
	flags := command.Flags()
	flags.StringVar(&filter.Topic, "topic", "", "only this `topic`")
	flags.StringVar(&filter.From, "from", "", "only this `day` (2006-01-02) and later ones")
	flags.StringVar(&filter.To, "to", "", "only this `day` (2006-01-02) and earlier ones")
	addOutputFlag(command, &output)
	return command
}

func checkDays(filter store.CountFilter) error {
	for _, bound := range []struct{ flag, day string }{{"--from", filter.From}, {"--to", filter.To}} {
		if _, err := time.Parse(time.DateOnly, bound.day); bound.day != "" && err != nil {
			return usage("%s takes a day such as 2026-01-31, not %q", bound.flag, bound.day)
		}
	}
	if filter.From != "" && filter.To != "" && filter.From > filter.To {
		return usage("--from %s is after --to %s", filter.From, filter.To)
	}
	return nil
}

// countRow is one line of counts.
type countRow struct {
	Day    string `json:"day"`
	Topic  string `json:"topic"`
	Action string `json:"action"`
	Status string `json:"status"`
	Count  int64  `json:"count"`
}

// counts are those that fit the filter; none, with a word on stderr, when nothing has made a store yet.
func (s *session) counts(ctx context.Context, filter store.CountFilter) ([]countRow, error) {
	rows := []countRow{}
	filter.Topic = s.onBrokers(filter.Topic)
	err := s.readStore(ctx, func(opened *store.Store) error {
		counts, err := opened.Counts(ctx, filter)
		for _, count := range counts {
			rows = append(rows, countRow{count.Day, count.Topic, count.Action, count.Status, count.N})
		}
		return err
	})
	return rows, err
}

func (p *Program) printCounts(output string, rows []countRow) error {
	return p.print(output, rows, func() error {
		table := [][]string{{"DAY", "TOPIC", "ACTION", "STATUS", "COUNT"}}
		for _, row := range rows {
			table = append(table, []string{row.Day, row.Topic, row.Action, row.Status, strconv.FormatInt(row.Count, 10)})
		}
		return p.table(table)
	})
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
