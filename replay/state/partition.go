package state

import (
	"context"

	"github.com/prantikov/millrace/kafka"
	"github.com/prantikov/millrace/record"
)

const (
	// sampleRecords bounds how many records at the beginning of each partition are looked at.
	sampleRecords = 2000
	// sampleKeys is how many keys that are where the partitioner puts them say that those behind them are too. A key stays where it was by chance,
	// when partitions are added, no more often than every second time.
	sampleKeys = 24
)

// partitionOf finds the one partition that has all records of a key; ok is false when that is not certain, and all have to be read.
//
// The brokers do not say whether partitions were added to a topic, but its records do: those that were written before stand where the partitioner
// no longer puts their keys. They are the oldest of their partitions, so it is enough to look at the beginning of each: at the whole partition, or at
// so many keys that hardly one of ten million topics would pass by chance. A producer with another partitioner shows in the same way.
func partitionOf(ctx context.Context, log Log, topic string, partitions []int32, key string) (partition int32, ok bool, err error) {
	starts, err := log.Starts(ctx, topic)
	if err != nil {
		return 0, false, err
	}
	ends, err := log.Ends(ctx, topic)
	if err != nil {
		return 0, false, err
	}
	for _, number := range partitions {
		from := record.Position{Topic: topic, Partition: number, Offset: starts[number]}
		placed, err := inPlace(ctx, log, from, ends[number], len(partitions))
		if err != nil || !placed {
			return 0, false, err
		}
	}
	partition, err = kafka.PartitionOf([]byte(key), len(partitions))
	return partition, err == nil, err
}

// inPlace says whether the keys at the beginning of a partition are where the partitioner puts them.
func inPlace(ctx context.Context, log Log, from record.Position, end int64, partitions int) (bool, error) {
	if from.Offset >= end {
		return true, nil
	}
	seen, records := map[string]bool{}, 0
	for piece, err := range log.ReadPartition(ctx, from, end) {
		for _, r := range piece {
			if records++; records > sampleRecords {
				return false, nil // too few keys to say so
			}
			if r.Key == nil || seen[string(r.Key)] {
				continue
			}
			chosen, err := kafka.PartitionOf(r.Key, partitions)
			if err != nil || chosen != from.Partition {
				return false, err
			}
			if seen[string(r.Key)] = true; len(seen) == sampleKeys {
				return true, nil
			}
		}
		if err != nil {
			return false, err
		}
	}
	return true, nil
}
