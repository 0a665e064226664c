package analytics_test

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/prantikov/millrace/messages"
	"github.com/prantikov/millrace/record"
)

// Ensure what is known of an entity in the end depends on its events alone: not on the order in which they come, on how often each comes, or on
// how they are put together.
func TestOrderAndRepeatsChangeNothing(t *testing.T) {
	t.Parallel()
	kit, opened := setup(t, nil)
	tries := 0
	rapid.Check(t, func(r *rapid.T) {
		tries++
		declared := rapid.SampledFrom([]messages.Type{messages.Appointments, messages.Prescriptions, messages.Orders}).Draw(r, "type")
		events := rapid.SliceOfN(anyEvent(declared), 1, 12).Draw(r, "events")
		again := rapid.SliceOf(rapid.SampledFrom(events)).Draw(r, "repeated")
		shuffled := rapid.Permutation(append(slices.Clone(events), again...)).Draw(r, "shuffled")
		var known [2]any
		for i, order := range [][]occurrence{events, shuffled} {
			prefix := fmt.Sprintf("%d-%d-", tries, i)
			var records []*record.Record
			for _, one := range order {
				records = append(records, one.record(declared, prefix))
			}
			for len(records) > 0 {
				n := rapid.IntRange(1, len(records)).Draw(r, "together")
				deliver(t, kit, records[:n]...)
				records = records[n:]
			}
			known[i] = journeysOf(t, opened, declared.Name(), prefix)
		}
		if !reflect.DeepEqual(known[0], known[1]) {
			r.Fatalf("in order: got\n%+v\nshuffled and repeated: got\n%+v", known[0], known[1])
		}
	})
}

// occurrence is an event without the word that makes its entity one of a try.
type occurrence struct {
	id, status, counterpart string
	action                  messages.Action
	at                      time.Time
}

func (o occurrence) record(declared messages.Type, prefix string) *record.Record {
	entity := strings.ToLower(strings.TrimSuffix(declared.Name(), "Event"))
	return event(entity, prefix+o.id, o.action, o.status, o.counterpart, o.at)
}

// anyEvent has few entities and few times, so that events meet.
func anyEvent(declared messages.Type) *rapid.Generator[occurrence] {
	statuses := map[string][]string{
		"AppointmentEvent": {"scheduled", "confirmed", "completed", "cancelled"}, "PrescriptionEvent": {"active", "inactive", "completed"},
		"OrderEvent": {"pending", "processing", "shipped", "delivered"},
	}[declared.Name()]
	return rapid.Custom(func(r *rapid.T) occurrence {
		return occurrence{
			id:          rapid.SampledFrom([]string{"a", "b"}).Draw(r, "id"),
			action:      rapid.SampledFrom(declared.Actions()).Draw(r, "action"),
			status:      rapid.SampledFrom(append(statuses, "", "lost")).Draw(r, "status"),
			counterpart: rapid.SampledFrom([]string{"", "x", "y", "ÿ"}).Draw(r, "counterpart"),
			at:          time.UnixMilli(1_700_000_000_000 + rapid.Int64Range(0, 5).Draw(r, "at")).UTC(),
		}
	})
}
