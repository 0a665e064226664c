package kafka_test

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"

	"github.com/prantikov/millrace/config"
	"github.com/prantikov/millrace/kafka"
	"github.com/prantikov/millrace/kafka/kafkatest"
)

func TestPlanShowsDrift(t *testing.T) {
	t.Parallel()
	broker := kafkatest.Broker(t)
	name := kafkatest.Name(t)
	kafkatest.CreateTopic(t, broker, name, 3, "retention.ms", "3600000", "cleanup.policy", "compact", "max.message.bytes", "500000")
	kafkatest.CreateTopic(t, broker, name+"-dlt", 2, "retention.ms", "1000", "cleanup.policy", "delete", "max.message.bytes", "500000")
	s := topicSettings(broker)
	s.Topics["order-events"] = config.Topic{Name: name, Partitions: 12, Replicas: 1, Retention: 24 * time.Hour, MaxMessageBytes: 1 << 20}
	plans := plan(t, kafka.NewTopics(s))
	want := []kafka.Drift{
		{Setting: "partitions", Is: "3", Want: "12"}, {Setting: "retention", Is: "1h0m0s", Want: "24h0m0s"},
		{Setting: "cleanup", Is: "compact", Want: "delete"}, {Setting: "max.message.bytes", Is: "500000", Want: "1048576"},
	}
	if got := plans[name]; got.Action != kafka.ActionKeep || !reflect.DeepEqual(got.Drift, want) {
		t.Errorf("got %s with drift %v, want keep with %v", got.Action, got.Drift, want)
	}
	// Its dead-letter topic follows the topic that is there, not the one that is wanted.
	want = []kafka.Drift{
		{Setting: "partitions", Is: "2", Want: "3"}, {Setting: "retention", Is: "1s", Want: "720h0m0s"}, {Setting: "max.message.bytes", Is: "500000", Want: "1548576"},
	}
	if got := plans[name+"-dlt"]; !reflect.DeepEqual(got.Drift, want) {
		t.Errorf("dead-letter topic: got drift %v, want %v", got.Drift, want)
	}
	wantCommands := []string{fmt.Sprintf("kafka-configs.sh --bootstrap-server %s --alter --entity-type topics --entity-name %s "+
		"--add-config cleanup.policy=delete,max.message.bytes=1048576,retention.ms=86400000", broker, name)}
	if got := plans[name].Commands; !reflect.DeepEqual(got, wantCommands) {
		t.Errorf("got commands %q, want %q", got, wantCommands)
	}
	wantCommands = []string{fmt.Sprintf("kafka-configs.sh --bootstrap-server %s --alter --entity-type topics --entity-name %s-dlt "+
		"--add-config max.message.bytes=1548576,retention.ms=2592000000", broker, name)}
	if got := plans[name+"-dlt"].Commands; !reflect.DeepEqual(got, wantCommands) {
		t.Errorf("got commands %q, want %q", got, wantCommands)
	}
}

func TestPlanShowsDriftOfReplicas(t *testing.T) {
	t.Parallel()
	broker := kafkatest.Cluster(t, kfake.NumBrokers(3)).ListenAddrs()[0]
	kafkatest.CreateTopic(t, broker, "t", 6)
	got := plan(t, kafka.NewTopics(topicSettings(broker, "t")))["t"]
	if len(got.Drift) == 0 || got.Drift[0] != (kafka.Drift{Setting: "replicas", Is: "1", Want: "3"}) {
		t.Errorf("got drift %v, want 1 replica instead of 3", got.Drift)
	}
	if !strings.Contains(strings.Join(got.Notes, "; "), "kafka-reassign-partitions.sh") {
		t.Errorf("got notes %q, want the tool that changes it", got.Notes)
	}
}

