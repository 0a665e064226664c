package kafka_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"

	"github.com/prantikov/millrace/config"
	"github.com/prantikov/millrace/kafka"
	"github.com/prantikov/millrace/kafka/kafkatest"
)

// moves keeps what was given to a member and taken from it, in order. The zero value is ready.
type moves struct {
	mu    sync.Mutex
	all   []string
	owned map[int32]bool
}

func (m *moves) hooks() kafka.Hooks {
	note := func(word string, partition int32, owned bool) {
		m.mu.Lock()
		defer m.mu.Unlock()
		if m.owned == nil {
			m.owned = map[int32]bool{}
		}
		m.all = append(m.all, fmt.Sprintf("%s %d", word, partition))
		m.owned[partition] = owned
	}
	return kafka.Hooks{
		Assigned: func(_ string, partition int32, _ int64) { note("given", partition, true) },
		Lost:     func(_ string, partition int32) { note("lost", partition, false) },
	}
}

// seen is everything so far.
func (m *moves) seen() []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.all)
}

// has is what the member has now.
func (m *moves) has() []int32 {
	m.mu.Lock()
	defer m.mu.Unlock()
	var partitions []int32
	for partition, owned := range m.owned {
		if owned {
			partitions = append(partitions, partition)
		}
	}
	slices.Sort(partitions)
	return partitions
}

// instances is a group whose members have instance ids.
type instances struct {
	t            *testing.T
	settings     config.Kafka
	topic, group string
	exclusive    bool
	stalledAfter time.Duration
	handled      ledger
	broker       string
}

func newInstances(t *testing.T, rebalance string, partitions int) *instances {
	broker := kafkatest.Broker(t)
	i := &instances{t: t, broker: broker, settings: sharing(broker, rebalance), topic: kafkatest.Topic(t, broker, partitions), group: kafkatest.Name(t)}
	// No test waits for as long: what happens earlier happens because of the instance id.
	i.settings.SessionTimeout = 2 * kafkatest.Patience
	i.settings.DrainTimeout = 2 * time.Second
	return i
}

// join adds the member of an instance and returns what it is given, and a channel that is closed when it ends.
func (i *instances) join(instance string) (*kafka.Subscriber, *moves, <-chan struct{}) {
	i.t.Helper()
	witness := &moves{}
	subscriber := open(i.t, kafka.SubscriberSettings{
		Kafka: i.settings, Group: i.group, Topics: []string{i.topic}, Instance: instance, Exclusive: i.exclusive, StalledAfter: i.stalledAfter, Hooks: witness.hooks(),
	})
	return subscriber, witness, batches(i.t, subscriber, i.topic, i.handled.handleAll)
}

