package kafka_test

import (
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prantikov/millrace/kafka"
	"github.com/prantikov/millrace/kafka/kafkatest"
)

// clientLog is the client's log in all tests, set before any of them: the client reads the variable without a lock.
var clientLog panicking

// panicking is a log that panics as often as it is told, in the client's goroutine that fetches from a broker.
type panicking struct{ left atomic.Int32 }

func (p *panicking) Print(...any)   {}
func (p *panicking) Println(...any) {}
func (p *panicking) Printf(format string, _ ...any) {
	if p.left.Load() > 0 && strings.Contains(format, "added subscription") && p.left.Add(-1) >= 0 {
		panic("as a hostile frame would")
	}
}

// TestPanicInTheClientCostsASessionAndNotTheProcess is not parallel: the client's log is that of all tests.
func TestPanicInTheClientCostsASessionAndNotTheProcess(t *testing.T) {
	broker := kafkatest.Cluster(t).ListenAddrs()[0]
	topic, group := kafkatest.Topic(t, broker, 2), kafkatest.Name(t)
	write(t, broker, topic, 2, 5)
	clientLog.left.Store(1)
	settings := quick(broker)
	settings.ReadTimeout = time.Second
	var handled ledger
	var seen trouble
	subscriber := open(t, kafka.SubscriberSettings{
		Kafka: settings, Group: group, Topics: []string{topic}, Hooks: seen.hooks(), StalledAfter: time.Second, DrainTimeout: 100 * time.Millisecond,
	})
	batches(t, subscriber, topic, handled.handleAll)
	kafkatest.Eventually(t, "all is handled", func() bool { return handled.count() == 10 })
	handled.wantOnce(t, topic, 2, 5)
	if clientLog.left.Load() != 0 {
		t.Error("the client did not panic")
	}
	closeNow(t, subscriber)
}
