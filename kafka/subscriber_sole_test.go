package kafka_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/prantikov/millrace/kafka"
	"github.com/prantikov/millrace/kafka/kafkatest"
)

func TestExclusiveMemberThatIsNotAloneEndsAndTheOtherGoesOn(t *testing.T) {
	t.Parallel()
	const partitions = 4
	broker := kafkatest.Broker(t)
	topic, group := kafkatest.Topic(t, broker, partitions), kafkatest.Name(t)
	var handled ledger
	var alarms atomic.Int32
	settings := kafka.SubscriberSettings{
		Kafka: quick(broker), Group: group, Topics: []string{topic}, Exclusive: true,
		Hooks: kafka.Hooks{Alarm: func(kafka.AlarmKind, string, int32, bool, string) { alarms.Add(1) }},
	}
	running := open(t, settings)
	batches(t, running, topic, handled.handleAll)
	write(t, broker, topic, partitions, 10)
	kafkatest.Eventually(t, "the first is handled", func() bool { return handled.count() == partitions*10 })

	for range 2 {
		var other ledger
		late := open(t, settings)
		<-batches(t, late, topic, other.handleAll)
		if err := late.Err(); !errors.Is(err, kafka.ErrNotAlone) {
			t.Errorf("the second member's error: got %v, want %v", err, kafka.ErrNotAlone)
		}
		if other.count() > 0 {
			t.Errorf("the second member handled %d records, want 0", other.count())
		}
	}
	write(t, broker, topic, partitions, 10)
	kafkatest.Eventually(t, "the rest is handled", func() bool { return handled.count() >= partitions*20 })
	handled.wantOnce(t, topic, partitions, 20)
	if err := running.Err(); err != nil {
		t.Errorf("the first member's error: got %v, want nil", err)
	}
	if got := alarms.Load(); got != 0 {
		t.Errorf("alarms: got %d, want 0: the first member never lost anything", got)
	}
}

func TestOfTwoExclusiveMembersThatBeginTogetherOneStays(t *testing.T) {
	t.Parallel()
	const partitions = 4
	broker := kafkatest.Broker(t)
	topic, group := kafkatest.Topic(t, broker, partitions), kafkatest.Name(t)
	write(t, broker, topic, partitions, 10)
	var handled ledger
	settings := kafka.SubscriberSettings{Kafka: quick(broker), Group: group, Topics: []string{topic}, Exclusive: true}
	one, other := open(t, settings), open(t, settings)
	endOne, endOther := batches(t, one, topic, handled.handleAll), batches(t, other, topic, handled.handleAll)
	stays := other
	select {
	case <-endOne:
	case <-endOther:
		stays = one
	}
	write(t, broker, topic, partitions, 10)
	kafkatest.Eventually(t, "all is handled", func() bool { return handled.count() >= partitions*20 })
	handled.wantOnce(t, topic, partitions, 20)
	if err := stays.Err(); err != nil {
		t.Errorf("error of the member that stays: got %v, want nil", err)
	}
}

