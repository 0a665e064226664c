//go:build unix && kafka_secure

package integration_test

import (
	"strings"
	"testing"
)

// testLeastRights takes each right of the list away, one at a time, and wants the program to fail at its start with a sentence that names it.
// With all of them it works, so the list is what is needed: nothing less, nothing more.
func testLeastRights(t *testing.T, k *secured) {
	p := newPlatform(t, k.broker, k.plain(t))
	// One consumer is enough to have every kind of right, and topics that nobody reads.
	alone := settings{"consumers": settings{}}
	for consumer := range p.groups {
		alone["consumers"].(settings)[consumer] = settings{"enabled": consumer == "orders"}
	}
	p.rewrite(t, alone)
	rights := p.rights(t)
	k.give(t, rights...)
	for _, missing := range rights {
		t.Run(strings.ReplaceAll(missing.String(), p.word, ""), func(t *testing.T) {
			if missing.Operation == "Create" {
				// It is needed for a topic that is not there.
				k.remove(t, missing.Name)
			} else {
				p.provision(t)
			}
			k.take(t, missing)
			defer k.give(t, missing)
			run := p.start(t, "run", "--exit-at-end")
			run.failsInOneSentence(missing.String(), "millrace acls")
			if strings.Contains(run.verdict(), "\n") {
				t.Errorf("got %q, want one line", run.verdict())
			}
		})
	}
	p.produce(t, p.load().bad(&journeys[2], "ord-1", journeys[2].steps[0], 0))
	p.execute(t, "run", "--exit-at-end").ends(0)
	if letters := p.broker.read(t, p.topics["order-events"]+"-dlt"); len(letters) != 1 {
		t.Errorf("got %d dead letters, want 1", len(letters))
	}
	p.execute(t, "lag").ends(0)
	testUnneededRights(t, k, p, rights)
}

// testUnneededRights wants every missing right in one sentence, and those of a command that needs others.
func testUnneededRights(t *testing.T, k *secured, p *platform, rights []right) {
	t.Helper()
	k.take(t, rights...)
	defer k.give(t, rights...)
	p.start(t, "lag").failsInOneSentence("Describe on Topic", "millrace acls")
	p.start(t, "topics", "plan").failsInOneSentence("Describe on Topic", "millrace acls")
	p.start(t, "publish", "order-events", "--sample", "created").failsInOneSentence("Describe on Topic", "millrace acls")
	var forRun []right
	for _, one := range rights {
		if one.Operation != "Read" && one.Operation != "Write" {
			forRun = append(forRun, one)
			continue
		}
		// What Read and Write would allow as well is needed to see the topic.
		one.Operation = "Describe"
		forRun = append(forRun, one)
	}
	k.give(t, forRun...)
	defer k.take(t, forRun...)
	var words []string
	for _, one := range rights {
		if one.Operation == "Read" || one.Operation == "Write" {
			words = append(words, one.String())
		}
	}
	p.start(t, "run").failsInOneSentence(words...)
}
