package main

import (
	"context"
	"time"

	"github.com/IBM/sarama"
)

// StateInput is a topic for the benchmarks of package main_test: an embedded broker in a process of its own with so many appointments' events.
type StateInput struct {
	Brokers []string
	Topic   string
	Ends    []int64
	end     func()
}

// Close ends the broker.
func (i *StateInput) Close() { i.end() }

// WriteStateInput starts the broker, or takes the one that is named, and writes the topic.
func WriteStateInput(ctx context.Context, brokers, topic string, records, keys, partitions int) (*StateInput, error) {
	opened, end, err := openBrokers(ctx, options{brokers: brokers})
	if err != nil {
		return nil, err
	}
	written := &StateInput{Brokers: opened.addresses, Topic: topic, end: func() { opened.remove(ctx, []string{topic}, nil); end() }}
	in := input{records: records, keys: keys, partitions: partitions, distribution: uniform}
	if err = opened.createTopics(ctx, partitions, topic); err == nil {
		err = in.writeAll(ctx, opened.addresses, topic)
	}
	if err != nil {
		written.Close()
		return nil, err
	}
	written.Ends = in.ends()
	return written, nil
}

// RawConsumer is sarama at its best.
func RawConsumer() *sarama.Config { return saramaConsumer() }

// ProcessorTime is what this process has used.
func ProcessorTime() time.Duration { return processorTime() }
