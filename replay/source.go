package replay

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/ThreeDotsLabs/watermill/message"

	"github.com/prantikov/millrace/kafka"
	"github.com/prantikov/millrace/progress"
	"github.com/prantikov/millrace/record"
)

// Part is the offsets of one partition that are read: those from From up to, and without, To. The log must have To already.
type Part struct {
	Topic     string
	Partition int32
	From, To  int64
	// Done is what of them was finished before, above From, and Tally what was counted before, where somebody goes on with the part.
	Done  progress.DoneSet
	Tally Tally
}

// Settings is what a [Source] reads and how it hands it over. Reader and Parts are needed.
type Settings struct {
	Reader *kafka.Reader
	// Parts are what is read, at most one of each partition.
	Parts []Part
	// Pass names why a record is not handed over; empty hands it over. It is called from several goroutines, in the order of each partition.
	// Default: all are handed over.
	Pass func(*record.Record) string
	// Ended is told how each record ended that was handed over. It must be quick. Default: nobody is told; [Source.Standings] counts all the same.
	Ended func(*record.Record, record.Result)
	// Together keeps all records of a partition in order, not only those of a key.
	Together bool
	// Pace bounds how many records are handed over in a second; several sources may have one. Default: as many as go.
	Pace *Pace
	// BatchRecords is how many records are handed over together at most. Default 512.
	BatchRecords int
	// SideBySide is how many parts are read at the same time: each has at most three fetches in memory. Default 8.
	SideBySide int
	// DrainTimeout is how long Close lets what is in flight go on before its context ends. Default 20 s.
	DrainTimeout time.Duration
}

// Source is a Watermill subscriber, as the router takes it, on a bounded part of the log that is read beside all groups. It ends by itself: the
// channel of a topic is closed when all parts of it are read and every record has its outcome.
//
// Of a partition one batch is in flight at a time. Within it keys go side by side where the consumer's functions are slow, and a record that waits
// for its next try keeps only its key waiting. Records of a key are handed over in the order of the log.
//
// What it keeps in memory does not grow with the log. It is safe for concurrent use.
type Source struct {
	settings Settings
	feeds    []*feed
	places   chan struct{}
	stopping chan struct{}
	stop     func()
	// drained ends the contexts of what is in flight.
	drained context.Context
	running sync.WaitGroup

	mu     sync.Mutex
	closed bool
	err    error
}

// ErrClosed is the error of a subscription to a source that was closed.
var ErrClosed = errors.New("the replay was stopped")

var errBatches = errors.New("a replay hands over batches (SubscribeBatches)")

// NewSource makes a source. It reads nothing before it is subscribed.
func NewSource(settings Settings) *Source {
	settings.BatchRecords = cmp.Or(settings.BatchRecords, 512)
	settings.DrainTimeout = cmp.Or(settings.DrainTimeout, 20*time.Second)
	s := &Source{settings: settings, places: make(chan struct{}, cmp.Or(settings.SideBySide, 8)), stopping: make(chan struct{})}
	drained, cancel := context.WithCancel(context.Background())
	s.drained = drained
	s.stop = sync.OnceFunc(func() {
		close(s.stopping)
		late := time.AfterFunc(settings.DrainTimeout, cancel)
		go func() {
			s.running.Wait()
			late.Stop()
			cancel()
		}()
	})
	for _, part := range settings.Parts {
		s.feeds = append(s.feeds, newFeed(s, part))
	}
	return s
}

// Subscribe implements Watermill's Subscriber. It always returns an error: the router asks for batches.
func (s *Source) Subscribe(context.Context, string) (<-chan *message.Message, error) {
	return nil, errBatches
}

// SubscribeBatches returns a channel with a message for each batch of records; its context carries the [record.Batch]. The channel is closed
// after the last outcome of the topic's last record, and at once where the source has no part of the topic. The error is [ErrClosed], or
// that of [Source.Err].
func (s *Source) SubscribeBatches(ctx context.Context, topic string) (<-chan *message.Message, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil, fmt.Errorf("subscribing to %q: %w", topic, cmp.Or(s.err, ErrClosed))
	}
	out := make(chan *message.Message)
	var all sync.WaitGroup
	for _, f := range s.feeds {
		if f.part.Topic == topic {
			all.Add(1)
			s.running.Add(1)
			go func() {
				defer s.running.Done()
				defer all.Done()
				s.run(ctx, f, out)
			}()
		}
	}
	go func() {
		all.Wait()
		close(out)
	}()
	return out, nil
}

// run reads one part in its turn.
func (s *Source) run(ctx context.Context, f *feed, out chan<- *message.Message) {
	select {
	case s.places <- struct{}{}:
	case <-s.stopping:
		return
	}
	defer func() { <-s.places }()
	flying, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	defer context.AfterFunc(s.drained, cancel)()
	if err := f.run(flying, out); err != nil {
		s.fail(err)
	}
}

// fail ends the whole source: what it did not read would be missing.
func (s *Source) fail(err error) {
	s.mu.Lock()
	if s.err == nil {
		s.err = err
	}
	s.closed = true
	s.mu.Unlock()
	s.stop()
}

// Err says why the source ended before its parts did; nil after [Source.Close].
func (s *Source) Err() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.err
}

// Close hands over nothing more, lets what is in flight end within the drain timeout, and returns then. Closing twice waits for the same end.
func (s *Source) Close() error {
	s.mu.Lock()
	s.closed = true
	s.mu.Unlock()
	s.stop()
	s.running.Wait()
	return nil
}

// Standings says how far each part is, in the order of the settings. What it says of one part is of one moment.
func (s *Source) Standings() []Standing {
	standings := make([]Standing, len(s.feeds))
	for i, f := range s.feeds {
		standings[i] = f.now()
	}
	return standings
}

// Complete says whether every part is read to its end and every record has its outcome.
func (s *Source) Complete() bool {
	return !slices.ContainsFunc(s.Standings(), func(at Standing) bool { return !at.Complete() })
}
