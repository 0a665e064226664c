package kafka_test

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"

	"github.com/prantikov/millrace/kafka"
	"github.com/prantikov/millrace/kafka/kafkatest"
	"github.com/prantikov/millrace/record"
)

func reader(t *testing.T, broker string) *kafka.Reader {
	t.Helper()
	r, err := kafka.NewReader(t.Context(), kafkatest.Settings(broker))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = r.Close() })
	return r
}

// numbered returns count records of a partition with the values prefix0, prefix1 and so on.
func numbered(topic string, partition int32, prefix string, count int) []*record.Record {
	records := make([]*record.Record, count)
	for i := range records {
		records[i] = &record.Record{Position: record.Position{Topic: topic, Partition: partition}, Value: fmt.Append(nil, prefix, i)}
	}
	return records
}

// values reads the range and returns the values by partition.
func values(t *testing.T, r *kafka.Reader, wanted kafka.Range) map[int32][]string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), kafkatest.Patience)
	defer cancel()
	read := map[int32][]string{}
	for got, err := range r.Read(ctx, wanted) {
		if err != nil {
			t.Fatal(err)
		}
		read[got.Partition] = append(read[got.Partition], string(got.Value))
	}
	return read
}

func TestReadReturnsEveryRecordOfEveryPartitionInOrder(t *testing.T) {
	t.Parallel()
	broker := kafkatest.Broker(t)
	topic := kafkatest.Topic(t, broker, 3)
	want := map[int32][]string{}
	for partition := range int32(3) {
		records := numbered(topic, partition, "v", 500)
		kafkatest.Produce(t, broker, records...)
		for _, r := range records {
			want[partition] = append(want[partition], string(r.Value))
		}
	}
	if got := values(t, reader(t, broker), kafka.Range{Topic: topic}); !reflect.DeepEqual(got, want) {
		t.Errorf("got %d, %d and %d records, want 500 of each in order", len(got[0]), len(got[1]), len(got[2]))
	}
}

func TestReadKeepsRecordsExactly(t *testing.T) {
	t.Parallel()
	broker := kafkatest.Broker(t)
	topic := kafkatest.Topic(t, broker, 1, "retention.ms", "-1")
	at := time.UnixMilli(1735120000123).UTC()
	records := []*record.Record{
		{Timestamp: at, Key: []byte("k"), Value: []byte("v"), Headers: []record.Header{{Key: "h", Value: []byte("1")}, {Key: "n"}, {Key: "h", Value: []byte{}}}},
		{Timestamp: at.Add(time.Hour), Headers: []record.Header{}},
		{Timestamp: at.Add(-time.Hour), Key: []byte{}, Value: []byte{}, Headers: []record.Header{}},
	}
	for i, r := range records {
		r.Topic = topic
		r.Offset = int64(i)
	}
	kafkatest.Produce(t, broker, records...)
	var got []*record.Record
	for r, err := range reader(t, broker).Read(t.Context(), kafka.Range{Topic: topic}) {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, r)
	}
	if !reflect.DeepEqual(got, records) {
		t.Errorf("got %+v\nwant %+v", got, records)
	}
}

func TestReadKeepsToItsBounds(t *testing.T) {
	t.Parallel()
	broker := kafkatest.Broker(t)
	topic := kafkatest.Topic(t, broker, 2, "retention.ms", "-1")
	begin := time.UnixMilli(1735120000000)
	for partition := range int32(2) {
		records := numbered(topic, partition, "v", 10)
		for i, r := range records {
			r.Timestamp = begin.Add(time.Duration(i) * time.Second)
		}
		kafkatest.Produce(t, broker, records...)
	}
	cases := map[string]struct {
		wanted kafka.Range
		want   map[int32][]string
	}{
		"from an offset to before another": {
			kafka.Range{Partitions: []int32{0}, From: map[int32]int64{0: 3}, To: map[int32]int64{0: 5}}, map[int32][]string{0: {"v3", "v4"}},
		},
		"from a time": {
			kafka.Range{Since: begin.Add(8 * time.Second)}, map[int32][]string{0: {"v8", "v9"}, 1: {"v8", "v9"}},
		},
		"after everything":                {kafka.Range{Since: begin.Add(time.Hour)}, map[int32][]string{}},
		"from the end":                    {kafka.Range{Partitions: []int32{1}, From: map[int32]int64{1: 10}}, map[int32][]string{}},
		"beyond the end":                  {kafka.Range{Partitions: []int32{1}, From: map[int32]int64{1: 99}}, map[int32][]string{}},
		"a partition that does not exist": {kafka.Range{Partitions: []int32{7}, From: map[int32]int64{7: 0}}, map[int32][]string{}},
	}
	r := reader(t, broker)
	for name, test := range cases {
		t.Run(name, func(t *testing.T) {
			test.wanted.Topic = topic
			if got := values(t, r, test.wanted); !reflect.DeepEqual(got, test.want) {
				t.Errorf("got %v, want %v", got, test.want)
			}
		})
	}
}

