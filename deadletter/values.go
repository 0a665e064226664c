package deadletter

import (
	"encoding/binary"
	"math"
	"strconv"
	"time"
)

// binaryNumber reads a number of Spring's headers: big-endian in 4 or 8 bytes, or the decimal text that other programs write in its place. The two
// cannot be mistaken for each other: digits read as binary are a partition above 800 million or an offset above 3 quintillion.
func binaryNumber(value []byte, limit int64) (int64, bool) {
	if number, ok := decimal(value, limit); ok {
		return number, true
	}
	var number int64
	switch len(value) {
	case 4:
		number = int64(int32(binary.BigEndian.Uint32(value)))
	case 8:
		number = int64(binary.BigEndian.Uint64(value))
	default:
		return 0, false
	}
	return number, number >= 0 && number <= limit
}

// decimal reads a number from text: digits alone.
func decimal(value []byte, limit int64) (int64, bool) {
	if len(value) == 0 || len(value) > 19 {
		return 0, false
	}
	for _, b := range value {
		if b < '0' || b > '9' {
			return 0, false
		}
	}
	number, err := strconv.ParseInt(string(value), 10, 64)
	return number, err == nil && number <= limit
}

// bigInteger reads what Java's BigInteger.toByteArray writes: two's complement, as long as it needs to be. Negative ones and those beyond 8 bytes
// are no times.
func bigInteger(value []byte) (int64, bool) {
	if len(value) == 0 || len(value) > 8 || value[0]&0x80 != 0 {
		return 0, false
	}
	var number int64
	for _, b := range value {
		number = number<<8 | int64(b)
	}
	return number, true
}

const (
	maxPartition = math.MaxInt32
	maxOffset    = math.MaxInt64
	maxAttempts  = math.MaxInt32
	maxNameBytes = 256
)

// topicName returns the value when it can be the name of a topic, else nothing: what a header has may be anything and is shown to people.
func topicName(value []byte) string {
	return plain(value, func(b byte) bool { return isWord(b) || b == '.' || b == '-' })
}

// className returns the value when it can be the name of a Java class, else nothing.
func className(value []byte) string {
	return plain(value, func(b byte) bool { return isWord(b) || b == '.' || b == '$' })
}

// name returns the value when it is a name of printable characters without blanks, else nothing.
func name(value []byte) string {
	return plain(value, func(b byte) bool { return b > ' ' && b <= '~' })
}

func plain(value []byte, allowed func(byte) bool) string {
	if len(value) > maxNameBytes {
		return ""
	}
	for _, b := range value {
		if !allowed(b) {
			return ""
		}
	}
	return string(value)
}

func isWord(b byte) bool {
	return b >= 'a' && b <= 'z' || b >= 'A' && b <= 'Z' || b >= '0' && b <= '9' || b == '_'
}

// moment reads a time of our own headers; zero when it is none.
func moment(value []byte) time.Time {
	t, err := time.Parse(time.RFC3339Nano, string(value))
	if err != nil {
		return time.Time{}
	}
	return t.UTC()
}
