package cmd

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/prantikov/millrace/handlers/archive"
	"github.com/prantikov/millrace/kafka"
	"github.com/prantikov/millrace/record"
)

// A transaction of a restore has at most so many records, and no other after so many bytes.
const (
	restoreRecords = 1000
	restoreBytes   = 512 << 10
)

// publishRestored publishes what the plan has, behind what an earlier run has published. When all is there it forgets how far it is: the next one
// begins anew.
func (s *session) publishRestored(ctx context.Context, from *archive.Reader, options restoreOptions, plan *restorePlan) (err error) {
	to, err := kafka.NewRestorer(ctx, s.settings.Kafka, plan.Name, plan.To)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, to.Close()) }()
	begun, err := to.Restored(ctx)
	if err != nil {
		return err
	}
	if begun.Records > plan.Records {
		return fmt.Errorf("restoring to %q: an earlier run has published %d records, and the archive has %d now: delete the group %q to begin anew", plan.To, begun.Records, plan.Records, plan.Name)
	}
	run := &restoreRun{to: to, options: options, pace: newPace(options.rate), done: begun}
	for r, err := range from.Records(ctx, options.selection) {
		if err != nil {
			return fmt.Errorf("reading the archive: %w", err)
		}
		if begun.Records > 0 && !behind(r.Position, begun.Last) {
			continue
		}
		if err := run.add(ctx, r); err != nil {
			return run.explain(err)
		}
	}
	if err := run.flush(ctx); err != nil {
		return run.explain(err)
	}
	plan.Before, plan.Published, plan.Executed = begun.Records, run.done.Records-begun.Records, true
	return to.Forget(ctx)
}

// behind says whether a position comes after another in the order in which the archive is read.
func behind(at, last record.Position) bool {
	return at.Partition > last.Partition || at.Partition == last.Partition && at.Offset > last.Offset
}

// restoreRun is a restore under way.
type restoreRun struct {
	to      *kafka.Restorer
	options restoreOptions
	pace    *pace
	// done is what is published for good; waiting is what the next transaction has.
	done    kafka.Restored
	waiting []*record.Record
	bytes   int64
}

// add puts a record into the next transaction. Two records with one offset, of a topic that was made anew, go in one: what is committed names the
// last offset.
func (r *restoreRun) add(ctx context.Context, one *record.Record) error {
	if n := len(r.waiting); n > 0 && one.Position != r.waiting[n-1].Position && (n >= r.pace.most(restoreRecords) || r.bytes+size(one) > restoreBytes) {
		if err := r.flush(ctx); err != nil {
			return err
		}
	}
	r.waiting = append(r.waiting, one)
	r.bytes += size(one)
	return nil
}

// flush publishes what waits in one transaction.
func (r *restoreRun) flush(ctx context.Context) error {
	n := len(r.waiting)
	if n == 0 {
		return nil
	}
	if err := r.pace.wait(ctx, n); err != nil {
		return err
	}
	now := kafka.Restored{Records: r.done.Records + int64(n), Last: r.waiting[n-1].Position}
	if err := r.to.Publish(r.waiting, r.options.byKey, now); err != nil {
		return err
	}
	r.done, r.waiting, r.bytes = now, r.waiting[:0], 0
	return nil
}

func (r *restoreRun) explain(err error) error {
	return fmt.Errorf("restoring to %q: after %d records: %w; the same command goes on from there", r.options.to, r.done.Records, err)
}

// pace bounds how many records are published in a second.
type pace struct {
	rate int
	next time.Time
}

func newPace(rate int) *pace { return &pace{rate: rate, next: time.Now()} }

// most is how many records go at once: with a rate, those of a tenth of a second.
func (p *pace) most(bound int) int {
	if p.rate == 0 {
		return bound
	}
	return max(1, min(bound, p.rate/10))
}

// wait returns when so many records may go.
func (p *pace) wait(ctx context.Context, records int) error {
	if p.rate == 0 {
		return context.Cause(ctx)
	}
	until := p.next
	if now := time.Now(); until.Before(now) {
		until = now
	}
	p.next = until.Add(time.Duration(records) * time.Second / time.Duration(p.rate))
	timer := time.NewTimer(time.Until(until))
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
