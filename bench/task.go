package main

import "time"

// The peers. Their names are part of the output.
const (
	peerMillrace     = "millrace"
	peerSarama       = "sarama"
	peerSaramaDecode = "sarama-decode"
	peerWatermill    = "watermill-kafka"
	peerFranz        = "franz-go"
)

// task is what a peer's process is told, as one line of JSON on its input.
type task struct {
	Peer    string   `json:"peer"`
	Brokers []string `json:"brokers"`
	Topic   string   `json:"topic"`
	Group   string   `json:"group"`
	// Ends has the number of records of each partition that are to be taken. When all are through, the turn is over.
	Ends []int64 `json:"ends"`
	// Limit ends the turn early, from the first record on. A workload's own is the least that it needs.
	Limit time.Duration `json:"limit"`
	// Concurrency is how many keys are handled side by side, by who can.
	Concurrency int `json:"concurrency"`
	// Handler is what the peer's function does with a record.
	Handler behaviour `json:"handler"`
	// Fed says that the records are written while the peer runs, so that its turn begins with the first of them.
	Fed bool `json:"fed"`
	// Timed measures how long each record was on its way to the function.
	Timed bool `json:"timed"`
	// Publish makes the turn one of publishing instead.
	Publish *publishing `json:"publish,omitempty"`
	// Consumers makes the turn one of many consumers on many topics, as the binary has them.
	Consumers []stockConsumer `json:"consumers,omitempty"`
	// Profile is a file for the turn's profile of processor time; empty for none.
	Profile string `json:"profile,omitempty"`
}

// publishing is a turn of publishing.
type publishing struct {
	Records int `json:"records"`
	// Call is how many records one call has.
	Call int `json:"call"`
	// Goroutines is how many call side by side.
	Goroutines int `json:"goroutines"`
	Keys       int `json:"keys"`
}

// report is what a peer's process says, as lines of JSON on its output: first that it is ready, then, once, how the turn went.
type report struct {
	Ready bool `json:"ready,omitempty"`
	// Records were taken, each counted once; Repeats came again.
	Records int64 `json:"records"`
	Repeats int64 `json:"repeats"`
	// Complete says that all records were taken before the limit.
	Complete bool `json:"complete"`
	// Seconds and CPUSeconds are from the beginning of the turn to the last record; see [meter].
	Seconds    float64 `json:"seconds"`
	CPUSeconds float64 `json:"cpuSeconds"`
	PeakRSSMiB float64 `json:"peakRssMiB"`
	// HandlerMeanMicros is the time that the function took, measured by itself; HandlerCPUMicros its processor time. 0 for not measured.
	HandlerMeanMicros float64 `json:"handlerMeanMicros"`
	HandlerCPUMicros  float64 `json:"handlerCpuMicros"`
	// P50Millis to LongestMillis are the times from sending to the function, of a timed task.
	P50Millis     float64 `json:"p50Millis"`
	P99Millis     float64 `json:"p99Millis"`
	LongestMillis float64 `json:"longestMillis"`
	// FollowSeconds is how long the rate took to follow a handler that turned, the slower of the turns.
	FollowSeconds float64 `json:"followSeconds"`
	// GrowthRatio is the largest resident size in the second half of a turn by that in the first.
	GrowthRatio float64 `json:"growthRatio"`
}
