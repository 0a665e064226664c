package kafkatest

import (
	"context"
	"testing"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/prantikov/millrace/record"
)

// Listen is a listener of another program: a member of the group that handles so many records of the topic one after another, commits each as
// franz-go does, with the leader's epoch and its own member id as metadata, and leaves. It returns what it handled, in its order. The test fails when fewer
// records come.
func Listen(t testing.TB, broker, group, topic string, records int) []*record.Record {
	t.Helper()
	client := Client(t, broker, kgo.ConsumerGroup(group), kgo.ConsumeTopics(topic), kgo.DisableAutoCommit(),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
	defer client.Close()
	ctx, cancel := context.WithTimeout(context.Background(), Patience)
	defer cancel()
	var handled []*record.Record
	for len(handled) < records {
		fetches := client.PollRecords(ctx, records-len(handled))
		if err := fetches.Err0(); err != nil {
			t.Fatalf("listening to %s as %s: got %d records, want %d: %v", topic, group, len(handled), records, err)
		}
		for _, r := range fetches.Records() {
			handled = append(handled, fromClient(r))
			if err := client.CommitRecords(ctx, r); err != nil {
				t.Fatalf("committing %s/%d/%d as %s: %v", topic, r.Partition, r.Offset, group, err)
			}
		}
	}
	return handled
}
