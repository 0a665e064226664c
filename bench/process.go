package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
)

// process is this binary, started again in one of its modes. It ends when its input does, so that none is left behind when we are killed.
type process struct {
	command *exec.Cmd
	in      io.WriteCloser
	lines   *bufio.Reader
	errout  io.Writer
}

// startProcess starts this binary in a mode. When ctx ends, so does the process.
func startProcess(ctx context.Context, mode string, errout io.Writer) (*process, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("finding this binary: %w", err)
	}
	p := &process{command: exec.CommandContext(ctx, self, mode), errout: errout}
	p.command.Stderr = errout
	if p.in, err = p.command.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := p.command.StdoutPipe()
	if err != nil {
		return nil, err
	}
	p.lines = bufio.NewReader(out)
	if err := p.command.Start(); err != nil {
		return nil, fmt.Errorf("starting %s: %w", mode, err)
	}
	return p, nil
}

// tell writes one line of JSON to the process.
func (p *process) tell(value any) error { return json.NewEncoder(p.in).Encode(value) }

// hear reads one line of JSON from the process.
func (p *process) hear(into any) error {
	text, err := p.lines.ReadBytes('\n')
	if err != nil {
		return err
	}
	return json.Unmarshal(text, into)
}

// end tells the process that it may go, and waits until it has.
func (p *process) end() error {
	_ = p.in.Close()
	return p.command.Wait()
}

// runPeer runs one turn in a process of its own. When the peer is ready, feed, unless nil, begins to write.
func runPeer(ctx context.Context, t task, errout io.Writer, feed func(context.Context) error) (report, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	p, err := startProcess(ctx, modePeer, errout)
	if err != nil {
		return report{}, err
	}
	if err := p.tell(t); err != nil {
		return report{}, errors.Join(fmt.Errorf("telling %s its task: %w", t.Peer, err), p.end())
	}
	fed := make(chan error, 1)
	feeding := false
	for {
		var r report
		if err := p.hear(&r); err != nil {
			return report{}, fmt.Errorf("%s gave no report: %w", t.Peer, errors.Join(err, p.end()))
		}
		if !r.Ready {
			cancelled := feeding
			if err := p.end(); err != nil {
				return report{}, fmt.Errorf("%s: %w", t.Peer, err)
			}
			cancel()
			if cancelled {
				if err := <-fed; err != nil && !errors.Is(err, context.Canceled) {
					return report{}, err
				}
			}
			return r, nil
		}
		// A rebalance makes a peer ready again.
		if feed != nil && !feeding {
			feeding = true
			go func() { fed <- feed(ctx) }()
		}
	}
}
