package demo

import (
	"math/rand/v2"
	"strconv"
	"time"

	"github.com/prantikov/millrace/messages"
	"github.com/prantikov/millrace/record"
)

// Settings makes a day what it is: the same settings give the same records, byte by byte.
type Settings struct {
	// Seed chooses the day, and goes into the ids of its entities, so that two days on the same topics do not mix.
	Seed uint64
	// Start is the first moment of the day. It should lie in the past, within the topics' retention: brokers refuse a future timestamp
	// and drop an old one.
	Start time.Time
	// Events is the number of records over which the day is spread, with quiet nights and busy mornings. Zero means 100,000; what comes
	// after it has the day's last moment.
	Events int
	// Now gives each record its timestamp in place of Start and Events, for a day that is lived as it is generated. Nil for none.
	Now func() time.Time
	// TypePackage is the Java package for the header __TypeId__, for example com.acme.events. Empty for no header.
	TypePackage string
}

// Day generates the events of a platform: patients book, confirm, move and cancel appointments, prescriptions are written, changed and
// ended, orders ship and arrive, health records grow. An entity's events follow each other as the rules on its status ask, and a few
// entities of each topic are busy all day. It is used by one goroutine.
type Day struct {
	settings Settings
	random   *rand.Rand
	casts    []cast
	made     int
	poisoned int
}

// cast is what happens on one topic.
type cast interface {
	topic() messages.Type
	// next is the next event of some entity.
	next(now time.Time) (key string, value []byte)
	// present is the last event of some entity that is still going on, once more; nothing comes of it.
	present(now time.Time) (key string, value []byte)
}

// share is how many of 100 events are on each topic, in the order of the casts.
var share = [...]int{40, 15, 30, 15}

// NewDay returns the day that the settings describe.
func NewDay(settings Settings) *Day {
	if settings.Events <= 0 {
		settings.Events = 100_000
	}
	random := rand.New(rand.NewPCG(settings.Seed, 0x6d696c6c72616365))
	names := &names{random: random, day: dayToken(settings.Seed)}
	return &Day{settings: settings, random: random, casts: []cast{
		newAppointments(names), newPrescriptions(names), newOrders(names), newHealthRecords(names),
	}}
}

// Next returns the next good event. Its position has only the topic, by our own name; the log gives the rest.
func (d *Day) Next() *record.Record {
	now := d.now()
	number := d.random.IntN(100)
	at := 0
	for number >= share[at] {
		number -= share[at]
		at++
	}
	key, value := d.casts[at].next(now)
	return d.record(d.casts[at].topic(), now, key, value)
}

func (d *Day) record(topic messages.Type, now time.Time, key string, value []byte) *record.Record {
	made := &record.Record{
		Position:  record.Position{Topic: topic.Topic()},
		Timestamp: now,
		Key:       []byte(key),
		Value:     value,
	}
	if d.settings.TypePackage != "" {
		made.Headers = []record.Header{{Key: "__TypeId__", Value: []byte(d.settings.TypePackage + "." + topic.Name())}}
	}
	return made
}

// hours is how much happens in each hour of the day.
var hours = [24]float64{1, 1, 1, 1, 1, 2, 4, 8, 14, 16, 15, 12, 9, 12, 14, 13, 11, 8, 6, 5, 4, 3, 2, 1}

// now is the next record's timestamp. It never goes back.
func (d *Day) now() time.Time {
	made := d.made
	d.made++
	if d.settings.Now != nil {
		return d.settings.Now().Truncate(time.Millisecond)
	}
	sum := 0.0
	for _, weight := range hours {
		sum += weight
	}
	passed := min(float64(made)/float64(d.settings.Events), 1) * sum
	for hour, weight := range hours {
		if passed < weight {
			return d.settings.Start.Add(time.Duration((float64(hour) + passed/weight) * float64(time.Hour))).Truncate(time.Millisecond)
		}
		passed -= weight
	}
	return d.settings.Start.Add(24*time.Hour - time.Millisecond)
}

// dayToken is a few letters that stand for the seed in ids.
func dayToken(seed uint64) string {
	return strconv.FormatUint(rand.NewPCG(seed, 0).Uint64()%(36*36*36*36*36*36), 36)
}
