//go:build unix

package integration_test

import (
	"database/sql"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	_ "modernc.org/sqlite" // the store's database
)

// webhookSecret signs the tests' webhooks.
const webhookSecret = "MILLRACE_NOTIFICATION_WEBHOOK_SECRET=whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"

// notifying is a platform whose notifications go to an outside, and the environment of its program.
func notifying(t *testing.T, channel, address string, over settings) (p *platform, environment []string) {
	t.Helper()
	notification := settings{"directory": settings{}}
	switch channel {
	case "webhook":
		environment = []string{webhookSecret}
	case "smtp":
		notification["smtp"] = settings{"address": address, "from": "news@clinic.example"}
		address = "pat-3@example.org"
	}
	people := filepath.Join(t.TempDir(), "people.csv")
	writeTo(t, people, "audience,id,channel,address\npatient,pat-3,"+channel+","+address+"\n")
	notification["directory"] = settings{"file": people}
	whole := settings{"notification": notification}
	lay(whole, over)
	p = newPlatform(t, anyBroker(t), whole)
	p.provision(t)
	return p, environment
}

// notify starts the program with the one consumer.
func (p *platform) notify(t *testing.T, environment []string, more ...string) *process {
	t.Helper()
	return start(t, environment, p.arguments(append([]string{"run", "--consumers", "notification"}, more...)...)...)
}

// order is the record of an order of pat-3.
func (p *platform) order(number int) *kgo.Record {
	id := fmt.Sprintf("ord-%s-%d", p.word, number)
	return &kgo.Record{Topic: "order-events", Key: []byte(id), Value: journeys[2].value(id, step{"shipped", "shipped"}), Timestamp: now()}
}

// marks is how many marks of a state the store has.
func (p *platform) marks(t *testing.T, state string) int {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+filepath.Join(p.data, "store.db")+"?mode=ro")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	var count int
	if err := db.QueryRowContext(t.Context(), "SELECT count(*) FROM effects WHERE state = ?", state).Scan(&count); err != nil {
		return -1 // the file is being made
	}
	return count
}

// passed is how many records of the orders the group has committed.
func (p *platform) passed(t *testing.T) int64 {
	t.Helper()
	total := int64(0)
	for at, offset := range p.committed(t, "notification") {
		if strings.HasPrefix(at, p.topics["order-events"]+"/") {
			total += offset
		}
	}
	return total
}

// counted is the metric of how notifications of patients ended.
func counted(t *testing.T, run *process, channel, outcome string) int {
	t.Helper()
	line := regexp.MustCompile(`millrace_notifications_total\{audience="patient",channel="` + channel + `",outcome="` + outcome + `"\} (\d+)`)
	match := line.FindStringSubmatch(get(t, run.http()+"/metrics"))
	if match == nil {
		return 0
	}
	count, err := strconv.Atoi(match[1])
	if err != nil {
		t.Fatal(err)
	}
	return count
}

// channels are what notifications go out by.
func channels() []string { return []string{"webhook", "smtp"} }

// notificationKill is where a process that sends is killed, and how many notifications that makes outside and in doubt.
type notificationKill struct {
	name, hangs string
	// until waits for the point where the outside does not hang.
	until func(t *testing.T, p *platform)
	// lazy keeps the position from being committed.
	lazy           bool
	taken, inDoubt int
}

func notificationKills() []notificationKill {
	return []notificationKill{
		{name: "before the effect", hangs: hangsBefore, taken: 1, inDoubt: 1},
		{name: "after the effect", hangs: hangsAfter, taken: 2, inDoubt: 1},
		{name: "after the mark", lazy: true, taken: 1, until: func(t *testing.T, p *platform) {
			eventually(t, "the effect is marked", func() bool { return p.marks(t, "done") == 1 })
		}},
		{name: "after the commit", taken: 1, until: func(t *testing.T, p *platform) {
			eventually(t, "the position is committed", func() bool { return p.passed(t) == 1 })
		}},
	}
}

