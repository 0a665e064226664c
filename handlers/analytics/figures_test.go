package analytics_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prantikov/millrace/handlers/analytics"
	"github.com/prantikov/millrace/messages"
	"github.com/prantikov/millrace/record"
	"github.com/prantikov/millrace/store"
)

// week is a story whose figures are worked out by hand below.
const week = `
2024-12-23T09:00 appointment a-1 created   scheduled doc-1
2024-12-23T10:30 appointment a-1 updated   confirmed doc-1
2024-12-25T09:00 appointment a-1 updated   completed doc-1
2024-12-23T09:00 appointment a-2 created   scheduled doc-1
2024-12-24T09:00 appointment a-2 cancelled -         doc-1
2024-12-23T23:59 appointment a-3 created   scheduled doc-2
2024-12-24T01:59 appointment a-3 updated   confirmed doc-2
2024-12-24T02:59 appointment a-3 updated   confirmed doc-1
2024-12-24T08:00 appointment a-4 created   scheduled doc-2
2024-12-24T09:00 appointment a-4 deleted   -         -
2024-12-24T10:00 appointment a-5 updated   confirmed doc-2
2024-12-24T08:00 prescription p-1 created   active    doc-2
2024-12-24T09:00 prescription p-1 cancelled -         doc-2
2024-12-24T08:00 prescription p-2 created   active    doc-2
2024-12-24T09:00 prescription p-2 cancelled inactive  doc-2
2024-12-24T10:00 prescription p-2 updated   active    doc-2
2024-12-26T08:00 prescription p-2 updated   completed doc-2
2024-12-24T10:00 order o-1 created   pending   ph-1
2024-12-24T11:00 order o-1 shipped   -         ph-1
2024-12-24T15:00 order o-1 delivered delivered ph-1
2024-12-24T16:00 order o-1 deleted   -         -
2024-12-24T10:00 order o-2 created   pending   ph-1
2024-12-24T12:00 order o-2 delivered -         ph-1
2024-12-25T10:00 order o-3 created   pending   ph-2
2024-12-25T09:00 order o-3 shipped   shipped   ph-2
2024-12-25T10:00 record r-1 created   -         doc-1
`

// late is what comes after the week and corrects it: a confirmation that was earlier than the one that is known, what came twice, and the
// creation of an appointment of which only the confirmation was known.
const late = `
2024-12-23T10:00 appointment a-1 updated   confirmed doc-1
2024-12-25T09:00 appointment a-1 updated   completed doc-1
2024-12-24T09:00 appointment a-2 cancelled cancelled doc-1
2024-12-23T12:00 appointment a-2 updated   confirmed doc-1
2024-12-22T10:00 appointment a-5 created   scheduled doc-2
2024-12-24T12:00 order o-2 delivered -         ph-1
`

func day(t testing.TB, text string) messages.Date {
	t.Helper()
	date, err := messages.ParseDate(text)
	if err != nil {
		t.Fatal(err)
	}
	return date
}

// in is when a query's days begin and end in these tests, unless they say otherwise.
func in(q analytics.Query) analytics.Query {
	if q.Zone == nil {
		q.Zone = time.UTC
	}
	return q
}

