package store

import (
	"context"
	"fmt"
	"time"
)

// Journey is when one entity reached which step, as its events say, and the words on it that count. Two journeys of one entity become one: each
// step has the earliest of both times, each word is the weightier one. So it does not matter in which order its events come, and an event
// that comes again changes nothing.
type Journey struct {
	// Type and ID name the entity.
	Type, ID string
	// Counterpart is who has part in it besides the patient. Status is the entity's own.
	Counterpart, Status Word
	// Seen is its earliest event; the others are the earliest that said so. Times are kept in milliseconds; the zero time is never.
	Seen, Created, Confirmed, Shipped, Completed, Cancelled, Deleted time.Time
}

// Word is a text that one event says and another may say otherwise: the one with the greatest weight counts, and of two with the same weight
// the greater text. The zero Word is none; others have a weight above 0.
type Word struct {
	Text   string
	Weight int64
}

type journeyKey struct{ kind, id string }

// journeySet is what a unit of work adds to the journeys.
type journeySet struct{ added map[journeyKey]Journey }

func (s *journeySet) clean() bool { return len(s.added) == 0 }

// JourneySet is the entities' journeys within a unit of work.
type JourneySet struct {
	work *Work
	err  error
}

// Journeys returns the entities' journeys within the unit of work that the context carries.
func Journeys(ctx context.Context) *JourneySet {
	work, err := workOf(ctx)
	return &JourneySet{work: work, err: err}
}

// Add adds what one event says to the journey of its entity. It is durable when the unit of work is committed. The error is
// [ErrNoUnitOfWork] or [ErrEnded].
func (s *JourneySet) Add(part Journey) error {
	if s.err != nil {
		return fmt.Errorf("adding to a journey: %w", s.err)
	}
	set := &s.work.journeys
	if set.added == nil {
		set.added = map[journeyKey]Journey{}
	}
	key := journeyKey{kind: part.Type, id: part.ID}
	before, known := set.added[key]
	set.added[key] = before.with(part)
	s.work.journal = append(s.work.journal, func() {
		if known {
			set.added[key] = before
		} else {
			delete(set.added, key)
		}
	})
	return nil
}

// with is both journeys as one.
func (j Journey) with(part Journey) Journey {
	return Journey{
		Type: part.Type, ID: part.ID,
		Counterpart: weightier(j.Counterpart, part.Counterpart), Status: weightier(j.Status, part.Status),
		Seen: earlier(j.Seen, part.Seen), Created: earlier(j.Created, part.Created), Confirmed: earlier(j.Confirmed, part.Confirmed),
		Shipped: earlier(j.Shipped, part.Shipped), Completed: earlier(j.Completed, part.Completed),
		Cancelled: earlier(j.Cancelled, part.Cancelled), Deleted: earlier(j.Deleted, part.Deleted),
	}
}

func weightier(a, b Word) Word {
	if b.Weight > a.Weight || b.Weight == a.Weight && b.Text > a.Text {
		return b
	}
	return a
}

func earlier(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}
