package demo

import (
	"maps"
	"math/bits"
	"sync"

	"github.com/prantikov/millrace/record"
)

// Ledger is the book of what became of each record for each consumer, by position: four bits for a consumer and a record, half a megabyte
// for a consumer and a million records. Its methods may be called from any goroutine.
type Ledger struct {
	mutex sync.RWMutex
	books map[string]map[topicPartition]*book
}

// Counts is how many records ended how for one consumer. A record that was delivered again counts once, as it ended first.
type Counts struct {
	Done int `json:"done"`
	// Retried counts those of the others that took more than one try.
	Retried      int `json:"retried"`
	DeadLettered int `json:"deadLettered"`
	Skipped      int `json:"skipped"`
}

// book is one consumer's part of the ledger for one partition.
type book struct {
	mutex sync.Mutex
	pages map[int64]*bookPage
}

type bookPage struct{ done, deadLettered, skipped, retried pageWords }

// NewLedger returns an empty ledger.
func NewLedger() *Ledger { return &Ledger{books: map[string]map[topicPartition]*book{}} }

// Observe enters how a record ended for a consumer. Results that are no end, parked and unfinished, are passed over.
func (l *Ledger) Observe(consumer string, p record.Position, result record.Result) {
	if !result.Outcome.Finished() {
		return
	}
	l.book(consumer, topicPartition{p.Topic, p.Partition}).enter(p.Offset, result)
}

func (l *Ledger) book(consumer string, of topicPartition) *book {
	l.mutex.RLock()
	known := l.books[consumer][of]
	l.mutex.RUnlock()
	if known != nil {
		return known
	}
	l.mutex.Lock()
	defer l.mutex.Unlock()
	if l.books[consumer] == nil {
		l.books[consumer] = map[topicPartition]*book{}
	}
	if l.books[consumer][of] == nil {
		l.books[consumer][of] = &book{pages: map[int64]*bookPage{}}
	}
	return l.books[consumer][of]
}

func (b *book) enter(offset int64, result record.Result) {
	number, word, bit := place(offset)
	b.mutex.Lock()
	defer b.mutex.Unlock()
	page := b.pages[number]
	if page == nil {
		page = new(bookPage)
		b.pages[number] = page
	}
	if page.ended(word)&bit != 0 {
		return
	}
	switch result.Outcome {
	case record.Done:
		page.done[word] |= bit
	case record.DeadLettered:
		page.deadLettered[word] |= bit
	case record.Skipped:
		page.skipped[word] |= bit
	}
	if result.Attempts > 1 {
		page.retried[word] |= bit
	}
}

func (p *bookPage) ended(word int) uint64 {
	return p.done[word] | p.deadLettered[word] | p.skipped[word]
}

// Counts returns how the records of a set ended for a consumer, or with a nil set all that were observed.
func (l *Ledger) Counts(consumer string, of *Positions) Counts {
	l.mutex.RLock()
	books := maps.Clone(l.books[consumer])
	l.mutex.RUnlock()
	var counts Counts
	for partition, b := range books {
		// No lock is held while the set takes its own: missing goes the other way.
		for number, page := range b.copied() {
			counts.add(&page, mask(of, partition, number))
		}
	}
	return counts
}

func (b *book) copied() map[int64]bookPage {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	pages := make(map[int64]bookPage, len(b.pages))
	for number, page := range b.pages {
		pages[number] = *page
	}
	return pages
}

func mask(of *Positions, partition topicPartition, number int64) pageWords {
	if of != nil {
		return of.page(partition, number)
	}
	var all pageWords
	for word := range all {
		all[word] = ^uint64(0)
	}
	return all
}

func (c *Counts) add(page *bookPage, of pageWords) {
	for word, wanted := range of {
		c.Done += bits.OnesCount64(page.done[word] & wanted)
		c.Retried += bits.OnesCount64(page.retried[word] & wanted)
		c.DeadLettered += bits.OnesCount64(page.deadLettered[word] & wanted)
		c.Skipped += bits.OnesCount64(page.skipped[word] & wanted)
	}
}

// Lost counts the pairs of a consumer and a published record of its topics that ended in none of done, dead-lettered and skipped. Topics
// has the topics of each consumer, by the name that positions have.
func (l *Ledger) Lost(published *Positions, topics map[string][]string) int {
	lost := 0
	l.missing(published, topics, func(count int) bool {
		lost += count
		return true
	})
	return lost
}

// Through says whether nothing is lost: every consumer has finished every published record of its topics. It stops looking at the first
// that is not, and takes a fraction of a millisecond for a million records.
func (l *Ledger) Through(published *Positions, topics map[string][]string) bool {
	return l.missing(published, topics, func(int) bool { return false })
}

// missing calls found with the number of records that a consumer has not finished, page by page, until it returns false.
func (l *Ledger) missing(published *Positions, topics map[string][]string, found func(count int) bool) bool {
	for consumer, names := range topics {
		for _, topic := range names {
			whole := published.each(topic, func(of topicPartition, number int64, page *pageWords) bool {
				count := l.book(consumer, of).missing(number, page)
				return count == 0 || found(count)
			})
			if !whole {
				return false
			}
		}
	}
	return true
}

func (b *book) missing(number int64, published *pageWords) int {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	page, count := b.pages[number], 0
	for word, wanted := range published {
		if page != nil {
			wanted &^= page.ended(word)
		}
		count += bits.OnesCount64(wanted)
	}
	return count
}
