package router

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"runtime/debug"
	"time"

	"github.com/ThreeDotsLabs/watermill/message"

	"github.com/prantikov/millrace/record"
)

// chain puts the middleware around the dispatch, outermost first. The order is part of what we promise:
func (h *handler) chain(use []message.HandlerMiddleware) message.HandlerFunc {
	links := []message.HandlerMiddleware{
		// Every try is counted and timed, also one that ends in a dead letter.
		h.observe,
		// Outside Retry, so that it sees a record only when that has given it up.
		h.poisonQueue,
		// Decides between another try, the end, and waiting for what is away.
		h.retry,
	}
	if len(use) > 0 {
		// What a plugin adds sees each try, and its errors and panics are tried again like those of a function.
		links = append(append(links, recoverer), use...)
	}
	links = append(links,
		// Inside Retry, so that each try has the whole time.
		h.timeout,
		// Innermost, so that a panic is an error for all of the above.
		recoverer,
	)
	next := h.dispatch
	for i := len(links) - 1; i >= 0; i-- {
		next = links[i](next)
	}
	return next
}

// observe times each try. Watermill's metrics component spawns a goroutine per message that waits for its ack; ours is never acked.
func (h *handler) observe(next message.HandlerFunc) message.HandlerFunc {
	return func(msg *message.Message) ([]*message.Message, error) {
		d := deliveryOf(msg)
		d.began = h.clock.Now()
		produced, err := next(msg)
		if h.observer.Tried != nil {
			result := record.Result{Outcome: record.Done}
			var ended *fate
			if err != nil && errors.As(err, &ended) {
				result = ended.result
			}
			result.Attempts = d.made
			h.observer.Tried(h.clock.Now().Sub(d.began), result)
		}
		return produced, err
	}
}

// poisonQueue writes the dead letter of a record that was given up. Watermill's own publishes the message with the error's text in a
// header, loses key, order of headers and position, swallows a context that ended because we stop, and repeats all tries when the
// publishing fails; ours knows the class, keeps every byte, and only repeats the writing.
func (h *handler) poisonQueue(next message.HandlerFunc) message.HandlerFunc {
	return func(msg *message.Message) ([]*message.Message, error) {
		d := deliveryOf(msg)
		if !d.givenUp() {
			produced, err := next(msg)
			var ended *fate
			if err == nil || !errors.As(err, &ended) || ended.result.Outcome != record.DeadLettered {
				return produced, err
			}
			d.inTrouble().letter = h.giveUp(d, ended)
		}
		return nil, h.writeLetter(d)
	}
}

func (h *handler) giveUp(d *delivery, ended *fate) *record.Letter {
	letter := &record.Letter{
		Record: d.handled, Redriven: d.letter(), Consumer: h.name.Consumer, Group: h.name.Group,
		Class: ended.result.Class, Attempts: d.attempts(), FailedAt: h.clock.Now(),
	}
	if d.route != nil {
		letter.Handler = d.route.function
	}
	h.logger.LogAttrs(d.base, slog.LevelError, "record given up", append(h.attributes(d, ended.cause),
		slog.String("class", string(letter.Class)), slog.Int("attempts", d.made))...)
	return letter
}

// writeLetter writes with the context around the try: that of the try may have ended with it.
func (h *handler) writeLetter(d *delivery) error {
	given := d.trouble
	result := record.Result{Outcome: record.DeadLettered, Class: given.letter.Class}
	if given.lettered {
		return &fate{result: result}
	}
	if d.settle != nil && !d.settle() {
		return &fate{result: record.Result{Outcome: record.Parked, Until: h.clock.Now()}, unsettled: true}
	}
	if err := h.deadLetters.Write(d.around(), *given.letter); err != nil {
		if d.base.Err() != nil {
			return &fate{cause: err}
		}
		return holdFate(Loggable(fmt.Errorf("writing the dead letter: %w", err)), d, h.clock.Now())
	}
	given.lettered = true
	return &fate{result: result}
}

