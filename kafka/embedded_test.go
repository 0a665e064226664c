package kafka_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/prantikov/millrace/kafka"
	"github.com/prantikov/millrace/kafka/kafkatest"
	"github.com/prantikov/millrace/record"
)

func embedded(t *testing.T, dir string) *kafka.Embedded {
	t.Helper()
	broker, err := kafka.StartEmbedded(t.Context(), dir, kafka.EmbeddedOptions{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = broker.Close() })
	return broker
}

func TestEmbeddedBrokerKeepsEverythingOverARestart(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "broker")
	first := embedded(t, dir)
	kafkatest.CreateTopic(t, first.Address(), "t", 6, "retention.ms", "-1", "max.message.bytes", "2097152")
	for partition := range int32(6) {
		kafkatest.Produce(t, first.Address(), numbered("t", partition, "v", 3)...)
	}
	kafkatest.ProduceTransaction(t, first.Address(), false, numbered("t", 0, "aborted", 2)...)
	kafkatest.ProduceTransaction(t, first.Address(), true, numbered("t", 0, "committed", 1)...)
	kafkatest.Commit(t, first.Address(), "group", record.Position{Topic: "t", Partition: 4, Offset: 2})
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}

	second := embedded(t, dir)
	r := reader(t, second.Address())
	got := values(t, r, kafka.Range{Topic: "t"})
	if want := []string{"v0", "v1", "v2", "committed0"}; !slices.Equal(got[0], want) {
		t.Errorf("got %q of partition 0, want %q", got[0], want)
	}
	for partition := range int32(6) {
		if partition > 0 && len(got[partition]) != 3 {
			t.Errorf("got %q of partition %d, want 3 values", got[partition], partition)
		}
	}
	committed, err := r.Committed(t.Context(), "group", "t")
	if err != nil || committed[4] != 2 || committed[0] != -1 {
		t.Errorf("got positions %v and error %v, want 2 of partition 4 and none of 0", committed, err)
	}
	plan := plan(t, kafka.NewTopics(topicSettings(second.Address(), "t")))["t"]
	if plan.Retention >= 0 || plan.MaxMessageBytes != 2<<20 || plan.Partitions != 6 {
		t.Errorf("got topic %+v, want its settings as they were", plan)
	}
	if positions := kafkatest.Produce(t, second.Address(), numbered("t", 4, "more", 1)...); positions[0].Offset != 3 {
		t.Errorf("got offset %d of a new record, want 3", positions[0].Offset)
	}
}

func TestEmbeddedBrokerServesGroups(t *testing.T) {
	t.Parallel()
	address := embedded(t, t.TempDir()).Address()
	kafkatest.CreateTopic(t, address, "t", 6)
	for partition := range int32(6) {
		kafkatest.Produce(t, address, numbered("t", partition, "v", 2)...)
	}
	member := kafkatest.Client(t, address, kgo.ConsumerGroup("group"), kgo.ConsumeTopics("t"), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
	ctx, cancel := context.WithTimeout(t.Context(), kafkatest.Patience)
	defer cancel()
	count := 0
	for count < 12 && ctx.Err() == nil {
		count += member.PollFetches(ctx).NumRecords()
	}
	if err := member.CommitUncommittedOffsets(ctx); err != nil || count != 12 {
		t.Errorf("got %d records and error %v of the commit, want 12 and none", count, err)
	}
}

func TestEmbeddedBrokerCreatesNoTopicByItself(t *testing.T) {
	t.Parallel()
	address := embedded(t, t.TempDir()).Address()
	client := kafkatest.Client(t, address, kgo.AllowAutoTopicCreation(), kgo.UnknownTopicRetries(0))
	ctx, cancel := context.WithTimeout(t.Context(), kafkatest.Patience)
	defer cancel()
	if err := client.ProduceSync(ctx, &kgo.Record{Topic: "typo", Value: []byte("v")}).FirstErr(); err == nil {
		t.Error("got no error, want one: the topic does not exist")
	}
}

func TestEmbeddedBrokerRefusesWhatIsTooLarge(t *testing.T) {
	t.Parallel()
	broker, err := kafka.StartEmbedded(t.Context(), t.TempDir(), kafka.EmbeddedOptions{MaxMessageBytes: 2 << 20})
	if err != nil {
		t.Fatal(err)
	}
	defer broker.Close()
	kafkatest.CreateTopic(t, broker.Address(), "t", 1)
	client := kafkatest.Client(t, broker.Address(), kgo.ProducerBatchMaxBytes(10<<20), kgo.ProducerBatchCompression(kgo.NoCompression()))
	for size, fits := range map[int]bool{1<<20 + 1<<19: true, 3 << 20: false} {
		err := client.ProduceSync(t.Context(), &kgo.Record{Topic: "t", Value: make([]byte, size)}).FirstErr()
		if (err == nil) != fits {
			t.Errorf("%d bytes: got error %v, want it to fit: %v", size, err, fits)
		}
	}
}

func TestEmbeddedBrokerIsFound(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "broker")
	if _, running := kafka.FindEmbedded(dir); running {
		t.Error("got a running broker of a directory that is not there, want none")
	}
	broker := embedded(t, dir)
	if address, running := kafka.FindEmbedded(dir); !running || address != broker.Address() || !strings.HasPrefix(address, "127.0.0.1:") {
		t.Errorf("got %q, running %v, want %q on loopback", address, running, broker.Address())
	}
	if _, err := kafka.StartEmbedded(t.Context(), dir, kafka.EmbeddedOptions{}); !errors.Is(err, kafka.ErrRunning) {
		t.Errorf("got error %v of a second start, want %v", err, kafka.ErrRunning)
	}
	if err := broker.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "address"), []byte("127.0.0.1:1"), 0o600); err != nil {
		t.Fatal(err)
	}
	if address, running := kafka.FindEmbedded(dir); running {
		t.Errorf("got %q of a killed process, want none", address)
	}
	if info, err := os.Stat(dir); err != nil || info.Mode().Perm()&0o077 != 0 && os.PathSeparator == '/' {
		t.Errorf("got mode %v and error %v of the directory, want it for the owner alone", info.Mode(), err)
	}
}

