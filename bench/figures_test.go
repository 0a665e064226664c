package main

import (
	"bytes"
	"encoding/json"
	"math"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestMedianIsAMeasuredValue(t *testing.T) {
	t.Parallel()
	tests := []struct {
		values []float64
		want   float64
	}{
		{nil, 0}, {[]float64{3}, 3}, {[]float64{9, 1, 5}, 5}, {[]float64{4, 1, 3, 2}, 3},
	}
	for _, test := range tests {
		if got := median(test.values); got != test.want {
			t.Errorf("%v: got %g, want %g", test.values, got, test.want)
		}
	}
}

func TestResultIsTheMedianOfItsRounds(t *testing.T) {
	t.Parallel()
	rounds := []report{
		{Records: 100, Seconds: 1, CPUSeconds: .001, PeakRSSMiB: 10, Complete: true},
		{Records: 100, Seconds: 4, CPUSeconds: .004, PeakRSSMiB: 40, Repeats: 2},
		{Records: 100, Seconds: 2, CPUSeconds: .002, PeakRSSMiB: 30, Repeats: 1},
	}
	got := resultOf(cell{peer: "p", variant: "v"}, rounds)
	want := result{Peer: "p", Variant: "v", RecordsPerSecond: 50, CPUMicrosPerRecord: 20, PeakRSSMiB: 30, Records: 100, Repeats: 3, Rounds: 3,
		Slowest: 25, Fastest: 100, Cut: true}
	if got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

func TestBars(t *testing.T) {
	t.Parallel()
	measured := results{
		{Peer: "a", RecordsPerSecond: 200, CPUMicrosPerRecord: 3, P99Millis: 4, HandlerCPUMicros: 1},
		{Peer: "a", Variant: "slow", RecordsPerSecond: 50, HandlerMeanMicros: 1000},
		{Peer: "b", RecordsPerSecond: 100, CPUMicrosPerRecord: 2},
	}
	tests := []struct {
		name  string
		bar   bar
		value float64 // NaN for not measured
		met   bool
	}{
		{"a ratio that is reached is met", atLeast("", 2, rateRatio(of("a"), of("b"))), 2, true},
		{"a ratio that is not reached is missed", atLeast("", 2.1, rateRatio(of("a"), of("b"))), 2, false},
		{"a cost within its limit is met", atMost("", 1.5, cpuRatio(of("a"), of("b"))), 1.5, true},
		{"a cost beyond its limit is missed", atMost("", 1.4, cpuRatio(of("a"), of("b"))), 1.5, false},
		{"a variant is another turn", atLeast("", .2, rateRatio(variant("a", "slow"), of("a"))), .25, true},
		{"a peer that is not there is missed", atMost("", 9, cpuRatio(of("a"), of("c"))), math.NaN(), false},
		{"a figure of nothing is missed", atMost("", 9, p99Ratio(of("a"), of("b"))), math.NaN(), false},
		{"occupancy is of what the concurrency can do", atLeast("", 1, occupancy(variant("a", "slow"), 1, 50_000)), .05, false},
		{"occupancy is of no more than the ceiling", atLeast("", 1, occupancy(variant("a", "slow"), 100, 50)), 1, true},
		{"overhead is what is above the function", atMost("", 2, overhead(of("a"))), 2, true},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			got := test.bar.judge(measured, nil)
			switch {
			case got.Met != test.met:
				t.Errorf("got met %t, want %t", got.Met, test.met)
			case math.IsNaN(test.value) != (got.Value == nil):
				t.Errorf("got value %v, want %g", got.Value, test.value)
			case got.Value != nil && *got.Value != test.value:
				t.Errorf("got value %g, want %g", *got.Value, test.value)
			}
		})
	}
}

func TestBarOfEachRoundComparesTurnsOfTheSameRound(t *testing.T) {
	t.Parallel()
	round := func(a, b float64) results {
		return results{{Peer: "a", LongestMillis: a}, {Peer: "b", LongestMillis: b}}
	}
	rounds := []results{round(120, 100), round(10, 200), round(300, 290)}
	b := atMost("", 50, more(of("a"), of("b"), longest))
	b.eachRound = true
	// The medians are 120 and 200: of turns that never met.
	if got := b.judge(round(120, 200), rounds); got.Value == nil || *got.Value != 10 || !got.Met {
		t.Errorf("got %+v, want 10 and met", got)
	}
	if got := b.judge(round(120, 200), append(rounds, round(120, 0))); got.Value != nil || got.Met {
		t.Errorf("got %+v, want a round that was not measured to be a miss", got)
	}
}

