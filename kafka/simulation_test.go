package kafka

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/IBM/sarama"
	"github.com/ThreeDotsLabs/watermill/message"

	"github.com/prantikov/millrace/config"
	"github.com/prantikov/millrace/record"
)

// simulatedLog is one partition with its group's position. Offsets are not dense.
type simulatedLog struct {
	messages []*sarama.ConsumerMessage

	mu       sync.Mutex
	position committed
	// marked is what the running claim has marked and no commit has taken yet.
	marked *committed
}

func newSimulatedLog(random *rand.Rand, records, keys int) *simulatedLog {
	log := &simulatedLog{}
	offset := int64(0)
	for range records {
		log.messages = append(log.messages, &sarama.ConsumerMessage{
			Topic: "simulated", Offset: offset, Key: fmt.Appendf(nil, "key-%d", random.IntN(keys)), Value: []byte("value"),
		})
		offset += 1 + int64(max(random.IntN(12)-9, 0))
	}
	return log
}

// simulatedClaim is one ownership of the log: source and sink of a claim.
type simulatedClaim struct {
	log      *simulatedLog
	from     int64
	messages chan *sarama.ConsumerMessage
	ctx      context.Context
}

func (c *simulatedClaim) Topic() string              { return "simulated" }
func (c *simulatedClaim) Partition() int32           { return 0 }
func (c *simulatedClaim) InitialOffset() int64       { return c.from }
func (c *simulatedClaim) HighWaterMarkOffset() int64 { return int64(len(c.log.messages)) }
func (c *simulatedClaim) Messages() <-chan *sarama.ConsumerMessage {
	return c.messages
}
func (c *simulatedClaim) Context() context.Context { return c.ctx }

func (c *simulatedClaim) MarkOffset(_ string, _ int32, offset int64, metadata string) {
	c.log.mu.Lock()
	defer c.log.mu.Unlock()
	if at := c.log.at(); offset > at.offset {
		c.log.marked = &committed{offset: offset, metadata: metadata}
	}
}

func (c *simulatedClaim) ResetOffset(_ string, _ int32, offset int64, metadata string) {
	c.log.mu.Lock()
	defer c.log.mu.Unlock()
	if at := c.log.at(); offset <= at.offset {
		c.log.marked = &committed{offset: offset, metadata: metadata}
	}
}

func (c *simulatedClaim) commitLast(_ context.Context, _ string, _ int32, at committed) error {
	c.log.mu.Lock()
	defer c.log.mu.Unlock()
	c.log.position, c.log.marked = at, nil
	return nil
}

func (c *simulatedClaim) fetch(string, int32, bool) {}

// at is the position as the client sees it: marked, or committed. The lock is held.
func (l *simulatedLog) at() committed {
	if l.marked != nil {
		return *l.marked
	}
	return l.position
}

// commit is the client's commit each second.
func (l *simulatedLog) commit() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.position, l.marked = l.at(), nil
}

// simulation is a consumer that handles the log's records key by key, in some random way, while owners come and go.
type simulation struct {
	t      *testing.T
	random *rand.Rand
	log    *simulatedLog
	sub    *Subscriber

	mu sync.Mutex
	// effects has, by key, the offsets in the order in which they were handled for good.
	effects map[string][]int64
	running map[string]bool
	// failures counts how often a record is to fail yet.
	failures map[int64]int
	// life is another one for each owner; what an earlier owner's handlers say counts for nothing.
	life atomic.Int64
}

func (s *simulation) draw(n int) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.random.IntN(n)
}

// handle is what a router does with a batch: inline or side by side, as chance has it.
func (s *simulation) handle(m *message.Message, life int64) {
	b := record.BatchFromContext(m.Context())
	if s.draw(2) == 0 {
		b.Side()
	}
	keys := map[string][]int{}
	for i, r := range b.Records {
		keys[string(r.Key)] = append(keys[string(r.Key)], i)
	}
	var all sync.WaitGroup
	for _, indexes := range keys {
		all.Go(func() { s.handleKey(m.Context(), b, indexes, life) })
	}
	all.Wait()
	m.Ack()
}

func (s *simulation) handleKey(ctx context.Context, b *record.Batch, indexes []int, life int64) {
	for n, i := range indexes {
		result := record.Result{}
		select {
		case <-b.Stopping:
		default:
			result = s.handleOne(ctx, b.Records[i], life)
		}
		b.Report(i, result)
		if !result.Outcome.Finished() {
			for _, rest := range indexes[n+1:] {
				b.Report(rest, record.Result{})
			}
			return
		}
	}
}

