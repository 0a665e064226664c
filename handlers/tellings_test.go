package handlers_test

import (
	"errors"
	"testing"

	"github.com/ThreeDotsLabs/watermill/message"

	"github.com/prantikov/millrace/messages"
	"github.com/prantikov/millrace/record"
	"github.com/prantikov/millrace/store"
)

// Ensure an entity is counted as first seen when its row is committed, and once: neither by a try that was undone, nor by a member that
// has lost the partition, whose successor does it all again.
func TestFirstSeenCountsWhatIsCommitted(t *testing.T) {
	t.Parallel()
	const where = "orders order-events"
	event := domains()[2].event("ord-1", messages.Created, "pending")
	tests := []struct {
		name string
		// meddle is called after the function's first try; its error is the try's.
		meddle func(p *platform, r *record.Record) error
		// first is how the record ends at first, and counted what is counted then.
		first   record.Outcome
		counted int
	}{
		{"a try that is undone is not counted", func(*platform, *record.Record) error { return errors.New("broken") }, record.Done, 1},
		{"a member that has lost the partition counts nothing", func(p *platform, r *record.Record) error {
			_, err := p.store.UnitOfWork("orders", store.Options{}).Begin(p.t.Context(), "thief", []*record.Record{r})
			return err
		}, record.Unfinished, 0},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			tries := 0
			var p *platform
			p = setup(t, options{use: []message.HandlerMiddleware{func(next message.HandlerFunc) message.HandlerFunc {
				return func(msg *message.Message) ([]*message.Message, error) {
					produced, err := next(msg)
					if tries++; err == nil && tries == 1 {
						err = test.meddle(p, record.FromContext(msg.Context()))
					}
					return produced, err
				}
			}}})
			placed := p.place(event)
			if got := p.redeliver("orders", "claim", placed...)[0].Outcome; got != test.first {
				t.Errorf("got %s, want %s", got, test.first)
			}
			if got := p.firstSeen[where]; got != test.counted {
				t.Errorf("first_seen: got %d, want %d", got, test.counted)
			}
			after := p.restart()
			done(t, after.redeliver("orders", "successor", placed...))
			if got := p.firstSeen[where] + after.firstSeen[where]; got != 1 {
				t.Errorf("first_seen: got %d in the end, want 1", got)
			}
		})
	}
}
