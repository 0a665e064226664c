package kafka_test

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"os"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/prantikov/millrace/kafka"
	"github.com/prantikov/millrace/kafka/kafkatest"
	"github.com/prantikov/millrace/record"
)

// counted returns hooks that count the partitions that were taken.
func counted(taken *atomic.Int32) kafka.Hooks {
	return kafka.Hooks{Assigned: func(string, int32, int64) { taken.Add(1) }}
}

func TestCoordinatorThatMovesCostsNoRebalance(t *testing.T) {
	t.Parallel()
	const partitions, per, rounds = 6, 5, 2
	cluster := kafkatest.Cluster(t, kfake.NumBrokers(3))
	broker := cluster.ListenAddrs()[0]
	topic, group := kafkatest.Topic(t, broker, partitions), kafkatest.Name(t)
	var handled ledger
	var taken atomic.Int32
	batches(t, open(t, kafka.SubscriberSettings{Kafka: quick(broker), Group: group, Topics: []string{topic}, Hooks: counted(&taken)}), topic, handled.handleAll)
	done := 0
	more := func(what string) {
		t.Helper()
		write(t, broker, topic, partitions, per)
		done += per
		kafkatest.Eventually(t, "all is handled "+what, func() bool { return handled.count() == partitions*done })
		kafkatest.Eventually(t, "all is committed "+what, func() bool {
			for partition := range int32(partitions) {
				if committed(t, broker, group, topic, partition) != int64(done) {
					return false
				}
			}
			return true
		})
	}
	more("before")
	for range rounds {
		cluster.RehashCoordinators()
		more("after a move")
	}
	for _, refusal := range []*kerr.Error{kerr.NotCoordinator, kerr.CoordinatorNotAvailable} {
		fault := cluster.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Heartbeat, kmsg.OffsetCommit}, Group: group, Err: refusal, Count: 2})
		more("after " + refusal.Message)
		fault.Remove()
	}
	handled.wantOnce(t, topic, partitions, done)
	if got := taken.Load(); got != partitions {
		t.Errorf("assignments: got %d, want %d, no rebalance", got, partitions)
	}
}

// TestStalledFetchCostsNoMembership stalls a fetch on the connection on which heartbeats go, for as long as the group would wait for one. The
// long form, with MILLRACE_SOAK, has the default timeouts.
func TestStalledFetchCostsNoMembership(t *testing.T) {
	t.Parallel()
	const partitions, per = 3, 5
	cluster := kafkatest.Cluster(t)
	broker := cluster.ListenAddrs()[0]
	topic, group := kafkatest.Topic(t, broker, partitions), kafkatest.Name(t)
	settings := quick(broker)
	settings.ReadTimeout, settings.SessionTimeout = 600*time.Millisecond, 2*time.Second
	stall := settings.SessionTimeout + settings.SessionTimeout/5
	if os.Getenv("MILLRACE_SOAK") != "" {
		settings.ReadTimeout, settings.SessionTimeout, stall = 0, 0, 12*time.Second
	}
	var handled ledger
	var taken atomic.Int32
	batches(t, open(t, kafka.SubscriberSettings{Kafka: settings, Group: group, Topics: []string{topic}, Hooks: counted(&taken)}), topic, handled.handleAll)
	write(t, broker, topic, partitions, per)
	kafkatest.Eventually(t, "all is handled", func() bool { return handled.count() == partitions*per })

	stalled, over := make(chan struct{}), make(chan struct{})
	var begun atomic.Bool
	cluster.ControlKey(int16(kmsg.Fetch), func(kmsg.Request) (kmsg.Response, error, bool) {
		if !begun.CompareAndSwap(false, true) {
			return nil, nil, false
		}
		cluster.SleepControl(func() {
			close(stalled)
			<-time.After(stall)
			close(over)
		})
		return nil, nil, false
	})
	<-stalled
	write(t, broker, topic, partitions, per)
	kafkatest.Eventually(t, "what came during the stall is handled", func() bool { return handled.count() == 2*partitions*per })
	<-over
	write(t, broker, topic, partitions, per)
	kafkatest.Eventually(t, "what came after the stall is handled", func() bool { return handled.count() == 3*partitions*per })
	handled.wantOnce(t, topic, partitions, 3*per)
	if got := taken.Load(); got != partitions {
		t.Errorf("assignments: got %d, want %d: the member was not to lose its place", got, partitions)
	}
}