// members are the instance ids in the group, as an independent client sees them.
func (i *instances) members() []string {
	i.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), kafkatest.Patience)
	defer cancel()
	groups, err := kadm.NewClient(kafkatest.Client(i.t, i.broker)).DescribeGroups(ctx, i.group)
	if err != nil {
		i.t.Fatal(err)
	}
	var names []string
	for _, member := range groups[i.group].Members {
		name := "without"
		if member.InstanceID != nil {
			name = *member.InstanceID
		}
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// wantMembers waits until the group has these members.
func (i *instances) wantMembers(names ...string) {
	i.t.Helper()
	kafkatest.Eventually(i.t, fmt.Sprintf("the group has the members %v", names), func() bool { return slices.Equal(i.members(), names) })
}

func TestRestartOfAnInstanceMovesNothing(t *testing.T) {
	t.Parallel()
	const partitions, per = 6, 10
	eachProtocol(t, func(t *testing.T, rebalance string) {
		i := newInstances(t, rebalance, partitions)
		subscribers, witnesses := map[string]*kafka.Subscriber{}, map[string]*moves{}
		names := []string{"pod-0", "pod-1", "pod-2"}
		for _, name := range names {
			subscribers[name], witnesses[name], _ = i.join(name)
		}
		kafkatest.Eventually(t, "they share", func() bool {
			return !slices.ContainsFunc(names, func(name string) bool { return len(witnesses[name].has()) != partitions/len(names) })
		})
		write(t, i.broker, i.topic, partitions, per)
		kafkatest.Eventually(t, "all is handled", func() bool { return i.handled.count() == partitions*per })
		for round, name := range names { // one of them leads the group
			before := map[string][]string{}
			for _, other := range names {
				before[other] = witnesses[other].seen()
			}
			had := witnesses[name].has()
			closeNow(t, subscribers[name])
			write(t, i.broker, i.topic, partitions, per)
			subscribers[name], witnesses[name], _ = i.join(name)
			kafkatest.Eventually(t, name+" has what it had", func() bool { return slices.Equal(witnesses[name].has(), had) })
			kafkatest.Eventually(t, "all is handled", func() bool { return i.handled.count() >= (2+round)*partitions*per })
			for _, other := range names {
				if got := witnesses[other].seen(); other != name && !slices.Equal(got, before[other]) {
					t.Errorf("restart of %s: %s saw %v, want nothing more than %v", name, other, got, before[other])
				}
			}
		}
		for _, name := range names {
			closeNow(t, subscribers[name])
		}
		i.handled.wantOnce(t, i.topic, partitions, per*(1+len(names)))
	})
}

func TestInstanceThatLeavesForGoodGivesItsPartitionsAway(t *testing.T) {
	t.Parallel()
	const partitions, per = 4, 10
	eachProtocol(t, func(t *testing.T, rebalance string) {
		i := newInstances(t, rebalance, partitions)
		leaving, had, _ := i.join("pod-1")
		_, stays, _ := i.join("pod-0")
		kafkatest.Eventually(t, "they share", func() bool { return len(had.has()) == 2 && len(stays.has()) == 2 })
		write(t, i.broker, i.topic, partitions, per)
		kafkatest.Eventually(t, "all is handled", func() bool { return i.handled.count() == partitions*per })
		leaving.LeaveForGood()
		closeNow(t, leaving)
		i.wantMembers("pod-0")
		write(t, i.broker, i.topic, partitions, per)
		kafkatest.Eventually(t, "the other has all", func() bool { return len(stays.has()) == partitions })
		kafkatest.Eventually(t, "all is handled", func() bool { return i.handled.count() >= 2*partitions*per })
		i.handled.wantOnce(t, i.topic, partitions, 2*per)
	})
}

func TestStoppedInstanceIsTakenOutOfItsGroup(t *testing.T) {
	t.Parallel()
	const partitions, per = 4, 10
	i := newInstances(t, "eager", partitions)
	stopped, had, _ := i.join("pod-1")
	_, stays, _ := i.join("pod-0")
	kafkatest.Eventually(t, "they share", func() bool { return len(had.has()) == 2 && len(stays.has()) == 2 })
	closeNow(t, stopped)
	if got := i.members(); !slices.Equal(got, []string{"pod-0", "pod-1"}) {
		t.Errorf("members after a stop: got %v, want pod-1 among them, for it may come back", got)
	}
	groups, err := kafka.NewGroups(t.Context(), i.settings)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = groups.Close() })
	if got, err := groups.Instances(t.Context(), i.group); err != nil || !slices.Equal(got, []string{"pod-0", "pod-1"}) {
		t.Errorf("instances: got %v, %v, want pod-0 and pod-1", got, err)
	}
	for want := range slices.Values([]bool{true, false}) {
		if got, err := groups.Remove(t.Context(), i.group, "pod-1"); err != nil || got != want {
			t.Errorf("removing: got %t, %v, want %t", got, err, want)
		}
	}
	kafkatest.Eventually(t, "the other has all", func() bool { return len(stays.has()) == partitions })
	write(t, i.broker, i.topic, partitions, per)
	kafkatest.Eventually(t, "all is handled", func() bool { return i.handled.count() == partitions*per })
}

func TestGroupThatDoesNotExistHasNoInstances(t *testing.T) {
	t.Parallel()
	broker := kafkatest.Broker(t)
	groups, err := kafka.NewGroups(t.Context(), quick(broker))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = groups.Close() })
	none := kafkatest.Name(t)
	if got, err := groups.Instances(t.Context(), none); err != nil || len(got) > 0 {
		t.Errorf("instances: got %v, %v, want none", got, err)
	}
	if got, err := groups.Remove(t.Context(), none, "pod-0"); err != nil || got {
		t.Errorf("removing: got %t, %v, want false", got, err)
	}
}

func TestSecondProcessOfAnInstanceEndsTheFirst(t *testing.T) {
	t.Parallel()
	const partitions, per = 4, 10
	eachProtocol(t, func(t *testing.T, rebalance string) {
		i := newInstances(t, rebalance, partitions)
		first, had, ended := i.join("pod-0")
		write(t, i.broker, i.topic, partitions, per)
		kafkatest.Eventually(t, "all is handled and committed", func() bool {
			return len(had.has()) == partitions && !slices.ContainsFunc([]int32{0, 1, 2, 3}, func(p int32) bool {
				return committed(t, i.broker, i.group, i.topic, p) != per
			})
		})
		second, has, _ := i.join("pod-0")
		<-ended
		err := first.Err()
		if !errors.Is(err, kafka.ErrFenced) {
			t.Errorf("the first member's error: got %v, want %v", err, kafka.ErrFenced)
		}
		for _, word := range []string{"kafka.instance_id", i.group, `"pod-0"`} {
			if err != nil && !strings.Contains(err.Error(), word) {
				t.Errorf("the first member's error: got %q, want %q in it", err, word)
			}
		}
		write(t, i.broker, i.topic, partitions, per)
		kafkatest.Eventually(t, "the second handles the rest", func() bool { return i.handled.count() == 2*partitions*per })
		i.handled.wantOnce(t, i.topic, partitions, 2*per)
		if got := second.Err(); got != nil || len(has.has()) != partitions {
			t.Errorf("the second member: got %v and %d partitions, want no error and all", got, len(has.has()))
		}
		i.wantMembers("pod-0")
	})
}

