package cmd

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/prantikov/millrace/kafka"
)

// compareOptions are the flags of compare.
type compareOptions struct {
	groups, topics []string
	within         time.Duration
}

// compareCommand says whether two groups have done the same.
func compareCommand(p *Program) *cobra.Command {
	var options compareOptions
	var output string
	command := &cobra.Command{
		Use:   "compare --group A --group B",
		Short: "Compare what two groups have done, as for a dry run beside a listener",
		Long: "Compare asks the brokers how far two groups are with each partition of a topic: their positions, what Millrace has finished above its own,\n" +
			"what is undone and how old the oldest of it is, what one has done and the other has not, and which records that both are through with only\n" +
			"one of them has given up as a dead letter. It joins neither. What is written to the topic after it has begun is not compared, so two groups\n" +
			"that keep up are equal. It compares every topic on which one of them has a position, or those of --topic. It exits with 0 when both have\n" +
			"done the same, with 3 when they have not.",
		Args: noArguments,
		RunE: func(c *cobra.Command, _ []string) error {
			if err := options.check(); err != nil {
				return err
			}
			s, err := p.open(c)
			if err != nil {
				return err
			}
			var compared comparison
			err = s.reading(c.Context(), func(reader *kafka.Reader) error {
				compared, err = s.compare(c.Context(), reader, options)
				return err
			})
			if err != nil {
				return err
			}
			if err := p.print(output, compared, func() error { return p.printComparison(compared) }); err != nil {
				return err
			}
			return compared.verdict()
		},
	}
	flags := command.Flags()
	flags.StringArrayVar(&options.groups, "group", nil, "a consumer `group`, as the brokers have it; twice")
	flags.StringArrayVar(&options.topics, "topic", nil, "only this `topic`; may be repeated")
	flags.DurationVar(&options.within, "within", 0, "look again until they are equal, at most for this `long`")
	addOutputFlag(command, &output)
	return command
}

func (o compareOptions) check() error {
	switch {
	case len(o.groups) != 2:
		return usage("compare takes two groups, --group A --group B, not %d", len(o.groups))
	case o.groups[0] == o.groups[1]:
		return usage("compare takes two groups, not %q twice", o.groups[0])
	case slices.Contains(o.groups, ""):
		return usage("--group takes the name of a group")
	case o.within < 0:
		return usage("--within takes a time, not %s", o.within)
	}
	return nil
}

// compareAgain is the pause between two looks.
const compareAgain = 200 * time.Millisecond

// compare compares, with --within again and again until the groups are equal or the time is over.
func (s *session) compare(ctx context.Context, reader *kafka.Reader, options compareOptions) (comparison, error) {
	a, b := options.groups[0], options.groups[1]
	topics, err := s.comparedTopics(ctx, reader, options)
	if err != nil {
		return comparison{}, err
	}
	ends := map[string]map[int32]int64{}
	for _, topic := range topics {
		end, err := reader.Ends(ctx, topic)
		if len(options.topics) == 0 && errors.Is(err, kafka.ErrNoTopic) {
			fmt.Fprintf(s.program.errout, "topic %q is not there any more: not compared\n", topic)
			continue
		}
		if err != nil {
			return comparison{}, err
		}
		ends[topic] = end
	}
	for deadline := time.Now().Add(options.within); ; {
		rows, err := reader.Compare(ctx, a, b, ends)
		if err != nil {
			return comparison{}, err
		}
		letters, err := s.givenUp(ctx, reader, topics)
		if err != nil {
			return comparison{}, err
		}
		compared := newComparison(a, b, rows, letters, time.Now())
		if compared.Equal || time.Now().After(deadline) {
			return compared, nil
		}
		select {
		case <-ctx.Done():
			return comparison{}, context.Cause(ctx)
		case <-time.After(compareAgain):
		}
	}
}

// comparedTopics are those of --topic, or all on which one of the groups has a position. A group without any is said, for its name may be
// mistyped; when neither has one there is nothing to compare.
func (s *session) comparedTopics(ctx context.Context, reader *kafka.Reader, options compareOptions) ([]string, error) {
	var named, has []string
	for _, topic := range options.topics {
		named = append(named, s.onBrokers(topic))
	}
	for _, group := range options.groups {
		topics, err := reader.TopicsOf(ctx, group)
		if err != nil {
			return nil, err
		}
		if len(topics) == 0 {
			fmt.Fprintf(s.program.errout, "group %q has no position on any topic: is that its name?\n", group)
		}
		// What came back to a group from its dead letters is its own affair.
		has = append(has, slices.DeleteFunc(topics, func(topic string) bool { return topic == s.settings.RedriveTopicOf(group) })...)
	}
	if len(named) > 0 {
		return named, nil
	}
	if len(has) == 0 {
		return nil, fmt.Errorf("comparing groups %q and %q: neither has a position on any topic", options.groups[0], options.groups[1])
	}
	return has, nil
}
