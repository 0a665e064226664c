package router

import (
	"context"
	"errors"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/ThreeDotsLabs/watermill/message"

	"github.com/prantikov/millrace/record"
)

// errUnfinished tells a foreign subscriber that its message was not finished.
var errUnfinished = errors.New("stopping before the record was finished")

// handle is what Watermill's router calls: once per batch of ours, or once per record of any other subscriber.
func (h *handler) handle(msg *message.Message) error {
	if batch := record.BatchFromContext(msg.Context()); batch != nil {
		h.walk(msg.Context(), batch)
		return nil
	}
	finished := false
	batch := &record.Batch{
		Records:  []*record.Record{h.foreign(msg)},
		Claim:    h.claim,
		Stopping: msg.Context().Done(),
		Report:   func(_ int, result record.Result) { finished = result.Outcome.Finished() },
	}
	h.walk(msg.Context(), batch)
	if !finished {
		return errUnfinished
	}
	return nil
}

// KeyMetadata is where a message of a subscriber that does not know records may have its key.
const KeyMetadata = "key"

// foreign is the record of a message that another subscriber made: the one in its context, or what the message itself says.
func (h *handler) foreign(msg *message.Message) *record.Record {
	if r := record.FromContext(msg.Context()); r != nil {
		return r
	}
	r := &record.Record{Position: record.Position{Topic: h.name.Topic, Offset: -1}, Value: msg.Payload, Timestamp: h.clock.Now()}
	for _, key := range slices.Sorted(maps.Keys(msg.Metadata)) {
		r.Headers = append(r.Headers, record.Header{Key: key, Value: []byte(msg.Metadata[key])})
	}
	if key, ok := msg.Metadata[KeyMetadata]; ok {
		r.Key = []byte(key)
	}
	return r
}

// walk gives every record of a batch its outcome, until the batch is to be given back: in units of work, one after another while the
// consumer's functions are fast, or key by key while they are slow.
func (h *handler) walk(ctx context.Context, batch *record.Batch) {
	switch {
	case h.unit != nil:
		h.walkDurable(ctx, batch)
	case !h.together && batch.Parks() && h.pace.isSlow():
		var over sync.WaitGroup
		h.walkSide(ctx, batch, 0, nil, &over)
		over.Wait()
	default:
		h.walkInline(ctx, batch)
	}
}

// keyOf is what must stay in order: the record's key, or nothing where all records are to stay in order.
func (h *handler) keyOf(r *record.Record) string {
	if h.together {
		return ""
	}
	return string(r.Key)
}

// walkOne tries one record until it is finished, or parked where the source takes it back until its time has come. A record that needs what
// is away is not given back: who tries all the others meanwhile finds the same. It is unfinished when we stop before its end.
func (h *handler) walkOne(ctx context.Context, batch *record.Batch, d *delivery) record.Result {
	for {
		ended := h.try(ctx, d)
		switch {
		case ended.result.Outcome.Finished():
			h.release(d)
			return ended.result
		case ended.result.Outcome == record.Unfinished:
			h.release(d)
			return ended.result
		case batch.Parks() && (!ended.hold || d.givenUp()):
			return h.park(d, ended)
		}
		h.wait(ctx, batch.Stopping, d, ended)
		if stopped(ctx.Done(), batch.Stopping) {
			h.release(d)
			return record.Result{}
		}
	}
}

// park is the result of a record that the source takes back, with what is known of it.
func (h *handler) park(d *delivery, ended fate) record.Result {
	h.tell(d, ended)
	ended.result.Memo = d.forLater()
	return ended.result
}

// try runs the chain once, in a span where there are any.
func (h *handler) try(ctx context.Context, d *delivery) fate {
	if h.span != nil {
		return h.trySpanned(ctx, d)
	}
	return h.tryOnce(ctx, d)
}

func (h *handler) tryOnce(ctx context.Context, d *delivery) fate {
	_, err := h.run(d.message(ctx, h.bare))
	d.try.end()
	ended := fate{result: record.Result{Outcome: record.Done}}
	if err != nil {
		var told *fate
		if !errors.As(err, &told) {
			// A plugin's middleware around ours would have to be outermost to get here; its error is an ordinary failure.
			told = decide(err, d, h.retrySettings, h.clock.Now())
		}
		ended = *told
	}
	ended.result.Attempts = d.made
	return ended
}

// wait holds the record, and with it whoever handles it, until its next try.
func (h *handler) wait(ctx context.Context, stopping <-chan struct{}, d *delivery, ended fate) {
	h.tell(d, ended)
	h.clock.Wait(ctx, stopping, ended.result.Until)
}

// tell tells whether a record that is to be tried again waits for something outside.
func (h *handler) tell(d *delivery, ended fate) {
	if ended.hold {
		h.tellHeld(d, ended)
	} else {
		h.release(d)
	}
}

// tellHeld tells that a record waits for something outside.
func (h *handler) tellHeld(d *delivery, ended fate) {
	held := d.inTrouble()
	if held.heldSince.IsZero() {
		held.heldSince = h.clock.Now()
	}
	held.held++
	if h.observer.Held != nil {
		h.observer.Held(d.record, Hold{Since: held.heldSince, Cause: describe(ended.cause), Letter: d.givenUp()})
	}
}

// release tells that a record no longer waits for anything outside.
func (h *handler) release(d *delivery) {
	if d.trouble == nil || d.trouble.heldSince.IsZero() {
		return
	}
	d.trouble.waited += h.clock.Now().Sub(d.trouble.heldSince)
	d.trouble.heldSince, d.trouble.held = time.Time{}, 0
	if h.observer.Released != nil {
		h.observer.Released(d.record)
	}
}

func (h *handler) report(batch *record.Batch, index int, result record.Result) {
	if result.Outcome.Finished() && h.observer.Ended != nil {
		h.observer.Ended(batch.Records[index], result)
	}
	if batch.Report != nil {
		batch.Report(index, result)
	}
}

// stopped says whether one of the two is closed. It looks at each by itself, which costs a tenth of a select of both.
func stopped(ended, stopping <-chan struct{}) bool { return closed(stopping) || closed(ended) }

func closed(channel <-chan struct{}) bool {
	select {
	case <-channel:
		return true
	default:
		return false
	}
}