// Ensure the successor of a killed process does not wait for its session to end, though it owns all and must be alone.
func TestExclusiveInstanceTakesOverFromItsKilledPredecessorAtOnce(t *testing.T) {
	t.Parallel()
	i := newInstances(t, "eager", 2)
	i.exclusive = true
	write(t, i.broker, i.topic, 2, 5)
	instance := "pod-0"
	leaveGhostOf(t, i.broker, i.group, i.topic, &instance, 2*kafkatest.Patience)
	subscriber, has, _ := i.join(instance)
	kafkatest.Eventually(t, "all is handled", func() bool { return i.handled.count() == 10 || subscriber.Err() != nil })
	if err := subscriber.Err(); err != nil || len(has.has()) != 2 {
		t.Errorf("got %v and partitions %v, want no error and both", err, has.has())
	}
	i.wantMembers(instance)
}

func TestSecondExclusiveInstanceEndsAndLeaves(t *testing.T) {
	t.Parallel()
	const partitions = 4
	i := newInstances(t, "eager", partitions)
	i.exclusive = true
	// The second one doubts for as long as a session lasts.
	i.settings.SessionTimeout = 6 * time.Second
	running, had, _ := i.join("pod-0")
	kafkatest.Eventually(t, "the first has all", func() bool { return len(had.has()) == partitions })
	late, has, ended := i.join("pod-1")
	<-ended
	if err := late.Err(); !errors.Is(err, kafka.ErrNotAlone) || len(has.seen()) > 0 {
		t.Errorf("the second member: got %v and %v, want %v and nothing", err, has.seen(), kafka.ErrNotAlone)
	}
	i.wantMembers("pod-0")
	write(t, i.broker, i.topic, partitions, 10)
	kafkatest.Eventually(t, "the first goes on", func() bool { return i.handled.count() == partitions*10 })
	if err := running.Err(); err != nil {
		t.Errorf("the first member's error: got %v, want nil", err)
	}
}

// Ensure partitions that a topic grew while the group's leader was away are read: a return under an instance id shares nothing anew.
func TestPartitionsThatNobodyWasGivenAreReadAfterAReturn(t *testing.T) {
	t.Parallel()
	eachProtocol(t, func(t *testing.T, rebalance string) {
		i := newInstances(t, rebalance, 2)
		i.stalledAfter = 2 * time.Second
		leaves, had, _ := i.join("pod-0")
		kafkatest.Eventually(t, "it has both", func() bool { return len(had.has()) == 2 })
		write(t, i.broker, i.topic, 2, 5)
		kafkatest.Eventually(t, "all is handled", func() bool { return i.handled.count() == 10 })
		closeNow(t, leaves)
		if _, err := kadm.NewClient(kafkatest.Client(t, i.broker)).UpdatePartitions(t.Context(), 4, i.topic); err != nil {
			t.Fatal(err)
		}
		_, has, _ := i.join("pod-0")
		write(t, i.broker, i.topic, 4, 5)
		kafkatest.Eventually(t, "it has all four", func() bool { return len(has.has()) == 4 })
		kafkatest.Eventually(t, "all is handled", func() bool { return i.handled.count() >= 30 })
		for partition, want := range map[int32]int{0: 10, 1: 10, 2: 5, 3: 5} {
			if got := i.handled.offsets(i.topic, partition); !slices.Equal(got, upTo(want)) {
				t.Errorf("partition %d: got %v, want %d in order, each once", partition, got, want)
			}
		}
	})
}

func TestInstanceIDIsChecked(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, instance string
		topics         []string
		want           string // in the error; empty for none
	}{
		{"a host's name with a consumer's is taken", "millrace-0-orders", []string{"orders"}, ""},
		{"no name is taken", "", nil, ""},
		{"a blank is refused", "pod 0", []string{"orders"}, "kafka.instance_id"},
		{"a point alone is refused", ".", []string{"orders"}, "kafka.instance_id"},
		{"a name that is too long is refused", strings.Repeat("a", 250), []string{"orders"}, "Kafka takes 249"},
		{"a name for who does not say its topics is refused", "pod-0", nil, "topics"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			_, err := kafka.NewSubscriber(kafka.SubscriberSettings{
				Kafka: kafkatest.Settings("localhost:9092"), Group: "orders", Topics: test.topics, Instance: test.instance,
			})
			if test.want == "" && err != nil || test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)) {
				t.Errorf("got %v, want %q in it", err, test.want)
			}
		})
	}
}
