package kafka

import (
	"cmp"
	"errors"
	"sync"
	"time"

	"github.com/IBM/sarama"
)

// groupClient is the client as a cooperative member's group uses it.
//
// It has a connection to the coordinator that no fetch shares, on which an answer may take as long as a rebalance while the member joins:
// with the usual read timeout a join that waits for somebody's drain would fail, and end every claim under a generation that the group has
// left behind. And it places a partition that is given to the member later than its first ones, at the only moment at which the client can
// still be told where to begin.
type groupClient struct {
	sarama.Client
	m      *member
	config *sarama.Config

	mu  sync.Mutex
	own *sarama.Broker
	// dropped are the connections that are being closed.
	dropped sync.WaitGroup
}

func newGroupClient(m *member, client sarama.Client) *groupClient {
	config := *client.Config()
	config.Net.Proxy.Enable, config.Net.Proxy.Dialer = true, newPatientDialer(&m.joining, &config)
	return &groupClient{Client: client, m: m, config: &config}
}

// Coordinator returns the connection of the member's own. The client's heartbeats try again without a pause, and end the session after the
// fourth time, so a coordinator that moves or is away for a moment is waited for here.
func (c *groupClient) Coordinator(group string) (*sarama.Broker, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	pause := backoff{first: lookAgain, most: time.Second}
	for limit := time.Now().Add(sessionTimeout(c.m.settings.Kafka) / 2); ; {
		own, err := c.open(group)
		if err == nil || c.m.ctx.Err() != nil || c.Client.Closed() || time.Now().After(limit) {
			return own, err
		}
		sleep(c.m.ctx, pause.next())
		_ = c.Client.RefreshCoordinator(group)
	}
}

// open returns the connection, another one when the last is broken or leads elsewhere.
func (c *groupClient) open(group string) (*sarama.Broker, error) {
	inner, err := c.Client.Coordinator(group)
	if err != nil {
		return nil, err
	}
	if connected, _ := c.connected(); !connected || c.own.Addr() != inner.Addr() {
		c.drop()
		c.own = sarama.NewBroker(inner.Addr())
	}
	if err := c.own.Open(c.config); err != nil && !errors.Is(err, sarama.ErrAlreadyConnected) {
		return nil, err
	}
	if connected, err := c.connected(); !connected {
		c.drop()
		// Who shares the connection may have closed it just now, which is no error.
		return nil, cmp.Or(err, error(sarama.ErrNotConnected))
	}
	return c.own, nil
}

func (c *groupClient) connected() (bool, error) {
	if c.own == nil {
		return false, nil
	}
	return c.own.Connected()
}

func (c *groupClient) drop() {
	if gone := c.own; gone != nil {
		c.own = nil
		// It waits for the answer that is on its way.
		c.dropped.Go(func() { _ = gone.Close() })
	}
}

// Close closes the member's own connection, then the client.
func (c *groupClient) Close() error {
	c.mu.Lock()
	c.drop()
	c.mu.Unlock()
	c.dropped.Wait()
	return c.Client.Close()
}

// PartitionNotReadable is asked by the goroutine of a claim, after the group's position is known and before reading begins there. A
// partition that cannot be placed is asked for again in some seconds.
func (c *groupClient) PartitionNotReadable(topic string, partition int32) bool {
	if c.Client.PartitionNotReadable(topic, partition) {
		return true
	}
	s := c.m.running()
	if s == nil {
		return false
	}
	if err := s.placeLater(topic, partition); err != nil {
		c.m.settings.Logger.Warn("a partition cannot be begun yet, trying again", "topic", topic, "partition", partition, "error", explained(err))
		return true
	}
	return false
}