func TestReadEndsBehindWhatNobodyMaySee(t *testing.T) {
	t.Parallel()
	broker := kafkatest.Broker(t)
	topic := kafkatest.Topic(t, broker, 1)
	kafkatest.Produce(t, broker, numbered(topic, 0, "plain", 2)...)
	kafkatest.ProduceTransaction(t, broker, false, numbered(topic, 0, "aborted", 3)...)
	kafkatest.ProduceTransaction(t, broker, true, numbered(topic, 0, "committed", 2)...)
	kafkatest.ProduceTransaction(t, broker, false, numbered(topic, 0, "aborted", 3)...)

	r := reader(t, broker)
	want := []string{"plain0", "plain1", "committed0", "committed1"}
	if got := values(t, r, kafka.Range{Topic: topic})[0]; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	ends, err := r.Ends(t.Context(), topic)
	if err != nil {
		t.Fatal(err)
	}
	// 2 plain, 3 aborted and a marker, 2 committed and a marker, 3 aborted and a marker.
	cases := map[string]struct {
		offset, end int64
		want        bool
	}{
		"at the start":                     {0, -1, false},
		"before a record behind a marker":  {2, -1, false},
		"before the last record":           {7, -1, false},
		"before a marker":                  {8, -1, true},
		"among what was aborted":           {10, ends[0], true},
		"at the end":                       {ends[0], -1, true},
		"up to the first aborted record":   {2, 6, true},
		"up to behind a committed record":  {2, 7, false},
		"from the end of the plain to it":  {2, 2, true},
		"beyond the end":                   {ends[0] + 5, -1, true},
		"an end that is not reached there": {8, ends[0] + 5, false},
	}
	for name, test := range cases {
		t.Run(name, func(t *testing.T) {
			got, err := r.AtEnd(t.Context(), record.Position{Topic: topic, Offset: test.offset}, test.end)
			if err != nil || got != test.want {
				t.Errorf("got %v and error %v, want %v", got, err, test.want)
			}
		})
	}
}

func TestReadEndsAtAHoleOfCompaction(t *testing.T) {
	t.Parallel()
	cluster := kafkatest.Cluster(t)
	broker := cluster.ListenAddrs()[0]
	kafkatest.CreateTopic(t, broker, "t", 1, "cleanup.policy", "compact", "segment.ms", "1", "min.cleanable.dirty.ratio", "0")
	for i := range 20 {
		kafkatest.Produce(t, broker, &record.Record{Position: record.Position{Topic: "t"}, Key: []byte("same"), Value: fmt.Append(nil, i)})
	}
	cluster.Compact()
	got := values(t, reader(t, broker), kafka.Range{Topic: "t"})[0]
	if len(got) == 0 || len(got) > 20 || got[len(got)-1] != "19" {
		t.Errorf("got %q, want what compaction left, the last one of which is 19", got)
	}
}

