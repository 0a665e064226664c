package state

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"

	"github.com/prantikov/millrace/progress"
	"github.com/prantikov/millrace/record"
	"github.com/prantikov/millrace/store"
)

// ErrLost is what an error wraps when records that the tables were made of are nowhere any more.
var ErrLost = errors.New("records of it are lost")

// Entities is a topic of entities, and the name of the consumer that keeps them.
type Entities struct {
	Topic
	Consumer string
}

// Older returns the records of a partition before an offset that the log no longer has, in their order, as far as somebody else has them.
type Older func(ctx context.Context, topic string, partition int32, before int64) iter.Seq2[*record.Record, error]

// Rebuilding is what a [Rebuild] needs.
type Rebuilding struct {
	Log  Log
	Live *store.Store
	// Beside are the empty tables that it fills.
	Beside   *store.Beside
	Entities []Entities
	// Older has what retention has deleted; nil for nobody has it.
	Older Older
	// AcceptLost goes on where records are nowhere any more. Entities that have changes made by them are left as they are.
	AcceptLost bool
	// Read is told how many records were read; nil for nobody is.
	Read func(records int64)
}

// Rebuild makes the tables of entities anew beside the live ones: what the consumers' functions make of the records that the consumers have
// finished, and of no others, so that the two can be compared. Its functions are called by one goroutine.
type Rebuild struct {
	Rebuilding
	walks map[string]*walk
	// reached is how far each partition was read, by consumer.
	reached map[place]*reach
}

type place struct {
	consumer  string
	partition int32
}

// reach is how far a partition was read: what was finished then is in the tables.
type reach struct {
	finished
	// lost is before which offset records are lost; 0 for none.
	lost int64
}

// finished are the records of a partition that a consumer has finished.
type finished struct {
	before int64
	done   progress.DoneSet
}

func (f finished) has(offset int64) bool { return offset < f.before || f.done.Contains(offset) }

// end is the offset behind the last of them.
func (f finished) end() int64 {
	end := f.before
	if runs := f.done.Runs(); len(runs) > 0 {
		end = max(end, runs[len(runs)-1].To)
	}
	return end
}

// NewRebuild prepares a rebuild.
func NewRebuild(settings Rebuilding) (*Rebuild, error) {
	r := &Rebuild{Rebuilding: settings, walks: map[string]*walk{}, reached: map[place]*reach{}}
	for _, entities := range settings.Entities {
		walker, err := entities.Walker(onTables{settings.Beside.Tables.UnitOfWork(entities.Consumer, store.Options{})})
		if err != nil {
			return nil, err
		}
		r.walks[entities.Consumer] = &walk{walker: walker, scattered: entities.scattered(), claim: "rebuild"}
	}
	return r, nil
}

// Run brings the tables as far as the consumers are now. Calling it again brings them further. The error wraps [ErrLost] where records are lost
// and that was not accepted.
func (r *Rebuild) Run(ctx context.Context) error {
	var rows []store.Progress
	for _, entities := range r.Entities {
		of, err := r.Live.Progress(ctx, entities.Consumer)
		if err != nil {
			return err
		}
		rows = append(rows, of...)
	}
	return r.follow(ctx, rows)
}

// Compare compares the tables with the live ones, as far as the consumers are then, and with swap puts the rebuilt entities in the place of those
// that are not the same. See [store.Beside.Compare].
func (r *Rebuild) Compare(ctx context.Context, swap bool) ([]store.Comparison, error) {
	comparing := store.Comparing{CatchUp: r.follow, Swap: swap}
	for _, entities := range r.Entities {
		comparing.Consumers = append(comparing.Consumers, entities.Consumer)
		comparing.Types = append(comparing.Types, entities.Type.Name())
		for at, reached := range r.reached {
			if at.consumer == entities.Consumer && reached.lost > 0 {
				comparing.Lost = append(comparing.Lost, store.Lost{Topic: entities.Name, Partition: at.partition, Before: reached.lost})
			}
		}
	}
	return r.Beside.Compare(ctx, comparing)
}

// Tally is what became of the records of a consumer's entities.
func (r *Rebuild) Tally(consumer string) Tally { return r.walks[consumer].total() }

