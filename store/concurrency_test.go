package store_test

import (
	"fmt"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/prantikov/millrace/record"
	"github.com/prantikov/millrace/store"
)

// TestConsumersSideBySide runs consumers of every kind at once, each on a few partitions.
func TestConsumersSideBySide(t *testing.T) {
	t.Parallel()
	const partitions, batches, size = 3, 8, 10
	s := openWithPoints(t)
	folder := filepath.Join(t.TempDir(), "outbox")
	tables := s.UnitOfWork("orders", store.Options{})
	files := s.FileUnitOfWork("outbox", folder, store.Options{})
	own := s.UnitOfWork("loyalty", store.Options{})
	consumers := map[string]func(t *testing.T, records []*record.Record){
		"tables": func(t *testing.T, records []*record.Record) { run(t, tables, "claim", records) },
		"files":  func(t *testing.T, records []*record.Record) { deliver(t, files, "claim", records, "all.jsonl") },
		"sql": func(t *testing.T, records []*record.Record) {
			work := begin(t, own, "claim", records)
			for _, r := range records {
				work.Mark()
				if err := award(work.Context(t.Context()), r.String(), 1); err != nil {
					t.Error(err)
				}
				work.Finish(r, record.Done)
			}
			commit(t, work)
		},
	}
	t.Run("at once", func(t *testing.T) {
		for name, consume := range consumers {
			for partition := range int32(partitions) {
				t.Run(fmt.Sprint(name, partition), func(t *testing.T) {
					t.Parallel()
					for batch := range int64(batches) {
						var offsets []int64
						for i := range int64(size) {
							offsets = append(offsets, batch*size+i)
						}
						consume(t, orders(partition, offsets...))
					}
				})
			}
		}
	})
	const total = partitions * batches * size
	if got := events(t, s); got != total {
		t.Errorf("events counted: got %d, want %d", got, total)
	}
	if got, _ := points(t, s); got != total {
		t.Errorf("rows of SQL: got %d, want %d", got, total)
	}
	if got := len(outbox{data: filepath.Dir(folder)}.lines(t, "all.jsonl")); got != total {
		t.Errorf("lines: got %d, want %d", got, total)
	}
}

// TestTurnsAreFair holds the write connection, lets others ask for it one after another, and looks at the order in which they get it.
func TestTurnsAreFair(t *testing.T) {
	t.Parallel()
	path := newFile(t)
	synctest.Test(t, func(t *testing.T) {
		s := openStore(t, path)
		unit := s.UnitOfWork("loyalty", store.Options{})
		var order []int32
		var works []*store.Work
		for partition := range int32(6) {
			works = append(works, begin(t, unit, "claim", orders(partition, 0)))
		}
		holder := begin(t, unit, "claim", orders(100, 0))
		if _, err := store.Tx(holder.Context(t.Context())); err != nil {
			t.Fatal(err)
		}
		var group sync.WaitGroup
		for partition, work := range works {
			group.Go(func() {
				if _, err := store.Tx(work.Context(t.Context())); err != nil {
					t.Error(err)
				}
				order = append(order, int32(partition)) // whoever has the connection has the list
				_ = work.Rollback()
			})
			synctest.Wait() // it waits for its turn
		}
		_ = holder.Rollback()
		group.Wait()
		if want := []int32{0, 1, 2, 3, 4, 5}; !slices.Equal(order, want) {
			t.Errorf("turns: got %v, want %v", order, want)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
}