func TestRates(t *testing.T) {
	t.Parallel()
	east := time.FixedZone("", 60*60)
	tests := []struct {
		name  string
		story string
		query analytics.Query
		want  []string // entity, day, counterpart: created = completed + cancelled + deleted + open, both rates
	}{
		{"of all", week, analytics.Query{}, []string{
			"appointment: 5 = 1 + 1 + 1 + 2, 20 20", "order: 3 = 2 + 0 + 0 + 1, 66.7 0", "prescription: 2 = 1 + 1 + 0 + 0, 50 50",
		}},
		{"by the day of the creation, or of what was seen first", week, analytics.Query{ByDay: true, Entity: "appointment"}, []string{
			"appointment 2024-12-23: 3 = 1 + 1 + 0 + 1, 33.3 33.3", "appointment 2024-12-24: 2 = 0 + 0 + 1 + 1, 0 0",
		}},
		{"in a zone in which the day begins before", week, analytics.Query{ByDay: true, Entity: "appointment", Zone: east}, []string{
			"appointment 2024-12-23: 2 = 1 + 1 + 0 + 0, 50 50", "appointment 2024-12-24: 3 = 0 + 0 + 1 + 2, 0 0",
		}},
		{"by the doctor who was named last", week, analytics.Query{ByRole: "doctor"}, []string{
			"appointment doc-1: 3 = 1 + 1 + 0 + 1, 33.3 33.3", "appointment doc-2: 2 = 0 + 0 + 1 + 1, 0 0", "prescription doc-2: 2 = 1 + 1 + 0 + 0, 50 50",
		}},
		{"by day and pharmacy", week, analytics.Query{ByRole: "pharmacy", ByDay: true}, []string{
			"order 2024-12-24 ph-1: 2 = 2 + 0 + 0 + 0, 100 0", "order 2024-12-25 ph-2: 1 = 0 + 0 + 0 + 1, 0 0",
		}},
		{"of a day, whenever they ended", week, analytics.Query{From: day(t, "2024-12-24"), To: day(t, "2024-12-24"), Entity: "prescription"}, []string{
			"prescription: 2 = 1 + 1 + 0 + 0, 50 50",
		}},
		{"of days without any", week, analytics.Query{From: day(t, "2024-12-26")}, nil},
		{"late and repeated events correct themselves", week + late, analytics.Query{ByDay: true, Entity: "appointment"}, []string{
			"appointment 2024-12-22: 1 = 0 + 0 + 0 + 1, 0 0", "appointment 2024-12-23: 3 = 1 + 1 + 0 + 1, 33.3 33.3",
			"appointment 2024-12-24: 1 = 0 + 0 + 1 + 0, 0 0",
		}},
		{"of two ends the first one counts", `
2024-12-23T09:00 appointment a created   scheduled doc-1
2024-12-23T11:00 appointment a updated   completed doc-1
2024-12-23T10:00 appointment a cancelled cancelled doc-1`, analytics.Query{}, []string{"appointment: 1 = 0 + 1 + 0 + 0, 0 100"}},
		{"an end stays the end", `
2024-12-23T09:00 order o created   pending   ph-1
2024-12-23T10:00 order o delivered delivered ph-1
2024-12-23T11:00 order o updated   pending   ph-1`, analytics.Query{}, []string{"order: 1 = 1 + 0 + 0 + 0, 100 0"}},
		{"an end after the deletion is none", `
2024-12-23T09:00 order o created   pending   ph-1
2024-12-23T10:00 order o deleted   -         -
2024-12-23T11:00 order o delivered delivered ph-1`, analytics.Query{}, []string{"order: 1 = 0 + 0 + 1 + 0, 0 0"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			kit, opened := setup(t, nil)
			deliver(t, kit, told(t, test.story)...)
			rates, err := analytics.Rates(t.Context(), opened, in(test.query))
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, r := range rates {
				got = append(got, fmt.Sprintf("%s: %d = %d + %d + %d + %d, %v %v", of(r.Group), r.Created, r.Completed, r.Cancelled, r.Deleted, r.Open,
					r.CompletionRate(), r.CancellationRate()))
			}
			if !slices.Equal(got, test.want) {
				t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(test.want, "\n"))
			}
		})
	}
}

func of(g analytics.Group) string {
	return strings.Join(strings.Fields(g.Entity+" "+g.Day+" "+g.Counterpart), " ")
}

