package cmd

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/spf13/cobra"

	"github.com/prantikov/millrace/demo"
	"github.com/prantikov/millrace/kafka"
	"github.com/prantikov/millrace/record"
)

// demoCommand shows the whole program at work on a day that it makes up.
func demoCommand(p *Program) *cobra.Command {
	var options demoOptions
	command := &cobra.Command{
		Use:   "demo",
		Short: "Show everything at work on a believable day of a platform",
		Long: "Demo starts an embedded broker and every consumer, makes up the events of a day, and shows what becomes of them.\n" +
			"With --once it publishes a number of events, waits until every consumer is through, and says whether any was lost.",
		Args: noArguments,
	}
	flags := command.Flags()
	flags.DurationVar(&options.length, "for", 30*time.Second, "how long; 0 until Ctrl-C")
	flags.BoolVar(&options.once, "once", false, "publish --events and --poison, wait until every consumer is through, print the result")
	flags.IntVar(&options.events, "events", 10_000, "with --once: how many good events")
	flags.IntVar(&options.poison, "poison", 20, "with --once: how many events that must fail")
	flags.IntVar(&options.rate, "rate", 200, "events per second of the day that is shown")
	flags.Uint64Var(&options.seed, "seed", 0, "the day; 0 chooses another one each time")
	flags.DurationVar(&options.timeout, "timeout", 10*time.Minute, "with --once: how long it may take")
	addOutputFlag(command, &options.output)
	command.RunE = func(c *cobra.Command, _ []string) error {
		if options.events < 0 || options.poison < 0 || options.rate < 1 || options.length < 0 {
			return usage("--events, --poison and --for take no negative number, --rate at least 1")
		}
		return p.demo(c, options)
	}
	return command
}

type demoOptions struct {
	length, timeout      time.Duration
	once                 bool
	events, poison, rate int
	seed                 uint64
	output               string
	log                  string // the log's file, empty when it goes to stderr
}

// demonstration is one run of demo.
type demonstration struct {
	*service
	options   demoOptions
	publisher *kafka.Publisher
	ledger    *demo.Ledger
	published demo.Positions
	names     map[string]string // on the brokers, by a topic's own name
}

// demo opens the session. On a terminal the log goes to a file, for its lines would tear the table.
func (p *Program) demo(c *cobra.Command, options demoOptions) error {
	var logs *logFile
	if !options.once && isTerminal(p.out) && isTerminal(p.errout) {
		logs = &logFile{}
		p.logs = logs
		defer logs.close(p.errout)
	}
	s, err := p.open(c)
	if err != nil {
		return err
	}
	if logs != nil {
		if err := logs.open(s.settings.DataDir); err != nil {
			return err
		}
		options.log = logs.file.Name()
	}
	return s.demo(c.Context(), options)
}

func (s *session) demo(ctx context.Context, options demoOptions) error {
	if s.news.Sends() {
		return usage("demo makes its events up, and notification has a channel (notification.smtp.address, notification.webhook.secret): nobody is to get mail of them")
	}
	if len(s.settings.Kafka.Brokers) == 0 {
		s.settings.Dev = true
	}
	// A demonstration beside a running process must not take its place, and does not come back.
	s.settings.Kafka.InstanceID = ""
	if options.seed == 0 {
		options.seed = rand.Uint64()
	}
	unlock, err := lockDataDir(s.settings.DataDir)
	if err != nil {
		return err
	}
	defer unlock()
	disconnect, err := s.connect(ctx)
	if err != nil {
		return err
	}
	defer disconnect()
	d := &demonstration{service: &service{session: s}, options: options, ledger: demo.NewLedger(), names: map[string]string{}}
	d.watch = func(consumer string) watcher {
		return func(at record.Position, result record.Result) { d.ledger.Observe(consumer, at, result) }
	}
	err = d.show(ctx)
	return errors.Join(err, d.stop())
}

