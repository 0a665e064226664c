package router

import (
	"context"
	"errors"
	"maps"
	"slices"
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

// walk gives every record of a batch its outcome, in the order of the log, until the batch is to be given back.
func (h *handler) walk(ctx context.Context, batch *record.Batch) {
	deliveries := make([]*delivery, len(batch.Records))
	for i, r := range batch.Records {
		deliveries[i] = &delivery{record: r, base: ctx}
		if batch.Attempts != nil {
			deliveries[i].attempts = batch.Attempts[i]
		}
	}
	if h.unit != nil {
		h.walkDurable(ctx, batch, deliveries)
		return
	}
	for i, d := range deliveries {
		result, ok := h.walkOne(ctx, batch.Stopping, d)
		if !ok {
			return
		}
		h.report(batch, i, d, result)
	}
}

// walkOne tries one record until it is finished. It returns false when we stop before that.
func (h *handler) walkOne(ctx context.Context, stopping <-chan struct{}, d *delivery) (record.Result, bool) {
	for !stopped(ctx, stopping) {
		ended := h.try(ctx, d)
		if ended.result.Outcome.Finished() {
			h.release(d)
			return ended.result, true
		}
		if ended.result.Outcome == record.Unfinished {
			break
		}
		h.wait(ctx, stopping, d, ended)
	}
	h.release(d)
	return record.Result{}, false
}

// try runs the chain once.
func (h *handler) try(ctx context.Context, d *delivery) *fate {
	_, err := h.run(d.message(ctx))
	var ended *fate
	if err == nil {
		ended = &fate{result: record.Result{Outcome: record.Done}}
	} else if !errors.As(err, &ended) {
		// A plugin's middleware around ours would have to be outermost to get here; its error is an ordinary failure.
		ended = decide(err, d, h.retrySettings, h.clock.Now())
	}
	ended.result.Attempts = d.attempts.Made
	return ended
}

// wait holds the record, and with it the batch, until its next try.
func (h *handler) wait(ctx context.Context, stopping <-chan struct{}, d *delivery, ended *fate) {
	if ended.hold {
		if d.heldSince.IsZero() {
			d.heldSince = h.clock.Now()
		}
		d.held++
		if h.observer.Held != nil {
			h.observer.Held(d.record, Hold{Since: d.heldSince, Cause: describe(ended.cause), Letter: d.letter != nil})
		}
	}
	h.clock.Wait(ctx, stopping, ended.result.Until)
}

// release tells that a record no longer waits for anything outside.
func (h *handler) release(d *delivery) {
	if d.heldSince.IsZero() {
		return
	}
	d.heldSince, d.held = time.Time{}, 0
	if h.observer.Released != nil {
		h.observer.Released(d.record)
	}
}

func (h *handler) report(batch *record.Batch, index int, d *delivery, result record.Result) {
	if h.observer.Ended != nil {
		h.observer.Ended(d.record, result)
	}
	if batch.Report != nil {
		batch.Report(index, result)
	}
}

func stopped(ctx context.Context, stopping <-chan struct{}) bool {
	select {
	case <-stopping:
		return true
	case <-ctx.Done():
		return true
	default:
		return false
	}
}
