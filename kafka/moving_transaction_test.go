package kafka_test

import (
	"slices"
	"sync/atomic"
	"testing"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/prantikov/millrace/kafka"
	"github.com/prantikov/millrace/kafka/kafkatest"
	"github.com/prantikov/millrace/record"
)

// Ensure a group's position is waited for while a transaction of who had the group before is about to change it.
func TestAPositionThatATransactionIsAboutToChangeIsWaitedFor(t *testing.T) {
	t.Parallel()
	eachProtocol(t, func(t *testing.T, rebalance string) {
		cluster := kafkatest.Cluster(t, kfake.SeedTopics(1, "t"))
		broker, group := cluster.ListenAddrs()[0], kafkatest.Name(t)
		write(t, broker, "t", 1, 10)
		kafkatest.Commit(t, broker, group, record.Position{Topic: "t", Partition: 0, Offset: 6})
		var asked atomic.Int32
		cluster.ControlKey(int16(kmsg.OffsetFetch), func(request kmsg.Request) (kmsg.Response, error, bool) {
			cluster.KeepControl()
			fetch := request.(*kmsg.OffsetFetchRequest)
			if !fetch.RequireStable {
				t.Error("got a request for whatever the position is, want one for what no transaction is about to change")
			}
			if asked.Add(1) > 2 {
				return nil, nil, false
			}
			return unstable(fetch), nil, true
		})
		var handled ledger
		subscriber := open(t, kafka.SubscriberSettings{Kafka: sharing(broker, rebalance), Group: group, Topics: []string{"t"}})
		batches(t, subscriber, "t", handled.handleAll)
		kafkatest.Eventually(t, "the records behind the position are handled", func() bool { return handled.count() >= 4 })
		closeNow(t, subscriber)
		got := handled.offsets("t", 0)
		slices.Sort(got)
		if !slices.Equal(got, []int64{6, 7, 8, 9}) {
			t.Errorf("got %v, want 6 to 9 once", got)
		}
	})
}

// unstable is the answer of a coordinator that waits for the end of a transaction.
func unstable(request *kmsg.OffsetFetchRequest) kmsg.Response {
	answer := request.ResponseKind().(*kmsg.OffsetFetchResponse)
	for _, group := range request.Groups {
		of := kmsg.NewOffsetFetchResponseGroup()
		of.Group = group.Group
		for _, topic := range group.Topics {
			named := kmsg.NewOffsetFetchResponseGroupTopic()
			named.Topic = topic.Topic
			for _, partition := range topic.Partitions {
				one := kmsg.NewOffsetFetchResponseGroupTopicPartition()
				one.Partition, one.Offset, one.ErrorCode = partition, -1, kerr.UnstableOffsetCommit.Code
				named.Partitions = append(named.Partitions, one)
			}
			of.Topics = append(of.Topics, named)
		}
		answer.Groups = append(answer.Groups, of)
	}
	return answer
}
