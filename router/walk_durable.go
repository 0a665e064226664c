package router

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/prantikov/millrace/record"
)

// stretchTime bounds how long one unit of work is kept open: others wait for the store, and what is not committed is not reported.
const stretchTime = 50 * time.Millisecond

// stretch is the part of a batch that one unit of work covers.
type stretch struct {
	deliveries []*delivery
	results    []record.Result
	before     []record.Attempts
	// pending is why the stretch ended before its last delivery: that record waits, or we are stopping.
	pending *fate
}

// walkDurable walks a batch in units of work. A record's result is reported after the commit that has its effects.
func (h *handler) walkDurable(ctx context.Context, batch *record.Batch, deliveries []*delivery) {
	for next := 0; next < len(deliveries) && !stopped(ctx, batch.Stopping); {
		s, err := h.walkStretch(ctx, batch, deliveries[next:])
		first := deliveries[next]
		switch {
		case errors.Is(err, ErrFenced):
			h.logger.LogAttrs(ctx, slog.LevelWarn, "unit of work refused", append(h.attributes(first, Loggable(ErrFenced)), slog.String("claim", batch.Claim))...)
			return
		case err != nil:
			h.wait(ctx, batch.Stopping, first, holdFate(Loggable(err), first, h.clock.Now()))
			continue
		}
		for i, result := range s.results {
			h.release(deliveries[next+i])
			h.report(batch, next+i, deliveries[next+i], result)
		}
		next += len(s.results)
		if s.pending == nil {
			continue
		}
		if s.pending.result.Outcome == record.Unfinished {
			return
		}
		h.wait(ctx, batch.Stopping, deliveries[next], s.pending)
	}
}

// walkStretch opens a unit of work, tries records in it until its time is over or one of them has to wait, and commits. When it returns
// an error nothing of the stretch counts.
func (h *handler) walkStretch(ctx context.Context, batch *record.Batch, deliveries []*delivery) (*stretch, error) {
	work, err := h.unit.Begin(ctx, batch.Claim, records(deliveries))
	if err != nil {
		return nil, fmt.Errorf("beginning a unit of work: %w", err)
	}
	s := &stretch{deliveries: deliveries}
	err = s.fill(ctx, h, work, batch.Stopping)
	if err == nil {
		err = work.Commit(ctx)
	}
	if err != nil {
		s.forget()
		return nil, fmt.Errorf("committing a unit of work: %w", errors.Join(err, work.Rollback()))
	}
	return s, nil
}

// fill tries the records one after another.
func (s *stretch) fill(ctx context.Context, h *handler, work Work, stopping <-chan struct{}) error {
	inside := work.Context(ctx)
	began := h.clock.Now()
	for i, d := range s.deliveries {
		if i > 0 && (h.clock.Now().Sub(began) > stretchTime || stopped(ctx, stopping)) {
			return nil
		}
		s.before = append(s.before, d.attempts)
		if work.Finished(d.record) {
			s.results = append(s.results, record.Result{Outcome: record.Done, Reason: "repeated"})
			continue
		}
		work.Mark()
		// A unit that others wait for is committed before the dead letter is written, which may take minutes.
		d.settle = func() bool { return !work.Exclusive() }
		ended := h.try(inside, d)
		switch outcome := ended.result.Outcome; {
		case outcome.Finished():
			if outcome == record.DeadLettered {
				if err := work.Undo(); err != nil {
					return err
				}
			}
			work.Finish(d.record, outcome)
			s.results = append(s.results, ended.result)
		default:
			s.pending = ended
			return work.Undo()
		}
	}
	return nil
}

// forget takes back the tries of records whose success was not committed: they count as never made.
func (s *stretch) forget() {
	for i, result := range s.results {
		if result.Outcome != record.DeadLettered {
			s.deliveries[i].attempts = s.before[i]
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
