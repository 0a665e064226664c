package cmd

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/prantikov/millrace/deadletter"
	"github.com/prantikov/millrace/kafka"
	"github.com/prantikov/millrace/record"
)

// dlqCommand looks at dead letters.
func dlqCommand(p *Program) *cobra.Command {
	return group("dlq", "Look at dead letters: the records that a consumer gave up", dlqListCommand(p), dlqShowCommand(p), dlqRedriveCommand(p))
}

// listedOnTerminal is how many dead letters a terminal gets when nobody says how many.
const listedOnTerminal = 50

type dlqOptions struct {
	consumer, class, topic, key, since, state string

	limit   int
	summary bool
	output  string
}

// dlqListCommand lists dead letters, or counts them.
func dlqListCommand(p *Program) *cobra.Command {
	var options dlqOptions
	command := &cobra.Command{
		Use:   "list",
		Short: "List dead letters, the newest first, or count them",
		Args:  noArguments,
		RunE: func(c *cobra.Command, _ []string) error {
			if !c.Flags().Changed("limit") && options.output == "table" && isTerminal(p.out) {
				options.limit = listedOnTerminal
			}
			s, err := p.open(c)
			if err != nil {
				return err
			}
			filter, err := s.deadLetterFilter(options)
			if err != nil {
				return err
			}
			return s.browse(c.Context(), func(browser *deadletter.Browser) error {
				if options.summary {
					return s.summarise(c.Context(), browser, filter, options.output)
				}
				return s.list(c.Context(), browser, filter, options.output)
			})
		},
	}
	addDeadLetterFlags(command, &options)
	flags := command.Flags()
	flags.StringVar(&options.state, "state", "", "only those in this `state`: dead, sent, done, \"dead again\"")
	flags.IntVar(&options.limit, "limit", 0, "at most this many, 0 for all (default 50 on a terminal, else all)")
	flags.BoolVar(&options.summary, "summary", false, "count by consumer, class and hour instead")
	addOutputFlag(command, &options.output)
	return command
}

// addDeadLetterFlags gives a command the flags that choose dead letters.
func addDeadLetterFlags(command *cobra.Command, options *dlqOptions) {
	flags := command.Flags()
	flags.StringVar(&options.consumer, "consumer", "", "only those of this `consumer`")
	flags.StringVar(&options.class, "class", "", "only those of this `class`")
	flags.StringVar(&options.topic, "topic", "", "only those from, or on, this `topic`")
	flags.StringVar(&options.key, "key", "", "only those whose record has this `key`")
	flags.StringVar(&options.since, "since", "", "only those given up since a `time` (2026-01-31T12:00:00Z) or for a duration (1h)")
}

// deadLetterFilter is what the flags choose.
func (s *session) deadLetterFilter(options dlqOptions) (deadletter.Filter, error) {
	filter := deadletter.Filter{
		Consumer: options.consumer, Class: record.Class(options.class), Topic: s.sourceOrDeadLetters(options.topic), Key: options.key, Limit: options.limit,
		State: deadletter.State(options.state),
	}
	classes := append(record.Classes(), deadletter.Foreign)
	if filter.Class != "" && !slices.Contains(classes, filter.Class) {
		return filter, usage("--class: no class is named %q: there are %v", options.class, classes)
	}
	if states := deadletter.States(); filter.State != "" && !slices.Contains(states, filter.State) {
		return filter, usage("--state: no state is named %q: there are %q", options.state, states)
	}
	if options.limit < 0 {
		return filter, usage("--limit takes 0 or more, not %d", options.limit)
	}
	var err error
	filter.Since, err = parseSince(options.since, time.Now())
	return filter, err
}

// sourceOrDeadLetters is the name on the brokers of one of our topics, or of its dead-letter topic, that is named by its own name.
func (s *session) sourceOrDeadLetters(name string) string {
	if source, ok := strings.CutSuffix(name, s.settings.DeadLetters.Suffix); ok {
		return s.onBrokers(source) + s.settings.DeadLetters.Suffix
	}
	return s.onBrokers(name)
}

// parseSince reads a time, or how long it is ago.
func parseSince(text string, now time.Time) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	if ago, err := time.ParseDuration(text); err == nil && ago >= 0 {
		return now.Add(-ago), nil
	}
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return at, usage("--since takes a duration such as 1h or a time such as 2026-01-31T12:00:00Z, not %q", text)
	}
	return at, nil
}

// browse gives a function a browser of all dead-letter topics for as long as it runs.
func (s *session) browse(ctx context.Context, use func(*deadletter.Browser) error) error {
	var topics []deadletter.Topic
	for _, declared := range s.app.types() {
		topics = append(topics, deadletter.Topic{Name: s.topicName(declared.Topic()), Type: declared})
	}
	return s.reading(ctx, func(reader *kafka.Reader) error {
		return use(deadletter.NewBrowser(reader, s.settings.DeadLetters.Suffix, topics).Follow(reader, s.homes()))
	})
}

func (s *session) list(ctx context.Context, browser *deadletter.Browser, filter deadletter.Filter, output string) error {
	limit := filter.Limit
	if limit > 0 {
		filter.Limit++ // whether there are more
	}
	entries, err := browser.List(ctx, filter)
	if err != nil {
		return err
	}
	if limit > 0 && len(entries) > limit {
		entries = entries[:limit]
		fmt.Fprintf(s.program.errout, "these are the newest %d; --limit 0 lists all\n", limit)
	}
	return s.program.print(output, entries, func() error {
		table := [][]string{{"FAILED AT", "CONSUMER", "CLASS", "ATTEMPTS", "RECORD", "DEAD LETTER", "STATE"}}
		for _, e := range entries {
			table = append(table, []string{shownTime(e.FailedAt), e.Consumer, string(e.Class), strconv.Itoa(e.Attempts), shownOrigin(e.Original), e.Position.String(), shownState(e)})
		}
		return s.program.table(table)
	})
}

func (s *session) summarise(ctx context.Context, browser *deadletter.Browser, filter deadletter.Filter, output string) error {
	counts, err := browser.Summary(ctx, filter)
	if err != nil {
		return err
	}
	return s.program.print(output, counts, func() error {
		table := [][]string{{"HOUR", "CONSUMER", "CLASS", "COUNT"}}
		for _, count := range counts {
			table = append(table, []string{shownTime(count.Hour), count.Consumer, string(count.Class), strconv.Itoa(count.Count)})
		}
		return s.program.table(table)
	})
}

// shownState is the state of a dead letter, and which time its record was given up where that is not the first.
func shownState(e deadletter.Entry) string {
	if e.Times < 2 {
		return string(e.State)
	}
	return fmt.Sprintf("%s, for time %d", e.State, e.Times)
}

// shownTime is a time to the second in UTC, or - where it is not known.
func shownTime(t time.Time) string {
	if t.IsZero() {
		return "-"
	}
	return t.UTC().Format(time.RFC3339)
}

// shownOrigin is where a record was first, or - where that is not known.
func shownOrigin(at record.Position) string {
	if at.Topic == "" || at.Partition < 0 || at.Offset < 0 {
		return "-"
	}
	return at.String()
}
