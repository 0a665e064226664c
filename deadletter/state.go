package deadletter

import (
	"context"
	"errors"
	"fmt"

	"github.com/prantikov/millrace/kafka"
	"github.com/prantikov/millrace/record"
)

// State is how far a dead letter is on its way home.
type State string

const (
	// StateDead is a letter that nobody has given back.
	StateDead State = "dead"
	// StateSent is one that was given back to its consumer, which has not finished it.
	StateSent State = "sent"
	// StateDone is one that its consumer has handled since, or skipped.
	StateDone State = "done"
	// StateDeadAgain is one that its consumer gave up again: there is a newer letter.
	StateDeadAgain State = "dead again"
)

// States are all states, in the order of a journey.
func States() []State { return []State{StateDead, StateSent, StateDone, StateDeadAgain} }

// Progress says what a group has finished of a topic, and which topics there are; [kafka.Reader] does.
type Progress interface {
	Existing(ctx context.Context, topics []string) (map[string]bool, error)
	Finished(ctx context.Context, group, topic string) (func(partition int32, offset int64) bool, error)
}

// journeys is what became of the letters that were given back: of each, where it stands on its redrive topic and whether that is finished,
// and which letters were written of a record that had come back.
type journeys struct {
	sent map[record.Position]bool
	// again has the letters that a newer one stands for, before the one that each newer letter came back from.
	again  map[record.Position]bool
	before map[record.Position]record.Position
}

// state is that of the letter at a position.
func (j journeys) state(at record.Position) State {
	finished, sent := j.sent[at]
	switch {
	case !sent:
		return StateDead
	case !finished:
		return StateSent
	case j.again[at]:
		return StateDeadAgain
	default:
		return StateDone
	}
}

// existing are the redrive topics that there are: none before the first run of a version that has them.
func (b *Browser) existing(ctx context.Context, topics []string) (map[string]bool, error) {
	if len(topics) == 0 {
		return nil, nil
	}
	existing, err := b.progress.Existing(ctx, topics)
	if err != nil {
		return nil, fmt.Errorf("asking for the redrive topics: %w", err)
	}
	return existing, nil
}

// times is which time the consumer gave the record up with this letter: 1 for the first.
func (j journeys) times(at record.Position) int {
	times := 1
	for earlier, ok := j.before[at]; ok && times <= len(j.before); earlier, ok = j.before[earlier] {
		times++
	}
	return times
}

// travelled reads the redrive topics. What a group has finished is asked for first: what is read then and not in it is not finished, or will
// be in a moment.
func (b *Browser) travelled(ctx context.Context) (journeys, error) {
	j := journeys{sent: map[record.Position]bool{}, again: map[record.Position]bool{}, before: map[record.Position]record.Position{}}
	var topics []string
	for _, home := range b.homes {
		topics = append(topics, home.Topic)
	}
	existing, err := b.existing(ctx, topics)
	if err != nil {
		return j, err
	}
	for _, home := range b.homes {
		if !existing[home.Topic] {
			continue
		}
		finished, err := b.progress.Finished(ctx, home.Group, home.Topic)
		if errors.Is(err, kafka.ErrNoTopic) {
			continue
		}
		if err != nil {
			return j, fmt.Errorf("asking what group %q has finished of %q: %w", home.Group, home.Topic, err)
		}
		for r, err := range b.reader.Read(ctx, kafka.Range{Topic: home.Topic}) {
			if errors.Is(err, kafka.ErrNoTopic) {
				break
			}
			if err != nil {
				return j, fmt.Errorf("reading the redrive topic %q: %w", home.Topic, err)
			}
			if redrive, ok := record.RedriveOf(r); ok {
				j.sent[redrive.Letter] = finished(r.Partition, r.Offset)
			}
		}
	}
	if len(j.sent) == 0 {
		return j, nil
	}
	return j, b.letters(ctx, func(e Entry, _ *record.Record) {
		if e.Redriven.Topic != "" {
			j.again[e.Redriven], j.before[e.Position] = true, e.Redriven
		}
	})
}
