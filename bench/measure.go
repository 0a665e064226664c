package main

import (
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"strings"
	"time"
)

// session is one workload being measured.
type session struct {
	options  options
	brokers  *brokers
	workload workload
	errout   io.Writer
	// topic has the backlog, ends its number of records by partition.
	topic string
	ends  []int64
	// prepared is the input of a workload that has its own.
	prepared *prepared
	// rates is the rate of each variant in this round.
	rates map[string]float64
}

// measure measures one workload: the input is written once, then the peers take turns, round after round, so that what else happens on the
// machine meets all of them alike.
func measure(ctx context.Context, o options, b *brokers, w workload, errout io.Writer) (measurement, error) {
	m := measurement{Workload: w.name, about: w.about}
	s := &session{options: o, brokers: b, workload: w, errout: errout, rates: map[string]float64{}}
	if w.backlog() {
		remove, err := s.writeInput(ctx)
		if err != nil {
			return m, err
		}
		defer remove()
	}
	if w.prepare != nil {
		var err error
		if s.prepared, err = w.prepare(ctx, s); err != nil {
			return m, err
		}
		defer s.prepared.remove()
	}
	reports := make([][]report, len(w.cells))
	for round := range o.rounds {
		for i, c := range w.cells {
			r, err := s.turn(ctx, c)
			if err != nil {
				return m, fmt.Errorf("round %d of %s: %w", round+1, strings.TrimSpace(c.peer+" "+c.variant), err)
			}
			fmt.Fprintf(errout, "%s round %d: %-15s %-14s %10.0f/s %7.2f µs %6.0f MiB\n",
				w.name, round+1, c.peer, c.variant, r.rate(), r.cpuMicros(), r.PeakRSSMiB)
			reports[i] = append(reports[i], r)
		}
	}
	rounds := make([]results, o.rounds)
	for i, c := range w.cells {
		m.Results = append(m.Results, resultOf(c, reports[i]))
		for round := range rounds {
			rounds[round] = append(rounds[round], resultOf(c, reports[i][round:round+1]))
		}
	}
	for _, one := range w.bars {
		m.Bars = append(m.Bars, one.judge(m.Results, rounds))
	}
	var err error
	if o.report != "" {
		m.Profile, err = s.whyMissed(ctx, m)
	}
	return m, err
}

// input is the common input of the workload.
func (s *session) input() input {
	i := input{records: s.workload.records, keys: s.options.keys, partitions: s.options.partitions, distribution: s.workload.distribution}
	if s.options.records > 0 && !s.workload.whole {
		i.records = s.options.records
	}
	if s.options.distribution != "" {
		i.distribution = s.options.distribution
	}
	return i
}

// writeInput makes the topic of the backlog and fills it.
func (s *session) writeInput(ctx context.Context) (remove func(), err error) {
	s.topic = s.name()
	in := s.input()
	if err := s.brokers.createTopics(ctx, in.partitions, s.topic); err != nil {
		return nil, err
	}
	remove = func() { s.brokers.remove(ctx, []string{s.topic}, nil) }
	s.ends = in.ends()
	began := time.Now()
	if err := in.writeAll(ctx, s.brokers.addresses, s.topic); err != nil {
		remove()
		return nil, err
	}
	fmt.Fprintf(s.errout, "%s: %d records written in %.1f s\n", s.workload.name, in.records, time.Since(began).Seconds())
	return remove, nil
}

// name is one that no other run uses, for a topic and the groups on it.
func (s *session) name() string {
	return "bench-" + s.workload.name + "-" + strings.ToLower(rand.Text()[:10])
}

// turn is one peer's turn in a process of its own, with a group of its own that begins at the start of the log.
func (s *session) turn(ctx context.Context, c cell) (report, error) {
	r, err := s.runCell(ctx, c)
	if err == nil && r.Records == 0 {
		err = fmt.Errorf("%s took no record", c.peer)
	}
	s.rates[c.variant] = r.rate()
	return r, err
}

func (s *session) runCell(ctx context.Context, c cell) (report, error) {
	if c.run != nil {
		return c.run(ctx, s)
	}
	t := c.task
	// A handler that turns needs its time, however little is given to the others.
	t.Limit = max(t.Limit, s.options.limit)
	t.Peer, t.Brokers, t.Group = c.peer, s.brokers.addresses, s.name()
	t.Topic, t.Ends = s.topic, s.ends
	defer s.brokers.remove(ctx, nil, []string{t.Group})
	if c.feed == nil && t.Publish == nil {
		return runPeer(ctx, t, s.errout, nil)
	}
	// A topic of its own, and an empty one.
	t.Topic = t.Group
	if err := s.brokers.createTopics(ctx, s.options.partitions, t.Topic); err != nil {
		return report{}, err
	}
	defer s.brokers.remove(ctx, []string{t.Topic}, nil)
	if c.feed == nil {
		scaled := *t.Publish
		scaled.Keys = s.options.keys
		if s.options.records > 0 {
			scaled.Records = s.options.records
		}
		t.Publish = &scaled
		return runPeer(ctx, t, s.errout, nil)
	}
	in, pace := s.fed(*c.feed)
	t.Ends, t.Fed = in.ends(), true
	// Who keeps up ends with the feed; who does not is given the same time again.
	t.Limit = time.Duration(2 * c.feed.seconds * float64(time.Second))
	return runPeer(ctx, t, s.errout, func(ctx context.Context) error { return in.writePaced(ctx, s.brokers.addresses, t.Topic, pace) })
}

// fed is the input of a feed and its pace.
func (s *session) fed(f feed) (input, float64) {
	pace := f.perSecond
	if f.shareOf != "" {
		pace = f.share * s.rates[f.shareOf]
	}
	in := s.input()
	in.records = max(int(pace*f.seconds), 1)
	in.hot, in.hotShare = f.hot, f.hotShare
	if f.keys > 0 {
		in.keys = f.keys
	}
	return in, pace
}
