package kafka_test

import (
	"context"
	"net"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"

	"github.com/prantikov/millrace/kafka/kafkatest"
)

// localCluster is a Kafka of several brokers that scripts/kafka.sh has started on this machine, so that a test may kill one.
type localCluster struct{ address, port string }

// ownCluster returns the cluster that the environment names when it is such a one, else nil.
func ownCluster(t *testing.T) *localCluster {
	t.Helper()
	address := os.Getenv(kafkatest.BrokersVariable)
	first, _, several := strings.Cut(address, ",")
	_, port, err := net.SplitHostPort(first)
	if !several || err != nil {
		return nil
	}
	c := &localCluster{address: address, port: port}
	if out, err := c.script(t.Context(), "address").Output(); err != nil || strings.TrimSpace(string(out)) != address {
		return nil
	}
	return c
}

func (c *localCluster) script(ctx context.Context, arguments ...string) *exec.Cmd {
	command := exec.CommandContext(ctx, "scripts/kafka.sh", arguments...)
	command.Dir, command.Env = "..", append(os.Environ(), "KAFKA_PORT="+c.port)
	return command
}

func (c *localCluster) run(t *testing.T, arguments ...string) bool {
	out, err := c.script(context.Background(), arguments...).CombinedOutput()
	if err != nil {
		t.Errorf("kafka.sh %v: %v\n%s", arguments, err, out)
	}
	return err == nil
}

// bounceUntil kills the broker that coordinates the group whenever a thousand records more were handled, and starts it again when another
// coordinates. It returns how often when stop is closed; a nil cluster does nothing.
func (c *localCluster) bounceUntil(t *testing.T, stop <-chan struct{}, group string, handled func() int) (bounces int) {
	if c == nil {
		return 0
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	go func() {
		select {
		case <-stop:
			cancel()
		case <-ctx.Done():
		}
	}()
	admin := kadm.NewClient(kafkatest.Client(t, c.address))
	for before := handled(); ; before = handled() {
		if !pollUntil(ctx, func() bool { return handled() > before+1000 }) {
			return bounces
		}
		coordinator := c.coordinator(ctx, admin, group)
		if coordinator < 0 {
			return bounces
		}
		number := strconv.Itoa(int(coordinator))
		if !c.run(t, "kill", number) {
			return bounces
		}
		pollUntil(ctx, func() bool { now := c.coordinator(ctx, admin, group); return now >= 0 && now != coordinator })
		if !c.run(t, "revive", number) {
			return bounces
		}
		bounces++
	}
}

// coordinator is the number of the broker that coordinates the group; -1 while none does.
func (c *localCluster) coordinator(ctx context.Context, admin *kadm.Client, group string) int32 {
	found := admin.FindGroupCoordinators(ctx, group)[group]
	if found.Err != nil {
		return -1
	}
	return found.NodeID
}

// pollUntil asks until the answer is true; false when the context ends before.
func pollUntil(ctx context.Context, ask func() bool) bool {
	again := time.NewTicker(100 * time.Millisecond)
	defer again.Stop()
	for !ask() {
		select {
		case <-ctx.Done():
			return false
		case <-again.C:
		}
	}
	return true
}
