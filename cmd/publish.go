package cmd

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/prantikov/millrace/kafka"
	"github.com/prantikov/millrace/messages"
	"github.com/prantikov/millrace/record"
)

// publishCommand sends events, one per line.
func publishCommand(p *Program) *cobra.Command {
	var options publishOptions
	command := &cobra.Command{
		Use:   "publish TOPIC",
		Short: "Publish events, one per line",
		Long: "Publish sends each line as one event, byte for byte, keyed by what the topic's key rule asks for: by default the entity's id.\n" +
			"A line that a strict consumer would dead-letter is refused with its number and the reason; the others are sent, and the exit\n" +
			"status is 1. With --raw every line is sent as it is, to any topic, with --key or without a key.",
		Example: "  millrace publish order-events --file orders.jsonl\n  millrace publish order-events --sample created --dev",
		Args:    exactly("TOPIC"),
		RunE: func(c *cobra.Command, arguments []string) error {
			options.topic, options.keyed = arguments[0], c.Flags().Changed("key")
			s, err := p.open(c)
			if err != nil {
				return err
			}
			return s.publish(c.Context(), options)
		},
	}
	flags := command.Flags()
	flags.StringVar(&options.file, "file", "", "read the lines from this `file`; - for standard input, which is the default")
	flags.StringVar(&options.sample, "sample", "", "publish the sample of a `kind` instead: created, or OrderEvent.created")
	flags.StringVar(&options.key, "key", "", "`key` of every record, in place of the event's own")
	flags.StringArrayVarP(&options.headers, "header", "H", nil, "header of every record, `name=value`; repeat for more")
	flags.BoolVar(&options.raw, "raw", false, "send every line as it is, unchecked, to any topic")
	addOutputFlag(command, &options.output)
	return command
}

type publishOptions struct {
	topic, file, sample, key string
	keyed, raw               bool
	headers                  []string
	output                   string
}

// publish checks the command, connects, and sends.
func (s *session) publish(ctx context.Context, options publishOptions) error {
	target, err := s.target(options)
	if err != nil {
		return err
	}
	headers, err := parseHeaders(options.headers, target.declared, s.app.types(), options.raw)
	if err != nil {
		return err
	}
	input, closeInput, err := s.program.publishInput(options, target.declared)
	if err != nil {
		return err
	}
	defer closeInput()
	disconnect, err := s.connect(ctx)
	if err != nil {
		return err
	}
	defer disconnect()
	if err := s.seeToTopic(ctx, target); err != nil {
		return err
	}
	endTracing, err := s.openTracing(ctx, nil)
	if err != nil {
		return err
	}
	defer endTracing()
	publisher, err := kafka.NewPublisher(s.settings.Kafka, s.logger)
	if err != nil {
		return err
	}
	job := &publication{session: s, options: options, target: target, headers: headers, publisher: publisher}
	return errors.Join(job.run(ctx, input), publisher.Close())
}

// target is where records go.
type target struct {
	// name is the topic's name on the brokers.
	name string
	// declared is nil for a topic that is none of ours.
	declared messages.Type
}

// target finds the topic by its own name or by its name on the brokers.
func (s *session) target(options publishOptions) (target, error) {
	var names []string
	for _, declared := range s.app.types() {
		name := s.topicName(declared.Topic())
		if options.topic == declared.Topic() || options.topic == name {
			return target{name, declared}, nil
		}
		names = append(names, name)
	}
	if options.raw {
		return target{name: options.topic}, nil
	}
	return target{}, usage("no topic is named %q: there are %s; --raw publishes to any other", options.topic, strings.Join(names, ", "))
}

// parseHeaders reads name=value. A type header that names another of our types would make a dead letter of every line.
func parseHeaders(texts []string, declared messages.Type, types []messages.Type, raw bool) ([]record.Header, error) {
	var headers []record.Header
	for _, text := range texts {
		name, value, ok := strings.Cut(text, "=")
		if !ok || name == "" {
			return nil, usage("-H takes name=value, not %q", text)
		}
		if name == "__TypeId__" || name == "ce_type" {
			named, known := messages.TypeNamed(value, types)
			if known && !raw && named.Name() != declared.Name() {
				return nil, usage("the header %s names %s, the topic's events are %s; --raw sends them all the same", name, named.Name(), declared.Name())
			}
		}
		headers = append(headers, record.Header{Key: name, Value: []byte(value)})
	}
	return headers, nil
}

// publishInput opens what is to be published.
func (p *Program) publishInput(options publishOptions, declared messages.Type) (io.Reader, func(), error) {
	nothing := func() {}
	switch {
	case options.sample != "" && options.file != "":
		return nil, nothing, usage("--sample and --file exclude each other")
	case options.sample != "":
		sample, err := sampleOf(options.sample, declared)
		return strings.NewReader(sample), nothing, err
	case options.file == "" && isTerminalInput(p.in):
		return nil, nothing, usage("nothing to publish: give --file, --sample, or lines on standard input")
	case options.file == "" || options.file == "-":
		return p.in, nothing, nil
	}
	file, err := os.Open(options.file)
	if err != nil {
		return nil, nothing, fmt.Errorf("reading the events: %w", err)
	}
	return file, func() { _ = file.Close() }, nil
}

// sampleOf is the sample of a kind of the topic: created, or OrderEvent.created.
func sampleOf(kind string, declared messages.Type) (string, error) {
	if declared == nil {
		return "", usage("--sample: the topic is none of ours, so there is no sample")
	}
	action, ok := strings.CutPrefix(kind, declared.Name()+".")
	if !ok {
		action = kind
	}
	if sample := declared.Sample(messages.Action(action)); sample != nil {
		return string(sample), nil
	}
	var there []string
	for _, action := range declared.Actions() {
		if declared.Sample(action) != nil {
			there = append(there, string(action))
		}
	}
	return "", usage("%s has no sample %q: there are %s", declared.Topic(), kind, strings.Join(there, ", "))
}

// isTerminalInput says whether somebody would have to type.
func isTerminalInput(reader io.Reader) bool {
	file, ok := reader.(*os.File)
	return ok && term.IsTerminal(int(file.Fd()))
}

// seeToTopic creates the topic when it is one of ours and missing: a broker that created it by itself would give it other partitions.
func (s *session) seeToTopic(ctx context.Context, target target) error {
	if target.declared == nil {
		return nil
	}
	reader, err := kafka.NewReader(ctx, s.settings.Kafka)
	if err != nil {
		return err
	}
	_, err = reader.Partitions(ctx, target.name)
	if errors.Is(err, kafka.ErrNoTopic) {
		err = s.createTopic(ctx, target.declared.Topic())
	}
	return errors.Join(err, reader.Close())
}