// Ensure kill -9 before the effect, after it, after its mark and after the commit loses no notification, and that outside there is at most
// the one in doubt a second time, with its id, and counted.
func TestNotificationKilledAtFourPoints(t *testing.T) {
	t.Parallel()
	for _, channel := range channels() {
		for _, test := range notificationKills() {
			t.Run(channel+" "+test.name, func(t *testing.T) {
				t.Parallel()
				receive := receiveWebhooks
				if channel == "smtp" {
					receive = receiveMail
				}
				o := receive(t, test.hangs)
				// The next process takes the place of the killed one at once.
				over := settings{"kafka": settings{"instance_id": "one", "commit_interval": "100ms"}}
				if test.lazy {
					over["kafka"].(settings)["commit_interval"] = "1h"
				}
				p, environment := notifying(t, channel, o.address, over)
				run := p.notify(t, environment)
				run.http()
				p.produce(t, p.order(1))
				if test.until != nil {
					test.until(t, p)
				} else {
					select {
					case <-o.reached:
					case <-time.After(patience):
						t.Fatalf("the notification did not come; stderr:\n%s", run.tail())
					}
				}
				run.kill()
				o.release()
				before := p.passed(t)
				p.rewrite(t, settings{"kafka": settings{"commit_interval": "1s"}})
				again := p.notify(t, environment)
				eventually(t, "the record is passed", func() bool { return p.passed(t) == 1 && p.members(t, "notification") > 0 })
				eventually(t, "it is marked", func() bool { return p.marks(t, "done") == 1 })
				ids := o.taken()
				if len(ids) != test.taken {
					t.Errorf("got %d notifications outside, want %d", len(ids), test.taken)
				}
				for _, id := range ids {
					if id != ids[0] || !strings.Contains(id, "msg_") {
						t.Errorf("got the ids %q, want one", ids)
					}
				}
				if got := counted(t, again, channel, "in_doubt"); got != test.inDoubt {
					t.Errorf("got %d counted as in doubt, want %d", got, test.inDoubt)
				}
				if repeated := counted(t, again, channel, "repeated"); (repeated == 1) != test.lazy {
					t.Errorf("got %d repeats that sent nothing with %d committed before the kill, want one where the mark was ahead of the position alone", repeated, before)
				}
				again.signal(syscall.SIGTERM)
				again.ends(0)
			})
		}
	}
}

// Ensure the same at any moment, with many notifications under way.
func TestNotificationsKilledUnderLoad(t *testing.T) {
	t.Parallel()
	const events = 600
	seed := uint64(time.Now().UnixNano())
	random := rand.New(rand.NewPCG(seed, 0))
	o := receiveWebhooks(t, neverHangs)
	p, environment := notifying(t, "webhook", o.address, settings{})
	var processes []*process
	sent := 0
	for sent < events {
		run := p.notify(t, environment)
		processes = append(processes, run)
		run.http()
		before := len(o.taken())
		for range events / 3 {
			sent++
			p.produce(t, p.order(sent))
		}
		eventually(t, "notifications go out", func() bool { return len(o.taken()) > before+random.IntN(events/4) })
		run.kill()
	}
	last := p.notify(t, environment, "--exit-at-end")
	last.ends(0)
	times := map[string]int{}
	for _, id := range o.taken() {
		times[id]++
	}
	doubts := 0
	for _, run := range append(processes, last) {
		doubts += strings.Count(run.stderr.String(), "nothing tells whether a notification was sent")
	}
	twice := len(o.taken()) - len(times)
	t.Logf("seed %d: %d events, %d kills, %d notifications, %d in doubt, %d of them sent twice", seed, sent, len(processes), len(o.taken()), doubts, twice)
	if len(times) != sent {
		t.Errorf("got %d notifications of %d events, want none lost", len(times), sent)
	}
	if twice > doubts {
		t.Errorf("got %d sent a second time, want at most the %d in doubt", twice, doubts)
	}
}

// Ensure a consumer that sends mail does not begin with old records by itself: readiness and one line say how many and how old they are, and
// the start decides.
func TestNotificationWithoutAPositionDoesNotGuess(t *testing.T) {
	t.Parallel()
	o := receiveMail(t, neverHangs)
	p, environment := notifying(t, "smtp", o.address, settings{"topics": settings{"defaults": settings{"retention": "-1"}}})
	for number, age := range []time.Duration{50 * time.Hour, 2 * time.Hour, 0} {
		r := p.order(number)
		r.Timestamp = now().Add(-age)
		p.produce(t, r)
	}
	run := p.notify(t, environment)
	const said = "it has no position, and 2 records lie ahead that are older than 1h0m0s, the oldest 50h0m0s old"
	run.says(said)
	address := run.http()
	if status, text := ask(t, address+"/readyz"); status != 503 || !strings.Contains(text, said) || !strings.Contains(text, "set consumers.notification.start to earliest, latest or a time") {
		t.Errorf("got status %d of readiness, want 503 with the reason and the setting:\n%s", status, text)
	}
	if status, text := ask(t, address+"/healthz"); status != 200 {
		t.Errorf("got status %d of liveness, want 200: to start it anew would help nobody:\n%s", status, text)
	}
	if got := strings.Count(run.stderr.String(), said); got != 1 {
		t.Errorf("got %d lines, want 1", got)
	}
	run.signal(syscall.SIGTERM)
	run.ends(0)
	if got := o.taken(); len(got) != 0 || p.passed(t) != 0 {
		t.Fatalf("got %d mails and %d records passed, want none", len(got), p.passed(t))
	}
	p.rewrite(t, settings{"consumers": settings{"notification": settings{"start": now().Add(-3 * time.Hour).UTC().Format(time.RFC3339)}}})
	p.notify(t, environment, "--exit-at-end").ends(0)
	if got := o.taken(); len(got) != 2 {
		t.Errorf("got %d mails, want 2: those from the start on", len(got))
	}
}
