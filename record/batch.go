package record

import "context"

// Batch is records of one partition that were waiting together, in the order of the log, on their way to one consumer.
//
// Whoever handles the batch reports a [Result] for each record, at most once, from any goroutine. A record that was not reported
// is unfinished.
type Batch struct {
	Records []*Record
	// Attempts has what was tried with each record so far, by index.
	Attempts []Attempts
	// Claim names the ownership of the partition under which the batch was read. It is another one each time a member takes the
	// partition, so that a unit of work can fence a member that lost it.
	Claim string
	// Stopping is closed when the source wants the partition back: no further record is to be begun.
	Stopping <-chan struct{}
	// Report takes the result of the record with this index.
	Report func(index int, result Result)
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
