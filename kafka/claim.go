package kafka

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/IBM/sarama"
	"github.com/ThreeDotsLabs/watermill"

	"github.com/prantikov/millrace/progress"
	"github.com/prantikov/millrace/record"
)

// claim is the ownership of one partition, from the assignment until it is given back. Its run method is the only one that takes records
// from the client; results come from any goroutine.
type claim struct {
	m          *member
	settings   *SubscriberSettings
	subscribed *subscription
	source     source
	sink       sink
	drain      *drain
	// id is another one for each claim.
	id        string
	topic     string
	partition int32

	// ctx carries the values of the subscription's context and ends at the drain deadline.
	ctx    context.Context
	cancel context.CancelFunc
	// wake has room for one word to run: something has changed that it waits for.
	wake chan struct{}

	// What follows belongs to run's goroutine alone.
	marked mark
	// moved is true once something was marked.
	moved   bool
	reading reading
	// fetching is false while the client was told to fetch nothing of the partition.
	fetching bool
	// fullSince is when the window was first seen full; zero while it is not. fullAlarm is true while the alarm is on.
	fullSince time.Time
	fullAlarm bool

	mu       sync.Mutex
	progress *progress.Partition
	// flights counts the batches in flight.
	flights int
	// asleep is true while run waits for a word.
	asleep bool
	// sidewise is true when the last new records were handled key by key: then no more are taken than keys may go side by side.
	sidewise bool
	// again is the pause before records are handed over again that came back without a word.
	again backoff
	// finished counts records since the frontier was last looked at.
	finished int
	// full is true from when the window takes nothing more until it has some room again.
	full bool
	// delivered is when a record last came.
	delivered time.Time
}

// mark is what was last given to sarama to be committed.
type mark struct {
	frontier int64
	text     string
}

func newClaim(m *member, subscribed *subscription, source source, sink sink, restored committed) *claim {
	settings := m.settings
	c := &claim{
		m: m, settings: settings, subscribed: subscribed, source: source, sink: sink, drain: newDrain(settings.DrainTimeout),
		id: watermill.NewUUID(), topic: source.Topic(), partition: source.Partition(),
		wake: make(chan struct{}, 1), fetching: true, sidewise: true, again: backoff{first: handAgainFirst, most: handAgainMost}, delivered: time.Now(),
	}
	// A position below 0: nothing was committed and the log's start could not be asked for; the first record says where it is.
	c.marked = mark{frontier: max(source.InitialOffset(), 0)}
	c.progress = progress.New(c.marked.frontier, c.restore(restored), settings.Together)
	c.ctx, c.cancel = context.WithCancel(context.WithoutCancel(subscribed.ctx))
	return c
}

// restore is what is finished above the frontier, as the former owner committed it. What a newer program committed in another form is left
// aside: all below the frontier is finished in any form, so nothing is lost, and what was finished above it is done again.
func (c *claim) restore(restored committed) progress.DoneSet {
	if restored.offset != c.source.InitialOffset() {
		return progress.DoneSet{}
	}
	done, err := restored.done()
	switch {
	case err == nil:
		c.marked.text = restored.metadata
	case errors.Is(err, progress.ErrNewer):
		c.settings.Logger.Warn("a newer millrace has committed what is finished above this offset, in a form that this one does not know: that is done again",
			"topic", c.topic, "partition", c.partition, "offset", restored.offset, "error", err)
		return progress.DoneSet{}
	default:
		// Another client's metadata, or ours of another position.
		return progress.DoneSet{}
	}
	return done
}

// lookEvery is how often the frontier is marked while records flow.
const lookEvery = 100 * time.Millisecond

