package main

import (
	"context"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"strconv"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// keyPrefix begins every key, so that a key is the id of an appointment.
const keyPrefix = "apt-"

// sentHeader has the time of sending in nanoseconds, for who measures how long a record was on its way: Kafka's own has milliseconds.
const sentHeader = "bench-sent"

// input describes a topic's records: the same description gives the same records.
type input struct {
	records, keys, partitions int
	distribution              string
	// hot is a key that has this share of all records.
	hot      string
	hotShare float64
}

// sequence returns the keys of an input, one after another.
func (i input) sequence() func() string {
	random := rand.New(rand.NewPCG(1, 2))
	names := make([]string, i.keys)
	for number := range names {
		names[number] = keyPrefix + strconv.Itoa(number)
	}
	skewed := rand.NewZipf(random, 1.1, 1, uint64(i.keys-1))
	next := 0
	return func() string {
		if i.hotShare > 0 && random.Float64() < i.hotShare {
			return i.hot
		}
		switch i.distribution {
		case uniform:
			return names[random.IntN(len(names))]
		case zipf:
			return names[skewed.Uint64()]
		}
		next++
		return names[(next-1)%len(names)]
	}
}

// ends is how many records each partition gets: those of Java's partitioner, which franz-go has too.
func (i input) ends() []int64 {
	ends := make([]int64, i.partitions)
	of := kgo.StickyKeyPartitioner(nil).ForTopic("any")
	known := map[string]int{}
	for next, n := i.sequence(), 0; n < i.records; n++ {
		key := next()
		partition, ok := known[key]
		if !ok {
			partition = of.Partition(&kgo.Record{Key: []byte(key)}, i.partitions)
			known[key] = partition
		}
		ends[partition]++
	}
	return ends
}

// event is one appointment of about 230 bytes, as the platform's own services write it.
func event(key string, number int) []byte {
	value := make([]byte, 0, 256)
	value = append(value, `{"appointmentId":"`...)
	value = append(value, key...)
	value = append(value, `","patientId":"pat-`...)
	value = strconv.AppendInt(value, int64(1000+number%9000), 10)
	value = append(value, `","doctorId":"doc-`...)
	value = strconv.AppendInt(value, int64(10+number%90), 10)
	value = append(value, `","date":"2024-12-25","time":"10:30","reason":"Annual check-up and blood pressure","status":"scheduled","visitType":"in_person","action":"`...)
	value = append(value, [...]string{"created", "updated", "updated", "cancelled"}[number%4]...)
	return append(value, `"}`...)
}

// headers are those of a Spring producer under tracing.
func headers(number int) []kgo.RecordHeader {
	trace := make([]byte, 0, 55)
	trace = fmt.Appendf(trace, "00-%032x-%016x-01", number+1, number+1)
	return []kgo.RecordHeader{{Key: "__TypeId__", Value: []byte(typeID)}, {Key: "traceparent", Value: trace}}
}

const typeID = "com.prantikov.healthcare.event.AppointmentEvent"

// sentAt makes the header of the time of sending.
func sentAt(at time.Time) kgo.RecordHeader {
	return kgo.RecordHeader{Key: sentHeader, Value: binary.BigEndian.AppendUint64(nil, uint64(at.UnixNano()))}
}

// sentTime reads it, 0 for another value.
func sentTime(value []byte) int64 {
	if len(value) != 8 {
		return 0
	}
	return int64(binary.BigEndian.Uint64(value))
}

// newWriter returns the client that writes inputs: the fastest there is, for the input is no part of what is measured.
func newWriter(brokers []string, linger time.Duration) (*kgo.Client, error) {
	client, err := kgo.NewClient(kgo.SeedBrokers(brokers...), kgo.ProducerBatchCompression(kgo.SnappyCompression()), kgo.ProducerLinger(linger),
		kgo.MaxBufferedRecords(50_000), kgo.RecordPartitioner(kgo.StickyKeyPartitioner(nil)), kgo.DisableClientMetrics())
	if err != nil {
		return nil, fmt.Errorf("opening the writer of the input: %w", err)
	}
	return client, nil
}

// writeAll writes the whole input to the topic.
func (i input) writeAll(ctx context.Context, brokers []string, topic string) error {
	writer, err := newWriter(brokers, 20*time.Millisecond)
	if err != nil {
		return err
	}
	defer writer.Close()
	var failed firstError
	for next, number := i.sequence(), 0; number < i.records; number++ {
		key := next()
		writer.Produce(ctx, &kgo.Record{Topic: topic, Key: []byte(key), Value: event(key, number), Headers: headers(number)}, failed.keep)
	}
	if err := writer.Flush(ctx); err != nil {
		return fmt.Errorf("writing the input: %w", err)
	}
	return failed.err()
}

// firstError keeps the first error of many sends.
type firstError struct {
	mu    sync.Mutex
	first error
}

func (f *firstError) keep(_ *kgo.Record, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.first == nil && err != nil {
		f.first = fmt.Errorf("writing the input: %w", err)
	}
}

func (f *firstError) err() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.first
}
