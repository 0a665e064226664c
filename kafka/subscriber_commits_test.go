package kafka_test

import (
	"slices"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/prantikov/millrace/kafka"
	"github.com/prantikov/millrace/kafka/kafkatest"
)

func TestCommitsThatFailRepeatNothingAndAreAnAlarm(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		err  *kerr.Error
		// applied is true for an answer that says less than was done, so that nothing is behind.
		applied bool
	}{
		{name: "applied, and the answer is lost", err: kerr.RequestTimedOut, applied: true},
		{name: "refused, for the coordinator is not there", err: kerr.CoordinatorNotAvailable},
		{name: "refused, for it is another", err: kerr.NotCoordinator},
		{name: "refused without a reason", err: kerr.UnknownServerError},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			const partitions, per, rounds = 2, 10, 4
			cluster := kafkatest.Cluster(t)
			broker := cluster.ListenAddrs()[0]
			topic, group := kafkatest.Topic(t, broker, partitions), kafkatest.Name(t)
			alarms := make(chan bool, 100)
			var handled ledger
			subscriber := open(t, kafka.SubscriberSettings{
				Kafka: quick(broker), Group: group, Topics: []string{topic}, CommitAlarmAfter: 400 * time.Millisecond,
				Hooks: kafka.Hooks{Alarm: func(kind kafka.AlarmKind, _ string, _ int32, on bool, _ string) {
					if kind == kafka.AlarmCommit {
						alarms <- on
					}
				}},
			})
			batches(t, subscriber, topic, handled.handleAll)
			last := slices.Repeat([]int64{-1}, partitions) // nothing is committed before the first records
			// Never backwards, and never above what is handled.
			look := func() (all int64) {
				for partition := range int32(partitions) {
					at := committed(t, broker, group, topic, partition)
					if at < last[partition] || at > int64(len(handled.offsets(topic, partition))) {
						t.Errorf("partition %d: got position %d after %d with %d records handled", partition, at, last[partition], len(handled.offsets(topic, partition)))
					}
					last[partition] = max(last[partition], at)
					all += max(at, 0)
				}
				return all
			}
			write(t, broker, topic, partitions, per)
			kafkatest.Eventually(t, "the first records are committed", func() bool { return look() == partitions*per })

			fault := cluster.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.OffsetCommit}, Group: group, Err: test.err, Count: -1})
			for range rounds {
				write(t, broker, topic, partitions, per)
				look()
			}
			kafkatest.Eventually(t, "all is handled", func() bool { look(); return handled.count() == partitions*per*(1+rounds) })
			if test.applied {
				kafkatest.Eventually(t, "all is committed", func() bool { return look() == partitions*per*(1+rounds) })
			} else {
				wantAlarm(t, alarms, true)
				if all := look(); all != partitions*per {
					t.Errorf("position under the alarm: got %d in all, want %d", all, partitions*per)
				}
			}
			fault.Remove()
			if !test.applied {
				wantAlarm(t, alarms, false)
			}
			kafkatest.Eventually(t, "all is committed in the end", func() bool { return look() == partitions*per*(1+rounds) })
			closeNow(t, subscriber)
			look()
			for partition := range int32(partitions) {
				if got := handled.offsets(topic, partition); !slices.Equal(got, upTo(per*(1+rounds))) {
					t.Errorf("partition %d: got %d records, want %d in order, each once", partition, len(got), per*(1+rounds))
				}
			}
		})
	}
}
