package kafka_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/prantikov/millrace/config"
	"github.com/prantikov/millrace/kafka"
	"github.com/prantikov/millrace/kafka/kafkatest"
)

// Ensure a redrive topic has one partition, takes every dead letter of its sources and keeps it twice as long.
func TestRedriveTopicIsMadeForItsSources(t *testing.T) {
	t.Parallel()
	broker := kafkatest.Broker(t)
	one, other, redrive := kafkatest.Name(t), kafkatest.Name(t), kafkatest.Name(t)
	s := topicSettings(broker)
	s.Topics["one"] = config.Topic{Name: one, Partitions: 3, Replicas: 1, MaxMessageBytes: 2 << 20}
	s.Topics["other"] = config.Topic{Name: other, Partitions: 2, Replicas: 1, MaxMessageBytes: 4 << 20, Retention: 40 * 24 * time.Hour}
	both := []kafka.RedriveTopic{{Name: redrive, Consumer: "orders", Sources: []string{"one", "other", "a topic that is not asked for"}}}
	topics := kafka.NewTopics(s).WithRedrives(both)
	if got := plan(t, topics)[redrive]; got.Action != kafka.ActionCreate || got.Consumer != "orders" || got.Source != "" {
		t.Errorf("got %+v, want it to be created for the consumer", got)
	}
	plans, err := topics.Apply(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if last := plans[len(plans)-1]; len(plans) != 5 || last.Topic != redrive {
		t.Errorf("got %d plans, the last of %s, want 5 and the redrive topic last", len(plans), last.Topic)
	}
	got := plan(t, topics)[redrive]
	if got.Partitions != 1 || got.MaxMessageBytes != 5<<20 || got.Retention != 80*24*time.Hour || got.Cleanup != "delete" || len(got.Drift)+len(got.Notes) != 0 {
		t.Errorf("got %+v, want one partition, 5 MiB and 80 days, without drift", got)
	}
	if got, known := plan(t, kafka.NewTopics(s).WithRedrives([]kafka.RedriveTopic{{Name: redrive, Sources: []string{"none"}}}))[redrive]; known {
		t.Errorf("got %+v for a topic of no source, want none", got)
	}
	for name, retention := range map[string]time.Duration{"for ever": -1, "for as long as can be counted": 1 << 62} {
		s := topicSettings(broker, kafkatest.Name(t))
		s.Topics["one"], s.DeadLetters.Retention = config.Topic{Name: kafkatest.Name(t)}, retention
		if got := plan(t, kafka.NewTopics(s).WithRedrives([]kafka.RedriveTopic{{Name: "none-" + redrive, Sources: []string{"one"}}}))["none-"+redrive]; got.Retention != -1 {
			t.Errorf("dead letters %s: got retention %s, want for ever", name, got.Retention)
		}
	}
}

// Ensure a redrive topic that others own is only checked, and that its absence names the setting and the command that creates it.
func TestRedriveTopicOfOthersIsOnlyChecked(t *testing.T) {
	t.Parallel()
	broker := kafkatest.Broker(t)
	name := kafkatest.Topic(t, broker, 6)
	kafkatest.CreateTopic(t, broker, name+"-dlt", 6)
	s := topicSettings(broker)
	s.Topics["order-events"] = config.Topic{Name: name, Manage: config.ManageOff}
	topics := kafka.NewTopics(s).WithRedrives([]kafka.RedriveTopic{{Name: name + "-redrive", Consumer: "orders", Sources: []string{"order-events"}}})
	_, err := topics.Apply(t.Context())
	var missing *kafka.MissingTopicsError
	if !errors.As(err, &missing) {
		t.Fatalf("got %v, want missing topics", err)
	}
	for _, word := range []string{name + "-redrive", "topics.order-events.manage", "--partitions 1", "kafka-topics.sh"} {
		if !strings.Contains(err.Error(), word) {
			t.Errorf("got %q, want %q in it", err, word)
		}
	}
	// More partitions than one are no harm: the first is written to.
	kafkatest.CreateTopic(t, broker, name+"-redrive", 4)
	kafkatest.Eventually(t, "the brokers know the topic, and nothing is missing", func() bool {
		_, err := topics.Apply(t.Context())
		return err == nil
	})
	for _, drift := range plan(t, topics)[name+"-redrive"].Drift {
		if drift.Setting == "partitions" {
			t.Errorf("got drift %s, want none of the partitions", drift)
		}
	}
}
