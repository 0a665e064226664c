// Package kafka owns both ends of Kafka: subscriber, publisher, marshaler, topics, lag, bounded reads and the embedded broker. It is the only
// code that imports sarama.
// It never decodes a payload and knows no handler.
package kafka
