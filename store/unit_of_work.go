package store

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/prantikov/millrace/record"
)

// Options changes a unit of work. The zero value is good.
type Options struct {
	// Alarm is told when an [Alarm] begins or ends. It must be quick. Default: a line in the log for each.
	Alarm func(Alarm)
	// Instance names the process, where several share a store and each writes files into a directory of its own. Default: empty, for the
	// only one.
	Instance string
	// Daily are files of the sink that are begun anew each day, in UTC: what was written on an earlier day gets that day's date into its name.
	Daily []string
	// OpenFiles bounds how many files a consumer with files keeps open. Default 64.
	OpenFiles int
	// Replay makes units of work that apply only what the consumer's gaps miss, beside whoever has the partition: they raise no epoch and move no
	// frontier. See [Applied].
	Replay bool
}

// UnitOfWork begins the units of work of one consumer. Its functions may be called from many goroutines.
type UnitOfWork struct {
	store    *Store
	consumer string
	options  Options
	// sink is nil for a consumer without files.
	sink *sink

	mutex      sync.Mutex
	partitions map[partitionKey]*partition
}

// UnitOfWork returns what begins the units of work of this consumer. A program has one per consumer.
func (s *Store) UnitOfWork(consumer string, options Options) *UnitOfWork {
	return &UnitOfWork{store: s, consumer: consumer, options: options, partitions: map[partitionKey]*partition{}}
}

type partitionKey struct {
	topic  string
	number int32
}

// partition is what this process knows of one partition's progress row.
type partition struct {
	partitionKey
	mutex sync.Mutex
	// claim is the newest of claims, which has all that were seen here: the claim of somebody who does not know yet that the partition
	// was taken from them must not take it back.
	claim           string
	claims          []string
	epoch, revision int64
	progress        frontier
	// stale is set when a commit failed: what the row says then is asked for again.
	stale bool
	// fenced is set when the row had another epoch.
	fenced bool
}

// claimsKept bounds how many claims of a partition are remembered.
const claimsKept = 256

// Begin opens a unit of work for records of one partition, in the order of the log. claim names the ownership of the partition: its
// first unit raises the epoch of the progress row, which fences every earlier claim, here and in other processes.
//
// The records of a claim come in the order of the log; one that was not finished may come again later, and those of its key with it.
// Records with a negative offset, of a source that has no offsets, are not entered in the progress row.
//
// It returns an error that wraps [ErrFenced] when the claim is not the newest, and one that [Unavailable] knows when the store is away.
func (u *UnitOfWork) Begin(ctx context.Context, claim string, records []*record.Record) (*Work, error) {
	if err := checkRecords(records); err != nil {
		return nil, fmt.Errorf("beginning a unit of work: %w", err)
	}
	if u.options.Replay {
		return u.beginReplay(ctx, records)
	}
	p := u.partition(records[0].Topic, records[0].Partition)
	p.mutex.Lock()
	defer p.mutex.Unlock()
	if err := u.own(ctx, p, claim, max(records[0].Offset, 0)); err != nil {
		return nil, u.failed("beginning a unit of work", p, err)
	}
	if u.sink != nil {
		if err := u.sink.prepare(ctx); err != nil {
			return nil, u.failed("beginning a unit of work", p, err)
		}
	}
	p.progress.arrive(records)
	return &Work{unit: u, partition: p, source: u.store, epoch: p.epoch, revision: p.revision, progress: p.progress.clone(), records: records}, nil
}

func checkRecords(records []*record.Record) error {
	if len(records) == 0 {
		return errors.New("there are no records")
	}
	for i, r := range records[1:] {
		before := records[i]
		if r.Topic != before.Topic || r.Partition != before.Partition || r.Offset <= before.Offset {
			return fmt.Errorf("record %s comes after %s: want one partition, in the order of the log", r.Position, before.Position)
		}
	}
	return nil
}

func (u *UnitOfWork) partition(topic string, number int32) *partition {
	key := partitionKey{topic: topic, number: number}
	u.mutex.Lock()
	defer u.mutex.Unlock()
	p := u.partitions[key]
	if p == nil {
		p = &partition{partitionKey: key}
		u.partitions[key] = p
	}
	return p
}

// own makes sure that the claim has the partition and that we know its row.
func (u *UnitOfWork) own(ctx context.Context, p *partition, claim string, first int64) error {
	switch {
	case !slices.Contains(p.claims, claim):
		return u.take(ctx, p, claim, first)
	case claim != p.claim || p.fenced:
		return ErrFenced
	case p.stale:
		return u.reload(ctx, p)
	}
	return nil
}

// take raises the epoch. Where the consumer has no row yet, its progress begins at the first record that it is given.
func (u *UnitOfWork) take(ctx context.Context, p *partition, claim string, first int64) error {
	var epoch, revision, lowest int64
	var text string
	err := u.store.write(ctx, func(out session) error {
		return out.row(takePartition, []any{u.consumer, p.topic, p.number, first}, &epoch, &revision, &lowest, &text)
	})
	if err != nil {
		return err
	}
	done, err := readDone(text)
	if err != nil {
		return err
	}
	p.claim, p.epoch, p.revision, p.stale = claim, epoch, revision, false
	p.claims = append(p.claims[max(0, len(p.claims)-claimsKept+1):], claim)
	p.progress = frontier{}
	p.progress.restore(lowest, done)
	u.fence(p, false)
	return nil
}

// reload reads the row again after a commit that failed, for it may have been written all the same.
func (u *UnitOfWork) reload(ctx context.Context, p *partition) error {
	var epoch, revision, lowest int64
	var text string
	err := u.store.reader.QueryRowContext(ctx, readPartition, u.consumer, p.topic, p.number).Scan(&epoch, &revision, &lowest, &text)
	if err != nil {
		return err
	}
	if epoch != p.epoch {
		u.fence(p, true)
		return ErrFenced
	}
	done, err := readDone(text)
	if err != nil {
		return err
	}
	p.revision, p.stale = revision, false
	p.progress.restore(lowest, done)
	return nil
}

// failed says of an error where it happened. What is not a fence is the store's own trouble.
func (u *UnitOfWork) failed(tried string, p *partition, err error) error {
	tried = fmt.Sprintf("%s of %s on %s/%d", tried, u.consumer, p.topic, p.number)
	if errors.Is(err, ErrFenced) {
		return fmt.Errorf("%s: %w", tried, err)
	}
	return unavailable(tried, err)
}

const (
	takePartition = `INSERT INTO progress (consumer, topic, partition, epoch, revision, frontier, done) VALUES ($1, $2, $3, 1, 1, $4, '')
ON CONFLICT (consumer, topic, partition) DO UPDATE SET epoch = progress.epoch + 1, revision = progress.revision + 1
RETURNING epoch, revision, frontier, done`

	readPartition = `SELECT epoch, revision, frontier, done FROM progress WHERE consumer = $1 AND topic = $2 AND partition = $3`
	readEpoch     = `SELECT epoch FROM progress WHERE consumer = $1 AND topic = $2 AND partition = $3`

	advancePartition = `UPDATE progress SET revision = revision + 1, frontier = $1, done = $2
WHERE consumer = $3 AND topic = $4 AND partition = $5 AND epoch = $6 AND revision = $7`
)