// run hands over one batch after another until the partition is wanted back, lets what is in flight end, then marks and commits.
func (c *claim) run() {
	defer context.AfterFunc(c.sink.Context(), c.drain.begin)()
	defer context.AfterFunc(c.drain.ctx, c.cancel)()
	defer c.cancel()
	defer c.drain.release()
	c.settings.Hooks.Assigned(c.topic, c.partition, c.source.InitialOffset())
	c.settings.Hooks.HighWater(c.topic, c.partition, c.source.HighWaterMarkOffset())
	look := time.NewTicker(lookEvery)
	defer look.Stop()
	due := time.NewTimer(time.Hour)
	defer due.Stop()
	for !c.isStopping() {
		var intake <-chan *sarama.ConsumerMessage
		room := c.launch(due)
		if room.records > 0 {
			intake = c.source.Messages()
		}
		select {
		case <-c.drain.stopping:
		case message, ok := <-intake:
			if ok {
				c.take(message, room)
			} else {
				// This is how a cooperative rebalance asks for one partition.
				c.drain.begin()
			}
		case <-c.wake:
		case <-due.C:
		case <-look.C:
			c.look()
		}
	}
	for c.airborne() {
		select {
		case <-c.wake:
		case <-look.C:
			c.look()
		}
	}
	c.giveBack()
}

// launch hands over what has waited and may go now, and returns how much new may be taken.
func (c *claim) launch(due *time.Timer) (free room) {
	now := time.Now()
	c.mu.Lock()
	var f *flight
	if c.flights == 0 || !c.settings.Serial {
		f = c.depart(c.progress.Ready(now, c.settings.Kafka.BatchRecords))
		free = c.room()
	}
	c.asleep = true
	at, parked := c.progress.NextDue()
	c.mu.Unlock()
	if f != nil {
		go c.fly(f)
	}
	if parked {
		due.Reset(max(at.Sub(now), 0))
	}
	return free
}

// take takes a record and those that wait behind it, at most as many as there is room for, and hands over those whose keys are idle.
func (c *claim) take(message *sarama.ConsumerMessage, free room) {
	messages := make([]*sarama.ConsumerMessage, 1, min(free.records, len(c.source.Messages())+1))
	messages[0] = message
	for bytes := weight(message); len(messages) < cap(messages) && bytes < free.bytes; bytes += weight(message) {
		// As many wait as were counted, and nobody else takes any.
		message = <-c.source.Messages()
		messages = append(messages, message)
	}
	all := c.reading.records(messages)
	records := make([]*record.Record, 0, len(all))
	c.mu.Lock()
	c.asleep = false
	for i := range all {
		if c.progress.Deliver(&all[i]) == progress.Fresh {
			records = append(records, &all[i])
		}
	}
	c.delivered = time.Now()
	f := c.depart(records, nil)
	if f != nil {
		f.fresh = true
	}
	c.mu.Unlock()
	c.settings.Hooks.HighWater(c.topic, c.partition, c.source.HighWaterMarkOffset())
	if f != nil {
		go c.fly(f)
	}
}

// weight is about what a message keeps in memory.
func weight(m *sarama.ConsumerMessage) int64 { return int64(len(m.Key) + len(m.Value)) }

// depart makes a flight of records, nil of none. The claim's lock is held.
func (c *claim) depart(records []*record.Record, memos []any) *flight {
	if len(records) == 0 {
		return nil
	}
	f := &flight{records: records, memos: memos, settled: make([]bool, len(records))}
	bytes := int64(0)
	for _, r := range records {
		bytes += int64(r.Size())
	}
	c.flights++
	c.settings.Hooks.BatchTaken(c.topic, c.partition, len(records), bytes)
	return f
}

// airborne says whether something is in flight; then the end of it wakes run.
func (c *claim) airborne() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.asleep = c.flights > 0
	return c.asleep
}

// nudge wakes run when it waits. The claim's lock is held.
func (c *claim) nudge() {
	if !c.asleep {
		return
	}
	c.asleep = false
	select {
	case c.wake <- struct{}{}:
	default:
	}
}

func (c *claim) isStopping() bool {
	select {
	case <-c.drain.stopping:
		return true
	default:
		return false
	}
}

// claims are the claims of a member. It is safe for concurrent use.
type claims struct {
	mu    sync.Mutex
	owned []*claim
}

func (cs *claims) add(c *claim) {
	cs.mu.Lock()
	defer cs.mu.Unlock()
	cs.owned = append(cs.owned, c)
}

func (cs *claims) remove(c *claim) {
	cs.mu.Lock()
	defer cs.mu.Unlock()
	cs.owned = slices.DeleteFunc(cs.owned, func(other *claim) bool { return other == c })
}

func (cs *claims) all() []*claim {
	cs.mu.Lock()
	defer cs.mu.Unlock()
	return slices.Clone(cs.owned)
}
