package main

import (
	"math"
	"sync"
	"sync/atomic"
	"time"
)

// meter counts the records of a turn, each once, and takes time and processor time until the last one: from the first one where they are
// written meanwhile, and from the assignment of the partitions where they are there already. A client decodes whole fetches before it
// shows the first record of them, which would else cost nothing, and the less the larger the fetches are.
//
// It costs each peer the same: two additions in memory that only its partition writes.
type meter struct {
	partitions []partitionMeter
	// open is how many partitions are not through.
	open   atomic.Int64
	begun  atomic.Bool
	starts sync.Once
	stops  sync.Once
	limit  time.Duration
	over   chan struct{}
	// begin and end may be read once begun is true and over is closed.
	begin, end moment
	// counted is the sum of the partitions at the end, all whether that was everything.
	counted int64
	all     bool
}

// moment is a point in time and the processor time of the process until then.
type moment struct {
	at  time.Time
	cpu time.Duration
}

func now() moment { return moment{time.Now(), processorTime()} }

// partitionMeter has a bit for each record. The padding keeps the counters of two partitions off one line of the processor's cache.
type partitionMeter struct {
	end     int64
	seen    []atomic.Uint64
	counted atomic.Int64
	repeats atomic.Int64
	_       [64]byte
}

// newMeter returns a meter that is over when each partition has its number of records, or when the limit has passed since the first.
func newMeter(ends []int64, limit time.Duration) *meter {
	m := &meter{partitions: make([]partitionMeter, len(ends)), limit: limit, over: make(chan struct{})}
	for i, end := range ends {
		p := &m.partitions[i]
		p.end, p.seen = end, make([]atomic.Uint64, (end+63)/64)
		if end > 0 {
			m.open.Add(1)
		}
	}
	return m
}

// start is called at the assignment and before each record is handled; the first call begins the turn.
func (m *meter) start() {
	if m.begun.Load() {
		return
	}
	m.starts.Do(func() {
		m.begin = now()
		m.begun.Store(true)
		time.AfterFunc(m.limit, m.stop)
	})
}

// count is called after each record was handled. Records beyond the end, which a topic that is still written may have, are not counted.
func (m *meter) count(partition int32, offset int64) {
	p := &m.partitions[partition]
	if offset >= p.end {
		return
	}
	bit := uint64(1) << (offset % 64)
	if p.seen[offset/64].Or(bit)&bit != 0 {
		p.repeats.Add(1)
		return
	}
	if p.counted.Add(1) == p.end && m.open.Add(-1) == 0 {
		m.stop()
	}
}

// stop ends the turn.
func (m *meter) stop() {
	m.stops.Do(func() {
		m.end = now()
		m.all = m.open.Load() == 0
		for i := range m.partitions {
			m.counted += m.partitions[i].counted.Load()
		}
		close(m.over)
	})
}

// report is what was measured. It is called after the end.
func (m *meter) report() report {
	r := report{Records: m.counted, Complete: m.all, PeakRSSMiB: peakResident()}
	for i := range m.partitions {
		r.Repeats += m.partitions[i].repeats.Load()
	}
	r.Seconds = m.end.at.Sub(m.begin.at).Seconds()
	r.CPUSeconds = (m.end.cpu - m.begin.cpu).Seconds()
	return r
}

// rate is records in a second, 0 where nothing was measured.
func (r report) rate() float64 { return quotient(float64(r.Records), r.Seconds) }

// cpuMicros is microseconds of processor time of a record.
func (r report) cpuMicros() float64 { return quotient(r.CPUSeconds*1e6, float64(r.Records)) }

func quotient(a, b float64) float64 {
	if b == 0 || math.IsNaN(b) {
		return 0
	}
	return a / b
}
