package state

import (
	"context"

	"github.com/prantikov/millrace/kafka"
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
// so many keys that nearly none of a million topics would pass by chance. A producer with another partitioner shows in the same way.
func partitionOf(ctx context.Context, log Log, topic string, partitions []int32, key string) (partition int32, ok bool, err error) {
	starts, err := log.Starts(ctx, topic)
	if err != nil {
		return 0, false, err
	}
	for _, number := range partitions {
		placed, err := inPlace(ctx, log, topic, number, starts[number], len(partitions))
		if err != nil || !placed {
			return 0, false, err
		}
	}
	partition, err = kafka.PartitionOf([]byte(key), len(partitions))
	return partition, err == nil, err
}

// inPlace says whether the keys at the beginning of a partition are where the partitioner puts them.
func inPlace(ctx context.Context, log Log, topic string, partition int32, start int64, partitions int) (bool, error) {
	wanted := kafka.Range{Topic: topic, Partitions: []int32{partition}, From: map[int32]int64{partition: start}}
	seen, records := map[string]bool{}, 0
	for r, err := range log.Read(ctx, wanted) {
		if err != nil {
			return false, err
		}
		if records++; records > sampleRecords {
			// Too few keys to say so.
			return false, nil
		}
		if r.Key == nil || seen[string(r.Key)] {
			continue
		}
		chosen, err := kafka.PartitionOf(r.Key, partitions)
		if err != nil || chosen != partition {
			return false, err
		}
		seen[string(r.Key)] = true
		if len(seen) == sampleKeys {
			return true, nil
		}
	}
	return true, nil
}
