package store

import (
	"context"
	"crypto/rand"
	"time"
)

// Effect names one effect outside: a mail, a call. A record can have several, each a part of it.
type Effect struct {
	// Topic, Partition and Offset are the record's position, Entity and Action what its event says.
	Topic          string
	Partition      int32
	Offset         int64
	Entity, Action string
	// Part tells the effects of one record apart.
	Part string
	// ID is what the other side knows the effect by. What is marked first counts: a later one is given the same.
	ID string
}

// EffectState is how far an effect is.
type EffectState string

const (
	// EffectBegun is an effect whose try was begun and whose end is not known.
	EffectBegun EffectState = "begun"
	// EffectWaiting is one that was tried and has certainly not happened: it is to be tried again.
	EffectWaiting EffectState = "waiting"
	// EffectDone is one that has happened.
	EffectDone EffectState = "done"
	// EffectRefused is one that the other side refused for good.
	EffectRefused EffectState = "refused"
	// EffectParked is one that may have happened and is left to people.
	EffectParked EffectState = "parked"
)

// Mark is what the store knows of an effect.
type Mark struct {
	// ID is what the other side knows the effect by.
	ID    string
	State EffectState
	// Doubtful says that an earlier try was begun and nothing tells how it ended: a crash came between. The effect may have happened.
	Doubtful bool
}

// Effects are the marks of what one consumer does outside, where no transaction reaches: the intent is written before, the outcome after. Its
// functions may be called from many goroutines.
type Effects struct {
	store    *Store
	consumer string
}

// Effects returns the marks of a consumer.
func (s *Store) Effects(consumer string) *Effects { return &Effects{store: s, consumer: consumer} }

// Begin marks that an effect is about to be tried, and returns what was known of it. Only when the mark says [EffectBegun] it is to be tried;
// [EffectDone], [EffectRefused] and [EffectParked] are final. The mark is durable when Begin returns. The error is one that [Unavailable]
// knows; then the mark may be there or not.
func (e *Effects) Begin(effect Effect, now time.Time) (Mark, error) {
	mine := rand.Text()
	var mark Mark
	var intent string
	err := e.write(func(out session) error {
		return out.row(beginEffect, append(e.key(effect), effect.ID, mine, now.UnixMilli()), &mark.State, &mark.ID, &intent)
	})
	if err != nil {
		return Mark{}, unavailable("marking an effect before it", err)
	}
	mark.ID, mark.Doubtful = e.store.dialect.plain(mark.ID), mark.State == EffectBegun && intent != mine
	return mark, nil
}

// End marks how a try ended: any state but [EffectBegun], which is what an end that is not known leaves. The error is one that
// [Unavailable] knows.
func (e *Effects) End(effect Effect, state EffectState, now time.Time) error {
	err := e.write(func(out session) error {
		_, err := out.exec(endEffect, append(e.key(effect), string(state), now.UnixMilli())...)
		return err
	})
	if err != nil {
		return unavailable("marking an effect after it", err)
	}
	return nil
}

// forgottenAtOnce bounds how many marks one transaction drops, for which others wait.
const forgottenAtOnce = 1000

// Forget drops the marks of effects that ended before a time, and returns how many. A record that comes again after that is taken for a new
// one, so it must be longer ago than a record can come again.
func (e *Effects) Forget(ctx context.Context, before time.Time) (int64, error) {
	total := int64(0)
	for {
		var dropped int64
		err := e.write(func(out session) (err error) {
			dropped, err = out.exec(forgetEffects, e.consumer, before.UnixMilli(), forgottenAtOnce)
			return err
		})
		total += dropped
		switch {
		case err != nil:
			return total, unavailable("dropping marks of old effects", err)
		case dropped < forgottenAtOnce || ctx.Err() != nil:
			return total, nil
		}
	}
}

func (e *Effects) key(effect Effect) []any {
	return []any{e.consumer, effect.Topic, effect.Partition, effect.Offset, effect.Entity, effect.Action, effect.Part}
}

// write does not end with a context: who gives up waiting would not know whether the mark is there. A store that does not answer gives up by
// itself.
func (e *Effects) write(set func(session) error) error {
	return e.store.write(context.Background(), set)
}

const (
	// A mark that says begun keeps the intent of who began it, which tells the two apart.
	beginEffect = `INSERT INTO effects (consumer, topic, partition, record_offset, entity, action, part, id, intent, changed, state)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 'begun')
ON CONFLICT (consumer, topic, partition, record_offset, entity, action, part) DO UPDATE SET
intent = CASE WHEN effects.state = 'waiting' THEN excluded.intent ELSE effects.intent END,
changed = CASE WHEN effects.state = 'waiting' THEN excluded.changed ELSE effects.changed END,
state = CASE WHEN effects.state = 'waiting' THEN 'begun' ELSE effects.state END
RETURNING state, id, intent`

	endEffect = `UPDATE effects SET state = $8, changed = $9 WHERE consumer = $1 AND topic = $2 AND partition = $3 AND record_offset = $4
AND entity = $5 AND action = $6 AND part = $7`

	forgetEffects = `DELETE FROM effects WHERE (consumer, topic, partition, record_offset, entity, action, part) IN (
SELECT consumer, topic, partition, record_offset, entity, action, part FROM effects
WHERE consumer = $1 AND changed < $2 AND state NOT IN ('begun', 'waiting') LIMIT $3)`
)
