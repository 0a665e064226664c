//go:build unix

package integration_test

import (
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/prantikov/millrace/kafka/kafkatest"
)

// Ensure every event of a topic that is deleted and made anew under a run is handled, although the store has its offsets as finished.
func TestTopicThatIsMadeAnewLosesNothing(t *testing.T) {
	t.Parallel()
	p := newPlatform(t, anyBroker(t), nil)
	p.provision(t)
	run := p.start(t, "run")
	run.http()
	topic := p.topics["order-events"]
	p.produce(t, orders(topic, "old", 30)...)
	kafkatest.Eventually(t, "the old topic is handled", func() bool { return p.linesWith(t, "archive", "old-") == 30 })

	admin := kadm.NewClient(p.broker.client(t))
	if _, err := admin.DeleteTopics(t.Context(), topic); err != nil {
		t.Fatal(err)
	}
	kafkatest.Eventually(t, "the topic is gone", func() bool {
		topics, err := admin.ListTopics(t.Context(), topic)
		return err == nil && !topics.Has(topic)
	})
	p.provision(t)
	p.produce(t, orders(topic, "new", 60)...)
	for i := range 60 {
		for _, sink := range []string{"archive", "notification", "logging"} {
			id := fmt.Sprintf("new-%d-", i)
			kafkatest.Eventually(t, sink+" has "+id, func() bool { return p.linesWith(t, sink, id) > 0 })
		}
	}
	run.signal(syscall.SIGTERM)
	run.ends(0)
}

// orders are so many new orders, whose ids are the word, a number and a dash.
func orders(topic, word string, count int) []*kgo.Record {
	records := make([]*kgo.Record, count)
	for i := range records {
		id := fmt.Sprintf("%s-%d-", word, i)
		records[i] = &kgo.Record{Topic: topic, Key: []byte(id), Value: []byte(fmt.Sprintf(`{"orderId":%q,"status":"pending","action":"created"}`, id)), Timestamp: now()}
	}
	return records
}

// linesWith counts the lines of a sink's files that have the text.
func (p *platform) linesWith(t *testing.T, sink, text string) int {
	t.Helper()
	count := 0
	err := filepath.WalkDir(filepath.Join(p.data, sink), func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return nil // not there yet
		}
		content, err := os.ReadFile(path)
		for line := range bytes.Lines(content) {
			if bytes.Contains(line, []byte(text)) {
				count++
			}
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return count
}