func (s *simulation) handleOne(ctx context.Context, r *record.Record, life int64) record.Result {
	key := string(r.Key)
	s.mu.Lock()
	if s.running[key] && life == s.life.Load() {
		s.t.Errorf("key %s is handled twice at once, at %d", key, r.Offset)
	}
	s.running[key] = true
	took := time.Duration(s.random.IntN(40)) * time.Millisecond
	if s.random.IntN(200) == 0 {
		took = 8 * time.Second
	}
	fail := s.failures[r.Offset] > 0
	s.mu.Unlock()
	select {
	case <-time.After(took):
	case <-ctx.Done():
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if life != s.life.Load() {
		return record.Result{}
	}
	s.running[key] = false
	switch {
	case ctx.Err() != nil:
		return record.Result{}
	case fail:
		s.failures[r.Offset]--
		return record.Result{Outcome: record.Parked, Until: time.Now().Add(time.Duration(s.random.IntN(3000)) * time.Millisecond)}
	}
	s.effects[key] = append(s.effects[key], r.Offset)
	return record.Result{Outcome: record.Done}
}

// own is one owner of the partition, for some time; killed, it commits nothing at its end.
func (s *simulation) own(lasts time.Duration, killed bool) {
	ctx, end := context.WithCancel(context.Background())
	life := s.life.Add(1)
	s.mu.Lock()
	s.running = map[string]bool{}
	s.mu.Unlock()
	s.log.mu.Lock()
	s.log.marked = nil
	position := s.log.position
	s.log.mu.Unlock()
	simulated := &simulatedClaim{log: s.log, from: position.offset, messages: make(chan *sarama.ConsumerMessage, 16), ctx: ctx}
	out := make(chan *message.Message)
	subscribed := &subscription{topic: "simulated", ctx: context.Background(), out: out, hand: handOverBatch}
	c := newClaim(newMember(s.sub, nil, ""), subscribed, simulated, simulated, position)
	go func() {
		for m := range out {
			go s.handle(m, life)
		}
	}()
	feeding, stop := context.WithCancel(ctx)
	go simulated.feed(feeding)
	committing := time.NewTicker(time.Second)
	over := make(chan struct{})
	go func() { defer close(over); c.run() }()
	for until := time.After(lasts); ; {
		select {
		case <-committing.C:
			s.log.commit()
			continue
		case <-until:
		}
		break
	}
	committing.Stop()
	if killed {
		// Nothing that it does from now on has an effect or is committed.
		s.life.Add(1)
		s.log.mu.Lock()
		position = s.log.position
		s.log.mu.Unlock()
	}
	stop()
	end()
	<-over
	close(out)
	if killed {
		s.log.mu.Lock()
		s.log.position, s.log.marked = position, nil
		s.log.mu.Unlock()
	}
}

// feed delivers the log from the claim's position on, as the client does.
func (c *simulatedClaim) feed(ctx context.Context) {
	for _, m := range c.log.messages {
		if m.Offset < c.from {
			continue
		}
		select {
		case c.messages <- m:
		case <-ctx.Done():
			return
		}
	}
}

func (s *simulation) through() bool {
	s.log.mu.Lock()
	defer s.log.mu.Unlock()
	return s.log.position.offset > s.log.messages[len(s.log.messages)-1].Offset
}

// check wants every record handled, in the order of its key, and once unless an owner was killed.
func (s *simulation) check(kills int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, m := range s.log.messages {
		if !slices.Contains(s.effects[string(m.Key)], m.Offset) {
			s.t.Errorf("offset %d was lost", m.Offset)
		}
	}
	for key, effects := range s.effects {
		seen, highest := map[int64]bool{}, int64(-1)
		for _, offset := range effects {
			if seen[offset] && kills == 0 {
				s.t.Errorf("key %s: %d was handled twice, and nobody was killed", key, offset)
			}
			if !seen[offset] && offset < highest {
				s.t.Errorf("key %s: %d came after %d", key, offset, highest)
			}
			seen[offset], highest = true, max(highest, offset)
		}
	}
}

// TestSimulatedOwners lets owners of a partition come and go, some of them killed, over records that take their time, fail and wait, in
// simulated time and from seeds. Nothing is lost, keys keep their order and are never handled twice at once, and a clean change of owner
// repeats nothing.
func TestSimulatedOwners(t *testing.T) {
	t.Parallel()
	simulated := atomic.Int64{}
	for seed := range uint64(300) {
		t.Run(fmt.Sprintf("seed %d", seed), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				began := time.Now()
				random := rand.New(rand.NewPCG(seed, 4))
				sub, err := NewSubscriber(SubscriberSettings{
					Kafka: simulatedSettings(), Group: "simulated", Logger: slog.New(slog.DiscardHandler), DrainTimeout: 5 * time.Second,
					Together: seed%5 == 4, Concurrency: 1 + random.IntN(40),
				})
				if err != nil {
					t.Fatal(err)
				}
				s := &simulation{
					t: t, random: random, log: newSimulatedLog(random, 300, 1+random.IntN(50)), sub: sub,
					effects: map[string][]int64{}, failures: map[int64]int{},
				}
				for _, m := range s.log.messages {
					if random.IntN(10) == 0 {
						s.failures[m.Offset] = 1 + random.IntN(3)
					}
				}
				kills := 0
				for owners := 0; !s.through(); owners++ {
					if owners > 2000 {
						t.Fatal("stuck")
					}
					killed := seed%2 == 1 && random.IntN(3) == 0
					if killed {
						kills++
					}
					s.own(time.Duration(1+random.IntN(6000))*time.Millisecond, killed)
				}
				s.check(kills)
				simulated.Add(int64(time.Since(began)))
			})
		})
	}
	t.Cleanup(func() { t.Logf("simulated %s", time.Duration(simulated.Load())) })
}

// simulatedSettings are settings that are valid; no broker is asked.
func simulatedSettings() config.Kafka {
	return config.Kafka{Brokers: []string{"127.0.0.1:1"}, Producer: config.Producer{Idempotent: true}, RebalanceTimeout: time.Minute}
}
