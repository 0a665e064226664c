package kafka_test

import (
	"bytes"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/twmb/franz-go/pkg/kadm"

	"github.com/prantikov/millrace/kafka"
	"github.com/prantikov/millrace/kafka/kafkatest"
)

// lockedBuffer is a log that is read while it is written.
type lockedBuffer struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (b *lockedBuffer) Write(part []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(part)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}

// Ensure what a newer program committed beside a position is not misread: nothing below the position is done again, all above it is, and the
// log says so. An upgrade that rolls, or is taken back, has both programs in one group.
func TestMetadataOfANewerProgramIsLeftAside(t *testing.T) {
	t.Parallel()
	const at, per = 4, 10
	tests := []struct {
		name, metadata string
		want           []int64 // what is handled
		says           bool    // that a newer program wrote it
	}{
		{"a done set of ours is kept", "millrace/1 4 1:BgE", []int64{4, 5, 7, 8, 9}, false},
		{"that of a later version is done again", "millrace/1 4 2:BgE", []int64{4, 5, 6, 7, 8, 9}, true},
		{"that of a later form is done again", "millrace/2 whatever it is", []int64{4, 5, 6, 7, 8, 9}, true},
		{"another client's words are none of ours", "handled by reports at 08:15", []int64{4, 5, 6, 7, 8, 9}, false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			broker := kafkatest.Broker(t)
			topic, group := kafkatest.Topic(t, broker, 1), kafkatest.Name(t)
			write(t, broker, topic, 1, per)
			offsets := kadm.Offsets{}
			offsets.Add(kadm.Offset{Topic: topic, At: at, LeaderEpoch: -1, Metadata: test.metadata})
			if err := kadm.NewClient(kafkatest.Client(t, broker, oldVersions())).CommitAllOffsets(t.Context(), group, offsets); err != nil {
				t.Fatal(err)
			}
			var handled ledger
			var log lockedBuffer
			subscriber := open(t, kafka.SubscriberSettings{
				Kafka: quick(broker), Group: group, Topics: []string{topic}, Logger: slog.New(slog.NewTextHandler(&log, nil)),
			})
			batches(t, subscriber, topic, handled.handleAll)
			kafkatest.Eventually(t, "all is committed", func() bool { return committed(t, broker, group, topic, 0) == per })
			if got := handled.offsets(topic, 0); !slices.Equal(got, test.want) {
				t.Errorf("handled: got %v, want %v", got, test.want)
			}
			if got := strings.Contains(log.String(), "a newer millrace has committed"); got != test.says {
				t.Errorf("said that a newer program wrote it: got %t, want %t in %q", got, test.says, log.String())
			}
		})
	}
}
