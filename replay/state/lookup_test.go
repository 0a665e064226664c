package state_test

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prantikov/millrace/messages"
	"github.com/prantikov/millrace/record"
	"github.com/prantikov/millrace/replay/state"
	"github.com/prantikov/millrace/router"
	"github.com/prantikov/millrace/store"
)

func byTime(log *memoryLog) []*record.Record {
	all := slices.Concat(log.partitions...)
	slices.SortStableFunc(all, func(a, b *record.Record) int { return a.Timestamp.Compare(b.Timestamp) })
	return all
}

func about(id string) state.Question {
	return state.Question{Name: "order", Type: messages.Orders, ID: id, Offset: -1, Partition: -1}
}

// Ensure one partition is read where the log proves that it has all of the key, and all of them where partitions were added or keys are elsewhere.
func TestPartitionsThatAreRead(t *testing.T) {
	t.Parallel()
	many := func(keys, partitions int) *memoryLog {
		log := newLog(partitions)
		for i := range keys {
			id := fmt.Sprintf("ord-%02d", i)
			log.add(t, id, order(id, "created", "pending"), noon, partitions, 0)
		}
		return log
	}
	elsewhere := many(40, 3)
	stray := *elsewhere.partitions[0][0]
	stray.Position = record.Position{Topic: topic, Partition: 1, Offset: 1}
	elsewhere.partitions[1][1] = &stray
	tests := map[string]struct {
		log  *memoryLog
		rule router.KeyRule
		key  string
		want int
	}{
		"every key is in its place":            {log: many(200, 3), want: 1},
		"short partitions are looked at whole": {log: many(3, 3), want: 1},
		"partitions were added":                {log: grownLog(t), want: 5},
		"another partitioner":                  {log: elsewhere, want: 3},
		"the key is a patient":                 {log: many(200, 3), rule: router.KeyPatient, want: 3},
		"the key is given":                     {log: many(200, 3), rule: router.KeyPatient, key: "ord-00", want: 1},
		"keys say nothing":                     {log: many(200, 3), rule: router.KeyAny, want: 3},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			of := orderTopic(t).Topic
			of.Key = test.rule
			found, read, err := state.FromLog(t.Context(), test.log, of, test.key, about("ord-00"))
			if err != nil || len(read) != test.want || found.Last().ID != "ord-00" {
				t.Errorf("got %+v from the partitions %v, %v, want it from %d", found, read, err, test.want)
			}
			whole := 0
			for _, times := range test.log.read {
				whole = max(whole, times)
			}
			if test.want == 1 && whole != 2 {
				t.Errorf("got %v reads, want each partition's beginning, and one whole", test.log.read)
			}
		})
	}
}

// Ensure the log says what the store says also of an entity that has changed its partition.
func TestEntityInSeveralPartitions(t *testing.T) {
	t.Parallel()
	log, l := grownLog(t), openLive(t, newPlace(t))
	t.Cleanup(l.close)
	for _, r := range byTime(log) {
		l.deliver(r)
	}
	moved := 0
	for i := range 30 {
		q := about(fmt.Sprintf("ord-%02d", i))
		stored, err := state.FromStore(t.Context(), l.store, q)
		if err != nil {
			t.Fatal(err)
		}
		read, _, err := state.FromLog(t.Context(), log, orderTopic(t).Topic, "", q)
		if err != nil || shown(t, stored) != shown(t, read) || len(read) != 4 {
			t.Errorf("%s: the store says %s, the log %s %v", q.ID, shown(t, stored), shown(t, read), err)
		}
		if stored[0].Partition == stored.Last().Partition {
			continue
		}
		moved++
		q.Offset = stored[1].Offset
		if _, err := state.FromStore(t.Context(), l.store, q); !errors.Is(err, state.ErrPartition) {
			t.Errorf("%s: got %v for an offset alone, want that it needs its partition", q.ID, err)
		}
		q.Partition = stored[1].Partition
		if at, err := state.FromStore(t.Context(), l.store, q); err != nil || at.Last().Action != "updated" || len(at) != 2 {
			t.Errorf("%s: got %+v %v, want it as of its second change", q.ID, at, err)
		}
	}
	if moved == 0 {
		t.Error("no order has moved to another partition, want some")
	}
}

