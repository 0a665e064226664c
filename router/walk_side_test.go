package router_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ThreeDotsLabs/watermill"
	"github.com/ThreeDotsLabs/watermill/message"

	"github.com/prantikov/millrace/record"
	"github.com/prantikov/millrace/router"
)

// manyKeys are as many different keys, each so often.
func manyKeys(keys, times int) string {
	var text strings.Builder
	for range times {
		for key := range keys {
			fmt.Fprintf(&text, "k%d ", key)
		}
	}
	return text.String()
}

func TestSlowFunctionsRunSideBySideUpToTheConcurrency(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T) {
		var calls diary
		walker := walkerOf(t, router.Settings{}, router.ConsumerSettings{Concurrency: 5}, handles(calls.handle(func(context.Context, string) error {
			<-time.After(10 * time.Millisecond)
			return nil
		})))
		began := time.Now()
		tr := tryKeys(t, manyKeys(20, 3))
		tr.walk(t, walker)
		tr.want(t, strings.TrimSpace(strings.Repeat("done ", 60)))
		if got := calls.most(); got != 5 {
			t.Errorf("got %d side by side, want 5", got)
		}
		if took := time.Since(began); took != 60*10*time.Millisecond/5 {
			t.Errorf("60 records of 10ms took %s, want 120ms: 5 at any moment", took)
		}
		calls.wantOneAtOnce(t)
	})
}

// Ensure the walks of several partitions share the concurrency also while functions are fast: a limit of one is one.
func TestFastFunctionsKeepToTheConcurrencyToo(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T) {
		var calls diary
		walker := walkerOf(t, router.Settings{}, router.ConsumerSettings{Concurrency: 1}, handles(calls.handle(func(context.Context, string) error {
			<-time.After(time.Microsecond)
			return nil
		})))
		warm(t, walker)
		calls.most()
		var partitions sync.WaitGroup
		for partition := range 6 {
			partitions.Go(func() {
				tr := tryKeys(t, strings.ReplaceAll(manyKeys(20, 2), "k", fmt.Sprintf("p%d-k", partition)))
				tr.walk(t, walker)
				tr.want(t, strings.TrimSpace(strings.Repeat("done ", 40)))
			})
		}
		partitions.Wait()
		if got := calls.most(); got != 1 {
			t.Errorf("got %d side by side, want 1", got)
		}
	})
}

// handOver is a subscriber that hands over the batches that a test makes, as ours does.
type handOver struct {
	out  chan *message.Message
	told []int
}

func (s *handOver) Subscribe(context.Context, string) (<-chan *message.Message, error) {
	return nil, fmt.Errorf("this subscriber has batches")
}
func (s *handOver) SubscribeBatches(context.Context, string) (<-chan *message.Message, error) {
	return s.out, nil
}
func (s *handOver) SetConcurrency(keys int) { s.told = append(s.told, keys) }
func (s *handOver) Close() error {
	close(s.out)
	return nil
}

// give hands the batch over.
func (s *handOver) give(ctx context.Context, tr *trial) *message.Message {
	m := message.NewMessage("batch", nil)
	m.SetContext(record.NewBatchContext(ctx, tr.Batch))
	s.out <- m
	return m
}

// running starts a router with one consumer on the subscriber, and returns it with what Run returned.
func running(t *testing.T, s *handOver, settings router.Settings, consumerSettings router.ConsumerSettings, option router.Option) (*router.Router, <-chan error) {
	t.Helper()
	settings.DeadLetters = &flakyLetters{}
	made, err := router.New(settings, watermill.NopLogger{})
	if err != nil {
		t.Fatal(err)
	}
	consumer, err := router.Consume("test", option)
	if err != nil {
		t.Fatal(err)
	}
	if err := made.Add(consumer, consumerSettings, s); err != nil {
		t.Fatal(err)
	}
	ran := make(chan error, 1)
	go func() { ran <- made.Run(t.Context()) }()
	<-made.Running()
	return made, ran
}

