package progress_test

import (
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
