package kafka

import "github.com/IBM/sarama"

// PartitionOf returns the partition that Java's default partitioner and ours choose for a key among so many.
func PartitionOf(key []byte, partitions int) (int32, error) {
	chosen := sarama.NewMurmur2Partitioner("")
	return chosen.Partition(&sarama.ProducerMessage{Key: sarama.ByteEncoder(key)}, int32(partitions))
}
