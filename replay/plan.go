package replay

import (
	"context"
	"hash/maphash"
	"slices"

	"github.com/prantikov/millrace/kafka"
	"github.com/prantikov/millrace/record"
)

// Taker is a consumer that is to be replayed.
type Taker struct {
	Name string
	// Topics are those that it takes, by their names on the brokers.
	Topics []string
	Share  Share
}

// Plan is what a replay would do.
type Plan struct {
	Topics    []TopicPlan    `json:"topics"`
	Consumers []ConsumerPlan `json:"consumers"`
}

// TopicPlan is what is chosen of one topic.
type TopicPlan struct {
	Topic      string     `json:"topic"`
	Partitions []PartPlan `json:"partitions"`
	Records    int64      `json:"records"`
	// Keys counts different keys, those without one as one; beyond a million it is the million, and more is true.
	Keys     int64 `json:"keys"`
	MoreKeys bool  `json:"moreKeys,omitempty"`
	// Actions counts the records by action; Unreadable are those that have none.
	Actions    map[string]int64 `json:"actions"`
	Unreadable int64            `json:"unreadable"`

	keys map[uint64]struct{}
}

// PartPlan is the offsets of one partition that are read.
type PartPlan struct {
	Partition int32 `json:"partition"`
	From      int64 `json:"from"`
	To        int64 `json:"to"`
}

// ConsumerPlan is what one consumer would be given.
type ConsumerPlan struct {
	Consumer string `json:"consumer"`
	// Apply counts the records that it would handle.
	Apply int64 `json:"apply"`
	// Done and Live count those that it would not, see [PassedDone] and [PassedLive].
	Done int64 `json:"doneAlready"`
	Live int64 `json:"forTheLiveConsumer"`
}

// keysCounted bounds the memory of a plan.
const keysCounted = 1_000_000

// Survey reads the parts and counts what a replay of them would do, in memory that does not grow with the log. read, when it is not nil, is told
// now and then how many offsets are read.
func Survey(ctx context.Context, reader *kafka.Reader, parts []Part, choice Choice, takers []Taker, read func(offsets int64)) (*Plan, error) {
	plan := &Plan{Topics: []TopicPlan{}, Consumers: make([]ConsumerPlan, len(takers))}
	for i, taker := range takers {
		plan.Consumers[i].Consumer = taker.Name
	}
	seed := maphash.MakeSeed()
	var before int64
	for _, part := range parts {
		topic := plan.topic(part)
		from := record.Position{Topic: part.Topic, Partition: part.Partition, Offset: part.From}
		for piece, err := range reader.ReadPartition(ctx, from, part.To) {
			if err != nil {
				return nil, err
			}
			for _, r := range piece {
				if choice.Chooses(r) {
					topic.count(choice, r, maphash.Bytes(seed, r.Key))
					plan.share(takers, r)
				}
			}
			if read != nil {
				read(before + piece[len(piece)-1].Offset + 1 - part.From)
			}
		}
		before += part.To - part.From
	}
	return plan, nil
}

// topic is the plan of the part's topic. The parts come by topic.
func (p *Plan) topic(part Part) *TopicPlan {
	if last := len(p.Topics) - 1; last < 0 || p.Topics[last].Topic != part.Topic {
		p.Topics = append(p.Topics, TopicPlan{Topic: part.Topic, Actions: map[string]int64{}, keys: map[uint64]struct{}{}})
	}
	topic := &p.Topics[len(p.Topics)-1]
	topic.Partitions = append(topic.Partitions, PartPlan{part.Partition, part.From, part.To})
	return topic
}

func (t *TopicPlan) count(choice Choice, r *record.Record, key uint64) {
	t.Records++
	if _, known := t.keys[key]; !known {
		if t.Keys < keysCounted {
			t.keys[key] = struct{}{}
			t.Keys++
		} else {
			t.MoreKeys = true
		}
	}
	if action, readable := choice.actionOf(r); readable {
		t.Actions[string(action)]++
	} else {
		t.Unreadable++
	}
}

func (p *Plan) share(takers []Taker, r *record.Record) {
	for i, taker := range takers {
		if !slices.Contains(taker.Topics, r.Topic) {
			continue
		}
		switch taker.Share.Passes(r) {
		case "":
			p.Consumers[i].Apply++
		case PassedDone:
			p.Consumers[i].Done++
		default:
			p.Consumers[i].Live++
		}
	}
}
