package observe

import (
	"context"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// rateWindow and letterWindow are how far back [Metrics.Recent] looks, the periods how often the counts are noted.
	rateWindow, ratePeriod     = 10 * time.Second, time.Second
	letterWindow, letterPeriod = time.Hour, time.Minute
)

// Recent is what a consumer did lately.
type Recent struct {
	// PerSecond is how many records it finished each second of the last ten.
	PerSecond float64
	// DeadLetters are those of the last hour, to the minute: never less.
	DeadLetters int64
}

// rolling is a count whose own past is noted from time to time, so that adding to it costs one atomic addition and no look at the clock.
type rolling struct {
	total  atomic.Int64
	window time.Duration

	mutex sync.Mutex
	// notes are the oldest first, the first of them the last that is at least a window old, where there is one.
	notes []note
}

type note struct {
	at    time.Time
	total int64
}

func newRolling(window time.Duration) *rolling {
	return &rolling{window: window, notes: []note{{at: time.Now()}}}
}

func (r *rolling) add(count int64) { r.total.Add(count) }

// note notes the count once a period has passed since the last note.
func (r *rolling) note(now time.Time, period time.Duration) {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	// A tick that comes a little early, after one that was late, counts too.
	if now.Sub(r.notes[len(r.notes)-1].at) < period-ratePeriod/10 {
		return
	}
	r.notes = append(r.notes, note{now, r.total.Load()})
	r.forget(now)
}

// forget drops the notes that are older than one that is old enough.
func (r *rolling) forget(now time.Time) {
	first := 0
	for first+1 < len(r.notes) && now.Sub(r.notes[first+1].at) >= r.window {
		first++
	}
	r.notes = append(r.notes[:0], r.notes[first:]...)
}

// since returns what was added during the window, and how long that is: less for a count that is younger, more when notes were late.
func (r *rolling) since(now time.Time) (count int64, length time.Duration) {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	r.forget(now)
	return r.total.Load() - r.notes[0].total, now.Sub(r.notes[0].at)
}

// Recent returns what a consumer did lately on all its topics. It is right while [Metrics.KeepRecent] runs.
func (m *Metrics) Recent(consumer string) Recent {
	var recent Recent
	now := time.Now()
	for labels, metrics := range m.consumers.all() {
		if labels.consumer != consumer {
			continue
		}
		if finished, length := metrics.finished.since(now); length > 0 {
			recent.PerSecond += float64(finished) / length.Seconds()
		}
		letters, _ := metrics.letters.since(now)
		recent.DeadLetters += letters
	}
	return recent
}

// KeepRecent notes every second how much each consumer has done, until the context ends.
func (m *Metrics) KeepRecent(ctx context.Context) {
	ticker := time.NewTicker(ratePeriod)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			now := time.Now()
			for _, metrics := range m.consumers.all() {
				metrics.finished.note(now, ratePeriod)
				metrics.letters.note(now, letterPeriod)
			}
		}
	}
}
