package deadletter

import (
	"cmp"
	"slices"
	"time"

	"github.com/prantikov/millrace/record"
)

// Filter chooses dead letters. Each field that is set must fit; the zero value chooses all.
type Filter struct {
	// Consumer is the name in [Entry.Consumer].
	Consumer string
	Class    record.Class
	// Topic is the dead-letter topic or the one that the record was on first.
	Topic string
	// Key is the record's whole key.
	Key string
	// Since drops what was given up before.
	Since time.Time
	// State is how far the letter is on its way home.
	State State
	// Limit bounds how many entries [Browser.List] returns, the newest ones; 0 for all. [Browser.Summary] counts all.
	Limit int
}

func (f Filter) fits(e Entry, r *record.Record) bool {
	return (f.Consumer == "" || f.Consumer == e.Consumer) &&
		(f.Class == "" || f.Class == e.Class) &&
		(f.State == "" || f.State == e.State) &&
		(f.Topic == "" || f.Topic == e.Topic || f.Topic == e.Original.Topic) &&
		(f.Key == "" || f.Key == string(r.Key)) &&
		(f.Since.IsZero() || !e.When().Before(f.Since))
}

// newestFirst sorts entries by the time at which they were given up; those of one time and partition by their place in the log.
func newestFirst(entries []Entry) {
	slices.SortFunc(entries, func(a, b Entry) int {
		return cmp.Or(
			b.When().Compare(a.When()),
			cmp.Compare(a.Topic, b.Topic),
			cmp.Compare(a.Partition, b.Partition),
			cmp.Compare(b.Offset, a.Offset),
		)
	})
}

// newest keeps the newest entries of all that it is given, in the memory of twice as many.
type newest struct {
	limit   int
	entries []Entry
}

func (n *newest) add(e Entry) {
	n.entries = append(n.entries, e)
	if n.limit > 0 && len(n.entries) >= 2*n.limit {
		n.cut()
	}
}

func (n *newest) cut() {
	newestFirst(n.entries)
	if n.limit > 0 && len(n.entries) > n.limit {
		n.entries = n.entries[:n.limit]
	}
}
