package kafka

import (
	"cmp"
	"slices"
	"strings"

	"github.com/prantikov/millrace/config"
)

// RedriveTopic is a topic on which a consumer takes back its dead letters.
type RedriveTopic struct {
	// Name is the topic's on the brokers.
	Name string
	// Consumer reads it, and nobody else does.
	Consumer string
	// Sources are the own names of the topics that the consumer takes.
	Sources []string
}

// WithRedrives returns the same topics and those on which dead letters come back. A redrive topic whose sources are none of the settings' topics
// is left out.
func (t *Topics) WithRedrives(redrives []RedriveTopic) *Topics {
	with := *t
	with.redrives = slices.SortedFunc(slices.Values(redrives), func(a, b RedriveTopic) int { return strings.Compare(a.Name, b.Name) })
	return &with
}

// wantedForRedrives is the topic on which dead letters of these sources come back. It takes every dead letter of each.
//
// It has one partition, so that what comes back is handled in the order of the log in which its consumer met it, also records without a key and
// those of a consumer that keeps the order of whole partitions; the consumer still handles different keys side by side.
//
// Its records have the timestamps of their dead letters and are kept for twice as long: as long as a dead letter can be listed, its redrive topic
// says whether it was given back.
func (t *Topics) wantedForRedrives(redrive RedriveTopic, letters map[string]TopicPlan) (wanted TopicPlan, ok bool) {
	wanted = TopicPlan{Topic: redrive.Name, Consumer: redrive.Consumer, Partitions: 1, Cleanup: "delete"}
	for _, own := range redrive.Sources {
		plan, known := letters[own]
		if !known {
			continue
		}
		if !ok || plan.Managed && !wanted.Managed {
			// It is ours to create where one of the topics is.
			wanted.Managed, wanted.setting = plan.Managed, plan.setting
		}
		ok = true
		wanted.Replicas = max(wanted.Replicas, plan.Replicas)
		wanted.MaxMessageBytes = max(wanted.MaxMessageBytes, plan.MaxMessageBytes)
		wanted.Retention = longer(wanted.Retention, twice(plan.Retention))
		wanted.limitsAhead = wanted.limitsAhead || plan.limitsAhead
	}
	return wanted, ok
}

// planRedrives plans the redrive topics, of which there is one for each consumer; letters has the plans of the dead-letter topics by the own names
// of their sources.
func (t *Topics) planRedrives(there cluster, letters map[string]TopicPlan) (plans []TopicPlan) {
	for _, redrive := range t.redrives {
		if wanted, ok := t.wantedForRedrives(redrive, letters); ok {
			plans = append(plans, t.decide(there, wanted))
		}
	}
	return plans
}

// ownName is the name in the settings of a topic by its name on the brokers.
func ownName(topics map[string]config.Topic) map[string]string {
	own := make(map[string]string, len(topics))
	for name, topic := range topics {
		own[cmp.Or(topic.Name, name)] = name
	}
	return own
}
