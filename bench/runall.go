package main

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/prantikov/millrace/messages"
)

// oneConsumer is the consumer that runs alone in the variant of that name: it takes all topics and has a unit of work.
const oneConsumer = "analytics"

// The engines of the binary (kafka.engine).
const (
	engineOurs  = "millrace"
	engineStock = "watermill"
)

// longestRun ends a run on our own engine that would take too long for a table: on a slow disk, with a million records.
const longestRun = 40 * time.Second

func runAll() workload {
	resident := func(r result) float64 { return r.PeakRSSMiB }
	ours, alone := of(peerMillrace), variant(peerMillrace, oneConsumer+" alone")
	return workload{
		name: "run-all", records: million, distribution: roundRobin, prepare: prepareDay,
		about: "`millrace run` with all built-in consumers over a day of the platform, 1 % of the records bad, each record through five consumers; " +
			"watermill-kafka is the same binary with `kafka.engine: watermill`: the same handlers, units of work, files and dead letters over " +
			"watermill-kafka's subscriber and publisher, one record a message, stopped at the limit and rated by what its groups committed; " +
			"in \"" + writesNothing + "\" it is a stock application as one begins it, for information: as many handlers, which decode and write nothing, " +
			"not even their position in a store",
		cells: []cell{
			{peer: peerMillrace, run: binaryRun{engine: engineOurs, limit: longestRun}.run},
			{peer: peerMillrace, variant: alone.variant, run: binaryRun{engine: engineOurs, only: oneConsumer, limit: longestRun}.run},
			{peer: peerWatermill, run: func(ctx context.Context, s *session) (report, error) {
				return binaryRun{engine: engineStock, limit: s.options.limit}.run(ctx, s)
			}},
			{peer: peerWatermill, variant: writesNothing, run: runDecoding},
		},
		bars: []bar{
			atLeast("× throughput of watermill-kafka with the same handlers", 8, rateRatio(ours, of(peerWatermill))),
			atMost("MiB of peak RSS", 768, func(r results) (float64, bool) { return figure(r, ours, resident) }),
			atMost("× RSS of the first half in the second (flat)", 1.25, func(r results) (float64, bool) {
				return figure(r, ours, func(r result) float64 { return r.GrowthRatio })
			}),
			atMost("MiB of peak RSS of one consumer", 256, func(r results) (float64, bool) { return figure(r, alone, resident) }),
		},
	}
}

// writesNothing is the variant of a stock application that only decodes.
const writesNothing = "handlers that write nothing"

// fanOut is the consumers that take all topics, as the binary has them.
var fanOut = [...]string{"notification", oneConsumer, "logging", "archive"}

// domain is the consumer of each topic.
func domain() map[string]string {
	return map[string]string{
		messages.Appointments.Topic(): "appointments", messages.Prescriptions.Topic(): "prescriptions",
		messages.Orders.Topic(): "orders", messages.HealthRecords.Topic(): "health-records",
	}
}

// runDecoding is the turn of the stock application whose handlers only decode.
func runDecoding(ctx context.Context, s *session) (report, error) {
	name := s.name()
	t := task{Peer: peerWatermill, Brokers: s.brokers.addresses, Topic: name + "-poison", Limit: s.options.limit}
	own := domain()
	for _, declared := range messages.Types() {
		topic := s.prepared.topics[declared.Topic()]
		for _, c := range append([]string{own[declared.Topic()]}, fanOut[:]...) {
			handler := c + "/" + declared.Topic()
			t.Consumers = append(t.Consumers, stockConsumer{
				Name: handler, Type: declared.Name(), Topic: topic, Ends: s.prepared.ends[topic], Raw: c == "archive",
				Group: name + "-" + c + "-" + declared.Topic(),
			})
		}
	}
	if err := s.brokers.createTopics(ctx, s.options.partitions, t.Topic); err != nil {
		return report{}, err
	}
	var groups []string
	for _, c := range t.Consumers {
		groups = append(groups, c.Group)
	}
	defer s.brokers.remove(ctx, []string{t.Topic}, groups)
	return runPeer(ctx, t, s.errout, nil)
}

// configuration is the binary's file for these topics, with groups of its own.
func (p *prepared) configuration(brokers []string, engine, dataDir, name string) (text string, groups []string) {
	text = fmt.Sprintf("data_dir: %q\nkafka:\n  engine: %s\n  brokers: [", dataDir, engine)
	for _, address := range brokers {
		text += fmt.Sprintf("%q, ", address)
	}
	text += "]\ntopics:\n"
	for _, own := range slices.Sorted(maps.Keys(p.topics)) {
		text += fmt.Sprintf("  %s:\n    name: %s\n", own, p.topics[own])
	}
	text += "consumers:\n"
	for _, c := range append(slices.Sorted(maps.Values(domain())), fanOut[:]...) {
		groups = append(groups, name+"-"+c)
		text += fmt.Sprintf("  %s:\n    group: %s\n", c, name+"-"+c)
	}
	return text, groups
}
