package tracing_test

import (
	"testing"

	"github.com/prantikov/millrace/record"
	"github.com/prantikov/millrace/router"
	"github.com/prantikov/millrace/tracing"
	"github.com/prantikov/millrace/tracing/tracingtest"
)

// BenchmarkSpan is what one try costs more while tracing is on.
func BenchmarkSpan(b *testing.B) {
	cases := map[string]*record.Record{
		"sampled": order("traceparent", "00-"+trace128+"-"+parent+"-01"), "not sampled": order("traceparent", "00-"+trace128+"-"+parent+"-00"),
		"begins here, not sampled": order(),
	}
	for name, r := range cases {
		b.Run(name, func(b *testing.B) {
			collector := tracingtest.Start(b)
			traced, err := tracing.Open(b.Context(), tracing.Settings{Endpoint: collector.URL()})
			if err != nil {
				b.Fatal(err)
			}
			begin := traced.Process(handler)
			b.ReportAllocs()
			for b.Loop() {
				_, end := begin(b.Context(), r, 1)
				end(router.Tried{Outcome: record.Done})
			}
			if err := traced.Close(b.Context()); err != nil {
				b.Fatal(err)
			}
		})
	}
}
