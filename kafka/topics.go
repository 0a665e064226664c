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
	// ActionCreate is a topic that is missing.
	ActionCreate = "create"
	// ActionKeep is a topic that is there.
	ActionKeep = "keep"
	// ActionAddPartitions is a topic that is there with fewer partitions than the settings say, and is to get the rest.
	ActionAddPartitions = "add-partitions"
	// ActionMissing is a topic that is missing and that somebody else has to create: topics.<name>.manage is off.
	ActionMissing = "missing"
)

// TopicPlan is what there is of a topic and what is to be done: to create it, to give it more partitions, or to keep it as it is. Nothing else of
// a topic that is there is ever altered.
type TopicPlan struct {
	// Topic is the name on the brokers.
	Topic string `json:"topic"`
	// Source is the topic whose dead letters these are; empty for any other topic.
	Source string `json:"source,omitempty"`
	// Consumer is who takes its dead letters back from the topic; empty for any other topic.
	Consumer string `json:"consumer,omitempty"`
	// Managed is false for a topic that others own: it is checked, and nothing is done.
	Managed    bool `json:"managed"`
	Exists     bool `json:"exists"`
	Partitions int  `json:"partitions"`
	// AddPartitions is how many more it is to get.
	AddPartitions int `json:"addPartitions,omitempty"`
	Replicas      int `json:"replicas"`
	// Retention is negative for ever.
	Retention       time.Duration `json:"retention"`
	Cleanup         string        `json:"cleanup"`
	MaxMessageBytes int           `json:"maxMessageBytes"`
	Action          string        `json:"action"`
	// Drift is where an existing topic is not as the settings have it.
	Drift []Drift `json:"drift,omitempty"`
	// Notes say what there is to know before the plan is followed, and what of it cannot be.
	Notes []string `json:"notes,omitempty"`
	// Commands are lines of Kafka's own tools that do what we do not.
	Commands []string `json:"commands,omitempty"`

	// setting is where the settings say who manages it.
	setting string
	// limitsAhead says that the topic's brokers bound how far ahead a record's timestamp may be (KIP-937, Kafka 3.6).
	limitsAhead bool
}

// Topics plans and creates the topics of the settings and their dead-letter topics, as Spring's KafkaAdmin does: what is missing is created, what is
// there is not altered. Topics that others own are only checked. Each call connects for itself. It is safe for concurrent use, also by several processes.
type Topics struct {
	settings config.Settings
	redrives []RedriveTopic
	grow     bool
}

// NewTopics returns the topics of the settings.
func NewTopics(s config.Settings) *Topics { return &Topics{settings: s} }

// AddingPartitions returns the same topics, but one that has fewer partitions than the settings say is given the rest. Keys move: from then on
// the records of a key may go to another partition than its earlier ones, and pass those that are not handled yet.
func (t *Topics) AddingPartitions() *Topics {
	growing := *t
	growing.grow = true
	return &growing
}

// Plan says what there is and what Apply would do: each topic followed by its dead-letter topic, sorted by name, then the redrive topics.
func (t *Topics) Plan(ctx context.Context) ([]TopicPlan, error) {
	admin, err := t.connect(ctx)
	if err != nil {
		return nil, err
	}
	defer admin.Close()
	return await(ctx, func() ([]TopicPlan, error) { return t.plan(admin) })
}

// Apply does what the plan says and waits until all topics have their leaders. It returns the plan that it followed; what another process did at
// the same time is fine. The error is a [*MissingTopicsError] when others have to create a topic first; the rest is done then.
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
		return plans, carryOut(admin, plans)
	})
	if err != nil {
		return plans, err
	}
	if err := waitForLeaders(ctx, admin, plans); err != nil {
		return plans, err
	}
	return plans, missing(plans)
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
	own := ownName(t.settings.Topics)
	sources := slices.Sorted(maps.Keys(own))
	all := slices.Clone(sources)
	for _, source := range sources {
		all = append(all, t.DeadLetterTopic(source))
	}
	for _, redrive := range t.redrives {
		all = append(all, redrive.Name)
	}
	there, err := look(admin, all)
	if err != nil {
		return nil, err
	}
	var plans []TopicPlan
	letters := make(map[string]TopicPlan, len(sources))
	for _, source := range sources {
		plan := t.decide(there, t.wanted(source, own[source], there))
		letters[own[source]] = t.decide(there, t.wantedForDeadLetters(plan))
		plans = append(plans, plan, letters[own[source]])
	}
	return append(plans, t.planRedrives(there, letters)...), nil
}

