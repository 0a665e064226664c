//go:build unix && kafka

package integration_test

import (
	"fmt"
	"strings"
	"testing"
)

// listenWithKcat is a listener of kcat, the client of librdkafka.
func listenWithKcat(t testing.TB, j *journalPlatform, consumer string, records int) []entry {
	t.Helper()
	topic := j.topics[journeys[2].topic]
	said := j.kcat(t, "", "-G", j.groups[consumer], "-c", fmt.Sprint(records), "-q", "-u", "-X", "auto.offset.reset=earliest",
		"-X", "enable.auto.commit=true", "-f", "%k %p %o\\n", topic)
	var handled []entry
	for line := range strings.Lines(said) {
		e := entry{at: position{topic: topic}}
		if _, err := fmt.Sscanf(line, "%s %d %d\n", &e.entity, &e.at.partition, &e.at.offset); err != nil {
			t.Fatalf("reading what kcat says %q: %v", line, err)
		}
		handled = append(handled, e)
	}
	if len(handled) != records {
		t.Fatalf("kcat handled %d records, want %d", len(handled), records)
	}
	return handled
}

// Ensure the same of a listener of librdkafka.
func TestAGroupMovesBetweenKcatAndAConsumer(t *testing.T) {
	t.Parallel()
	for _, consumer := range []string{"journal", "journal-lines"} {
		t.Run(consumer, func(t *testing.T) {
			t.Parallel()
			checkMoves(t, consumer, listenWithKcat)
		})
	}
}
