package store_test

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/prantikov/millrace/store"
	"github.com/prantikov/millrace/store/storetest"
)

var marked = time.Date(2026, 5, 4, 3, 2, 1, 0, time.UTC)

func effectOf(offset int64, part string) store.Effect {
	return store.Effect{Topic: topic, Partition: 3, Offset: offset, Entity: "ord-1\x00", Action: "shipped", Part: part, ID: fmt.Sprintf("msg_%d_%s", offset, part)}
}

func beginEffect(t *testing.T, e *store.Effects, effect store.Effect) store.Mark {
	t.Helper()
	mark, err := e.Begin(effect, marked)
	if err != nil {
		t.Fatal(err)
	}
	return mark
}

func endEffect(t *testing.T, e *store.Effects, effect store.Effect, state store.EffectState) {
	t.Helper()
	if err := e.End(effect, state, marked); err != nil {
		t.Fatal(err)
	}
}

func TestWhatIsKnownOfAnEffect(t *testing.T) {
	t.Parallel()
	const id = "msg_7_patient"
	tests := []struct {
		name string
		// ends are the states with which tries before have ended; empty for one that was begun and never ended.
		ends []store.EffectState
		want store.Mark
	}{
		{"nothing before: it is begun", nil, store.Mark{ID: id, State: store.EffectBegun}},
		{"done is final", []store.EffectState{store.EffectDone}, store.Mark{ID: id, State: store.EffectDone}},
		{"refused is final", []store.EffectState{store.EffectRefused}, store.Mark{ID: id, State: store.EffectRefused}},
		{"parked is final", []store.EffectState{store.EffectParked}, store.Mark{ID: id, State: store.EffectParked}},
		{"one that waits is begun anew", []store.EffectState{store.EffectWaiting}, store.Mark{ID: id, State: store.EffectBegun}},
		{"one whose end nobody knows is in doubt", []store.EffectState{""}, store.Mark{ID: id, State: store.EffectBegun, Doubtful: true}},
		{"and stays so", []store.EffectState{"", ""}, store.Mark{ID: id, State: store.EffectBegun, Doubtful: true}},
		{"a later try that ended says more", []store.EffectState{"", store.EffectDone}, store.Mark{ID: id, State: store.EffectDone}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			place := newPlace(t)
			s := openStore(t, place)
			for _, state := range test.ends {
				beginEffect(t, s.Effects("notification"), effectOf(7, "patient"))
				if state != "" {
					endEffect(t, s.Effects("notification"), effectOf(7, "patient"), state)
				}
			}
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			// What is marked is there for the next process.
			later := effectOf(7, "patient")
			later.ID = "another id"
			if test.ends == nil {
				later.ID = id
			}
			if got := beginEffect(t, openStore(t, place).Effects("notification"), later); got != test.want {
				t.Errorf("got %+v, want %+v", got, test.want)
			}
		})
	}
}

// Ensure an effect is one of a consumer, a position, an entity, an action and a part.
func TestEffectsAreToldApart(t *testing.T) {
	t.Parallel()
	s := openStore(t, newPlace(t))
	marks := s.Effects("notification")
	first := effectOf(7, "patient")
	beginEffect(t, marks, first)
	endEffect(t, marks, first, store.EffectDone)
	for name, change := range map[string]func(*store.Effect){
		"topic": func(e *store.Effect) { e.Topic = "other" }, "partition": func(e *store.Effect) { e.Partition++ },
		"offset": func(e *store.Effect) { e.Offset++ }, "entity": func(e *store.Effect) { e.Entity = "ord-2" },
		"action": func(e *store.Effect) { e.Action = "deleted" }, "part": func(e *store.Effect) { e.Part = "pharmacy" },
	} {
		other := first
		change(&other)
		if got := beginEffect(t, marks, other); got.State != store.EffectBegun || got.Doubtful {
			t.Errorf("another %s: got %+v, want an effect of its own", name, got)
		}
	}
	if got := beginEffect(t, s.Effects("loyalty"), first); got.State != store.EffectBegun || got.Doubtful {
		t.Errorf("another consumer: got %+v, want an effect of its own", got)
	}
}

