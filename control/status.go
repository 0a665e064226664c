package control

import (
	"context"
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/prantikov/millrace/observe"
)

// brokersTime bounds how long a status waits for the brokers: when they are away it shows what the consumers know by themselves.
const brokersTime = 2 * time.Second

// Status returns how the process is, with a row per partition when they are asked for.
func (p *Process) Status(ctx context.Context, partitions bool) Status {
	asking, cancel := context.WithTimeout(ctx, brokersTime)
	defer cancel()
	look := newLook(asking, p.Log)
	held := p.Health.Held()
	status := Status{Version: p.Version, Consumers: []ConsumerStatus{}, Alarms: p.Alarms.Active()}
	for i := range p.Consumers {
		consumer := p.status(&p.Consumers[i], look, held)
		if !partitions {
			consumer.Partitions = nil
		}
		status.Consumers = append(status.Consumers, consumer)
	}
	status.At = time.Now().UTC()
	return status
}

func (p *Process) status(c *Consumer, look *look, held []observe.Held) ConsumerStatus {
	recent := p.Metrics.Recent(c.Name)
	status := ConsumerStatus{
		Consumer: c.Name, PerSecond: math.Round(recent.PerSecond*10) / 10, DeadLetters: recent.DeadLetters, Measures: Measures{-1, -1, -1, -1},
	}
	if c.Keys != nil {
		status.Concurrency = c.Keys.Concurrency(c.Name)
	}
	if c.Positions != nil {
		status.Measures = Measures{}
		for _, position := range look.at(c.Positions()) {
			partition := p.partition(c, position, held)
			status.Partitions = append(status.Partitions, partition)
			status.add(partition.Measures)
		}
	}
	p.judge(c, &status, held)
	return status
}

// add adds a partition's measures to those of its consumer: the oldest is the oldest of all, and not known when one of them is not.
func (m *Measures) add(partition Measures) {
	m.Lag += partition.Lag
	m.InFlight += partition.InFlight
	m.WaitingKeys += partition.WaitingKeys
	if partition.OldestSeconds < 0 || m.OldestSeconds < 0 {
		m.OldestSeconds = -1
		return
	}
	m.OldestSeconds = max(m.OldestSeconds, partition.OldestSeconds)
}

// partition judges one partition.
func (p *Process) partition(c *Consumer, at sighting, held []observe.Held) PartitionStatus {
	status := PartitionStatus{
		Topic: at.Topic, Partition: at.Partition, State: StateRunning, Frontier: at.Frontier,
		Measures: Measures{Lag: at.lag, OldestSeconds: at.seconds(), InFlight: at.InFlight, WaitingKeys: at.Waiting},
	}
	if at.Full {
		status.State, status.Reason = StateFull, "its window is full: what was taken has to be finished first"
	}
	if reason, isHeld := holdOf(held, c.Name, at.Topic, at.Partition); isHeld {
		status.State, status.Reason = StateHeld, reason
	}
	if until, paused := p.Pauses.until(Target{c.Name, at.Topic, at.Partition}); paused {
		status.State, status.PausedUntil = StatePaused, whole(until)
	}
	return status
}

// holdOf returns why something outside holds a partition.
func holdOf(held []observe.Held, consumer, topic string, partition int32) (string, bool) {
	for _, hold := range held {
		if hold.Consumer == consumer && (hold.Topic == "" || hold.Topic == topic && hold.Partition == partition) {
			return hold.Reason, true
		}
	}
	return "", false
}

// judge finds the state of a consumer whose partitions are judged. What is paused as a whole is paused, whatever else holds it.
func (p *Process) judge(c *Consumer, status *ConsumerStatus, held []observe.Held) {
	count := map[string]int{}
	var first *time.Time
	for _, partition := range status.Partitions {
		count[partition.State]++
		if until := partition.PausedUntil; until != nil && (first == nil || until.Before(*first)) {
			first = until
		}
	}
	owned := len(status.Partitions)
	until, all := p.Pauses.until(Target{c.Name, "", -1})
	failure := error(nil)
	if c.Failure != nil {
		failure = c.Failure()
	}
	switch {
	case failure != nil:
		status.State, status.Reason = StateStopped, failure.Error()
	case all && owned == 0:
		status.State, status.PausedUntil = StatePaused, whole(until)
	case c.Positions != nil && owned == 0:
		status.State, status.Reason = StateWaiting, "for partitions"
	case owned > 0 && count[StatePaused] == owned:
		status.State, status.PausedUntil = StatePaused, first
	case count[StateHeld] > 0:
		status.State, status.Reason = StateHeld, firstHold(status.Partitions)
		if n := count[StateHeld]; n < owned {
			status.Reason = fmt.Sprintf("%s (%d of %d partitions)", status.Reason, n, owned)
		}
	default:
		status.State, status.Reason = StateRunning, partly(count, owned, first)
	}
	if reason, isHeld := holdOf(held, c.Name, "", -1); isHeld && status.State == StateRunning {
		status.State, status.Reason = StateHeld, reason
	}
}

func firstHold(partitions []PartitionStatus) string {
	for _, partition := range partitions {
		if partition.State == StateHeld {
			return partition.Reason
		}
	}
	return ""
}

// partly says which part of a running consumer does not take anything, and when the first pause of it ends.
func partly(count map[string]int, owned int, first *time.Time) string {
	var parts []string
	if n := count[StatePaused]; n > 0 {
		parts = append(parts, fmt.Sprintf("%d of %d partitions paused (%s)", n, owned, max(0, time.Until(*first).Round(time.Second))))
	}
	if n := count[StateFull]; n > 0 {
		parts = append(parts, fmt.Sprintf("%d of %d partitions full", n, owned))
	}
	return strings.Join(parts, ", ")
}

// whole is a time in whole seconds, as it is shown.
func whole(t time.Time) *time.Time {
	t = t.UTC().Round(time.Second)
	return &t
}