func TestEmbeddedBrokerEndsWithItsContext(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	ctx, end := context.WithCancel(t.Context())
	if _, err := kafka.StartEmbedded(ctx, dir, kafka.EmbeddedOptions{}); err != nil {
		t.Fatal(err)
	}
	end()
	kafkatest.Eventually(t, "the broker ends", func() bool { _, running := kafka.FindEmbedded(dir); return !running })
}

func TestOpenEmbeddedSharesOneBroker(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	var users sync.WaitGroup
	addresses := make(chan string, 4)
	ready := make(chan struct{})
	for range 4 {
		users.Go(func() {
			address, end, err := kafka.OpenEmbedded(t.Context(), dir, kafka.EmbeddedOptions{})
			if err != nil {
				t.Errorf("got error %v, want none", err)
				addresses <- ""
				return
			}
			addresses <- address
			<-ready
			if err := end(); err != nil {
				t.Errorf("got error %v at the end, want none", err)
			}
		})
	}
	seen := map[string]bool{}
	for range 4 {
		seen[<-addresses] = true
	}
	if len(seen) != 1 {
		t.Errorf("got addresses %v, want one for all", seen)
	}
	close(ready)
	users.Wait()
	if address, running := kafka.FindEmbedded(dir); running {
		t.Errorf("got a broker at %q after the last use, want none", address)
	}
}

func TestWaitReturnsWhenABrokerAnswers(t *testing.T) {
	t.Parallel()
	if err := kafka.Wait(t.Context(), kafkatest.Settings(kafkatest.Broker(t))); err != nil {
		t.Errorf("got error %v, want none", err)
	}
}

func TestWaitNamesTheSettingInOneSentence(t *testing.T) {
	t.Parallel()
	s := kafkatest.Settings("127.0.0.1:1")
	s.Wait = 300 * time.Millisecond
	err := kafka.Wait(t.Context(), s)
	if err == nil || strings.Contains(err.Error(), "\n") {
		t.Fatalf("got error %v, want one line", err)
	}
	for _, want := range []string{"kafka.brokers", "--brokers", "127.0.0.1:1", "300ms", "connection refused"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("got error %q, want one with %s", err, want)
		}
	}
}

func TestWaitEndsWithItsContext(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := kafka.Wait(ctx, kafkatest.Settings("127.0.0.1:1")); !errors.Is(err, context.Canceled) {
		t.Errorf("got error %v, want %v", err, context.Canceled)
	}
}

func TestPublisherSaysThatNoBrokerAnswers(t *testing.T) {
	t.Parallel()
	if _, err := kafka.NewPublisher(kafkatest.Settings("127.0.0.1:1"), nil); err == nil || !strings.Contains(err.Error(), "kafka.brokers") {
		t.Errorf("got error %v, want one that names kafka.brokers", err)
	}
}
