// Package kafkatest owns what tests need of Kafka: a broker, topics, and an independent client (franz-go) to write and read with.
// It never uses the code under test.
package kafkatest

import (
	"context"
	"crypto/rand"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/prantikov/millrace/config"
)

// BrokersVariable is the environment variable with the addresses of a real Kafka that the tests are to use.
const BrokersVariable = "MILLRACE_TEST_BROKERS"

// Patience bounds every wait of these functions and is a good deadline for a test's own.
const Patience = 30 * time.Second

// Broker returns the address of a broker: a new one in memory that ends with the test or, when MILLRACE_TEST_BROKERS is set, the real one that it
// names (its addresses separated by commas). The real one is shared, so topics and groups need names of their own: [Topic] and [Name].
func Broker(t testing.TB) string {
	t.Helper()
	if addresses := os.Getenv(BrokersVariable); addresses != "" {
		return addresses
	}
	return Cluster(t).ListenAddrs()[0]
}

// Cluster returns a new broker in memory with everything that franz-go's fake can do to a client: faults, moved leaders, retention on demand.
// It ends with the test. A test that needs it cannot run against a real Kafka.
func Cluster(t testing.TB, options ...kfake.Opt) *kfake.Cluster {
	t.Helper()
	defaults := []kfake.Opt{kfake.NumBrokers(1), kfake.DefaultNumPartitions(6), kfake.GroupMinSessionTimeout(100 * time.Millisecond)}
	cluster, err := kfake.NewCluster(append(defaults, options...)...)
	if err != nil {
		t.Fatalf("starting a broker: %v", err)
	}
	t.Cleanup(cluster.Close)
	return cluster
}

// Real says whether the tests run against a real Kafka.
func Real() bool { return os.Getenv(BrokersVariable) != "" }

// Settings returns safe settings for the broker.
func Settings(broker string) config.Kafka {
	return config.Kafka{
		Brokers:  strings.Split(broker, ","),
		ClientID: "kafkatest",
		Version:  "2.8.0",
		Wait:     Patience,
		Producer: config.Producer{Acks: "all", Idempotent: true, Retries: 3, RetryBackoff: 100 * time.Millisecond, DeliveryTimeout: 2 * time.Minute},
	}
}

// Name returns a name that no other test and no other run uses, for a topic, a group or a transaction.
func Name(t testing.TB) string {
	t.Helper()
	letters := strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' {
			return r
		}
		return '-'
	}, strings.ToLower(t.Name()))
	return fmt.Sprintf("%.60s-%s", letters, strings.ToLower(rand.Text()))
}

// Topic creates a topic with a name of its own and returns the name. Each setting is a pair such as "retention.ms", "-1".
func Topic(t testing.TB, broker string, partitions int, settings ...string) string {
	t.Helper()
	name := Name(t)
	CreateTopic(t, broker, name, partitions, settings...)
	return name
}

// ReplicatedTopic is [Topic] with replicas on several brokers of a cluster, for tests that kill one.
func ReplicatedTopic(t testing.TB, broker string, partitions, replicas int) string {
	t.Helper()
	name := Name(t)
	create(t, broker, name, partitions, replicas)
	return name
}

// CreateTopic creates the topic under the given name, for tests whose broker is their own.
func CreateTopic(t testing.TB, broker, name string, partitions int, settings ...string) {
	t.Helper()
	create(t, broker, name, partitions, 1, settings...)
}

func create(t testing.TB, broker, name string, partitions, replicas int, settings ...string) {
	t.Helper()
	topic := kmsg.NewCreateTopicsRequestTopic()
	topic.Topic, topic.NumPartitions, topic.ReplicationFactor = name, int32(partitions), int16(replicas)
	for i := 0; i+1 < len(settings); i += 2 {
		setting := kmsg.NewCreateTopicsRequestTopicConfig()
		setting.Name, setting.Value = settings[i], &settings[i+1]
		topic.Configs = append(topic.Configs, setting)
	}
	request := kmsg.NewPtrCreateTopicsRequest()
	request.Topics, request.TimeoutMillis = append(request.Topics, topic), int32(Patience.Milliseconds())
	ctx, cancel := context.WithTimeout(context.Background(), Patience)
	defer cancel()
	response, err := request.RequestWith(ctx, Client(t, broker))
	if err != nil {
		t.Fatalf("creating topic %s: %v", name, err)
	}
	if code := response.Topics[0].ErrorCode; code != 0 {
		t.Fatalf("creating topic %s: error code %d", name, code)
	}
}

// Client returns franz-go's client for the broker. It is closed when the test ends.
func Client(t testing.TB, broker string, options ...kgo.Opt) *kgo.Client {
	t.Helper()
	// Without DisableClientMetrics, every close waits a second for somebody to take the client's metrics. Not all brokers of a cluster know a
	// topic as soon as it was created.
	defaults := []kgo.Opt{kgo.SeedBrokers(strings.Split(broker, ",")...), kgo.DisableClientMetrics(), kgo.UnknownTopicRetries(-1)}
	client, err := kgo.NewClient(append(defaults, options...)...)
	if err != nil {
		t.Fatalf("opening franz-go's client: %v", err)
	}
	t.Cleanup(client.Close)
	return client
}
