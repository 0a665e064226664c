package record

import "context"

// Batch is records of one partition that were waiting together, in the order of the log, on their way to one consumer.
//
// Whoever handles the batch reports a [Result] for each record, at most once, from any goroutine. A record that was not reported
// is unfinished.
//
// Records of one key are handled one after another, in their order. When one of them is parked or unfinished, those of its key behind it
// are not begun and are reported as unfinished.
type Batch struct {
	Records []*Record
	// Memos has what was left with each record when it was parked, by index; nil when nothing was left with any. See [Result.Memo].
	Memos []any
	// Claim names the ownership of the partition under which the batch was read. It is another one each time a member takes the
	// partition, so that a unit of work can fence a member that lost it.
	Claim string
	// Stopping is closed when the source wants the partition back: no further record is to be begun.
	Stopping <-chan struct{}
	// Report takes the result of the record with this index.
	Report func(index int, result Result)
	// Side tells the source that keys of the batch go side by side from now on, so that it may hand over records of other keys meanwhile.
	// It is nil when the source knows no keys: then it takes no [Parked] either, and whoever handles the batch waits for the next try.
	Side func()
}

// Parks says whether the source takes parked records back until their time has come.
func (b *Batch) Parks() bool { return b.Side != nil }

// Memo is what was left with the record of this index, or nil.
func (b *Batch) Memo(index int) any {
	if b.Memos == nil {
		return nil
	}
	return b.Memos[index]
}

type batchKey struct{}

// NewBatchContext returns a context that carries the batch to the handler of its message.
func NewBatchContext(ctx context.Context, b *Batch) context.Context {
	return context.WithValue(ctx, batchKey{}, b)
}

// BatchFromContext returns the batch that [NewBatchContext] put in, or nil.
func BatchFromContext(ctx context.Context) *Batch {
	b, _ := ctx.Value(batchKey{}).(*Batch)
	return b
}
