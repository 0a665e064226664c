package router

import (
	"context"

	"github.com/prantikov/millrace/record"
)

// UnitOfWork is what a consumer with durable effects opens for a batch and commits before any of its records is done.
type UnitOfWork interface {
	// Begin opens a unit of work for records of one partition, in the order of the log. Claim names the ownership of the partition: the
	// first unit of a claim fences all earlier claims.
	Begin(ctx context.Context, claim string, records []*record.Record) (Work, error)
	// Away says whether a function's error means that the unit's store is away: then the record waits, and is never dead-lettered.
	Away(err error) bool
}

// ReplayUnit is a unit of work that can take part in a replay of the log.
type ReplayUnit interface {
	UnitOfWork
	// Replaying is the unit of work of a replay beside the live consumer: it applies what that has passed without reading and nothing else, once,
	// and fences nobody.
	Replaying() UnitOfWork
}

// Work is one open unit of work. It is used by one goroutine.
type Work interface {
	// Finished says whether an earlier commit has the record already: its effects are not repeated.
	Finished(r *record.Record) bool
	// Context carries the unit of work to the consumer's functions.
	Context(ctx context.Context) context.Context
	// Mark begins the effects of one record; Undo drops those since the last Mark and no others.
	Mark()
	Undo() error
	// Finish enters a record that is done, skipped or dead-lettered.
	Finish(r *record.Record, outcome record.Outcome)
	// Exclusive says whether the unit holds something that others wait for, so that it must not be kept while waiting for anything outside.
	Exclusive() bool
	// Commit makes everything durable at once. It wraps [ErrFenced] when another member has taken the partition.
	Commit(ctx context.Context) error
	// Rollback drops everything; after Commit it does nothing.
	Rollback() error
}

// DeadLetters is where records go that a consumer gave up on.
type DeadLetters interface {
	// Write returns when the dead letter is acknowledged by the brokers, or an error: then nothing is known of it.
	Write(ctx context.Context, letter record.Letter) error
}