func TestDurations(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name  string
		story string
		query analytics.Query
		want  []string // entity, day, counterpart, steps: count, median, 90th percentile, mean, those that were left out
	}{
		{"of all", week, analytics.Query{}, []string{
			// 90 and 120 minutes.
			"appointment booked-confirmed: 2 1h45m0s 1h57m0s 1h45m0s 0", "appointment confirmed-completed: 1 46h30m0s 46h30m0s 46h30m0s 0",
			"appointment booked-completed: 1 48h0m0s 48h0m0s 48h0m0s 0",
			// o-3 was shipped before it was ordered; o-2 was delivered without being shipped.
			"order ordered-shipped: 1 1h0m0s 1h0m0s 1h0m0s 1", "order shipped-delivered: 1 4h0m0s 4h0m0s 4h0m0s 0",
			"order ordered-delivered: 2 3h30m0s 4h42m0s 3h30m0s 0",
			"prescription prescribed-completed: 1 48h0m0s 48h0m0s 48h0m0s 0",
		}},
		{"by the day of the second step", week, analytics.Query{Entity: "appointment", ByDay: true}, []string{
			"appointment 2024-12-23 booked-confirmed: 1 1h30m0s 1h30m0s 1h30m0s 0", "appointment 2024-12-24 booked-confirmed: 1 2h0m0s 2h0m0s 2h0m0s 0",
			"appointment 2024-12-25 confirmed-completed: 1 46h30m0s 46h30m0s 46h30m0s 0", "appointment 2024-12-25 booked-completed: 1 48h0m0s 48h0m0s 48h0m0s 0",
		}},
		{"of the second steps of a day", week, analytics.Query{From: day(t, "2024-12-25"), To: day(t, "2024-12-25"), ByRole: "doctor"}, []string{
			"appointment doc-1 confirmed-completed: 1 46h30m0s 46h30m0s 46h30m0s 0", "appointment doc-1 booked-completed: 1 48h0m0s 48h0m0s 48h0m0s 0",
		}},
		{"that are all wrong have no measures", week, analytics.Query{ByRole: "pharmacy", From: day(t, "2024-12-25")}, []string{
			"order ph-2 ordered-shipped: 0 0s 0s 0s 1",
		}},
		{"late and repeated events correct themselves", week + late, analytics.Query{Entity: "appointment"}, []string{
			// 60, 120, 180 minutes and 48 hours.
			"appointment booked-confirmed: 4 2h30m0s 34h30m0s 13h30m0s 0", "appointment confirmed-completed: 1 47h0m0s 47h0m0s 47h0m0s 0",
			"appointment booked-completed: 1 48h0m0s 48h0m0s 48h0m0s 0",
		}},
		{"what was confirmed twice was confirmed at first", `
2024-12-23T09:00 appointment a created scheduled doc-1
2024-12-23T10:00 appointment a updated confirmed doc-1
2024-12-23T11:00 appointment a updated scheduled doc-1
2024-12-23T12:00 appointment a updated confirmed doc-1`, analytics.Query{}, []string{"appointment booked-confirmed: 1 1h0m0s 1h0m0s 1h0m0s 0"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			kit, opened := setup(t, nil)
			deliver(t, kit, told(t, test.story)...)
			durations, err := analytics.Durations(t.Context(), opened, in(test.query))
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, d := range durations {
				got = append(got, fmt.Sprintf("%s %s-%s: %d %s %s %s %d", of(d.Group), d.From, d.To, d.Count, d.Median, d.P90, d.Mean, d.Backwards))
			}
			if !slices.Equal(got, test.want) {
				t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(test.want, "\n"))
			}
		})
	}
}