func TestReadGoesOnBehindWhatRetentionDeleted(t *testing.T) {
	t.Parallel()
	cluster := kafkatest.Cluster(t, kfake.SeedTopics(1, "t"))
	broker := cluster.ListenAddrs()[0]
	kafkatest.Produce(t, broker, numbered("t", 0, "v", 5)...)
	if err := cluster.DeleteRecords("t", 0, 3); err != nil {
		t.Fatal(err)
	}
	got := values(t, reader(t, broker), kafka.Range{Topic: "t", From: map[int32]int64{0: 0}})[0]
	if want := []string{"v3", "v4"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestReadSurvivesAMovedLeader(t *testing.T) {
	t.Parallel()
	cluster := kafkatest.Cluster(t, kfake.NumBrokers(3), kfake.SeedTopics(1, "t"))
	broker := cluster.ListenAddrs()[0]
	kafkatest.Produce(t, broker, numbered("t", 0, "v", 5)...)
	r := reader(t, broker)
	values(t, r, kafka.Range{Topic: "t"})
	if err := cluster.MoveTopicPartition("t", 0, (cluster.LeaderFor("t", 0)+1)%3); err != nil {
		t.Fatal(err)
	}
	read := values(t, r, kafka.Range{Topic: "t", From: map[int32]int64{0: 1}, To: map[int32]int64{0: 5}})
	if got := len(read[0]); got != 4 {
		t.Errorf("got %d records, want 4", got)
	}
}

func TestReadEndsWhenItsReaderHasEnough(t *testing.T) {
	t.Parallel()
	broker := kafkatest.Broker(t)
	topic := kafkatest.Topic(t, broker, 3)
	for partition := range int32(3) {
		kafkatest.Produce(t, broker, numbered(topic, partition, "v", 100)...)
	}
	count := 0
	for range reader(t, broker).Read(t.Context(), kafka.Range{Topic: topic}) {
		if count++; count == 5 {
			break
		}
	}
	if count != 5 {
		t.Errorf("got %d records, want 5", count)
	}
}

func TestReadTakesLargeRecords(t *testing.T) {
	t.Parallel()
	broker := kafkatest.Broker(t)
	topic := kafkatest.Topic(t, broker, 1, "max.message.bytes", "7340032")
	kafkatest.Produce(t, broker,
		&record.Record{Position: record.Position{Topic: topic}, Value: make([]byte, 5<<20)},
		&record.Record{Position: record.Position{Topic: topic}, Value: []byte("small")})
	got := values(t, reader(t, broker), kafka.Range{Topic: topic})[0]
	if len(got) != 2 || len(got[0]) != 5<<20 || got[1] != "small" {
		t.Errorf("got %d records, want one of 5 MiB and a small one", len(got))
	}
}

func TestRecordIsReadByPosition(t *testing.T) {
	t.Parallel()
	broker := kafkatest.Broker(t)
	topic := kafkatest.Topic(t, broker, 2)
	kafkatest.Produce(t, broker, numbered(topic, 1, "v", 3)...)
	r := reader(t, broker)
	got, err := r.Record(t.Context(), record.Position{Topic: topic, Partition: 1, Offset: 2})
	if err != nil || string(got.Value) != "v2" {
		t.Errorf("got %v and error %v, want v2", got, err)
	}
	for _, at := range []record.Position{{Topic: topic, Partition: 1, Offset: 3}, {Topic: topic, Partition: 5, Offset: 0}} {
		if _, err := r.Record(t.Context(), at); !errors.Is(err, kafka.ErrNoRecord) {
			t.Errorf("got error %v of %s, want %v", err, at, kafka.ErrNoRecord)
		}
	}
	if _, err := r.Record(t.Context(), record.Position{Topic: kafkatest.Name(t)}); !errors.Is(err, kafka.ErrNoTopic) {
		t.Errorf("got error %v, want %v", err, kafka.ErrNoTopic)
	}
}

func TestLagOfAGroup(t *testing.T) {
	t.Parallel()
	broker := kafkatest.Broker(t)
	topic := kafkatest.Topic(t, broker, 4)
	group := kafkatest.Name(t)
	kafkatest.Produce(t, broker, numbered(topic, 0, "v", 5)...)
	kafkatest.Produce(t, broker, numbered(topic, 1, "v", 5)...)
	kafkatest.ProduceTransaction(t, broker, true, numbered(topic, 2, "v", 5)...)
	kafkatest.Commit(t, broker, group, record.Position{Topic: topic, Partition: 0, Offset: 3})
	// The marker of the transaction stands at 5; a real broker writes it a moment later.
	kafkatest.Eventually(t, "the transaction has ended", func() bool {
		ends, err := reader(t, broker).Ends(t.Context(), topic)
		return err == nil && ends[2] == 6
	})
	kafkatest.Commit(t, broker, group, record.Position{Topic: topic, Partition: 2, Offset: 5})

	got, err := reader(t, broker).Lag(t.Context(), []kafka.Watched{{Consumer: "c", Group: group, Topics: []string{topic}}})
	if err != nil {
		t.Fatal(err)
	}
	want := []kafka.Lag{
		{Consumer: "c", Topic: topic, Partition: 0, Committed: 3, End: 5, Lag: 2},
		{Consumer: "c", Topic: topic, Partition: 1, Committed: -1, End: 5, Lag: 5},
		{Consumer: "c", Topic: topic, Partition: 2, Committed: 5, End: 6, Lag: 0},
		{Consumer: "c", Topic: topic, Partition: 3, Committed: -1, End: 0, Lag: 0},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v\nwant %+v", got, want)
	}
}
