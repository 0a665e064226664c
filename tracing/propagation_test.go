package tracing_test

import (
	"testing"

	"github.com/prantikov/millrace/router"
	"github.com/prantikov/millrace/tracing"
	"github.com/prantikov/millrace/tracing/tracingtest"
)

const (
	trace128 = "0af7651916cd43dd8448eb211c80319c"
	trace64  = "8448eb211c80319c"
	padded   = "0000000000000000" + trace64
	parent   = "b7ad6b7169203331"
)

func TestTraceIsTakenFromTheRecord(t *testing.T) {
	t.Parallel()
	w3c := "00-" + trace128 + "-" + parent + "-01"
	tests := map[string]struct {
		headers []string
		// trace is empty for one that begins here.
		trace string
	}{
		"the W3C's header":               {[]string{"traceparent", w3c}, trace128},
		"in capitals":                    {[]string{"Traceparent", w3c}, trace128},
		"in JSON's quotes":               {[]string{"traceparent", `"` + w3c + `"`}, trace128},
		"the last of several":            {[]string{"traceparent", "00-" + trace128[1:] + "0-" + parent + "-01", "traceparent", w3c}, trace128},
		"b3 in one header":               {[]string{"b3", trace128 + "-" + parent + "-1"}, trace128},
		"b3 with its parent":             {[]string{"b3", trace128 + "-" + parent + "-1-05e3ac9a4f6e3b90"}, trace128},
		"b3 with a short id":             {[]string{"b3", trace64 + "-" + parent + "-1"}, padded},
		"b3 for debugging":               {[]string{"b3", trace128 + "-" + parent + "-d"}, trace128},
		"b3 in several headers":          {[]string{"X-B3-TraceId", trace128, "X-B3-SpanId", parent, "X-B3-Sampled", "1"}, trace128},
		"b3 in several, short":           {[]string{"x-b3-traceid", trace64, "x-b3-spanid", parent, "x-b3-sampled", "1"}, padded},
		"b3 in several, for debugging":   {[]string{"X-B3-TraceId", trace128, "X-B3-SpanId", parent, "X-B3-Flags", "1"}, trace128},
		"both, the W3C's first":          {[]string{"b3", trace64 + "-" + parent + "-1", "traceparent", w3c}, trace128},
		"b3 where the W3C's is damaged":  {[]string{"traceparent", "00-" + canary, "b3", trace128 + "-" + parent + "-1"}, trace128},
		"a damaged header":               {[]string{"traceparent", "00-" + canary + "-" + parent + "-01"}, ""},
		"an id of zeros":                 {[]string{"traceparent", "00-00000000000000000000000000000000-" + parent + "-01"}, ""},
		"a damaged b3":                   {[]string{"b3", canary}, ""},
		"a decision without a trace":     {[]string{"b3", "1"}, ""},
		"half of b3":                     {[]string{"X-B3-TraceId", trace128}, ""},
		"headers that say nothing of it": {[]string{"x-trace", trace128}, ""},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := order(test.headers...)
			spans := exported(t, 1, func(traced *tracing.Tracing) { try(t, traced, r, 1, router.Tried{}) })
			if len(spans) != 1 {
				t.Fatalf("got %d spans, want 1", len(spans))
			}
			wantTrace, wantParent := test.trace, parent
			if test.trace == "" {
				wantTrace, wantParent = spans[0].Trace, ""
			}
			if spans[0].Trace != wantTrace || spans[0].Parent != wantParent {
				t.Errorf("got trace %s with parent %q, want %s with %q", spans[0].Trace, spans[0].Parent, wantTrace, wantParent)
			}
			if got := tracing.Carries(r); got != (test.trace != "") {
				t.Errorf("got %t for whether it carries a trace, want %t", got, test.trace != "")
			}
		})
	}
}

func TestSamplingGoesByWhereTheTraceBegan(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		ratio   float64
		headers []string
		want    int
	}{
		"sampled there":                  {0, []string{"traceparent", "00-" + trace128 + "-" + parent + "-01"}, 1},
		"not sampled there":              {1, []string{"traceparent", "00-" + trace128 + "-" + parent + "-00"}, 0},
		"sampled there, b3":              {0, []string{"b3", trace128 + "-" + parent + "-1"}, 1},
		"not sampled there, b3":          {1, []string{"b3", trace128 + "-" + parent + "-0"}, 0},
		"for debugging, b3":              {0, []string{"X-B3-TraceId", trace128, "X-B3-SpanId", parent, "X-B3-Flags", "1"}, 1},
		"left to us, all":                {1, []string{"b3", trace128 + "-" + parent}, 1},
		"left to us, none":               {0, []string{"b3", trace128 + "-" + parent}, 0},
		"left to us in several headers":  {1, []string{"X-B3-TraceId", trace128, "X-B3-SpanId", parent}, 1},
		"not sampled in several headers": {1, []string{"X-B3-TraceId", trace128, "X-B3-SpanId", parent, "X-B3-Sampled", "0"}, 0},
		"it begins here, all of them":    {1, nil, 1},
		"it begins here, none of them":   {0, nil, 0},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			spans := exported(t, test.ratio, func(traced *tracing.Tracing) { try(t, traced, order(test.headers...), 1, router.Tried{}) })
			if len(spans) != test.want {
				t.Errorf("got %d spans, want %d", len(spans), test.want)
			}
		})
	}
}

// Ensure a part of the traces is about that part, and the same for all consumers of a record.
func TestRatioSamplesWholeTraces(t *testing.T) {
	t.Parallel()
	const records = 1000
	spans := exported(t, 0.3, func(traced *tracing.Tracing) {
		for i := range records {
			r := order()
			r.Offset = int64(i)
			try(t, traced, r, 1, router.Tried{})
			try(t, traced, r, 2, router.Tried{})
		}
	})
	traces := map[string]int{}
	for _, span := range spans {
		traces[span.Trace]++
	}
	for trace, count := range traces {
		if count != 2 {
			t.Errorf("got %d spans of trace %s, want both", count, trace)
		}
	}
	// Ids are made from positions, so this is no matter of luck.
	if got := len(traces); got < records*2/10 || got > records*4/10 {
		t.Errorf("got %d of %d traces, want about 300", got, records)
	}
}

// Ensure what a producer can write into the other headers of tracing leaves with no span: it may name a patient.
func TestNothingElseOfTheHeadersIsTaken(t *testing.T) {
	t.Parallel()
	collector := tracingtest.Start(t)
	opened := open(t, tracing.Settings{Endpoint: collector.URL(), SampleRatio: 1})
	r := order("traceparent", "00-"+trace128+"-"+parent+"-01", "tracestate", "vendor="+canary, "baggage", "patient="+canary, "x-patient", canary)
	ctx, end := opened.Process(handler)(t.Context(), r, 1)
	next := order()
	_, endSend := opened.Send(ctx, next)
	endSend(next.Position, nil)
	end(router.Tried{})
	if err := opened.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := len(collector.Spans()); got != 2 {
		t.Fatalf("got %d spans, want 2", got)
	}
	if contains(collector.Raw(), canary) {
		t.Error("got the canary in what was exported, want nothing of it")
	}
	for _, header := range next.Headers {
		if contains(string(header.Value), canary) {
			t.Errorf("got %s: %s in a record that was sent on, want nothing of the canary", header.Key, header.Value)
		}
	}
}