func TestExclusiveMemberThatLosesPartitionsWaitsForThem(t *testing.T) {
	t.Parallel()
	const partitions = 4
	broker := kafkatest.Broker(t)
	topic, group := kafkatest.Topic(t, broker, partitions), kafkatest.Name(t)
	var handled, others ledger
	alarms := make(chan bool, 10)
	settings := kafka.SubscriberSettings{
		Kafka: quick(broker), Group: group, Topics: []string{topic}, Exclusive: true,
		Hooks: kafka.Hooks{Alarm: func(kind kafka.AlarmKind, _ string, _ int32, on bool, _ string) {
			if kind == kafka.AlarmNotAlone {
				alarms <- on
			}
		}},
	}
	running := open(t, settings)
	batches(t, running, topic, handled.handleAll)
	write(t, broker, topic, partitions, 10)
	kafkatest.Eventually(t, "the first is handled", func() bool { return handled.count() == partitions*10 })

	// Another setting of the same consumer does not know the rule, so the group shares.
	shared := open(t, kafka.SubscriberSettings{Kafka: quick(broker), Group: group, Topics: []string{topic}})
	batches(t, shared, topic, others.handleAll)
	if on := <-alarms; !on {
		t.Error("alarm: got its end, want its beginning")
	}
	write(t, broker, topic, partitions, 10)
	kafkatest.Eventually(t, "the other handles its half", func() bool { return others.count() == partitions*10/2 })
	if got := handled.count(); got != partitions*10 {
		t.Errorf("the waiting member handled %d records, want %d as before", got, partitions*10)
	}
	closeNow(t, shared)
	if on := <-alarms; on {
		t.Error("alarm: got its beginning, want its end")
	}
	kafkatest.Eventually(t, "the rest is handled", func() bool { return handled.count()+others.count() == partitions*20 })
	if err := running.Err(); err != nil {
		t.Errorf("error: got %v, want nil", err)
	}
}

// TestExclusiveMemberTakesOverFromOneThatWasKilled joins while the group still counts on a member that will never answer again.
func TestExclusiveMemberTakesOverFromOneThatWasKilled(t *testing.T) {
	t.Parallel()
	broker := kafkatest.Broker(t)
	topic, group := kafkatest.Topic(t, broker, 2), kafkatest.Name(t)
	write(t, broker, topic, 2, 5)
	leaveGhost(t, broker, group, topic)
	var handled ledger
	var alarms atomic.Int32
	subscriber := open(t, kafka.SubscriberSettings{
		Kafka: quick(broker), Group: group, Topics: []string{topic}, Exclusive: true,
		Hooks: kafka.Hooks{Alarm: func(kafka.AlarmKind, string, int32, bool, string) { alarms.Add(1) }},
	})
	batches(t, subscriber, topic, handled.handleAll)
	kafkatest.Eventually(t, "all is handled", func() bool { return handled.count() == 10 })
	if err := subscriber.Err(); err != nil {
		t.Errorf("error: got %v, want nil", err)
	}
	if got := alarms.Load(); got != 0 {
		t.Errorf("alarms: got %d, want 0", got)
	}
}

// TestExclusiveMemberOutlivesOneThatWasKilledWhileItJoined joins together with a member that died waiting for its assignment, and is given one.
func TestExclusiveMemberOutlivesOneThatWasKilledWhileItJoined(t *testing.T) {
	t.Parallel()
	broker := kafkatest.Broker(t)
	topic, group := kafkatest.Topic(t, broker, 2), kafkatest.Name(t)
	write(t, broker, topic, 2, 5)
	leaveGhost(t, broker, group, topic)
	leaveGhostAtTheDoor(t, broker, group, topic)
	var handled ledger
	subscriber := open(t, kafka.SubscriberSettings{Kafka: quick(broker), Group: group, Topics: []string{topic}, Exclusive: true})
	batches(t, subscriber, topic, handled.handleAll)
	kafkatest.Eventually(t, "all is handled", func() bool { return handled.count() == 10 || subscriber.Err() != nil })
	if err := subscriber.Err(); err != nil {
		t.Errorf("error: got %v, want nil", err)
	}
}

