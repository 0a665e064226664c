package deadletter

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"time"

	"github.com/prantikov/millrace/kafka"
	"github.com/prantikov/millrace/messages"
	"github.com/prantikov/millrace/record"
)

// Reader reads topics outside any group; [kafka.Reader] is one.
type Reader interface {
	Read(ctx context.Context, wanted kafka.Range) iter.Seq2[*record.Record, error]
	Record(ctx context.Context, at record.Position) (*record.Record, error)
}

var _ Reader = (*kafka.Reader)(nil)

// Topic is a topic whose dead letters are looked at.
type Topic struct {
	// Name is the source topic's name on the brokers, without the suffix.
	Name string
	// Type is what its values are; nil hides them.
	Type messages.Type
}

// Browser looks at dead letters. It changes nothing and belongs to no group. It is safe for concurrent use.
type Browser struct {
	reader Reader
	suffix string
	topics []Topic
	// homes and progress say what became of letters that were given back; without them every letter is dead.
	homes    []Home
	progress Progress
}

// NewBrowser returns a browser of the topics' dead letters; suffix as for [NewWriter].
func NewBrowser(reader Reader, suffix string, topics []Topic) *Browser {
	return &Browser{reader: reader, suffix: cmp.Or(suffix, DefaultSuffix), topics: slices.Clone(topics)}
}

// Follow lets the browser see which letters were given back to these homes, and what became of them. Letters that Spring Kafka wrote for the group
// of a home are its consumer's then. It returns the browser.
func (b *Browser) Follow(progress Progress, homes []Home) *Browser {
	b.progress, b.homes = progress, slices.Clone(homes)
	return b
}

// List returns the dead letters that fit the filter, the newest first. It is never nil without an error.
//
// It reads the dead-letter topics from their beginning: a dead letter keeps the timestamp of its record, so the log has no index of when they
// were written. A dead-letter topic that does not exist yet has none.
func (b *Browser) List(ctx context.Context, f Filter) ([]Entry, error) {
	kept := newest{limit: f.Limit, entries: []Entry{}}
	err := b.each(ctx, func(e Entry, r *record.Record) {
		if f.fits(e, r) {
			kept.add(e)
		}
	})
	if err != nil {
		return nil, err
	}
	kept.cut()
	return kept.entries, nil
}

// Count is how many dead letters one consumer wrote with one class in one hour.
type Count struct {
	Consumer string       `json:"consumer"`
	Class    record.Class `json:"class"`
	// Hour is its beginning, in UTC.
	Hour  time.Time `json:"hour"`
	Count int       `json:"count"`
}

// Summary counts the dead letters that fit the filter: the newest hour first, then by consumer and class. It is never nil without an error.
func (b *Browser) Summary(ctx context.Context, f Filter) ([]Count, error) {
	counted := map[Count]int{}
	err := b.each(ctx, func(e Entry, r *record.Record) {
		if !f.fits(e, r) {
			return
		}
		counted[Count{Consumer: e.Consumer, Class: e.Class, Hour: e.When().UTC().Truncate(time.Hour)}]++
	})
	if err != nil {
		return nil, err
	}
	counts := make([]Count, 0, len(counted))
	for count, number := range counted {
		count.Count = number
		counts = append(counts, count)
	}
	slices.SortFunc(counts, func(a, b Count) int {
		return cmp.Or(b.Hour.Compare(a.Hour), cmp.Compare(a.Consumer, b.Consumer), cmp.Compare(a.Class, b.Class))
	})
	return counts, nil
}

// each reads the dead-letter topics one after another and gives on every letter with its state.
func (b *Browser) each(ctx context.Context, visit func(Entry, *record.Record)) error {
	j, err := b.travelled(ctx)
	if err != nil {
		return err
	}
	return b.letters(ctx, func(e Entry, r *record.Record) {
		e.State, e.Times = j.state(e.Position), j.times(e.Position)
		if home, known := b.homeOf(e); known {
			// A Spring listener's letter says its group, which is the name of a consumer here.
			e.Consumer = home.Consumer
		}
		visit(e, r)
	})
}

// letters reads the dead-letter topics one after another.
func (b *Browser) letters(ctx context.Context, visit func(Entry, *record.Record)) error {
	for _, topic := range b.deadLetterTopics() {
		for r, err := range b.reader.Read(ctx, kafka.Range{Topic: topic}) {
			if errors.Is(err, kafka.ErrNoTopic) {
				break
			}
			if err != nil {
				return fmt.Errorf("listing the dead letters of %q: %w", topic, err)
			}
			e, _ := Parse(r)
			visit(e, r)
		}
	}
	return nil
}

func (b *Browser) deadLetterTopics() []string {
	names := make([]string, len(b.topics))
	for i, topic := range b.topics {
		names[i] = topic.Name + b.suffix
	}
	slices.Sort(names)
	return slices.Compact(names)
}
