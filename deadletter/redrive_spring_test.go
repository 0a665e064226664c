package deadletter_test

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"github.com/prantikov/millrace/deadletter"
	"github.com/prantikov/millrace/record"
)

// springShelf is the dead letters that a real Spring Kafka wrote for one group, and where they can go back to.
func springShelf(t *testing.T) (records map[record.Position]*record.Record, shelved shelf, topics []deadletter.Topic) {
	t.Helper()
	records, shelved = springRecords(t), shelf{}
	for at, r := range records {
		if source, dead := strings.CutSuffix(at.Topic, "-dlt"); dead && !strings.HasSuffix(source, "-dlt") {
			if len(shelved[at.Topic]) == 0 {
				topics = append(topics, deadletter.Topic{Name: source})
			}
			shelved[at.Topic] = append(shelved[at.Topic], r)
		}
	}
	return records, shelved, topics
}

// Ensure the letters of a Spring listener go back to the consumer that has its group now, as the very records that the listener read: key, value,
// headers, timestamp and position.
func TestSpringLettersComeHome(t *testing.T) {
	t.Parallel()
	records, shelved, topics := springShelf(t)
	h := &homeward{shelf: shelved, finished: map[string]int64{}}
	h.browse = func() *deadletter.Browser {
		home := deadletter.Home{Consumer: "moved", Group: "dlt41.dlt-group", Topic: "moved-redrive"}
		for _, topic := range topics {
			home.Takes = append(home.Takes, topic.Name)
		}
		return deadletter.NewBrowser(h.shelf, "", topics).Follow(h, []deadletter.Home{home})
	}
	plan, sent, err := h.redrive().Execute(t.Context(), deadletter.Filter{Consumer: "moved"}, nil)
	if err != nil || sent != 15 || len(plan.Stay) != 0 {
		t.Fatalf("got %d sent, %v stay, %v, want all 15", sent, plan.Stay, err)
	}
	for _, back := range h.shelf["moved-redrive"] {
		redrive, ok := record.RedriveOf(back)
		if !ok {
			t.Fatalf("got %v, want a record that was given back", back.Headers)
		}
		want, got := records[redrive.Original.Position], redrive.Original
		if want == nil {
			t.Fatalf("got origin %s, want a record that the listener read", redrive.Original.Position)
		}
		// The listener's own serializer writes the value of a letter: it makes a null of the JSON text null.
		value := records[redrive.Letter].Value
		if !bytes.Equal(got.Key, want.Key) || !bytes.Equal(got.Value, value) || (got.Value == nil) != (value == nil) ||
			!got.Timestamp.Equal(want.Timestamp) || !slices.Equal(headerLines(got.Headers), headerLines(want.Headers)) {
			t.Errorf("%s: got %+v, want %+v", want.Position, got, want)
		}
		if !back.Timestamp.Equal(records[redrive.Letter].Timestamp) {
			t.Errorf("%s: got the timestamp %s on the redrive topic, want the letter's, by which both are kept", want.Position, back.Timestamp)
		}
	}
	want(t, "states", h.states(t), map[deadletter.State]int{deadletter.StateSent: 15})
}

// Ensure a Spring letter without its group goes where --consumer says, and nowhere without it.
func TestSpringLetterThatNamesNobody(t *testing.T) {
	t.Parallel()
	letter := order(record.Header{Key: "x", Value: []byte("1")},
		record.Header{Key: "kafka_dlt-original-topic", Value: []byte("order-events")},
		record.Header{Key: "kafka_dlt-original-partition", Value: []byte{0, 0, 0, 3}},
		record.Header{Key: "kafka_dlt-original-offset", Value: []byte{0, 0, 0, 0, 0, 0, 0, 42}})
	letter.Topic, letter.Offset = "order-events-dlt", 0
	h := &homeward{shelf: shelf{"order-events-dlt": {letter}}, finished: map[string]int64{}}
	plan, err := h.browser().Plan(t.Context(), deadletter.Filter{}, nil)
	if err != nil || len(plan.Returning) != 0 || plan.Stay[deadletter.StayNameless] != 1 {
		t.Errorf("got %+v, %v, want it to stay for want of a consumer", plan, err)
	}
	if _, err = h.browser().Plan(t.Context(), deadletter.Filter{}, []record.Position{letter.Position}); err == nil || !strings.Contains(err.Error(), "--consumer") {
		t.Errorf("got error %v, want one that asks for --consumer", err)
	}
	for consumer, why := range map[string]deadletter.Stay{"archive": deadletter.StayOff, "nobody": deadletter.StayHomeless} {
		plan, err = h.browser().Plan(t.Context(), deadletter.Filter{Consumer: consumer}, nil)
		if err != nil || plan.Stay[why] != 1 {
			t.Errorf("with consumer %q: got %+v, %v, want it to stay as %q", consumer, plan, err, why)
		}
	}
	if _, _, err = h.redrive().Execute(t.Context(), deadletter.Filter{Consumer: "analytics"}, nil); err != nil {
		t.Fatal(err)
	}
	back, _ := record.RedriveOf(h.shelf["counting-redrive"][0])
	want(t, "position", back.Original.Position, record.Position{Topic: "order-events", Partition: 3, Offset: 42})
	want(t, "headers", headerLines(back.Original.Headers), []string{`x="1"`})
}