func TestAllBrokersGoneAndBack(t *testing.T) {
	t.Parallel()
	const brokers, partitions, per, outages = 3, 6, 5, 1
	directory, ports := t.TempDir(), freePorts(t, brokers)
	start := func() *kfake.Cluster {
		return kafkatest.Cluster(t, kfake.NumBrokers(brokers), kfake.Ports(ports...), kfake.DataDir(directory))
	}
	broker := "127.0.0.1:" + strconv.Itoa(ports[0])
	settings, alarms := alarmed(broker, "outages", "orders")
	var handled ledger
	batches(t, open(t, settings), "orders", handled.handleAll)
	wantAlarm(t, alarms, true)
	cluster := start()
	kafkatest.CreateTopic(t, broker, "orders", partitions)
	for outage := range outages + 1 {
		if outage > 0 {
			cluster.Close()
			wantAlarm(t, alarms, true)
			cluster = start()
		}
		write(t, broker, "orders", partitions, per)
		kafkatest.Eventually(t, fmt.Sprintf("all is handled after outage %d", outage), func() bool {
			return distinct(&handled, "orders", partitions) == partitions*per*(outage+1)
		})
		wantAlarm(t, alarms, false)
	}
	// What was not committed when the brokers went away may come again: at most a batch of each partition for an outage.
	if got, most := handled.count(), partitions*per*(outages+1)+outages*partitions*per; got > most {
		t.Errorf("handled: got %d, want at most %d", got, most)
	}
}

func freePorts(t *testing.T, count int) []int {
	t.Helper()
	var ports []int
	for range count {
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer listener.Close()
		ports = append(ports, listener.Addr().(*net.TCPAddr).Port)
	}
	return ports
}

// distinct counts the records of a topic that were handled, each once.
func distinct(l *ledger, topic string, partitions int) int {
	count := 0
	for partition := range partitions {
		offsets := l.offsets(topic, int32(partition))
		slices.Sort(offsets)
		count += len(slices.Compact(offsets))
	}
	return count
}

func TestUnusualRecordsArriveWhole(t *testing.T) {
	t.Parallel()
	broker := kafkatest.Broker(t)
	topic := kafkatest.Topic(t, broker, 2, "max.message.bytes", "20000000")
	headers := make([]record.Header, 40_000)
	for i := range headers {
		headers[i] = record.Header{Key: "h" + strconv.Itoa(i%100), Value: []byte(strconv.Itoa(i))}
	}
	large := bytes.Repeat([]byte("0123456789abcdef"), 10<<20/16)
	sent := []*record.Record{
		{Position: record.Position{Topic: topic}, Key: []byte("many headers"), Value: []byte("{}"), Headers: headers},
		{Position: record.Position{Topic: topic}, Key: []byte("large"), Value: large},
		{Position: record.Position{Topic: topic}, Key: []byte("tombstone")},
		{Position: record.Position{Topic: topic, Partition: 1}, Key: []byte("beside"), Value: []byte("{}")},
	}
	kafkatest.Produce(t, broker, sent...)
	var mu sync.Mutex
	came := map[string]*record.Record{}
	batches(t, open(t, kafka.SubscriberSettings{Kafka: quick(broker), Group: kafkatest.Name(t), Topics: []string{topic}}), topic,
		func(_ context.Context, b *record.Batch) {
			for i, r := range b.Records {
				mu.Lock()
				came[string(r.Key)] = r
				mu.Unlock()
				b.Report(i, record.Result{Outcome: record.Done, Attempts: 1})
			}
		})
	kafkatest.Eventually(t, "all came", func() bool { mu.Lock(); defer mu.Unlock(); return len(came) == len(sent) })
	for _, want := range sent {
		got := came[string(want.Key)]
		if !bytes.Equal(got.Value, want.Value) || (got.Value == nil) != (want.Value == nil) {
			t.Errorf("%s: got a value of %d bytes, want the %d that were sent", want.Key, len(got.Value), len(want.Value))
		}
		if !slices.EqualFunc(got.Headers, want.Headers, func(a, b record.Header) bool { return a.Key == b.Key && bytes.Equal(a.Value, b.Value) }) {
			t.Errorf("%s: got %d headers, want the %d that were sent, in their order", want.Key, len(got.Headers), len(want.Headers))
		}
	}
}
