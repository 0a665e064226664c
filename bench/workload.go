package main

import (
	"context"
	"time"
)

// patience bounds what is no part of a measurement.
const patience = 30 * time.Second

// workload is one row of the table of bars: turns of peers, and what their ratio should be.
type workload struct {
	name, about string
	// records is the size of the input, distribution the order of its keys where the command line leaves it open.
	records      int
	distribution string
	// whole says that a smaller input would end before there is anything to see.
	whole bool
	cells []cell
	bars  []bar
	// prepare writes another input than the common one.
	prepare func(ctx context.Context, s *session) (*prepared, error)
}

// prepared is an input of more than one topic, and what it needs.
type prepared struct {
	records int
	// topics are the names on the brokers, by our own names; ends the records of their partitions.
	topics map[string]string
	ends   map[string][]int64
	// binary is the path of the real binary.
	binary string
	remove func()
}

// cell is one peer under one workload. A workload may have a peer more than once: the variant tells the turns apart.
type cell struct {
	peer, variant string
	task          task
	// feed, when set, writes at a pace while the peer runs; without it the peer finds the whole input as a backlog.
	feed *feed
	// run replaces everything, for a turn that is no peer of this binary.
	run func(ctx context.Context, s *session) (report, error)
}

// feed is records written at a pace.
type feed struct {
	// perSecond is the pace; shareOf, when set, makes it a share of that variant's rate in the same round.
	perSecond float64
	share     float64
	shareOf   string
	seconds   float64
	keys      int
	hot       string
	hotShare  float64
}

// backlog says whether any cell reads the common input.
func (w workload) backlog() bool {
	for _, c := range w.cells {
		if c.feed == nil && c.task.Publish == nil && c.run == nil {
			return true
		}
	}
	return false
}

func findWorkload(name string) (workload, bool) {
	for _, w := range workloads() {
		if w.name == name {
			return w, true
		}
	}
	return workload{}, false
}
