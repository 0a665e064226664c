package cmd

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/prantikov/millrace/kafka"
	"github.com/prantikov/millrace/messages"
	"github.com/prantikov/millrace/replay"
)

type replayOptions struct {
	topics, consumers, allowed []string
	partitions                 []int
	from, to                   string
	key                        string
	keyed                      bool
	action                     string
	rate                       int
	execute, restart           bool
	output                     string
}

// replayCommand reads the log again for some consumers.
func replayCommand(p *Program) *cobra.Command {
	var options replayOptions
	command := &cobra.Command{
		Use:   "replay --consumer NAME --from BOUND",
		Short: "Read a part of the log again for some consumers, beside the running ones",
		Long: "Replay prints what would be handled again: records, keys, actions, and which consumers have effects outside. With --execute it is done, by the\n" +
			"same functions, retries and rules as in the running program; groups and their offsets are not touched. A consumer whose tables or files the\n" +
			"store keeps is given what it has passed without reading (millrace gaps), once, and nothing that it has done. One with effects outside is left\n" +
			"out unless --allow-effects names it a second time. A record that fails for good is counted and named, and writes no dead letter.\n\n" +
			"BOUND is beginning, end, an offset, a time (2026-01-31T12:00:00Z), or a duration ago (2h). A replay that was stopped or killed goes on where\n" +
			"it was when the same command is run again. docs/replay.md says more.",
		Args: noArguments,
		RunE: func(c *cobra.Command, _ []string) error {
			options.keyed = c.Flags().Changed("key")
			if err := options.check(); err != nil {
				return err
			}
			s, err := p.open(c)
			if err != nil {
				return err
			}
			return s.replay(c.Context(), options)
		},
	}
	flags := command.Flags()
	flags.StringArrayVar(&options.consumers, "consumer", nil, "replay this `consumer`; may be repeated")
	flags.StringArrayVar(&options.topics, "topic", nil, "read this `topic`; may be repeated (default all that the consumers take)")
	flags.IntSliceVar(&options.partitions, "partition", nil, "read these partitions alone, `0,3` (default all)")
	flags.StringVar(&options.from, "from", "", "the first record: a `bound`")
	flags.StringVar(&options.to, "to", "end", "the `bound` before which to end; end is that of the log when the replay begins")
	flags.StringVar(&options.key, "key", "", "only records with this `key`")
	flags.StringVar(&options.action, "action", "", "only events with this `action`")
	flags.StringArrayVar(&options.allowed, "allow-effects", nil, "replay this `consumer` although it has effects outside; may be repeated")
	flags.IntVar(&options.rate, "rate", 0, "hand over at most this `many` records a second, 0 for as many as go")
	flags.BoolVar(&options.execute, "execute", false, "do it; without it the replay is only planned")
	flags.BoolVar(&options.restart, "restart", false, "with --execute: begin anew, and forget how far an earlier one came")
	addOutputFlag(command, &options.output)
	return command
}

// check refuses what cannot be meant.
func (o *replayOptions) check() error {
	switch {
	case len(o.consumers) == 0:
		return usage("--consumer is missing: it names who is given the records")
	case o.from == "":
		return usage("--from is missing: beginning, an offset, a time, or a duration ago")
	case o.rate < 0:
		return usage("--rate takes 0 or more, not %d", o.rate)
	case o.restart && !o.execute:
		return usage("--restart goes with --execute")
	}
	for _, name := range o.allowed {
		if !slices.Contains(o.consumers, name) {
			return usage("--allow-effects %s names a consumer for the second time: name it with --consumer too", name)
		}
	}
	if slices.ContainsFunc(o.partitions, func(partition int) bool { return partition < 0 || partition > 1<<31-1 }) {
		return usage("--partition takes numbers from 0 on")
	}
	return nil
}

// replay plans and, where it is asked to, executes.
func (s *session) replay(ctx context.Context, options replayOptions) error {
	job, err := s.replayJob(options)
	if err != nil {
		return err
	}
	disconnect, err := s.connect(ctx)
	if err != nil {
		return err
	}
	defer disconnect()
	if job.reader, err = kafka.NewReader(ctx, s.settings.Kafka); err != nil {
		return err
	}
	defer func() { _ = job.reader.Close() }()
	if err := job.reader.Check(ctx, kafka.RightsFor(job.use(), s.settings.Kafka.Version)); err != nil {
		return err
	}
	if options.execute {
		return job.execute(ctx)
	}
	return job.plan(ctx)
}

