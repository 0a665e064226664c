package kafka_test

import (
	"testing"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/prantikov/millrace/kafka"
	"github.com/prantikov/millrace/kafka/kafkatest"
)

// Ensure a topic that somebody has just created is planned, also when the broker that is asked for its settings has not heard of it yet:
// processes of a cluster start together.
func TestTopicThatNotAllBrokersKnowYetIsLookedAtAgain(t *testing.T) {
	t.Parallel()
	cluster := kafkatest.Cluster(t)
	broker := cluster.ListenAddrs()[0]
	name := kafkatest.Topic(t, broker, 3)
	refused := 0
	cluster.ControlKey(int16(kmsg.DescribeConfigs), func(request kmsg.Request) (kmsg.Response, error, bool) {
		cluster.KeepControl()
		asked := request.(*kmsg.DescribeConfigsRequest)
		if refused >= 3 || asked.Resources[0].ResourceName != name {
			return nil, nil, false
		}
		refused++
		answer := asked.ResponseKind().(*kmsg.DescribeConfigsResponse)
		resource := kmsg.NewDescribeConfigsResponseResource()
		resource.ErrorCode, resource.ResourceType, resource.ResourceName = kerr.UnknownTopicOrPartition.Code, asked.Resources[0].ResourceType, name
		answer.Resources = append(answer.Resources, resource)
		return answer, nil, true
	})
	if got := plan(t, kafka.NewTopics(topicSettings(broker, name)))[name]; !got.Exists || got.Partitions != 3 {
		t.Errorf("got plan %+v, want the topic with its 3 partitions", got)
	}
	if refused != 3 {
		t.Errorf("the broker was asked %d times before it knew the topic, want 3", refused)
	}
}
