package kafka

import "github.com/IBM/sarama"

// PartitionOf returns the partition that Java's default partitioner and ours choose for a key among so many.
func PartitionOf(key []byte, partitions int) (int32, error) {
	return NewPlacement(partitions).Of(key)
}

// Placement chooses partitions for keys as Java's default partitioner and ours do. One goroutine uses it.
type Placement struct {
	partitioner sarama.Partitioner
	message     sarama.ProducerMessage
	partitions  int32
}

// NewPlacement chooses among so many partitions.
func NewPlacement(partitions int) *Placement {
	return &Placement{partitioner: sarama.NewMurmur2Partitioner(""), partitions: int32(partitions)}
}

// Of is the partition of a key.
func (p *Placement) Of(key []byte) (int32, error) {
	p.message.Key = sarama.ByteEncoder(key)
	return p.partitioner.Partition(&p.message, p.partitions)
}