// Ensure a late event counts from its place in the log on, and not from its own time.
func TestMoments(t *testing.T) {
	t.Parallel()
	log, l := newLog(1), openLive(t, newPlace(t))
	t.Cleanup(l.close)
	for i, step := range []struct {
		action, status string
		minute         int
	}{{"created", "pending", 0}, {"shipped", "shipped", 10}, {"updated", "shipped", 5}, {"delivered", "delivered", 20}} {
		log.add(t, "ord-1", order("ord-1", step.action, step.status), noon.Add(time.Duration(step.minute)*time.Minute), 1, int64(i))
	}
	l.deliver(log.partitions[0]...)
	minute := func(n int) state.Question {
		q := about("ord-1")
		q.At = noon.Add(time.Duration(n) * time.Minute)
		return q
	}
	offset := func(n int64) state.Question {
		q := about("ord-1")
		q.Offset = n
		return q
	}
	tests := map[string]struct {
		q    state.Question
		want string // the changes' actions
	}{
		"now":                                  {about("ord-1"), "created shipped updated delivered"},
		"the time of the first":                {minute(0), "created"},
		"before the first":                     {minute(-1), ""},
		"the late one is the last of its time": {minute(5), "created shipped updated"},
		"between":                              {minute(12), "created shipped updated"},
		"after all":                            {minute(60), "created shipped updated delivered"},
		"the offset of the second":             {offset(2), "created shipped"},
		"an offset that has no record":         {offset(3), "created shipped"},
		"an offset beyond":                     {offset(99), "created shipped updated delivered"},
		"another entity":                       {about("ord-2"), ""},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			stored, err := state.FromStore(context.Background(), l.store, test.q)
			var actions []string
			for _, change := range stored {
				actions = append(actions, change.Action)
			}
			if got := strings.Join(actions, " "); got != test.want || (test.want == "") != errors.Is(err, state.ErrNone) {
				t.Errorf("got %q %v, want %q", got, err, test.want)
			}
			read, _, readErr := state.FromLog(context.Background(), log, orderTopic(t).Topic, "", test.q)
			if shown(t, read) != shown(t, stored) || fmt.Sprint(err) != fmt.Sprint(readErr) {
				t.Errorf("the log says %s %v, the store %s %v", shown(t, read), readErr, shown(t, stored), err)
			}
		})
	}
}

// Ensure nothing that is patient data, or may be, is in what is shown.
func TestViewHidesPatientData(t *testing.T) {
	t.Parallel()
	change := store.Change{Revision: 1, State: store.State{Type: "OrderEvent", ID: "ord-1", Topic: topic}}
	tests := map[string]struct {
		body           string
		want, revealed messages.Body
		event, whole   string
	}{
		"an event":  {`{"orderId":"ord-1","patientId":"secret"}`, messages.BodyMasked, messages.BodyRevealed, `{"orderId":"ord-1","patientId":"•••"}`, `{"orderId":"ord-1","patientId":"secret"}`},
		"no event":  {`secret`, messages.BodyHidden, messages.BodyRevealed, "", "secret"},
		"no body":   {"", messages.BodyEmpty, messages.BodyEmpty, "", ""},
		"a surplus": {`{"orderId":"ord-1","secret":"secret"}`, messages.BodyMasked, messages.BodyRevealed, `{"orderId":"ord-1","•••":"•••"}`, `{"orderId":"ord-1","secret":"secret"}`},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			of := change
			of.Body = []byte(test.body)
			masked, whole := state.Show(messages.Orders, of), state.Reveal(messages.Orders, of)
			if masked.Body != test.want || string(masked.Event) != test.event || masked.Raw != nil {
				t.Errorf("got %s %s %q, want %s %s", masked.Body, masked.Event, masked.Raw, test.want, test.event)
			}
			if got := cmp.Or(string(whole.Event), string(whole.Raw)); whole.Body != test.revealed || got != test.whole {
				t.Errorf("revealed: got %s %s, want %s %s", whole.Body, got, test.revealed, test.whole)
			}
		})
	}
}
