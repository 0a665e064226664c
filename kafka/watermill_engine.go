package kafka

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/IBM/sarama"
	"github.com/ThreeDotsLabs/watermill"
	wmkafka "github.com/ThreeDotsLabs/watermill-kafka/v3/pkg/kafka"
	"github.com/ThreeDotsLabs/watermill/message"

	"github.com/prantikov/millrace/config"
	"github.com/prantikov/millrace/record"
)

// WatermillSubscriber is watermill-kafka's subscriber with safe settings and our marshaler (kafka.engine: watermill). It hands over one record
// of a partition after another, with a group member for each topic. What it does not have: batches, a drain (what is in flight at a stop
// or a rebalance is repeated), the exclusive rule, any start but earliest, and a way past a gap: a partition whose committed offset was
// passed by retention stands still, with an error each second, until the group's position is moved.
type WatermillSubscriber struct {
	subscriber *wmkafka.Subscriber

	once    sync.Once
	closing chan struct{}
	hopping sync.WaitGroup
}

var _ message.Subscriber = (*WatermillSubscriber)(nil)

// NewWatermillSubscriber returns a subscriber for the group of the settings. Of the settings it uses Kafka, Group, Starts and Logger. It
// returns an error for settings that are unsafe, and for a start that is not earliest.
func NewWatermillSubscriber(settings SubscriberSettings) (*WatermillSubscriber, error) {
	settings, err := settings.withDefaults()
	if err != nil {
		return nil, err
	}
	for topic, start := range settings.Starts {
		if start != Earliest() {
			return nil, fmt.Errorf("starting %q at %s: kafka.engine watermill can only start at earliest", topic, start)
		}
	}
	c, err := clientConfig(settings.Kafka)
	if err != nil {
		return nil, err
	}
	c.Consumer.Group.Rebalance.GroupStrategies = []sarama.BalanceStrategy{sarama.NewBalanceStrategyRange()}
	subscriber, err := wmkafka.NewSubscriber(wmkafka.SubscriberConfig{
		Brokers: settings.Kafka.Brokers, Unmarshaler: Marshaler{}, OverwriteSaramaConfig: c, ConsumerGroup: settings.Group,
		NackResendSleep: nackPause, ReconnectRetrySleep: time.Second,
	}, watermill.NewSlogLogger(settings.Logger))
	if err != nil {
		return nil, fmt.Errorf("making watermill-kafka's subscriber: %w", err)
	}
	return &WatermillSubscriber{subscriber: subscriber, closing: make(chan struct{})}, nil
}

// Subscribe returns a channel with a message per record, whose context carries the record. It returns an error when no broker answers.
func (s *WatermillSubscriber) Subscribe(ctx context.Context, topic string) (<-chan *message.Message, error) {
	in, err := s.subscriber.Subscribe(ctx, topic)
	if err != nil {
		return nil, fmt.Errorf("subscribing to %q: %w", topic, explained(needing(err, OperationRead, ResourceTopic, topic)))
	}
	out := make(chan *message.Message)
	s.hopping.Go(func() {
		defer close(out)
		for m := range in {
			// The record travelled in the metadata, for watermill-kafka replaces the context that the marshaler made.
			m.SetContext(record.NewContext(m.Context(), RecordOf(m)))
			select {
			case out <- m:
			case <-ctx.Done():
			case <-s.closing:
			}
		}
	})
	return out, nil
}

// Close ends all subscriptions. What is in flight is cut off and comes again at the next start.
func (s *WatermillSubscriber) Close() error {
	s.once.Do(func() { close(s.closing) })
	err := s.subscriber.Close()
	s.hopping.Wait()
	return err
}

// NewWatermillPublisher connects watermill-kafka's publisher with safe settings and our marshaler. It sends one message after another. It
// returns an error that names every unsafe setting, or that no broker answers.
func NewWatermillPublisher(s config.Kafka, logger *slog.Logger) (message.Publisher, error) {
	c, err := producerConfig(s)
	if err != nil {
		return nil, err
	}
	if logger == nil {
		logger = slog.New(slog.DiscardHandler)
	}
	publisher, err := wmkafka.NewPublisher(wmkafka.PublisherConfig{
		Brokers: s.Brokers, Marshaler: Marshaler{}, OverwriteSaramaConfig: c,
	}, watermill.NewSlogLogger(logger))
	if err != nil {
		return nil, fmt.Errorf("making watermill-kafka's publisher: %w", explained(toSend(err)))
	}
	return publisher, nil
}
