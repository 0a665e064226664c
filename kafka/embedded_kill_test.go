package kafka_test

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"testing"

	"github.com/IBM/sarama"

	"github.com/prantikov/millrace/kafka"
	"github.com/prantikov/millrace/kafka/kafkatest"
	"github.com/prantikov/millrace/record"
)

// brokerDirectory tells a copy of this test binary to be a broker with its data there.
const brokerDirectory = "MILLRACE_TEST_BROKER_DIRECTORY"

func TestMain(m *testing.M) {
	if dir := os.Getenv(brokerDirectory); dir != "" {
		beBroker(dir)
	}
	sarama.Logger = &clientLog
	os.Exit(m.Run())
}

// beBroker runs a broker until the process is killed, or its parent is gone.
func beBroker(dir string) {
	_, end, err := kafka.OpenEmbedded(context.Background(), dir, kafka.EmbeddedOptions{})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	_, _ = io.Copy(io.Discard, os.Stdin)
	_ = end()
	os.Exit(0)
}

func TestEmbeddedBrokerLosesNothingWhenItsProcessIsKilled(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	process := exec.CommandContext(t.Context(), os.Args[0])
	process.Env = append(os.Environ(), brokerDirectory+"="+dir)
	process.Stderr = os.Stderr
	input, err := process.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	defer input.Close()
	if err := process.Start(); err != nil {
		t.Fatal(err)
	}
	var address string
	kafkatest.Eventually(t, "the other process's broker runs", func() (running bool) {
		address, running = kafka.FindEmbedded(dir)
		return running
	})
	shared, end, err := kafka.OpenEmbedded(t.Context(), dir, kafka.EmbeddedOptions{})
	if err != nil || shared != address {
		t.Fatalf("got address %q and error %v, want the other process's %q", shared, err, address)
	}
	if err := end(); err != nil {
		t.Fatal(err)
	}
	kafkatest.CreateTopic(t, address, "t", 2)
	kafkatest.Produce(t, address, numbered("t", 1, "v", 5)...)
	kafkatest.Commit(t, address, "group", record.Position{Topic: "t", Partition: 1, Offset: 4})
	if err := process.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = process.Wait()

	r := reader(t, embedded(t, dir).Address())
	if got, want := values(t, r, kafka.Range{Topic: "t"})[1], []string{"v0", "v1", "v2", "v3", "v4"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	if committed, err := r.Committed(t.Context(), "group", "t"); err != nil || committed[1] != 4 {
		t.Errorf("got positions %v and error %v, want 4 of partition 1", committed, err)
	}
}