func TestConcurrencyGrowsAndShrinksWhileItRuns(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T) {
		var calls diary
		source := &handOver{out: make(chan *message.Message)}
		made, ran := running(t, source, router.Settings{}, router.ConsumerSettings{Concurrency: 2}, handles(calls.handle(func(context.Context, string) error {
			<-time.After(100 * time.Millisecond)
			return nil
		})))
		tr := tryKeys(t, manyKeys(200, 2))
		m := source.give(t.Context(), tr)
		for _, limit := range []int{2, 9, 3, 1, 30} {
			if err := made.SetConcurrency("test", limit); err != nil {
				t.Fatal(err)
			}
			// Workers beyond a smaller limit end with the key that they have, which has two records.
			<-time.After(250 * time.Millisecond)
			calls.most()
			<-time.After(250 * time.Millisecond)
			if got := calls.most(); got != limit || made.Concurrency("test") != limit {
				t.Errorf("got %d side by side of %d, want %d", got, made.Concurrency("test"), limit)
			}
		}
		<-m.Acked()
		tr.want(t, strings.TrimSpace(strings.Repeat("done ", 400)))
		calls.wantOneAtOnce(t)
		if got := fmt.Sprint(source.told); got != "[2 2 9 3 1 30]" {
			t.Errorf("the subscriber was told %s, want each change", got)
		}
		if err := made.SetConcurrency("test", 0); err == nil {
			t.Error("a concurrency of 0: got no error, want one")
		}
		if err := made.Close(); err != nil {
			t.Error(err)
		}
		if err := <-ran; err != nil {
			t.Error(err)
		}
	})
}

// Ensure a record that blocks an inline walk holds its own key, and no other for longer than a moment.
func TestBlockedInlineWalkIsHandedOver(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T) {
		var calls diary
		release := make(chan struct{})
		walker := walkerOf(t, router.Settings{}, router.ConsumerSettings{}, handles(calls.handle(func(_ context.Context, key string) error {
			if key == "slow" {
				<-release
			}
			return nil
		})))
		warm(t, walker)
		tr := tryKeys(t, "a slow b slow a c slow")
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			tr.walk(t, walker)
		}()
		synctest.Wait()
		tr.want(t, "done - - - - - -")
		if tr.sided() {
			t.Error("the source was told that keys go side by side, want that only once a record blocks")
		}
		<-time.After(50 * time.Millisecond)
		tr.want(t, "done - done unfinished done done unfinished")
		if tr.sides != 1 {
			t.Errorf("the source was told %d times that keys go side by side, want once", tr.sides)
		}
		close(release)
		<-ended
		tr.want(t, "done done done unfinished done done unfinished")
		rest := tr.again()
		rest.walk(t, walker)
		rest.want(t, "done done")
		if got := calls.of("slow"); got != "slow/1 slow/3 slow/6" {
			t.Errorf("the blocked key was handled as %s, want each record once and in order", got)
		}
		calls.wantOneAtOnce(t)
	})
}

// Ensure a record that is parked before the walk is handed over keeps its key waiting.
func TestHandedOverWalkKeepsParkedKeysWaiting(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T) {
		var calls diary
		walker := walkerOf(t, router.Settings{}, router.ConsumerSettings{}, handles(calls.handle(func(_ context.Context, key string) error {
			switch key {
			case "slow":
				<-time.After(time.Second)
			case "bad":
				return fmt.Errorf("broken")
			}
			return nil
		})))
		warm(t, walker)
		tr := tryKeys(t, "bad slow bad a bad slow")
		tr.walk(t, walker)
		tr.want(t, "parked done unfinished done unfinished unfinished")
		if got := calls.of("bad"); got != "bad/0" {
			t.Errorf("the parked key was handled as %s, want its first record alone", got)
		}
	})
}

// Ensure a source that keeps all of a partition in order gets it, also behind a record that blocks or waits.
func TestPartitionOrderIsKept(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T) {
		var calls diary
		walker := walkerOf(t, router.Settings{}, router.ConsumerSettings{Together: true}, handles(calls.handle(func(_ context.Context, key string) error {
			switch key {
			case "slow":
				<-time.After(time.Second)
			case "bad":
				return fmt.Errorf("broken")
			}
			return nil
		})))
		tr := tryKeys(t, "a slow b bad c d")
		tr.walk(t, walker)
		tr.want(t, "done done done parked unfinished unfinished")
		if got := calls.most(); got != 1 || tr.sided() {
			t.Errorf("got %d side by side and the source told so: %t, want one after another", got, tr.sided())
		}
	})
}
