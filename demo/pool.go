package demo

import (
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/prantikov/millrace/messages"
)

const (
	// poolSize is how many entities of a topic are under way at once.
	poolSize = 500
	// busyEntities never end: their keys stay busy all day.
	busyEntities = 3
	// skew is Zipf's exponent: the busiest key has about a sixth of a topic's events.
	skew = 1.1
)

// pool is the entities of one topic that are under way, the busy ones first.
type pool[T any] struct {
	of    *messages.Topic[T]
	slots [poolSize]*T
	pick  *rand.Zipf
	// begin makes an entity with its first event.
	begin func(now time.Time) *T
	// advance turns an entity's last event into its next, and says whether that was its last. A busy entity never ends.
	advance func(event *T, now time.Time, busy bool) (ended bool)
}

func newPool[T any](of *messages.Topic[T], random *rand.Rand, begin func(time.Time) *T, advance func(*T, time.Time, bool) bool) *pool[T] {
	return &pool[T]{of: of, pick: rand.NewZipf(random, skew, 1, poolSize-1), begin: begin, advance: advance}
}

func (p *pool[T]) topic() messages.Type { return p.of }

func (p *pool[T]) next(now time.Time) (string, []byte) {
	at := p.pick.Uint64()
	event := p.slots[at]
	if event == nil {
		event = p.begin(now)
		p.slots[at] = event
		return p.encode(event)
	}
	if p.advance(event, now, at < busyEntities) {
		p.slots[at] = nil
	}
	return p.encode(event)
}

func (p *pool[T]) present(now time.Time) (string, []byte) {
	event := p.slots[p.pick.Uint64()]
	if event == nil {
		event = p.begin(now)
	}
	return p.encode(event)
}

// encode panics when the event is not a good one: that is a mistake in this package, which its tests find.
func (p *pool[T]) encode(event *T) (string, []byte) {
	value, err := messages.Encode(p.of, event)
	if err != nil {
		panic(fmt.Sprintf("generating an event of %s: %v", p.of.Topic(), err))
	}
	return p.of.Key(event), value
}
