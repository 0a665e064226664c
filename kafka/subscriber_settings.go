package kafka

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/prantikov/millrace/config"
)

// SubscriberSettings is what a [Subscriber] is told. Group and Kafka are needed, the rest has defaults.
type SubscriberSettings struct {
	Kafka config.Kafka
	// Group is group.id. Two subscribers of one group share the partitions of a topic.
	Group string
	// Instance is group.instance.id: the lasting name of this subscriber's member in the group, another one for each process; empty for none.
	// A member that has one and stops stays in the group until the session timeout is over; who comes back under the same name before goes
	// on with the same partitions, and no other member notices. It needs Topics, and counts for the member that reads them.
	Instance string
	// Topics are the brokers' names of all topics that one member of the group reads. It joins when each has its subscription. A topic
	// that is not named here, and a second subscription to one that is, gets a member of its own.
	Topics []string
	// Starts says, by topic, where a group begins that has no committed position on any partition of it. Default [Earliest].
	Starts map[string]Start
	// Undecided are the topics of which nobody has chosen the start. A group without a position on one of them does not begin while records lie
	// ahead on it that are older than an hour: it takes nothing, with [AlarmUndecided]. It is for a consumer whose effects nobody can take back.
	Undecided []string
	// Exclusive is for a consumer that can only run in one process: see [ErrNotAlone].
	Exclusive bool
	// DrainTimeout is how long work in flight may take to end on a stop or a rebalance, before its context is cancelled.
	// Default Kafka.DrainTimeout.
	DrainTimeout time.Duration
	// StalledAfter is how long a partition may stand still although its log goes on, before it is looked into. Default 30 s.
	StalledAfter time.Duration
	// CommitAlarmAfter is how long a frontier that moved may be uncommitted before that is an alarm. Default 10 s.
	CommitAlarmAfter time.Duration
	// Concurrency is how many keys the consumer handles side by side. Default 64; see [Subscriber.SetConcurrency].
	Concurrency int
	// Together treats all records of a partition as of one key: they are handled one after another, in the order of the log.
	Together bool
	// Serial is for a consumer that commits each batch as a whole: of each partition at most one is in flight.
	Serial bool
	// Memory is the budget that this subscriber shares with others. Default: one of its own, of Kafka.Memory bytes.
	Memory *Memory
	// Logger gets a line for each change of state, and none for a record. Default: none.
	Logger *slog.Logger
	Hooks  Hooks
	// Recognise and Resume are for a consumer that keeps progress of its own; nil for none.
	Recognise Recogniser
	Resume    Resumer
}

// Hooks are called as things happen, for metrics and health. Each may be nil; each is called from several goroutines and, but for Gap,
// must return at once.
type Hooks struct {
	// BatchTaken is called when records of a partition are handed over, with their bytes. Records handed over again count again.
	BatchTaken func(topic string, partition int32, records int, bytes int64)
	// Committed is called when the frontier of a partition moved. It is sent to the brokers within Kafka.CommitInterval.
	Committed func(topic string, partition int32, frontier int64)
	// Progressed is called when records of a partition were finished, at most every 100 ms: as long as work waits, it must come.
	Progressed func(topic string, partition int32, at time.Time)
	// HighWater is called with the end of a partition's log as the brokers last told it.
	HighWater func(topic string, partition int32, offset int64)
	// Assigned is called when a partition is taken, with the offset that is read next.
	Assigned func(topic string, partition int32, next int64)
	// Lost is called when a partition was given back.
	Lost func(topic string, partition int32)
	// Gap is called before offsets are passed without being read, once for each gap: it may wait, until ctx ends. With an error the offsets
	// are not passed, and the same gap is found again after a while.
	Gap func(ctx context.Context, gap Gap) error
	// Alarm is called when a condition begins, with a text that says what is wrong, and when it ends. Topic is empty for a condition of the
	// whole consumer. When nobody asks, each is a line in the log.
	Alarm func(kind AlarmKind, topic string, partition int32, on bool, text string)
	// Abandoned is called when a handler went on past the drain deadline and its cancelled context, with the number of its records that
	// were unfinished.
	Abandoned func(topic string, partition int32, records int)
}

// AlarmKind names a condition that has a beginning and an end.
type AlarmKind string

