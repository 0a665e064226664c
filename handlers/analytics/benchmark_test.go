package analytics_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/prantikov/millrace/handlers/analytics"
	"github.com/prantikov/millrace/messages"
	"github.com/prantikov/millrace/record"
	"github.com/prantikov/millrace/store"
)

// BenchmarkFigures asks for each figure of 100,000 appointments of 100 days and 50 doctors, a third of them completed, a third cancelled, and a third
// past their date.
func BenchmarkFigures(b *testing.B) {
	_, opened := setup(b, nil)
	fill(b, opened, 100_000)
	q := analytics.Query{ByDay: true, ByRole: "doctor", Zone: time.UTC}
	week := q
	week.From, week.To = day(b, "2024-03-01"), day(b, "2024-03-07")
	overdue := analytics.OverdueQuery{AsOf: day(b, "2025-01-01"), ByDoctor: true, Zone: time.UTC}
	for _, figure := range []struct {
		name string
		ask  func(context.Context) error
	}{
		{"rates", func(ctx context.Context) error { _, err := analytics.Rates(ctx, opened, q); return err }},
		{"rates of a week", func(ctx context.Context) error { _, err := analytics.Rates(ctx, opened, week); return err }},
		{"durations", func(ctx context.Context) error { _, err := analytics.Durations(ctx, opened, q); return err }},
		{"overdue", func(ctx context.Context) error { _, _, err := analytics.PastDate(ctx, opened, overdue); return err }},
	} {
		b.Run(figure.name, func(b *testing.B) {
			for b.Loop() {
				if err := figure.ask(b.Context()); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// fill makes appointments with their journeys and states, a thousand in a unit of work.
func fill(b *testing.B, opened *store.Store, appointments int) {
	b.Helper()
	unit := opened.UnitOfWork("analytics", store.Options{})
	began := time.Date(2024, 1, 1, 8, 0, 0, 0, time.UTC)
	for from := 0; from < appointments; from += 1000 {
		r := &record.Record{Position: record.Position{Topic: "appointment-events", Offset: int64(from)}}
		work, err := unit.Begin(b.Context(), "claim", []*record.Record{r})
		if err != nil {
			b.Fatal(err)
		}
		ctx := work.Context(b.Context())
		for i := from; i < from+1000; i++ {
			at := began.Add(time.Duration(i%100) * 24 * time.Hour)
			j := store.Journey{
				Type: "AppointmentEvent", ID: fmt.Sprintf("apt-%d", i), Seen: at, Created: at, Confirmed: at.Add(time.Duration(i) * time.Second),
				Counterpart: store.Word{Text: fmt.Sprintf("doc-%d", i%50), Weight: 1}, Status: store.Word{Text: "confirmed", Weight: 1},
			}
			switch i % 3 {
			case 0:
				j.Status.Text, j.Completed = "completed", at.Add(48*time.Hour)
			case 1:
				j.Status.Text, j.Cancelled = "cancelled", at.Add(24*time.Hour)
			}
			if err := store.Journeys(ctx).Add(j); err != nil {
				b.Fatal(err)
			}
			event := messages.AppointmentEvent{
				AppointmentID: j.ID, PatientID: "pat-1042", DoctorID: j.Counterpart.Text, Date: messages.DateOf(at), Reason: "Annual check-up", Status: j.Status.Text, VisitType: "virtual",
			}
			_, body, err := messages.AppointmentUpdated.Encode(event)
			if err != nil {
				b.Fatal(err)
			}
			store.States(ctx).Put(store.State{Type: j.Type, ID: j.ID, Status: j.Status.Text, Action: "updated", Body: body, Topic: r.Topic, Timestamp: at})
		}
		work.Finish(r, record.Done)
		if err := work.Commit(b.Context()); err != nil {
			b.Fatal(err)
		}
	}
}
