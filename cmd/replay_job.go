package cmd

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"slices"

	"github.com/prantikov/millrace/config"
	"github.com/prantikov/millrace/kafka"
	"github.com/prantikov/millrace/replay"
	"github.com/prantikov/millrace/router"
	"github.com/prantikov/millrace/store"
)

// replayJob is one replay.
type replayJob struct {
	*session
	options replayOptions
	scope   replay.Scope
	choice  replay.Choice
	takers  []replayTaker
	// leftOut are consumers with effects outside that were not named twice.
	leftOut []string
	reader  *kafka.Reader
}

// replayTaker is a consumer that takes part.
type replayTaker struct {
	name string
	// live is the consumer as it was declared, consumer as it takes part in a replay.
	live, consumer *router.Consumer
	settings       config.Consumer
	// topics are all that it takes, by their names on the brokers.
	topics []string
	share  replay.Share
}

// effects is what the consumer's functions change, in one word.
func (t replayTaker) effects() string {
	switch {
	case t.live.Outside():
		return "outside"
	case t.live.Files():
		return "files"
	case t.live.Durable():
		return "store"
	default:
		return "none known"
	}
}

// stored says whether anybody's effects are in the store.
func (j *replayJob) stored() bool {
	return slices.ContainsFunc(j.takers, func(t replayTaker) bool { return t.live.Stored() })
}

// shareOut finds out what of the log is whose. The store is nil where there is none yet: then nothing is applied.
func (j *replayJob) shareOut(ctx context.Context, opened *store.Store) error {
	for i := range j.takers {
		taker := &j.takers[i]
		if taker.live.Durable() {
			taker.share.Applied = map[string]map[int32]store.Applied{}
		}
		if taker.live.Outside() {
			taker.share.Committed = map[string]map[int32]int64{}
		}
		for _, topic := range j.scope.Topics {
			var err error
			if taker.live.Durable() && opened != nil {
				if taker.share.Applied[topic], err = opened.Applied(ctx, taker.name, topic); err != nil {
					return err
				}
			}
			if taker.live.Outside() {
				if taker.share.Committed[topic], err = j.reader.Committed(ctx, taker.settings.Group, topic); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// digest names the replay by what was asked for, as it was said: a duration ago is the same one tomorrow. It does not show the key.
func (j *replayJob) digest() string {
	o := j.options
	asked := struct {
		Topics, Consumers, Allowed []string
		Partitions                 []int
		From, To, Key, Action      string
		Keyed                      bool
	}{j.scope.Topics, sorted(o.consumers), sorted(o.allowed), slices.Sorted(slices.Values(o.partitions)), o.from, o.to, o.key, o.action, o.keyed}
	text, _ := json.Marshal(asked) // strings and numbers cannot fail
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:12])
}

func sorted(names []string) []string { return slices.Compact(slices.Sorted(slices.Values(names))) }
