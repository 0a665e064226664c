package kafka

import (
	"cmp"
	"context"
	"sync"
	"time"

	"github.com/IBM/sarama"
	"github.com/ThreeDotsLabs/watermill"

	"github.com/prantikov/millrace/progress"
	"github.com/prantikov/millrace/record"
)

// claim is the ownership of one partition, from the assignment until it is given back. Its run method is the only one that takes records
// and hands them over; results come from any goroutine.
type claim struct {
	settings   *SubscriberSettings
	subscribed *subscription
	session    sarama.ConsumerGroupSession
	source     sarama.ConsumerGroupClaim
	drain      *drain
	// id is another one for each claim.
	id        string
	topic     string
	partition int32

	// ctx carries the values of the subscription's context and ends at the drain deadline.
	ctx    context.Context
	cancel context.CancelFunc
	// look is when the frontier is looked at while a batch is in flight.
	look *time.Timer

	// marked is the frontier that was last given to sarama. Only run's goroutine uses it.
	marked int64

	mu       sync.Mutex
	progress *progress.Partition
	// unfinished is in flight, or waits to be handed over again; nil for nothing.
	unfinished *flight
	// finished counts records since the frontier was last looked at.
	finished int
}

func newClaim(
	settings *SubscriberSettings, subscribed *subscription, session sarama.ConsumerGroupSession, source sarama.ConsumerGroupClaim, d *drain,
) *claim {
	c := &claim{
		settings: settings, subscribed: subscribed, session: session, source: source, drain: d,
		id: watermill.NewUUID(), topic: source.Topic(), partition: source.Partition(),
		progress: progress.New(source.InitialOffset(), progress.DoneSet{}), marked: source.InitialOffset(),
	}
	if source.InitialOffset() < 0 {
		// Nothing was committed and the log's start could not be asked for: the first record says where it is.
		c.progress, c.marked = progress.New(0, progress.DoneSet{}), 0
	}
	c.ctx, c.cancel = context.WithCancel(context.WithoutCancel(subscribed.ctx))
	c.look = time.NewTimer(lookEvery)
	return c
}

// lookEvery is how often the frontier is looked at while a batch is in flight.
const lookEvery = 100 * time.Millisecond

// run hands over one batch after another until the partition is wanted back, then marks and commits the frontier. What a handler left
// unfinished is handed over again, before anything newer.
func (c *claim) run() {
	defer context.AfterFunc(c.drain.ctx, c.cancel)()
	defer c.cancel()
	defer c.giveBack()
	c.settings.Hooks.Assigned(c.topic, c.partition, c.source.InitialOffset())
	c.settings.Hooks.HighWater(c.topic, c.partition, c.source.HighWaterMarkOffset())
	pause := backoff{first: handAgainFirst, most: handAgainMost}
	var left *flight
	for {
		f := left
		if f == nil {
			if f = c.take(); f == nil {
				return
			}
		}
		before := len(f.records)
		left = c.hand(f)
		switch {
		case c.isStopping():
			return
		case left == nil || len(left.records) < before:
			pause.reset()
		}
		if left != nil && !c.pause(max(pause.next(), time.Until(left.until))) {
			return
		}
	}
}

const (
	// handAgainFirst and handAgainMost bound the pause before unfinished records are handed over again; it doubles as long as none of
	// them is finished.
	handAgainFirst = 100 * time.Millisecond
	handAgainMost  = time.Second
)

// hand hands the records over, waits for the end of their handling and returns those that are unfinished, or nil.
func (c *claim) hand(f *flight) *flight {
	c.mu.Lock()
	f.began = time.Now()
	c.unfinished = f
	c.mu.Unlock()
	c.settings.Hooks.BatchTaken(c.topic, c.partition, len(f.records), f.bytes)

	ctx, cancel := context.WithCancel(c.ctx)
	ended := c.subscribed.hand(ctx, c, f.batch(c))
	cancel()

	c.mu.Lock()
	left := f.end()
	c.unfinished = left
	c.mu.Unlock()
	c.mark()
	if !ended && left != nil {
		c.settings.Logger.Error("handler goes on past the drain deadline, abandoned",
			"topic", c.topic, "partition", c.partition, "records", len(left.records))
		c.settings.Hooks.Abandoned(c.topic, c.partition, len(left.records))
	}
	return left
}

// report takes the result of one record of a flight. What comes after the flight's end is late: the record is somebody else's.
func (c *claim) report(f *flight, index int, result record.Result) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !f.report(index, result) {
		return
	}
	if c.progress.Finish(f.records[index].Offset) {
		c.finished++
	}
}

// mark gives the frontier to sarama when it moved, and says that records were finished. Only run's goroutine calls it.
func (c *claim) mark() {
	c.mu.Lock()
	finished, frontier := c.finished, c.progress.Frontier()
	c.finished = 0
	c.mu.Unlock()
	if finished > 0 {
		c.settings.Hooks.Progressed(c.topic, c.partition, time.Now())
	}
	if frontier > c.marked {
		c.marked = frontier
		c.session.MarkOffset(c.topic, c.partition, frontier, "")
		c.settings.Hooks.Committed(c.topic, c.partition, frontier)
	}
}

// giveBack commits and ends the claim. Commit waits for the broker's answer, which is why it is never called while records flow.
func (c *claim) giveBack() {
	c.look.Stop()
	c.mark()
	c.session.Commit()
	c.settings.Hooks.Lost(c.topic, c.partition)
}

func (c *claim) isStopping() bool {
	select {
	case <-c.drain.stopping:
		return true
	default:
		return false
	}
}

// pause waits and says whether the partition is still ours then.
func (c *claim) pause(d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-c.drain.stopping:
		return false
	}
}

// position is how far the claim is, for people and for lag.
func (c *claim) position() PartitionPosition {
	c.mu.Lock()
	defer c.mu.Unlock()
	pending, _ := c.progress.Pending()
	p := PartitionPosition{
		Topic: c.topic, Partition: c.partition, Next: c.progress.Next(), Frontier: c.progress.Frontier(),
		HighWater: c.source.HighWaterMarkOffset(), Pending: pending,
	}
	if oldest, ok := c.progress.Oldest(); ok {
		p.Oldest = c.unfinished.timestamp(oldest)
	}
	return p
}

// claims are the claims of a member. It is safe for concurrent use.
type claims struct {
	mu    sync.Mutex
	owned map[*claim]struct{}
}

func (cs *claims) add(c *claim) {
	cs.mu.Lock()
	defer cs.mu.Unlock()
	if cs.owned == nil {
		cs.owned = map[*claim]struct{}{}
	}
	cs.owned[c] = struct{}{}
}

func (cs *claims) remove(c *claim) {
	cs.mu.Lock()
	defer cs.mu.Unlock()
	delete(cs.owned, c)
}

func (cs *claims) positions() []PartitionPosition {
	cs.mu.Lock()
	defer cs.mu.Unlock()
	positions := make([]PartitionPosition, 0, len(cs.owned))
	for c := range cs.owned {
		positions = append(positions, c.position())
	}
	return positions
}

func comparePositions(a, b PartitionPosition) int {
	return cmp.Or(cmp.Compare(a.Topic, b.Topic), cmp.Compare(a.Partition, b.Partition))
}