func TestWhatIsBesideABarIsPrintedWithItsValue(t *testing.T) {
	t.Parallel()
	measured := results{{Peer: peerMillrace, CPUMicrosPerRecord: 25, HandlerCPUMicros: 20}, {Peer: peerMillrace, Variant: "no-op", CPUMicrosPerRecord: 4}}
	for _, b := range spinning().bars {
		v := b.judge(measured, nil)
		if got, want := v.valueText(), "5.00 (1.25 × no-op's 4.00 µs)"; got != want || v.Met {
			t.Errorf("got %q, met %t, want %q and a miss", got, v.Met, want)
		}
	}
}

func TestEveryBarCanBeMeasured(t *testing.T) {
	t.Parallel()
	for _, w := range workloads() {
		var measured results
		for _, c := range w.cells {
			measured = append(measured, result{Peer: c.peer, Variant: c.variant, RecordsPerSecond: 1, CPUMicrosPerRecord: 2, PeakRSSMiB: 1,
				HandlerMeanMicros: 1, HandlerCPUMicros: 1, P99Millis: 1, LongestMillis: 1, FollowSeconds: 1, GrowthRatio: 1})
		}
		for _, b := range w.bars {
			if b.judge(measured, []results{measured}).Value == nil {
				t.Errorf("%s: %s names a turn that the workload does not have", w.name, b.text())
			}
		}
	}
}

func TestMissesAreShown(t *testing.T) {
	t.Parallel()
	two := 2.
	m := measurement{Workload: "w", Results: results{{Peer: "a", RecordsPerSecond: 1234567, Repeats: 3}},
		Bars: []verdict{{Bar: "≥ 3 × b", Value: &two}, {Bar: "≤ 1 × c"}, {Bar: "≥ 1 × d", Value: &two, Met: true}}}
	var table bytes.Buffer
	if err := print(&table, "table", m); err != nil {
		t.Fatal(err)
	}
	if got := strings.Count(table.String(), "MISSED"); got != 2 || !strings.Contains(table.String(), "3 repeated") {
		t.Errorf("got %s, want two misses and the repeats", table.String())
	}
	if missed, met := count([]measurement{m}, false), count([]measurement{m}, true); missed != 2 || met != 1 {
		t.Errorf("got %d missed, %d met, want 2, 1", missed, met)
	}
	var object bytes.Buffer
	if err := print(&object, "json", m); err != nil {
		t.Fatal(err)
	}
	var back measurement
	if err := json.Unmarshal(object.Bytes(), &back); err != nil || len(back.Bars) != 3 || back.Bars[1].Value != nil || back.Results[0].Peer != "a" {
		t.Errorf("got %s, error %v, want what was measured", object.String(), err)
	}
	if got := thousands(1234567); got != "1,234,567" {
		t.Errorf("got %s, want 1,234,567", got)
	}
}

func TestPercentilesAreRealWaits(t *testing.T) {
	t.Parallel()
	var w waits
	if got := w.percentile(.99); got != 0 {
		t.Errorf("got %g of nothing, want 0", got)
	}
	for number := range 200 {
		w.add(time.Duration(200-number) * time.Millisecond)
	}
	if got := []float64{w.percentile(.5), w.percentile(.99), w.percentile(1)}; !slices.Equal(got, []float64{100, 198, 200}) {
		t.Errorf("got %v, want 100, 198, 200", got)
	}
}

func TestGrowthIsOfTheSecondHalfByTheFirst(t *testing.T) {
	t.Parallel()
	if got := growthOf([]float64{50, 100, 90, 150}); got.PeakRSSMiB != 150 || got.GrowthRatio != 1.5 {
		t.Errorf("got %+v, want a peak of 150 and growth of 1.5", got)
	}
	if got := growthOf([]float64{50}); got.GrowthRatio != 0 {
		t.Errorf("got growth of %g from one look, want 0", got.GrowthRatio)
	}
}
