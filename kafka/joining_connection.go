package kafka

import (
	"net"
	"time"

	"github.com/IBM/sarama"
)

// patientDialer makes connections whose answers may take long while the member joins.
type patientDialer struct {
	joining *joining
	dialer  dialer
}

// newPatientDialer looks whether the other end is there: a host that is gone answers nothing, as a join does that waits.
func newPatientDialer(j *joining, c *sarama.Config) patientDialer {
	return patientDialer{joining: j, dialer: dialerOf(c, net.Dialer{
		Timeout: c.Net.DialTimeout, KeepAliveConfig: net.KeepAliveConfig{Enable: true, Idle: 5 * time.Second, Interval: 2 * time.Second, Count: 3},
	})}
}

// Dial implements the client's proxy dialer.
func (d patientDialer) Dial(network, address string) (net.Conn, error) {
	connection, err := d.dialer.Dial(network, address)
	if err != nil {
		return nil, err
	}
	d.joining.mu.Lock()
	defer d.joining.mu.Unlock()
	d.joining.connection = connection
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

// Write fails in place of a join that is refused: the client sends nothing else at that moment.
func (c patientConnection) Write(b []byte) (int, error) {
	if c.joining.refuse() {
		return 0, errLeaving
	}
	return c.Conn.Write(b)
}
