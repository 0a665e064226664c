package main

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/prantikov/millrace/messages"
)

// oneConsumer is the consumer that runs alone in the variant of that name: it takes all topics and has a unit of work.
const oneConsumer = "analytics"

// The engines of the binary (kafka.engine).
const (
	engineOurs  = "millrace"
	engineStock = "watermill"
)

func runAll() workload {
	resident := func(r result) float64 { return r.PeakRSSMiB }
	alone := variant(peerMillrace, oneConsumer+" alone")
	return workload{
		name: "run-all", records: million, distribution: roundRobin, prepare: prepareDay,
		about: "millrace run --exit-at-end with all built-in consumers, 1 % of the records bad; watermill-kafka is the same binary and handlers on the stock engine; beside it a stock application whose handlers only decode",
		cells: []cell{
			{peer: peerMillrace, run: func(ctx context.Context, s *session) (report, error) { return s.runBinary(ctx, engineOurs) }},
			{peer: peerMillrace, variant: alone.variant, run: func(ctx context.Context, s *session) (report, error) {
				return s.runBinary(ctx, engineOurs, "--consumers", oneConsumer)
			}},
			{peer: peerWatermill, run: func(ctx context.Context, s *session) (report, error) { return s.runBinary(ctx, engineStock) }},
			{peer: peerWatermill, variant: "handlers that write nothing", run: runStock},
		},
		bars: []bar{
			atLeast("× throughput of watermill-kafka", 8, rateRatio(of(peerMillrace), of(peerWatermill))),
			atMost("MiB of peak RSS", 768, func(r results) (float64, bool) { return figure(r, of(peerMillrace), resident) }),
			atMost("× RSS of the first half in the second (flat)", 1.25, func(r results) (float64, bool) {
				return figure(r, of(peerMillrace), func(r result) float64 { return r.GrowthRatio })
			}),
			atMost("MiB of peak RSS of one consumer", 256, func(r results) (float64, bool) { return figure(r, alone, resident) }),
		},
	}
}

// fanOut is the consumers that take all topics, as the binary has them.
var fanOut = [...]string{"notification", oneConsumer, "logging", "archive"}

// domain is the consumer of each topic.
func domain() map[string]string {
	return map[string]string{
		messages.Appointments.Topic(): "appointments", messages.Prescriptions.Topic(): "prescriptions",
		messages.Orders.Topic(): "orders", messages.HealthRecords.Topic(): "health-records",
	}
}

// runStock is the turn of the stock application.
func runStock(ctx context.Context, s *session) (report, error) {
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
