package observe_test

import (
	"bytes"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prantikov/millrace/observe"
)

// newAlarms returns alarms, their metrics, and where their lines go.
func newAlarms(t *testing.T) (*observe.Alarms, *observe.Metrics, *bytes.Buffer) {
	t.Helper()
	var out bytes.Buffer
	logger, err := observe.Logger(&out, "error", "json", false)
	if err != nil {
		t.Fatalf("Logger: %v", err)
	}
	metrics := observe.NewMetrics("test")
	return observe.NewAlarms(logger, metrics), metrics, &out
}

func TestAlarmHasALineForItsBeginningAndItsEnd(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		alarms, metrics, out := newAlarms(t)
		const gauge = `millrace_alarm{consumer="orders",kind="dead_letter",partition="3",topic="order-events"} `
		for range 3 {
			alarms.Begin("dead_letter", "orders", "order-events", 3, "dead letter cannot be written", slog.Int64("offset", 17))
		}
		wantLines(t, scrape(t, metrics), gauge+"1")
		if got := len(alarms.Active()); got != 1 {
			t.Errorf("active: got %d, want 1", got)
		}
		<-time.After(90 * time.Second) // on the bubble's clock
		for range 3 {
			alarms.End("dead_letter", "orders", "order-events", 3)
		}
		wantLines(t, scrape(t, metrics), gauge+"0")
		if got := len(alarms.Active()); got != 0 {
			t.Errorf("active: got %d, want 0", got)
		}

		lines := strings.Split(strings.TrimSpace(out.String()), "\n")
		if len(lines) != 2 {
			t.Fatalf("got %d lines, want 2: %s", len(lines), out)
		}
		for i, wants := range [][]string{
			{`"msg":"alarm begins"`, `"level":"ERROR"`, `"text":"dead letter cannot be written"`, `"offset":17`, `"partition":3`},
			{`"msg":"alarm ends"`, `"level":"ERROR"`, `"lasted":"1m30s"`, `"consumer":"orders"`},
		} {
			for _, want := range wants {
				if !strings.Contains(lines[i], want) {
					t.Errorf("line %d: got %s, want %s in it", i, lines[i], want)
				}
			}
		}
	})
}

func TestAlarmWithoutAPartition(t *testing.T) {
	t.Parallel()
	alarms, metrics, out := newAlarms(t)
	alarms.Begin("unavailable", "notification", "", -1, "what it needs is away")
	wantLines(t, scrape(t, metrics), `millrace_alarm{consumer="notification",kind="unavailable",partition="",topic=""} 1`)
	if strings.Contains(out.String(), `"partition"`) {
		t.Errorf("got %s, want no partition in it", out)
	}
	alarms.End("unavailable", "notification", "", -7)
	if got := len(alarms.Active()); got != 0 {
		t.Errorf("active: got %d, want 0", got)
	}
}

func TestEndPartitionEndsItsAlarmsOnly(t *testing.T) {
	t.Parallel()
	alarms, _, _ := newAlarms(t)
	alarms.Begin("window_full", "orders", "order-events", 1, "window is full")
	alarms.Begin("dead_letter", "orders", "order-events", 1, "dead letter cannot be written")
	alarms.Begin("window_full", "orders", "order-events", 2, "window is full")
	alarms.Begin("window_full", "archive", "order-events", 1, "window is full")
	alarms.EndPartition("orders", "order-events", 1)
	var got []string
	for _, alarm := range alarms.Active() {
		got = append(got, alarm.Consumer)
		if alarm.Consumer == "orders" && alarm.Partition != 2 {
			t.Errorf("got the alarm %v, want it ended", alarm)
		}
	}
	if len(got) != 2 {
		t.Errorf("got %v, want the two others", got)
	}
}

func TestAlarmsFromManyGoroutines(t *testing.T) {
	t.Parallel()
	alarms, metrics, out := newAlarms(t)
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for range 100 {
				alarms.Begin("unavailable", "orders", "", -1, "store is locked")
				alarms.Active()
				alarms.End("unavailable", "orders", "", -1)
			}
		})
	}
	all.Wait()
	wantLines(t, scrape(t, metrics), `millrace_alarm{consumer="orders",kind="unavailable",partition="",topic=""} 0`)
	for i, line := range strings.Split(strings.TrimSpace(out.String()), "\n") {
		want := [2]string{"alarm begins", "alarm ends"}[i%2]
		if !strings.Contains(line, want) {
			t.Fatalf("line %d: got %s, want %s", i, line, want)
		}
	}
}
