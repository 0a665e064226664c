package cmd

import (
	"context"

	"github.com/prantikov/millrace/kafka"
	"github.com/prantikov/millrace/producer"
	"github.com/prantikov/millrace/record"
)

// countedSender counts the events that plugins send.
type countedSender struct {
	producer.Sender
	count func(topic string, err error)
}

// PublishRecords implements [producer.Sender].
func (c countedSender) PublishRecords(ctx context.Context, records []*record.Record) ([]record.Position, error) {
	positions, err := c.Sender.PublishRecords(ctx, records)
	countEach(c.count, records, err)
	return positions, err
}

// countedLetters counts the dead letters that are sent.
type countedLetters struct {
	letterPublisher
	count func(topic string, err error)
}

// PublishToPartitions implements deadletter.Publisher.
func (c countedLetters) PublishToPartitions(ctx context.Context, records []*record.Record) ([]record.Position, error) {
	positions, err := c.letterPublisher.PublishToPartitions(ctx, records)
	countEach(c.count, records, err)
	return positions, err
}

// countEach counts records by their topics. An error of several says nothing of each, so it is all of theirs.
func countEach(count func(topic string, err error), records []*record.Record, err error) {
	for _, r := range records {
		count(r.Topic, err)
	}
}

// countSent counts a record that was sent, or could not be.
func (s *service) countSent(topic string, err error) {
	if err != nil {
		s.metrics.SendFailed(topic, kafka.ErrorType(err), 1)
		return
	}
	s.metrics.Sent(topic, 1)
}
