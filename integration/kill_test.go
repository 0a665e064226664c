//go:build unix

package integration_test

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/prantikov/millrace/kafka/kafkatest"
)

// Ensure kill -9 at any moment loses nothing, and that nothing of it shows in the store and the files. On a real Kafka some of the kills come
// while the process still waits for its groups. The embedded broker does not get over that: it never gives up a member whose connection was gone
// before its place in the group was told. With watermill-kafka, which joins once per topic, that takes it long also after a kill under load.
func TestKilledUnderLoadNothingIsLostAndNothingDoubled(t *testing.T) {
	t.Parallel()
	kills := 3
	if soak() {
		kills = 50
	}
	engines := []string{"millrace"}
	if kafkatest.Real() {
		engines = append(engines, "watermill")
	}
	for _, engine := range engines {
		t.Run(engine, func(t *testing.T) {
			t.Parallel()
			seed := uint64(time.Now().UnixNano())
			random := rand.New(rand.NewPCG(seed, 0))
			p := newPlatform(t, anyBroker(t), settings{"kafka": settings{"engine": engine}})
			p.provision(t)
			load := startLoad(t, p)
			for kill := range kills {
				run := p.start(t, "run")
				if kill%3 == 1 && p.broker.others {
					run.http()
				} else {
					underLoad(t, p, run)
				}
				load.more(t, random.Int64N(1500))
				run.kill()
			}
			sent := load.stop(t)
			p.finish(t)
			l := settle(t, p).report(fmt.Sprintf("engine %s, %d kills, %d events, seed %d", engine, kills, sent, seed))
			if len(l.log) != sent {
				t.Errorf("got %d records on the log, want the %d that were sent", len(l.log), sent)
			}
		})
	}
}
