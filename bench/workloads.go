package main

import (
	"fmt"
	"slices"
	"strconv"
	"time"
)

// workloads is the list of what is measured, in the order of the table of bars.
func workloads() []workload {
	list := []workload{chain("chain", roundRobin), chain("chain-uniform", uniform), chain("chain-zipf", zipf), runAll()}
	for _, wait := range waitTimes {
		list = append(list, sleeping(wait))
	}
	for _, wait := range waitTimes {
		list = append(list, crowded(wait))
	}
	return append(list, spinning(), turning(), blocking(), hotKey(), retries(), publishCalls(100), publishCalls(10_000), publishSingly(), latency())
}

// waitTimes are how long sleeping handlers sleep.
var waitTimes = [...]time.Duration{time.Millisecond, 5 * time.Millisecond, 10 * time.Millisecond, 100 * time.Millisecond}

const (
	million = 1_000_000
	// usual is the concurrency of a consumer that waits, crowd that of one with all keys side by side.
	usual = 256
	crowd = 10_000
	// mostBySleeping is the rate up to which concurrency is what bounds a function that sleeps.
	mostBySleeping = 50_000
)

// consuming makes a cell for each peer, all with the same task.
func consuming(t task, peers ...string) []cell {
	var cells []cell
	for _, name := range peers {
		cells = append(cells, cell{peer: name, task: t})
	}
	return cells
}

func chain(name, distribution string) workload {
	return workload{
		name: name, about: "the full chain with a function that does nothing, keys " + distribution, records: million, distribution: distribution,
		cells: consuming(task{Concurrency: usual}, peerMillrace, peerSarama, peerSaramaDecode, peerWatermill, peerFranz),
		bars: []bar{
			atMost("× CPU of sarama-decode", 1.5, cpuRatio(of(peerMillrace), of(peerSaramaDecode))),
			atLeast("× throughput of sarama-decode", 1.1, rateRatio(of(peerMillrace), of(peerSaramaDecode))),
			atLeast("× throughput of watermill-kafka", 8, rateRatio(of(peerMillrace), of(peerWatermill))),
		},
	}
}

func sleeping(wait time.Duration) workload {
	t := task{Concurrency: usual, Handler: behaviour{Kind: doSleep, Duration: wait}}
	return workload{
		name: "sleep-" + text(wait), about: "a function that sleeps " + wait.String() + ", concurrency 256", records: million / 2, distribution: roundRobin,
		cells: consuming(t, peerMillrace, peerWatermill),
		bars:  []bar{atLeast("× 256 / the function's mean, at most 50,000/s", .85, occupancy(of(peerMillrace), usual, mostBySleeping))},
	}
}

func crowded(wait time.Duration) workload {
	t := task{Concurrency: crowd, Handler: behaviour{Kind: doSleep, Duration: wait}}
	nothing := cell{peer: peerMillrace, variant: "no-op", task: task{Concurrency: crowd}}
	bars := []bar{atMost("× CPU of no-op", 3.5, cpuRatio(of(peerMillrace), variant(peerMillrace, "no-op")))}
	if wait <= 10*time.Millisecond {
		bars = slices.Insert(bars, 0, atLeast("× throughput of no-op", .3, rateRatio(of(peerMillrace), variant(peerMillrace, "no-op"))))
	}
	return workload{
		name: "sleep-" + text(wait) + "-10000", about: "a function that sleeps " + wait.String() + ", concurrency 10,000", records: million,
		distribution: roundRobin, cells: append(consuming(t, peerMillrace), nothing), bars: bars,
	}
}

// text is a time for a name: 5ms.
func text(wait time.Duration) string { return strconv.FormatInt(wait.Milliseconds(), 10) + "ms" }

func spinning() workload {
	t := task{Concurrency: usual, Handler: behaviour{Kind: doSpin, Duration: 20 * time.Microsecond}}
	nothing := cell{peer: peerMillrace, variant: "no-op", task: task{Concurrency: usual}}
	above := atMost("µs of CPU above the function's own", 3, overhead(of(peerMillrace)))
	// How much a machine needs for a record that nothing is done with is in the same run.
	above.beside = func(r results) string {
		chain, _ := r.find(variant(peerMillrace, nothing.variant))
		value, _ := overhead(of(peerMillrace))(r)
		return fmt.Sprintf("%.2f × no-op's %.2f µs", quotient(value, chain.CPUMicrosPerRecord), chain.CPUMicrosPerRecord)
	}
	return workload{
		name: "spin-20us", about: "a function that uses 20 µs of processor time; no-op is the chain without it, for information", records: million / 5,
		distribution: roundRobin, cells: append(consuming(t, peerMillrace, peerWatermill), nothing), bars: []bar{above},
	}
}

