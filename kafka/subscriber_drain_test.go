package kafka_test

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prantikov/millrace/kafka"
	"github.com/prantikov/millrace/kafka/kafkatest"
	"github.com/prantikov/millrace/record"
)

func TestCloseWaitsForWhatIsInFlight(t *testing.T) {
	t.Parallel()
	broker := kafkatest.Broker(t)
	topic, group := kafkatest.Topic(t, broker, 1), kafkatest.Name(t)
	write(t, broker, topic, 1, 10)
	var handled ledger
	subscriber := open(t, kafka.SubscriberSettings{Kafka: quick(broker), Group: group, Topics: []string{topic}})
	taken := make(chan struct{})
	ended := batches(t, subscriber, topic, func(ctx context.Context, b *record.Batch) {
		close(taken)
		<-b.Stopping
		if ctx.Err() != nil {
			t.Error("got a cancelled context when the partition is wanted back, want it alive until the deadline")
		}
		for i, r := range b.Records {
			handled.add(r)
			b.Report(i, record.Result{Outcome: record.Done})
		}
	})
	<-taken
	var closing sync.WaitGroup
	for range 3 {
		closing.Go(func() { closeNow(t, subscriber) })
	}
	closing.Wait()
	<-ended
	got := handled.offsets(topic, 0)
	if !slices.Equal(got, upTo(len(got))) || len(got) == 0 {
		t.Errorf("handled: got %v, want the batch in flight", got)
	}
	if at := committed(t, broker, group, topic, 0); at != int64(len(got)) {
		t.Errorf("committed: got %d, want %d", at, len(got))
	}
	if _, err := subscriber.Subscribe(context.Background(), topic); err == nil {
		t.Error("subscribing to a closed subscriber: got no error, want one")
	}
}

func TestDrainDeadlineCancelsContexts(t *testing.T) {
	t.Parallel()
	broker := kafkatest.Broker(t)
	topic, group := kafkatest.Topic(t, broker, 1), kafkatest.Name(t)
	write(t, broker, topic, 1, 10)
	var abandoned atomic.Int32
	subscriber := open(t, kafka.SubscriberSettings{
		Kafka: quick(broker), Group: group, Topics: []string{topic}, DrainTimeout: 200 * time.Millisecond,
		Hooks: kafka.Hooks{Abandoned: func(string, int32, int) { abandoned.Add(1) }},
	})
	type values struct{}
	ctx, end := context.WithCancel(context.WithValue(context.Background(), values{}, "mine"))
	messages, err := subscriber.SubscribeBatches(ctx, topic)
	if err != nil {
		t.Fatal(err)
	}
	m := <-messages
	b := record.BatchFromContext(m.Context())
	b.Report(0, record.Result{Outcome: record.Done})
	if got := m.Context().Value(values{}); got != "mine" {
		t.Errorf("value of the subscription's context: got %v, want mine", got)
	}
	go func() {
		<-m.Context().Done()
		select {
		case <-b.Stopping:
		default:
			t.Error("context ended before the partition was wanted back")
		}
		m.Nack()
	}()
	end()
	if _, open := <-messages; open {
		t.Error("got another message, want a closed channel")
	}
	if got := abandoned.Load(); got != 0 {
		t.Errorf("abandoned: got %d, want 0: the handler obeyed its context", got)
	}
	if at := committed(t, broker, group, topic, 0); at != 1 {
		t.Errorf("committed: got %d, want 1, what was finished before", at)
	}
}

func TestHandlerThatIgnoresItsContextIsAbandoned(t *testing.T) {
	t.Parallel()
	broker := kafkatest.Broker(t)
	topic, group := kafkatest.Topic(t, broker, 1), kafkatest.Name(t)
	write(t, broker, topic, 1, 3)
	var abandoned atomic.Int32
	subscriber := open(t, kafka.SubscriberSettings{
		Kafka: quick(broker), Group: group, Topics: []string{topic}, DrainTimeout: 100 * time.Millisecond,
		Hooks: kafka.Hooks{Abandoned: func(_ string, _ int32, records int) { abandoned.Add(int32(records)) }},
	})
	messages, err := subscriber.SubscribeBatches(context.Background(), topic)
	if err != nil {
		t.Fatal(err)
	}
	b := record.BatchFromContext((<-messages).Context())
	closeNow(t, subscriber)
	b.Report(0, record.Result{Outcome: record.Done}) // too late
	if got := abandoned.Load(); got != int32(len(b.Records)) {
		t.Errorf("abandoned records: got %d, want %d", got, len(b.Records))
	}
	if at := committed(t, broker, group, topic, 0); at != 0 {
		t.Errorf("committed: got %d, want 0", at)
	}
}

// TestSlowHandlerDoesNotBreakARebalance holds a batch for longer than a broker's answer is waited for while another member joins.
func TestSlowHandlerDoesNotBreakARebalance(t *testing.T) {
	t.Parallel()
	const partitions, per = 4, 20
	broker := kafkatest.Broker(t)
	topic, group := kafkatest.Topic(t, broker, partitions), kafkatest.Name(t)
	write(t, broker, topic, partitions, per)
	settings := quick(broker)
	settings.ReadTimeout = time.Second
	var handled ledger
	var alarms atomic.Int32
	hooks := kafka.Hooks{Alarm: func(kafka.AlarmKind, string, int32, bool, string) { alarms.Add(1) }}
	slow := make(chan struct{})
	taken := make(chan struct{}, 100)
	first := open(t, kafka.SubscriberSettings{Kafka: settings, Group: group, Topics: []string{topic}, Hooks: hooks})
	batches(t, first, topic, func(ctx context.Context, b *record.Batch) {
		taken <- struct{}{}
		<-slow
		for i, r := range b.Records {
			handled.add(r)
			b.Report(i, record.Result{Outcome: record.Done})
		}
	})
	for range partitions {
		<-taken
	}
	assigned := make(chan struct{}, 100)
	hooks.Assigned = func(string, int32, int64) { assigned <- struct{}{} }
	second := open(t, kafka.SubscriberSettings{Kafka: settings, Group: group, Topics: []string{topic}, Hooks: hooks})
	batches(t, second, topic, handled.handleAll)
	timer := time.NewTimer(4 * settings.ReadTimeout)
	defer timer.Stop()
	<-timer.C
	close(slow)
	<-assigned
	write(t, broker, topic, partitions, per)
	kafkatest.Eventually(t, "all is handled", func() bool { return handled.count() >= partitions*2*per })
	handled.wantOnce(t, topic, partitions, 2*per)
	if got := alarms.Load(); got != 0 {
		t.Errorf("alarms: got %d, want 0", got)
	}
}
