package control

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/prantikov/millrace/observe"
)

// Consumer is a running consumer as far as it can be asked and told from outside. What its engine does not offer is nil.
type Consumer struct {
	Name string
	// Topics are the names on the brokers of what it takes.
	Topics []string
	Intake Intake
	// Positions returns how far it is with each partition that it owns.
	Positions func() []Position
	// Failure is why it ended by itself; nil while it has not.
	Failure func() error
	// Keys is nil for a consumer whose engine has no such thing; Inline says so then, as the end of a sentence.
	Keys   Concurrency
	Inline string
}

// Concurrency is how many keys of a consumer are worked on side by side: 1 where records go one after another, and then the error of
// setting it says why.
type Concurrency interface {
	Concurrency(consumer string) int
	SetConcurrency(consumer string, keys int) error
}

// Position is how far a consumer is with a partition that it owns.
type Position struct {
	Topic     string
	Partition int32
	// Next is read next, Frontier is the lowest offset that is not finished, HighWater the end of the log as it was last told.
	Next, Frontier, HighWater int64
	// Pending counts what was taken and is not finished, InFlight what of it is being worked on. Oldest is the timestamp of the oldest.
	Pending, InFlight int
	Oldest            time.Time
	// Waiting counts the keys that wait for a retry; Full says that no more is taken before some of it is finished.
	Waiting int
	Full    bool
}

// Log is what the brokers know and a consumer that takes nothing is not told. Its errors leave the consumer's own knowledge.
type Log interface {
	// Ends returns the end of each partition of the topic.
	Ends(ctx context.Context, topic string) (map[int32]int64, error)
	// First returns the timestamp of the first record from an offset to before end, or false when only markers and holes are there.
	First(ctx context.Context, topic string, partition int32, from, end int64) (time.Time, bool, error)
}

// Process is what the commands reach.
type Process struct {
	Version   string
	Consumers []Consumer
	// TopicName is the name on the brokers of a topic that is named by its own name.
	TopicName func(name string) string
	Log       Log
	Pauses    *Pauses
	Health    *observe.Health
	Metrics   *observe.Metrics
	Alarms    *observe.Alarms
}

// consumer finds a consumer by its name.
func (p *Process) consumer(name string) (*Consumer, error) {
	for i := range p.Consumers {
		if p.Consumers[i].Name == name {
			return &p.Consumers[i], nil
		}
	}
	names := make([]string, len(p.Consumers))
	for i, consumer := range p.Consumers {
		names[i] = consumer.Name
	}
	return nil, unknown("no consumer named %q runs here: there are %s", name, strings.Join(names, ", "))
}

// target checks what a request names and puts the topic's name on the brokers into it.
func (p *Process) target(ctx context.Context, asked Target) (Target, *Consumer, error) {
	consumer, err := p.consumer(asked.Consumer)
	if err != nil {
		return Target{}, nil, err
	}
	asked.Partition = max(asked.Partition, -1)
	if asked.Topic == "" {
		if asked.Partition >= 0 {
			return Target{}, nil, misused("a partition needs its topic: name it with --topic")
		}
		return asked, consumer, nil
	}
	if !slices.Contains(consumer.Topics, asked.Topic) {
		named := p.TopicName(asked.Topic)
		if !slices.Contains(consumer.Topics, named) {
			return Target{}, nil, unknown("consumer %q takes no topic %q: there are %s", consumer.Name, asked.Topic, strings.Join(consumer.Topics, ", "))
		}
		asked.Topic = named
	}
	if asked.Partition < 0 {
		return asked, consumer, nil
	}
	// Brokers that do not answer are no reason to refuse: a pause of a partition that is not there stops nothing.
	ends, err := p.Log.Ends(ctx, asked.Topic)
	if _, exists := ends[asked.Partition]; err == nil && !exists {
		return Target{}, nil, unknown("topic %q has no partition %d: it has %d, from 0", asked.Topic, asked.Partition, len(ends))
	}
	return asked, consumer, nil
}

// Pause stops the intake of a consumer for a time.
func (p *Process) Pause(ctx context.Context, request PauseRequest) (Paused, error) {
	length, err := time.ParseDuration(request.For)
	if err != nil {
		return Paused{}, misused("a pause takes a time such as 30m, not %q", request.For)
	}
	if err := CheckPause(length); err != nil {
		return Paused{}, err
	}
	target, consumer, err := p.target(ctx, request.Target)
	if err != nil {
		return Paused{}, err
	}
	if consumer.Intake == nil {
		return Paused{}, conflict("%s cannot be paused: its engine (kafka.engine) has no pause", target)
	}
	return p.Pauses.begin(target, consumer.Intake, length)
}

// CheckPause says what is wrong with the length of a pause.
func CheckPause(length time.Duration) error {
	if length <= 0 || length > LongestPause {
		return misused("a pause lasts longer than 0 and at most %s, not %s", LongestPause, length)
	}
	return nil
}

// Resume ends the pauses that the target covers.
func (p *Process) Resume(ctx context.Context, asked Target) (Resumed, error) {
	target, _, err := p.target(ctx, asked)
	if err != nil {
		return Resumed{}, err
	}
	return p.Pauses.resume(target)
}

// SetConcurrency sets how many keys of a consumer are worked on side by side, until the process ends.
func (p *Process) SetConcurrency(request Keys) (Keys, error) {
	if err := CheckKeys(request.Concurrency); err != nil {
		return Keys{}, err
	}
	consumer, err := p.consumer(request.Consumer)
	if err != nil {
		return Keys{}, err
	}
	if consumer.Keys == nil {
		return Keys{}, conflict("consumer %q has no concurrency to set: %s", consumer.Name, consumer.Inline)
	}
	request.Before = consumer.Keys.Concurrency(consumer.Name)
	if err := consumer.Keys.SetConcurrency(consumer.Name, request.Concurrency); err != nil {
		return Keys{}, conflict("%v", err)
	}
	return request, nil
}

// CheckKeys says what is wrong with a number of keys.
func CheckKeys(keys int) error {
	if keys < 1 || keys > MostKeys {
		return misused("the concurrency is a number from 1 to %d, not %d", MostKeys, keys)
	}
	return nil
}
