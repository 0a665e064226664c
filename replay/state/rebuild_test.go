package state_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"strings"
	"testing"
	"time"

	"github.com/prantikov/millrace/record"
	"github.com/prantikov/millrace/replay/state"
	"github.com/prantikov/millrace/store"
)

// twenty orders, each with a creation and a delivery, in two partitions.
func twentyOrders(t *testing.T) *memoryLog {
	t.Helper()
	log := newLog(2)
	for _, action := range []string{"created", "delivered"} {
		for i := range 20 {
			log.add(t, fmt.Sprintf("ord-%02d", i), order(fmt.Sprintf("ord-%02d", i), action, map[string]string{"created": "pending", "delivered": "delivered"}[action]), noon, 2, 0)
		}
	}
	return log
}

func delivered(t *testing.T, place string, log *memoryLog) *live {
	t.Helper()
	l := openLive(t, place)
	t.Cleanup(l.close)
	for _, of := range log.partitions {
		l.deliver(of...)
	}
	return l
}

// Ensure what somebody has spoiled is found, named, and put right byte for byte, and that a plan changes nothing.
func TestSpoiledTablesArePutRight(t *testing.T) {
	t.Parallel()
	log, place := twentyOrders(t), newPlace(t)
	l := delivered(t, place, log)
	want := l.dump()
	spoil(t, place,
		"DELETE FROM entities WHERE id = 'ord-03'",
		"UPDATE entities SET status = 'pending' WHERE id = 'ord-05'",
		"UPDATE entity_history SET body = '{}' WHERE id = 'ord-07' AND revision = 1",
		"DELETE FROM entity_history WHERE id = 'ord-09' AND revision = 2",
		"UPDATE entities SET id = 'nobody' WHERE id = 'ord-11'",
	)
	spoiled := l.dump()
	compared := store.Comparison{
		Type: "OrderEvent", Live: 19, Rebuilt: 20, Missing: 2, Extra: 1, Different: 3,
		First: []store.Difference{{ID: "nobody", How: store.HowExtra}, {ID: "ord-03", How: store.HowMissing}, {ID: "ord-05", How: store.HowDifferent}, {ID: "ord-07", How: store.HowDifferent}, {ID: "ord-09", How: store.HowDifferent}},
	}
	for _, swap := range []bool{false, true} {
		got, err := l.rebuild(log, swap, nil)
		if err != nil {
			t.Fatal(err)
		}
		if fmt.Sprint(got) != fmt.Sprint(compared) {
			t.Errorf("got %+v, want %+v", got, compared)
		}
		if expected := map[bool]string{false: spoiled, true: want}[swap]; l.dump() != expected {
			t.Errorf("swap %t: got\n%s, want\n%s", swap, l.dump(), expected)
		}
	}
	if got, err := l.rebuild(log, true, nil); err != nil || !got.Same() {
		t.Errorf("again: got %+v %v, want the two to be the same", got, err)
	}
}

// Ensure a member that goes on meanwhile is caught up with, and that a unit of work which it has begun before is begun anew on what is there then.
func TestMemberGoesOnMeanwhile(t *testing.T) {
	t.Parallel()
	log, place := twentyOrders(t), newPlace(t)
	l := delivered(t, place, log)
	spoil(t, place, "UPDATE entities SET status = 'pending' WHERE id = 'ord-05'")
	beside, err := l.store.Beside(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = beside.Drop(context.Background()) })
	rebuild, err := state.NewRebuild(state.Rebuilding{Log: log, Live: l.store, Beside: beside, Entities: []state.Entities{orderTopic(t)}})
	if err != nil {
		t.Fatal(err)
	}
	if err := rebuild.Run(t.Context()); err != nil {
		t.Fatal(err)
	}

	deleted := log.add(t, "ord-05", order("ord-05", "deleted", ""), noon, 2, 0)
	l.deliver(deleted)
	last := log.add(t, "ord-05", order("ord-05", "deleted", ""), noon, 2, 0)
	begun, err := l.store.UnitOfWork("orders", store.Options{}).Begin(t.Context(), "next claim", []*record.Record{last})
	if err != nil {
		t.Fatal(err)
	}
	states := store.States(begun.Context(t.Context()))
	seen, _, err := states.Get("OrderEvent", "ord-05")
	if err != nil {
		t.Fatal(err)
	}
	states.Put(seen)
	begun.Finish(last, record.Done)

	compared, err := rebuild.Compare(t.Context(), true)
	if err != nil {
		t.Fatal(err)
	}
	if compared[0].Different != 1 || compared[0].Missing+compared[0].Extra != 0 {
		t.Errorf("got %+v, want one to be different", compared[0])
	}
	if err := begun.Commit(t.Context()); !store.Unavailable(err) {
		t.Errorf("got %v of the unit of work that was begun before, want it refused", err)
	}
	if now, _, err := l.store.Latest(t.Context(), "OrderEvent", "ord-05"); err != nil || now.Status != "delivered" || !now.Deleted || now.Revision != 3 {
		t.Errorf("got %+v %v, want the rebuilt order, deleted", now, err)
	}
}

