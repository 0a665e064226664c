package cmd

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/prantikov/millrace/deadletter"
	"github.com/prantikov/millrace/kafka"
	"github.com/prantikov/millrace/record"
)

type redriveOptions struct {
	dlqOptions
	at      []record.Position
	rate    int
	execute bool
}

// dlqRedriveCommand gives dead letters back.
func dlqRedriveCommand(p *Program) *cobra.Command {
	var options redriveOptions
	command := &cobra.Command{
		Use:   "redrive [TOPIC/PARTITION/OFFSET …]",
		Short: "Give dead letters back to the consumer that gave them up, and to no other",
		Long: "Redrive prints which dead letters would go back. With --execute they go, with the bytes they had, to the redrive topic of the consumer that\n" +
			"gave them up, which no other reads, in the order in which it met them. Letters that went before are not sent again, however often the\n" +
			"command is run, and also when it was killed half way.",
		RunE: func(c *cobra.Command, arguments []string) error {
			if options.rate < 0 {
				return usage("--rate takes 0 or more, not %d", options.rate)
			}
			s, err := p.open(c)
			if err != nil {
				return err
			}
			filter, err := s.deadLetterFilter(options.dlqOptions)
			if err != nil {
				return err
			}
			if options.at, err = s.letterPositions(arguments); err != nil {
				return err
			}
			if options.execute && filter == (deadletter.Filter{}) && len(options.at) == 0 {
				return usage("--execute wants a choice: positions, --consumer, --class, --topic, --key or --since")
			}
			return s.browse(c.Context(), func(browser *deadletter.Browser) error {
				return s.redrive(c.Context(), browser, filter, options)
			})
		},
	}
	addDeadLetterFlags(command, &options.dlqOptions)
	flags := command.Flags()
	flags.IntVar(&options.rate, "rate", 0, "at most this `many` letters a second, 0 for as fast as it goes")
	flags.BoolVar(&options.execute, "execute", false, "give them back; without it they are only counted")
	addOutputFlag(command, &options.output)
	return command
}

// letterPositions reads the positions of dead letters, whose topics may be named by our own names.
func (s *session) letterPositions(arguments []string) ([]record.Position, error) {
	var positions []record.Position
	for _, argument := range arguments {
		at, err := record.ParsePosition(argument)
		if err != nil {
			return nil, usage("%w", err)
		}
		at.Topic = s.sourceOrDeadLetters(at.Topic)
		positions = append(positions, at)
	}
	return positions, nil
}

// redrive plans and, where it is asked to, executes.
func (s *session) redrive(ctx context.Context, browser *deadletter.Browser, filter deadletter.Filter, options redriveOptions) error {
	if !options.execute {
		plan, err := browser.Plan(ctx, filter, options.at)
		if err != nil {
			return err
		}
		return s.printRedrive(plan, 0, options)
	}
	redrive := deadletter.Redrive{
		Browser: browser, PerSecond: options.rate,
		Open: func(ctx context.Context, topic string) (deadletter.Transactions, error) {
			if err := s.createRedriveTopic(ctx, topic); err != nil {
				return nil, err
			}
			return kafka.NewTransactionalPublisher(ctx, s.settings.Kafka, deadletter.TransactionOf(topic))
		},
	}
	if isTerminal(s.program.errout) {
		redrive.Sent = func(sent, of int) { fmt.Fprintf(s.program.errout, "\r%d of %d", sent, of) }
		defer fmt.Fprintln(s.program.errout)
	}
	plan, sent, err := redrive.Execute(ctx, filter, options.at)
	if err != nil {
		return fmt.Errorf("%w; %d letters went before, the same command gives back the others", err, sent)
	}
	return s.printRedrive(plan, sent, options)
}

// createRedriveTopic creates a redrive topic that is missing, as when no consumer of a version that has them has run yet.
func (s *session) createRedriveTopic(ctx context.Context, topic string) error {
	reader, err := kafka.NewReader(ctx, s.settings.Kafka)
	if err != nil {
		return err
	}
	_, err = reader.Partitions(ctx, topic)
	if err = errors.Join(err, reader.Close()); !errors.Is(err, kafka.ErrNoTopic) {
		return err
	}
	for _, redrive := range s.redriveTopics() {
		if redrive.Name == topic {
			return s.applyTopics(ctx, s.topicSettings(), []kafka.RedriveTopic{redrive})
		}
	}
	return err
}

// redriveLine is what goes back to one consumer for one class.
type redriveLine struct {
	Consumer string       `json:"consumer"`
	Class    record.Class `json:"class"`
	Letters  int          `json:"letters"`
	// Keys counts the different keys.
	Keys    int    `json:"keys"`
	Topic   string `json:"topic"`
	Outside bool   `json:"effectsOutside"`
}

// redriveSummary is the plan as scripts read it.
type redriveSummary struct {
	Executed bool                    `json:"executed"`
	Sent     int                     `json:"sent"`
	Lines    []redriveLine           `json:"lines"`
	Stay     map[deadletter.Stay]int `json:"stay"`
}

func (s *session) printRedrive(plan deadletter.Plan, sent int, options redriveOptions) error {
	summary := redriveSummary{Executed: options.execute, Sent: sent, Lines: s.redriveLines(plan), Stay: plan.Stay}
	return s.program.print(options.output, summary, func() error {
		table := [][]string{{"CONSUMER", "CLASS", "LETTERS", "KEYS", "TO", "EFFECTS OUTSIDE"}}
		for _, line := range summary.Lines {
			outside := "no"
			if line.Outside {
				outside = "yes"
			}
			table = append(table, []string{line.Consumer, string(line.Class), strconv.Itoa(line.Letters), strconv.Itoa(line.Keys), line.Topic, outside})
		}
		if err := s.program.table(table); err != nil {
			return err
		}
		for _, consumer := range outsiders(summary.Lines) {
			fmt.Fprintf(s.program.out, "%s has effects outside: what comes back to it is sent, however late it is.\n", consumer)
		}
		for _, why := range deadletter.Stays() {
			if count := plan.Stay[why]; count > 0 {
				fmt.Fprintf(s.program.out, "%d stay: %s\n", count, why)
			}
		}
		if !options.execute {
			fmt.Fprintf(s.program.out, "\nNothing was sent: --execute gives them back.\n")
			return nil
		}
		fmt.Fprintf(s.program.out, "\n%d given back. dlq list shows what becomes of them.\n", sent)
		return nil
	})
}

// outsiders are the consumers with effects outside, each once.
func outsiders(lines []redriveLine) (consumers []string) {
	for _, line := range lines {
		if line.Outside {
			consumers = append(consumers, line.Consumer)
		}
	}
	return slices.Compact(consumers)
}

// redriveLines counts the plan by consumer and class, in its order.
func (s *session) redriveLines(plan deadletter.Plan) []redriveLine {
	lines := []redriveLine{}
	keys := map[string]bool{}
	for _, letter := range plan.Returning {
		at := slices.IndexFunc(lines, func(line redriveLine) bool {
			return line.Consumer == letter.Home.Consumer && line.Class == letter.Entry.Class
		})
		if at < 0 {
			at = len(lines)
			lines = append(lines, redriveLine{
				Consumer: letter.Home.Consumer, Class: letter.Entry.Class, Topic: letter.Home.Topic, Outside: s.outside(letter.Home.Consumer),
			})
		}
		lines[at].Letters++
		if key := fmt.Sprint(at, "/", letter.Key()); !keys[key] {
			keys[key] = true
			lines[at].Keys++
		}
	}
	return lines
}
