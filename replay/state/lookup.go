package state

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/prantikov/millrace/messages"
	"github.com/prantikov/millrace/record"
	"github.com/prantikov/millrace/router"
	"github.com/prantikov/millrace/store"
)

var (
	// ErrNone is what an error wraps when nothing is known of the entity, at all or at that moment.
	ErrNone = errors.New("nothing is known of it")
	// ErrPartition is what an error wraps when an offset alone does not name a moment: the entity has changes in several partitions.
	ErrPartition = errors.New("an offset needs its partition")
)

// Question asks for an entity.
type Question struct {
	// Name is what people call one of them: order.
	Name string
	Type messages.Type
	ID   string
	// At asks for the state that the entity had at a time: its last change, in the order of the changes, whose record's timestamp is not later. Zero
	// asks for the present one.
	At time.Time
	// Offset asks for the state that the entity had when the record at this offset, or the last one before it, was handled; negative for no such
	// question. Partition names the offset's partition; negative is the one that has all of the entity's changes.
	Offset    int64
	Partition int32
}

// Changes are an entity's changes up to the moment that the question is about, the last of which is the answer.
type Changes []store.Change

// Last is the answer.
func (c Changes) Last() store.Change { return c[len(c)-1] }

// FromStore answers from the store. The error wraps [ErrNone] or [ErrPartition], or is one that [store.Unavailable] knows.
func FromStore(ctx context.Context, from *store.Store, q Question) (Changes, error) {
	changes, err := from.History(ctx, q.Type.Name(), q.ID)
	if err != nil {
		return nil, err
	}
	last, found, err := from.Latest(ctx, q.Type.Name(), q.ID)
	if err != nil {
		return nil, err
	}
	return q.answer(changes, last, found)
}

// answer chooses among all changes. The current state is the last one, whether its history was kept or not, and says where the entity was seen first.
func (q Question) answer(changes Changes, last store.Change, found bool) (Changes, error) {
	switch {
	case found && (len(changes) == 0 || changes.Last().Revision < last.Revision):
		changes = append(changes, last)
	case found && changes.Last().Revision == last.Revision:
		changes[len(changes)-1] = last
	}
	if len(changes) == 0 {
		return nil, fmt.Errorf("%s %q: %w", q.Name, q.ID, ErrNone)
	}
	within, err := q.within(changes)
	if err != nil {
		return nil, err
	}
	for i := len(changes); i > 0; i-- {
		if within(changes[i-1]) {
			return changes[:i], nil
		}
	}
	return nil, fmt.Errorf("%s %q: its first known change is later: %w", q.Name, q.ID, ErrNone)
}

// within says which changes the moment is not before.
func (q Question) within(changes Changes) (func(store.Change) bool, error) {
	if q.Offset < 0 {
		return func(c store.Change) bool { return q.At.IsZero() || !c.Timestamp.After(q.At) }, nil
	}
	partition := q.Partition
	if partition < 0 {
		of := changes.partitions()
		if len(of) > 1 {
			return nil, fmt.Errorf("%s %q has changes in the partitions %s: %w", q.Name, q.ID, list(of), ErrPartition)
		}
		partition = of[0]
	}
	return func(c store.Change) bool { return c.Partition == partition && c.Offset <= q.Offset }, nil
}

// partitions are those of the changes, in order.
func (c Changes) partitions() []int32 {
	var all []int32
	for _, change := range c {
		if !slices.Contains(all, change.Partition) {
			all = append(all, change.Partition)
		}
	}
	slices.Sort(all)
	return all
}

func list(numbers []int32) string {
	texts := make([]string, len(numbers))
	for i, number := range numbers {
		texts[i] = fmt.Sprint(number)
	}
	return strings.Join(texts, ", ")
}

// FromLog answers from the log, from its beginning to its present end, without a store: the consumer's own functions make the states. Key is the key
// of the entity's records; empty is what the topic's key rule says, which is the id, or else unknown. Where it is known and the key's partition is
// certain, that one is read alone; otherwise all are, in the order of their timestamps. read says which.
//
// The error wraps [ErrNone], [ErrPartition], or kafka.ErrNoTopic.
func FromLog(ctx context.Context, log Log, topic Topic, key string, q Question) (found Changes, read []int32, err error) {
	if key == "" && (topic.Key == "" || topic.Key == router.KeyID) {
		key = q.ID
	}
	if read, err = log.Partitions(ctx, topic.Name); err != nil {
		return nil, nil, err
	}
	if key != "" {
		partition, certain, err := partitionOf(ctx, log, topic.Name, read, key)
		if err != nil {
			return nil, nil, err
		}
		if certain {
			read = []int32{partition}
		}
	}
	spans, err := wholeSpans(ctx, log, topic.Name, read, q.about(key))
	if err != nil {
		return nil, nil, err
	}
	var changes Changes
	states, _, err := fold(ctx, log, topic, spans, func(c store.Change) {
		// It shares memory with the records.
		c.Body = bytes.Clone(c.Body)
		changes = append(changes, c)
	})
	if err != nil {
		return nil, nil, err
	}
	last, known := states.Latest(q.Type.Name(), q.ID)
	found, err = q.answer(changes, last, known)
	return found, read, err
}

// about wants the records of the entity: by their key where that is known, and by what is in them. One that cannot be read is about none.
func (q Question) about(key string) filter {
	return func(r *record.Record) bool {
		if key != "" && string(r.Key) != key {
			return false
		}
		if key == q.ID {
			return true // a record that is about another entity is given up for it
		}
		contentType, _ := r.Header("content-type")
		payload, err := messages.Payload(r.Value, string(contentType))
		if err != nil {
			return false
		}
		decoded, err := q.Type.Decode(payload)
		return err == nil && decoded.EntityID == q.ID
	}
}
