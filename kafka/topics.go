package kafka

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"time"

	"github.com/IBM/sarama"

	"github.com/prantikov/millrace/config"
)

// What a topic is made with when the settings leave it open.
const (
	defaultPartitions          = 6
	defaultReplicas            = 3
	defaultRetention           = 7 * 24 * time.Hour
	defaultDeadLetterRetention = 30 * 24 * time.Hour
	// deadLetterRoom is what a dead letter may be larger than its source: room for headers.
	deadLetterRoom = 1 << 20
	// defaultMaxMessageBytes is message.max.bytes of a broker that was not told otherwise.
	defaultMaxMessageBytes = 1048588
)

// timestampAhead is the setting of how far ahead a record's timestamp may be.
const timestampAhead = "message.timestamp.after.max.ms"

// Actions of a [TopicPlan].
const (
	ActionCreate = "create"
	ActionKeep   = "keep"
)

// TopicPlan is what there is of a topic and what is to be done: to create it, or to keep it as it is. Nothing is ever altered.
type TopicPlan struct {
	// Topic is the name on the brokers.
	Topic string `json:"topic"`
	// Source is the topic whose dead letters these are; empty for a topic of events.
	Source     string `json:"source,omitempty"`
	Exists     bool   `json:"exists"`
	Partitions int    `json:"partitions"`
	Replicas   int    `json:"replicas"`
	// Retention is negative for ever.
	Retention       time.Duration `json:"retention"`
	Cleanup         string        `json:"cleanup"`
	MaxMessageBytes int           `json:"maxMessageBytes"`
	Action          string        `json:"action"`
	// Notes say where an existing topic is not as the settings have it, and why a new one is not.
	Notes []string `json:"notes,omitempty"`

	// limitsAhead says that the topic's brokers bound how far ahead a record's timestamp may be (KIP-937, Kafka 3.6).
	limitsAhead bool
}

// Topics plans and creates the topics of the settings and their dead-letter topics, as Spring's KafkaAdmin does: what is missing is created, what is
// there is never altered. Each call connects for itself. It is safe for concurrent use, also by several processes.
type Topics struct{ settings config.Settings }

// NewTopics returns the topics of the settings.
func NewTopics(s config.Settings) *Topics { return &Topics{settings: s} }

// Plan says what there is and what Apply would do, each topic followed by its dead-letter topic, sorted by the topics' own names.
func (t *Topics) Plan(ctx context.Context) ([]TopicPlan, error) {
	admin, err := t.connect(ctx)
	if err != nil {
		return nil, err
	}
	defer admin.Close()
	return await(ctx, func() ([]TopicPlan, error) { return t.plan(admin) })
}

// Apply creates the topics that are missing and waits until all have their leaders. It returns the plan that it followed; a topic that another
// process created at the same time is fine.
func (t *Topics) Apply(ctx context.Context) ([]TopicPlan, error) {
	admin, err := t.connect(ctx)
	if err != nil {
		return nil, err
	}
	defer admin.Close()
	plans, err := await(ctx, func() ([]TopicPlan, error) {
		plans, err := t.plan(admin)
		if err != nil {
			return nil, err
		}
		return plans, createMissing(admin, plans)
	})
	if err != nil {
		return plans, err
	}
	return plans, waitForLeaders(ctx, admin, plans)
}

// DeadLetterTopic is the name of the topic that takes the dead letters of a topic.
func (t *Topics) DeadLetterTopic(topic string) string {
	return topic + cmp.Or(t.settings.DeadLetters.Suffix, "-dlt")
}

func (t *Topics) connect(ctx context.Context) (sarama.ClusterAdmin, error) {
	c, err := adminConfig(t.settings.Kafka)
	if err != nil {
		return nil, err
	}
	client, err := connect(ctx, t.settings.Kafka.Brokers, c)
	if err != nil {
		return nil, err
	}
	admin, err := sarama.NewClusterAdminFromClient(client)
	if err != nil {
		_ = client.Close()
		return nil, fmt.Errorf("finding the controller: %w", explained(err))
	}
	return admin, nil
}

func (t *Topics) plan(admin sarama.ClusterAdmin) ([]TopicPlan, error) {
	names := map[string]config.Topic{}
	for own, topic := range t.settings.Topics {
		names[cmp.Or(topic.Name, own)] = topic
	}
	sources := slices.Sorted(maps.Keys(names))
	all := slices.Clone(sources)
	for _, source := range sources {
		all = append(all, t.DeadLetterTopic(source))
	}
	there, err := look(admin, all)
	if err != nil {
		return nil, err
	}
	var plans []TopicPlan
	for _, source := range sources {
		plan := there.plan(t.wanted(source, names[source], there))
		plans = append(plans, plan, there.plan(t.wantedForDeadLetters(plan)))
	}
	return plans, nil
}

