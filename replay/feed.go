package replay

import (
	"context"
	"iter"
	"sync"
	"time"

	"github.com/ThreeDotsLabs/watermill"
	"github.com/ThreeDotsLabs/watermill/message"

	"github.com/prantikov/millrace/progress"
	"github.com/prantikov/millrace/record"
)

const (
	// againAfter is how long a record waits that came back without a word.
	againAfter = 100 * time.Millisecond
	// windowRecords and windowBytes bound what waits behind a record that is tried again.
	windowRecords = 20_000
	windowBytes   = 16 << 20
)

// feed hands over one part, one batch after another. Its run method is one goroutine; outcomes come from any.
type feed struct {
	source *Source
	part   Part
	claim  string

	mu       sync.Mutex
	progress *progress.Partition
	tally    Tally
}

func newFeed(s *Source, part Part) *feed {
	return &feed{source: s, part: part, claim: watermill.NewUUID(), tally: part.Tally.Clone(), progress: progress.New(part.From, part.Done, s.settings.Together)}
}

// now is how far the part is.
func (f *feed) now() Standing {
	f.mu.Lock()
	defer f.mu.Unlock()
	return Standing{Part: f.part, Frontier: min(f.progress.Frontier(), f.part.To), Done: f.progress.Done(), Tally: f.tally.Clone()}
}

// run returns when every record of the part has its outcome, or the source is stopping. The context is that of what is in flight.
func (f *feed) run(ctx context.Context, out chan<- *message.Message) error {
	reading, cancel := context.WithCancel(ctx)
	defer cancel()
	from := record.Position{Topic: f.part.Topic, Partition: f.part.Partition, Offset: f.part.From}
	next, end := iter.Pull2(f.source.settings.Reader.ReadPartition(reading, from, f.part.To))
	defer end()
	var piece []*record.Record
	for more := true; !f.isStopping(); {
		if records, memos := f.ready(); len(records) > 0 {
			f.fly(ctx, out, records, memos)
			continue
		}
		if more && f.hasRoom() {
			if len(piece) == 0 {
				var err error
				if piece, err, more = next(); err != nil {
					return f.unlessStopping(err)
				}
			}
			var records []*record.Record
			records, piece = f.take(piece)
			f.fly(ctx, out, records, nil)
			continue
		}
		if !f.wait() {
			f.finish()
			return nil
		}
	}
	return nil
}

// unlessStopping is the error of reading, which a stop has no need of.
func (f *feed) unlessStopping(err error) error {
	if f.isStopping() {
		return nil
	}
	return err
}

func (f *feed) isStopping() bool {
	select {
	case <-f.source.stopping:
		return true
	default:
		return false
	}
}

// ready returns what has waited and may be tried again.
func (f *feed) ready() ([]*record.Record, []any) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.progress.Ready(time.Now(), f.most())
}

// most is how many records are handed over together.
func (f *feed) most() int { return f.source.settings.Pace.most(f.source.settings.BatchRecords) }

func (f *feed) hasRoom() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	spans, _ := f.progress.Window()
	_, bytes := f.progress.Pending()
	return spans < windowRecords && bytes < windowBytes
}

// take takes the next batch out of what was read, and returns the rest.
func (f *feed) take(piece []*record.Record) (batch, rest []*record.Record) {
	f.mu.Lock()
	defer f.mu.Unlock()
	most := f.most()
	batch = make([]*record.Record, 0, min(most, len(piece)))
	for i, r := range piece {
		if len(batch) == most {
			return batch, piece[i:]
		}
		if why := f.pass(r); why != "" {
			if f.progress.Known(r.Offset) {
				f.tally.pass(why)
			}
			continue
		}
		if f.progress.Deliver(r) == progress.Fresh {
			batch = append(batch, r)
		}
	}
	return batch, nil
}

func (f *feed) pass(r *record.Record) string {
	if f.source.settings.Pass == nil {
		return ""
	}
	return f.source.settings.Pass(r)
}

// wait waits until a record may be tried again. It returns false when none waits: all is finished.
func (f *feed) wait() bool {
	f.mu.Lock()
	due, parked := f.progress.NextDue()
	pending, _ := f.progress.Pending()
	f.mu.Unlock()
	if pending == 0 {
		return false
	}
	if !parked {
		due = time.Now().Add(againAfter)
	}
	timer := time.NewTimer(time.Until(due))
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-f.source.stopping:
	}
	return true
}

// finish moves the frontier over what the log does not have at the part's end.
func (f *feed) finish() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.progress.Pass(f.part.To)
}
