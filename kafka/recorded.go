package kafka

import (
	"encoding/binary"
	"net"
	"sync"

	"github.com/IBM/sarama"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// recorder keeps the last answer to a fetch as it came from the broker. Sarama decodes an answer as a whole or not at all, and says of one
// that it cannot decode neither which batch it was nor where that ends; the bytes do. It is for a client that fetches one thing at a time.
type recorder struct {
	dialer dialer

	mu     sync.Mutex
	from   *recordedConn
	answer []byte
}

// recordFetches makes the client of these settings record.
func recordFetches(c *sarama.Config) *recorder {
	r := &recorder{dialer: dialerOf(c, net.Dialer{Timeout: c.Net.DialTimeout, KeepAlive: c.Net.KeepAlive})}
	c.Net.Proxy.Enable, c.Net.Proxy.Dialer = true, r
	return r
}

// Dial implements the client's interface of a proxy.
func (r *recorder) Dial(network, address string) (net.Conn, error) {
	conn, err := r.dialer.Dial(network, address)
	if err != nil {
		return nil, err
	}
	return &recordedConn{Conn: conn, recorder: r}, nil
}

// recordedConn is a connection whose answers to fetches are kept.
type recordedConn struct {
	net.Conn
	recorder *recorder
}

// Write begins the record anew with each fetch: the client writes a request as a whole, its size first, then the kind of request.
func (c *recordedConn) Write(request []byte) (int, error) {
	c.recorder.mu.Lock()
	if len(request) >= 6 && binary.BigEndian.Uint16(request[4:]) == uint16(kmsg.Fetch) {
		c.recorder.from, c.recorder.answer = c, nil
	} else if c.recorder.from == c {
		c.recorder.from = nil
	}
	c.recorder.mu.Unlock()
	return c.Conn.Write(request)
}

func (c *recordedConn) Read(into []byte) (int, error) {
	n, err := c.Conn.Read(into)
	c.recorder.mu.Lock()
	if c.recorder.from == c {
		c.recorder.answer = append(c.recorder.answer, into[:n]...)
	}
	c.recorder.mu.Unlock()
	return n, err
}

// fetched is the last answer to a fetch of one partition, in the given version; false when none came whole.
func (r *recorder) fetched(version int16) (kmsg.FetchResponseTopicPartition, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	// Before the answer stand its size and the number of the request.
	if len(r.answer) < 8 || len(r.answer) < 4+int(binary.BigEndian.Uint32(r.answer)) {
		return kmsg.FetchResponseTopicPartition{}, false
	}
	answer := kmsg.NewPtrFetchResponse()
	answer.Version = version
	if answer.ReadFrom(r.answer[8:]) != nil || len(answer.Topics) != 1 || len(answer.Topics[0].Partitions) != 1 {
		return kmsg.FetchResponseTopicPartition{}, false
	}
	return answer.Topics[0].Partitions[0], true
}

// batchHeader is what stands at the beginning of a batch, in clear also when its records are compressed.
type batchHeader struct {
	first, last int64
	// size is that of the whole batch.
	size int64
	// records are none where compaction left nothing of the batch but its header.
	records int32
}

// headerOf reads the first batch's header; false when there is none of a known format.
func headerOf(batches []byte) (batchHeader, bool) {
	const (
		sizeAt, magicAt, lastDeltaAt, recordsAt, least = 8, 16, 23, 57, 61
	)
	if len(batches) < least || batches[magicAt] != 2 {
		return batchHeader{}, false
	}
	first := int64(binary.BigEndian.Uint64(batches))
	return batchHeader{
		first: first, last: first + int64(int32(binary.BigEndian.Uint32(batches[lastDeltaAt:]))),
		size:    12 + int64(int32(binary.BigEndian.Uint32(batches[sizeAt:]))),
		records: int32(binary.BigEndian.Uint32(batches[recordsAt:])),
	}, true
}
