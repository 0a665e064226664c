package control_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/prantikov/millrace/control"
)

// Ensure everything that cannot be done is refused in a sentence that says why.
func TestRefusals(t *testing.T) {
	t.Parallel()
	pause := func(consumer, topic string, partition int32, length string) func(*bench) error {
		return func(b *bench) error {
			_, err := b.Pause(b.context, control.PauseRequest{Target: control.Target{Consumer: consumer, Topic: topic, Partition: partition}, For: length})
			return err
		}
	}
	resume := func(consumer, topic string, partition int32) func(*bench) error {
		return func(b *bench) error {
			_, err := b.Resume(b.context, control.Target{Consumer: consumer, Topic: topic, Partition: partition})
			return err
		}
	}
	keys := func(consumer string, count int) func(*bench) error {
		return func(b *bench) error {
			_, err := b.SetConcurrency(control.Keys{Consumer: consumer, Concurrency: count})
			return err
		}
	}
	tests := []struct {
		name string
		ask  func(*bench) error
		code int
		want string // part of the sentence
	}{
		{name: "unknown consumer", ask: pause("order", "", -1, "1m"), code: http.StatusNotFound, want: `no consumer named "order" runs here: there are orders, archive`},
		{name: "unknown consumer's resume", ask: resume("order", "", -1), code: http.StatusNotFound, want: `no consumer named "order"`},
		{name: "unknown consumer's concurrency", ask: keys("order", 1), code: http.StatusNotFound, want: `no consumer named "order"`},
		{name: "unknown topic", ask: pause("orders", "points", -1, "1m"), code: http.StatusNotFound, want: `takes no topic "points": there are eu.order-events`},
		{name: "unknown partition", ask: pause("orders", "order-events", 3, "1m"), code: http.StatusNotFound, want: `topic "eu.order-events" has no partition 3: it has 3, from 0`},
		{name: "partition without topic", ask: pause("orders", "", 1, "1m"), code: http.StatusBadRequest, want: "needs its topic"},
		{name: "no time", ask: pause("orders", "", -1, "soon"), code: http.StatusBadRequest, want: `such as 30m, not "soon"`},
		{name: "no length", ask: pause("orders", "", -1, "0s"), code: http.StatusBadRequest, want: "longer than 0 and at most 24h"},
		{name: "more than a day", ask: pause("orders", "", -1, "24h1ns"), code: http.StatusBadRequest, want: "at most 24h"},
		{name: "engine without a pause", ask: pause("archive", "", -1, "1m"), code: http.StatusConflict, want: "kafka.engine"},
		{name: "resume of what is not paused", ask: resume("orders", "", -1), code: http.StatusConflict, want: `consumer "orders" is not paused`},
		{name: "no key at once", ask: keys("orders", 0), code: http.StatusBadRequest, want: "from 1 to 100000, not 0"},
		{name: "too many keys", ask: keys("orders", 100_001), code: http.StatusBadRequest, want: "not 100001"},
		{name: "engine without keys", ask: keys("archive", 2), code: http.StatusConflict, want: `"archive" has no concurrency to set: its engine has no keys`},
		{name: "consumer that works inline", ask: func(b *bench) error {
			b.orders.keys = 1
			return keys("orders", 2)(b)
		}, code: http.StatusConflict, want: "it has a unit of work"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			b := setup(t)
			err := test.ask(b)
			wantCode(t, err, test.code)
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want %q in it", err, test.want)
			}
			wantTold(t, "after a refusal", b.orders.took())
		})
	}
}

func TestPartitionIsTakenUnlookedWhileBrokersAreAway(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.log.away = true
	b.pause(t, control.DefaultPause, "order-events", 7)
	wantTold(t, "after the pause", b.orders.took(), "pause eu.order-events/7")
}
