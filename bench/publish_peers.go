package main

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/IBM/sarama"
	"github.com/ThreeDotsLabs/watermill"
	wmkafka "github.com/ThreeDotsLabs/watermill-kafka/v3/pkg/kafka"
	"github.com/ThreeDotsLabs/watermill/message"
	"github.com/rcrowley/go-metrics"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/prantikov/millrace/kafka"
	"github.com/prantikov/millrace/record"
)

// millraceSender is our publisher through Watermill's own interface.
type millraceSender struct{ publisher *kafka.Publisher }

func openMillraceSender(t task) (sender, error) {
	publisher, err := kafka.NewPublisher(kafkaSettings(t.Brokers), nil)
	return millraceSender{publisher}, err
}

func (s millraceSender) send(_ context.Context, records []*record.Record) error {
	messages := make([]*message.Message, len(records))
	for i, r := range records {
		messages[i] = kafka.NewMessage(r)
	}
	return s.publisher.Publish(records[0].Topic, messages...)
}

func (s millraceSender) close() error { return s.publisher.Close() }

// watermillSender is the stock publisher at its fastest: acknowledged by the leader alone, not idempotent, and with the key, which its
// default marshaler would leave out, taken from the metadata.
type watermillSender struct{ publisher *wmkafka.Publisher }

// keyMetadata is where the stock marshaler finds the key.
const keyMetadata = "key"

func openWatermillSender(t task) (sender, error) {
	metrics.UseNilMetrics = true
	marshaler := wmkafka.NewWithPartitioningMarshaler(func(_ string, msg *message.Message) (string, error) {
		return msg.Metadata.Get(keyMetadata), nil
	})
	publisher, err := wmkafka.NewPublisher(wmkafka.PublisherConfig{Brokers: t.Brokers, Marshaler: marshaler}, watermill.NopLogger{})
	return watermillSender{publisher}, err
}

func (s watermillSender) send(_ context.Context, records []*record.Record) error {
	messages := make([]*message.Message, len(records))
	for i, r := range records {
		messages[i] = message.NewMessage(watermill.NewShortUUID(), r.Value)
		messages[i].Metadata.Set(keyMetadata, string(r.Key))
		for _, h := range r.Headers {
			messages[i].Metadata.Set(h.Key, string(h.Value))
		}
	}
	return s.publisher.Publish(records[0].Topic, messages...)
}

func (s watermillSender) close() error { return s.publisher.Close() }

// saramaSender is sarama's asynchronous producer with our settings. It streams: nobody waits for a call's answers.
type saramaSender struct {
	producer sarama.AsyncProducer
	waiting  sync.WaitGroup
	failed   firstError
}

func openSaramaSender(t task) (sender, error) {
	metrics.UseNilMetrics = true
	settings := kafkaSettings(t.Brokers)
	c := sarama.NewConfig()
	c.Version = sarama.V2_8_0_0
	c.Net.MaxOpenRequests = 1
	c.Metadata.Full = false
	c.Producer.Idempotent = true
	c.Producer.RequiredAcks = sarama.WaitForAll
	c.Producer.Partitioner = sarama.NewMurmur2Partitioner
	c.Producer.Retry.Max, c.Producer.Retry.Backoff = settings.Producer.Retries, settings.Producer.RetryBackoff
	c.Producer.MaxMessageBytes = settings.Producer.MaxMessageBytes
	c.Producer.Return.Successes = true
	producer, err := sarama.NewAsyncProducer(t.Brokers, c)
	if err != nil {
		return nil, fmt.Errorf("opening the producer: %w", err)
	}
	s := &saramaSender{producer: producer}
	go func() {
		for range producer.Successes() {
			s.waiting.Done()
		}
	}()
	go func() {
		for e := range producer.Errors() {
			s.failed.keep(nil, e.Err)
			s.waiting.Done()
		}
	}()
	return s, nil
}

func (s *saramaSender) send(_ context.Context, records []*record.Record) error {
	for _, r := range records {
		m := &sarama.ProducerMessage{Topic: r.Topic, Key: sarama.ByteEncoder(r.Key), Value: sarama.ByteEncoder(r.Value), Timestamp: time.Now()}
		for _, h := range r.Headers {
			m.Headers = append(m.Headers, sarama.RecordHeader{Key: []byte(h.Key), Value: h.Value})
		}
		s.waiting.Add(1)
		s.producer.Input() <- m
	}
	return nil
}

func (s *saramaSender) flush(context.Context) error {
	s.waiting.Wait()
	return s.failed.err()
}

func (s *saramaSender) close() error { return s.producer.Close() }

// franzSender is franz-go's producer with its own defaults, which are idempotent with acks of all. It streams too.
type franzSender struct {
	client *kgo.Client
	failed firstError
}

func openFranzSender(t task) (sender, error) {
	client, err := kgo.NewClient(kgo.SeedBrokers(t.Brokers...), kgo.ProducerBatchCompression(kgo.NoCompression()), kgo.DisableClientMetrics())
	return &franzSender{client: client}, err
}

func (s *franzSender) send(ctx context.Context, records []*record.Record) error {
	for _, r := range records {
		made := &kgo.Record{Topic: r.Topic, Key: r.Key, Value: r.Value}
		for _, h := range r.Headers {
			made.Headers = append(made.Headers, kgo.RecordHeader{Key: h.Key, Value: h.Value})
		}
		s.client.Produce(ctx, made, s.failed.keep)
	}
	return nil
}

func (s *franzSender) flush(ctx context.Context) error {
	if err := s.client.Flush(ctx); err != nil {
		return err
	}
	return s.failed.err()
}

func (s *franzSender) close() error {
	s.client.Close()
	return nil
}
