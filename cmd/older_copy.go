package cmd

import (
	"context"
	"fmt"
	"maps"
	"strings"

	"github.com/prantikov/millrace/kafka"
	"github.com/prantikov/millrace/store"
)

// olderCopy is the error of a store that lacks what this consumer has committed to its group; nil where another program has. What it advises is good for
// all partitions: what the store has is not handled again, so the group may go back as far as it likes.
func (s *service) olderCopy(m *member, apart []store.Apart, passed []store.Gap, at map[int32]kafka.Position) error {
	lacking := map[int32]bool{}
	for _, gap := range passed {
		if at[gap.Partition].Ours {
			lacking[gap.Partition] = true
		}
	}
	for _, a := range apart {
		if !lacking[a.Partition] {
			continue
		}
		more := ""
		if len(lacking) > 1 {
			more = fmt.Sprintf(" (and so with %d more)", len(lacking)-1)
		}
		return fmt.Errorf("the store is an older copy, such as a backup that was restored: it has this consumer's progress with %s/%d up to offset %d, and the consumer "+
			"has committed %d to its group%s; stop this process, then restore a newer store, or have what it lacks handled again with "+
			"kafka-consumer-groups.sh --bootstrap-server %s --group %s --all-topics --reset-offsets --to-earliest --execute (what the store has is not handled again)",
			passed[0].Topic, a.Partition, a.Row, a.Group, more, shellWord(strings.Join(s.settings.Kafka.Brokers, ",")), shellWord(m.settings.Group))
	}
	return nil
}

// tellUnknown says where the consumer begins with partitions that the store knows nothing of, though its group is past their first record: the
// group was taken over, or the store is new.
func (s *service) tellUnknown(ctx context.Context, m *member, topic string, positions map[int32]int64) error {
	rows, err := s.store.Progress(ctx, m.consumer.Name())
	if err != nil {
		return err
	}
	unknown := maps.Clone(positions)
	maps.DeleteFunc(unknown, func(_ int32, offset int64) bool { return offset == 0 })
	for _, row := range rows {
		if row.Topic == topic {
			delete(unknown, row.Partition)
		}
	}
	if len(unknown) > 0 {
		s.logger.Info("the store knows nothing of partitions of a topic: they begin where the group has committed",
			"consumer", m.consumer.Name(), "group", m.settings.Group, "topic", topic, "positions", unknown)
	}
	return nil
}
