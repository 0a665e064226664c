package deadletter_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prantikov/millrace/deadletter"
	"github.com/prantikov/millrace/record"
)

// homeward is a shelf whose letters can go back.
type homeward struct {
	shelf
	// finished is how far each group is on its redrive topic.
	finished map[string]int64
	// failing is the number of the transaction that fails, from 1; transactions counts them.
	failing, transactions int
	opened                []string
	// browse makes another browser than that of all event types.
	browse func() *deadletter.Browser
}

func (h *homeward) Existing(_ context.Context, topics []string) (map[string]bool, error) {
	existing := map[string]bool{}
	for _, topic := range topics {
		_, existing[topic] = h.shelf[topic]
	}
	return existing, nil
}

func (h *homeward) Finished(_ context.Context, group, _ string) (func(int32, int64) bool, error) {
	return func(_ int32, offset int64) bool { return offset < h.finished[group] }, nil
}

func (h *homeward) browser() *deadletter.Browser {
	if h.browse != nil {
		return h.browse()
	}
	return browser(h.shelf).Follow(h, []deadletter.Home{
		{Consumer: "orders", Group: "orders", Topic: "orders-redrive", Takes: []string{"order-events"}},
		{Consumer: "analytics", Group: "counting", Topic: "counting-redrive", Takes: []string{"order-events"}},
		{Consumer: "archive", Group: "archive", Topic: "archive-redrive"},
	})
}

func (h *homeward) redrive() deadletter.Redrive {
	return deadletter.Redrive{Browser: h.browser(), Open: func(_ context.Context, topic string) (deadletter.Transactions, error) {
		h.opened = append(h.opened, topic)
		return h, nil
	}}
}

var errNotNow = errors.New("not now")

func (h *homeward) Publish(records []*record.Record) error {
	if h.transactions++; h.transactions == h.failing {
		return errNotNow
	}
	for _, r := range records {
		placed := *r
		placed.Partition, placed.Offset = 0, int64(len(h.shelf[r.Topic]))
		h.shelf[r.Topic] = append(h.shelf[r.Topic], &placed)
	}
	return nil
}

func (h *homeward) Close() error { return nil }

// states are how many letters are in each state.
func (h *homeward) states(t *testing.T) map[deadletter.State]int {
	t.Helper()
	entries, err := h.browser().List(t.Context(), deadletter.Filter{})
	if err != nil {
		t.Fatal(err)
	}
	states := map[deadletter.State]int{}
	for _, e := range entries {
		states[e.State]++
	}
	return states
}

// letters puts letters of a consumer on the shelf, of so many keys.
func (h *homeward) letters(t *testing.T, consumer string, class record.Class, count int) {
	t.Helper()
	for i := range count {
		source := order()
		source.Offset, source.Key = int64(1000-i), fmt.Appendf(nil, "ord-%d", i%7)
		letter := letterOf(source, class)
		letter.Consumer = consumer
		h.put(t, letter)
	}
}

func want(t *testing.T, what string, got, want any) {
	t.Helper()
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("%s: got %v, want %v", what, got, want)
	}
}

// Ensure one cause of one consumer goes back, once, in the order in which the consumer met it, and nothing else does.
func TestRedriveGivesTheChosenLettersBackOnce(t *testing.T) {
	t.Parallel()
	h := &homeward{shelf: shelf{}, finished: map[string]int64{}}
	h.letters(t, "orders", record.ClassTimeout, 250)
	h.letters(t, "orders", record.ClassMalformed, 30)
	h.letters(t, "analytics", record.ClassTimeout, 40)
	chosen := deadletter.Filter{Consumer: "orders", Class: record.ClassTimeout}

	plan, err := h.browser().Plan(t.Context(), chosen, nil)
	if err != nil || len(plan.Returning) != 250 || len(plan.Stay) != 0 {
		t.Fatalf("got %d to return, %v stay, %v, want 250 and none", len(plan.Returning), plan.Stay, err)
	}
	h.failing = 2
	if _, sent, err := h.redrive().Execute(t.Context(), chosen, nil); sent != 100 || !errors.Is(err, errNotNow) {
		t.Fatalf("got %d sent and %v, want 100 and %v", sent, err, errNotNow)
	}
	for range 2 {
		if _, _, err := h.redrive().Execute(t.Context(), chosen, nil); err != nil {
			t.Fatal(err)
		}
	}
	want(t, "transactions", slices.Compact(h.opened), []string{"orders-redrive"})
	back := h.shelf["orders-redrive"]
	want(t, "records on the redrive topic", len(back), 250)
	// The first 100 were the lowest offsets, and so are those behind them.
	if !slices.IsSortedFunc(back, func(a, b *record.Record) int {
		before, _ := record.RedriveOf(a)
		after, _ := record.RedriveOf(b)
		return int(before.Original.Offset - after.Original.Offset)
	}) {
		t.Error("the letters went back in another order than that of the log")
	}
	want(t, "states when sent", h.states(t), map[deadletter.State]int{deadletter.StateDead: 70, deadletter.StateSent: 250})
	h.finished["orders"] = 200
	want(t, "states when handled", h.states(t), map[deadletter.State]int{deadletter.StateDead: 70, deadletter.StateSent: 50, deadletter.StateDone: 200})
}

