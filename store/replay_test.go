package store_test

import (
	"fmt"
	"reflect"
	"slices"
	"testing"

	"github.com/prantikov/millrace/record"
	"github.com/prantikov/millrace/store"
)

// gapped is a store whose consumer is at offset 20, has 22 done above that, and has passed 5 to 9 without reading them.
func gapped(t *testing.T) (*store.Store, *store.UnitOfWork) {
	t.Helper()
	s := openStore(t, newPlace(t))
	live := s.UnitOfWork("orders", store.Options{})
	all := orders(0, 0, 1, 2, 3, 4, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22)
	work := begin(t, live, "live", all)
	for _, r := range all {
		if r.Offset != 20 && r.Offset != 21 {
			work.Mark()
			if err := apply(work.Context(t.Context()), r); err != nil {
				t.Fatal(err)
			}
			work.Finish(r, record.Done)
		}
	}
	commit(t, work)
	recordGap(t, s, gapOf("orders", 0, 5, 10))
	return s, live
}

// offsets are those from 0 to before an end.
func offsets(end int64) []int64 {
	all := make([]int64, end)
	for i := range all {
		all[i] = int64(i)
	}
	return all
}

func TestReplayAppliesWhatAGapMissesAndNothingElse(t *testing.T) {
	t.Parallel()
	s, live := gapped(t)
	before := progressOf(t, s, "orders")
	counted := events(t, s)
	replay := s.UnitOfWork("orders", store.Options{Replay: true})
	if got, want := run(t, replay, "replay", orders(0, offsets(30)...)), []int64{5, 6, 7, 8, 9}; !slices.Equal(got, want) {
		t.Errorf("applied %v, want %v", got, want)
	}
	if got := run(t, replay, "another", orders(0, offsets(30)...)); got != nil {
		t.Errorf("a second replay applied %v, want nothing", got)
	}
	if got := events(t, s); got != counted+5 {
		t.Errorf("events counted: got %d, want %d", got, counted+5)
	}
	if got := progressOf(t, s, "orders"); !reflect.DeepEqual(got, before) {
		t.Errorf("progress: got %+v, want it as before, %+v", got, before)
	}
	if got := run(t, live, "live", orders(0, 20, 21, 22)); !slices.Equal(got, []int64{20, 21}) {
		t.Errorf("the live member handled %v, want [20 21]: it is not fenced and has lost nothing", got)
	}
	gap := gapOf("orders", 0, 5, 10)
	gap.Replayed = 5
	wantGaps(t, s, store.GapFilter{}, gap)
}

func TestWhatIsAppliedIsKnownByOffset(t *testing.T) {
	t.Parallel()
	s, _ := gapped(t)
	run(t, s.UnitOfWork("orders", store.Options{Replay: true}), "replay", orders(0, 6, 8))
	applied, err := s.Applied(t.Context(), "orders", topic)
	if err != nil {
		t.Fatal(err)
	}
	got := ""
	for _, offset := range offsets(25) {
		switch {
		case applied[0].Has(offset):
			got += "+"
		case applied[0].Missing(offset):
			got += "-"
		default:
			got += "."
		}
	}
	if want := "+++++-+-+-++++++++++..+.."; got != want {
		t.Errorf("offsets: got %s, want %s: + is applied, - is missing, . is the live consumer's", got, want)
	}
	if _, begun := applied[1]; begun {
		t.Error("got something of a partition that nobody has begun with, want nothing")
	}
}

func TestReplayLeavesWhatItGivesUpToTheNextOne(t *testing.T) {
	t.Parallel()
	s, _ := gapped(t)
	replay := s.UnitOfWork("orders", store.Options{Replay: true})
	records := orders(0, 5, 6, 7)
	work := begin(t, replay, "replay", records)
	work.Finish(records[0], record.DeadLettered)
	work.Finish(records[1], record.Skipped)
	work.Finish(records[2], record.Parked)
	commit(t, work)
	if got, want := run(t, replay, "replay", records), []int64{5, 7}; !slices.Equal(got, want) {
		t.Errorf("applied %v, want %v", got, want)
	}
}

func TestOfTwoReplaysOneAppliesARecord(t *testing.T) {
	t.Parallel()
	s, _ := gapped(t)
	records := orders(0, 5, 6)
	counted := events(t, s)
	first := begin(t, s.UnitOfWork("orders", store.Options{Replay: true}), "first", records)
	second := begin(t, s.UnitOfWork("orders", store.Options{Replay: true}), "second", records)
	handle(t, first, records)
	handle(t, second, records)
	commit(t, first)
	if err := second.Commit(t.Context()); !store.Unavailable(err) {
		t.Errorf("the second commit: got %v, want an error that has it tried again", err)
	}
	if got := events(t, s); got != counted+2 {
		t.Errorf("events counted: got %d, want %d", got, counted+2)
	}
}

func TestARecordOfTwoGapsIsAppliedOnce(t *testing.T) {
	t.Parallel()
	s, _ := gapped(t)
	recordGap(t, s, gapOf("orders", 0, 8, 12))
	replay := s.UnitOfWork("orders", store.Options{Replay: true})
	if got, want := run(t, replay, "replay", orders(0, 8, 9, 10)), []int64{8, 9, 10}; !slices.Equal(got, want) {
		t.Errorf("applied %v, want %v", got, want)
	}
	if got, want := run(t, replay, "replay", orders(0, offsets(30)...)), []int64{5, 6, 7, 11}; !slices.Equal(got, want) {
		t.Errorf("applied then %v, want %v", got, want)
	}
}

func TestAGapOfATopicThatIsGoneMissesNothing(t *testing.T) {
	t.Parallel()
	s, live := gapped(t)
	for _, id := range []string{"old", "new"} {
		if err := s.Recognise(t.Context(), map[string]string{topic: id}); err != nil {
			t.Fatal(err)
		}
	}
	run(t, live, "anew", orders(0, offsets(20)...))
	replay := s.UnitOfWork("orders", store.Options{Replay: true})
	if got := run(t, replay, "replay", orders(0, offsets(20)...)); got != nil {
		t.Errorf("applied %v, want nothing: the gap was in another log", got)
	}
	recordGap(t, s, gapOf("orders", 0, 5, 7))
	if got, want := run(t, replay, "replay", orders(0, offsets(20)...)), []int64{5, 6}; !slices.Equal(got, want) {
		t.Errorf("applied %v of a gap of the new log, want %v", got, want)
	}
}

func TestReplayAppendsLinesToFilesOnce(t *testing.T) {
	t.Parallel()
	o := newOutbox(t)
	s, live := o.open(t)
	records := orders(0, 0, 1, 4)
	work := begin(t, live, "live", records)
	appendLines(t, work, records, "day.jsonl")
	commit(t, work)
	recordGap(t, s, gapOf("outbox", 0, 2, 4))
	replay := s.FileUnitOfWork("outbox", o.folder(), store.Options{OpenFiles: 2, Replay: true})
	for range 2 {
		again := orders(0, offsets(6)...)
		work := begin(t, replay, "replay", again)
		appendLines(t, work, again, "day.jsonl")
		commit(t, work)
	}
	var want []string
	for _, offset := range []int64{0, 1, 4, 2, 3} {
		want = append(want, fmt.Sprintf(`{"offset":%d}`, offset))
	}
	if got := o.lines(t, "day.jsonl"); !slices.Equal(got, want) {
		t.Errorf("got lines %v, want %v", got, want)
	}
}
