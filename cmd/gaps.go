package cmd

import (
	"context"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/prantikov/millrace/store"
)

// gapsCommand shows which offsets consumers passed without reading them.
func gapsCommand(p *Program) *cobra.Command {
	var output string
	var filter store.GapFilter
	command := &cobra.Command{
		Use:   "gaps",
		Short: "Show which offsets consumers passed without reading them, and why",
		Long: "Gaps reads what the consumers have noted in the store in the data directory: offsets that retention took before they were read,\n" +
			"batches that cannot be read where kafka.unreadable is skip, and what another program did while it had the consumer's group. From is the\n" +
			"first offset that was passed, to the one behind the last; replayed counts those that millrace replay has applied since. No broker is asked.",
		Args: noArguments,
		RunE: func(c *cobra.Command, _ []string) error {
			s, err := p.open(c)
			if err != nil {
				return err
			}
			rows, err := s.gaps(c.Context(), filter)
			if err != nil {
				return err
			}
			return p.printGaps(output, rows)
		},
	}
	flags := command.Flags()
	flags.StringVar(&filter.Consumer, "consumer", "", "only this `consumer`")
	flags.StringVar(&filter.Topic, "topic", "", "only this `topic`")
	addOutputFlag(command, &output)
	return command
}

// gapRow is one line of gaps.
type gapRow struct {
	Consumer  string    `json:"consumer"`
	Topic     string    `json:"topic"`
	Partition int32     `json:"partition"`
	From      int64     `json:"from"`
	To        int64     `json:"to"`
	Reason    string    `json:"reason"`
	At        time.Time `json:"at"`
	// Replayed counts the offsets that millrace replay has applied since.
	Replayed int64 `json:"replayed"`
}

// gaps are those that fit the filter; none, with a word on stderr, when nothing has made a store yet.
func (s *session) gaps(ctx context.Context, filter store.GapFilter) ([]gapRow, error) {
	rows := []gapRow{}
	filter.Topic = s.onBrokers(filter.Topic)
	err := s.readStore(ctx, func(opened *store.Store) error {
		gaps, err := opened.Gaps(ctx, filter)
		for _, gap := range gaps {
			rows = append(rows, gapRow{gap.Consumer, gap.Topic, gap.Partition, gap.From, gap.To, gap.Reason, gap.At, gap.Replayed})
		}
		return err
	})
	return rows, err
}

func (p *Program) printGaps(output string, rows []gapRow) error {
	return p.print(output, rows, func() error {
		table := [][]string{{"AT", "CONSUMER", "TOPIC", "PARTITION", "FROM", "TO", "REPLAYED", "REASON"}}
		for _, row := range rows {
			table = append(table, []string{
				row.At.Format(time.RFC3339), row.Consumer, row.Topic, strconv.Itoa(int(row.Partition)),
				strconv.FormatInt(row.From, 10), strconv.FormatInt(row.To, 10), strconv.FormatInt(row.Replayed, 10), row.Reason,
			})
		}
		return p.table(table)
	})
}
