package kafka

import (
	"context"
	"errors"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/IBM/sarama"
	"github.com/ThreeDotsLabs/watermill/message"
)

const (
	// reconnectFirst and reconnectMost bound the pause before a member that failed tries again; it doubles in between.
	reconnectFirst = 250 * time.Millisecond
	reconnectMost  = 5 * time.Second
	// rejoinAfter is the pause after an error that a rebalance explains.
	rejoinAfter = 100 * time.Millisecond
)

// subscription is one channel of messages of one topic.
type subscription struct {
	topic string
	// ctx ends when whoever subscribed wants no more. No message's context derives from it but by its values.
	ctx    context.Context
	out    chan *message.Message
	hand   handOver
	closer sync.Once
}

func (s *subscription) close() { s.closer.Do(func() { close(s.out) }) }

// member is one member of the group, from the first try to join until it left. Its run method owns it.
type member struct {
	settings      *SubscriberSettings
	pauses        *pauses
	memory        *Memory
	keys          *atomic.Int64
	subscriptions map[string]*subscription
	claims        claims
	trouble       alarm
	commits       alarm
	undecided     alarm
	sole          sole
	stalled       stalls
	unread        unread
	// suspicion has the error of a fetch that a batch may have failed; whoever has a session looks into it.
	suspicion chan error
	// rebuild is true when the next session needs another connection.
	rebuild atomic.Bool
	// instance is the member's lasting name in the group (group.instance.id); empty for none.
	instance string
	// id is what the group called the member in its last session; only run's goroutine uses it.
	id string
	// forGood is true when a member with an instance is to leave the group at its end, joinAnew when it is to leave before its next session.
	forGood, joinAnew atomic.Bool

	// ctx ends when the member is to leave.
	ctx  context.Context
	stop context.CancelFunc
	// done is closed when the member left and its channels are closed.
	done chan struct{}
	// reading is true from a session's beginning to its end.
	reading atomic.Bool
	// ids are those of the topics in the last session; only sessions use it, one after another.
	ids map[string]string
	// expected counts the partitions of its topics, as far as the memory was told.
	expected int
	// lastRead is when the member last had a session; only run uses it.
	lastRead time.Time

	joining joining

	mu    sync.Mutex
	err   error
	group sarama.ConsumerGroup
	// current is the session that runs; nil between two.
	current *session
}

func newMember(s *Subscriber, subscriptions map[string]*subscription, instance string) *member {
	ctx, stop := context.WithCancel(context.Background())
	settings := &s.settings
	m := &member{
		settings: settings, pauses: &s.pauses, memory: settings.Memory, keys: &s.keys, subscriptions: subscriptions, instance: instance,
		ctx: ctx, stop: stop, done: make(chan struct{}), lastRead: time.Now(), ids: map[string]string{},
		trouble: alarm{kind: AlarmGroup, hook: settings.Hooks.Alarm}, suspicion: make(chan error, 1),
		commits: alarm{kind: AlarmCommit, hook: settings.Hooks.Alarm}, undecided: alarm{kind: AlarmUndecided, hook: settings.Hooks.Alarm},
		stalled: stalls{hook: settings.Hooks.Alarm, after: settings.StalledAfter},
	}
	m.sole.alarm = alarm{kind: AlarmNotAlone, hook: settings.Hooks.Alarm}
	return m
}

// run has one session of the group after another until the member is stopped, fails, or no subscription is left. Then it leaves the
// group, unless it has an instance and may come back, and closes the channels last.
func (m *member) run() {
	defer close(m.done)
	defer func() { m.memory.expect(-m.expected) }()
	defer m.closeChannels()
	defer m.stop()
	var c *connection
	defer func() {
		if m.forGood.Load() || errors.Is(m.failure(), ErrNotAlone) {
			m.leaveGroup(c)
		}
		c.close(m)
	}()
	pause := backoff{first: reconnectFirst, most: reconnectMost}
	for {
		topics := m.topics()
		if len(topics) == 0 {
			return
		}
		if c != nil && (m.rebuild.Swap(false) || c.abandoned || c.client.Closed()) {
			c.close(m)
			c = nil
		}
		var err error
		if c == nil {
			c, err = m.connect()
		}
		if err == nil {
			err = m.session(c, topics)
		}
		m.rest(err, &pause)
	}
}