// replayJob is what the options ask for, in terms of this program's consumers.
func (s *session) replayJob(options replayOptions) (*replayJob, error) {
	now := time.Now()
	job := &replayJob{session: s, options: options}
	var err error
	if job.scope.From, err = replay.ParseBound(options.from, now); err != nil {
		return nil, usage("--from: %w", err)
	}
	if job.scope.To, err = replay.ParseBound(options.to, now); err != nil {
		return nil, usage("--to: %w", err)
	}
	for _, partition := range options.partitions {
		job.scope.Partitions = append(job.scope.Partitions, int32(partition))
	}
	if err := job.choose(); err != nil {
		return nil, err
	}
	if err := job.nameTakers(); err != nil {
		return nil, err
	}
	return job, job.nameTopics()
}

// choose makes the choice of records.
func (j *replayJob) choose() error {
	j.choice.Types = map[string]messages.Type{}
	var actions []messages.Action
	for _, declared := range j.app.types() {
		j.choice.Types[j.topicName(declared.Topic())] = declared
		actions = append(actions, declared.Actions()...)
	}
	if j.options.keyed {
		j.choice.Key = &j.options.key
	}
	j.choice.Action = messages.Action(j.options.action)
	if j.choice.Action != "" && !slices.Contains(actions, j.choice.Action) {
		slices.Sort(actions)
		return usage("--action: no event has the action %q: there are %v", j.options.action, slices.Compact(actions))
	}
	return nil
}

// nameTakers finds the consumers, and leaves out those with effects outside that are not named twice.
func (j *replayJob) nameTakers() error {
	var mistakes []error
	for _, name := range slices.Compact(slices.Sorted(slices.Values(j.options.consumers))) {
		at := slices.Index(j.app.names(), name)
		if at < 0 {
			return usage("no consumer is named %q: there are %v", name, j.app.names())
		}
		consumer := j.app.consumers[at]
		if consumer.Outside() && !slices.Contains(j.options.allowed, name) {
			j.leftOut = append(j.leftOut, name)
			continue
		}
		taker := replayTaker{name: name, live: consumer, settings: j.settings.Consumer(name)}
		for _, declared := range j.taken(consumer) {
			taker.topics = append(taker.topics, j.topicName(declared.Topic()))
		}
		if len(taker.topics) == 0 {
			return usage("consumer %q is not enabled (consumers.%s.enabled)", name, name)
		}
		var err error
		if taker.consumer, err = consumer.Replaying(); err != nil {
			mistakes = append(mistakes, err)
		}
		j.takers = append(j.takers, taker)
	}
	return errors.Join(mistakes...)
}

// nameTopics finds the topics: those that were asked for, or all that the consumers take.
func (j *replayJob) nameTopics() error {
	var all []string
	for _, taker := range j.takers {
		all = append(all, taker.topics...)
	}
	slices.Sort(all)
	all = slices.Compact(all)
	if len(j.options.topics) == 0 || len(j.takers) == 0 {
		j.scope.Topics = all
		return nil
	}
	for _, name := range j.options.topics {
		topic := j.onBrokers(name)
		if !slices.Contains(all, topic) {
			return usage("--topic: none of the consumers takes %q: they take %v", name, all)
		}
		j.scope.Topics = append(j.scope.Topics, topic)
	}
	slices.Sort(j.scope.Topics)
	j.scope.Topics = slices.Compact(j.scope.Topics)
	return nil
}

// use is what the replay does with the cluster: it reads, and asks where groups are whose consumers have effects outside.
func (j *replayJob) use() kafka.Use {
	use := kafka.Use{Read: j.scope.Topics}
	for _, taker := range j.takers {
		if taker.live.Outside() {
			use.Look = append(use.Look, taker.settings.Group)
		}
	}
	return use
}

// leftOutText says why consumers take no part.
func leftOutText(name string) string {
	return fmt.Sprintf("%s is left out: it has effects outside, and only --allow-effects %s replays them", name, name)
}
