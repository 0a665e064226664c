//go:build unix

package integration_test

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/prantikov/millrace/tracing/tracingtest"
)

// carelessPlatform is a platform for the careless program.
func carelessPlatform(t testing.TB, over settings) *platform {
	t.Helper()
	p := newPlatform(t, anyBroker(t), over)
	p.groups["careless"] = p.word + "-careless"
	p.rewrite(t, settings{"consumers": settings{"careless": settings{
		"group": p.groups["careless"], "timeout": "300ms", "retry": settings{"initial_interval": "10ms", "max_interval": "20ms"},
	}}})
	return p
}

// careless starts the careless program.
func (p *platform) careless(t testing.TB, arguments ...string) *process {
	t.Helper()
	started := startProgram(t, careless, nil, p.arguments(arguments...)...)
	started.panics = true
	return started
}

// tracing is the settings that export every span to a collector.
func tracing(collector *tracingtest.Collector) settings {
	return settings{"tracing": settings{"enabled": true, "endpoint": collector.URL(), "sample_ratio": 1, "service": "router"}}
}

const (
	traceOfRecord  = "4bf92f3577b34da6a3ce929d0e0e4736"
	parentOfRecord = "00f067aa0ba902b7"
)

// Ensure a record's trace goes through the fan-out, its retries and its dead letter, in the binary, over the wire.
func TestOneTraceThroughRetryAndDeadLetter(t *testing.T) {
	t.Parallel()
	w3c := []kgo.RecordHeader{{Key: "traceparent", Value: []byte("00-" + traceOfRecord + "-" + parentOfRecord + "-01")}}
	tests := map[string]struct {
		engine  string
		headers []kgo.RecordHeader
	}{
		"from the W3C's header": {"millrace", w3c},
		"from b3":               {"millrace", []kgo.RecordHeader{{Key: "b3", Value: []byte(traceOfRecord + "-" + parentOfRecord + "-1")}}},
		"from b3 in several": {"millrace", []kgo.RecordHeader{
			{Key: "X-B3-TraceId", Value: []byte(traceOfRecord)}, {Key: "X-B3-SpanId", Value: []byte(parentOfRecord)}, {Key: "X-B3-Sampled", Value: []byte("1")},
		}},
		"of a record that brings none": {"millrace", nil},
		"with watermill-kafka":         {"watermill", w3c},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			collector := tracingtest.Start(t)
			over := tracing(collector)
			over["kafka"] = settings{"engine": test.engine}
			p := carelessPlatform(t, over)
			p.careless(t, "topics", "apply").ends(0)
			id := "ord-" + p.word + "-failed"
			p.produce(t, &kgo.Record{Topic: "order-events", Key: []byte(id), Value: order(id), Headers: test.headers, Timestamp: now()})
			p.careless(t, "run", "--exit-at-end").ends(0)

			spans := collector.Spans()
			want := traceOfRecord
			if test.headers == nil {
				want = spans[0].Trace
			}
			for _, span := range spans {
				if span.Trace != want || span.Service != "router" {
					t.Errorf("got %s of %s in trace %s, want it of router in %s", span.Name, span.Service, span.Trace, want)
				}
			}
			p.wantTries(t, spans, len(test.headers) > 0)
			p.wantLetter(t, test.headers)
		})
	}
}

// wantTries wants a span of each consumer's try, four of the careless one, and one of the dead letter below the last.
func (p *platform) wantTries(t *testing.T, spans []tracingtest.Span, continued bool) {
	t.Helper()
	var tries []string
	last := ""
	for _, span := range spans {
		if span.Kind != "consumer" {
			continue
		}
		tries = append(tries, span.Attributes["millrace.consumer"]+" "+span.Attributes["millrace.attempt"]+" "+span.Attributes["millrace.outcome"]+" "+span.Attributes["error.type"])
		if span.Attributes["millrace.attempt"] == "4" {
			last = span.ID
		}
		if (span.Parent == parentOfRecord) != continued {
			t.Errorf("got parent %q of %s, want the producer's where it is known", span.Parent, span.Name)
		}
	}
	slices.Sort(tries)
	want := []string{
		"analytics 1 done ", "archive 1 done ", "careless 1 parked failed", "careless 2 parked failed", "careless 3 parked failed",
		"careless 4 dead_letter failed", "logging 1 done ", "notification 1 done ", "orders 1 done ",
	}
	if !slices.Equal(tries, want) {
		t.Errorf("got tries\n%s, want\n%s", strings.Join(tries, "\n"), strings.Join(want, "\n"))
	}
	letters := slices.DeleteFunc(slices.Clone(spans), func(span tracingtest.Span) bool { return span.Kind != "producer" })
	if len(letters) != 1 || letters[0].Name != "send "+p.topics["order-events"]+"-dlt" || letters[0].Parent != last {
		t.Errorf("got sendings %+v, want the dead letter's, below the last try", letters)
	}
}

