package control_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/prantikov/millrace/control"
	"github.com/prantikov/millrace/observe"
)

// bench is a process of two consumers: orders, which can be paused and has a concurrency, and archive, which has neither.
type bench struct {
	*control.Process
	orders, archive *engine
	log             *brokers
	lines           *bytes.Buffer
	context         context.Context
}

// engine stands in for a consumer's end of Kafka.
type engine struct {
	mutex     sync.Mutex
	told      []string
	positions []control.Position
	keys      int
	failure   error
}

func (e *engine) tell(format string, arguments ...any) {
	e.mutex.Lock()
	defer e.mutex.Unlock()
	e.told = append(e.told, fmt.Sprintf(format, arguments...))
}

func (e *engine) Pause(topic string, partition int32)  { e.tell("pause %s/%d", topic, partition) }
func (e *engine) Resume(topic string, partition int32) { e.tell("resume %s/%d", topic, partition) }
func (e *engine) Concurrency(string) int               { return e.keys }
func (e *engine) SetConcurrency(_ string, keys int) error {
	if e.keys == 1 {
		return errors.New("it has a unit of work")
	}
	e.keys = keys
	return nil
}

// took returns what the engine was told since the last call.
func (e *engine) took() []string {
	e.mutex.Lock()
	defer e.mutex.Unlock()
	told := e.told
	e.told = nil
	return told
}

// brokers stand in for what the brokers know.
type brokers struct {
	ends   map[int32]int64
	firsts map[int64]time.Time // by offset
	away   bool
}

func (b *brokers) Ends(context.Context, string) (map[int32]int64, error) {
	if b.away {
		return nil, errors.New("no broker answers")
	}
	return b.ends, nil
}

func (b *brokers) First(_ context.Context, _ string, _ int32, from, end int64) (time.Time, bool, error) {
	if b.away {
		return time.Time{}, false, errors.New("no broker answers")
	}
	for offset := from; offset < end; offset++ {
		if at, there := b.firsts[offset]; there {
			return at, true, nil
		}
	}
	return time.Time{}, false, nil
}

func setup(t *testing.T) *bench {
	t.Helper()
	b := &bench{
		orders: &engine{keys: 64}, archive: &engine{}, lines: &bytes.Buffer{},
		context: t.Context(), log: &brokers{ends: map[int32]int64{0: 0, 1: 0, 2: 0}, firsts: map[int64]time.Time{}},
	}
	logger, err := observe.Logger(b.lines, "info", "json", false)
	if err != nil {
		t.Fatalf("Logger: %v", err)
	}
	metrics := observe.NewMetrics("test")
	health := observe.NewHealth(observe.HealthSettings{})
	health.Kafka(true)
	b.Process = &control.Process{
		Version: "1.2.3", TopicName: func(name string) string { return "eu." + name }, Log: b.log,
		Pauses: control.NewPauses(logger, health, metrics), Health: health, Metrics: metrics, Alarms: observe.NewAlarms(slog.New(slog.DiscardHandler), metrics),
		Consumers: []control.Consumer{
			{
				Name: "orders", Topics: []string{"eu.order-events"}, Intake: b.orders, Keys: b.orders,
				Positions: func() []control.Position { return slices.Clone(b.orders.positions) }, Failure: func() error { return b.orders.failure },
			},
			{Name: "archive", Topics: []string{"eu.order-events", "eu.other-events"}, Inline: "its engine has no keys"},
		},
	}
	return b
}

// serve answers in a data directory until the function that is returned has ended it, or the test ends.
func (b *bench) serve(t *testing.T, directory string) (*control.Client, func()) {
	t.Helper()
	server, err := control.Listen(t.Context(), directory, b.Process, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatalf("Listen: %v", err)
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	ended := make(chan error, 1)
	go func() { ended <- server.Run(ctx) }()
	stop := sync.OnceFunc(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("Run: got %v, want nil", err)
		}
	})
	t.Cleanup(stop)
	return control.NewClient(directory), stop
}

// pause pauses for a time.
func (b *bench) pause(t *testing.T, length time.Duration, topic string, partition int32) control.Paused {
	t.Helper()
	paused, err := b.Pause(t.Context(), control.PauseRequest{Target: control.Target{Consumer: "orders", Topic: topic, Partition: partition}, For: length.String()})
	if err != nil {
		t.Fatalf("Pause: %v", err)
	}
	return paused
}

// wantTold wants the engine to have been told this since the last call.
func wantTold(t *testing.T, when string, got []string, want ...string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("%s: the engine was told %v, want %v", when, got, want)
	}
}

// wantCode wants a refusal with this status.
func wantCode(t *testing.T, err error, code int) {
	t.Helper()
	var refusal *control.Refusal
	if !errors.As(err, &refusal) || refusal.Code != code {
		t.Errorf("got %v, want a refusal with %d", err, code)
	}
}

func socket(directory string) string { return filepath.Join(directory, "control.sock") }
