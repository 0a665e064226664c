// Package messages owns the wire contract: the event types with their actions and kinds, decoding and encoding them as Spring's JSON
// serialisers do, the key of each event, and which of its fields are patient data.
// It never knows Kafka or Watermill, and never decides what happens with an event.
package messages