// follow brings the tables as far as the consumers are.
func (r *Rebuild) follow(ctx context.Context, rows []store.Progress) error {
	for _, entities := range r.Entities {
		of := slices.DeleteFunc(slices.Clone(rows), func(row store.Progress) bool {
			return row.Consumer != entities.Consumer || row.Topic != entities.Name
		})
		if len(of) == 0 {
			continue
		}
		if err := r.followTopic(ctx, entities, of); err != nil {
			return fmt.Errorf("rebuilding the state of %s: %w", entities.Consumer, err)
		}
	}
	return nil
}

func (r *Rebuild) followTopic(ctx context.Context, entities Entities, rows []store.Progress) error {
	spans, err := r.spans(ctx, entities, rows)
	if err != nil {
		return err
	}
	w := r.walks[entities.Consumer]
	for next, err := range merge(ctx, r.Log, entities.Name, spans) {
		if err == nil {
			err = w.window(ctx, next)
		}
		if err != nil {
			return err
		}
		if r.Read != nil {
			r.Read(w.total().Records)
		}
	}
	starts, err := r.Log.Starts(ctx, entities.Name)
	if err != nil {
		return err
	}
	for i, row := range rows {
		reached := r.reached[place{entities.Consumer, row.Partition}]
		reached.finished = finishedBy(row)
		if start := starts[row.Partition]; start > spans[i].from && spans[i].from < spans[i].to {
			// Retention went on while the log was read, and nobody can say who was first.
			reached.lost = max(reached.lost, start)
		}
		if reached.lost > 0 && !r.AcceptLost {
			return fmt.Errorf("of %s/%d neither the log nor the archive has all records before offset %d: %w", entities.Name, row.Partition, reached.lost, ErrLost)
		}
	}
	return nil
}

func finishedBy(row store.Progress) finished { return finished{before: row.Frontier, done: row.Done} }

// spans are what is to be read of each partition: what is finished now and was not when it was read before.
func (r *Rebuild) spans(ctx context.Context, entities Entities, rows []store.Progress) ([]span, error) {
	starts, err := r.Log.Starts(ctx, entities.Name)
	if err != nil {
		return nil, err
	}
	ends, err := r.Log.Ends(ctx, entities.Name)
	if err != nil {
		return nil, err
	}
	var spans []span
	for _, row := range rows {
		now, start := finishedBy(row), starts[row.Partition]
		if end := ends[row.Partition]; now.end() > end {
			return nil, fmt.Errorf("the log of %s/%d ends at %d, and the consumer has finished up to %d: it is another log", entities.Name, row.Partition, end, now.end())
		}
		at := place{entities.Consumer, row.Partition}
		before := r.reached[at]
		if before == nil {
			before = &reach{}
			r.reached[at] = before
			if start > 0 && now.end() > 0 {
				if err := r.begin(ctx, entities.Name, row.Partition, start, before); err != nil {
					return nil, err
				}
			}
		}
		was := before.finished
		next := span{
			partition: row.Partition, from: max(start, was.before), to: now.end(),
			wanted: func(one *record.Record) bool { return now.has(one.Offset) && !was.has(one.Offset) },
		}
		if was.end() == 0 {
			next.older = before.older(ctx, r, entities.Name, row.Partition, min(start, now.end()))
		}
		spans = append(spans, next)
	}
	return spans, nil
}

// begin says what is lost of a partition whose log begins later than at its first record.
func (r *Rebuild) begin(_ context.Context, topic string, partition int32, start int64, at *reach) error {
	if r.Older != nil {
		return nil
	}
	at.lost = start
	if r.AcceptLost {
		return nil
	}
	return fmt.Errorf("the log of %s/%d begins at offset %d, retention has deleted what was before, and no archive has it: %w", topic, partition, start, ErrLost)
}

// older are the archive's records before the log's beginning. What it does not have is lost, but for single offsets, which are markers of
// transactions: those are no records.
func (a *reach) older(ctx context.Context, r *Rebuild, topic string, partition int32, start int64) iter.Seq2[*record.Record, error] {
	if r.Older == nil || start == 0 {
		return nil
	}
	return func(yield func(*record.Record, error) bool) {
		next := int64(0)
		for one, err := range r.Older(ctx, topic, partition, start) {
			if err != nil {
				yield(nil, err)
				return
			}
			if one.Offset < next {
				yield(nil, fmt.Errorf("the archive has two records at %s, as of a topic that was made anew", one.Position))
				return
			}
			if one.Offset > next+1 || next == 0 && one.Offset > 0 {
				a.lost = one.Offset
			}
			next = one.Offset + 1
			if !yield(one, nil) {
				return
			}
		}
		if start > next+1 || next == 0 {
			a.lost = start
		}
	}
}
