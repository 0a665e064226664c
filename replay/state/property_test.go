package state_test

import (
	"context"
	"encoding/json"
	"fmt"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/prantikov/millrace/messages"
	"github.com/prantikov/millrace/replay/state"
	"github.com/prantikov/millrace/store/storetest"
)

// Ensure that, whatever a log has and however it was delivered (partitions in any order, batches of any size, again, with failures that are tried again
// and keys that wait), the log and the store give the same answer about every entity, now and as it was, and that the rebuilt tables are the
// store's, byte for byte, as far as the consumer is.
func TestLogAndStoreSayTheSame(t *testing.T) {
	t.Parallel()
	directory, run := t.TempDir(), 0
	rapid.Check(t, func(r *rapid.T) {
		run++
		log := drawLog(r)
		l := openLive(r, storetest.Place(t, filepath.Join(directory, strconv.Itoa(run))))
		defer l.close()
		l.every = rapid.IntRange(0, 5).Draw(r, "every so-manieth try fails")
		if l.every == 1 {
			l.every = 2
		}
		held := rapid.SampledFrom(ids).Draw(r, "a key that waits")
		l.held[held] = true
		deliverAll(r, l, log)
		if rapid.IntRange(0, 3).Draw(r, "rebuild while a key waits") == 0 {
			same(r, l, log)
		}
		clear(l.held)
		l.settle()
		if rapid.IntRange(0, 3).Draw(r, "rebuild") == 0 {
			same(r, l, log)
			same(r, l, log)
		}
		for _, id := range ids {
			compareAnswers(r, l, log, id)
		}
	})
}

var ids = []string{"ord-1", "ord-2", "ord-3", "ord-4"}

// drawLog has orders' events with statuses that may and may not follow, late ones, repeated ones, bad ones, and holes.
func drawLog(r *rapid.T) *memoryLog {
	log := newLog(rapid.IntRange(1, 3).Draw(r, "partitions"))
	actions := []string{"created", "updated", "shipped", "delivered", "deleted"}
	statuses := []string{"pending", "processing", "shipped", "delivered"}
	for i := range rapid.IntRange(0, 25).Draw(r, "records") {
		id := rapid.SampledFrom(ids).Draw(r, "id")
		value := order(id, rapid.SampledFrom(actions).Draw(r, "action"), rapid.SampledFrom(statuses).Draw(r, "status"))
		if rapid.IntRange(0, 9).Draw(r, "bad") == 0 {
			value = value[1:]
		}
		at := noon.Add(time.Duration(i-rapid.IntRange(0, 6).Draw(r, "late")) * time.Second)
		copies := rapid.SampledFrom([]int{1, 1, 1, 2}).Draw(r, "copies")
		for range copies {
			log.add(r, id, value, at, len(log.partitions), rapid.SampledFrom([]int64{0, 0, 0, 1, 3}).Draw(r, "hole"))
		}
	}
	return log
}

// deliverAll delivers every partition to its end, one batch of one of them after another, and some batches again.
func deliverAll(r *rapid.T, l *live, log *memoryLog) {
	next := make([]int, len(log.partitions))
	for left := true; left; {
		left = false
		for i, of := range log.partitions {
			count := rapid.IntRange(0, 4).Draw(r, "batch")
			end := min(next[i]+count, len(of))
			l.deliver(of[next[i]:end]...)
			if rapid.IntRange(0, 3).Draw(r, "again") == 0 {
				l.deliver(of[next[i]:end]...)
			}
			next[i] = end
			left = left || end < len(of)
		}
	}
}

// same wants the rebuilt tables to be the store's, also when they are put in place.
func same(r *rapid.T, l *live, log *memoryLog) {
	before := l.dump()
	compared, err := l.rebuild(log, true, nil)
	if err != nil {
		r.Fatal(err)
	}
	if !compared.Same() || compared.Live != compared.Rebuilt {
		r.Fatalf("got %+v, want the two to be the same", compared)
	}
	if after := l.dump(); after != before {
		r.Fatalf("got\n%s, want\n%s", after, before)
	}
}

// compareAnswers asks the store and the log for the state of an entity now and as it was, and for its history.
func compareAnswers(r *rapid.T, l *live, log *memoryLog, id string) {
	entities := orderTopic(r)
	q := state.Question{Name: "order", Type: messages.Orders, ID: id, Offset: -1, Partition: -1}
	at, before := q, q
	at.At = noon.Add(time.Duration(rapid.IntRange(-6, 25).Draw(r, "seconds")) * time.Second)
	before.Offset = rapid.Int64Range(0, 40).Draw(r, "offset")
	for _, q := range []state.Question{q, at, before} {
		stored, storedErr := state.FromStore(context.Background(), l.store, q)
		read, _, readErr := state.FromLog(context.Background(), log, entities.Topic, "", q)
		if fmt.Sprint(storedErr) != fmt.Sprint(readErr) || shown(r, stored) != shown(r, read) {
			r.Fatalf("%+v: the store says %s %v, the log %s %v", q, shown(r, stored), storedErr, shown(r, read), readErr)
		}
	}
}

// shown is what a command prints of changes.
func shown(t fataler, changes state.Changes) string {
	text := ""
	for _, change := range changes {
		line, err := json.Marshal(state.Reveal(messages.Orders, change))
		if err != nil {
			t.Fatal(err)
		}
		text += string(line) + "\n"
	}
	return text
}