// topics returns the topics that are still wanted, none when the member is to leave. The channel of a topic that is not wanted any more
// is closed here, unless it was the last: that is closed after the member left.
func (m *member) topics() []string {
	if m.ctx.Err() != nil || m.failure() != nil {
		return nil
	}
	wanted := map[string]*subscription{}
	for topic, s := range m.subscriptions {
		if s.ctx.Err() == nil {
			wanted[topic] = s
		}
	}
	if len(wanted) > 0 && len(wanted) < len(m.subscriptions) {
		for topic, s := range m.subscriptions {
			if wanted[topic] == nil {
				s.close()
			}
		}
		m.subscriptions = wanted
	}
	return slices.Sorted(maps.Keys(wanted))
}

// session joins the group and reads until the next rebalance, the end of a subscription, or an error.
func (m *member) session(c *connection, topics []string) error {
	ctx, end := context.WithCancel(m.ctx)
	defer end()
	for _, s := range m.subscriptions {
		defer context.AfterFunc(s.ctx, end)()
	}
	if m.cooperative() {
		var over func()
		ctx, over = m.betweenJoins(ctx)
		defer over()
	}
	defer m.setRunning(nil)
	handler := &session{m: m, client: c.shared, topics: topics, first: map[partitionOf]bool{}, end: end}
	began := time.Now()
	err := m.consume(ctx, c, topics, handler)
	if handler.begun {
		m.lastRead = time.Now()
		m.id = handler.sess.MemberID()
	}
	if m.fenced(err) {
		return err
	}
	if m.joinAnew.Swap(false) {
		m.leaveGroup(c)
	}
	if err == nil && handler.claimEnded && ctx.Err() == nil && time.Since(began) < reconnectMost {
		// A session that ends at once would otherwise begin again without a pause.
		return errClaimEnded
	}
	return err
}

// rest waits before the next session as the end of the last one asks for, and raises or keeps the alarm when it was trouble.
func (m *member) rest(err error, pause *backoff) {
	switch {
	case err == nil:
		pause.reset()
		return
	case m.ctx.Err() != nil || m.failure() != nil:
		return
	case errors.Is(err, errClaimEnded):
		m.settings.Logger.Debug("session ended early", "error", err)
	case passing(err), isTimeout(err) && time.Since(m.lastRead) < rebalanceTimeout(m.settings.Kafka):
		// Who joins waits for the others to drain, for longer than an answer is waited for, and has to ask again.
		m.settings.Logger.Debug("joining the group again", "error", err)
		sleep(m.ctx, rejoinAfter)
		return
	default:
		if errors.Is(err, sarama.ErrSASLAuthenticationFailed) {
			// The password may have been changed; another client reads it again.
			m.rebuild.Store(true)
		}
		m.trouble.raise("cannot read from Kafka, trying again", m.needing(err))
	}
	sleep(m.ctx, pause.next())
}

// concurrency is how many keys go side by side.
func (m *member) concurrency() int { return int(m.keys.Load()) }

// fetch tells the client to fetch a partition's records, or to fetch none.
func (m *member) fetch(topic string, partition int32, on bool) {
	m.mu.Lock()
	group := m.group
	m.mu.Unlock()
	of := map[string][]int32{topic: {partition}}
	if on {
		group.Resume(of)
	} else {
		group.Pause(of)
	}
}

// running is the session that runs, or nil.
func (m *member) running() *session {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.current
}

func (m *member) setRunning(s *session) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.current = s
}

func (m *member) fail(err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.err = err
}

func (m *member) failure() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.err
}

// over says whether the member left as it was told to.
func (m *member) over() bool {
	select {
	case <-m.done:
		return m.failure() == nil
	default:
		return false
	}
}

func (m *member) closeChannels() {
	for _, s := range m.subscriptions {
		s.close()
	}
}

// backoff is a pause that doubles.
type backoff struct {
	first, most, now time.Duration
}

func (b *backoff) next() time.Duration {
	b.now = min(max(2*b.now, b.first), b.most)
	return b.now
}

func (b *backoff) reset() { b.now = 0 }

// sleep returns after the duration, or when ctx ends.
func sleep(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}