// retry makes one try and decides. Watermill's own sleeps inside the handler, where the partition waits with it, sets up a back-off for
// every message that succeeds, and loses the function's error when the context ends.
func (h *handler) retry(next message.HandlerFunc) message.HandlerFunc {
	return func(msg *message.Message) ([]*message.Message, error) {
		d := deliveryOf(msg)
		d.made++
		produced, err := next(msg)
		if err == nil {
			return produced, nil
		}
		if h.unit != nil && h.unit.Away(err) {
			err = Unavailable(err)
		}
		now := h.clock.Now()
		if failed := d.inTrouble(); failed.firstFailure.IsZero() {
			failed.firstFailure = now
		}
		ended := decide(err, d, h.retrySettings, now)
		switch {
		case ended.hold || ended.result.Outcome == record.Unfinished:
			// Neither is a try that failed.
			d.made--
		case ended.result.Outcome == record.Parked:
			h.logger.LogAttrs(d.base, slog.LevelWarn, "try failed", append(h.attributes(d, err),
				slog.Int("attempts", d.made), slog.Duration("retry_in", ended.result.Until.Sub(now)))...)
		}
		return nil, ended
	}
}

// errTimeout is the cause of a try's context that ended because the try took too long.
var errTimeout = errors.New("the try took longer than its timeout")

// timeout shows the try to the lookout, which ends its context when it takes too long. Watermill's own never restores the message's
// context, so that every later try begins with a dead one, and costs each message a timer.
func (h *handler) timeout(next message.HandlerFunc) message.HandlerFunc {
	return func(msg *message.Message) ([]*message.Message, error) {
		d := deliveryOf(msg)
		if d.seat == nil || d.try == nil {
			return next(msg)
		}
		t := d.try
		t.began = d.began
		if !h.realTime {
			// A clock that jumps says nothing about how long a function runs.
			t.began = time.Now()
		}
		t.limit.Store(int64(h.tryTimeout))
		d.seat.running.Store(t)
		// Also when the function panics: the goroutine goes on to other records.
		defer d.seat.running.Store(nil)
		produced, err := next(msg)
		if err != nil && t.expired.Load() && context.Cause(t) == errTimeout {
			err = fmt.Errorf("%w: %w", errTimeout, err)
		}
		return produced, err
	}
}

// panicError is a panic as an error. Its text has no value of the panic but a runtime error's, for a value may quote the event.
type panicError struct {
	text  string
	stack []byte
}

func (e *panicError) Error() string { return e.text }

// recoverer turns a panic into an error. Watermill's own puts the stack into the error's text, from where it gets into a header.
func recoverer(next message.HandlerFunc) message.HandlerFunc {
	return func(msg *message.Message) (produced []*message.Message, err error) {
		defer func() {
			value := recover()
			if value == nil {
				return
			}
			text := fmt.Sprintf("panic with a %T", value)
			if cause, ok := value.(runtime.Error); ok {
				text = "panic: " + cause.Error()
			}
			produced, err = nil, &panicError{text: text, stack: debug.Stack()}
		}()
		return next(msg)
	}
}

// attributes are what a log line says of a record that failed: where it is and what it is, never what is in it.
func (h *handler) attributes(d *delivery, cause error) []slog.Attr {
	attributes := []slog.Attr{
		slog.String("consumer", h.name.Consumer), slog.String("topic", d.handled.Topic),
		slog.Int("partition", int(d.handled.Partition)), slog.Int64("offset", d.handled.Offset),
	}
	if d.redriven != nil {
		attributes = append(attributes, slog.String("dead_letter", d.redriven.letter.String()))
	}
	if d.route != nil {
		attributes = append(attributes, slog.String("action", string(d.action)), slog.String("handler", d.route.function))
	}
	attributes = append(attributes, slog.String("error", describe(cause)))
	var panicked *panicError
	if errors.As(cause, &panicked) {
		attributes = append(attributes, slog.String("stack", string(panicked.stack)))
	}
	return attributes
}
