package kafka_test

import (
	"os"
	"testing"

	"go.uber.org/goleak"

	"github.com/prantikov/millrace/kafka"
	"github.com/prantikov/millrace/kafka/kafkatest"
)

// TestCloseLeavesNoGoroutine is not parallel: it counts the goroutines of the process.
func TestCloseLeavesNoGoroutine(t *testing.T) {
	broker := kafkatest.Broker(t)
	topic, group := kafkatest.Topic(t, broker, 4), kafkatest.Name(t)
	write(t, broker, topic, 4, 10)
	before := goleak.IgnoreCurrent()
	cycles := 3
	if os.Getenv("MILLRACE_SOAK") != "" {
		cycles = 1000
	}
	for range cycles {
		var handled ledger
		subscriber := open(t, kafka.SubscriberSettings{Kafka: quick(broker), Group: group, Topics: []string{topic}})
		ended := batches(t, subscriber, topic, handled.handleAll)
		kafkatest.Eventually(t, "partitions are owned", func() bool { return len(subscriber.Positions()) == 4 })
		closeNow(t, subscriber)
		<-ended
	}
	goleak.VerifyNone(t, before)
}
