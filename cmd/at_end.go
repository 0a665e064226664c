package cmd

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/prantikov/millrace/kafka"
	"github.com/prantikov/millrace/record"
)

// endPeriod is how often the groups' positions are compared with the ends.
const endPeriod = 200 * time.Millisecond

// goal is one partition of one consumer that is to be brought to the end that its log had at the start.
type goal struct {
	consumer, group string
	topic           string
	partition       int32
	end             int64
	// at is where the group was at the last look; -1 before the first.
	at int64
}

// untilEnd returns when every consumer's group has committed through to the ends that the logs had at the call. When the context ends
// before, the error lists what is unfinished. It asks the brokers rather than ourselves, so that it holds for what others of the group did.
func (s *service) untilEnd(ctx context.Context) error {
	goals, err := s.goalsOutOfTime(ctx)
	if err != nil {
		return err
	}
	ticker := time.NewTicker(endPeriod)
	defer ticker.Stop()
	for {
		left, err := s.unfinished(ctx, goals)
		if err == nil {
			goals = left
		}
		if len(goals) == 0 {
			return nil
		}
		if failed := s.failures(); failed != nil {
			return failed
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("the end was not reached in time (--timeout); unfinished: %s", listGoals(goals))
		case <-ticker.C:
		}
	}
}

// goalsOutOfTime asks for the goals also when the time for the run is over already, so that what is unfinished can be listed. A signal ends it.
func (s *service) goalsOutOfTime(ctx context.Context) ([]goal, error) {
	asking, cancel := context.WithTimeout(context.WithoutCancel(ctx), 30*time.Second)
	defer cancel()
	defer context.AfterFunc(ctx, func() {
		if errors.Is(ctx.Err(), context.Canceled) {
			cancel()
		}
	})()
	return s.goals(asking)
}

// goals has one goal per consumer and partition.
func (s *service) goals(ctx context.Context) ([]goal, error) {
	var goals []goal
	for _, m := range s.members {
		for _, topic := range m.topics {
			ends, err := s.reader.Ends(ctx, topic)
			if err != nil {
				return nil, err
			}
			for partition := range int32(len(ends)) {
				goals = append(goals, goal{consumer: m.consumer.Name(), group: m.settings.Group, topic: topic, partition: partition, end: ends[partition], at: -1})
			}
		}
	}
	return goals, nil
}

// unfinished returns the goals that are not reached.
func (s *service) unfinished(ctx context.Context, goals []goal) ([]goal, error) {
	type groupTopic struct{ group, topic string }
	committed, starts := map[groupTopic]map[int32]int64{}, map[string]map[int32]int64{}
	var left []goal
	for _, g := range goals {
		key := groupTopic{g.group, g.topic}
		if committed[key] == nil {
			positions, err := s.reader.Committed(ctx, g.group, g.topic)
			if err != nil {
				return nil, err
			}
			committed[key] = positions
		}
		if starts[g.topic] == nil {
			positions, err := s.reader.Starts(ctx, g.topic)
			if err != nil {
				return nil, err
			}
			starts[g.topic] = positions
		}
		at := max(committed[key][g.partition], starts[g.topic][g.partition])
		if at >= g.end {
			continue
		}
		if at != g.at {
			// Who moves needs no closer look, which would cost the brokers a fetch.
			g.at = at
			left = append(left, g)
			continue
		}
		// What is left may be markers of transactions, which nobody is given.
		through, err := s.reader.AtEnd(ctx, record.Position{Topic: g.topic, Partition: g.partition, Offset: at}, g.end)
		if err != nil && !errors.Is(err, kafka.ErrClosed) {
			return nil, err
		}
		if !through {
			left = append(left, g)
		}
	}
	return left, nil
}

func listGoals(goals []goal) string {
	const most = 20
	lines := make([]string, 0, most+1)
	for i, g := range goals {
		if i == most {
			lines = append(lines, fmt.Sprintf("and %d more", len(goals)-most))
			break
		}
		lines = append(lines, fmt.Sprintf("%s %s/%d up to %d", g.consumer, g.topic, g.partition, g.end))
	}
	return strings.Join(lines, ", ")
}