func TestRecordThatFailsAgainIsDeadAgain(t *testing.T) {
	t.Parallel()
	h := &homeward{shelf: shelf{}, finished: map[string]int64{"orders": 1}}
	h.letters(t, "orders", record.ClassTimeout, 1)
	if _, _, err := h.redrive().Execute(t.Context(), deadletter.Filter{}, nil); err != nil {
		t.Fatal(err)
	}
	redrive, _ := record.RedriveOf(h.shelf["orders-redrive"][0])
	letter := letterOf(redrive.Original, record.ClassFailed)
	letter.Consumer, letter.Redriven = "orders", redrive.Letter
	second := h.put(t, letter)
	want(t, "states", h.states(t), map[deadletter.State]int{deadletter.StateDeadAgain: 1, deadletter.StateDead: 1})

	entries, err := h.browser().List(t.Context(), deadletter.Filter{State: deadletter.StateDead})
	if err != nil || len(entries) != 1 || entries[0].Position != second || entries[0].Times != 2 || entries[0].Redriven != redrive.Letter {
		t.Errorf("got %+v, %v, want the second letter, of the second time, with its link to the first", entries, err)
	}
	plan, err := h.browser().Plan(t.Context(), deadletter.Filter{}, nil)
	if err != nil || len(plan.Returning) != 1 || plan.Returning[0].Entry.Position != second || plan.Stay[deadletter.StayAgain] != 1 {
		t.Fatalf("got %+v, %v, want the newer letter to return and the older to stay", plan, err)
	}
	if _, _, err := h.redrive().Execute(t.Context(), deadletter.Filter{}, nil); err != nil {
		t.Fatal(err)
	}
	again, _ := record.RedriveOf(h.shelf["orders-redrive"][1])
	want(t, "headers after two journeys", headerLines(again.Original.Headers), headerLines(order().Headers))
}

