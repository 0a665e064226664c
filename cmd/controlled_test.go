package cmd_test

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"strings"
	"sync/atomic"
	"time"

	"github.com/prantikov/millrace/control"
	"github.com/prantikov/millrace/observe"
)

// controlled is a process that the commands of the scripts control, in the data directory that its first argument names: the same control
// as in run, with consumers that stand still where a script wants to see them. It runs until it is interrupted.
func controlled() {
	if err := serveControl(os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(0)
}

func serveControl(directory string) error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	logger, err := observe.Logger(os.Stderr, "info", "text", false)
	if err != nil {
		return err
	}
	metrics := observe.NewMetrics("test")
	health := observe.NewHealth(observe.HealthSettings{})
	alarms := observe.NewAlarms(slog.New(slog.DiscardHandler), metrics)
	alarms.Begin("held", "orders", "order-events", 1, "the pharmacy is away")
	metrics.Consumer("orders", "orders", "order-events").DeadLettered("malformed")
	still := &stillEngine{}
	still.keys.Store(64)
	process := &control.Process{
		Version: "test", TopicName: strings.ToLower, Log: stillLog{}, Pauses: control.NewPauses(logger, health, metrics),
		Health: health, Metrics: metrics, Alarms: alarms,
		Consumers: []control.Consumer{
			{Name: "orders", Topics: []string{"order-events"}, Intake: still, Keys: still, Positions: still.positions},
			{Name: "archive", Topics: []string{"order-events"}, Inline: "its engine has no keys"},
		},
	}
	if err := os.MkdirAll(directory, 0o700); err != nil {
		return err
	}
	server, err := control.Listen(ctx, directory, process, logger)
	if err != nil {
		return err
	}
	defer process.Pauses.Close()
	return server.Run(ctx)
}

// stillEngine is a consumer's end of Kafka on which nothing moves.
type stillEngine struct{ keys atomic.Int64 }

func (e *stillEngine) Pause(string, int32)    {}
func (e *stillEngine) Resume(string, int32)   {}
func (e *stillEngine) Concurrency(string) int { return int(e.keys.Load()) }

func (e *stillEngine) SetConcurrency(_ string, keys int) error {
	e.keys.Store(int64(keys))
	return nil
}

func (e *stillEngine) positions() []control.Position {
	return []control.Position{
		{Topic: "order-events", Partition: 0, Next: 1040, Frontier: 1000, HighWater: 2240, Pending: 40, InFlight: 40, Oldest: time.Now().Add(-90 * time.Second), Waiting: 3},
		{Topic: "order-events", Partition: 1, Next: 7, Frontier: 7, HighWater: 7},
	}
}

// stillLog is a log that does not grow.
type stillLog struct{}

func (stillLog) Ends(context.Context, string) (map[int32]int64, error) {
	return map[int32]int64{0: 2240, 1: 7}, nil
}

func (stillLog) First(context.Context, string, int32, int64, int64) (time.Time, bool, error) {
	return time.Time{}, false, nil
}
