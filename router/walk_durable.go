package router

import (
	"context"
	"errors"
	"log/slog"
	"maps"
	"time"

	"github.com/prantikov/millrace/record"
)

// stretchTime bounds how long one unit of work is kept open: others wait for the store, and what is not committed is not reported.
const stretchTime = 50 * time.Millisecond

// stretch is the part of a batch that one unit of work covers.
type stretch struct {
	deliveries []*delivery
	results    []record.Result
	before     []int
	// pending is why the stretch ended before its last delivery: that record waits, or we are stopping.
	pending *fate
}

// walkDurable walks a batch in units of work. A record's result is reported after the commit that has its effects. A record that is parked
// is undone alone, and those of its key behind it are reported as unfinished.
func (h *handler) walkDurable(ctx context.Context, batch *record.Batch) {
	s := &seat{}
	h.lookout.enter(s)
	defer h.lookout.leave(s)
	var made deliveries
	all := make([]*delivery, len(batch.Records))
	for i := range batch.Records {
		all[i] = made.of(ctx, h, batch, i, s)
	}
	parked := map[string]bool{}
	for next := 0; next < len(all) && !stopped(ctx.Done(), batch.Stopping); {
		s, err := h.walkStretch(ctx, batch, all[next:], parked)
		first := all[next]
		switch {
		case errors.Is(err, ErrFenced):
			h.logger.LogAttrs(ctx, slog.LevelWarn, "unit of work refused", append(h.attributes(first, Loggable(ErrFenced)), slog.String("claim", batch.Claim))...)
			return
		case err != nil:
			h.wait(ctx, batch.Stopping, first, *holdFate(Loggable(err), first, h.clock.Now()))
			continue
		}
		for i, result := range s.results {
			if result.Outcome != record.Parked {
				h.release(all[next+i])
			}
			h.report(batch, next+i, result)
		}
		next += len(s.results)
		if s.pending == nil {
			continue
		}
		if s.pending.result.Outcome == record.Unfinished {
			return
		}
		h.wait(ctx, batch.Stopping, all[next], *s.pending)
	}
}

// walkStretch opens a unit of work, tries records in it until its time is over or one of them has to wait here, and commits. When it returns
// an error nothing of the stretch counts.
func (h *handler) walkStretch(ctx context.Context, batch *record.Batch, deliveries []*delivery, parked map[string]bool) (*stretch, error) {
	work, err := h.unit.Begin(ctx, batch.Claim, records(deliveries))
	if err != nil {
		return nil, err // it says itself what was tried
	}
	s := &stretch{deliveries: deliveries}
	waiting := maps.Clone(parked)
	err = s.fill(ctx, h, work, batch, waiting)
	if err == nil {
		err = work.Commit(ctx)
	}
	if err != nil {
		s.forget()
		return nil, errors.Join(err, work.Rollback())
	}
	maps.Copy(parked, waiting)
	return s, nil
}

// fill tries the records one after another.
func (s *stretch) fill(ctx context.Context, h *handler, work Work, batch *record.Batch, waiting map[string]bool) error {
	inside := work.Context(ctx)
	s.results, s.before = make([]record.Result, 0, len(s.deliveries)), make([]int, 0, len(s.deliveries))
	began := h.clock.Now()
	for i, d := range s.deliveries {
		if i > 0 && (h.clock.Now().Sub(began) > stretchTime || stopped(ctx.Done(), batch.Stopping)) {
			return nil
		}
		s.before = append(s.before, d.made)
		if len(waiting) > 0 && waiting[h.keyOf(d.record)] {
			s.results = append(s.results, record.Result{Outcome: record.Unfinished})
			continue
		}
		if work.Finished(d.record) {
			s.results = append(s.results, record.Result{Outcome: record.Done, Reason: "repeated"})
			continue
		}
		work.Mark()
		// A unit that others wait for is committed before the dead letter is written, which may take minutes.
		d.settle = func() bool { return !work.Exclusive() }
		ended := h.try(inside, d)
		outcome := ended.result.Outcome
		if outcome == record.Done || outcome == record.Skipped {
			work.Finish(d.record, outcome)
			s.results = append(s.results, ended.result)
			continue
		}
		if err := work.Undo(); err != nil {
			return err
		}
		switch {
		case outcome == record.DeadLettered:
			work.Finish(d.record, outcome)
			s.results = append(s.results, ended.result)
		case outcome == record.Parked && batch.Parks() && !ended.unsettled && (!ended.hold || d.givenUp()):
			waiting[h.keyOf(d.record)] = true
			s.results = append(s.results, h.park(d, ended))
		default:
			s.pending = &ended
			return nil
		}
	}
	return nil
}

// forget takes back the tries of records whose success was not committed: they count as never made.
func (s *stretch) forget() {
	for i, result := range s.results {
		if result.Outcome != record.DeadLettered && result.Outcome != record.Parked {
			s.deliveries[i].made = s.before[i]
		}
	}
}

func records(deliveries []*delivery) []*record.Record {
	all := make([]*record.Record, len(deliveries))
	for i, d := range deliveries {
		all[i] = d.record
	}
	return all
}