// Ensure of those who begin one effect at the same time exactly one is not in doubt.
func TestEffectsBegunAtOnce(t *testing.T) {
	t.Parallel()
	s := openStore(t, newPlace(t))
	marks := s.Effects("notification")
	var mutex sync.Mutex
	var beginning sync.WaitGroup
	sure := 0
	for i := range 64 {
		beginning.Go(func() {
			mark, err := marks.Begin(effectOf(int64(i%2), "patient"), marked)
			if err != nil {
				t.Error(err)
			}
			mutex.Lock()
			defer mutex.Unlock()
			if !mark.Doubtful {
				sure++
			}
		})
	}
	beginning.Wait()
	if sure != 2 {
		t.Errorf("got %d who may take it for theirs, want 2: one for each effect", sure)
	}
}

func TestMarksOfEffectsThatEndedLongAgoAreForgotten(t *testing.T) {
	t.Parallel()
	s := openStore(t, newPlace(t))
	marks := s.Effects("notification")
	const many = 2500 // more than one transaction drops
	var marking sync.WaitGroup
	for i := range many {
		marking.Go(func() {
			effect := effectOf(int64(i), "patient")
			if _, err := marks.Begin(effect, marked); err != nil {
				t.Error(err)
			}
			if err := marks.End(effect, store.EffectDone, marked); err != nil {
				t.Error(err)
			}
		})
	}
	marking.Wait()
	open, waiting, young := effectOf(5000, "patient"), effectOf(5001, "patient"), effectOf(5002, "patient")
	beginEffect(t, marks, open)
	beginEffect(t, marks, waiting)
	endEffect(t, marks, waiting, store.EffectWaiting)
	beginEffect(t, marks, young)
	if err := marks.End(young, store.EffectDone, marked.Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	dropped, err := marks.Forget(t.Context(), marked.Add(time.Minute))
	if err != nil || dropped != many {
		t.Errorf("got %d dropped and %v, want %d", dropped, err, many)
	}
	if got := beginEffect(t, marks, open); !got.Doubtful {
		t.Errorf("one whose end nobody knows: got %+v, want it in doubt still", got)
	}
	if got := beginEffect(t, marks, young); got.State != store.EffectDone {
		t.Errorf("one that ended later: got %+v, want it done", got)
	}
	if got := beginEffect(t, marks, effectOf(0, "patient")); got.State != store.EffectBegun || got.Doubtful {
		t.Errorf("one that was forgotten: got %+v, want it unknown", got)
	}
}

// Ensure the marks of a topic go with it when it is made anew: its positions mean other records.
func TestMarksAreOfOneTopicsId(t *testing.T) {
	t.Parallel()
	s := openStore(t, newPlace(t))
	marks := s.Effects("notification")
	recognise := func(id string) {
		t.Helper()
		if err := s.Recognise(t.Context(), map[string]string{topic: id}); err != nil {
			t.Fatal(err)
		}
	}
	recognise("one")
	beginEffect(t, marks, effectOf(7, "patient"))
	endEffect(t, marks, effectOf(7, "patient"), store.EffectDone)
	recognise("one")
	if got := beginEffect(t, marks, effectOf(7, "patient")); got.State != store.EffectDone {
		t.Errorf("the same topic: got %+v, want it done", got)
	}
	recognise("two")
	if got := beginEffect(t, marks, effectOf(7, "patient")); got.State != store.EffectBegun || got.Doubtful {
		t.Errorf("a topic of that name that was made anew: got %+v, want it unknown", got)
	}
}

func TestMarksOfAStoreThatIsAwayAreUnavailable(t *testing.T) {
	t.Parallel()
	s := openStore(t, newPlace(t))
	marks := s.Effects("notification")
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := marks.Begin(effectOf(7, "patient"), marked); !store.Unavailable(err) {
		t.Errorf("begin: got %v, want it unavailable", err)
	}
	if err := marks.End(effectOf(7, "patient"), store.EffectDone, marked); !store.Unavailable(err) {
		t.Errorf("end: got %v, want it unavailable", err)
	}
	if _, err := marks.Forget(t.Context(), marked); !store.Unavailable(err) {
		t.Errorf("forget: got %v, want it unavailable", err)
	}
}

// BenchmarkEffects marks the intent and the outcome of effects, many side by side.
func BenchmarkEffects(b *testing.B) {
	s, err := store.Open(b.Context(), storetest.Place(b, b.TempDir()), nil)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = s.Close() })
	marks := s.Effects("notification")
	var next sync.Mutex
	offset := int64(0)
	b.SetParallelism(32)
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			next.Lock()
			effect := effectOf(offset, "patient")
			offset++
			next.Unlock()
			if _, err := marks.Begin(effect, marked); err != nil {
				b.Error(err)
			}
			if err := marks.End(effect, store.EffectDone, marked); err != nil {
				b.Error(err)
			}
		}
	})
}
