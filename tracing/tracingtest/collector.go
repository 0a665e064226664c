// Package tracingtest owns a collector in memory, which takes spans as OTLP over HTTP, so that a test sees what really leaves the process. It
// never samples or exports anything itself.
package tracingtest

import (
	"compress/gzip"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	collector "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	common "go.opentelemetry.io/proto/otlp/common/v1"
	wire "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"
)

// Span is one span as it came over the wire. Ids are in hexadecimal, Parent is empty for a span without one.
type Span struct {
	Name, Kind, Trace, ID, Parent string
	// Service is the service.name of the span's resource.
	Service string
	// Attributes has every value as text.
	Attributes map[string]string
	// Failed and Status are the span's status and its description.
	Failed bool
	Status string
}

// Collector keeps what it is sent. Its methods may be called from any goroutine.
type Collector struct {
	t      testing.TB
	server *httptest.Server

	mu       sync.Mutex
	away     bool
	requests int
	spans    []Span
	raw      strings.Builder
}

// Start starts a collector, which ends with the test.
func Start(t testing.TB) *Collector {
	t.Helper()
	c := &Collector{t: t}
	c.server = httptest.NewServer(http.HandlerFunc(c.take))
	t.Cleanup(c.server.Close)
	return c
}

// URL is the address without a path.
func (c *Collector) URL() string { return c.server.URL }

// Away makes the collector refuse everything, or take it again.
func (c *Collector) Away(away bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.away = away
}

// Requests is how often something was sent, also what was refused.
func (c *Collector) Requests() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.requests
}

// Spans are all spans so far, in the order in which they came.
func (c *Collector) Spans() []Span {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.spans)
}

// Raw is every byte of every request so far, as it was before its compression.
func (c *Collector) Raw() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.raw.String()
}

func (c *Collector) take(answer http.ResponseWriter, request *http.Request) {
	body, err := read(request)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.requests++
	c.raw.Write(body)
	var sent collector.ExportTraceServiceRequest
	switch {
	case err == nil && (request.Method != http.MethodPost || request.URL.Path != "/v1/traces" || request.Header.Get("Content-Type") != "application/x-protobuf"):
		err = fmt.Errorf("got %s %s of %s", request.Method, request.URL.Path, request.Header.Get("Content-Type"))
	case err == nil:
		err = proto.Unmarshal(body, &sent)
	}
	if err != nil {
		c.t.Errorf("receiving spans: %v", err)
		answer.WriteHeader(http.StatusBadRequest)
		return
	}
	if c.away {
		// Not one of the answers after which an exporter tries again.
		answer.WriteHeader(http.StatusInternalServerError)
		return
	}
	for _, from := range sent.GetResourceSpans() {
		service := attributes(from.GetResource().GetAttributes())["service.name"]
		for _, scope := range from.GetScopeSpans() {
			for _, span := range scope.GetSpans() {
				c.spans = append(c.spans, readable(span, service))
			}
		}
	}
	answer.Header().Set("Content-Type", "application/x-protobuf")
	reply, err := proto.Marshal(&collector.ExportTraceServiceResponse{})
	if err == nil {
		_, err = answer.Write(reply)
	}
	if err != nil {
		c.t.Errorf("answering: %v", err)
	}
}

func read(request *http.Request) ([]byte, error) {
	var body io.Reader = request.Body
	if request.Header.Get("Content-Encoding") == "gzip" {
		unzipped, err := gzip.NewReader(request.Body)
		if err != nil {
			return nil, err
		}
		body = unzipped
	}
	return io.ReadAll(body)
}

func readable(span *wire.Span, service string) Span {
	return Span{
		Name: span.GetName(), Kind: strings.ToLower(strings.TrimPrefix(span.GetKind().String(), "SPAN_KIND_")), Service: service,
		Trace: hex.EncodeToString(span.GetTraceId()), ID: hex.EncodeToString(span.GetSpanId()), Parent: hex.EncodeToString(span.GetParentSpanId()),
		Attributes: attributes(span.GetAttributes()),
		Failed:     span.GetStatus().GetCode() == wire.Status_STATUS_CODE_ERROR, Status: span.GetStatus().GetMessage(),
	}
}

func attributes(pairs []*common.KeyValue) map[string]string {
	texts := make(map[string]string, len(pairs))
	for _, pair := range pairs {
		switch value := pair.GetValue().GetValue().(type) {
		case *common.AnyValue_StringValue:
			texts[pair.GetKey()] = value.StringValue
		case *common.AnyValue_IntValue:
			texts[pair.GetKey()] = strconv.FormatInt(value.IntValue, 10)
		case *common.AnyValue_BoolValue:
			texts[pair.GetKey()] = strconv.FormatBool(value.BoolValue)
		default:
			texts[pair.GetKey()] = pair.GetValue().String()
		}
	}
	return texts
}