// leaveGhostAtTheDoor makes a member that asks to join and hears no answer, since the group waits for its other members.
func leaveGhostAtTheDoor(t *testing.T, broker, group, topic string) {
	t.Helper()
	client := kafkatest.Client(t, broker, oldVersions())
	// It says that it owned partitions in a later generation than anyone, so that it is given them.
	metadata := kmsg.ConsumerMemberMetadata{Version: 1, Topics: []string{topic}, UserData: []byte("9")}
	protocol := kmsg.NewJoinGroupRequestProtocol()
	protocol.Name, protocol.Metadata = "millrace-sole", metadata.AppendTo(nil)
	join := kmsg.NewPtrJoinGroupRequest()
	join.Group, join.ProtocolType, join.Protocols = group, "consumer", append(join.Protocols, protocol)
	join.SessionTimeoutMillis, join.RebalanceTimeoutMillis = 6_000, 60_000
	ctx, cancel := context.WithTimeout(context.Background(), kafkatest.Patience)
	defer cancel()
	first, err := join.RequestWith(ctx, client)
	if err != nil || first.ErrorCode != kerr.MemberIDRequired.Code {
		t.Fatalf("asking for a member id: %v, error code %d", err, first.ErrorCode)
	}
	join.MemberID = first.MemberID
	// The embedded broker forgets to watch a member whose connection is gone before its answer, so this one stays open until the test ends.
	go func() { _, _ = join.RequestWith(context.Background(), client) }()
	kafkatest.Eventually(t, "it waits to join", func() bool {
		describe := kmsg.NewPtrDescribeGroupsRequest()
		describe.Groups = []string{group}
		answer, err := describe.RequestWith(ctx, kafkatest.Client(t, broker, oldVersions()))
		return err == nil && len(answer.Groups) == 1 && len(answer.Groups[0].Members) == 2
	})
}

// leaveGhost makes a member of the group that owns all partitions and sends no heartbeat.
func leaveGhost(t *testing.T, broker, group, topic string) {
	t.Helper()
	leaveGhostOf(t, broker, group, topic, nil, 6*time.Second)
}

// leaveGhostOf is leaveGhost of an instance, nil for none, that the group counts on for that long.
func leaveGhostOf(t *testing.T, broker, group, topic string, instance *string, session time.Duration) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), kafkatest.Patience)
	defer cancel()
	client := kafkatest.Client(t, broker, oldVersions())
	metadata := kmsg.ConsumerMemberMetadata{Version: 1, Topics: []string{topic}, UserData: []byte("7")}
	protocol := kmsg.NewJoinGroupRequestProtocol()
	protocol.Name, protocol.Metadata = "millrace-sole", metadata.AppendTo(nil)
	join := kmsg.NewPtrJoinGroupRequest()
	join.Group, join.ProtocolType, join.Protocols = group, "consumer", append(join.Protocols, protocol)
	join.InstanceID, join.SessionTimeoutMillis, join.RebalanceTimeoutMillis = instance, int32(session.Milliseconds()), 60_000
	joined, err := join.RequestWith(ctx, client)
	if err == nil && joined.ErrorCode == kerr.MemberIDRequired.Code {
		join.MemberID = joined.MemberID
		joined, err = join.RequestWith(ctx, client)
	}
	if err != nil || joined.ErrorCode != 0 {
		t.Fatalf("joining: %v, error code %d", err, joined.ErrorCode)
	}
	inTopic := kmsg.NewConsumerMemberAssignmentTopic()
	inTopic.Topic, inTopic.Partitions = topic, []int32{0, 1}
	assignment := kmsg.NewSyncGroupRequestGroupAssignment()
	assignment.MemberID = joined.MemberID
	assignment.MemberAssignment = (&kmsg.ConsumerMemberAssignment{Topics: []kmsg.ConsumerMemberAssignmentTopic{inTopic}}).AppendTo(nil)
	protocolType := "consumer"
	sync := kmsg.NewPtrSyncGroupRequest()
	sync.Group, sync.MemberID, sync.Generation, sync.InstanceID = group, joined.MemberID, joined.Generation, instance
	sync.ProtocolType, sync.Protocol = &protocolType, &protocol.Name
	sync.GroupAssignment = append(sync.GroupAssignment, assignment)
	synced, err := sync.RequestWith(ctx, client)
	if err != nil || synced.ErrorCode != 0 {
		t.Fatalf("taking the partitions: %v, error code %d", err, synced.ErrorCode)
	}
}
