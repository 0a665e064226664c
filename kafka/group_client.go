package kafka

import (
	"errors"
	"net"
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
}

func newGroupClient(m *member, client sarama.Client) *groupClient {
	config := *client.Config()
	config.Net.Proxy.Enable, config.Net.Proxy.Dialer = true, patientDialer{joining: &m.joining, timeout: config.Net.DialTimeout}
	return &groupClient{Client: client, m: m, config: &config}
}

// Coordinator returns the connection of the member's own. The client's heartbeats try again without a pause, so one is made here.
func (c *groupClient) Coordinator(group string) (*sarama.Broker, error) {
	inner, err := c.Client.Coordinator(group)
	if err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if connected, _ := c.connected(); !connected || c.own.Addr() != inner.Addr() {
		c.drop()
		c.own = sarama.NewBroker(inner.Addr())
	}
	if err := c.own.Open(c.config); err != nil && !errors.Is(err, sarama.ErrAlreadyConnected) {
		return nil, err
	}
	if connected, err := c.connected(); !connected {
		c.drop()
		_ = c.Client.RefreshCoordinator(group)
		time.Sleep(lookAgain)
		return nil, err
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
	if c.own != nil {
		go func(gone *sarama.Broker) { _ = gone.Close() }(c.own)
		c.own = nil
	}
}

// Close closes the member's own connection, then the client.
func (c *groupClient) Close() error {
	c.mu.Lock()
	c.drop()
	c.mu.Unlock()
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

// patientDialer makes connections whose answers may take long while the member joins.
type patientDialer struct {
	joining *joining
	timeout time.Duration
}

// Dial implements the client's proxy dialer.
func (d patientDialer) Dial(network, address string) (net.Conn, error) {
	connection, err := net.DialTimeout(network, address, d.timeout)
	if err != nil {
		return nil, err
	}
	return patientConnection{Conn: connection, joining: d.joining}, nil
}

type patientConnection struct {
	net.Conn
	joining *joining
}

// SetReadDeadline moves a deadline that comes before the end of the join.
func (c patientConnection) SetReadDeadline(t time.Time) error {
	if until := c.joining.deadline(); time.Now().Before(until) && t.Before(until) {
		t = until
	}
	return c.Conn.SetReadDeadline(t)
}
