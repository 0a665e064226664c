package messages_test

import (
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/prantikov/millrace/messages"
)

// visit is an event type as a plugin would declare it.
type visit struct {
	ID      string          `json:"id"`
	Mood    string          `json:"mood" enum:"fair poor"`
	Address address         `json:"address"`
	Notes   []note          `json:"notes"`
	Labels  []string        `json:"labels"`
	Free    map[string]any  `json:"free"`
	Again   *visit          `json:"again"`
	Done    bool            `json:"done"`
	Count   int             `json:"count"`
	On      messages.Date   `json:"on" phi:"true"`
	Action  messages.Action `json:"action"`
	inside  int
}

type address struct {
	Street string `json:"street" phi:"true"`
	Ward   string `json:"ward"`
}

type note struct {
	Text string `json:"text" phi:"true"`
	Code string `json:"code"`
}

func newVisits() *messages.Topic[visit] {
	return messages.NewTopic("visit-events",
		func(v *visit) string { return v.ID },
		func(v *visit) *messages.Action { return &v.Action },
		"begun", messages.Deleted, "ended",
	)
}

const visitJSON = `{"id":"v-1","mood":"FAIR","address":{"street":"secret","ward":"3b","flat":"secret"},"notes":[{"text":"secret","code":"A1"},null,"secret"],` +
	`"labels":["x",{"y":"secret"}],"free":{"secret":1},"again":{"id":"secret"},"done":true,"count":3,"on":[2024,12,25],"action":"begun"}`

func TestPluginDeclaresItsOwnType(t *testing.T) {
	t.Parallel()
	visits := newVisits()
	if visits.Name() != "visit" || visits.Topic() != "visit-events" {
		t.Errorf("got %s on %s, want visit on visit-events", visits.Name(), visits.Topic())
	}
	if got, want := visits.Actions(), []messages.Action{"begun", "ended", "deleted"}; !slices.Equal(got, want) {
		t.Errorf("got actions %v, want %v", got, want)
	}
	if got, want := visits.PHI(), []string{"address.street", "notes.text", "again", "on"}; !slices.Equal(got, want) {
		t.Errorf("got patient data %v, want %v", got, want)
	}
	decoded, err := visits.Decode([]byte(strings.NewReplacer(`,null,"secret"`, "", `,{"y":"secret"}`, "").Replace(visitJSON)))
	if err != nil {
		t.Fatal(err)
	}
	body := decoded.Body.(*visit)
	if decoded.EntityID != "v-1" || decoded.Action != "begun" || !decoded.Normalised || body.Mood != "fair" || body.inside != 0 {
		t.Errorf("got %+v, want v-1, begun, normalised to fair", decoded)
	}
	if visits.Sample("begun") != nil {
		t.Error("got a sample, want none")
	}
	key, value, err := visits.Kind("ended").Encode(visit{ID: "v-2", Mood: "poor"})
	if err != nil || string(key) != "v-2" || !strings.Contains(string(value), `"action":"ended"`) {
		t.Errorf("got key %s, value %s, error %v, want v-2, ended", key, value, err)
	}
}

func TestPluginBringsItsSamples(t *testing.T) {
	t.Parallel()
	visits := newVisits().WithSamples(fstest.MapFS{"visit.begun.json": {Data: []byte(" {} \n")}})
	if got := string(visits.Sample("begun")); got != "{}" {
		t.Errorf("got %q, want {}", got)
	}
	if got := visits.Sample("ended"); got != nil {
		t.Errorf("got %q, want none", got)
	}
}

func TestWrongDeclarationPanicsAtStart(t *testing.T) {
	t.Parallel()
	action := func(v *visit) *messages.Action { return &v.Action }
	wrong := map[string]func(){
		"a type that is no struct": func() {
			messages.NewTopic("t", func(*string) string { return "" }, func(*string) *messages.Action { return nil })
		},
		"a struct without a name": func() {
			messages.NewTopic("t", func(*struct{}) string { return "" }, func(*struct{}) *messages.Action { return nil })
		},
		"no function for the key":    func() { messages.NewTopic("t", nil, action) },
		"no function for the action": func() { messages.NewTopic("t", func(v *visit) string { return v.ID }, nil) },
	}
	for name, declare := range wrong {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			defer func() {
				if recover() == nil {
					t.Error("got no panic, want one")
				}
			}()
			declare()
		})
	}
}

