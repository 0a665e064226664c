package kafka_test

import (
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/prantikov/millrace/kafka"
	"github.com/prantikov/millrace/kafka/kafkatest"
)

// groupFetches is the version of the fetches of a group's member. The watchdog's own have another.
const groupFetches = 12

// starve answers the fetches of group members with nothing, while it says so: a consumer of the client that has stopped.
func starve(cluster *kfake.Cluster, starving func() bool) {
	cluster.ControlKey(int16(kmsg.Fetch), func(request kmsg.Request) (kmsg.Response, error, bool) {
		cluster.KeepControl()
		fetch := request.(*kmsg.FetchRequest)
		if fetch.Version != groupFetches || !starving() {
			return nil, nil, false
		}
		answer := fetch.ResponseKind().(*kmsg.FetchResponse)
		for _, asked := range fetch.Topics {
			topic := kmsg.NewFetchResponseTopic()
			topic.Topic, topic.TopicID = asked.Topic, asked.TopicID
			for _, p := range asked.Partitions {
				partition := kmsg.NewFetchResponseTopicPartition()
				partition.Partition, partition.RecordBatches = p.Partition, []byte{}
				topic.Partitions = append(topic.Partitions, partition)
			}
			answer.Topics = append(answer.Topics, topic)
		}
		return answer, nil, true
	})
}

func TestPartitionWhoseRecordsDoNotComeIsBegunAnewWithAnAlarm(t *testing.T) {
	t.Parallel()
	cluster := kafkatest.Cluster(t)
	broker := cluster.ListenAddrs()[0]
	topic, group := kafkatest.Topic(t, broker, 2), kafkatest.Name(t)
	write(t, broker, topic, 2, 5)
	var starving atomic.Bool
	var starved atomic.Int32
	starve(cluster, func() bool {
		if starving.Load() {
			starved.Add(1)
		}
		return starving.Load()
	})
	var handled ledger
	var seen trouble
	var taken atomic.Int32
	hooks := seen.hooks()
	hooks.Assigned = func(string, int32, int64) { taken.Add(1) }
	batches(t, open(t, kafka.SubscriberSettings{
		Kafka: quick(broker), Group: group, Topics: []string{topic}, Hooks: hooks, StalledAfter: time.Second,
	}), topic, handled.handleAll)
	kafkatest.Eventually(t, "all is handled", func() bool { return handled.count() == 10 })

	starving.Store(true)
	// The fetch that was under way still brings what is written.
	kafkatest.Eventually(t, "a fetch brought nothing", func() bool { return starved.Load() > 0 })
	write(t, broker, topic, 2, 5)
	kafkatest.Eventually(t, "the alarms are on", func() bool {
		first, _ := seen.on(kafka.AlarmStalled, 0)
		second, _ := seen.on(kafka.AlarmStalled, 1)
		return first && second
	})
	began := taken.Load()
	kafkatest.Eventually(t, "reading is begun anew", func() bool { return taken.Load() >= began+2 })
	starving.Store(false)
	kafkatest.Eventually(t, "the rest is handled", func() bool { return handled.count() == 20 })
	kafkatest.Eventually(t, "the alarms are over", func() bool {
		first, _ := seen.on(kafka.AlarmStalled, 0)
		second, _ := seen.on(kafka.AlarmStalled, 1)
		return !first && !second
	})
	handled.wantOnce(t, topic, 2, 10)
}

// TestMarkersAtTheEndAreNoStall has partitions whose ends are ahead of the last record for ever. The watchdog asks for their ends and
// fetches each once.
func TestMarkersAtTheEndAreNoStall(t *testing.T) {
	t.Parallel()
	cluster := kafkatest.Cluster(t)
	broker := cluster.ListenAddrs()[0]
	topic, group := kafkatest.Topic(t, broker, 2), kafkatest.Name(t)
	write(t, broker, topic, 2, 5)
	kafkatest.ProduceTransaction(t, broker, true, some(topic, 2, 1)...)
	kafkatest.ProduceTransaction(t, broker, false, some(topic, 2, 3)...)
	var ends, probes atomic.Int32
	cluster.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.ListOffsets}, Count: -1, Observe: true, When: func(request kmsg.Request) bool {
		if request.(*kmsg.ListOffsetsRequest).IsolationLevel == 1 {
			ends.Add(1)
		}
		return true
	}})
	cluster.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Fetch}, Count: -1, Observe: true, When: func(request kmsg.Request) bool {
		if request.(*kmsg.FetchRequest).Version != groupFetches {
			probes.Add(1)
		}
		return true
	}})
	var handled ledger
	var seen trouble
	var taken atomic.Int32
	hooks := seen.hooks()
	hooks.Assigned = func(string, int32, int64) { taken.Add(1) }
	batches(t, open(t, kafka.SubscriberSettings{
		Kafka: quick(broker), Group: group, Topics: []string{topic}, Hooks: hooks, StalledAfter: time.Second,
	}), topic, handled.handleAll)
	kafkatest.Eventually(t, "all that counts is handled", func() bool { return handled.count() == 12 })
	kafkatest.Eventually(t, "the watchdog fetched", func() bool { return probes.Load() > 0 })
	looked := ends.Load()
	kafkatest.Eventually(t, "the ends were looked at", func() bool { return ends.Load() > looked+2 })
	first, owned := probes.Load(), taken.Load()
	kafkatest.Eventually(t, "the ends are looked at again", func() bool { return ends.Load() > looked+5 })
	if got := probes.Load(); got != first {
		t.Errorf("fetches of the watchdog while the ends stay: got %d more, want 0", got-first)
	}
	if got := taken.Load(); got != owned {
		t.Errorf("assignments while the ends stay: got %d more, want 0", got-owned)
	}
	for partition := range int32(2) {
		if on, text := seen.on(kafka.AlarmStalled, partition); on {
			t.Errorf("partition %d: got the alarm %q, want none", partition, text)
		}
	}
	write(t, broker, topic, 2, 1)
	kafkatest.Eventually(t, "what comes later is handled", func() bool { return handled.count() == 14 })
	for partition := range int32(2) {
		got := handled.offsets(topic, partition)
		if !slices.IsSorted(got) || len(got) != 7 {
			t.Errorf("partition %d: got %v, want 7 records in order", partition, got)
		}
	}
}
