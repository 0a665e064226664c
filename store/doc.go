// Package store owns what outlives the process: the state of every entity, the counts, how far each consumer is, the files of the
// file sinks, and the unit of work that makes all of it durable at once.
// It never knows Kafka, and never decides what an event means.
package store
