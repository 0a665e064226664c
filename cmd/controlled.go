package cmd

import (
	"context"
	"slices"
	"time"

	"github.com/prantikov/millrace/control"
	"github.com/prantikov/millrace/kafka"
	"github.com/prantikov/millrace/router"
)

// control lets the commands pause, resume, concurrency and status reach this process until the function that is returned is called. A data
// directory in which there can be no socket is no reason not to run.
func (s *service) control(ctx context.Context) func() {
	process := s.controlled()
	server, err := control.Listen(ctx, s.settings.DataDir, process, s.logger)
	if err != nil {
		s.logger.Warn("nobody can pause, resume or see this process with the commands", "error", err)
		return func() {}
	}
	answering, cancel := context.WithCancel(context.WithoutCancel(ctx))
	ended := make(chan error, 1)
	go s.metrics.KeepRecent(answering)
	go func() { ended <- server.Run(answering) }()
	return func() {
		cancel()
		if err := <-ended; err != nil {
			s.logger.Error("answering the commands", "error", err)
		}
		process.Pauses.Close()
	}
}

// controlled is this process as the commands reach it.
func (s *service) controlled() *control.Process {
	process := &control.Process{
		Version: Version(), TopicName: s.onBrokers, Log: s.brokersLog(),
		Pauses: control.NewPauses(s.logger, s.health, s.metrics), Health: s.health, Metrics: s.metrics, Alarms: s.alarms,
	}
	for _, m := range s.members {
		process.Consumers = append(process.Consumers, s.controlledConsumer(m))
	}
	return process
}

func (s *service) controlledConsumer(m *member) control.Consumer {
	consumer := control.Consumer{Name: m.consumer.Name(), Topics: m.topics, Failure: m.failure}
	consumer.Intake, _ = m.subscriber.(control.Intake)
	if at, ok := m.subscriber.(positioned); ok {
		consumer.Positions = func() []control.Position { return controlPositions(m.positions(at)) }
	}
	consumer.Keys, consumer.Inline = s.keys(m)
	return consumer
}

// controlPositions are the engine's positions as the control knows them.
func controlPositions(positions []kafka.PartitionPosition) []control.Position {
	known := make([]control.Position, len(positions))
	for i, p := range positions {
		known[i] = control.Position{
			Topic: p.Topic, Partition: p.Partition, Next: p.Next, Frontier: p.Frontier, HighWater: p.HighWater,
			Pending: p.Pending, InFlight: p.InFlight, Waiting: p.Waiting, Oldest: p.Oldest, Full: p.Full,
		}
	}
	return known
}

// keys is the concurrency of a consumer, or why it can have none. Why one has none all the same, the router says.
func (s *service) keys(m *member) (control.Concurrency, string) {
	if _, ok := m.subscriber.(router.BatchSubscriber); !ok {
		return nil, "its engine (kafka.engine) hands its records over one after another"
	}
	return s.router, ""
}

// brokersLog is what the brokers know of the topics.
type brokersLog struct {
	*kafka.Reader
	// redrives are topics whose records do not say since when they wait.
	redrives []string
}

func (s *service) brokersLog() brokersLog {
	log := brokersLog{Reader: s.reader}
	for _, m := range s.members {
		log.redrives = append(log.redrives, m.redrive)
	}
	return log
}

// First implements [control.Log].
func (l brokersLog) First(ctx context.Context, topic string, partition int32, from, end int64) (time.Time, bool, error) {
	wanted := kafka.Range{Topic: topic, Partitions: []int32{partition}, From: map[int32]int64{partition: from}, To: map[int32]int64{partition: end}}
	for read, err := range l.Read(ctx, wanted) {
		if err != nil {
			return time.Time{}, false, err
		}
		if slices.Contains(l.redrives, topic) {
			return time.Time{}, true, nil
		}
		return read.Timestamp, true, nil
	}
	return time.Time{}, false, nil
}
