package cmd

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/prantikov/millrace/kafka"
	"github.com/prantikov/millrace/observe"
	"github.com/prantikov/millrace/record"
	"github.com/prantikov/millrace/router"
	"github.com/prantikov/millrace/store"
)

// watcher sees how each record of one consumer ends.
type watcher func(at record.Position, result record.Result)

// The kinds of alarms that are begun here.
const (
	alarmHeld         = "held"
	alarmDeadLetter   = "dead_letter"
	alarmStopped      = "consumer_stopped"
	heldBeforeAlarm   = time.Minute
	observationPeriod = time.Second
	lagPeriod         = 10 * time.Second
)

// observer tells the metrics, health and alarms what the router does with one consumer's topic.
func (s *service) observer(handler router.Handler) router.Observer {
	metrics := s.metrics.Consumer(handler.Consumer, handler.Group, handler.Topic)
	watch := func(record.Position, record.Result) {}
	if s.watch != nil {
		watch = s.watch(handler.Consumer)
	}
	return router.Observer{
		Tried: func(took time.Duration, result record.Result) {
			metrics.Processed(result.Outcome, result.Class, took)
			if result.Attempts > 1 {
				metrics.Retried()
			}
		},
		Ended: func(r *record.Record, result record.Result) {
			metrics.Finished()
			switch result.Outcome {
			case record.DeadLettered:
				metrics.DeadLettered(result.Class)
			case record.Skipped:
				metrics.Skipped(result.Reason)
			}
			watch(r.Position, result)
		},
		Normalised: metrics.Normalised,
		Held: func(r *record.Record, hold router.Hold) {
			s.holds.add(handler.Consumer, r.Position)
			s.health.Hold(handler.Consumer, r.Topic, r.Partition, hold.Cause)
			switch {
			case hold.Letter:
				s.alarms.Begin(alarmDeadLetter, handler.Consumer, r.Topic, r.Partition, "a dead letter cannot be written; its key is held: "+hold.Cause)
			case time.Since(hold.Since) > heldBeforeAlarm:
				s.alarms.Begin(alarmHeld, handler.Consumer, r.Topic, r.Partition, "what the consumer needs is away; it is held: "+hold.Cause)
			}
		},
		Released: func(r *record.Record) {
			if !s.holds.remove(handler.Consumer, r.Position) {
				return
			}
			s.health.ReleaseAll(handler.Consumer, r.Topic, r.Partition)
			s.alarms.End(alarmDeadLetter, handler.Consumer, r.Topic, r.Partition)
			s.alarms.End(alarmHeld, handler.Consumer, r.Topic, r.Partition)
		},
	}
}

// hooks tells the metrics, health and alarms what a member of a group does.
func (s *service) hooks(m *member) kafka.Hooks {
	name, group := m.consumer.Name(), m.settings.Group
	return kafka.Hooks{
		BatchTaken: func(topic string, _ int32, records int, _ int64) {
			s.metrics.Consumer(name, group, topic).Consumed(records)
		},
		Assigned:  func(string, int32, int64) { s.health.Joined(name, true) },
		Abandoned: func(topic string, _ int32, records int) { s.metrics.Consumer(name, group, topic).Abandoned(records) },
		Lost: func(topic string, partition int32) {
			s.holds.lose(name, topic, partition)
			s.health.Lost(name, topic, partition)
			s.alarms.EndPartition(name, topic, partition)
		},
		Gap: func(ctx context.Context, gap kafka.Gap) error {
			err := s.store.RecordGap(ctx, store.Gap{
				Consumer: name, Topic: gap.Topic, Partition: gap.Partition, From: gap.From, To: gap.To, Reason: gap.Reason, At: time.Now(),
			})
			if err == nil {
				// How much a log lacks that ends before the position, nobody knows: it counts as one, so that somebody is told.
				s.metrics.Consumer(name, group, gap.Topic).Gap(max(gap.To-gap.From, 1))
			}
			return err
		},
		Alarm: func(kind kafka.AlarmKind, topic string, partition int32, on bool, text string) {
			if topic == "" {
				partition = -1
			}
			switch kind {
			case kafka.AlarmGroup:
				s.health.Joined(name, !on)
			case kafka.AlarmUndecided:
				text = s.tellUndecided(name, on, text)
			}
			if on {
				s.alarms.Begin(string(kind), name, topic, partition, text)
			} else {
				s.alarms.End(string(kind), name, topic, partition)
			}
		},
	}
}

// observe keeps health and metrics up to date until the context ends.
func (s *service) observe(ctx context.Context) {
	positions, lags := time.NewTicker(observationPeriod), time.NewTicker(lagPeriod)
	defer positions.Stop()
	defer lags.Stop()
	s.observeLag(ctx)
	for {
		select {
		case <-ctx.Done():
			return
		case <-positions.C:
			s.observePositions()
			s.observeStore()
		case <-lags.C:
			s.observeLag(ctx)
		}
	}
}

// positioned is a subscriber that knows where it is.
type positioned interface {
	Positions() []kafka.PartitionPosition
}

func (s *service) observePositions() {
	for _, m := range s.members {
		at, ok := m.subscriber.(positioned)
		if !ok {
			continue
		}
		inFlight := map[string]int{}
		for _, p := range m.positions(at) {
			s.health.Progress(m.consumer.Name(), p.Topic, p.Partition, p.Frontier, p.Pending, p.Oldest)
			inFlight[p.Topic] += p.Pending
		}
		for _, topic := range m.topics {
			s.metrics.Consumer(m.consumer.Name(), m.settings.Group, topic).InFlight(inFlight[topic])
		}
		if err := m.failure(); err != nil {
			s.health.Joined(m.consumer.Name(), false)
			s.alarms.Begin(alarmStopped, m.consumer.Name(), "", -1, err.Error())
		}
	}
}

// observeStore stops the program when the store's file was removed or replaced: what is written to it then is lost with the process, while
// Kafka is told that it is done.
func (s *service) observeStore() {
	if s.storeInfo == nil {
		return
	}
	now, err := os.Stat(s.storeFile())
	if err == nil && os.SameFile(now, s.storeInfo) {
		return
	}
	select {
	case s.gone <- fmt.Errorf("the store %q was removed or replaced while running (data_dir): stopping, for nothing that is written now would last", s.storeFile()):
	default:
	}
}

// observeLag asks the brokers where the groups are, which also tells whether they answer.
func (s *service) observeLag(ctx context.Context) {
	asking, cancel := context.WithTimeout(ctx, lagPeriod)
	defer cancel()
	lags, err := s.reader.Lag(asking, s.watched())
	if ctx.Err() != nil {
		return
	}
	// A topic that is missing is an answer too.
	s.health.Kafka(err == nil || errors.Is(err, kafka.ErrNoTopic))
	var rows []observe.Lag
	groups := map[string]string{}
	for _, m := range s.members {
		groups[m.consumer.Name()] = m.settings.Group
	}
	for _, lag := range lags {
		rows = append(rows, observe.Lag{
			Group: groups[lag.Consumer], Topic: lag.Topic, Partition: lag.Partition, Committed: lag.Committed, Oldest: -1, End: lag.End, Lag: lag.Lag,
		})
	}
	s.metrics.Lag(rows)
}

// watched is what lag is asked of.
func (s *service) watched() []kafka.Watched {
	watched := make([]kafka.Watched, len(s.members))
	for i, m := range s.members {
		watched[i] = kafka.Watched{Consumer: m.consumer.Name(), Group: m.settings.Group, Topics: m.topics}
	}
	return watched
}