// wantLetter wants the dead letter to begin with the record's own headers, so that a redrive goes on with its trace.
func (p *platform) wantLetter(t *testing.T, headers []kgo.RecordHeader) {
	t.Helper()
	letters := p.broker.read(t, p.topics["order-events"]+"-dlt")
	if len(letters) != 1 {
		t.Errorf("got %d dead letters, want 1", len(letters))
	}
	for _, letter := range letters {
		for i, header := range headers {
			if got := letter.Headers[i]; got.Key != header.Key || string(got.Value) != string(header.Value) {
				t.Errorf("got header %s=%s of the dead letter, want %s=%s", got.Key, got.Value, header.Key, header.Value)
			}
		}
	}
}

// Ensure an event that a function sends is below the function's try, and its consumers below that.
func TestEventOfAFunctionContinuesItsTrace(t *testing.T) {
	t.Parallel()
	collector := tracingtest.Start(t)
	p := carelessPlatform(t, tracing(collector))
	p.careless(t, "topics", "apply").ends(0)
	id := "ord-" + p.word + "-echo"
	p.produce(t, &kgo.Record{Topic: "order-events", Key: []byte(id), Value: order(id), Timestamp: now(), Headers: []kgo.RecordHeader{
		{Key: "traceparent", Value: []byte("00-" + traceOfRecord + "-" + parentOfRecord + "-01")},
	}})
	run := p.careless(t, "run")
	eventually(t, "the copy is handled", func() bool {
		return !run.running() || strings.Contains(p.logOf(t, "logging"), id+"-copy")
	})
	// The spans go on their way every few seconds; what a stop has no time to send is dropped.
	eventually(t, "the copy's tries have come", func() bool {
		return slices.ContainsFunc(collector.Spans(), func(sent tracingtest.Span) bool { return sent.Kind == "producer" && below(collector, sent) > 0 })
	})
	run.signal(syscall.SIGTERM)
	run.ends(0)
	var sent tracingtest.Span
	try := ""
	for _, span := range collector.Spans() {
		switch {
		case span.Kind == "producer":
			sent = span
		case span.Parent == parentOfRecord && span.Attributes["millrace.consumer"] == "careless":
			try = span.ID
		}
	}
	if sent.Trace != traceOfRecord || sent.Parent != try || try == "" {
		t.Errorf("got the sending %+v, want it below the careless consumer's try %q", sent, try)
	}
}

// below counts the spans right below one.
func below(collector *tracingtest.Collector, span tracingtest.Span) (count int) {
	for _, one := range collector.Spans() {
		if one.Parent == span.ID && one.Trace == span.Trace {
			count++
		}
	}
	return count
}

// logOf is what the files of a file sink have.
func (p *platform) logOf(t testing.TB, consumer string) string {
	t.Helper()
	var text strings.Builder
	for _, name := range p.files(t, consumer) {
		content, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		text.Write(content)
	}
	return text.String()
}

