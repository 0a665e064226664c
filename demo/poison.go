package demo

import (
	"bytes"
	"iter"

	"github.com/prantikov/millrace/record"
)

// poisons are the ways in which a record is bad: each is one that no consumer can decode, and no retry can mend.
var poisons = [...]func(value []byte) []byte{
	func(value []byte) []byte { return value[:len(value)/2] },                             // truncated JSON
	func(value []byte) []byte { return replaced(value, `"action":`, `"teleported"`) },     // unknown action
	func(value []byte) []byte { return replaced(value, `"patientId":`, `{"wrong":[1]}`) }, // wrong type
	func([]byte) []byte { return []byte{} },                                               // empty value
}

// Poison returns the next bad record: an event of an entity that is under way, with its key, that is cut off, has an unknown action, has
// an object where text belongs, or is empty. The four take turns on each topic in turn. Every consumer that decodes must dead-letter it.
func (d *Day) Poison() *record.Record {
	number := d.poisoned
	d.poisoned++
	now := d.now()
	from := d.casts[number%len(d.casts)]
	key, value := from.present(now)
	spoil := poisons[(number+number/len(d.casts))%len(poisons)]
	return d.record(from.topic(), now, key, spoil(value))
}

// Mixed returns so many good events and bad records of the day, in an order that the seed decides. Settings.Events is taken to be both
// together.
func Mixed(settings Settings, events, poison int) iter.Seq[*record.Record] {
	return func(yield func(*record.Record) bool) {
		settings.Events = events + poison
		day := NewDay(settings)
		good, bad := events, poison
		for good+bad > 0 {
			var next *record.Record
			if day.random.IntN(good+bad) < bad {
				next = day.Poison()
				bad--
			} else {
				next = day.Next()
				good--
			}
			if !yield(next) {
				return
			}
		}
	}
}

// replaced gives a field of text another value. The field's value has no quote in it, as ids and actions have none.
func replaced(value []byte, field, other string) []byte {
	begin := bytes.Index(value, []byte(field)) + len(field)
	end := begin + 1 + bytes.IndexByte(value[begin+1:], '"') + 1
	return bytes.Join([][]byte{value[:begin], []byte(other), value[end:]}, nil)
}