// Ensure partitions come only when they are asked for, to dead letters too, and that the plan says what that does to keys.
func TestPartitionsAreAddedOnlyWhenAskedFor(t *testing.T) {
	t.Parallel()
	broker := kafkatest.Broker(t)
	name := kafkatest.Name(t)
	s := topicSettings(broker)
	s.Topics["order-events"] = config.Topic{Name: name, Partitions: 2, Replicas: 1}
	if _, err := kafka.NewTopics(s).Apply(t.Context()); err != nil {
		t.Fatal(err)
	}
	s.Topics["order-events"] = config.Topic{Name: name, Partitions: 5, Replicas: 1}
	kept, err := kafka.NewTopics(s).Apply(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if got := kept[0]; got.Action != kafka.ActionKeep || got.Partitions != 2 || !strings.Contains(strings.Join(got.Notes, ";"), "--add-partitions") {
		t.Errorf("without being asked: got %+v, want 2 partitions kept and the flag that adds some", got)
	}
	growing := kafka.NewTopics(s).AddingPartitions()
	for topic, got := range plan(t, growing) {
		if got.Action != kafka.ActionAddPartitions || got.Partitions != 2 || got.AddPartitions != 3 {
			t.Errorf("%s: got %s of %d more to %d, want 3 more to 2", topic, got.Action, got.AddPartitions, got.Partitions)
		}
		if warned := strings.Contains(strings.Join(got.Notes, ";"), "keys move"); warned != (topic == name) {
			t.Errorf("%s: got notes %q, want a warning that keys move of the topic with keys", topic, got.Notes)
		}
	}
	var processes sync.WaitGroup
	for range 3 {
		processes.Go(func() {
			if _, err := growing.Apply(t.Context()); err != nil {
				t.Errorf("got error %v, want none, also for who comes second", err)
			}
		})
	}
	processes.Wait()
	for topic, got := range plan(t, growing) {
		if got.Action != kafka.ActionKeep || got.Partitions != 5 || len(got.Drift) > 0 {
			t.Errorf("%s: got %+v, want 5 partitions without drift", topic, got)
		}
	}
}

func TestPartitionsAreNeverTakenAway(t *testing.T) {
	t.Parallel()
	broker := kafkatest.Broker(t)
	name := kafkatest.Topic(t, broker, 5)
	s := topicSettings(broker)
	s.Topics["order-events"] = config.Topic{Name: name, Partitions: 2, Replicas: 1}
	if _, err := kafka.NewTopics(s).AddingPartitions().Apply(t.Context()); err != nil {
		t.Fatal(err)
	}
	got := plan(t, kafka.NewTopics(s).AddingPartitions())[name]
	if got.Action != kafka.ActionKeep || got.Partitions != 5 || !strings.Contains(strings.Join(got.Notes, ";"), "takes no partitions away") {
		t.Errorf("got %+v, want 5 partitions kept and why", got)
	}
}

// Ensure a topic that others own is checked and never made, and that its owner is told how to.
func TestTopicsOfOthersAreOnlyChecked(t *testing.T) {
	t.Parallel()
	broker := kafkatest.Broker(t)
	theirs, ours := kafkatest.Name(t), kafkatest.Name(t)
	s := topicSettings(broker, ours)
	s.Topics["order-events"] = config.Topic{Name: theirs, Manage: config.ManageOff, Partitions: 3, Replicas: 1, Retention: time.Hour, MaxMessageBytes: 1 << 20}
	create := func(topic string, retention, bytes int) string {
		return fmt.Sprintf("kafka-topics.sh --bootstrap-server %s --create --topic %s --partitions 3 --replication-factor 1 "+
			"--config cleanup.policy=delete --config max.message.bytes=%d --config retention.ms=%d", broker, topic, bytes, retention)
	}
	lines := []string{create(theirs, 3_600_000, 1<<20), create(theirs+"-dlt", 2_592_000_000, 2<<20)}

	for i, topic := range []string{theirs, theirs + "-dlt"} {
		got := plan(t, kafka.NewTopics(s))[topic]
		if got.Managed || got.Action != kafka.ActionMissing || !reflect.DeepEqual(got.Commands, lines[i:i+1]) {
			t.Errorf("%s: got %s with %q, want missing with %q", topic, got.Action, got.Commands, lines[i])
		}
	}
	_, err := kafka.NewTopics(s).Apply(t.Context())
	var missing *kafka.MissingTopicsError
	want := fmt.Sprintf("topics %q, %q are missing, and as topics.order-events.manage is off, who owns them has to create them, for example with:\n  %s",
		theirs, theirs+"-dlt", strings.Join(lines, "\n  "))
	if !errors.As(err, &missing) || err.Error() != want {
		t.Errorf("got error %v, want %s", err, want)
	}
	after := plan(t, kafka.NewTopics(s))
	if after[theirs].Exists || !after[ours].Exists || !after[ours+"-dlt"].Exists {
		t.Errorf("got %+v, want the topics of others left alone and ours created", after)
	}

	// What is there is enough, however it is; what of it drifts is told to its owner.
	kafkatest.CreateTopic(t, broker, theirs, 2, "retention.ms", "1000")
	kafkatest.CreateTopic(t, broker, theirs+"-dlt", 2)
	if _, err := kafka.NewTopics(s).AddingPartitions().Apply(t.Context()); err != nil {
		t.Errorf("got error %v, want none for topics that are there", err)
	}
	got := plan(t, kafka.NewTopics(s).AddingPartitions())[theirs]
	wantCommands := []string{
		fmt.Sprintf("kafka-topics.sh --bootstrap-server %s --alter --topic %s --partitions 3", broker, theirs),
		fmt.Sprintf("kafka-configs.sh --bootstrap-server %s --alter --entity-type topics --entity-name %s --add-config retention.ms=3600000", broker, theirs),
	}
	if got.Action != kafka.ActionKeep || got.Partitions != 2 || !reflect.DeepEqual(got.Commands, wantCommands) {
		t.Errorf("got %s of %d partitions with %q, want 2 kept with %q", got.Action, got.Partitions, got.Commands, wantCommands)
	}
}
