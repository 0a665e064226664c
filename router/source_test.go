package router_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/prantikov/millrace/progress"
	"github.com/prantikov/millrace/record"
	"github.com/prantikov/millrace/router"
)

// source is a subscriber's engine without a client: it delivers a log through progress.Partition, hands batches of any size over at any
// moment, takes back what is parked, and gives the partition to a next owner now and then.
type source struct {
	walker *router.Walker
	random *rand.Rand
	log    []*record.Record
	// together keeps all in order; serial has one batch in flight at a time.
	together, serial bool
	owners           int

	mu       sync.Mutex
	progress *progress.Partition
	read     int
	flights  int
	stopping chan struct{}
	wake     chan struct{}
	// ends has how each record ended; wrong is what must not be.
	ends  map[int64]record.Outcome
	order []int64
	wrong []string
}

const longest = 10 * time.Minute

// run hands over the log until all of it is finished.
func (s *source) run() {
	s.ends, s.progress, s.wake = map[int64]record.Outcome{}, progress.New(0, progress.DoneSet{}, s.together), make(chan struct{}, 1)
	deadline := time.Now().Add(longest)
	for owner := 0; len(s.ends) < len(s.log); owner++ {
		if time.Now().After(deadline) {
			s.wrong = append(s.wrong, fmt.Sprintf("stuck: %d of %d records are finished", len(s.ends), len(s.log)))
			return
		}
		s.stopping = make(chan struct{})
		end := deadline
		if owner < s.owners {
			end = time.Now().Add(time.Duration(s.random.IntN(800)) * time.Millisecond)
		}
		s.own(end)
		s.restart()
	}
}

// own hands over batches until a time, or the end of the log, and waits for what is in flight.
func (s *source) own(end time.Time) {
	for time.Now().Before(end) && !s.finished() {
		s.launch()
		select {
		case <-s.wake:
		case <-time.After(time.Duration(1+s.random.IntN(20)) * time.Millisecond):
		}
	}
	close(s.stopping)
	for s.flying() {
		select {
		case <-s.wake:
		case <-time.After(time.Minute):
			s.fail("a batch does not come back after a stop")
			return
		}
	}
}

func (s *source) finished() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.ends) == len(s.log)
}

func (s *source) flying() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.flights > 0
}

func (s *source) fail(text string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.wrong = append(s.wrong, text)
}

// restart is the next owner, with what the one before committed and nothing of what it remembered.
func (s *source) restart() {
	s.mu.Lock()
	defer s.mu.Unlock()
	text, err := s.progress.Done().MarshalText()
	var done progress.DoneSet
	if err == nil {
		err = done.UnmarshalText(text)
	}
	if err != nil {
		s.wrong = append(s.wrong, err.Error())
	}
	if flying := s.progress.InFlight(); flying != 0 {
		s.wrong = append(s.wrong, fmt.Sprintf("%d records are in flight after the last batch", flying))
	}
	frontier := s.progress.Frontier()
	s.progress = progress.New(frontier, done, s.together)
	for s.read = 0; s.read < len(s.log) && s.log[s.read].Offset < frontier; s.read++ {
	}
}

// launch hands over some of what waits, and some of what is new where that may go.
func (s *source) launch() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.serial && s.flights > 0 {
		return
	}
	s.fly(s.progress.Ready(time.Now(), 1+s.random.IntN(9)))
	if s.progress.Fresh() > 0 || s.serial && s.flights > 0 {
		return
	}
	var records []*record.Record
	for range s.random.IntN(40) {
		if s.read == len(s.log) {
			break
		}
		r := s.log[s.read]
		s.read++
		if s.progress.Deliver(r) == progress.Fresh {
			records = append(records, r)
		}
	}
	s.fly(records, nil)
}

// fly hands records over. The lock is held.
func (s *source) fly(records []*record.Record, memos []any) {
	if len(records) == 0 {
		return
	}
	s.flights++
	over, settled := false, make([]bool, len(records))
	batch := &record.Batch{Records: records, Memos: memos, Claim: "source", Stopping: s.stopping}
	batch.Side = func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.progress.Side(records)
		s.nudge()
	}
	batch.Report = func(i int, result record.Result) {
		s.mu.Lock()
		defer s.mu.Unlock()
		if over || settled[i] {
			s.wrong = append(s.wrong, fmt.Sprintf("%d is reported twice, or after its batch", records[i].Offset))
		}
		settled[i] = true
		s.take(records[i], result)
	}
	go func() {
		if err := s.walker.Walk(context.Background(), batch); err != nil {
			s.fail(err.Error())
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		over = true
		s.flights--
		for i, r := range records {
			if !settled[i] {
				s.progress.Park(r.Offset, time.Now().Add(100*time.Millisecond), batch.Memo(i))
			}
		}
		s.nudge()
	}()
}

// take takes the result of a record. The lock is held.
func (s *source) take(r *record.Record, result record.Result) {
	switch {
	case result.Outcome.Finished():
		if _, twice := s.ends[r.Offset]; twice || !s.progress.Finish(r.Offset) {
			s.wrong = append(s.wrong, fmt.Sprintf("%d is finished again, as %s", r.Offset, result.Outcome))
		}
		s.ends[r.Offset] = result.Outcome
		s.order = append(s.order, r.Offset)
	case result.Outcome == record.Parked:
		s.progress.Park(r.Offset, result.Until, result.Memo)
	default:
		s.progress.Return(r.Offset, time.Now().Add(100*time.Millisecond))
	}
	s.nudge()
}

func (s *source) nudge() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}
