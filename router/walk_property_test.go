package router_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/prantikov/millrace/messages"
	"github.com/prantikov/millrace/record"
	"github.com/prantikov/millrace/router"
)

// plan is what a consumer's function does with one record.
type plan struct {
	// away is how often what it needs is away at first, fails how often it fails then; panics makes those failures panics.
	away, fails int
	panics      bool
	// takes is how long each try takes; beyond the timeout it obeys its context, and fails.
	takes time.Duration
	// last is how it ends: done, skipped or dead-lettered.
	last record.Outcome
}

// world is a log with a plan for each record, and how it is handed over.
type world struct {
	plans       []plan
	keys        []string
	durable     bool
	together    bool
	warm        bool
	concurrency int
	owners      int
	seed        uint64
	// refused is how often a dead letter, and a commit, is refused at first.
	refusedLetters, refusedCommits int
}

const tryTimeout = 300 * time.Millisecond

func drawWorld(t *rapid.T) world {
	w := world{
		durable: rapid.IntRange(0, 3).Draw(t, "durable") == 0, together: rapid.IntRange(0, 5).Draw(t, "together") == 0, warm: rapid.Bool().Draw(t, "warm"),
		concurrency: rapid.IntRange(1, 6).Draw(t, "concurrency"), owners: rapid.IntRange(0, 3).Draw(t, "owners"), seed: rapid.Uint64().Draw(t, "seed"),
		refusedLetters: rapid.IntRange(0, 4).Draw(t, "refused letters"), refusedCommits: rapid.IntRange(0, 2).Draw(t, "refused commits"),
	}
	// Most records are good and quick, as in life; a draw for each field of each would only be slower.
	random := rand.New(rand.NewPCG(w.seed, 1))
	for range rapid.IntRange(1, 80).Draw(t, "records") {
		p := plan{last: record.Done}
		if random.IntN(3) == 0 {
			p.takes = []time.Duration{0, time.Millisecond, 20 * time.Millisecond, 70 * time.Millisecond, time.Second}[random.IntN(5)]
			p.last = []record.Outcome{record.Done, record.Done, record.Skipped, record.DeadLettered}[random.IntN(4)]
			p.fails, p.panics, p.away = random.IntN(6), random.IntN(2) == 0, max(random.IntN(6)-3, 0)
		}
		w.plans = append(w.plans, p)
		w.keys = append(w.keys, fmt.Sprintf("k%d", random.IntN(1+random.IntN(9))))
	}
	return w
}

// wants is how a record must end: four failures, timeouts too, are a dead letter.
func (w *world) wants(offset int64) record.Outcome {
	p := w.plans[offset]
	if p.fails >= 4 || p.takes > tryTimeout {
		return record.DeadLettered
	}
	return p.last
}

// actor does what the plans say, and notes how often.
type actor struct {
	diary
	world *world

	mu   sync.Mutex
	away map[int64]int
	// failed counts the failures of a record; it begins anew with a next owner, who knows nothing of it, so it is never above the plan's.
	failed  map[int64]int
	effects map[int64]int
}

