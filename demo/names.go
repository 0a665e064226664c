package demo

import (
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/prantikov/millrace/messages"
)

// names chooses what the events are about. Nobody in it exists.
type names struct {
	random *rand.Rand
	day    string
	count  int
}

// entity is a new entity's id.
func (n *names) entity(prefix string) string {
	n.count++
	return fmt.Sprintf("%s-%s-%06d", prefix, n.day, n.count)
}

func (n *names) patient() string  { return fmt.Sprintf("pat-%05d", 1+n.random.IntN(20_000)) }
func (n *names) doctor() string   { return fmt.Sprintf("doc-%03d", 1+n.random.IntN(120)) }
func (n *names) pharmacy() string { return fmt.Sprintf("pha-%02d", 1+n.random.IntN(40)) }

// chance is true in so many of 100 cases.
func (n *names) chance(percent int) bool { return n.random.IntN(100) < percent }

func (n *names) one(of []string) string { return of[n.random.IntN(len(of))] }

// in is a day at most so many days after now.
func (n *names) in(now time.Time, days int) messages.Date {
	return messages.DateOf(now.AddDate(0, 0, 1+n.random.IntN(days)))
}

// clock is a time at which a surgery sees patients, in quarters of an hour.
func (n *names) clock() messages.TimeOfDay {
	quarter := n.random.IntN(40)
	return messages.TimeOfDay(fmt.Sprintf("%02d:%02d", 8+quarter/4, quarter%4*15))
}

var (
	reasons = []string{
		"annual check-up", "follow-up", "knee pain", "vaccination", "blood pressure review", "persistent cough",
		"Ménière's disease review", "skin rash", "results of the blood test", "headache, since three weeks",
	}
	medications = []string{"amoxicillin", "metformin", "lisinopril", "atorvastatin", "salbutamol", "omeprazole", "sertraline", "ibuprofen"}
	dosages     = []string{"5 mg", "10 mg", "20 mg", "250 mg", "500 mg", "2 puffs"}
	frequencies = []string{"once a day", "twice a day", "every 8 hours", "at night", "as needed"}
	products    = []string{"amoxicillin-500", "metformin-850", "salbutamol-inhaler", "plasters-40", "thermometer", "test-strips-50"}
	findings    = []string{
		"HbA1c 6.9 %", "X-ray of the left wrist: no fracture", "type 2 diabetes", "seasonal allergic rhinitis",
		"physiotherapy, six sessions", "cholesterol < 5 mmol/l", "sutures removed",
	}
)
