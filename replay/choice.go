package replay

import (
	"github.com/prantikov/millrace/messages"
	"github.com/prantikov/millrace/record"
	"github.com/prantikov/millrace/store"
)

// Why a record is not handed over.
const (
	// PassedNotChosen is a record that the replay was not asked for.
	PassedNotChosen = "not chosen"
	// PassedDone is one that the consumer's tables or files have.
	PassedDone = "done already"
	// PassedLive is one that the live consumer has not come to: it is its own.
	PassedLive = "for the live consumer"
)

// Choice chooses records by what is in them. Its zero value chooses all.
type Choice struct {
	// Key is the record's key; nil for any.
	Key *string
	// Action is the event's; empty for any. A record that cannot be read has none.
	Action messages.Action
	// Types are by the topics' names on the brokers.
	Types map[string]messages.Type
}

// Chooses says whether the record is chosen.
func (c Choice) Chooses(r *record.Record) bool {
	if c.Key != nil && *c.Key != string(r.Key) {
		return false
	}
	if c.Action == "" {
		return true
	}
	action, readable := c.actionOf(r)
	return readable && action == c.Action
}

// actionOf reads the action of a record.
func (c Choice) actionOf(r *record.Record) (messages.Action, bool) {
	declared := c.Types[r.Topic]
	if declared == nil {
		return "", false
	}
	contentType, _ := r.Header("content-type")
	payload, err := messages.Payload(r.Value, string(contentType))
	if err != nil {
		return "", false
	}
	decoded, err := declared.Decode(payload)
	if err != nil {
		return "", false
	}
	return decoded.Action, true
}

// Share is which of the chosen records are a replay's to give to one consumer, and which are not.
type Share struct {
	// Applied is what the consumer's tables and files have, by topic and partition; nil for a consumer without a unit of work.
	Applied map[string]map[int32]store.Applied
	// Committed is the position of the consumer's group: what is at it or behind is the live consumer's. Nil where that does not matter.
	Committed map[string]map[int32]int64
}

// Passes names why the record is not given to the consumer; empty gives it.
func (s Share) Passes(r *record.Record) string {
	if s.Committed != nil && r.Offset >= s.Committed[r.Topic][r.Partition] {
		return PassedLive
	}
	if s.Applied == nil {
		return ""
	}
	switch applied := s.Applied[r.Topic][r.Partition]; {
	case applied.Missing(r.Offset):
		return ""
	case applied.Has(r.Offset):
		return PassedDone
	default:
		return PassedLive
	}
}
