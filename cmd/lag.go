package cmd

import (
	"context"
	"errors"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/prantikov/millrace/kafka"
	"github.com/prantikov/millrace/router"
)

// lagCommand says how far each consumer is behind.
func lagCommand(p *Program) *cobra.Command {
	var output string
	command := &cobra.Command{
		Use:   "lag",
		Short: "Show how far each consumer is behind on each partition",
		Long:  "Lag asks the brokers for the positions of the enabled consumers' groups and for the ends of their topics. It joins no group.",
		Args:  noArguments,
		RunE: func(c *cobra.Command, _ []string) error {
			s, err := p.open(c)
			if err != nil {
				return err
			}
			var rows []kafka.Lag
			err = s.reading(c.Context(), func(reader *kafka.Reader) error {
				rows, err = s.lag(c.Context(), reader)
				return err
			})
			if err != nil {
				return err
			}
			return p.print(output, rows, func() error {
				table := [][]string{{"CONSUMER", "TOPIC", "PARTITION", "COMMITTED", "END", "LAG"}}
				for _, row := range rows {
					table = append(table, []string{
						row.Consumer, row.Topic, strconv.Itoa(int(row.Partition)), known(row.Committed),
						strconv.FormatInt(row.End, 10), strconv.FormatInt(row.Lag, 10),
					})
				}
				return p.table(table)
			})
		},
	}
	addOutputFlag(command, &output)
	return command
}

// lag is that of every enabled consumer. A topic that does not exist yet has no partitions, and so no lines.
func (s *session) lag(ctx context.Context, reader *kafka.Reader) ([]kafka.Lag, error) {
	var topics []string
	for _, consumer := range s.app.consumers {
		topics = append(topics, s.reads(consumer)...)
	}
	exists, err := reader.Existing(ctx, topics)
	if err != nil {
		return nil, err
	}
	var watched []kafka.Watched
	for _, consumer := range s.app.consumers {
		asked := kafka.Watched{Consumer: consumer.Name(), Group: s.settings.Consumer(consumer.Name()).Group}
		for _, topic := range s.reads(consumer) {
			if exists[topic] {
				asked.Topics = append(asked.Topics, topic)
			}
		}
		watched = append(watched, asked)
	}
	rows, err := reader.Lag(ctx, watched)
	if rows == nil {
		rows = []kafka.Lag{}
	}
	return rows, err
}

// reads are the topics that a consumer reads, by their names on the brokers, its redrive topic last.
func (s *session) reads(consumer *router.Consumer) (topics []string) {
	for _, declared := range s.taken(consumer) {
		topics = append(topics, s.topicName(declared.Topic()))
	}
	if redrive, taken := s.redriveTopic(consumer); taken {
		topics = append(topics, redrive)
	}
	return topics
}

// reading gives a function a reader of the brokers for as long as it runs.
func (s *session) reading(ctx context.Context, use func(*kafka.Reader) error) error {
	disconnect, err := s.connect(ctx)
	if err != nil {
		return err
	}
	defer disconnect()
	reader, err := kafka.NewReader(ctx, s.settings.Kafka)
	if err != nil {
		return err
	}
	return errors.Join(use(reader), reader.Close())
}

// known is an offset, or - where there is none.
func known(offset int64) string {
	if offset < 0 {
		return "-"
	}
	return strconv.FormatInt(offset, 10)
}
