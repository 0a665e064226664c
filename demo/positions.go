package demo

import (
	"sync"

	"github.com/prantikov/millrace/record"
)

// pageRecords is how many offsets a page of a bitmap covers. Offsets may begin anywhere, so that only pages that are used exist.
const pageRecords = 4096

type pageWords = [pageRecords / 64]uint64

// place finds an offset's page, word and bit.
func place(offset int64) (page int64, word int, bit uint64) {
	within := offset % pageRecords
	return offset / pageRecords, int(within / 64), 1 << (within % 64)
}

type topicPartition struct {
	topic     string
	partition int32
}

// Positions is a set of positions, one bit each. Its zero value is empty and ready to use, from any goroutine.
type Positions struct {
	mutex sync.Mutex
	pages map[topicPartition]map[int64]*pageWords
	count int
}

// Add puts a position into the set.
func (s *Positions) Add(p record.Position) {
	number, word, bit := place(p.Offset)
	s.mutex.Lock()
	defer s.mutex.Unlock()
	if s.pages == nil {
		s.pages = map[topicPartition]map[int64]*pageWords{}
	}
	of := topicPartition{p.Topic, p.Partition}
	if s.pages[of] == nil {
		s.pages[of] = map[int64]*pageWords{}
	}
	page := s.pages[of][number]
	if page == nil {
		page = new(pageWords)
		s.pages[of][number] = page
	}
	if page[word]&bit == 0 {
		page[word] |= bit
		s.count++
	}
}

// Len is the number of positions in the set.
func (s *Positions) Len() int {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	return s.count
}

// each calls visit for each page of the topic, until it returns false. The set does not change meanwhile.
func (s *Positions) each(topic string, visit func(of topicPartition, number int64, page *pageWords) bool) bool {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	for of, pages := range s.pages {
		if of.topic != topic {
			continue
		}
		for number, page := range pages {
			if !visit(of, number, page) {
				return false
			}
		}
	}
	return true
}

// page returns a copy of a page of the set, or an empty one.
func (s *Positions) page(of topicPartition, number int64) pageWords {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	if page := s.pages[of][number]; page != nil {
		return *page
	}
	return pageWords{}
}
