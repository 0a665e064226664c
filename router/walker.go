package router

import (
	"context"
	"fmt"

	"github.com/prantikov/millrace/record"
)

// Walker runs one consumer's routes on batches that the caller makes, without a subscriber: for tests of handlers and for replay.
type Walker struct{ handlers map[string]*handler }

// Walker makes the walker of a consumer, with this router's settings and middleware.
func (r *Router) Walker(consumer *Consumer, settings ConsumerSettings) (*Walker, error) {
	handlers, err := r.handlers(consumer, settings.withDefaults(consumer.name))
	if err != nil {
		return nil, err
	}
	return &Walker{handlers: byTopic(handlers)}, nil
}

// Walk gives every record of the batch its outcome, in order, and reports it. All records are of one partition. It returns an error when
// the consumer does not take the topic.
func (w *Walker) Walk(ctx context.Context, batch *record.Batch) error {
	if len(batch.Records) == 0 {
		return nil
	}
	topic := batch.Records[0].Topic
	h := w.handlers[topic]
	if h == nil {
		return fmt.Errorf("walking a batch: the consumer takes nothing from %q", topic)
	}
	h.walk(ctx, batch)
	return nil
}
