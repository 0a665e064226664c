package store_test

import (
	"cmp"
	"context"
	"reflect"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/prantikov/millrace/record"
	"github.com/prantikov/millrace/store"
)

// minute is a time of these tests.
func minute(n int) time.Time {
	return time.UnixMilli(1_700_000_000_000).UTC().Add(time.Duration(n) * time.Minute)
}

// note adds parts of journeys in one unit of work, each as one record does.
func note(t testing.TB, unit *store.UnitOfWork, partition int32, offset int64, parts ...store.Journey) {
	t.Helper()
	var records []*record.Record
	for i := range parts {
		records = append(records, orders(partition, offset+int64(i))...)
	}
	work := begin(t, unit, "claim", records)
	for i, part := range parts {
		work.Mark()
		if err := store.Journeys(work.Context(t.Context())).Add(part); err != nil {
			t.Fatal(err)
		}
		work.Finish(records[i], record.Done)
	}
	commit(t, work)
}

// journeys are those that the filter chooses, by id.
func journeys(t testing.TB, s *store.Store, filter store.JourneyFilter) []store.Journey {
	t.Helper()
	var all []store.Journey
	err := s.EachJourney(t.Context(), filter, func(j store.Journey) error {
		all = append(all, j)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	slices.SortFunc(all, func(a, b store.Journey) int { return cmp.Compare(a.ID, b.ID) })
	return all
}

// Ensure parts become one journey, in one unit of work as in several: the earliest time of each step, the weightiest word, of two as weighty
// ones the greater.
func TestPartsBecomeOneJourney(t *testing.T) {
	t.Parallel()
	parts := []store.Journey{
		{Type: "Order", ID: "o", Seen: minute(5), Confirmed: minute(5), Status: store.Word{Text: "b", Weight: 5}},
		{Type: "Order", ID: "o", Seen: minute(3), Created: minute(3), Counterpart: store.Word{Text: "Z", Weight: 3}, Status: store.Word{Text: "a", Weight: 5}},
		{Type: "Order", ID: "o", Seen: minute(4), Confirmed: minute(4), Counterpart: store.Word{Text: "ä", Weight: 4}},
		{Type: "Order", ID: "o", Seen: minute(9), Shipped: minute(9), Completed: minute(9), Cancelled: minute(9), Deleted: minute(9), Counterpart: store.Word{Text: "z", Weight: 4}},
		{Type: "Order", ID: "o", Seen: minute(8), Shipped: minute(8), Completed: minute(10), Created: minute(4)},
	}
	want := []store.Journey{{
		Type: "Order", ID: "o", Counterpart: store.Word{Text: "ä", Weight: 4}, Status: store.Word{Text: "b", Weight: 5}, Seen: minute(3),
		Created: minute(3), Confirmed: minute(4), Shipped: minute(8), Completed: minute(9), Cancelled: minute(9), Deleted: minute(9),
	}}
	for name, together := range map[string]int{"one by one": 1, "two at a time": 2, "all in one": len(parts)} {
		for _, backwards := range []bool{false, true} {
			t.Run(name+" "+strconv.FormatBool(backwards), func(t *testing.T) {
				t.Parallel()
				s := openStore(t, newPlace(t))
				unit := s.UnitOfWork("analytics", store.Options{})
				parts := slices.Clone(parts)
				if backwards {
					slices.Reverse(parts)
				}
				var offset int64
				for chunk := range slices.Chunk(parts, together) {
					note(t, unit, 0, offset, chunk...)
					offset += int64(together)
				}
				if got := journeys(t, s, store.JourneyFilter{Type: "Order"}); !reflect.DeepEqual(got, want) {
					t.Errorf("got %+v, want %+v", got, want)
				}
			})
		}
	}
}

func TestUndonePartIsInNoJourney(t *testing.T) {
	t.Parallel()
	s := openStore(t, newPlace(t))
	records := orders(0, 0, 1, 2)
	work := begin(t, s.UnitOfWork("analytics", store.Options{}), "claim", records)
	ctx := work.Context(t.Context())
	for i, part := range []store.Journey{
		{Type: "Order", ID: "kept", Seen: minute(5), Shipped: minute(5)}, {Type: "Order", ID: "kept", Seen: minute(1), Shipped: minute(1)},
		{Type: "Order", ID: "undone", Seen: minute(1)},
	} {
		work.Mark()
		if err := store.Journeys(ctx).Add(part); err != nil {
			t.Fatal(err)
		}
		if err := store.Counters(ctx).AddFor("doctor", "doc-1", "2024-12-25", topic, "shipped", "", 1); err != nil {
			t.Fatal(err)
		}
		if i > 0 {
			if err := work.Undo(); err != nil {
				t.Fatal(err)
			}
		}
		work.Finish(records[i], record.Done)
	}
	commit(t, work)
	want := []store.Journey{{Type: "Order", ID: "kept", Seen: minute(5), Shipped: minute(5)}}
	if got := journeys(t, s, store.JourneyFilter{Type: "Order"}); !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
	counts, err := s.CountsOf(t.Context(), "doctor", store.CountFilter{})
	if err != nil || len(counts) != 1 || counts[0].N != 1 {
		t.Errorf("got counts %+v %v, want one of 1", counts, err)
	}
}

// Ensure the filter takes a journey with any step in its time, its end not included.
func TestJourneysOfATime(t *testing.T) {
	t.Parallel()
	s := openStore(t, newPlace(t))
	note(t, s.UnitOfWork("analytics", store.Options{}), 0, 0,
		store.Journey{Type: "Order", ID: "early", Seen: minute(1), Created: minute(1)},
		store.Journey{Type: "Order", ID: "across", Seen: minute(1), Created: minute(1), Completed: minute(9)},
		store.Journey{Type: "Order", ID: "late", Seen: minute(10)},
		store.Journey{Type: "Other", ID: "other", Seen: minute(5)},
	)
	tests := []struct {
		name     string
		from, to time.Time
		want     []string
	}{
		{"all of a type", time.Time{}, time.Time{}, []string{"across", "early", "late"}},
		{"from a time on", minute(2), time.Time{}, []string{"across", "late"}},
		{"up to a time, which is not included", time.Time{}, minute(10), []string{"across", "early"}},
		{"from a time on, which is included", minute(10), minute(11), []string{"late"}},
		{"between the steps of all", minute(2), minute(9), nil},
	}
	for _, test := range tests {
		var got []string
		for _, j := range journeys(t, s, store.JourneyFilter{Type: "Order", From: test.from, To: test.to}) {
			got = append(got, j.ID)
		}
		if !slices.Equal(got, test.want) {
			t.Errorf("%s: got %q, want %q", test.name, got, test.want)
		}
	}
}

// Ensure an open journey comes with the entity's state, where there is one, and none that had ended before the time.
func TestOpenJourneysHaveTheirStates(t *testing.T) {
	t.Parallel()
	s := openStore(t, newPlace(t))
	records := orders(0, 0)
	work := begin(t, s.UnitOfWork("orders", store.Options{}), "claim", records)
	store.States(work.Context(t.Context())).Put(store.State{Type: "Order", ID: "open", Status: "pending", Body: []byte(`{"a":1}`), Timestamp: minute(2)})
	work.Finish(records[0], record.Done)
	commit(t, work)
	note(t, s.UnitOfWork("analytics", store.Options{}), 0, 0,
		store.Journey{Type: "Order", ID: "open", Seen: minute(1)},
		store.Journey{Type: "Order", ID: "later\x00", Seen: minute(1), Completed: minute(5)},
		store.Journey{Type: "Order", ID: "completed", Seen: minute(1), Completed: minute(4)},
		store.Journey{Type: "Order", ID: "cancelled", Seen: minute(1), Cancelled: minute(4)},
		store.Journey{Type: "Order", ID: "deleted", Seen: minute(1), Deleted: minute(4)},
		store.Journey{Type: "Order", ID: "begins later", Seen: minute(5)},
	)
	got := map[string]string{}
	err := s.EachOpenJourney(t.Context(), "Order", minute(5), func(open store.OpenJourney) error {
		got[open.ID] = open.State.Type + " " + open.State.Status + " " + string(open.State.Body)
		return nil
	})
	want := map[string]string{"open": `Order pending {"a":1}`, "later\x00": "  "}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got %q %v, want %q", got, err, want)
	}
}

// Ensure journeys that units of several partitions add to at once lose nothing.
func TestUnitsAddToTheSameJourneysAtOnce(t *testing.T) {
	t.Parallel()
	const partitions, rounds, entities = 4, 20, 10
	s := openStore(t, newPlace(t))
	unit := s.UnitOfWork("analytics", store.Options{})
	var all sync.WaitGroup
	for partition := range int32(partitions) {
		all.Go(func() {
			for round := range rounds {
				var parts []store.Journey
				for i := range entities {
					at := minute(100 - round*partitions - int(partition))
					id := strconv.Itoa((i*7 + int(partition)) % entities)
					parts = append(parts, store.Journey{Type: "Order", ID: id, Seen: at, Created: at, Status: store.Word{Text: "x", Weight: at.UnixMilli()}})
				}
				note(t, unit, partition, int64(round*entities), parts...)
			}
		})
	}
	all.Wait()
	got := journeys(t, s, store.JourneyFilter{Type: "Order"})
	if len(got) != entities {
		t.Fatalf("got %d journeys, want %d", len(got), entities)
	}
	for _, j := range got {
		first, last := minute(100-partitions*rounds+1), minute(100).UnixMilli()
		if !j.Created.Equal(first) || j.Status.Weight != last {
			t.Errorf("%s: got created %s, weight %d, want %s, %d", j.ID, j.Created, j.Status.Weight, first, last)
		}
	}
}

// Ensure a reader that was opened beside sees all that is committed while it reads, also in the middle of a long read.
func TestReaderReadsWhileJourneysAreWritten(t *testing.T) {
	t.Parallel()
	place := newPlace(t)
	s := openStore(t, place)
	unit := s.UnitOfWork("analytics", store.Options{})
	note(t, unit, 0, 0, store.Journey{Type: "Order", ID: "0", Seen: minute(1)}, store.Journey{Type: "Order", ID: "1", Seen: minute(1)})
	reader, err := store.OpenReader(t.Context(), place)
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	read := 0
	err = reader.EachJourney(t.Context(), store.JourneyFilter{Type: "Order"}, func(store.Journey) error {
		if read++; read == 1 {
			note(t, unit, 0, 2, store.Journey{Type: "Order", ID: "2", Seen: minute(1)})
		}
		return nil
	})
	if err != nil || read != 2 {
		t.Errorf("a read under way: got %d journeys %v, want the 2 that were there when it began", read, err)
	}
	if got := len(journeys(t, reader, store.JourneyFilter{Type: "Order"})); got != 3 {
		t.Errorf("the next read: got %d journeys, want 3", got)
	}
}

func TestJourneysNeedAUnitOfWork(t *testing.T) {
	t.Parallel()
	if err := store.Journeys(context.Background()).Add(store.Journey{}); err == nil {
		t.Error("got no error outside of a unit of work")
	}
}

// Ensure counts of each counterpart stand beside those of all.
func TestCountsOfEachCounterpart(t *testing.T) {
	t.Parallel()
	s := openStore(t, newPlace(t))
	records := orders(0, 0)
	work := begin(t, s.UnitOfWork("analytics", store.Options{}), "claim", records)
	counters := store.Counters(work.Context(t.Context()))
	for _, who := range []struct{ role, id string }{{"doctor", "d-2"}, {"doctor", "d-1\x00"}, {"doctor", "d-2"}, {"doctor", ""}, {"pharmacy", "d-1"}} {
		if err := counters.AddFor(who.role, who.id, "2024-12-25", topic, "created", "pending", 1); err != nil {
			t.Fatal(err)
		}
	}
	if err := counters.Add("2024-12-25", topic, "created", "pending", 1); err != nil {
		t.Fatal(err)
	}
	work.Finish(records[0], record.Done)
	commit(t, work)
	got, err := s.CountsOf(t.Context(), "doctor", store.CountFilter{Topic: topic, From: "2024-12-25", To: "2024-12-25"})
	count := func(id string, n int64) store.Count {
		return store.Count{Day: "2024-12-25", Counterpart: id, Topic: topic, Action: "created", Status: "pending", N: n}
	}
	if want := []store.Count{count("", 1), count("d-1\x00", 1), count("d-2", 2)}; err != nil || !slices.Equal(got, want) {
		t.Errorf("got %+v %v, want %+v", got, err, want)
	}
	if got := events(t, s); got != 1 {
		t.Errorf("counts of all: got %d, want 1", got)
	}
}
