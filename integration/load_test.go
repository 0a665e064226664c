//go:build unix

package integration_test

import (
	"context"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// load is a producer that goes on until it is stopped, broker or no broker.
type load struct {
	sent atomic.Int64
	// rests is true while nothing is produced.
	rests  atomic.Bool
	cancel context.CancelFunc
	done   chan error
}

// The load is perTick records every tick: a thousand a second, enough to have work in flight at any moment.
const (
	tick    = 20 * time.Millisecond
	perTick = 20
)

// startLoad produces until stop is called. The topics must be there.
func startLoad(t testing.TB, p *platform) *load {
	t.Helper()
	return startLoadOf(t, p, p.load().next)
}

// startLoadOf produces the records that the function makes.
func startLoadOf(t testing.TB, p *platform, next func() *kgo.Record) *load {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	l := &load{cancel: cancel, done: make(chan error, 1)}
	// What a broker that is away cannot take waits in the client, which keeps the order and writes nothing twice.
	client := p.broker.client(t, kgo.MaxBufferedRecords(1<<20), kgo.RecordRetries(1<<20))
	go func() { l.done <- l.run(ctx, client, next) }()
	t.Cleanup(cancel)
	return l
}

func (l *load) run(ctx context.Context, client *kgo.Client, next func() *kgo.Record) error {
	ticker := time.NewTicker(tick)
	defer ticker.Stop()
	var failed atomic.Pointer[error]
	for {
		for range perTick {
			if l.rests.Load() {
				break
			}
			client.Produce(context.WithoutCancel(ctx), next(), func(_ *kgo.Record, err error) {
				if err != nil {
					failed.Store(&err)
				}
				l.sent.Add(1)
			})
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
			flushing, cancel := context.WithTimeout(context.WithoutCancel(ctx), patience)
			defer cancel()
			if err := client.Flush(flushing); err != nil {
				return err
			}
			if err := failed.Load(); err != nil {
				return *err
			}
			return nil
		}
	}
}

// stop ends the load and returns how many records the broker has acknowledged: all.
func (l *load) stop(t testing.TB) int {
	t.Helper()
	l.cancel()
	if err := <-l.done; err != nil {
		t.Fatalf("producing the load: %v", err)
	}
	return int(l.sent.Load())
}

// more waits until so many more records are on the broker.
func (l *load) more(t testing.TB, records int64) {
	t.Helper()
	want := l.sent.Load() + records
	eventually(t, "the load goes on", func() bool { return l.sent.Load() >= want })
}

// underLoad waits until a new process writes.
func underLoad(t testing.TB, p *platform, run *process) {
	t.Helper()
	before := p.written(t)
	eventually(t, "the consumers move", func() bool { return p.written(t) > before || !run.running() })
	if !run.running() {
		t.Fatalf("the process ended by itself; stderr:\n%s", run.tail())
	}
}
