package kafka_test

import (
	"net"
	"strconv"
	"testing"

	"github.com/twmb/franz-go/pkg/kfake"

	"github.com/prantikov/millrace/kafka"
	"github.com/prantikov/millrace/kafka/kafkatest"
)

// alarmed returns settings whose alarms of the group come on the channel.
func alarmed(broker, group string, topics ...string) (kafka.SubscriberSettings, <-chan bool) {
	alarms := make(chan bool, 100)
	return kafka.SubscriberSettings{
		Kafka: quick(broker), Group: group, Topics: topics,
		Hooks: kafka.Hooks{Alarm: func(_ kafka.AlarmKind, _ string, _ int32, on bool, _ string) { alarms <- on }},
	}, alarms
}

// wantAlarm fails the test unless the next alarm begins (or ends).
func wantAlarm(t *testing.T, alarms <-chan bool, want bool) {
	t.Helper()
	if got := <-alarms; got != want {
		t.Errorf("alarm: got on=%t, want on=%t", got, want)
	}
}

func TestBrokerThatIsAwayIsWaitedFor(t *testing.T) {
	t.Parallel()
	if kafkatest.Real() {
		t.Log("needs a broker of its own, uses the one in memory")
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := listener.Addr().String()
	if err := listener.Close(); err != nil {
		t.Fatal(err)
	}
	_, text, err := net.SplitHostPort(address)
	if err != nil {
		t.Fatal(err)
	}
	port, err := strconv.Atoi(text)
	if err != nil {
		t.Fatal(err)
	}
	directory := t.TempDir()

	var handled ledger
	settings, alarms := alarmed(address, "waiting", "orders")
	subscriber := open(t, settings)
	ended := batches(t, subscriber, "orders", handled.handleAll)
	wantAlarm(t, alarms, true)

	start := func() *kfake.Cluster { return kafkatest.Cluster(t, kfake.Ports(port), kfake.DataDir(directory)) }
	cluster := start()
	kafkatest.CreateTopic(t, address, "orders", 2)
	write(t, address, "orders", 2, 10)
	wantAlarm(t, alarms, false)
	kafkatest.Eventually(t, "all is handled", func() bool { return handled.count() == 20 })

	cluster.Close()
	wantAlarm(t, alarms, true)
	start()
	write(t, address, "orders", 2, 10)
	wantAlarm(t, alarms, false)
	kafkatest.Eventually(t, "the rest is handled", func() bool { return handled.count() == 40 })
	handled.wantOnce(t, "orders", 2, 20)
	if more := len(alarms); more != 0 {
		t.Errorf("got %d more changes of the alarm, want 0", more)
	}
	closeNow(t, subscriber)
	<-ended
}

func TestTopicThatIsMissingIsWaitedFor(t *testing.T) {
	t.Parallel()
	broker := kafkatest.Broker(t)
	topic, group := kafkatest.Name(t), kafkatest.Name(t)
	var handled ledger
	settings, alarms := alarmed(broker, group, topic)
	batches(t, open(t, settings), topic, handled.handleAll)
	wantAlarm(t, alarms, true)
	kafkatest.CreateTopic(t, broker, topic, 2)
	write(t, broker, topic, 2, 5)
	wantAlarm(t, alarms, false)
	kafkatest.Eventually(t, "all is handled", func() bool { return handled.count() == 10 })
}

func TestCloseEndsWhileNoBrokerAnswers(t *testing.T) {
	t.Parallel()
	settings, alarms := alarmed("127.0.0.1:1", "nobody", "orders")
	subscriber := open(t, settings)
	var handled ledger
	ended := batches(t, subscriber, "orders", handled.handleAll)
	wantAlarm(t, alarms, true)
	closeNow(t, subscriber)
	<-ended
}
