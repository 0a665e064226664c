package notification

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"net"
	"sync"
	"time"

	"github.com/wneessen/go-mail"
	"github.com/wneessen/go-mail/smtp"
)

const (
	// idleFor is how long a connection is kept without a mail: servers end them after some minutes.
	idleFor = 30 * time.Second
	// answerWithin bounds how long the server may take for one answer, and to be connected to; a try's own time may end before.
	answerWithin = 10 * time.Second
)

// connection is one to the mail server.
type connection struct {
	*smtp.Client
	raw  net.Conn
	used time.Time
}

// cut ends the connection under whoever waits on it, which Close does not: it waits too.
func (c *connection) cut() { _ = c.raw.Close() }

// connections are those to the mail server: at most as many as allowed, the last used first.
type connections struct {
	client *mail.Client
	// places has room for each connection that is in use.
	places chan struct{}

	mutex sync.Mutex
	idle  []*connection
}

func newConnections(most int, client *mail.Client) *connections {
	return &connections{client: client, places: make(chan struct{}, cmp.Or(most, 4))}
}

// take returns a connection that answers, a new one where none waits. Each goes back with give or drop.
func (c *connections) take(ctx context.Context) (*connection, error) {
	select {
	case c.places <- struct{}{}:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	for kept := c.pop(); kept != nil; kept = c.pop() {
		// A server that has ended it says so here, where nothing is lost by it.
		if errors.Join(kept.UpdateDeadline(answerWithin), kept.Noop()) == nil {
			return kept, nil
		}
		kept.cut()
	}
	made, err := c.open(ctx)
	if err != nil {
		<-c.places
		return nil, err
	}
	return made, nil
}

// dialing is a connection that is being made. The library gives back neither the connection of a greeting or a login that fails, nor does it
// end one when the context of the try ends.
type dialing struct {
	ctx    context.Context
	raw    net.Conn
	giveUp func() bool
}

type dialingKey struct{}

// open makes a connection, with TLS and a login as they are set.
func (c *connections) open(ctx context.Context) (*connection, error) {
	made := &dialing{ctx: ctx, giveUp: func() bool { return true }}
	client, err := c.client.DialToSMTPClientWithContext(context.WithValue(ctx, dialingKey{}, made))
	if err != nil {
		if made.raw != nil {
			_ = made.raw.Close()
		}
		return nil, err
	}
	if !made.giveUp() {
		return nil, ctx.Err()
	}
	return &connection{Client: client, raw: made.raw}, nil
}

// dial connects for [connections.open]. With secure the connection has TLS from the first byte.
func dial(secure *tls.Config) mail.DialContextFunc {
	return func(ctx context.Context, network, address string) (raw net.Conn, err error) {
		plain := &net.Dialer{}
		if secure != nil {
			raw, err = (&tls.Dialer{NetDialer: plain, Config: secure}).DialContext(ctx, network, address)
		} else {
			raw, err = plain.DialContext(ctx, network, address)
		}
		if err != nil {
			return nil, err
		}
		if made, ok := ctx.Value(dialingKey{}).(*dialing); ok {
			made.raw, made.giveUp = raw, context.AfterFunc(made.ctx, func() { _ = raw.Close() })
		}
		return raw, nil
	}
}

// pop returns a connection that waits, and ends those that waited for too long.
func (c *connections) pop() *connection {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	for len(c.idle) > 0 {
		last := c.idle[len(c.idle)-1]
		c.idle = c.idle[:len(c.idle)-1]
		if time.Since(last.used) < idleFor {
			return last
		}
		last.cut()
	}
	return nil
}

// give takes a connection back that can be used again.
func (c *connections) give(kept *connection) {
	kept.used = time.Now()
	c.mutex.Lock()
	c.idle = append(c.idle, kept)
	c.mutex.Unlock()
	<-c.places
}

// drop ends a connection that cannot be used again.
func (c *connections) drop(broken *connection) {
	broken.cut()
	<-c.places
}

// close ends the connections that wait.
func (c *connections) close() {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	for _, waiting := range c.idle {
		waiting.cut()
	}
	c.idle = nil
}
