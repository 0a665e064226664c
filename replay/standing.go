package replay

import (
	"maps"
	"slices"

	"github.com/prantikov/millrace/progress"
	"github.com/prantikov/millrace/record"
)

// Standing is how far a part is.
type Standing struct {
	Part Part
	// Frontier is the lowest offset that is not finished, Part.To once all is; Done is what is finished above it.
	Frontier int64
	Done     progress.DoneSet
	Tally    Tally
}

// Complete says whether all of the part is finished.
func (s Standing) Complete() bool { return s.Frontier >= s.Part.To }

// Rest is the part as whoever goes on after a restart has to read it.
func (s Standing) Rest() Part {
	rest := s.Part
	rest.From, rest.Done, rest.Tally = max(s.Frontier, s.Part.From), s.Done.Clone(), s.Tally.Clone()
	return rest
}

// Tally counts how records ended.
type Tally struct {
	// Done counts those that a function handled.
	Done int64 `json:"done,omitempty"`
	// Passed counts those that were not handed over, by the reason that [Settings.Pass] gave.
	Passed map[string]int64 `json:"passed,omitempty"`
	// Skipped counts those that a policy of the consumer passed, by its name.
	Skipped map[string]int64 `json:"skipped,omitempty"`
	// Failed counts those that the consumer gave up, by class; Failures are the first of them.
	Failed   map[record.Class]int64 `json:"failed,omitempty"`
	Failures []Failure              `json:"failures,omitempty"`
}

// Failure is one record that a consumer gave up.
type Failure struct {
	Topic     string       `json:"topic"`
	Partition int32        `json:"partition"`
	Offset    int64        `json:"offset"`
	Class     record.Class `json:"class"`
}

// failuresKept bounds how many records of a part that were given up are named.
const failuresKept = 100

// Records counts all records.
func (t Tally) Records() int64 { return t.Handled() + sum(t.Passed) }

// Handled counts those that were handed over and ended.
func (t Tally) Handled() int64 { return t.Done + sum(t.Skipped) + sum(t.Failed) }

// GivenUp counts those that the consumer gave up.
func (t Tally) GivenUp() int64 { return sum(t.Failed) }

func sum[K comparable](counts map[K]int64) (total int64) {
	for _, count := range counts {
		total += count
	}
	return total
}

// Add adds another tally to this one. As many failures stay named as both have.
func (t *Tally) Add(other Tally) {
	t.Done += other.Done
	t.Passed = added(t.Passed, other.Passed)
	t.Skipped = added(t.Skipped, other.Skipped)
	t.Failed = added(t.Failed, other.Failed)
	t.Failures = append(t.Failures, other.Failures...)
}

func added[K comparable](counts, more map[K]int64) map[K]int64 {
	if counts == nil {
		return maps.Clone(more)
	}
	for why, count := range more {
		counts[why] += count
	}
	return counts
}

// Clone is a tally of its own with the same counts.
func (t Tally) Clone() Tally {
	return Tally{
		Done: t.Done, Passed: maps.Clone(t.Passed), Skipped: maps.Clone(t.Skipped), Failed: maps.Clone(t.Failed), Failures: slices.Clone(t.Failures),
	}
}

// pass counts a record that was not handed over.
func (t *Tally) pass(why string) { count(&t.Passed, why) }

// end counts a record that has ended.
func (t *Tally) end(at record.Position, result record.Result) {
	switch result.Outcome {
	case record.Done:
		t.Done++
	case record.Skipped:
		count(&t.Skipped, result.Reason)
	case record.DeadLettered:
		count(&t.Failed, result.Class)
		if len(t.Failures) < failuresKept {
			t.Failures = append(t.Failures, Failure{at.Topic, at.Partition, at.Offset, result.Class})
		}
	}
}

func count[K comparable](counts *map[K]int64, why K) {
	if *counts == nil {
		*counts = map[K]int64{}
	}
	(*counts)[why]++
}
