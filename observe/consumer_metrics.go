package observe

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/prantikov/millrace/record"
)

// ConsumerMetrics counts what one consumer does with one topic. Its labels are looked up once, so that a call costs some tens of
// nanoseconds and no allocation: keep it, do not ask [Metrics.Consumer] for every record.
type ConsumerMetrics struct {
	done                         prometheus.Observer
	consumed, retries            prometheus.Counter
	gaps, firstSeen, transitions prometheus.Counter
	normalised, abandoned        prometheus.Counter
	inFlight                     prometheus.Gauge
	finished, letters            *rolling

	processed   *children[processedLabels, prometheus.Observer]
	deadLetters *children[record.Class, prometheus.Counter]
	skipped     *children[string, prometheus.Counter]
}

type processedLabels struct {
	outcome record.Outcome
	class   record.Class
}

// Consumer returns the metrics of a consumer, as a member of group, on a topic. The same names return the same metrics.
func (m *Metrics) Consumer(consumer, group, topic string) *ConsumerMetrics {
	return m.consumers.get(consumerLabels{consumer, group, topic})
}

func (m *Metrics) newConsumer(l consumerLabels) *ConsumerMetrics {
	processed := newChildren(func(p processedLabels) prometheus.Observer {
		return m.duration.WithLabelValues(l.group, l.topic, p.outcome.String(), string(p.class))
	})
	return &ConsumerMetrics{
		done:        processed.get(processedLabels{outcome: record.Done}),
		processed:   processed,
		consumed:    m.consumed.WithLabelValues(l.group, l.topic),
		retries:     m.retries.WithLabelValues(l.consumer, l.topic),
		gaps:        m.gaps.WithLabelValues(l.consumer, l.topic),
		firstSeen:   m.firstSeen.WithLabelValues(l.consumer, l.topic),
		transitions: m.transitions.WithLabelValues(l.consumer, l.topic),
		normalised:  m.normalised.WithLabelValues(l.consumer, l.topic),
		abandoned:   m.abandoned.WithLabelValues(l.consumer, l.topic),
		inFlight:    m.inFlight.WithLabelValues(l.consumer, l.topic),
		finished:    newRolling(rateWindow),
		letters:     newRolling(letterWindow),
		deadLetters: newChildren(func(class record.Class) prometheus.Counter {
			return m.deadLetters.WithLabelValues(l.consumer, l.topic, string(class))
		}),
		skipped: newChildren(func(reason string) prometheus.Counter {
			return m.skipped.WithLabelValues(l.consumer, l.topic, reason)
		}),
	}
}

// Consumed counts records that were handed over, repeats included.
func (c *ConsumerMetrics) Consumed(count int) { c.consumed.Add(float64(count)) }

// InFlight says how many records are taken and not finished.
func (c *ConsumerMetrics) InFlight(records int) { c.inFlight.Set(float64(records)) }

// Processed takes how one try of one record ended and how long it took. Class is empty unless the try failed. It counts neither a dead
// letter nor a skip: [ConsumerMetrics.DeadLettered] and [ConsumerMetrics.Skipped] do.
func (c *ConsumerMetrics) Processed(outcome record.Outcome, class record.Class, duration time.Duration) {
	if outcome == record.Done && class == "" {
		c.done.Observe(duration.Seconds())
		return
	}
	c.processed.get(processedLabels{outcome, class}).Observe(duration.Seconds())
}

// Finished counts a record that is done with: done, skipped or a dead letter. It shows in [Metrics.Recent] alone.
func (c *ConsumerMetrics) Finished() { c.finished.add(1) }

// Retried counts one try after a record's first.
func (c *ConsumerMetrics) Retried() { c.retries.Inc() }

// DeadLettered counts a dead letter that the brokers acknowledged.
func (c *ConsumerMetrics) DeadLettered(class record.Class) {
	c.deadLetters.get(class).Inc()
	c.letters.add(1)
}

// Skipped counts a record that was passed. Reason is one of a few fixed names, for example no_route.
func (c *ConsumerMetrics) Skipped(reason string) { c.skipped.get(reason).Inc() }

// Gap counts offsets that were passed without being read.
func (c *ConsumerMetrics) Gap(offsets int64) { c.gaps.Add(float64(offsets)) }

// FirstSeen counts an entity whose first seen event was not its first action.
func (c *ConsumerMetrics) FirstSeen() { c.firstSeen.Inc() }

// TransitionAccepted counts a status change that the rules forbid and the policy accepted.
func (c *ConsumerMetrics) TransitionAccepted() { c.transitions.Inc() }

// Normalised counts an event with a value in another spelling than the contract's.
func (c *ConsumerMetrics) Normalised() { c.normalised.Inc() }

// Abandoned counts records whose function went on past the drain deadline and its cancelled context.
func (c *ConsumerMetrics) Abandoned(records int) { c.abandoned.Add(float64(records)) }
