package kafka

import (
	"context"
	"time"
)

// leaveAfter is how much longer than a drain a member waits for its place in the group before it leaves without one.
const leaveAfter = 2 * time.Second

// betweenJoins returns a context that ends with ctx, but not while the member joins: the broker would have it in the next generation and
// refuse what it commits on its way out as a member of the last one. The drains begin at once, so that this takes nothing from their time.
// The join is given up when it takes longer than they may: it may wait for members that take their time.
//
// The returned function must be called when the session is over.
func (m *member) betweenJoins(ctx context.Context) (context.Context, func()) {
	gated, cancel := context.WithCancel(context.WithoutCancel(ctx))
	left := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(left)
		m.joining.leaves()
		for _, c := range m.claims.all() {
			c.drain.begin()
		}
		limited, done := context.WithTimeout(gated, m.settings.DrainTimeout+leaveAfter)
		defer done()
		m.joining.leave(limited, cancel)
	})
	return gated, func() {
		cancel()
		if !stop() {
			<-left
		}
		m.joining.reset()
	}
}
