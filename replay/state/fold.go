package state

import (
	"context"

	"github.com/prantikov/millrace/messages"
	"github.com/prantikov/millrace/router"
	"github.com/prantikov/millrace/store"
)

// Topic is a topic of entities and the consumer that keeps them, as both are set.
type Topic struct {
	// Name is the topic's name on the brokers.
	Name string
	Type messages.Type
	Key  router.KeyRule
	// Walker makes the consumer's walker with this unit of work in the place of its own.
	Walker func(router.UnitOfWork) (*router.Walker, error)
}

// Fold goes through a topic from its beginning to its present end and returns the states that it comes to. changed, unless nil, is told of each
// change, as [store.NewFold] says. It keeps one state for each entity in memory, and nothing else that grows with the log.
func Fold(ctx context.Context, log Log, topic Topic, changed func(store.Change)) (*store.Fold, Tally, error) {
	partitions, err := log.Partitions(ctx, topic.Name)
	if err != nil {
		return nil, Tally{}, err
	}
	spans, err := wholeSpans(ctx, log, topic.Name, partitions, nil)
	if err != nil {
		return nil, Tally{}, err
	}
	return fold(ctx, log, topic, spans, changed)
}

func fold(ctx context.Context, log Log, topic Topic, spans []span, changed func(store.Change)) (*store.Fold, Tally, error) {
	states := store.NewFold(changed)
	walker, err := topic.Walker(inMemory{states})
	if err != nil {
		return nil, Tally{}, err
	}
	w := &walk{walker: walker, scattered: topic.scattered(), claim: "fold"}
	for next, err := range merge(ctx, log, topic.Name, spans) {
		if err == nil {
			err = w.window(ctx, next)
		}
		if err != nil {
			return nil, w.total(), err
		}
	}
	return states, w.total(), nil
}

// wholeSpans are the partitions from the beginning of the log to its present end.
func wholeSpans(ctx context.Context, log Log, topic string, partitions []int32, wanted filter) ([]span, error) {
	starts, err := log.Starts(ctx, topic)
	if err != nil {
		return nil, err
	}
	ends, err := log.Ends(ctx, topic)
	if err != nil {
		return nil, err
	}
	spans := make([]span, len(partitions))
	for i, partition := range partitions {
		spans[i] = span{partition: partition, from: starts[partition], to: ends[partition], wanted: wanted}
	}
	return spans, nil
}

// scattered says that an entity's records may be in any partition.
func (t Topic) scattered() bool { return t.Key == router.KeyAny }
