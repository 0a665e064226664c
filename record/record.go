// Package record owns one Kafka record as it is passed on, and a batch of records with the outcome of each.
// It never decodes a value and never imports a client or another package of ours.
package record

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Position is where a record stands in the log.
type Position struct {
	Topic     string
	Partition int32
	Offset    int64
}

// String returns topic/partition/offset, the form in which a position is shown and read everywhere.
func (p Position) String() string {
	var memory [128]byte
	text := append(append(memory[:0], p.Topic...), '/')
	text = append(strconv.AppendInt(text, int64(p.Partition), 10), '/')
	return string(strconv.AppendInt(text, p.Offset, 10))
}

// ParsePosition reads what [Position.String] writes. It returns an error that quotes text when that is not
// topic/partition/offset with a partition and an offset of at least 0.
func ParsePosition(text string) (Position, error) {
	parts := strings.Split(text, "/")
	if len(parts) == 3 && parts[0] != "" {
		partition, errPartition := strconv.ParseInt(parts[1], 10, 32)
		offset, errOffset := strconv.ParseInt(parts[2], 10, 64)
		if errPartition == nil && errOffset == nil && partition >= 0 && offset >= 0 {
			return Position{Topic: parts[0], Partition: int32(partition), Offset: offset}, nil
		}
	}
	return Position{}, fmt.Errorf("reading position %q: want TOPIC/PARTITION/OFFSET", text)
}

// Header is one header of a record. Kafka keeps headers in order and lets a key repeat, so do we.
type Header struct {
	Key string
	// Value is nil for a null header, which is not the same as an empty one.
	Value []byte
}

// Record is one record of the log, with everything that must be the same when it is passed on.
// It is not changed after it was made; its slices are shared.
type Record struct {
	Position
	// Timestamp has milliseconds, as Kafka has.
	Timestamp time.Time
	// Key is nil for a record without a key, which is not the same as an empty one.
	Key []byte
	// Value is nil for a tombstone, which is not the same as an empty value.
	Value []byte
	// Headers are in the order of the wire.
	Headers []Header
}

// Header returns the value of the last header with this key, as Spring's @Header binds it.
func (r *Record) Header(key string) (value []byte, ok bool) {
	for i := len(r.Headers) - 1; i >= 0; i-- {
		if r.Headers[i].Key == key {
			return r.Headers[i].Value, true
		}
	}
	return nil, false
}

// cloudEventIDs are the names under which a CloudEvents id travels: the Kafka binding's, then those of older Spring lines.
var cloudEventIDs = [...]string{"ce_id", "ce-id", "cloudEvents:id", "cloudEvents_id"}

// ID is what names the event: the CloudEvents id when its producer set one, else the position.
func (r *Record) ID() string {
	if slices.ContainsFunc(r.Headers, isCloudEventID) {
		for _, key := range cloudEventIDs {
			if value, ok := r.Header(key); ok && len(value) > 0 {
				return string(value)
			}
		}
	}
	return r.Position.String()
}

func isCloudEventID(header Header) bool {
	return len(header.Key) > 0 && header.Key[0] == 'c' && slices.Contains(cloudEventIDs[:], header.Key)
}

// Size is what the record weighs in memory: key, value and headers in bytes.
func (r *Record) Size() int {
	size := len(r.Key) + len(r.Value)
	for _, header := range r.Headers {
		size += len(header.Key) + len(header.Value)
	}
	return size
}

// Clone returns the same record in memory of its own. What a client reads shares the memory of everything that it read with it.
func (r *Record) Clone() *Record {
	clone := *r
	size := 0
	for _, header := range r.Headers {
		size += len(header.Value)
	}
	// One allocation for all; the capacity keeps one part from growing into the next.
	memory := make([]byte, 0, size+len(r.Key)+len(r.Value))
	keep := func(part []byte) []byte {
		if part == nil {
			return nil
		}
		from := len(memory)
		memory = append(memory, part...)
		return memory[from:len(memory):len(memory)]
	}
	clone.Key, clone.Value = keep(r.Key), keep(r.Value)
	clone.Headers = slices.Clone(r.Headers)
	for i, header := range clone.Headers {
		clone.Headers[i].Value = keep(header.Value)
	}
	return &clone
}

// ContextKey is the key under which a context carries its record.
type ContextKey struct{}

// NewContext returns a context that carries the record to whoever handles its message.
func NewContext(ctx context.Context, r *Record) context.Context {
	return context.WithValue(ctx, ContextKey{}, r)
}

// FromContext returns the record that [NewContext] put in, or nil.
func FromContext(ctx context.Context) *Record {
	r, _ := ctx.Value(ContextKey{}).(*Record)
	return r
}