func (d *demonstration) show(ctx context.Context) error {
	if err := d.start(ctx, nil); err != nil {
		return err
	}
	defer d.control(ctx)()
	var err error
	if d.publisher, err = kafka.NewPublisher(d.settings.Kafka, d.logger); err != nil {
		return err
	}
	for _, declared := range d.app.types() {
		d.names[declared.Topic()] = d.topicName(declared.Topic())
	}
	if d.options.once {
		err = d.once(ctx)
	} else {
		err = d.live(ctx)
	}
	return errors.Join(err, d.publisher.Close())
}

// publishedAtOnce bounds how many records one call publishes.
const publishedAtOnce = 1000

// publish sends records and notes where they stand.
func (d *demonstration) publish(ctx context.Context, records []*record.Record) error {
	for _, r := range records {
		r.Topic = d.names[r.Topic]
	}
	positions, err := d.publisher.PublishRecords(ctx, records)
	for _, at := range positions {
		if at.Offset >= 0 {
			d.published.Add(at)
		}
	}
	return err
}

// topics has the topics of each consumer.
func (s *service) topics() map[string][]string {
	topics := map[string][]string{}
	for _, m := range s.members {
		topics[m.consumer.Name()] = m.topics
	}
	return topics
}

// outcome is what demo prints at its end as JSON, and demo --once as a table too.
type outcome struct {
	Published int                    `json:"published"`
	Seconds   float64                `json:"seconds"`
	Consumers map[string]demo.Counts `json:"consumers"`
	Lost      int                    `json:"lost"`
}

// once publishes a number of events and waits until every consumer is through with them.
func (d *demonstration) once(ctx context.Context) error {
	within, cancel := context.WithTimeout(ctx, d.options.timeout)
	defer cancel()
	began := time.Now()
	day := demo.Settings{Seed: d.options.seed, Start: began.Add(-25 * time.Hour)}
	var batch []*record.Record
	for r := range demo.Mixed(day, d.options.events, d.options.poison) {
		if batch = append(batch, r); len(batch) == publishedAtOnce {
			if err := d.publish(within, batch); err != nil {
				return err
			}
			batch = nil
		}
	}
	if err := d.publish(within, batch); err != nil {
		return err
	}
	d.untilThrough(within)
	result := d.result(began)
	if err := d.printOnce(result); err != nil {
		return err
	}
	switch {
	case ctx.Err() != nil:
		return nil
	case result.Lost > 0:
		return fmt.Errorf("%d records were not finished by a consumer within %s (--timeout)", result.Lost, d.options.timeout)
	}
	return nil
}

// result is what became of all that was published.
func (d *demonstration) result(began time.Time) outcome {
	result := outcome{
		Published: d.published.Len(), Seconds: time.Since(began).Seconds(),
		Consumers: map[string]demo.Counts{}, Lost: d.ledger.Lost(&d.published, d.topics()),
	}
	for consumer := range d.topics() {
		result.Consumers[consumer] = d.ledger.Counts(consumer, &d.published)
	}
	return result
}

// untilThrough waits for the consumers, or for the context's end.
func (d *demonstration) untilThrough(ctx context.Context) {
	ticker := time.NewTicker(20 * time.Millisecond)
	defer ticker.Stop()
	for !d.ledger.Through(&d.published, d.topics()) {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}

func (d *demonstration) printOnce(result outcome) error {
	return d.program.print(d.options.output, result, func() error {
		rows := [][]string{{"CONSUMER", "DONE", "RETRIED", "DEAD LETTERS", "SKIPPED"}}
		for _, m := range d.members {
			counts := result.Consumers[m.consumer.Name()]
			rows = append(rows, []string{m.consumer.Name(), number(counts.Done), number(counts.Retried), number(counts.DeadLettered), number(counts.Skipped)})
		}
		if err := d.program.table(rows); err != nil {
			return err
		}
		_, err := fmt.Fprintf(d.program.out, "\n%s records published, all consumers through after %.1f s, %d lost.\n", number(result.Published), result.Seconds, result.Lost)
		return err
	})
}
