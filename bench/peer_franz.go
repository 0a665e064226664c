package main

import (
	"context"
	"fmt"

	"github.com/twmb/franz-go/pkg/kgo"
)

// consumeFranz is a raw group of franz-go: it marks what it has handled, fetch by fetch, and commits the marks.
func consumeFranz(ctx context.Context, t task, handle function, ready func()) error {
	client, err := kgo.NewClient(kgo.SeedBrokers(t.Brokers...), kgo.ConsumerGroup(t.Group), kgo.ConsumeTopics(t.Topic),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()), kgo.AutoCommitMarks(),
		kgo.OnPartitionsAssigned(func(context.Context, *kgo.Client, map[string][]int32) { ready() }), kgo.DisableClientMetrics())
	if err != nil {
		return fmt.Errorf("opening the group: %w", err)
	}
	// Closing leaves the group, after committing what is marked.
	defer client.Close()
	for {
		fetches := client.PollFetches(ctx)
		if ctx.Err() != nil {
			return nil
		}
		if err := fetches.Err(); err != nil {
			return fmt.Errorf("fetching: %w", err)
		}
		var failed error
		fetches.EachPartition(func(of kgo.FetchTopicPartition) {
			for _, r := range of.Records {
				c := call{key: r.Key, partition: r.Partition, offset: r.Offset}
				if t.Timed {
					c.sent = sentOfFranz(r.Headers)
				}
				if err := handle(c); err != nil && failed == nil {
					failed = err
				}
			}
			if last := len(of.Records) - 1; last >= 0 {
				client.MarkCommitRecords(of.Records[last])
			}
		})
		if failed != nil {
			return failed
		}
	}
}

func sentOfFranz(headers []kgo.RecordHeader) int64 {
	for _, h := range headers {
		if h.Key == sentHeader {
			return sentTime(h.Value)
		}
	}
	return 0
}
