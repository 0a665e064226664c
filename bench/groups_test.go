package main

import (
	"math"
	"testing"
	"time"
)

func TestRunThatWasCutHasTheRateOfItsGroupsSinceTheyBegan(t *testing.T) {
	t.Parallel()
	began := time.Now()
	after := func(seconds int) time.Time { return began.Add(time.Duration(seconds) * time.Second) }
	tests := []struct {
		name     string
		run      watched
		rate     float64
		cpu      float64
		complete bool
	}{
		{"a run to the end has the rate of all records since it ran", watched{running: after(2), ended: after(12), records: 1000, deliveries: 5}, 100, 9000, true},
		{"a run that was cut has that of its groups", watched{running: after(1), first: look{after(5), 500}, cut: after(15), ended: after(30),
			committed: 4500, records: 1e6, deliveries: 5}, 80, 10_000, false},
		{"one that was cut and did nothing more has none", watched{running: after(1), first: look{after(5), 500}, cut: after(15), ended: after(16),
			committed: 500, records: 1e6, deliveries: 5}, 0, 0, false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			var r report
			test.run.rate(&r, 9)
			if r.rate() != test.rate || math.Abs(r.cpuMicros()-test.cpu) > 1 || r.Complete != test.complete {
				t.Errorf("got %g/s, %g µs, complete %t, want %g/s, %g µs, %t", r.rate(), r.cpuMicros(), r.Complete, test.rate, test.cpu, test.complete)
			}
		})
	}
}
