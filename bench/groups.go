package main

import (
	"context"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
)

// watched is what was seen of a run of the binary.
type watched struct {
	// running is when it said that it runs, cut when it was told to stop, zero for never, and ended when it was gone.
	running, cut, ended time.Time
	// first is the first look at which all groups had committed, committed what they had at the end of a run that was cut.
	first     look
	committed int64
	// records is the whole input, deliveries how many groups take each of them.
	records, deliveries int64
}

// look is how many records groups had behind them at a time.
type look struct {
	at        time.Time
	committed int64
}

// rate makes the figures of a run. One that was cut has the rate of its groups since all of them had begun: neither its joins nor what it
// finished in the meantime count. Its processor time is shared out over all that it did.
func (w watched) rate(r *report, cpuSeconds float64) {
	if w.cut.IsZero() {
		r.Records, r.Complete, r.Seconds, r.CPUSeconds = w.records, true, w.ended.Sub(w.running).Seconds(), cpuSeconds
		return
	}
	since := w.committed - w.first.committed
	r.Records, r.Seconds = since/w.deliveries, w.cut.Sub(w.first.at).Seconds()
	r.CPUSeconds = cpuSeconds * quotient(float64(since), float64(w.committed))
}

// watchGroups looks at the groups until all of them have committed something, and calls stop when the limit has passed since, or when that
// does not happen. The function that it returns ends the watch, and returns that look and when stop was called.
func (b *brokers) watchGroups(ctx context.Context, groups []string, limit time.Duration, stop func()) func() (first look, stopped time.Time) {
	ctx, cancel := context.WithCancel(ctx)
	var first look
	var stopped time.Time
	done := make(chan struct{})
	go func() {
		defer close(done)
		for began := time.Now(); first.at.IsZero() && time.Since(began) < patience; {
			if !pause(ctx, lookPeriod) {
				return
			}
			if committed, all, err := b.committed(ctx, groups); err == nil && all {
				first = look{time.Now(), committed}
			}
		}
		if first.at.IsZero() || pause(ctx, limit) {
			stopped = time.Now()
			stop()
		}
	}()
	return func() (look, time.Time) {
		cancel()
		<-done
		return first, stopped
	}
}

// pause waits, and says whether ctx let it.
func pause(ctx context.Context, wait time.Duration) bool {
	select {
	case <-ctx.Done():
		return false
	case <-time.After(wait):
		return true
	}
}

// committed is how many records the groups have behind them, all together, and whether each of them has any. Dead letters are among them.
func (b *brokers) committed(ctx context.Context, groups []string) (total int64, all bool, err error) {
	all = true
	for _, group := range groups {
		offsets, err := b.admin.FetchOffsets(ctx, group)
		if err != nil {
			return 0, false, fmt.Errorf("asking for the positions of %q: %w", group, err)
		}
		own := int64(0)
		offsets.Each(func(o kadm.OffsetResponse) { own += max(o.At, 0) })
		total, all = total+own, all && own > 0
	}
	return total, all, nil
}
