package store_test

import (
	"encoding/binary"
	"errors"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/prantikov/millrace/store"
)

// TestSetsThatWaitAreCommittedTogether lets units of work of several partitions wait while the connection is lent, one of them refused.
func TestSetsThatWaitAreCommittedTogether(t *testing.T) {
	t.Parallel()
	const partitions = 6
	path := newFile(t)
	synctest.Test(t, func(t *testing.T) {
		s := openStore(t, path)
		unit := s.UnitOfWork("orders", store.Options{})
		var works []*store.Work
		for partition := range int32(partitions) {
			work := begin(t, unit, "claim", orders(partition, 0))
			handle(t, work, orders(partition, 0))
			works = append(works, work)
		}
		begin(t, unit, "another", orders(2, 0))
		before := commits(t, path)
		release, err := s.HoldWriter(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		errs := make([]error, partitions)
		var group sync.WaitGroup
		for i, work := range works {
			group.Go(func() { errs[i] = work.Commit(t.Context()) })
		}
		synctest.Wait()
		release()
		group.Wait()
		for i, err := range errs {
			if refused := i == 2; refused != errors.Is(err, store.ErrFenced) || !refused && err != nil {
				t.Errorf("partition %d: got %v, want refused: %t", i, err, refused)
			}
		}
		if got := events(t, s); got != partitions-1 {
			t.Errorf("events: got %d, want %d", got, partitions-1)
		}
		if got := commits(t, path) - before; got != 1 {
			t.Errorf("commits: got %d, want 1 for all", got)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
}

// commits is how many transactions are in the log beside the file: the header of a transaction's last page has the size of the database.
func commits(t *testing.T, path string) (count int) {
	t.Helper()
	const logHeader, frameHeader = 32, 24
	log := read(t, path+"-wal")
	frame := frameHeader + int(binary.BigEndian.Uint32(log[8:]))
	for at := logHeader; at+frame <= len(log); at += frame {
		if binary.BigEndian.Uint32(log[at+4:]) > 0 {
			count++
		}
	}
	return count
}