func TestPlanSaysWhoStays(t *testing.T) {
	t.Parallel()
	h := &homeward{shelf: shelf{}, finished: map[string]int64{}}
	h.letters(t, "orders", record.ClassTimeout, 1)
	h.letters(t, "retired", record.ClassTimeout, 2)
	h.letters(t, "archive", record.ClassTimeout, 3)
	elsewhere := order()
	elsewhere.Topic = "appointment-events"
	h.put(t, letterOf(elsewhere, record.ClassTimeout))
	foreign := order()
	foreign.Topic, foreign.Offset = "order-events-dlt", int64(len(h.shelf["order-events-dlt"]))
	h.shelf[foreign.Topic] = append(h.shelf[foreign.Topic], foreign)
	plan, err := h.browser().Plan(t.Context(), deadletter.Filter{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	want(t, "return", len(plan.Returning), 1)
	want(t, "stay", plan.Stay, map[deadletter.Stay]int{
		deadletter.StayForeign: 1, deadletter.StayHomeless: 2, deadletter.StayOff: 3, deadletter.StayElsewhere: 1,
	})
	missing := record.Position{Topic: "order-events-dlt", Partition: 9, Offset: 1}
	if _, err := h.browser().Plan(t.Context(), deadletter.Filter{}, []record.Position{missing}); err == nil {
		t.Error("a position without a letter: got no error, want one that names it")
	}
}

// Ensure every way to choose letters chooses those and no others.
func TestRedriveOfAChoice(t *testing.T) {
	t.Parallel()
	at := func(offset int64) record.Position {
		return record.Position{Topic: "order-events-dlt", Partition: 3, Offset: offset}
	}
	cases := map[string]struct {
		filter deadletter.Filter
		at     []record.Position
		want   []int64 // offsets of the records that go back, in their order
	}{
		"all, in the order of the log": {deadletter.Filter{}, nil, []int64{1, 2, 3, 4}},
		"a consumer":                   {deadletter.Filter{Consumer: "analytics"}, nil, []int64{4}},
		"a class":                      {deadletter.Filter{Class: record.ClassTimeout}, nil, []int64{2, 3, 4}},
		"a key":                        {deadletter.Filter{Key: "ord-b"}, nil, []int64{2, 4}},
		"since a time":                 {deadletter.Filter{Since: failedAt.Add(time.Hour)}, nil, []int64{1, 2}},
		"positions":                    {deadletter.Filter{}, []record.Position{at(0), at(2)}, []int64{1, 3}},
		"a position that fits":         {deadletter.Filter{Consumer: "orders"}, []record.Position{at(1)}, []int64{2}},
		"none":                         {deadletter.Filter{Key: "ord-x"}, nil, nil},
	}
	for name, test := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := &homeward{shelf: shelf{}, finished: map[string]int64{}}
			for i, letter := range []record.Letter{
				{Consumer: "orders", Class: record.ClassMalformed, FailedAt: failedAt.Add(3 * time.Hour), Record: &record.Record{Key: []byte("ord-a")}},
				{Consumer: "orders", Class: record.ClassTimeout, FailedAt: failedAt.Add(2 * time.Hour), Record: &record.Record{Key: []byte("ord-b")}},
				{Consumer: "orders", Class: record.ClassTimeout, FailedAt: failedAt, Record: &record.Record{Key: []byte("ord-a")}},
				{Consumer: "analytics", Class: record.ClassTimeout, FailedAt: failedAt, Record: &record.Record{Key: []byte("ord-b")}},
			} {
				letter.Record.Position = record.Position{Topic: "order-events", Partition: 3, Offset: int64(i + 1)}
				h.put(t, letter)
			}
			_, sent, err := h.redrive().Execute(t.Context(), test.filter, test.at)
			if err != nil || sent != len(test.want) {
				t.Fatalf("got %d sent, %v, want %d", sent, err, len(test.want))
			}
			var got []int64
			for _, r := range append(h.shelf["orders-redrive"], h.shelf["counting-redrive"]...) {
				redrive, _ := record.RedriveOf(r)
				got = append(got, redrive.Original.Offset)
			}
			slices.Sort(got)
			want(t, "offsets", got, test.want)
		})
	}
}

// Ensure a rate holds: on a clock of the test, 25 letters at ten a second take two pauses of a second.
func TestRedriveKeepsToARate(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := &homeward{shelf: shelf{}, finished: map[string]int64{}}
		h.letters(t, "orders", record.ClassTimeout, 25)
		redrive := h.redrive()
		redrive.PerSecond = 10
		var told []int
		redrive.Sent = func(sent, of int) { told = append(told, sent, of) }
		began := time.Now()
		if _, _, err := redrive.Execute(t.Context(), deadletter.Filter{}, nil); err != nil {
			t.Fatal(err)
		}
		want(t, "time", time.Since(began), 2*time.Second)
		want(t, "progress", told, []int{10, 25, 20, 25, 25, 25})
	})
}

// Ensure letters that are large go in transactions that every topic takes as one batch.
func TestLargeLettersGoApart(t *testing.T) {
	t.Parallel()
	h := &homeward{shelf: shelf{}, finished: map[string]int64{}}
	for i, bytes := range []int{300 << 10, 300 << 10, 100 << 10, 2 << 20, 10, 10} {
		letter := letterOf(order(), record.ClassTimeout)
		letter.Record.Offset, letter.Record.Value = int64(i), make([]byte, bytes)
		h.put(t, letter)
	}
	if _, _, err := h.redrive().Execute(t.Context(), deadletter.Filter{}, nil); err != nil {
		t.Fatal(err)
	}
	want(t, "transactions", h.transactions, 4)
}