// wanted is the topic as the settings have it.
func (t *Topics) wanted(name string, s config.Topic, c cluster) TopicPlan {
	return TopicPlan{
		Topic: name, Partitions: cmp.Or(s.Partitions, defaultPartitions), Replicas: cmp.Or(s.Replicas, defaultReplicas),
		Retention: cmp.Or(s.Retention, defaultRetention), Cleanup: "delete",
		MaxMessageBytes: cmp.Or(s.MaxMessageBytes, c.maxMessageBytes),
	}
}

// wantedForDeadLetters is the topic of the source's dead letters: it takes all that the source takes, partition by partition.
func (t *Topics) wantedForDeadLetters(source TopicPlan) TopicPlan {
	return TopicPlan{
		Topic: t.DeadLetterTopic(source.Topic), Source: source.Topic, Partitions: source.Partitions, Replicas: source.Replicas,
		Retention: longer(cmp.Or(t.settings.DeadLetters.Retention, defaultDeadLetterRetention), source.Retention), Cleanup: "delete",
		MaxMessageBytes: source.MaxMessageBytes + deadLetterRoom, limitsAhead: source.limitsAhead,
	}
}

// longer is the longer of two retentions: a dead letter has its record's timestamp, so where the source keeps old records a shorter
// retention would drop their dead letters at once.
func longer(a, b time.Duration) time.Duration {
	if a < 0 || b < 0 {
		return -1
	}
	return max(a, b)
}

// createMissing creates what the plans say. It goes on after an error and joins them all.
func createMissing(admin sarama.ClusterAdmin, plans []TopicPlan) error {
	var failures []error
	for _, plan := range plans {
		if plan.Action != ActionCreate {
			continue
		}
		err := admin.CreateTopic(plan.Topic, plan.detail(), false)
		if err != nil && !errors.Is(err, sarama.ErrTopicAlreadyExists) {
			failures = append(failures, fmt.Errorf("creating topic %q: %w", plan.Topic, explained(needing(err, OperationCreate, ResourceTopic, plan.Topic))))
		}
	}
	return errors.Join(failures...)
}

// detail is the plan in the client's words.
func (p TopicPlan) detail() *sarama.TopicDetail {
	text := func(value string) *string { return &value }
	entries := map[string]*string{
		"retention.ms": text(strconv.FormatInt(milliseconds(p.Retention), 10)), "cleanup.policy": text(p.Cleanup),
		"max.message.bytes": text(strconv.Itoa(p.MaxMessageBytes)),
	}
	if p.Source != "" && p.limitsAhead {
		// A dead letter has the timestamp of its record, which the source took, however far ahead it was.
		entries[timestampAhead] = text(strconv.FormatInt(math.MaxInt64, 10))
	}
	return &sarama.TopicDetail{NumPartitions: int32(p.Partitions), ReplicationFactor: int16(p.Replicas), ConfigEntries: entries}
}

// milliseconds is a retention as Kafka writes it: -1 for ever.
func milliseconds(retention time.Duration) int64 {
	if retention < 0 {
		return -1
	}
	return retention.Milliseconds()
}

// waitForLeaders waits until every partition of the topics has a leader: before that, a group that joins is given nothing.
func waitForLeaders(ctx context.Context, admin sarama.ClusterAdmin, plans []TopicPlan) error {
	ctx, cancel := context.WithTimeoutCause(ctx, readPatience, fmt.Errorf("not all partitions had a leader after %s", readPatience))
	defer cancel()
	names := make([]string, 0, len(plans))
	for _, plan := range plans {
		names = append(names, plan.Topic)
	}
	again := time.NewTicker(50 * time.Millisecond)
	defer again.Stop()
	for {
		topics, err := await(ctx, func() ([]*sarama.TopicMetadata, error) { return admin.DescribeTopics(names) })
		if err == nil && !slices.ContainsFunc(topics, leaderless) && len(topics) == len(names) {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("waiting for the leaders of the topics: %w", context.Cause(ctx))
		case <-again.C:
		}
	}
}

// leaderless says whether the topic cannot be read yet.
func leaderless(topic *sarama.TopicMetadata) bool {
	return topic.Err != sarama.ErrNoError || slices.ContainsFunc(topic.Partitions, func(p *sarama.PartitionMetadata) bool {
		return p.Err != sarama.ErrNoError && p.Err != sarama.ErrReplicaNotAvailable || p.Leader < 0
	})
}
