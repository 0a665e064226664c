//go:build unix

package integration_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/prantikov/millrace/kafka/kafkatest"
)

// These tell a copy of this test binary to be a broker, with its data there and on that port.
const (
	brokerDirectory = "MILLRACE_INTEGRATION_BROKER_DIRECTORY"
	brokerPort      = "MILLRACE_INTEGRATION_BROKER_PORT"
)

// beBroker runs the broker that the embedded one is, but on a port that is named, until the process is killed or its parent is gone.
func beBroker(directory string) int {
	port, err := strconv.Atoi(os.Getenv(brokerPort))
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	cluster, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.DataDir(directory), kfake.SyncWrites(), kfake.Ports(port))
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	fmt.Println(cluster.ListenAddrs()[0])
	_, _ = io.Copy(io.Discard, os.Stdin)
	cluster.Close()
	return 0
}

// broker is a Kafka: a process of ours, or the one that the environment names.
type broker struct {
	address string
	// others is true for a Kafka that others use too.
	others bool

	port, directory string
	process         *exec.Cmd
	input           io.Closer
}

// shared is the embedded broker of all tests that leave theirs alone.
var shared struct {
	sync.Mutex
	broker    *broker
	directory string
}

// anyBroker is the Kafka that the environment names, else an embedded broker that all tests share. A test needs names of its own on it.
func anyBroker(t testing.TB) *broker {
	t.Helper()
	if kafkatest.Real() {
		return &broker{address: os.Getenv(kafkatest.BrokersVariable), others: true}
	}
	shared.Lock()
	defer shared.Unlock()
	if shared.broker == nil {
		directory, err := os.MkdirTemp("", "millrace-integration-broker-")
		if err != nil {
			t.Fatal(err)
		}
		shared.directory = directory
		shared.broker = &broker{port: freePort(t), directory: directory}
		shared.broker.start(t)
	}
	return shared.broker
}

func endShared() {
	shared.Lock()
	defer shared.Unlock()
	if shared.broker != nil {
		shared.broker.kill()
		_ = os.RemoveAll(shared.directory)
	}
}

// ownBroker is an embedded broker for a test that stops it, kills it, or wants the topics' own names. It does not run before start.
func ownBroker(t testing.TB) *broker {
	t.Helper()
	b := &broker{port: freePort(t), directory: t.TempDir()}
	b.address = net.JoinHostPort("127.0.0.1", b.port)
	t.Cleanup(b.kill)
	return b
}

// start starts the process, also again after a kill: on the same port and the same data.
func (b *broker) start(t testing.TB) {
	t.Helper()
	b.process = exec.Command(os.Args[0])
	b.process.Env = append(os.Environ(), brokerDirectory+"="+b.directory, brokerPort+"="+b.port)
	b.process.Stderr = os.Stderr
	input, err := b.process.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	output, err := b.process.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := b.process.Start(); err != nil {
		t.Fatal(err)
	}
	b.input = input
	line, err := bufio.NewReader(output).ReadString('\n')
	if err != nil {
		t.Fatalf("starting a broker on port %s: %v", b.port, err)
	}
	b.address = strings.TrimSpace(line)
}

// kill ends the process as a crash would. It does nothing when none runs.
func (b *broker) kill() {
	if b.process == nil {
		return
	}
	_ = b.process.Process.Kill()
	_ = b.process.Wait()
	_ = b.input.Close()
	b.process = nil
}

// freeze stops the process without ending it, as a machine that hangs; thaw lets it go on.
func (b *broker) freeze(t testing.TB) { b.signal(t, syscall.SIGSTOP) }
func (b *broker) thaw(t testing.TB)   { b.signal(t, syscall.SIGCONT) }

func (b *broker) signal(t testing.TB, signal syscall.Signal) {
	t.Helper()
	if err := b.process.Process.Signal(signal); err != nil {
		t.Fatal(err)
	}
}

// client is franz-go's client, which shares no code with the program under test.
func (b *broker) client(t testing.TB, options ...kgo.Opt) *kgo.Client {
	t.Helper()
	return kafkatest.Client(t, b.address, options...)
}

func (b *broker) admin(t testing.TB) *kadm.Client {
	t.Helper()
	return kadm.NewClient(b.client(t))
}

// read returns everything of the topics that was committed, by position. It reads to the ends that the topics have at the call, past the
// markers of transactions.
func (b *broker) read(t testing.TB, topics ...string) map[position]*kgo.Record {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	ends, err := b.admin(t).ListEndOffsets(ctx, topics...)
	if err == nil {
		err = ends.Error()
	}
	if err != nil {
		t.Fatalf("asking for the ends of %v: %v", topics, err)
	}
	left := map[position]bool{}
	ends.Each(func(end kadm.ListedOffset) {
		if end.Offset > 0 {
			left[position{end.Topic, end.Partition, end.Offset - 1}] = true
		}
	})
	client := b.client(t, kgo.ConsumeTopics(topics...), kgo.FetchIsolationLevel(kgo.ReadCommitted()), kgo.KeepControlRecords(),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()), kgo.FetchMaxBytes(64<<20), kgo.FetchMaxPartitionBytes(16<<20))
	found := map[position]*kgo.Record{}
	for len(left) > 0 {
		fetches := client.PollFetches(ctx)
		if err := fetches.Err0(); err != nil {
			t.Fatalf("reading %v: %d records so far, %d partitions unfinished: %v", topics, len(found), len(left), err)
		}
		fetches.EachRecord(func(r *kgo.Record) {
			at := positionOf(r)
			delete(left, at)
			if !r.Attrs.IsControl() {
				found[at] = r
			}
		})
	}
	return found
}

// position is where a record stands.
type position struct {
	topic     string
	partition int32
	offset    int64
}

func (p position) String() string { return fmt.Sprintf("%s/%d/%d", p.topic, p.partition, p.offset) }

func positionOf(r *kgo.Record) position { return position{r.Topic, r.Partition, r.Offset} }

// freePort is a port that was free a moment ago.
func freePort(t testing.TB) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	_, port, err := net.SplitHostPort(listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	return port
}
