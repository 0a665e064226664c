package control

import (
	"cmp"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/prantikov/millrace/observe"
)

// Intake is the end of Kafka whose taking can be stopped, for an empty topic on all topics, for a negative partition on all partitions,
// those that are assigned later included. Work in flight ends and is committed. Neither method may call back here.
type Intake interface {
	Pause(topic string, partition int32)
	Resume(topic string, partition int32)
}

// Pauses are the pauses of a process. Each ends by itself. They are kept in memory alone: with the process they are gone. The methods may
// be called from any goroutine.
type Pauses struct {
	logger  *slog.Logger
	health  *observe.Health
	metrics *observe.Metrics

	mutex  sync.Mutex
	active map[Target]*pause
	closed bool
}

// pause is one that lasts.
type pause struct {
	Target
	intake       Intake
	since, until time.Time
	timer        *time.Timer
}

// NewPauses returns pauses of which none has begun.
func NewPauses(logger *slog.Logger, health *observe.Health, metrics *observe.Metrics) *Pauses {
	return &Pauses{logger: logger, health: health, metrics: metrics, active: map[Target]*pause{}}
}

// begin stops the target's intake for a time. A pause of the same target is replaced: it ends when the new one does.
func (p *Pauses) begin(target Target, intake Intake, length time.Duration) (Paused, error) {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	if p.closed {
		return Paused{}, conflict("%s cannot be paused: the process is stopping", target)
	}
	now := time.Now()
	begun := &pause{Target: target, intake: intake, since: now, until: now.Add(length)}
	known := p.active[target]
	if known != nil {
		known.timer.Stop()
		begun.since = known.since
	}
	p.active[target] = begun
	begun.timer = time.AfterFunc(length, func() { p.over(begun) })
	intake.Pause(target.Topic, target.Partition)
	p.health.Pause(target.Consumer, target.Topic, target.Partition, begun.until)
	p.metrics.Paused(target.Consumer, target.Topic, target.Partition, true)
	p.logger.Info("paused", "consumer", target.Consumer, "paused", target.place(), "for", length, "until", begun.until.UTC().Format(time.RFC3339),
		"again", known != nil)
	return begun.paused(now, known != nil), nil
}

func (p *pause) paused(now time.Time, replaced bool) Paused {
	return Paused{Target: p.Target, Until: p.until.UTC().Round(time.Second), Seconds: int(p.until.Sub(now).Round(time.Second) / time.Second), Replaced: replaced}
}

// over ends a pause whose time is over, unless it was replaced or resumed in the same moment.
func (p *Pauses) over(ended *pause) {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	if p.active[ended.Target] == ended {
		p.end(ended, "its time is over")
	}
}

// resume ends every pause that the target covers. That there is none, or that one that is wider lasts, is an error.
func (p *Pauses) resume(target Target) (Resumed, error) {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	resumed := Resumed{Ended: []Target{}}
	for _, one := range p.sorted() {
		if target.covers(one.Target) {
			p.end(one, "resumed")
			resumed.Ended = append(resumed.Ended, one.Target)
		}
	}
	if len(resumed.Ended) > 0 {
		return resumed, nil
	}
	for _, one := range p.sorted() {
		if one.covers(target) {
			return Resumed{}, conflict("%s is paused as a part of %s, for another %s: resume that", target, one.Target, time.Until(one.until).Round(time.Second))
		}
	}
	return Resumed{}, conflict("%s is not paused", target)
}

// end ends a pause. What another pause covers stays paused: the intake is told of it again, for the end may have lifted it.
func (p *Pauses) end(ended *pause, why string) {
	ended.timer.Stop()
	delete(p.active, ended.Target)
	ended.intake.Resume(ended.Topic, ended.Partition)
	for _, other := range p.sorted() {
		if other.covers(ended.Target) || ended.covers(other.Target) {
			other.intake.Pause(other.Topic, other.Partition)
		}
	}
	p.forget(ended, why)
}

// forget takes a pause out of what is shown.
func (p *Pauses) forget(ended *pause, why string) {
	p.health.Resume(ended.Consumer, ended.Topic, ended.Partition)
	p.metrics.Paused(ended.Consumer, ended.Topic, ended.Partition, false)
	p.logger.Info("pause ended", "consumer", ended.Consumer, "paused", ended.place(), "why", why, "lasted", time.Since(ended.since).Round(time.Millisecond))
}

// until returns when the last of the pauses that cover the target ends, or false when none does.
func (p *Pauses) until(target Target) (until time.Time, paused bool) {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	for _, one := range p.active {
		if one.covers(target) && one.until.After(until) {
			until, paused = one.until, true
		}
	}
	return until, paused
}

// sorted returns the pauses in the order in which they are shown.
func (p *Pauses) sorted() []*pause {
	all := make([]*pause, 0, len(p.active))
	for _, one := range p.active {
		all = append(all, one)
	}
	slices.SortFunc(all, func(a, b *pause) int {
		return cmp.Or(cmp.Compare(a.Consumer, b.Consumer), cmp.Compare(a.Topic, b.Topic), cmp.Compare(a.Partition, b.Partition))
	})
	return all
}

// Close ends all pauses and begins no further one. The intakes are not told: they are about to stop.
func (p *Pauses) Close() {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	p.closed = true
	for _, one := range p.sorted() {
		one.timer.Stop()
		delete(p.active, one.Target)
		p.forget(one, "the process stops")
	}
}