func TestBuiltInTypesAreTheContract(t *testing.T) {
	t.Parallel()
	want := []struct {
		declared messages.Type
		topic    string
		name     string
		actions  string
		phi      string
	}{
		{messages.Appointments, "appointment-events", "AppointmentEvent", "created updated cancelled deleted", "patientId date time reason"},
		{messages.Prescriptions, "prescription-events", "PrescriptionEvent", "created updated cancelled deleted", "patientId medication dosage frequency startDate endDate"},
		{messages.Orders, "order-events", "OrderEvent", "created updated shipped delivered deleted", "patientId totalPrice orderDate deliveryDate items"},
		{messages.HealthRecords, "health-record-events", "HealthRecordEvent", "created updated deleted", "patientId description recordDate"},
	}
	types := messages.Types()
	if len(types) != len(want) {
		t.Fatalf("got %d types, want %d", len(types), len(want))
	}
	for i, w := range want {
		if types[i] != w.declared || types[i].Topic() != w.topic || types[i].Name() != w.name {
			t.Errorf("got %s on %s, want %s on %s", types[i].Name(), types[i].Topic(), w.name, w.topic)
		}
		var actions []string
		for _, action := range types[i].Actions() {
			actions = append(actions, string(action))
		}
		if got := strings.Join(actions, " "); got != w.actions {
			t.Errorf("%s: got actions %s, want %s", w.name, got, w.actions)
		}
		if got := strings.Join(types[i].PHI(), " "); got != w.phi {
			t.Errorf("%s: got patient data %s, want %s", w.name, got, w.phi)
		}
	}
}

func TestKindsBelongToTheirTopics(t *testing.T) {
	t.Parallel()
	if kind := messages.OrderDelivered; kind.Topic() != messages.Orders || kind.Action() != messages.Delivered {
		t.Errorf("got %s of %s, want delivered of order-events", kind.Action(), kind.Topic().Topic())
	}
	if got := messages.Orders.Key(&messages.OrderEvent{OrderID: "ord-1"}); got != "ord-1" {
		t.Errorf("got key %s, want ord-1", got)
	}
}

func TestBodiesSayWhoHasPartInThem(t *testing.T) {
	t.Parallel()
	cases := []struct {
		declared                  messages.Type
		patient, role, id, status string
	}{
		{messages.Appointments, "pat-1042", "doctor", "doc-17", "scheduled"},
		{messages.Prescriptions, "pat-1042", "doctor", "doc-17", "active"},
		{messages.Orders, "pat-1042", "pharmacy", "ph-3", "pending"},
		{messages.HealthRecords, "pat-1042", "doctor", "doc-17", ""},
	}
	for _, c := range cases {
		decoded, err := c.declared.Decode(c.declared.Sample(messages.Created))
		if err != nil {
			t.Fatal(err)
		}
		role, id := decoded.Body.(messages.Counterparty).Counterpart()
		patient, status := decoded.Body.(messages.Subject).Patient(), decoded.Body.(messages.Stateful).StatusName()
		if patient != c.patient || role != c.role || id != c.id || status != c.status {
			t.Errorf("%s: got %s, %s %s, %s, want %s, %s %s, %s", c.declared.Name(), patient, role, id, status, c.patient, c.role, c.id, c.status)
		}
	}
}

func TestTypeHeadersNameTypes(t *testing.T) {
	t.Parallel()
	cases := []struct {
		header string
		name   string // empty when it names none
	}{
		{"com.prantikov.healthcare.event.AppointmentEvent", "AppointmentEvent"},
		{"org.other.OrderEvent", "OrderEvent"},
		{"OrderEvent", "OrderEvent"},
		{`"com.acme.OrderEvent"`, "OrderEvent"},
		{"com.acme.Events$HealthRecordEvent", "HealthRecordEvent"},
		{"com.acme.OrderEvent$Item", ""},
		{"com.acme.OrderItemEvent", ""},
		{"com.acme.orderevent", ""},
		{"appointment", ""},
		{"com.acme.order", ""},
		{"com.acme.order.Event", ""},
		{"java.util.HashMap", ""},
		{"[B", ""},
		{"", ""},
		{".", ""},
		{"com.acme.OrderEvent.v1", "OrderEvent"},
		{"com.acme.health.order.shipped.v1", "OrderEvent"},
		{"com.acme.health.health_record.created.v1", "HealthRecordEvent"},
		{"com.acme.health.healthRecord.created", "HealthRecordEvent"},
		{"com.acme.health.appointment.shipped.v1", ""},
	}
	for _, c := range cases {
		got, ok := messages.TypeNamed(c.header, messages.Types())
		name := ""
		if ok {
			name = got.Name()
		}
		if name != c.name || ok != (c.name != "") {
			t.Errorf("%q: got %q, want %q", c.header, name, c.name)
		}
	}
}
