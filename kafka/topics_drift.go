package kafka

import (
	"fmt"
	"time"
)

// Drift is one setting of a topic that is not as it is wanted.
type Drift struct {
	// Setting is partitions, replicas, retention, cleanup or max.message.bytes.
	Setting string `json:"setting"`
	// Is and Want are for people.
	Is   string `json:"is"`
	Want string `json:"want"`
}

// String says it in words.
func (d Drift) String() string {
	return fmt.Sprintf("%s is %s, the settings say %s", d.Setting, d.Is, d.Want)
}

// The settings that can drift.
const (
	driftPartitions = "partitions"
	driftReplicas   = "replicas"
	driftRetention  = "retention"
	driftCleanup    = "cleanup"
	driftBytes      = "max.message.bytes"
)

// plan is the topic that is there, with its drift, or the one that is missing.
func (c cluster) plan(wanted TopicPlan) TopicPlan {
	there, exists := c.topics[wanted.Topic]
	if !exists {
		wanted.Action = ActionCreate
		if wanted.Replicas > c.brokers {
			wanted.Notes = append(wanted.Notes, fmt.Sprintf("replicas %d instead of %d: there are not more brokers", c.brokers, wanted.Replicas))
			wanted.Replicas = c.brokers
		}
		return wanted
	}
	there.Action, there.Source, there.Consumer, there.Managed, there.setting = ActionKeep, wanted.Source, wanted.Consumer, wanted.Managed, wanted.setting
	there.Drift = c.drift(there, wanted)
	return there
}

// drift says where an existing topic is not as wanted.
func (c cluster) drift(there, wanted TopicPlan) (drifts []Drift) {
	differs := func(setting string, is, want any) {
		if is != want {
			drifts = append(drifts, Drift{Setting: setting, Is: fmt.Sprint(is), Want: fmt.Sprint(want)})
		}
	}
	// A dead letter goes to its record's partition, and what comes back to the first one: more are no harm.
	if wanted.events() || there.Partitions < wanted.Partitions {
		differs(driftPartitions, there.Partitions, wanted.Partitions)
	}
	differs(driftReplicas, there.Replicas, min(wanted.Replicas, max(c.brokers, 1)))
	differs(driftRetention, retentionText(there.Retention), retentionText(wanted.Retention))
	differs(driftCleanup, there.Cleanup, wanted.Cleanup)
	if there.MaxMessageBytes < wanted.MaxMessageBytes {
		differs(driftBytes, there.MaxMessageBytes, wanted.MaxMessageBytes)
	}
	return drifts
}

// advice is what to know of a plan beside its drift.
func (p TopicPlan) advice(wanted TopicPlan) (notes []string) {
	switch {
	case p.Action == ActionAddPartitions && p.events():
		notes = append(notes, "keys move: new records of a key may go to another partition than its earlier ones and be handled before them, "+
			"so stop what produces and let every consumer come to the end first")
	case p.Action == ActionMissing:
		notes = append(notes, fmt.Sprintf("%s is off: who owns it has to create it", p.setting))
	case !p.Exists || p.Partitions == wanted.Partitions:
	case p.Partitions > wanted.Partitions && p.events():
		notes = append(notes, "Kafka takes no partitions away")
	case p.Partitions < wanted.Partitions && !p.events():
		notes = append(notes, "some dead letters come to another partition than their records had")
	case p.Partitions < wanted.Partitions && p.Managed && p.Action == ActionKeep:
		notes = append(notes, "topics apply --add-partitions adds them; keys move then")
	}
	if p.Exists && p.drifts(driftReplicas) {
		notes = append(notes, "kafka-reassign-partitions.sh changes replicas")
	}
	return notes
}

func (p TopicPlan) drifts(setting string) bool {
	for _, drift := range p.Drift {
		if drift.Setting == setting {
			return true
		}
	}
	return false
}

// retentionText is a retention for people.
func retentionText(retention time.Duration) string {
	if retention < 0 {
		return "for ever"
	}
	return retention.String()
}