func turning() workload {
	t := task{Concurrency: usual, Limit: 10 * time.Second, Handler: behaviour{Kind: doTurn, AfterRecords: 300_000}}
	return workload{
		name: "turning", about: "a function that turns from 1 µs to 5 ms after 300,000 records, and back after 3 s", records: million, whole: true,
		distribution: roundRobin, cells: consuming(t, peerMillrace),
		bars: []bar{
			atMost("s until the rate has followed (half of what is possible)", 1, func(r results) (float64, bool) { return figure(r, of(peerMillrace), followed) }),
		},
	}
}

func blocking() workload {
	key := keyPrefix + "0"
	// The same key is left out of the times of both.
	block := task{Concurrency: usual, Timed: true, Handler: behaviour{Kind: doBlock, Key: key, Duration: 10 * time.Second, After: 2 * time.Second}}
	free := task{Concurrency: usual, Timed: true, Handler: behaviour{Kind: doNothing, Key: key}}
	paced := &feed{perSecond: 2000, seconds: 13, keys: 1000}
	nothing := variant(peerMillrace, "nothing blocks")
	// A machine that others use has waits of its own, which the same run without the block has too.
	loses := func(what string, wait func(result) float64) bar {
		b := atMost("ms more "+what+" than when nothing blocks", 50, more(of(peerMillrace), nothing, wait))
		b.eachRound = true
		return b
	}
	return workload{
		name: "blocking", about: "one record blocks its key for 10 s, others come at 2,000/s; times from sending to the function of all other keys",
		distribution: roundRobin,
		cells: []cell{
			{peer: peerMillrace, task: block, feed: paced},
			{peer: peerMillrace, variant: nothing.variant, task: free, feed: paced},
		},
		bars: []bar{loses("of the longest wait", longest), loses("of p99", p99)},
	}
}

func hotKey() workload {
	const hot = keyPrefix + "hot"
	t := task{Concurrency: usual, Timed: true, Handler: behaviour{Kind: doSleep, Duration: time.Millisecond, Key: hot}}
	return workload{
		name: "hot-key", about: "a fifth of 4,000/s has one key, a function that sleeps 1 ms; times of the other keys", distribution: uniform,
		cells: []cell{
			{peer: peerMillrace, task: t, feed: &feed{perSecond: 4000, seconds: 8, hot: hot, hotShare: .2}},
			{peer: peerMillrace, variant: "no hot key", task: t, feed: &feed{perSecond: 4000, seconds: 8}},
		},
		bars: []bar{atMost("× p99 without the hot key", 2, p99Ratio(of(peerMillrace), variant(peerMillrace, "no hot key")))},
	}
}

func retries() workload {
	failing := task{Concurrency: usual, Handler: behaviour{Kind: doFail, FailingKeys: 100}}
	half := &feed{share: .5, shareOf: "maximum", seconds: 5}
	return workload{
		name: "retries", about: "1 % of the keys fail twice, 100 ms apart, once a second each, paced at half the maximum", records: million / 2, distribution: roundRobin,
		cells: []cell{
			{peer: peerMillrace, variant: "maximum", task: task{Concurrency: usual}},
			{peer: peerMillrace, variant: "none fails", task: task{Concurrency: usual}, feed: half},
			{peer: peerMillrace, task: failing, feed: half},
		},
		bars: []bar{atLeast("× throughput when none fails", .9, rateRatio(of(peerMillrace), variant(peerMillrace, "none fails")))},
	}
}

func latency() workload {
	return workload{
		name: "latency", about: "end to end at 20,000/s: from sending to the function", distribution: roundRobin,
		cells: []cell{
			{peer: peerMillrace, task: task{Concurrency: usual, Timed: true}, feed: &feed{perSecond: 20_000, seconds: 8}},
			{peer: peerSarama, task: task{Concurrency: usual, Timed: true}, feed: &feed{perSecond: 20_000, seconds: 8}},
		},
		bars: []bar{atMost("× p99 of sarama", 3, p99Ratio(of(peerMillrace), of(peerSarama)))},
	}
}
