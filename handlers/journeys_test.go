package handlers_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prantikov/millrace/messages"
	"github.com/prantikov/millrace/store"
)

// Ensure analytics agrees with the domain consumers about what has ended and how, also after an event that these refuse, and about the status
// that an action implies.
func TestJourneysEndAsTheStatesDo(t *testing.T) {
	t.Parallel()
	for _, d := range domains() {
		if d.statuses == nil {
			continue
		}
		t.Run(d.consumer, func(t *testing.T) {
			t.Parallel()
			p := setup(t, options{})
			final := slices.DeleteFunc(slices.Clone(d.statuses), func(status string) bool {
				return slices.ContainsFunc(d.allowed, func(pair string) bool { return strings.HasPrefix(pair, status+" ") })
			})
			for _, from := range d.statuses {
				for _, action := range d.declared.Actions() {
					for _, to := range append(slices.Clone(d.statuses), "") {
						id := from + "-" + string(action) + "-" + to
						first, second := d.event(id, messages.Created, from), d.event(id, action, to)
						second.Timestamp = at.Add(time.Minute)
						for _, consumer := range []string{d.consumer, "analytics"} {
							p.deliver(consumer, first)
							p.deliver(consumer, second)
						}
						state, journey := p.entity(d.declared, id), p.journey(d.declared, id)
						ended := slices.Contains(final, state.Status)
						if slices.Contains(final, journey.Status.Text) != ended || ended && journey.Status.Text != state.Status || journey.Deleted.IsZero() == state.Deleted {
							t.Errorf("%s: the journey has %q, deleted %t, and the state %q, deleted %t", id, journey.Status.Text, !journey.Deleted.IsZero(), state.Status, state.Deleted)
						}
					}
				}
			}
		})
	}
}

// journey is the one of an entity.
func (p *platform) journey(declared messages.Type, id string) store.Journey {
	p.t.Helper()
	var found store.Journey
	err := p.store.EachJourney(p.t.Context(), store.JourneyFilter{Type: declared.Name()}, func(j store.Journey) error {
		if j.ID == id {
			found = j
		}
		return nil
	})
	if err != nil {
		p.t.Fatal(err)
	}
	return found
}

// Ensure nothing of a patient is in what analytics keeps.
func TestAnalyticsKeepsNoPatientData(t *testing.T) {
	t.Parallel()
	p := setup(t, options{})
	for topic := range canaryEvents {
		done(t, p.deliver("analytics", canary(topic)))
	}
	for _, table := range []string{"journeys", "event_counts", "counterpart_counts"} {
		rows, err := p.store.DB().QueryContext(t.Context(), "SELECT * FROM "+table)
		if err != nil {
			t.Fatal(err)
		}
		columns, err := rows.Columns()
		if err != nil {
			t.Fatal(err)
		}
		values, into := make([]any, len(columns)), make([]any, len(columns))
		for i := range values {
			into[i] = &values[i]
		}
		read := 0
		for ; rows.Next(); read++ {
			if err := rows.Scan(into...); err != nil {
				t.Fatal(err)
			}
			for i, value := range values {
				for _, hidden := range []string{"magpie", "1999", "03:33", "66613"} {
					if text, ok := value.(string); ok && strings.Contains(text, hidden) {
						t.Errorf("%s.%s: got %q in it", table, columns[i], text)
					}
				}
			}
		}
		if err := rows.Err(); err != nil || read < 3 {
			t.Errorf("%s: got %d rows %v, want one for each topic that it is about", table, read, err)
		}
		if err := rows.Close(); err != nil {
			t.Fatal(err)
		}
	}
}
