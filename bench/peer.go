package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
)

// peer consumes a task's topic with a group until the context ends, gives each record to the function, and calls ready once its
// partitions are assigned, where it is told. It commits after processing, and ends cleanly.
type peer func(ctx context.Context, t task, handle function, ready func()) error

// consumingPeer returns the peer of a name.
func consumingPeer(name string) (peer, bool) {
	p, ok := map[string]peer{
		peerMillrace:     consumeMillrace,
		peerSarama:       consumeSarama,
		peerSaramaDecode: consumeSaramaDecoding,
		peerWatermill:    consumeWatermill,
		peerFranz:        consumeFranz,
	}[name]
	return p, ok
}

// servePeer is the whole of a peer's process: it reads its task, says when it is ready, and at the end how it went. When its input ends,
// whoever started it is gone, and so it ends too.
func servePeer(ctx context.Context, in io.Reader, out io.Writer) error {
	lines := bufio.NewReader(in)
	text, err := lines.ReadBytes('\n')
	if err != nil {
		return fmt.Errorf("reading the task: %w", err)
	}
	var t task
	if err := json.Unmarshal(text, &t); err != nil {
		return fmt.Errorf("reading the task: %w", err)
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	go func() {
		_, _ = io.Copy(io.Discard, lines)
		cancel()
	}()
	answer := json.NewEncoder(out)
	ready := func() { _ = answer.Encode(report{Ready: true}) }
	do := t.run
	if t.Profile != "" {
		do = t.profiled
	}
	r, err := do(ctx, ready)
	if err != nil {
		return err
	}
	return answer.Encode(r)
}

// run does the task.
func (t task) run(ctx context.Context, ready func()) (report, error) {
	switch {
	case t.Publish != nil:
		return t.publish(ctx)
	case t.Consumers != nil:
		return t.consumeStock(ctx)
	}
	consume, known := consumingPeer(t.Peer)
	if !known {
		return report{}, fmt.Errorf("there is no peer %q", t.Peer)
	}
	m := newMeter(t.Ends, t.Limit)
	w := newWork(t, m)
	ended := make(chan error, 1)
	within, cancel := context.WithCancel(ctx)
	defer cancel()
	assigned := func() {
		if !t.Fed {
			m.start()
		}
		ready()
	}
	go func() { ended <- consume(within, t, w.function(), assigned) }()
	select {
	case <-m.over:
	case err := <-ended:
		return report{}, errors.Join(fmt.Errorf("%s ended before the records did", t.Peer), err)
	case <-ctx.Done():
		return report{}, ctx.Err()
	}
	// Taken before the peer closes, which may need memory of its own.
	r := m.report()
	w.addTo(&r)
	cancel()
	if err := <-ended; err != nil {
		fmt.Fprintf(os.Stderr, "bench: closing %s: %v\n", t.Peer, err)
	}
	// What came again while it closed is seen here.
	r.Repeats = m.report().Repeats
	return r, nil
}
