package kafka_test

import (
	"context"
	"encoding/binary"
	"hash/crc32"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/prantikov/millrace/kafka"
	"github.com/prantikov/millrace/kafka/kafkatest"
)

const (
	plain = int16(0)
	gzip  = int16(1)
	zstd  = int16(4)
)

// bomb is a batch's records that grow from 13 KB to 400 MiB: runs of one byte.
func bomb() []byte {
	const block, blocks = 128 << 10, 3200
	// A frame with a window of 8 MiB and the content's size in its header.
	frame := []byte{0x28, 0xB5, 0x2F, 0xFD, 0x80, 13 << 3}
	frame = binary.LittleEndian.AppendUint32(frame, block*blocks)
	for i := range blocks {
		header := uint32(block<<3 | 1<<1)
		if i == blocks-1 {
			header |= 1
		}
		frame = append(frame, byte(header), byte(header>>8), byte(header>>16), 0)
	}
	return frame
}

// writeBatch appends a batch that says to have so many records in these bytes.
func writeBatch(t *testing.T, broker, topic string, partition int32, attributes int16, count int32, records []byte) {
	t.Helper()
	batch := kmsg.RecordBatch{
		Length: int32(49 + len(records)), PartitionLeaderEpoch: -1, Magic: 2, Attributes: attributes, LastOffsetDelta: count - 1,
		FirstTimestamp: time.Now().UnixMilli(), MaxTimestamp: time.Now().UnixMilli(), ProducerID: -1, ProducerEpoch: -1, FirstSequence: -1,
		NumRecords: count, Records: records,
	}
	const crcAt, summedFrom = 17, 21
	raw := batch.AppendTo(nil)
	binary.BigEndian.PutUint32(raw[crcAt:], crc32.Checksum(raw[summedFrom:], crc32.MakeTable(crc32.Castagnoli)))
	asked := kmsg.NewProduceRequestTopicPartition()
	asked.Partition, asked.Records = partition, raw
	inTopic := kmsg.NewProduceRequestTopic()
	inTopic.Topic, inTopic.Partitions = topic, append(inTopic.Partitions, asked)
	request := kmsg.NewPtrProduceRequest()
	request.Acks, request.TimeoutMillis, request.Topics = -1, 10_000, append(request.Topics, inTopic)
	ctx, cancel := context.WithTimeout(context.Background(), kafkatest.Patience)
	defer cancel()
	response, err := request.RequestWith(ctx, kafkatest.Client(t, broker, oldVersions()))
	if err != nil {
		t.Fatal(err)
	}
	if answered := response.Topics[0].Partitions[0]; answered.ErrorCode != 0 {
		t.Fatalf("writing a batch: error code %d", answered.ErrorCode)
	}
}

// trouble collects gaps and the alarms of partitions.
type trouble struct {
	mu     sync.Mutex
	gaps   []kafka.Gap
	alarms []partitionAlarm
}

type partitionAlarm struct {
	kind      kafka.AlarmKind
	partition int32
	on        bool
	text      string
}

func (s *trouble) hooks() kafka.Hooks {
	return kafka.Hooks{
		Gap: func(_ context.Context, g kafka.Gap) error {
			s.mu.Lock()
			defer s.mu.Unlock()
			s.gaps = append(s.gaps, g)
			return nil
		},
		Alarm: func(kind kafka.AlarmKind, topic string, partition int32, on bool, text string) {
			s.mu.Lock()
			defer s.mu.Unlock()
			if topic != "" {
				s.alarms = append(s.alarms, partitionAlarm{kind, partition, on, text})
			}
		},
	}
}

func (s *trouble) seenGaps() []gap {
	s.mu.Lock()
	defer s.mu.Unlock()
	var gaps []gap
	for _, g := range s.gaps {
		gaps = append(gaps, gap{g.Partition, g.From, g.To})
	}
	return gaps
}

// on says whether the last that was said of the kind's alarm is that it is on, and with which text.
func (s *trouble) on(kind kafka.AlarmKind, partition int32) (bool, string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, a := range slices.Backward(s.alarms) {
		if a.kind == kind && a.partition == partition {
			return a.on, a.text
		}
	}
	return false, ""
}