// decide is what to do so that there is what is wanted.
func (t *Topics) decide(c cluster, wanted TopicPlan) TopicPlan {
	plan := c.plan(wanted)
	switch more := wanted.Partitions - plan.Partitions; {
	case !plan.Exists && !plan.Managed:
		plan.Action = ActionMissing
	case plan.Exists && plan.Managed && t.grow && more > 0:
		plan.Action, plan.AddPartitions = ActionAddPartitions, more
	}
	plan.Notes = append(plan.Notes, plan.advice(wanted)...)
	plan.Commands = plan.commands(t.settings.Kafka, wanted)
	return plan
}

// wanted is the topic as the settings have it.
func (t *Topics) wanted(name, own string, c cluster) TopicPlan {
	s := t.settings.Topics[own]
	return TopicPlan{
		Topic: name, Managed: s.Manage != config.ManageOff, setting: "topics." + own + ".manage", Partitions: cmp.Or(s.Partitions, defaultPartitions), Replicas: cmp.Or(s.Replicas, defaultReplicas),
		Retention: cmp.Or(s.Retention, defaultRetention), Cleanup: "delete",
		MaxMessageBytes: cmp.Or(s.MaxMessageBytes, c.maxMessageBytes),
	}
}

// wantedForDeadLetters is the topic of the source's dead letters: it takes all that the source takes, partition by partition.
func (t *Topics) wantedForDeadLetters(source TopicPlan) TopicPlan {
	return TopicPlan{
		Topic: t.DeadLetterTopic(source.Topic), Source: source.Topic, Managed: source.Managed, setting: source.setting,
		Partitions: source.Partitions + source.AddPartitions, Replicas: source.Replicas,
		Retention: longer(cmp.Or(t.settings.DeadLetters.Retention, defaultDeadLetterRetention), source.Retention), Cleanup: "delete",
		MaxMessageBytes: source.MaxMessageBytes + deadLetterRoom, limitsAhead: source.limitsAhead,
	}
}

// twice is twice a retention.
func twice(retention time.Duration) time.Duration {
	if retention < 0 || retention > math.MaxInt64/2 {
		return -1
	}
	return 2 * retention
}

// longer is the longer of two retentions: a dead letter has its record's timestamp, so where the source keeps old records a shorter
// retention would drop their dead letters at once.
func longer(a, b time.Duration) time.Duration {
	if a < 0 || b < 0 {
		return -1
	}
	return max(a, b)
}

// carryOut does what the plans say. It goes on after an error and joins them all.
func carryOut(admin sarama.ClusterAdmin, plans []TopicPlan) error {
	var failures []error
	for _, plan := range plans {
		switch plan.Action {
		case ActionCreate:
			err := admin.CreateTopic(plan.Topic, plan.detail(), false)
			if err != nil && !errors.Is(err, sarama.ErrTopicAlreadyExists) {
				failures = append(failures, fmt.Errorf("creating topic %q: %w", plan.Topic, explained(needing(err, OperationCreate, ResourceTopic, plan.Topic))))
			}
		case ActionAddPartitions:
			// Kafka's answer to who comes second is that there are as many, or more, already.
			err := admin.CreatePartitions(plan.Topic, int32(plan.Partitions+plan.AddPartitions), nil, false)
			if err != nil && !errors.Is(err, sarama.ErrInvalidPartitions) {
				failures = append(failures, fmt.Errorf("adding partitions to topic %q: %w", plan.Topic, explained(needing(err, OperationAlter, ResourceTopic, plan.Topic))))
			}
		}
	}
	return errors.Join(failures...)
}

// events says whether it is a topic of events: neither dead letters nor what comes back of them.
func (p TopicPlan) events() bool { return p.Source == "" && p.Consumer == "" }

// detail is the plan in the client's words.
func (p TopicPlan) detail() *sarama.TopicDetail {
	entries := map[string]*string{}
	for name, value := range p.entries() {
		entries[name] = &value
	}
	return &sarama.TopicDetail{NumPartitions: int32(p.Partitions), ReplicationFactor: int16(p.Replicas), ConfigEntries: entries}
}

// The settings of a topic that are ours to say.
const (
	retentionEntry = "retention.ms"
	cleanupEntry   = "cleanup.policy"
	bytesEntry     = "max.message.bytes"
)

// entries are the settings with which the topic is made.
func (p TopicPlan) entries() map[string]string {
	entries := map[string]string{
		retentionEntry: strconv.FormatInt(milliseconds(p.Retention), 10), cleanupEntry: p.Cleanup, bytesEntry: strconv.Itoa(p.MaxMessageBytes),
	}
	if !p.events() && p.limitsAhead {
		// A dead letter has the timestamp of its record, which the source took, however far ahead it was. So has what comes back of it.
		entries[timestampAhead] = strconv.FormatInt(math.MaxInt64, 10)
	}
	return entries
}

// milliseconds is a retention as Kafka writes it: -1 for ever.
func milliseconds(retention time.Duration) int64 {
	if retention < 0 {
		return -1
	}
	return retention.Milliseconds()
}
