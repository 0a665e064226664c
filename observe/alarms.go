package observe

import (
	"context"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"
)

// Alarm is a condition that has begun and not ended.
type Alarm struct {
	Kind     string `json:"kind"`
	Consumer string `json:"consumer,omitempty"`
	Topic    string `json:"topic,omitempty"`
	// Partition is -1 for a condition that is no single partition's.
	Partition int32 `json:"partition"`
	// Text says in one sentence what is wrong, without anything from a record's value.
	Text  string    `json:"text"`
	Since time.Time `json:"since"`
}

type alarmKey struct {
	kind, consumer, topic string
	partition             int32
}

// Alarms keeps the conditions that an operator must know of. Each gets one error line when it begins and one when it ends, and
// millrace_alarm is 1 in between. Its methods may be called from any goroutine, as often as one likes.
type Alarms struct {
	logger  *slog.Logger
	metrics *Metrics

	mutex  sync.Mutex
	active map[alarmKey]Alarm
}

// NewAlarms returns alarms of which none has begun.
func NewAlarms(logger *slog.Logger, metrics *Metrics) *Alarms {
	return &Alarms{logger: logger, metrics: metrics, active: map[alarmKey]Alarm{}}
}

// Begin begins the alarm of this kind, consumer, topic and partition; where one of them does not apply it is empty, the partition -1.
// Text says what is wrong and what is held. An alarm that has begun already keeps its text and writes no further line.
func (a *Alarms) Begin(kind, consumer, topic string, partition int32, text string, attributes ...slog.Attr) {
	key := alarmKey{kind, consumer, topic, max(partition, -1)}
	a.mutex.Lock()
	defer a.mutex.Unlock()
	if _, begun := a.active[key]; begun {
		return
	}
	a.active[key] = Alarm{kind, consumer, topic, key.partition, text, time.Now()}
	a.metrics.alarm(key, 1)
	// Under the lock: the line of the end must not overtake the line of the beginning.
	a.log("alarm begins", key, text, attributes)
}

// End ends the alarm. It does nothing when that has not begun.
func (a *Alarms) End(kind, consumer, topic string, partition int32) {
	a.mutex.Lock()
	defer a.mutex.Unlock()
	a.end(alarmKey{kind, consumer, topic, max(partition, -1)})
}

// EndPartition ends all alarms of a consumer's partition that is another member's now.
func (a *Alarms) EndPartition(consumer, topic string, partition int32) {
	a.mutex.Lock()
	defer a.mutex.Unlock()
	for key := range a.active {
		if key.consumer == consumer && key.topic == topic && key.partition == partition {
			a.end(key)
		}
	}
}

// Active returns the alarms that have begun and not ended, the oldest first.
func (a *Alarms) Active() []Alarm {
	a.mutex.Lock()
	active := make([]Alarm, 0, len(a.active))
	for _, alarm := range a.active {
		active = append(active, alarm)
	}
	a.mutex.Unlock()
	slices.SortFunc(active, func(x, y Alarm) int {
		if order := x.Since.Compare(y.Since); order != 0 {
			return order
		}
		return strings.Compare(x.Kind+x.Consumer+x.Topic+partitionLabel(x.Partition), y.Kind+y.Consumer+y.Topic+partitionLabel(y.Partition))
	})
	return active
}

func (a *Alarms) end(key alarmKey) {
	alarm, begun := a.active[key]
	if !begun {
		return
	}
	delete(a.active, key)
	a.metrics.alarm(key, 0)
	a.log("alarm ends", key, alarm.Text, []slog.Attr{slog.Duration("lasted", time.Since(alarm.Since).Round(time.Millisecond))})
}

func (a *Alarms) log(message string, key alarmKey, text string, more []slog.Attr) {
	attributes := []slog.Attr{slog.String("kind", key.kind), slog.String("text", text)}
	if key.consumer != "" {
		attributes = append(attributes, slog.String("consumer", key.consumer))
	}
	if key.topic != "" {
		attributes = append(attributes, slog.String("topic", key.topic))
	}
	if key.partition >= 0 {
		attributes = append(attributes, slog.Int64("partition", int64(key.partition)))
	}
	a.logger.LogAttrs(context.Background(), slog.LevelError, message, append(attributes, more...)...)
}