func (a *actor) act(ctx context.Context, e messages.Event[messages.AppointmentEvent]) error {
	if e.EntityID == "warm" {
		return nil
	}
	a.enter(e.EntityID, e.Offset)
	defer a.leave(e.EntityID)
	p := a.world.plans[e.Offset]
	select {
	case <-time.After(p.takes):
	case <-ctx.Done():
		return ctx.Err()
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	switch {
	case a.away[e.Offset] < p.away:
		a.away[e.Offset]++
		return router.Unavailable(errors.New("away"))
	case p.fails >= 4 || a.failed[e.Offset] < p.fails:
		a.failed[e.Offset]++
		if p.panics {
			panic("broken")
		}
		return errors.New("broken")
	case p.last == record.Skipped:
		return router.Skip("planned")
	case p.last == record.DeadLettered:
		return router.Permanent(errors.New("broken"))
	}
	a.effects[e.Offset]++
	if work, ok := ctx.Value(workKey{}).(*memoryWork); ok {
		work.effects = append(work.effects, fmt.Sprint(e.Offset))
	}
	return nil
}

// live runs the world and returns what is wrong with it.
func (w *world) live(t *testing.T) []string {
	letters, unit := &flakyLetters{refuse: w.refusedLetters}, &memory{finished: map[int64]bool{}}
	a := &actor{world: w, away: map[int64]int{}, failed: map[int64]int{}, effects: map[int64]int{}}
	options := []router.Option{handles(a.act)}
	if w.durable {
		options = append(options, router.WithUnitOfWork(unit))
	}
	walker := walkerOf(t, router.Settings{DeadLetters: letters}, router.ConsumerSettings{Concurrency: w.concurrency, Together: w.together, Timeout: tryTimeout}, options...)
	if w.warm && !w.durable && !w.together {
		warm(t, walker)
	}
	unit.committed, unit.finished = nil, map[int64]bool{}
	for range w.refusedCommits {
		unit.refuse = append(unit.refuse, errors.New("the store is away"))
	}
	s := &source{walker: walker, random: rand.New(rand.NewPCG(w.seed, 2)), together: w.together, serial: w.durable, owners: w.owners}
	for offset, key := range w.keys {
		s.log = append(s.log, keyed(t, key, int64(offset)))
	}
	s.run()
	return append(s.wrong, w.judge(s, a, letters, unit)...)
}

// judge compares what became of the records with what was planned.
func (w *world) judge(s *source, a *actor, letters *flakyLetters, unit *memory) (wrong []string) {
	say := func(format string, values ...any) { wrong = append(wrong, fmt.Sprintf(format, values...)) }
	lettered, committed := map[int64]int{}, map[string]int{}
	for _, letter := range letters.written {
		lettered[letter.Record.Offset]++
	}
	for _, effect := range unit.committed {
		committed[effect]++
	}
	for offset := range int64(len(w.plans)) {
		want := w.wants(offset)
		if got, ended := s.ends[offset]; !ended || got != want {
			say("%d ended as %s (%t), want %s: %+v", offset, got, ended, want, w.plans[offset])
		}
		// A letter is written before the commit. When that is refused and the partition is given away meanwhile, the next owner knows of none.
		again := w.durable && w.refusedCommits > 0 && w.owners > 0
		if got, due := lettered[offset], btoi(want == record.DeadLettered); got < due || got > due && (due == 0 || !again) {
			say("%d has %d dead letters, want %d", offset, got, due)
		}
		due := btoi(want == record.Done)
		if got := a.effects[offset]; !w.durable && got != due {
			say("%d had %d effects, want %d", offset, got, due)
		}
		if got := committed[fmt.Sprint(offset)]; w.durable && got != due {
			say("%d has %d committed effects, want %d", offset, got, due)
		}
	}
	last := map[string]int64{}
	for _, offset := range s.order {
		key := w.keys[offset]
		if w.together {
			key = ""
		}
		if before, had := last[key]; had && before > offset {
			say("key %q: %d ended after %d", key, offset, before)
		}
		last[key] = offset
	}
	if len(a.broken) > 0 {
		say("two records at once of the keys %v", a.broken)
	}
	limit := w.concurrency
	if w.durable || w.together {
		limit = 1
	}
	if most := a.most(); most > limit {
		say("%d records side by side, want at most %d", most, limit)
	}
	return wrong
}

func btoi(is bool) int {
	if is {
		return 1
	}
	return 0
}

// TestEveryRecordEndsOnceWhateverHappens gives a log to the walker through a model of the subscriber: batches of any size, hand-overs at any
// moment, functions that fail, block, panic, skip and wait for what is away, letters and commits that are refused, and other owners. Each
// record ends once, as planned, with its effect or its dead letter once; the records of a key end in order and never run at once.
func TestEveryRecordEndsOnceWhateverHappens(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		w := drawWorld(rt)
		var wrong []string
		bubble(t, func(t *testing.T) { wrong = w.live(t) })
		if len(wrong) > 0 {
			rt.Fatalf("%d things are wrong: %q", len(wrong), wrong)
		}
	})
}