// Ensure records that retention has deleted come from the archive, and that without them nothing is guessed.
func TestLostRecords(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		// kept are the offsets that the archive has of each partition; nil for no archive.
		kept   func(offset int64) bool
		accept bool
		want   string
		left   int64
	}{
		"no archive has them":                     {want: "retention has deleted what was before, and no archive has it"},
		"the archive has them":                    {kept: func(int64) bool { return true }},
		"a marker of a transaction is no record":  {kept: func(offset int64) bool { return offset != 2 }, left: 1},
		"the archive lacks the first ones":        {kept: func(offset int64) bool { return offset > 1 }, want: "neither the log nor the archive has all records before offset 2"},
		"the archive has a hole":                  {kept: func(offset int64) bool { return offset != 2 && offset != 3 }, want: "neither the log nor the archive"},
		"the archive ends too early":              {kept: func(offset int64) bool { return offset < 2 }, want: "neither the log nor the archive has all records before offset 5"},
		"what was lost is accepted":               {accept: true, left: 10},
		"an archive that lacks some, is accepted": {kept: func(offset int64) bool { return offset > 1 }, accept: true, left: 4},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			log := twentyOrders(t)
			l := delivered(t, newPlace(t), log)
			before := l.dump()
			log.starts[0], log.starts[1] = 5, 5
			got, err := l.rebuild(log, true, func(settings *state.Rebuilding) {
				settings.AcceptLost = test.accept
				if test.kept != nil {
					settings.Older = archiveOf(log, test.kept)
				}
			})
			if test.want != "" {
				if !errors.Is(err, state.ErrLost) || !strings.Contains(err.Error(), test.want) {
					t.Errorf("got %v, want %q", err, test.want)
				}
			} else if err != nil {
				t.Fatal(err)
			}
			if test.left == 0 && got.Left != 0 || l.dump() != before && name != "a marker of a transaction is no record" {
				t.Errorf("got %+v and tables that differ %t, want them as they were", got, l.dump() != before)
			}
			if test.accept && got.Left != test.left {
				t.Errorf("got %d entities left as they are, want %d", got.Left, test.left)
			}
		})
	}
}

// archiveOf has the records of a log that are kept.
func archiveOf(log *memoryLog, kept func(offset int64) bool) state.Older {
	return func(_ context.Context, _ string, partition int32, before int64) iter.Seq2[*record.Record, error] {
		return func(yield func(*record.Record, error) bool) {
			for _, r := range log.partitions[partition] {
				if r.Offset < before && kept(r.Offset) && !yield(r, nil) {
					return
				}
			}
		}
	}
}

// Ensure a log that is shorter than the consumer's progress is no log of its tables.
func TestAnotherLogIsRefused(t *testing.T) {
	t.Parallel()
	log := twentyOrders(t)
	l := delivered(t, newPlace(t), log)
	log.partitions[0] = log.partitions[0][:3]
	if _, err := l.rebuild(log, true, nil); err == nil || !strings.Contains(err.Error(), "it is another log") {
		t.Errorf("got %v, want a refusal", err)
	}
}

// Ensure an entity whose partition changed when some were added is rebuilt in the order of time.
func TestPartitionsWereAdded(t *testing.T) {
	t.Parallel()
	log, l := grownLog(t), openLive(t, newPlace(t))
	t.Cleanup(l.close)
	for _, r := range byTime(log) {
		l.deliver(r)
	}
	before := l.dump()
	got, err := l.rebuild(log, true, nil)
	if err != nil || !got.Same() || l.dump() != before {
		t.Errorf("got %+v %v, want the two to be the same", got, err)
	}
}

// grownLog had two partitions for a while, and has five now.
func grownLog(t *testing.T) *memoryLog {
	t.Helper()
	log := newLog(5)
	at := noon
	for _, step := range []struct {
		action, status string
		among          int
	}{{"created", "pending", 2}, {"updated", "processing", 2}, {"shipped", "shipped", 5}, {"delivered", "delivered", 5}} {
		for i := range 30 {
			at = at.Add(time.Second)
			log.add(t, fmt.Sprintf("ord-%02d", i), order(fmt.Sprintf("ord-%02d", i), step.action, step.status), at, step.among, 0)
		}
	}
	return log
}
