package main

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"

	"github.com/prantikov/millrace/messages"
	"github.com/prantikov/millrace/producer"
	"github.com/prantikov/millrace/record"
	"github.com/prantikov/millrace/router"
	"github.com/prantikov/millrace/router/routertest"
)

// brokers take events in memory.
type brokers struct {
	taken []*record.Record
	// away is how many connections fail before one succeeds.
	away int
}

func (b *brokers) open() (producer.Sender, error) {
	if b.away > 0 {
		b.away--
		return nil, errors.New("no broker answers")
	}
	return b, nil
}

func (b *brokers) PublishRecords(_ context.Context, records []*record.Record) ([]record.Position, error) {
	b.taken = append(b.taken, records...)
	return make([]record.Position, len(records)), nil
}

func (b *brokers) Close() error { return nil }

// setup is the consumer with brokers and a log in memory.
func setup(t *testing.T, sent *brokers) (*routertest.Kit, *bytes.Buffer) {
	t.Helper()
	logged := &bytes.Buffer{}
	points := &loyalty{PerStep: 10, events: producer.New(producer.Settings{Open: sent.open}), logger: slog.New(slog.NewTextHandler(logged, nil))}
	return routertest.New(t, "loyalty",
		router.On(messages.OrderShipped, points.earn), router.On(messages.OrderDelivered, points.earn), router.On(pointsEarned, points.thank)), logged
}

func order() messages.OrderEvent {
	return messages.OrderEvent{OrderID: "ord-1", PatientID: "pat-canary", PharmacyID: "ph-3", Status: "shipped"}
}

func TestEachStepEarnsPoints(t *testing.T) {
	t.Parallel()
	sent := &brokers{}
	kit, _ := setup(t, sent)
	for _, kind := range []messages.Kind[messages.OrderEvent]{messages.OrderShipped, messages.OrderDelivered} {
		if got := routertest.Deliver(kit, kind, order()); got.Outcome != record.Done {
			t.Errorf("got %s for an order %s, want done", got.Outcome, kind.Action())
		}
	}
	if len(sent.taken) != 2 {
		t.Fatalf("got %d events, want 2", len(sent.taken))
	}
	for _, r := range sent.taken {
		if got, want := string(r.Value), `{"orderId":"ord-1","points":10,"action":"earned"}`; r.Topic != "points-events" || string(r.Key) != "ord-1" || got != want {
			t.Errorf("got %s on %s with key %q, want %s on points-events with key ord-1", got, r.Topic, r.Key, want)
		}
	}
}

func TestOtherStepsEarnNothing(t *testing.T) {
	t.Parallel()
	sent := &brokers{}
	kit, _ := setup(t, sent)
	if got := routertest.Deliver(kit, messages.OrderCreated, order()); got.Outcome != record.Skipped || len(sent.taken) != 0 {
		t.Errorf("got %s and %d events, want a created order skipped and none", got.Outcome, len(sent.taken))
	}
}

func TestBrokersThatAreAwayAreWaitedFor(t *testing.T) {
	t.Parallel()
	sent := &brokers{away: 20}
	kit, _ := setup(t, sent)
	if got := routertest.Deliver(kit, messages.OrderShipped, order()); got.Outcome != record.Done || len(kit.Letters()) != 0 {
		t.Errorf("got %s and %d dead letters, want done and none", got.Outcome, len(kit.Letters()))
	}
	if len(sent.taken) != 1 {
		t.Errorf("got %d events, want 1", len(sent.taken))
	}
}

func TestThanksNameNoPatient(t *testing.T) {
	t.Parallel()
	kit, logged := setup(t, &brokers{})
	if got := routertest.Deliver(kit, pointsEarned, PointsEvent{OrderID: "ord-1", Points: 10}); got.Outcome != record.Done {
		t.Errorf("got %s, want done", got.Outcome)
	}
	routertest.Deliver(kit, messages.OrderShipped, order())
	if text := logged.String(); !strings.Contains(text, "order=ord-1 points=10") || strings.Contains(text, "canary") {
		t.Errorf("got log %q, want the order and its points, and no patient", text)
	}
}