const (
	// AlarmGroup is on while the member cannot read: brokers away, a topic missing, the group refused.
	AlarmGroup AlarmKind = "group"
	// AlarmWindowFull is on while a partition takes nothing more, because its window is full of records behind one that is not finished.
	AlarmWindowFull AlarmKind = "window_full"
	// AlarmNotAlone is on while an exclusive member waits for partitions that another process took.
	AlarmNotAlone AlarmKind = "not_alone"
	// AlarmCommit is on while records are finished and the group's position does not follow.
	AlarmCommit AlarmKind = "commit"
	// AlarmStalled is on while a partition's records wait and the client does not bring them.
	AlarmStalled AlarmKind = "stalled"
	// AlarmUndecided is on while the group has no position, old records lie ahead, and nobody has chosen the start.
	AlarmUndecided AlarmKind = "no_position"
	// AlarmUnreadable is on while a partition is held by a batch that the client cannot read.
	AlarmUnreadable AlarmKind = "unreadable"
)

// withDefaults returns the settings with everything filled in, or an error that joins all mistakes.
func (s SubscriberSettings) withDefaults() (SubscriberSettings, error) {
	var mistakes []error
	if s.Group == "" {
		mistakes = append(mistakes, errors.New("group is empty: name the consumer group"))
	}
	if slices.Contains(s.Topics, "") {
		mistakes = append(mistakes, errors.New("topics has an empty name"))
	}
	if s.Instance != "" {
		mistakes = append(mistakes, checkInstance(s.Instance))
		if len(s.Topics) == 0 {
			mistakes = append(mistakes, errors.New("topics is empty: an instance id is that of one member, so name all topics that it reads"))
		}
	}
	if _, err := clientConfig(s.Kafka); err != nil {
		mistakes = append(mistakes, err)
	}
	if s.StalledAfter = cmp.Or(s.StalledAfter, 30*time.Second); s.StalledAfter < 0 {
		mistakes = append(mistakes, fmt.Errorf("stalled after is %s: want more than 0", s.StalledAfter))
	}
	if s.CommitAlarmAfter = cmp.Or(s.CommitAlarmAfter, 10*time.Second); s.CommitAlarmAfter < 0 {
		mistakes = append(mistakes, fmt.Errorf("commit alarm after is %s: want more than 0", s.CommitAlarmAfter))
	}
	s.DrainTimeout = cmp.Or(s.DrainTimeout, drainTimeout(s.Kafka))
	if limit := rebalanceTimeout(s.Kafka); s.DrainTimeout+abandonAfter > limit {
		mistakes = append(mistakes, fmt.Errorf("drain timeout %s and %s for a cancelled handler do not fit into kafka.rebalance_timeout %s",
			s.DrainTimeout, abandonAfter, limit))
	}
	if s.Logger == nil {
		s.Logger = slog.New(slog.DiscardHandler)
	}
	s.Logger = s.Logger.With("group", s.Group)
	if s.Memory == nil {
		s.Memory = NewMemory(int64(s.Kafka.Memory))
	}
	s.Concurrency = cmp.Or(s.Concurrency, 64)
	if s.Concurrency < 0 {
		mistakes = append(mistakes, fmt.Errorf("concurrency is %d: want more than 0", s.Concurrency))
	}
	s.Kafka.BatchRecords = cmp.Or(s.Kafka.BatchRecords, 512)
	if s.Kafka.BatchRecords < 0 {
		mistakes = append(mistakes, fmt.Errorf("kafka.batch_records is %d: want more than 0", s.Kafka.BatchRecords))
	}
	if s.Hooks.Alarm == nil {
		s.Hooks.Alarm = logAlarm(s.Logger)
	}
	s.Hooks = s.Hooks.filled()
	return s, errors.Join(mistakes...)
}

// filled returns hooks of which none is nil.
func (h Hooks) filled() Hooks {
	if h.BatchTaken == nil {
		h.BatchTaken = func(string, int32, int, int64) {}
	}
	if h.Committed == nil {
		h.Committed = func(string, int32, int64) {}
	}
	if h.Progressed == nil {
		h.Progressed = func(string, int32, time.Time) {}
	}
	if h.HighWater == nil {
		h.HighWater = func(string, int32, int64) {}
	}
	if h.Assigned == nil {
		h.Assigned = func(string, int32, int64) {}
	}
	if h.Lost == nil {
		h.Lost = func(string, int32) {}
	}
	if h.Gap == nil {
		h.Gap = func(context.Context, Gap) error { return nil }
	}
	if h.Abandoned == nil {
		h.Abandoned = func(string, int32, int) {}
	}
	return h
}
