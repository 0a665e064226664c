package tracing_test

import (
	"maps"
	"sync"
	"testing"
	"time"

	"github.com/prantikov/millrace/record"
	"github.com/prantikov/millrace/router"
	"github.com/prantikov/millrace/tracing"
	"github.com/prantikov/millrace/tracing/tracingtest"
)

// canary is in everything of a record that no span may have.
const canary = "canary-4711"

var handler = router.Handler{Consumer: "orders", Group: "orders-group", Topic: "order-events"}

// order is a record with these headers, in pairs of name and value.
func order(headers ...string) *record.Record {
	r := &record.Record{
		Position:  record.Position{Topic: "order-events", Partition: 3, Offset: 17},
		Timestamp: time.UnixMilli(1733000500003), Key: []byte(canary), Value: []byte(`{"patientId":"` + canary + `"}`),
	}
	for i := 0; i < len(headers); i += 2 {
		r.Headers = append(r.Headers, record.Header{Key: headers[i], Value: []byte(headers[i+1])})
	}
	return r
}

// counts is how many spans ended in which way.
type counts struct {
	mu sync.Mutex
	by map[tracing.End]int
}

func (c *counts) add(end tracing.End, spans int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.by == nil {
		c.by = map[tracing.End]int{}
	}
	c.by[end] += spans
}

func (c *counts) all() map[tracing.End]int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return maps.Clone(c.by)
}

func open(t *testing.T, settings tracing.Settings) *tracing.Tracing {
	t.Helper()
	settings.Service, settings.Version = "millrace-test", "1.2.3"
	opened, err := tracing.Open(t.Context(), settings)
	if err != nil {
		t.Fatal(err)
	}
	return opened
}

// exported are the spans that a collector gets of what use does, with this part of the traces sampled.
func exported(t *testing.T, ratio float64, use func(*tracing.Tracing)) []tracingtest.Span {
	t.Helper()
	collector := tracingtest.Start(t)
	opened := open(t, tracing.Settings{Endpoint: collector.URL(), SampleRatio: ratio})
	use(opened)
	if err := opened.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	return collector.Spans()
}

// try makes the span of one try of a record.
func try(t *testing.T, traced *tracing.Tracing, r *record.Record, attempt int, tried router.Tried) {
	t.Helper()
	_, end := traced.Process(handler)(t.Context(), r, attempt)
	end(tried)
}
