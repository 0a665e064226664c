package kafka

import (
	"context"
	"errors"
	"fmt"

	"github.com/IBM/sarama"

	"github.com/prantikov/millrace/record"
)

// Watched is a consumer whose lag is asked for: its group, and its topics by their names on the brokers.
type Watched struct {
	Consumer string
	Group    string
	Topics   []string
}

// Lag is how far a consumer is behind on one partition.
type Lag struct {
	Consumer  string `json:"consumer"`
	Topic     string `json:"topic"`
	Partition int32  `json:"partition"`
	// Committed is the group's position, -1 when it has none.
	Committed int64 `json:"committed"`
	// End is the offset behind the last record of the log.
	End int64 `json:"end"`
	// Lag counts the offsets from Committed, or from the start of the log, to End; 0 when none of them has a record that may be read.
	Lag int64 `json:"lag"`
}

// Lag returns the lag of each consumer on each partition of its topics, in the order asked for and by partition. A topic that does not exist has
// no partitions. It reads what the groups committed and joins none.
func (r *Reader) Lag(ctx context.Context, watched []Watched) ([]Lag, error) {
	ends, starts := map[string]map[int32]int64{}, map[string]map[int32]int64{}
	var rows []Lag
	for _, w := range watched {
		for _, topic := range w.Topics {
			if err := r.extent(ctx, topic, starts, ends); err != nil {
				return nil, err
			}
			committed, err := r.Committed(ctx, w.Group, topic)
			if err != nil {
				return nil, err
			}
			for partition := range int32(len(ends[topic])) {
				row := Lag{Consumer: w.Consumer, Topic: topic, Partition: partition, Committed: committed[partition], End: ends[topic][partition]}
				if row.Lag, err = r.behind(ctx, row, starts[topic][partition]); err != nil {
					return nil, err
				}
				rows = append(rows, row)
			}
		}
	}
	return rows, nil
}

// Committed returns the group's position on each partition of the topic, -1 where it has none.
func (r *Reader) Committed(ctx context.Context, group, topic string) (map[int32]int64, error) {
	positions, err := r.positions(ctx, group, topic)
	if err != nil {
		return nil, err
	}
	offsets := make(map[int32]int64, len(positions))
	for partition, at := range positions {
		offsets[partition] = at.offset
	}
	return offsets, nil
}

// positions are what the group has committed on each partition of the topic, noPosition where it has nothing.
func (r *Reader) positions(ctx context.Context, group, topic string) (map[int32]committed, error) {
	partitions, err := r.Partitions(ctx, topic)
	if err != nil {
		return nil, err
	}
	response, err := r.groupOffsets(ctx, group, map[string][]int32{topic: partitions})
	if err != nil {
		return nil, err
	}
	positions := make(map[int32]committed, len(partitions))
	for _, partition := range partitions {
		block := response.GetBlock(topic, partition)
		switch {
		case block == nil:
			positions[partition] = committed{offset: noPosition}
		case block.Err != sarama.ErrNoError:
			return nil, fmt.Errorf("asking for the position of group %q on partition %d of %q: %w", group, partition, topic, explained(needing(block.Err, OperationDescribe, ResourceTopic, topic)))
		default:
			positions[partition] = committed{offset: block.Offset, metadata: block.Metadata}
		}
	}
	return positions, nil
}

// groupOffsets asks for what a group has committed; nil asks for all of it.
func (r *Reader) groupOffsets(ctx context.Context, group string, of map[string][]int32) (*sarama.OffsetFetchResponse, error) {
	response, err := await(ctx, func() (*sarama.OffsetFetchResponse, error) { return r.admin.ListConsumerGroupOffsets(group, of) })
	if errors.Is(err, sarama.ErrGroupIDNotFound) {
		// Kafka answers that such a group has no positions; the embedded broker calls it an error.
		return &sarama.OffsetFetchResponse{}, nil
	}
	if err != nil {
		return nil, fmt.Errorf("asking for the position of group %q: %w", group, explained(needing(err, OperationDescribe, ResourceGroup, group)))
	}
	return response, nil
}

// extent asks once for the topic's start and end.
func (r *Reader) extent(ctx context.Context, topic string, starts, ends map[string]map[int32]int64) (err error) {
	if ends[topic] != nil {
		return nil
	}
	if starts[topic], err = r.Starts(ctx, topic); err != nil {
		return err
	}
	ends[topic], err = r.offsets(ctx, topic, sarama.OffsetNewest, sarama.ReadUncommitted)
	return err
}

// behind is the row's lag. What looks like lag may be a marker that nobody is given, so that is looked at before it is believed.
func (r *Reader) behind(ctx context.Context, row Lag, start int64) (int64, error) {
	from := max(row.Committed, start)
	if from >= row.End {
		return 0, nil
	}
	through, err := r.AtEnd(ctx, record.Position{Topic: row.Topic, Partition: row.Partition, Offset: from}, row.End)
	if err != nil || through {
		return 0, err
	}
	return row.End - from, nil
}
