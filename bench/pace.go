package main

import (
	"context"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// tick is how often a paced writer writes what is due.
const tick = time.Millisecond

// warmUp is the beginning of a feed, whose records are not timed: a partition is assigned a tenth of a second before the client reads it, since
// the client collects its partitions for that long, and the writer has yet to connect.
const warmUp = time.Second

// writePaced writes the input at so many records in a second, each that is timed with the time of its sending.
func (i input) writePaced(ctx context.Context, brokers []string, topic string, perSecond float64) error {
	writer, err := newWriter(brokers, 0)
	if err != nil {
		return err
	}
	defer writer.Close()
	var failed firstError
	ticker := time.NewTicker(tick)
	defer ticker.Stop()
	next, number := i.sequence(), 0
	for began := time.Now(); number < i.records; {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-ticker.C:
		}
		for due := min(int(time.Since(began).Seconds()*perSecond), i.records); number < due; number++ {
			key := next()
			made := &kgo.Record{Topic: topic, Key: []byte(key), Value: event(key, number), Headers: headers(number)}
			if at := time.Now(); at.Sub(began) >= warmUp {
				made.Headers = append(made.Headers, sentAt(at))
			}
			writer.Produce(ctx, made, failed.keep)
		}
	}
	if err := writer.Flush(ctx); err != nil {
		return fmt.Errorf("writing the input: %w", err)
	}
	return failed.err()
}
