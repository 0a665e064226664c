package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/prantikov/millrace/demo"
	"github.com/prantikov/millrace/messages"
)

// failingShare is the part of all records that no consumer can read.
const failingShare = .01

// prepareDay writes a day of the platform, one record of a hundred bad, to topics of its own, and builds the binary.
func prepareDay(ctx context.Context, s *session) (*prepared, error) {
	p := &prepared{records: s.input().records, topics: map[string]string{}, ends: map[string][]int64{}}
	dir, err := os.MkdirTemp("", "millrace-bench-")
	if err != nil {
		return nil, err
	}
	prefix := s.name()
	var created, all []string
	for _, declared := range messages.Types() {
		name := prefix + "-" + declared.Topic()
		p.topics[declared.Topic()] = name
		created, all = append(created, name), append(all, name, name+"-dlt")
	}
	p.remove = func() {
		s.brokers.remove(ctx, all, nil)
		_ = os.RemoveAll(dir)
	}
	p.binary = filepath.Join(dir, "millrace")
	build := exec.CommandContext(ctx, "go", "build", "-o", p.binary, "github.com/prantikov/millrace/cmd/millrace")
	build.Stderr = s.errout
	if err := build.Run(); err != nil {
		p.remove()
		return nil, fmt.Errorf("building the binary: %w", err)
	}
	err = s.brokers.createTopics(ctx, s.options.partitions, created...)
	if err == nil {
		err = p.writeDay(ctx, s)
	}
	if err != nil {
		p.remove()
		return nil, err
	}
	return p, nil
}

// writeDay writes the records. They began a day ago, for brokers refuse a timestamp that lies ahead.
func (p *prepared) writeDay(ctx context.Context, s *session) error {
	writer, err := newWriter(s.brokers.addresses, 20*time.Millisecond)
	if err != nil {
		return err
	}
	defer writer.Close()
	bad := int(float64(p.records) * failingShare)
	day := demo.Settings{Seed: 1, Start: time.Now().Add(-25 * time.Hour), TypePackage: "com.prantikov.healthcare.event"}
	var failed firstError
	for r := range demo.Mixed(day, p.records-bad, bad) {
		made := &kgo.Record{Topic: p.topics[r.Topic], Key: r.Key, Value: r.Value, Timestamp: r.Timestamp}
		for _, h := range r.Headers {
			made.Headers = append(made.Headers, kgo.RecordHeader{Key: h.Key, Value: h.Value})
		}
		writer.Produce(ctx, made, failed.keep)
	}
	if err := writer.Flush(ctx); err != nil {
		return fmt.Errorf("writing the input: %w", err)
	}
	if err := failed.err(); err != nil {
		return err
	}
	return p.findEnds(ctx, s.brokers)
}

// findEnds asks the brokers how many records each partition has.
func (p *prepared) findEnds(ctx context.Context, b *brokers) error {
	for _, topic := range p.topics {
		offsets, err := b.admin.ListEndOffsets(ctx, topic)
		if err != nil {
			return fmt.Errorf("asking for the ends of %q: %w", topic, err)
		}
		ends := make([]int64, len(offsets[topic]))
		for partition, offset := range offsets[topic] {
			ends[partition] = offset.Offset
		}
		p.ends[topic] = ends
	}
	return nil
}
