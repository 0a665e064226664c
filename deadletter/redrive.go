package deadletter

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/prantikov/millrace/record"
)

// TransactionOf is the id of the transactions in which dead letters go to a redrive topic. There is one for each topic, so that of several redrives
// only the last goes on.
func TransactionOf(topic string) string { return "millrace-" + topic }

// mostTogether and mostBytes bound how many letters go back in one transaction, and how large they are in all: it is sent as one batch, which is to
// be no larger than what every topic takes. A larger letter goes alone.
const (
	mostTogether = 100
	mostBytes    = 512 << 10
)

// Transactions publishes records together: all of one call are there, or none. Of all that were opened with one id, only the last can publish.
type Transactions interface {
	Publish(records []*record.Record) error
	Close() error
}

// Redrive gives dead letters back to the consumers that gave them up.
type Redrive struct {
	Browser *Browser
	// Open opens the transactions of a redrive topic, of the id that [TransactionOf] says.
	Open func(ctx context.Context, topic string) (Transactions, error)
	// PerSecond bounds how many letters go; 0 for no bound.
	PerSecond int
	// Sent, unless nil, is told after each transaction how many have gone so far, of how many.
	Sent func(sent, of int)
}

// Execute gives back what [Browser.Plan] chooses, each letter once: it opens the transactions of each redrive topic, which ends whatever
// another redrive still does there, and only then reads which letters went before. It returns the plan that it followed and how many went. After
// an error it can be run again for the others.
func (r Redrive) Execute(ctx context.Context, f Filter, at []record.Position) (plan Plan, sent int, err error) {
	if plan, err = r.Browser.Plan(ctx, f, at); err != nil {
		return plan, 0, err
	}
	opened := map[string]Transactions{}
	defer func() {
		for _, transactions := range opened {
			err = errors.Join(err, transactions.Close())
		}
	}()
	for _, letter := range plan.Returning {
		topic := letter.Home.Topic
		if opened[topic] != nil {
			continue
		}
		if opened[topic], err = r.Open(ctx, topic); err != nil {
			delete(opened, topic)
			return plan, 0, fmt.Errorf("giving dead letters back to %q: %w", letter.Home.Consumer, err)
		}
	}
	again, err := r.Browser.Plan(ctx, f, at)
	if err != nil {
		return plan, 0, err
	}
	sent, err = r.send(ctx, again.Returning, opened)
	return again, sent, err
}

// send sends the letters, run by run of one consumer. A consumer that gave something up since its transactions were to be opened waits for the
// next time.
func (r Redrive) send(ctx context.Context, letters []Returning, opened map[string]Transactions) (sent int, err error) {
	for begin := 0; begin < len(letters); {
		end := begin + r.together(letters[begin:])
		to := opened[letters[begin].Home.Topic]
		if to == nil {
			begin = end
			continue
		}
		records := make([]*record.Record, 0, end-begin)
		for _, letter := range letters[begin:end] {
			records = append(records, letter.redrive.On(letter.Home.Topic))
		}
		if err := to.Publish(records); err != nil {
			return sent, fmt.Errorf("giving %d dead letters back to %q: %w", len(records), letters[begin].Home.Consumer, err)
		}
		sent += len(records)
		if r.Sent != nil {
			r.Sent(sent, len(letters))
		}
		if begin = end; begin < len(letters) {
			if err := r.pause(ctx, len(records)); err != nil {
				return sent, err
			}
		}
	}
	return sent, nil
}

// together is how many of the letters go in the next transaction.
func (r Redrive) together(letters []Returning) int {
	most := mostTogether
	if r.PerSecond > 0 {
		most = min(most, r.PerSecond)
	}
	bytes := 0
	for i, letter := range letters {
		bytes += letter.redrive.Original.Size()
		if i == most || i > 0 && bytes > mostBytes || letter.Home.Topic != letters[0].Home.Topic {
			return i
		}
	}
	return len(letters)
}

// pause waits for as long as so many letters are to take.
func (r Redrive) pause(ctx context.Context, letters int) error {
	if r.PerSecond <= 0 {
		return ctx.Err()
	}
	pause := time.NewTimer(time.Duration(letters) * time.Second / time.Duration(r.PerSecond))
	defer pause.Stop()
	select {
	case <-pause.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
