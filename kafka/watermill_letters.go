package kafka

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/IBM/sarama"
	"github.com/ThreeDotsLabs/watermill"
	wmkafka "github.com/ThreeDotsLabs/watermill-kafka/v3/pkg/kafka"
	"github.com/ThreeDotsLabs/watermill/message"

	"github.com/prantikov/millrace/config"
	"github.com/prantikov/millrace/record"
)

// WatermillLetters writes dead letters through watermill-kafka's publisher, one after another. It is safe for concurrent use.
type WatermillLetters struct {
	publisher message.Publisher
	deliver   time.Duration
}

// NewWatermillLetters connects watermill-kafka's publisher with the settings of [NewDeadLetterPublisher]. It returns an error that names every
// unsafe setting, or that no broker answers.
func NewWatermillLetters(s config.Kafka, logger *slog.Logger) (*WatermillLetters, error) {
	c, deliver, err := deadLetterConfig(s)
	if err != nil {
		return nil, err
	}
	c.Producer.Partitioner = newPartitioner
	if logger == nil {
		logger = slog.New(slog.DiscardHandler)
	}
	publisher, err := wmkafka.NewPublisher(wmkafka.PublisherConfig{
		Brokers: s.Brokers, Marshaler: placingMarshaler{}, OverwriteSaramaConfig: c,
	}, watermill.NewSlogLogger(logger))
	if err != nil {
		return nil, fmt.Errorf("making watermill-kafka's publisher: %w", explained(toSend(err)))
	}
	return &WatermillLetters{publisher: publisher, deliver: deliver}, nil
}

// PublishToPartitions sends each record to the partition that it names; one that the topic does not have stands for the partition of the key.
// watermill-kafka does not tell where a record was written: every position has offset -1.
func (l *WatermillLetters) PublishToPartitions(ctx context.Context, records []*record.Record) ([]record.Position, error) {
	ctx, cancel := context.WithTimeout(ctx, l.deliver)
	defer cancel()
	positions := make([]record.Position, len(records))
	for i, r := range records {
		positions[i] = record.Position{Topic: r.Topic, Partition: r.Partition, Offset: -1}
		_, err := await(ctx, func() (struct{}, error) { return struct{}{}, l.publisher.Publish(r.Topic, NewMessage(r)) })
		if err != nil {
			return positions, fmt.Errorf("publishing to %q: %w", r.Topic, explained(needing(err, OperationWrite, ResourceTopic, r.Topic)))
		}
	}
	return positions, nil
}

// Close ends the publisher.
func (l *WatermillLetters) Close() error { return l.publisher.Close() }

// placingMarshaler sends a message to the partition that its record names.
type placingMarshaler struct{ Marshaler }

// Marshal implements watermill-kafka's Marshaler. The error is always nil.
func (m placingMarshaler) Marshal(topic string, msg *message.Message) (*sarama.ProducerMessage, error) {
	produced, err := m.Marshaler.Marshal(topic, msg)
	if err == nil {
		produced.Metadata = &ticket{partition: RecordOf(msg).Partition}
	}
	return produced, err
}
