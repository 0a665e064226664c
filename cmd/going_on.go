package cmd

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/prantikov/millrace/kafka"
	"github.com/prantikov/millrace/progress"
	"github.com/prantikov/millrace/record"
	"github.com/prantikov/millrace/store"
)

// reasonElsewhere is the reason of a gap of what the group did without this store.
const reasonElsewhere = "the group went on without this store: another program had the group"

// goOn returns what a consumer with a unit of work does when it takes partitions: it goes on where its group is. Where the store is behind
// that, who has committed the position tells why. Another program had the group, such as the listener that it was moved from: the records in
// between are not handled here, for that would double what the other did. They are gaps in the store before the first record is read, and one
// warning. Or it was this consumer, and the store is an older copy: then it stops, and an operator decides. A consumer that has marks alone goes
// on with its group: what it did is marked by itself.
func (s *service) goOn(m *member) kafka.Resumer {
	consumer := m.consumer.Name()
	return func(ctx context.Context, topic string, at map[int32]kafka.Position) error {
		positions := make(map[int32]int64, len(at))
		for partition, position := range at {
			positions[partition] = position.Offset
		}
		if !m.consumer.Durable() {
			return s.store.ForgetProgress(ctx, consumer, topic)
		}
		if err := s.tellUnknown(ctx, m, topic, positions); err != nil {
			return err
		}
		apart, err := s.store.Apart(ctx, consumer, topic, positions)
		if err != nil {
			return err
		}
		known, passed, err := s.judge(ctx, topic, apart)
		if err != nil {
			return err
		}
		if err := s.olderCopy(m, apart, passed, at); err != nil {
			return kafka.Stop(err)
		}
		for i := range passed {
			passed[i].Consumer = consumer
		}
		if slices.ContainsFunc(apart, func(a store.Apart) bool { return a.Row < a.Group }) {
			if err := s.store.GoOn(ctx, consumer, topic, positions, passed); err != nil {
				return err
			}
		}
		logger := s.logger.With("consumer", consumer, "group", m.settings.Group, "topic", topic)
		if known > 0 {
			logger.Info("the store is ahead of the group's position: what it has is not handled again", "offsets", known)
		}
		if len(passed) > 0 {
			logger.Warn("the group's position is ahead of the store: going on there; what another program did meanwhile is not handled again "+
				"(millrace gaps lists it)", "offsets", countGaps(passed), "passed", listGaps(passed))
		}
		return nil
	}
}

// judge counts the offsets that the store has and the group has not, and returns what the store has never seen of what the group has passed.
func (s *service) judge(ctx context.Context, topic string, apart []store.Apart) (known int64, passed []store.Gap, err error) {
	for _, a := range apart {
		known += max(a.Row-a.Group, 0)
		for _, run := range a.Missing {
			empty, err := s.reader.Empty(ctx, record.Position{Topic: topic, Partition: a.Partition, Offset: run.From}, run.To)
			if err != nil {
				return 0, nil, err
			}
			if !empty {
				passed = append(passed, store.Gap{
					Topic: topic, Partition: a.Partition, From: run.From, To: run.To, Reason: reasonElsewhere, At: time.Now(),
				})
			}
		}
	}
	return known, passed, nil
}

func countGaps(gaps []store.Gap) (offsets int64) {
	for _, gap := range gaps {
		offsets += gap.To - gap.From
	}
	return offsets
}

// listGaps is the gaps in one text: 0/5-9, 3/17. The store has them all.
func listGaps(gaps []store.Gap) string {
	const most = 20
	texts := make([]string, 0, most+1)
	for i, gap := range gaps {
		if i == most {
			texts = append(texts, fmt.Sprintf("and %d more", len(gaps)-most))
			break
		}
		var run progress.DoneSet
		run.AddRun(progress.Run{From: gap.From, To: gap.To})
		texts = append(texts, fmt.Sprintf("%d/%s", gap.Partition, run))
	}
	return strings.Join(texts, ", ")
}
