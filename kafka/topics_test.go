package kafka_test

import (
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"

	"github.com/prantikov/millrace/config"
	"github.com/prantikov/millrace/kafka"
	"github.com/prantikov/millrace/kafka/kafkatest"
)

func topicSettings(broker string, names ...string) config.Settings {
	s := config.Settings{Kafka: kafkatest.Settings(broker), Topics: map[string]config.Topic{}}
	for _, name := range names {
		s.Topics[name] = config.Topic{}
	}
	return s
}

func plan(t *testing.T, topics *kafka.Topics) map[string]kafka.TopicPlan {
	t.Helper()
	plans, err := topics.Plan(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	byName := map[string]kafka.TopicPlan{}
	for _, plan := range plans {
		byName[plan.Topic] = plan
	}
	return byName
}

func TestTopicsAreCreatedAsPlanned(t *testing.T) {
	t.Parallel()
	broker := kafkatest.Broker(t)
	name := kafkatest.Name(t)
	topics := kafka.NewTopics(topicSettings(broker, name))

	before := plan(t, topics)
	if got := before[name]; got.Exists || got.Action != kafka.ActionCreate || got.Partitions != 6 || got.Retention != 7*24*time.Hour || got.Cleanup != "delete" {
		t.Errorf("got plan %+v, want 6 partitions for 7 days to be created", got)
	}
	if !kafkatest.Real() && (before[name].Replicas != 1 || len(before[name].Notes) != 1 || !strings.Contains(before[name].Notes[0], "replicas")) {
		t.Errorf("got %d replicas and notes %q, want 1 and a note that says why", before[name].Replicas, before[name].Notes)
	}
	if _, err := topics.Apply(t.Context()); err != nil {
		t.Fatal(err)
	}
	after := plan(t, topics)
	for _, topic := range []string{name, name + "-dlt"} {
		if got := after[topic]; !got.Exists || got.Action != kafka.ActionKeep || len(got.Notes)+len(got.Drift)+len(got.Commands) != 0 {
			t.Errorf("got plan %+v of %s, want one that keeps it without drift", got, topic)
		}
	}
	letters := after[name+"-dlt"]
	if letters.Partitions != 6 || letters.Retention != 30*24*time.Hour || letters.MaxMessageBytes != after[name].MaxMessageBytes+1<<20 || letters.Source != name {
		t.Errorf("got dead-letter topic %+v, want 6 partitions, 30 days and 1 MiB more than its source", letters)
	}
}

func TestDeadLetterTopicFollowsTheTopicThatIsThere(t *testing.T) {
	t.Parallel()
	broker := kafkatest.Broker(t)
	name := kafkatest.Topic(t, broker, 3, "max.message.bytes", "6291456", "retention.ms", "-1")
	topics := kafka.NewTopics(topicSettings(broker, name))
	if _, err := topics.Apply(t.Context()); err != nil {
		t.Fatal(err)
	}
	after := plan(t, topics)
	if got := after[name+"-dlt"]; got.Partitions != 3 || got.MaxMessageBytes != 7<<20 || got.Retention >= 0 {
		t.Errorf("got %d partitions, %d bytes and %s, want 3, 7 MiB and for ever, as its source keeps its records", got.Partitions, got.MaxMessageBytes, got.Retention)
	}
	kept := after[name]
	if kept.Partitions != 3 || kept.Retention >= 0 || len(kept.Drift) == 0 || kept.Drift[0] != (kafka.Drift{Setting: "partitions", Is: "3", Want: "6"}) {
		t.Errorf("got %+v, want the topic as it was, with what differs", kept)
	}
}

func TestTopicsNeedNoBrokerDefaults(t *testing.T) {
	t.Parallel()
	broker := kafkatest.Broker(t)
	name := kafkatest.Name(t)
	s := topicSettings(broker)
	s.Topics["order-events"] = config.Topic{Name: name, Partitions: 2, Replicas: 1, Retention: -1, MaxMessageBytes: 2 << 20}
	s.DeadLetters = config.DeadLetters{Suffix: ".DLT", Retention: time.Hour}
	if _, err := kafka.NewTopics(s).Apply(t.Context()); err != nil {
		t.Fatal(err)
	}
	got := plan(t, kafka.NewTopics(s))
	if topic := got[name]; topic.Partitions != 2 || topic.Replicas != 1 || topic.Retention >= 0 || topic.MaxMessageBytes != 2<<20 {
		t.Errorf("got %+v, want 2 partitions, 1 replica, for ever, 2 MiB", topic)
	}
	if letters := got[name+".DLT"]; letters.Retention >= 0 || letters.MaxMessageBytes != 3<<20 {
		t.Errorf("got %+v, want for ever, as its source and not an hour, and 3 MiB", letters)
	}
}

func TestSeveralProcessesApplyAtOnce(t *testing.T) {
	t.Parallel()
	broker := kafkatest.Broker(t)
	s := topicSettings(broker, kafkatest.Name(t))
	var processes sync.WaitGroup
	for range 4 {
		processes.Go(func() {
			if _, err := kafka.NewTopics(s).Apply(t.Context()); err != nil {
				t.Errorf("got error %v, want none", err)
			}
		})
	}
	processes.Wait()
}

func TestReplicasAreThreeWhereThereAreBrokers(t *testing.T) {
	t.Parallel()
	cluster := kafkatest.Cluster(t, kfake.NumBrokers(3))
	topics := kafka.NewTopics(topicSettings(cluster.ListenAddrs()[0], "t"))
	if _, err := topics.Apply(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := plan(t, topics)["t"]; got.Replicas != 3 || len(got.Notes)+len(got.Drift) != 0 {
		t.Errorf("got %d replicas, drift %v and notes %q, want 3 and none", got.Replicas, got.Drift, got.Notes)
	}
}
