package main

import "fmt"

// bar is a ratio, or another figure, that should be at least, or at most, something.
type bar struct {
	of    string
	limit float64
	most  bool
	value func(results) (float64, bool)
	// eachRound takes the value within each round, and judges the median of them: where a difference, or an extreme, of two turns
	// says nothing when they are of different rounds.
	eachRound bool
	// beside is what is printed with the value, for information.
	beside func(results) string
}

// verdict is what became of a bar. Met is false also for what could not be measured: no miss is hidden.
type verdict struct {
	Bar string `json:"bar"`
	// Value is nil for what could not be measured.
	Value *float64 `json:"value"`
	// Beside is for information.
	Beside string `json:"beside,omitempty"`
	Met    bool   `json:"met"`
}

func atLeast(of string, limit float64, value func(results) (float64, bool)) bar {
	return bar{of: of, limit: limit, value: value}
}

func atMost(of string, limit float64, value func(results) (float64, bool)) bar {
	return bar{of: of, limit: limit, most: true, value: value}
}

// text is the bar as the table has it.
func (b bar) text() string {
	sign := "≥"
	if b.most {
		sign = "≤"
	}
	return fmt.Sprintf("%s %g %s", sign, b.limit, b.of)
}

// judge compares the ratio with the limit. It takes the medians of all rounds, and the figures of each.
func (b bar) judge(r results, rounds []results) verdict {
	value, ok := b.value(r)
	if b.eachRound {
		value, ok = b.ofRounds(rounds)
	}
	v := verdict{Bar: b.text()}
	if !ok {
		return v
	}
	if b.beside != nil {
		v.Beside = b.beside(r)
	}
	v.Value = &value
	v.Met = value >= b.limit
	if b.most {
		v.Met = value <= b.limit
	}
	return v
}

// ofRounds is the median of the values of each round; false when it was not measured in one of them.
func (b bar) ofRounds(rounds []results) (float64, bool) {
	var values []float64
	for _, r := range rounds {
		value, ok := b.value(r)
		if !ok {
			return 0, false
		}
		values = append(values, value)
	}
	return median(values), len(values) > 0
}

// name of a turn: a peer and a variant.
type turnName struct{ peer, variant string }

func of(peer string) turnName               { return turnName{peer: peer} }
func variant(peer, variant string) turnName { return turnName{peer, variant} }

// ratio divides a figure of one turn by that of another; false when either was not measured.
func ratio(a, b turnName, figure func(result) float64) func(results) (float64, bool) {
	return func(r results) (float64, bool) {
		above, okA := r.find(a)
		below, okB := r.find(b)
		if !okA || !okB || figure(above) <= 0 || figure(below) <= 0 {
			return 0, false
		}
		return figure(above) / figure(below), true
	}
}

func rateRatio(a, b turnName) func(results) (float64, bool) {
	return ratio(a, b, func(r result) float64 { return r.RecordsPerSecond })
}

func cpuRatio(a, b turnName) func(results) (float64, bool) {
	return ratio(a, b, func(r result) float64 { return r.CPUMicrosPerRecord })
}

func p99Ratio(a, b turnName) func(results) (float64, bool) {
	return ratio(a, b, p99)
}

// figure is one figure of one turn; false when it was not measured.
func figure(r results, of turnName, figure func(result) float64) (float64, bool) {
	found, ok := r.find(of)
	return figure(found), ok && figure(found) > 0
}

// more is how much more a figure is in one turn than in another, 0 where it is less.
func more(a, b turnName, of func(result) float64) func(results) (float64, bool) {
	return func(r results) (float64, bool) {
		above, okA := figure(r, a, of)
		below, okB := figure(r, b, of)
		return max(above-below, 0), okA && okB
	}
}

func p99(r result) float64      { return r.P99Millis }
func longest(r result) float64  { return r.LongestMillis }
func followed(r result) float64 { return r.FollowSeconds }

// occupancy is the rate of a turn by what so many functions side by side could do at their own measured mean, but no more than a ceiling:
// beyond it the processors are what bounds the rate.
func occupancy(of turnName, concurrency int, ceiling float64) func(results) (float64, bool) {
	return func(r results) (float64, bool) {
		found, ok := r.find(of)
		if !ok || found.HandlerMeanMicros <= 0 {
			return 0, false
		}
		possible := min(float64(concurrency)/(found.HandlerMeanMicros/1e6), ceiling)
		return found.RecordsPerSecond / possible, true
	}
}

// overhead is the processor time of a record above that of the function.
func overhead(of turnName) func(results) (float64, bool) {
	return func(r results) (float64, bool) {
		found, ok := r.find(of)
		if !ok || found.HandlerCPUMicros <= 0 || found.CPUMicrosPerRecord <= 0 {
			return 0, false
		}
		return found.CPUMicrosPerRecord - found.HandlerCPUMicros, true
	}
}