// appointments gives appointments their states, as the domain consumer has them: id, status, date and the time of the last change.
func appointments(t testing.TB, opened *store.Store, states ...[4]string) {
	t.Helper()
	r := &record.Record{Position: record.Position{Topic: "appointment-events"}}
	work, err := opened.UnitOfWork("appointments", store.Options{}).Begin(t.Context(), "claim", []*record.Record{r})
	if err != nil {
		t.Fatal(err)
	}
	for _, state := range states {
		at, err := time.Parse("2006-01-02T15:04", state[3])
		if err != nil {
			t.Fatal(err)
		}
		body := fmt.Sprintf(`{"appointmentId":%q,"patientId":"pat-1","doctorId":"doc-9","date":%q,"status":%q,"action":"updated"}`, state[0], state[2], state[1])
		store.States(work.Context(t.Context())).Put(store.State{Type: "AppointmentEvent", ID: state[0], Status: state[1], Body: []byte(body), Timestamp: at})
	}
	work.Finish(r, record.Done)
	if err := work.Commit(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func TestPastDate(t *testing.T) {
	t.Parallel()
	kit, opened := setup(t, nil)
	deliver(t, kit, told(t, `
2024-12-01T09:00 appointment past       created   scheduled doc-1
2024-12-02T09:00 appointment confirmed  created   scheduled doc-1
2024-12-03T09:00 appointment confirmed  updated   confirmed doc-1
2024-12-02T09:00 appointment again      created   scheduled doc-2
2024-12-03T09:00 appointment again      updated   confirmed doc-2
2024-12-04T09:00 appointment again      updated   scheduled doc-2
2024-12-02T09:00 appointment today      created   scheduled doc-1
2024-12-02T09:00 appointment completed  created   scheduled doc-1
2024-12-28T09:00 appointment completed  updated   completed doc-1
2024-12-02T09:00 appointment cancelled  created   scheduled doc-1
2024-12-10T09:00 appointment cancelled  cancelled -         doc-1
2024-12-02T09:00 appointment deleted    created   scheduled doc-1
2024-12-10T09:00 appointment deleted    deleted   -         -
2024-12-02T09:00 appointment unseen     created   scheduled doc-1
2024-12-02T09:00 appointment dateless   created   scheduled doc-1
2024-12-02T09:00 appointment missed     created   scheduled doc-1
2024-12-02T09:00 appointment nobodys    created   scheduled -`)...)
	appointments(t, opened, [][4]string{
		{"past", "scheduled", "2024-12-20", "2024-12-01T09:00"}, {"confirmed", "confirmed", "2024-12-20", "2024-12-03T09:00"},
		{"again", "scheduled", "2024-12-21", "2024-12-04T09:00"}, {"today", "scheduled", "2024-12-27", "2024-12-02T09:00"},
		{"completed", "completed", "2024-12-26", "2024-12-28T09:00"}, {"cancelled", "cancelled", "2024-12-20", "2024-12-10T09:00"},
		{"deleted", "scheduled", "2024-12-20", "2024-12-10T09:00"}, {"dateless", "scheduled", "", "2024-12-02T09:00"},
		{"missed", "completed", "2024-12-20", "2024-12-20T09:00"}, // analytics has not seen its completion
		{"nobodys", "scheduled", "2024-12-22", "2024-12-02T09:00"},
	}...)
	tests := []struct {
		name  string
		asOf  string
		query analytics.OverdueQuery
		want  []string // day, doctor, appointment: scheduled, confirmed
	}{
		{"in all", "2024-12-28", analytics.OverdueQuery{}, []string{": 4 1"}},
		{"an appointment of the day is not past", "2024-12-27", analytics.OverdueQuery{}, []string{": 4 1"}},
		{"none is before the first date", "2024-12-20", analytics.OverdueQuery{}, nil},
		{"by day", "2024-12-28", analytics.OverdueQuery{ByDay: true}, []string{"2024-12-20: 1 1", "2024-12-21: 1 0", "2024-12-22: 1 0", "2024-12-27: 1 0"}},
		{"by doctor, of the state where no event named one", "2024-12-28", analytics.OverdueQuery{ByDoctor: true}, []string{"doc-1: 2 1", "doc-2: 1 0", "doc-9: 1 0"}},
		{"by appointment", "2024-12-21", analytics.OverdueQuery{ByAppointment: true, ByDoctor: true}, []string{"doc-1 confirmed: 0 1", "doc-1 past: 1 0"}},
	}
	// As of the 27th the one that was completed on the 28th was open, with a date of the 26th: its row is in the first two.
	for _, test := range tests {
		q := test.query
		q.AsOf, q.Zone = day(t, test.asOf), time.UTC
		rows, undated, err := analytics.PastDate(t.Context(), opened, q)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, o := range rows {
			got = append(got, fmt.Sprintf("%s: %d %d", strings.Join(strings.Fields(o.Day+" "+o.Doctor+" "+o.Appointment), " "), o.Scheduled, o.Confirmed))
		}
		if !slices.Equal(got, test.want) || undated != 2 {
			t.Errorf("%s: got %q and %d without a date, want %q and 2", test.name, got, undated, test.want)
		}
	}
}
