package main

import (
	"cmp"
	"slices"
)

// result is the figures of one peer: medians over the rounds.
type result struct {
	Peer    string `json:"peer"`
	Variant string `json:"variant,omitempty"`

	RecordsPerSecond   float64 `json:"recordsPerSecond"`
	CPUMicrosPerRecord float64 `json:"cpuMicrosPerRecord"`
	PeakRSSMiB         float64 `json:"peakRssMiB"`

	HandlerMeanMicros float64 `json:"handlerMeanMicros,omitempty"`
	HandlerCPUMicros  float64 `json:"handlerCpuMicros,omitempty"`
	P50Millis         float64 `json:"p50Millis,omitempty"`
	P99Millis         float64 `json:"p99Millis,omitempty"`
	LongestMillis     float64 `json:"longestMillis,omitempty"`
	FollowSeconds     float64 `json:"followSeconds,omitempty"`
	GrowthRatio       float64 `json:"growthRatio,omitempty"`

	// Records is how many were taken in a round, the median; Repeats how many came again, in all rounds.
	Records int64 `json:"records"`
	Repeats int64 `json:"repeats"`
	Rounds  int   `json:"rounds"`
	// Cut says that a round ended at its limit and not with the input.
	Cut bool `json:"cut,omitempty"`
	// Slowest and Fastest are the rates of single rounds, to see how far the machine swayed.
	Slowest float64 `json:"slowest"`
	Fastest float64 `json:"fastest"`
}

type results []result

// find returns the result of a turn.
func (r results) find(name turnName) (result, bool) {
	for _, one := range r {
		if one.Peer == name.peer && one.Variant == name.variant {
			return one, true
		}
	}
	return result{}, false
}

// measurement is everything that was measured of one workload.
type measurement struct {
	Workload string    `json:"workload"`
	Results  results   `json:"results"`
	Bars     []verdict `json:"bars"`
	// Failure is why there are no results.
	Failure string `json:"failure,omitempty"`
	// Profile is where our processor time goes, of a workload that misses a bar; only when a report is written.
	Profile []share `json:"profile,omitempty"`

	about string
}

// resultOf is the medians of the rounds of a cell.
func resultOf(c cell, rounds []report) result {
	middle := func(figure func(report) float64) float64 {
		values := make([]float64, len(rounds))
		for i, r := range rounds {
			values[i] = figure(r)
		}
		return median(values)
	}
	r := result{
		Peer: c.peer, Variant: c.variant, Rounds: len(rounds),
		RecordsPerSecond: middle(report.rate), CPUMicrosPerRecord: middle(report.cpuMicros),
		PeakRSSMiB:        middle(func(r report) float64 { return r.PeakRSSMiB }),
		HandlerMeanMicros: middle(func(r report) float64 { return r.HandlerMeanMicros }),
		HandlerCPUMicros:  middle(func(r report) float64 { return r.HandlerCPUMicros }),
		P50Millis:         middle(func(r report) float64 { return r.P50Millis }),
		P99Millis:         middle(func(r report) float64 { return r.P99Millis }),
		LongestMillis:     middle(func(r report) float64 { return r.LongestMillis }),
		FollowSeconds:     middle(func(r report) float64 { return r.FollowSeconds }),
		GrowthRatio:       middle(func(r report) float64 { return r.GrowthRatio }),
		Records:           int64(middle(func(r report) float64 { return float64(r.Records) })),
	}
	for i, one := range rounds {
		r.Repeats += one.Repeats
		r.Cut = r.Cut || !one.Complete
		if i == 0 {
			r.Slowest = one.rate()
		}
		r.Slowest, r.Fastest = min(r.Slowest, one.rate()), max(r.Fastest, one.rate())
	}
	return r
}

// median is the middle value, of an even number the upper one of the two, so that it is one that was measured; 0 of nothing.
func median[T cmp.Ordered](values []T) (middle T) {
	if len(values) == 0 {
		return middle
	}
	sorted := slices.Sorted(slices.Values(values))
	return sorted[len(sorted)/2]
}
