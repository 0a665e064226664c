// Package router takes every record of a batch to the function written for its action and decides how it ends: done, skipped, tried
// again, or dead-lettered. It runs on Watermill's router, with one handler per consumer and topic.
// It never talks to Kafka and never names an action.
package router
