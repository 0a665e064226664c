package progress_test

import (
	"maps"
	"testing"

	"github.com/prantikov/millrace/progress"
	"github.com/prantikov/millrace/record"
)

func TestPassedOffsetsAreBehindTheFrontierOnceAllBeforeThemIsFinished(t *testing.T) {
	t.Parallel()
	p := progress.New(3, progress.DoneSet{}, false)
	at := func(offset int64) *record.Record { return &record.Record{Position: record.Position{Offset: offset}} }
	want := func(what string, frontier, next int64) {
		t.Helper()
		if p.Frontier() != frontier || p.Next() != next {
			t.Errorf("%s: got frontier %d and next %d, want %d and %d", what, p.Frontier(), p.Next(), frontier, next)
		}
	}
	p.Pass(5)
	want("nothing in flight", 5, 5)
	p.Deliver(at(5))
	p.Deliver(at(6))
	p.Pass(20)
	want("two in flight", 5, 20)
	p.Pass(10)
	want("passed already", 5, 20)
	if p.Deliver(at(12)) != progress.Known {
		t.Error("a record that was passed was to be handled")
	}
	p.Finish(6)
	want("the first in flight", 5, 20)
	p.Finish(5)
	want("all finished", 20, 20)
}

func TestKnownRecordsAreFinishedWithoutBeingHandedOver(t *testing.T) {
	t.Parallel()
	var done progress.DoneSet
	done.Add(2)
	p := progress.New(0, done, false)
	at := func(offset int64) *record.Record { return &record.Record{Position: record.Position{Offset: offset}} }
	news := map[int64]bool{}
	news[0] = p.Known(0)
	if p.Frontier() != 1 {
		t.Errorf("nothing in flight: got frontier %d, want 1", p.Frontier())
	}
	p.Deliver(at(1))
	for _, offset := range []int64{2, 3, 4, 4} {
		news[offset] = p.Known(offset)
	}
	p.Deliver(at(5))
	if got, want := p.Done().String(), "2-4"; p.Frontier() != 1 || got != want {
		t.Errorf("one in flight: got frontier %d and done set %s, want 1 and %s", p.Frontier(), got, want)
	}
	p.Finish(1)
	if p.Frontier() != 5 {
		t.Errorf("finished: got frontier %d, want 5", p.Frontier())
	}
	if want := map[int64]bool{0: true, 2: false, 3: true, 4: false}; !maps.Equal(news, want) {
		t.Errorf("got news %v, want %v: 2 was finished by a former owner, and 4 came twice", news, want)
	}
}
