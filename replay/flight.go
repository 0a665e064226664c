package replay

import (
	"context"
	"time"

	"github.com/ThreeDotsLabs/watermill/message"

	"github.com/prantikov/millrace/record"
)

// flight is records of one part that are handed over together. The feed's lock guards what is settled.
type flight struct {
	feed    *feed
	records []*record.Record
	memos   []any
	settled []bool
	over    bool
}

// fly hands records over and returns when their handling has ended.
func (f *feed) fly(ctx context.Context, out chan<- *message.Message, records []*record.Record, memos []any) {
	if len(records) == 0 {
		return
	}
	flying := &flight{feed: f, records: records, memos: memos, settled: make([]bool, len(records))}
	defer flying.land()
	if !f.source.settings.Pace.wait(len(records), f.source.stopping) {
		return
	}
	handled, cancel := context.WithCancel(ctx)
	defer cancel()
	m := message.NewMessage(records[0].Position.String(), nil)
	m.SetContext(record.NewBatchContext(handled, &record.Batch{
		Records: records, Memos: memos, Claim: f.claim, Stopping: f.source.stopping, Report: flying.report, Side: flying.side,
	}))
	select {
	case out <- m:
	case <-f.source.stopping:
		return
	}
	select {
	case <-m.Acked():
	case <-m.Nacked():
	case <-ctx.Done():
		// The drain is over; a handler that goes on all the same is not waited for.
	}
}

// report takes the result of one record, the first one of each.
func (l *flight) report(index int, result record.Result) {
	f := l.feed
	f.mu.Lock()
	defer f.mu.Unlock()
	if l.over || l.settled[index] {
		return
	}
	l.settled[index] = true
	r := l.records[index]
	switch {
	case result.Outcome.Finished():
		if f.progress.Finish(r.Offset) {
			f.tally.end(r.Position, result)
			if f.source.settings.Ended != nil {
				f.source.settings.Ended(r, result)
			}
		}
	case result.Outcome == record.Parked:
		f.progress.Park(r.Offset, result.Until, result.Memo)
	default:
		f.progress.Return(r.Offset, time.Now().Add(againAfter))
	}
}

// side takes note of the keys of the batch.
func (l *flight) side() {
	l.feed.mu.Lock()
	defer l.feed.mu.Unlock()
	if !l.over {
		l.feed.progress.Side(l.records)
	}
}

// land takes back what has no result.
func (l *flight) land() {
	f := l.feed
	f.mu.Lock()
	defer f.mu.Unlock()
	l.over = true
	for i, r := range l.records {
		if l.settled[i] {
			continue
		}
		var memo any
		if l.memos != nil {
			memo = l.memos[i]
		}
		f.progress.Park(r.Offset, time.Now().Add(againAfter), memo)
	}
}
