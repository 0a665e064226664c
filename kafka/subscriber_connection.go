package kafka

import (
	"errors"
	"maps"
	"slices"
	"time"

	"github.com/IBM/sarama"
)

// connection is a client of the brokers and the group on it. It outlives sessions, and brokers that are away.
type connection struct {
	client sarama.Client
	// shared is the client without the connection of the group's own: a broker answers nothing on that one while the member joins.
	shared sarama.Client
	group  sarama.ConsumerGroup
	topics []string
	// watched is closed when nobody reads the group's errors any more.
	watched chan struct{}
	// gone is closed when the connection was abandoned.
	gone      chan struct{}
	abandoned bool
}

// connect makes the client and the group of the member. It returns an error when no broker answers.
func (m *member) connect() (*connection, error) {
	c, err := m.clientConfig()
	if err != nil {
		return nil, err
	}
	client, err := connect(m.ctx, m.settings.Kafka.Brokers, c)
	if err != nil {
		return nil, err
	}
	m.sizeFetches(client)
	shared := client
	if m.cooperative() {
		client = newGroupClient(m, client)
	}
	group, err := sarama.NewConsumerGroupFromClient(m.settings.Group, client)
	if err != nil {
		return nil, errors.Join(err, client.Close())
	}
	m.mu.Lock()
	m.group = group
	m.mu.Unlock()
	made := &connection{client: client, shared: shared, group: group, topics: slices.Collect(maps.Keys(m.subscriptions)), watched: make(chan struct{}), gone: make(chan struct{})}
	go m.watch(made)
	return made, nil
}

// sizeFetches gives each partition its part of the memory, before anything reads the client's settings for fetches.
func (m *member) sizeFetches(client sarama.Client) {
	if m.expected == 0 {
		for topic := range m.subscriptions {
			// A topic that is missing weighs nothing yet.
			partitions, _ := client.Partitions(topic)
			m.expected += len(partitions)
		}
		m.memory.expect(m.expected)
	}
	c := client.Config()
	c.Consumer.Fetch.Default = int32(m.memory.perFetch(int(c.Consumer.Fetch.Default)))
}

func (m *member) clientConfig() (*sarama.Config, error) {
	c, err := clientConfig(m.settings.Kafka)
	if err != nil {
		return nil, err
	}
	c.ChannelBufferSize = max(c.ChannelBufferSize, m.settings.Kafka.BatchRecords)
	c.Consumer.Return.Errors = true
	c.Consumer.Group.InstanceId = m.instance
	c.Consumer.Group.Rebalance.GroupStrategies = m.strategies()
	if m.cooperative() {
		// A pause between two tries to join goes by without a heartbeat.
		c.Consumer.Group.Rebalance.Retry.Max, c.Consumer.Group.Rebalance.Retry.Backoff = 50, 200*time.Millisecond
	}
	return c, nil
}

// watch takes the errors that sarama meets beside a session's own: fetches and commits. It ends when the group is closed.
func (m *member) watch(c *connection) {
	defer close(c.watched)
	look := time.NewTicker(time.Second)
	defer look.Stop()
	for {
		select {
		case <-c.gone:
			return
		case err, ok := <-c.group.Errors():
			if !ok {
				return
			}
			if m.fenced(err) || passing(err) || m.ctx.Err() != nil {
				m.settings.Logger.Debug("passing error of the group", "error", err)
				continue
			}
			if suspect(err) {
				m.suspects(err)
				continue
			}
			m.trouble.raise("cannot read from Kafka, trying again", m.needing(err))
		case <-look.C:
			// Silence is no proof: a broker that hangs makes no errors either.
			if m.reading.Load() && m.trouble.quiet() && c.client.RefreshMetadata(c.topics...) == nil {
				m.trouble.clear()
			}
		}
	}
}

// close leaves the group, as a member without an instance does, and closes the client. A nil connection is closed already.
func (c *connection) close(m *member) {
	if c == nil || c.abandoned {
		return
	}
	// Whatever fails here, the broker drops the member when its session timeout is over.
	if err := errors.Join(c.group.Close(), c.client.Close()); err != nil {
		m.settings.Logger.Debug("leaving the group", "error", err)
	}
	<-c.watched
}
