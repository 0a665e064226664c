package kafka_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prantikov/millrace/kafka"
	"github.com/prantikov/millrace/kafka/kafkatest"
	"github.com/prantikov/millrace/record"
)

// churn is a group whose members come and go, over a topic that is written to all along.
type churn struct {
	t      *testing.T
	broker string
	topic  string
	group  string
	mode   string
	// slow is the longest that a record takes; few take so long.
	slow time.Duration

	mu sync.Mutex
	// handled counts each record, owner has who has each partition.
	handled  map[record.Position]int
	owner    map[int32]int
	owned    int
	overlaps int
	released atomic.Bool
}

// join adds a member. Records of the key parked wait until they are released.
func (c *churn) join(number int) *kafka.Subscriber {
	subscriber := open(c.t, kafka.SubscriberSettings{
		Kafka: sharing(c.broker, c.mode), Group: c.group, Topics: []string{c.topic}, DrainTimeout: 20 * time.Second,
		Hooks: kafka.Hooks{
			Assigned: func(_ string, partition int32, _ int64) {
				c.mu.Lock()
				defer c.mu.Unlock()
				c.owned++
				if other, taken := c.owner[partition]; taken {
					c.overlaps++
					c.t.Errorf("partition %d is given to member %d while %d has it", partition, number, other)
				}
				c.owner[partition] = number
			},
			Lost: func(_ string, partition int32) {
				c.mu.Lock()
				defer c.mu.Unlock()
				delete(c.owner, partition)
			},
		},
	})
	batches(c.t, subscriber, c.topic, byKey(c.handle))
	return subscriber
}

func (c *churn) handle(r *record.Record) record.Result {
	if string(r.Key) == "parked" && !c.released.Load() {
		return record.Result{Outcome: record.Parked, Until: time.Now().Add(500 * time.Millisecond)}
	}
	if rand.IntN(300) == 0 {
		<-time.After(time.Duration(rand.Int64N(int64(c.slow))))
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.handled[record.Position{Topic: r.Topic, Partition: r.Partition, Offset: r.Offset}]++
	return record.Result{Outcome: record.Done}
}

func (c *churn) count() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.handled)
}

// write writes until stop is closed, and returns how many records.
func (c *churn) write(partitions int, stop <-chan struct{}) int {
	written := 0
	for tick := time.NewTicker(250 * time.Millisecond); ; {
		select {
		case <-stop:
			tick.Stop()
			return written
		case <-tick.C:
		}
		var records []*record.Record
		for n := range 100 {
			key := fmt.Appendf(nil, "key-%d", rand.IntN(500))
			if n%50 == 0 {
				key = []byte("parked")
			}
			records = append(records, &record.Record{
				Position: record.Position{Topic: c.topic, Partition: int32(rand.IntN(partitions))}, Key: key, Value: []byte("v"),
			})
		}
		kafkatest.Produce(c.t, c.broker, records...)
		written += len(records)
	}
}

// TestJoinsAndLeavesUnderLoad lets members join and leave while records flow, some of them slow, some waiting for a retry all along: none is
// lost or handled twice, and no partition has two owners. The long form has 200 changes and records of up to 5 s. On a cluster of three that
// scripts/kafka.sh runs, the broker that coordinates the group is killed again and again meanwhile, and comes back.
func TestJoinsAndLeavesUnderLoad(t *testing.T) {
	t.Parallel()
	changes, slow := 12, 500*time.Millisecond
	long := os.Getenv("MILLRACE_SOAK") != ""
	if long {
		changes, slow = 200, 5*time.Second
	}
	if cluster := ownCluster(t); long && cluster != nil {
		for _, mode := range []string{"eager", "cooperative"} {
			// One after another: with two brokers away at once, nothing could be written.
			t.Run(mode, func(t *testing.T) { joinAndLeave(t, mode, changes, slow, cluster) })
		}
		return
	}
	eachProtocol(t, func(t *testing.T, mode string) { joinAndLeave(t, mode, changes, slow, nil) })
}

// joinAndLeave changes the group so many times, while the coordinators of the cluster are killed where there is one.
func joinAndLeave(t *testing.T, mode string, changes int, slow time.Duration, cluster *localCluster) {
	const partitions = 48
	broker, replicas := kafkatest.Broker(t), 1
	if cluster != nil {
		replicas = 3
	}
	c := &churn{
		t: t, broker: broker, topic: kafkatest.ReplicatedTopic(t, broker, partitions, replicas), group: kafkatest.Name(t), mode: mode, slow: slow,
		handled: map[record.Position]int{}, owner: map[int32]int{},
	}
	stopped := make(chan struct{})
	stop := sync.OnceFunc(func() { close(stopped) })
	members := []*kafka.Subscriber{c.join(0), c.join(1)}
	var working sync.WaitGroup
	var total, bounces int
	working.Go(func() { total = c.write(partitions, stopped) })
	working.Go(func() { bounces = cluster.bounceUntil(t, stopped, c.group, c.count) })
	t.Cleanup(func() {
		stop()
		working.Wait()
	})
	for change := range changes {
		// The group settles in between now and then, as it does when a deployment rolls.
		before := c.count()
		kafkatest.Eventually(t, "records are handled", func() bool { return c.count() > before+50 })
		if join := len(members) < 2 || len(members) < 6 && rand.IntN(2) == 0; join {
			members = append(members, c.join(2+change))
		} else {
			leaves := rand.IntN(len(members))
			closeNow(t, members[leaves])
			members = append(members[:leaves], members[leaves+1:]...)
		}
	}
	stop()
	working.Wait()
	c.released.Store(true)
	kafkatest.Eventually(t, "all is handled", func() bool { return c.count() == total })
	for _, m := range members {
		closeNow(t, m)
	}
	repeated := 0
	for _, times := range c.handled {
		if times > 1 {
			repeated += times - 1
		}
	}
	t.Logf("%s: %d changes, %d coordinators killed, %d records, %d lost, %d repeated, %d claims, %d with two owners",
		mode, changes, bounces, total, total-len(c.handled), repeated, c.owned, c.overlaps)
	if repeated > 0 {
		t.Errorf("got %d records handled twice, want none", repeated)
	}
}