// Ensure what publish sends begins a trace that the consumers continue, and that lines that bring their own, or are raw, stay as they are.
func TestPublishBeginsTheTrace(t *testing.T) {
	t.Parallel()
	collector := tracingtest.Start(t)
	p := newPlatform(t, anyBroker(t), tracing(collector))
	p.provision(t)
	lines := writeFile(t, string(order("ord-"+p.word))+"\n")
	const own = "00-" + traceOfRecord + "-" + parentOfRecord + "-01"
	p.execute(t, "publish", "order-events", "--file", lines).ends(0)
	p.execute(t, "publish", "order-events", "--file", lines, "-H", "traceparent="+own).ends(0)
	p.execute(t, "publish", "order-events", "--file", lines, "--raw", "--key", "ord-"+p.word).ends(0)
	p.finish(t)

	sent := map[string]tracingtest.Span{} // by trace
	for _, span := range collector.Spans() {
		if span.Kind == "producer" {
			sent[span.Trace] = span
		}
	}
	if len(sent) != 2 {
		t.Fatalf("got sendings in %d traces, want 2: none of the raw line", len(sent))
	}
	begun := 0
	for _, r := range p.broker.read(t, p.topics["order-events"]) {
		parent, traced := header(r, "traceparent")
		if !traced || parent == own {
			continue
		}
		begun++
		span := sent[strings.Split(parent, "-")[1]]
		if want := fmt.Sprintf("00-%s-%s-01", span.Trace, span.ID); parent != want || len(r.Headers) != 1 {
			t.Errorf("got traceparent %q among %d headers, want %q alone", parent, len(r.Headers), want)
		}
		p.wantChildren(t, collector, span)
	}
	if begun != 1 {
		t.Errorf("got %d records with a trace of publish's own, want 1", begun)
	}
	if got := sent[traceOfRecord].Parent; got != parentOfRecord {
		t.Errorf("got parent %q of the sending that brought its trace, want %q", got, parentOfRecord)
	}
}

// wantChildren wants five consumers below a sending.
func (p *platform) wantChildren(t *testing.T, collector *tracingtest.Collector, of tracingtest.Span) {
	t.Helper()
	children := 0
	for _, span := range collector.Spans() {
		if span.Trace == of.Trace && span.Parent == of.ID && span.Name == "process "+p.topics["order-events"] {
			children++
		}
	}
	if children != 5 {
		t.Errorf("got %d tries below the sending, want one of each consumer of orders", children)
	}
}

// Ensure nothing is traced unless tracing.enabled says so, whatever is in the variables of OpenTelemetry.
func TestNothingIsTracedByDefault(t *testing.T) {
	t.Parallel()
	collector := tracingtest.Start(t)
	p := newPlatform(t, anyBroker(t), nil)
	standard := []string{"OTEL_EXPORTER_OTLP_ENDPOINT=" + collector.URL(), "OTEL_TRACES_SAMPLER=always_on"}
	execute(t, standard, p.arguments("publish", "order-events", "--sample", "created")...).ends(0)
	execute(t, standard, p.arguments("run", "--exit-at-end")...).ends(0)
	if got := collector.Requests(); got != 0 {
		t.Errorf("got %d requests of spans, want none", got)
	}
	for _, r := range p.broker.read(t, p.topics["order-events"]) {
		if len(r.Headers) != 0 {
			t.Errorf("got headers %v, want none", r.Headers)
		}
	}
	// With the switch alone, those variables say where.
	execute(t, append(standard, "MILLRACE_TRACING_ENABLED=true", "MILLRACE_TRACING_SAMPLE_RATIO=1", "OTEL_SERVICE_NAME=standard"),
		p.arguments("publish", "order-events", "--sample", "created")...).ends(0)
	if spans := collector.Spans(); len(spans) != 1 || spans[0].Service != "standard" {
		t.Errorf("got %+v, want the one sending, of the service standard", spans)
	}
}

// Ensure a collector that refuses, and one that is not there, cost no record and delay no end; what is dropped is counted.
func TestNothingWaitsForTheCollector(t *testing.T) {
	t.Parallel()
	collector := tracingtest.Start(t)
	collector.Away(true)
	p := newPlatform(t, anyBroker(t), tracing(collector))
	p.provision(t)
	made := p.load()
	var records []*kgo.Record
	for range 300 {
		records = append(records, made.next())
	}
	p.produce(t, records...)
	run := p.start(t, "run")
	eventually(t, "all consumers are through", func() bool { return p.through(t) || !run.running() })
	eventually(t, "the dropped spans are counted", func() bool {
		return strings.Contains(get(t, run.http()+"/metrics"), `millrace_trace_spans_total{outcome="refused"} `)
	})
	run.signal(syscall.SIGTERM)
	run.ends(0)
	if got := strings.Count(run.stderr.String(), "spans cannot be exported"); got != 1 {
		t.Errorf("got %d lines of the outage, want one", got)
	}
	settle(t, p).report("a collector that refuses")

	p.rewrite(t, settings{"tracing": settings{"endpoint": "http://127.0.0.1:1"}})
	p.produce(t, made.next())
	p.finish(t)
	settle(t, p).report("no collector at all")
}
