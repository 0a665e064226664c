package router

import (
	"context"
	"log/slog"
	"math/rand/v2"
	"time"

	"github.com/prantikov/millrace/messages"
	"github.com/prantikov/millrace/record"
)

// Policy is what becomes of an unusual record: it is dead-lettered, or skipped and counted.
type Policy string

const (
	// PolicyDeadLetter is the default: the zero value means it too.
	PolicyDeadLetter Policy = "dead-letter"
	// PolicySkip passes the record under the policy's name.
	PolicySkip Policy = "skip"
)

// KeyRule is what a topic's records have as their key.
type KeyRule string

const (
	// KeyID is the default: the key is the entity's id. The zero value means it too.
	KeyID KeyRule = "id"
	// KeyPatient is a topic whose records are keyed by their patient.
	KeyPatient KeyRule = "patientId"
	// KeyAny is a topic whose keys say nothing, or that has none.
	KeyAny KeyRule = "any"
)

// TopicSettings is a topic's name on the brokers and its policies.
type TopicSettings struct {
	// Name is the topic's name on the brokers. Default: the type's own.
	Name                                    string
	Key                                     KeyRule
	UnknownAction, UnknownStatus, Tombstone Policy
}

// ConsumerSettings is how one consumer tries its records.
type ConsumerSettings struct {
	// Group is the consumer group. Default: the consumer's name.
	Group string
	// Topics restricts the consumer to these types' own topics. Default: all that it has routes for.
	Topics []string
	// Redrive is the topic on the brokers from which the consumer takes what comes back from its dead letters; empty for none.
	Redrive string
	// Timeout bounds one try. Default 10 s.
	Timeout time.Duration
	// Concurrency is how many keys are handled side by side. Default 64.
	Concurrency int
	// Together keeps all records of a partition in order, not only those of a key.
	Together bool
	// Replay tells the consumer's functions that the records are read again: see messages.Meta.Replay.
	Replay bool
	Retry  RetrySettings
	// UnknownAction, UnknownStatus and Tombstone count before the topic's policies; empty leaves it to the topic.
	UnknownAction, UnknownStatus, Tombstone Policy
}

// RetrySettings is how often a record is tried and how long is waited in between.
type RetrySettings struct {
	// Tries counts all tries, the first one too. Default 4.
	Tries int
	// InitialInterval is the first pause, default 100 ms; each later one is twice as long, up to MaxInterval, default 5 s.
	InitialInterval, MaxInterval time.Duration
	// MaxElapsed bounds the time from the beginning of the first try to that of the last, without what the record waited for something
	// that was away. Default 30 s.
	MaxElapsed time.Duration
	// Jitter is the part of a pause that is random, 0 to 1.
	Jitter float64
}

// interval is the pause after this many tries.
func (s RetrySettings) interval(made int) time.Duration {
	pause := s.InitialInterval
	for range made - 1 {
		if pause >= s.MaxInterval {
			break
		}
		pause *= 2
	}
	pause = min(pause, s.MaxInterval)
	return pause - time.Duration(s.Jitter*rand.Float64()*float64(pause))
}

func (s RetrySettings) withDefaults() RetrySettings {
	s.Tries = max(s.Tries, 0)
	if s.Tries == 0 {
		s.Tries = 4
	}
	if s.InitialInterval == 0 {
		s.InitialInterval = 100 * time.Millisecond
	}
	if s.MaxInterval == 0 {
		s.MaxInterval = 5 * time.Second
	}
	if s.MaxElapsed == 0 {
		s.MaxElapsed = 30 * time.Second
	}
	return s
}

// Limits bounds what a decoding consumer takes.
type Limits struct {
	// ValueBytes bounds the value, default 4 MiB; Headers the number of headers, default 1,000.
	ValueBytes, Headers int
}

// Settings is what a [Router] needs beside its consumers. The zero value works but for DeadLetters.
type Settings struct {
	// Topics is by the types' own topics.
	Topics map[string]TopicSettings
	Limits Limits
	// Types are all types of the program: a type header that names another of them than the topic's is a failure.
	Types []messages.Type
	// CloseTimeout bounds how long Close waits for the subscribers. Default 30 s.
	CloseTimeout time.Duration
	DeadLetters  DeadLetters
	Logger       *slog.Logger
	// Observe makes the observer of one handler. Default: nobody looks.
	Observe func(Handler) Observer
	// Trace makes what begins the spans of one handler. Default: nothing is traced, and no record costs anything for it.
	Trace func(Handler) Span
	// Clock is the time of pauses and ages. Default: the real one.
	Clock Clock
}

// Handler names one consumer on one topic.
type Handler struct {
	Consumer, Group string
	// Topic is the name on the brokers.
	Topic string
	// Durable says whether the consumer has a unit of work.
	Durable bool
	// Redrive says that the topic is the one on which the consumer's dead letters come back: its records are those of other topics, see
	// [record.RedriveOf].
	Redrive bool
}

// Observer is told what happens to a handler's records. Each function may be nil, and is called from the goroutine that walks the
// batch, so it must be quick.
type Observer struct {
	// Tried is called after each try; result has no Outcome of its own while the record waits for another.
	Tried func(took time.Duration, result record.Result)
	// Ended is called once a record is finished and, with a unit of work, committed.
	Ended func(r *record.Record, result record.Result)
	// Normalised is called for an event whose spelling of an enumeration was put right.
	Normalised func()
	// Held is called when the handler waits for something outside to come back, and again at each try; Released when it is back.
	Held     func(r *record.Record, hold Hold)
	Released func(r *record.Record)
}

// Hold is a wait for something outside.
type Hold struct {
	Since time.Time
	// Cause may stand in a log.
	Cause string
	// Letter says that it is the dead letter that cannot be written.
	Letter bool
}

// Clock is what the router knows of time.
type Clock interface {
	Now() time.Time
	// Wait returns when the time has come, or early when stopping is closed or the context ends.
	Wait(ctx context.Context, stopping <-chan struct{}, until time.Time)
}

// systemClock is the real time.
type systemClock struct{}

func (systemClock) Now() time.Time { return time.Now() }

func (systemClock) Wait(ctx context.Context, stopping <-chan struct{}, until time.Time) {
	timer := time.NewTimer(time.Until(until))
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-stopping:
	case <-ctx.Done():
	}
}

func (s Settings) withDefaults() Settings {
	if s.Limits.ValueBytes == 0 {
		s.Limits.ValueBytes = 4 << 20
	}
	if s.Limits.Headers == 0 {
		s.Limits.Headers = 1000
	}
	if s.CloseTimeout == 0 {
		s.CloseTimeout = 30 * time.Second
	}
	if s.Logger == nil {
		s.Logger = slog.New(slog.DiscardHandler)
	}
	if s.Observe == nil {
		s.Observe = func(Handler) Observer { return Observer{} }
	}
	if s.Clock == nil {
		s.Clock = systemClock{}
	}
	return s
}

func (s ConsumerSettings) withDefaults(name string) ConsumerSettings {
	if s.Group == "" {
		s.Group = name
	}
	if s.Timeout == 0 {
		s.Timeout = 10 * time.Second
	}
	if s.Concurrency <= 0 {
		s.Concurrency = 64
	}
	s.Retry = s.Retry.withDefaults()
	return s
}
