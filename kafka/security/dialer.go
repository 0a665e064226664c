package security

import (
	"cmp"
	"crypto/tls"
	"net"
	"sync/atomic"
	"time"

	"github.com/prantikov/millrace/config"
)

// Dialer makes connections with TLS. It is safe for concurrent use.
type Dialer struct {
	plain  net.Dialer
	source *source
}

// NewDialer returns a dialer for the settings, which are read at the first connection, and again at a later one when their files have changed.
func NewDialer(s config.TLS, plain net.Dialer) *Dialer {
	return &Dialer{plain: plain, source: &source{settings: s}}
}

// With is the same dialer over other connections beneath.
func (d *Dialer) With(plain net.Dialer) *Dialer { return &Dialer{plain: plain, source: d.source} }

// Dial connects and shakes hands. The error is a [*Refusal] when another try would change nothing.
func (d *Dialer) Dial(network, address string) (net.Conn, error) {
	held, err := d.source.now()
	if err != nil {
		return nil, unusable(err)
	}
	raw, err := d.plain.Dial(network, address)
	if err != nil {
		return nil, err
	}
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		_ = raw.Close()
		return nil, err
	}
	c := &conn{dialer: d, address: address}
	c.Conn = tls.Client(raw, held.handshake(cmp.Or(d.source.settings.ServerName, host), func() { c.asked.Store(true) }))
	if err := c.shake(raw); err != nil {
		_ = raw.Close()
		return nil, err
	}
	return c, nil
}

// shake shakes hands within the time for a connection.
func (c *conn) shake(raw net.Conn) error {
	// It ends before whoever waits for the connection has given up, so that its reason is heard.
	limit := cmp.Or(c.dialer.plain.Timeout, 10*time.Second) * 4 / 5
	if err := raw.SetDeadline(time.Now().Add(limit)); err != nil {
		return err
	}
	if err := c.Handshake(); err != nil {
		return c.dialer.refusedHandshake(c.address, c.asked.Load(), err)
	}
	return raw.SetDeadline(time.Time{})
}

// conn is a connection with TLS. In its newest version (1.3) the broker looks at our certificate after the handshake is over on our side, so
// a no comes in place of the first answer.
type conn struct {
	*tls.Conn
	dialer   *Dialer
	address  string
	asked    atomic.Bool
	answered atomic.Bool
}

func (c *conn) Read(into []byte) (int, error) {
	n, err := c.Conn.Read(into)
	if n > 0 {
		c.answered.Store(true)
	}
	return n, c.explained(err)
}

func (c *conn) Write(from []byte) (int, error) {
	n, err := c.Conn.Write(from)
	return n, c.explained(err)
}

// explained is the error of a connection on which nothing was answered yet.
func (c *conn) explained(err error) error {
	if err == nil || c.answered.Load() || !isAlert(err) && !(c.asked.Load() && broken(err)) {
		return err
	}
	return c.dialer.refusedCertificate(c.address, c.asked.Load(), err)
}