func TestBatchThatCannotBeReadHoldsItsPartitionAlone(t *testing.T) {
	t.Parallel()
	const partitions, before, bad, behind = 3, 5, 10, 7
	broker := kafkatest.Cluster(t).ListenAddrs()[0] // a real broker refuses such batches
	topic, group := kafkatest.Topic(t, broker, partitions), kafkatest.Name(t)
	write(t, broker, topic, partitions, before)
	writeBatch(t, broker, topic, 0, zstd, bad, bomb())
	write(t, broker, topic, partitions, behind)
	var handled ledger
	var seen trouble
	batches(t, open(t, kafka.SubscriberSettings{
		Kafka: quick(broker), Group: group, Topics: []string{topic}, Hooks: seen.hooks(), StalledAfter: 200 * time.Millisecond,
	}), topic, handled.handleAll)

	kafkatest.Eventually(t, "the other partitions are handled", func() bool { return handled.count() == before+(partitions-1)*(before+behind) })
	kafkatest.Eventually(t, "the alarm is on", func() bool { on, _ := seen.on(kafka.AlarmUnreadable, 0); return on })
	if _, text := seen.on(kafka.AlarmUnreadable, 0); !strings.Contains(text, "offset 5 ") {
		t.Errorf("alarm: got %q, want one that names offset 5", text)
	}
	write(t, broker, topic, partitions, behind)
	kafkatest.Eventually(t, "the other partitions go on", func() bool { return handled.count() == before+(partitions-1)*(before+2*behind) })
	handled.wantPartition(t, topic, 0, upTo(before))
	kafkatest.Eventually(t, "what was handled is committed", func() bool { return committed(t, broker, group, topic, 0) == before })
	if gaps := seen.seenGaps(); gaps != nil {
		t.Errorf("gaps while the partition is held: got %v, want none", gaps)
	}

	deleteRecords(t, broker, topic, 0, before+bad)
	kafkatest.Eventually(t, "the partition goes on when the log has lost the batch", func() bool {
		return handled.count() == before+2*behind+(partitions-1)*(before+2*behind)
	})
	if got, want := seen.seenGaps(), []gap{{0, before, before + bad}}; !slices.Equal(got, want) {
		t.Errorf("gaps: got %v, want %v", got, want)
	}
	if on, _ := seen.on(kafka.AlarmUnreadable, 0); on {
		t.Error("the alarm is on, want it over")
	}
}

func TestBatchThatCannotBeReadIsPassedWhereThatIsAllowed(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name       string
		attributes int16
		records    []byte
		// reason is what the gap's reason must have in it.
		reason string
	}{
		{name: "it grows too large", attributes: zstd, records: bomb(), reason: "decompressed to more than"},
		{name: "it is no gzip", attributes: gzip, records: []byte("what is this"), reason: "gzip"},
		{name: "it has fewer records than it says", attributes: plain, records: make([]byte, 30), reason: "offset 5"},
		{name: "its first record is longer than it", attributes: plain, records: append([]byte{0xFE, 0xFF, 0xFF, 0xFF, 0x0F}, make([]byte, 40)...), reason: "offset 5"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			const partitions, before, bad, behind = 2, 5, 10, 7
			broker := kafkatest.Cluster(t).ListenAddrs()[0] // a real broker refuses such batches
			topic, group := kafkatest.Topic(t, broker, partitions), kafkatest.Name(t)
			write(t, broker, topic, partitions, before)
			writeBatch(t, broker, topic, 0, test.attributes, bad, test.records)
			settings := quick(broker)
			settings.Unreadable = "skip"
			var handled ledger
			var seen trouble
			batches(t, open(t, kafka.SubscriberSettings{
				Kafka: settings, Group: group, Topics: []string{topic}, Hooks: seen.hooks(), StalledAfter: 200 * time.Millisecond,
			}), topic, handled.handleAll)
			kafkatest.Eventually(t, "the batch is passed at the end of the log", func() bool { return committed(t, broker, group, topic, 0) == before+bad })
			write(t, broker, topic, partitions, behind)
			kafkatest.Eventually(t, "all others are handled", func() bool { return handled.count() == partitions*(before+behind) })
			handled.wantPartition(t, topic, 0, append(upTo(before), upTo(before + bad + behind)[before+bad:]...))
			handled.wantPartition(t, topic, 1, upTo(before+behind))
			kafkatest.Eventually(t, "the end is committed", func() bool { return committed(t, broker, group, topic, 0) == before+bad+behind })
			if got, want := seen.seenGaps(), []gap{{0, before, before + bad}}; !slices.Equal(got, want) {
				t.Errorf("gaps: got %v, want %v", got, want)
			}
			if got := seen.gaps[0].Reason; !strings.Contains(got, test.reason) {
				t.Errorf("reason: got %q, want %q in it", got, test.reason)
			}
			if on, _ := seen.on(kafka.AlarmUnreadable, 0); on {
				t.Error("the alarm is on, want it over")
			}
		})
	}
}
