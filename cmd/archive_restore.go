package cmd

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/prantikov/millrace/handlers/archive"
	"github.com/prantikov/millrace/kafka"
	"github.com/prantikov/millrace/record"
)

// archiveRestoreCommand publishes what the archive has.
func archiveRestoreCommand(p *Program) *cobra.Command {
	var options restoreOptions
	command := &cobra.Command{
		Use:   "restore",
		Short: "Publish records of the archive, byte for byte",
		Long: "Restore publishes what the archive has of a topic: key, value, headers and timestamp as they were, each record to the partition that it had, in the\n" +
			"order of the offsets. Without --execute it says what it would publish. It works in transactions that have in them how far it is, so that one which\n" +
			"was killed goes on where it ended when the same command is given again: for who reads committed records nothing is there twice.",
		Args: noArguments,
		RunE: func(c *cobra.Command, _ []string) error {
			if err := options.check(); err != nil {
				return err
			}
			s, err := p.open(c)
			if err != nil {
				return err
			}
			return s.restore(c.Context(), options)
		},
	}
	flags := command.Flags()
	flags.StringVar(&options.selection.Topic, "topic", "", "the `topic` whose records are published")
	flags.StringVar(&options.selection.FromDay, "from", "", "only this `day` of the records' timestamps (2006-01-02, UTC) and later ones")
	flags.StringVar(&options.selection.ToDay, "to", "", "only this `day` (2006-01-02, UTC) and earlier ones")
	flags.Int64Var(&options.selection.From, "from-offset", 0, "only this `offset` of each partition and later ones")
	flags.Int64Var(&options.selection.To, "to-offset", 0, "only `offsets` before this one; 0 for all")
	flags.Int32SliceVar(&options.selection.Partitions, "partition", nil, "only these `partitions`")
	flags.StringVar(&options.to, "to-topic", "", "the `topic` that gets them; it must be there")
	flags.BoolVar(&options.again, "into-its-own-topic", false, "let --to-topic be the topic itself: every consumer handles those records again")
	flags.BoolVar(&options.byKey, "by-key", false, "let the key choose the partition, where --to-topic has another number of them")
	flags.IntVar(&options.rate, "rate", 0, "at most so many `records` a second; 0 for no bound")
	flags.BoolVar(&options.execute, "execute", false, "publish")
	addFolderFlag(command, &options.folders)
	addOutputFlag(command, &options.output)
	return command
}

type restoreOptions struct {
	selection archive.Selection
	to        string
	folders   []string
	again     bool
	byKey     bool
	rate      int
	execute   bool
	output    string
}

func (o restoreOptions) check() error {
	for _, bound := range []struct{ flag, day string }{{"--from", o.selection.FromDay}, {"--to", o.selection.ToDay}} {
		if _, err := time.Parse(time.DateOnly, bound.day); bound.day != "" && err != nil {
			return usage("%s takes a day such as 2026-01-31, not %q", bound.flag, bound.day)
		}
	}
	switch {
	case o.selection.Topic == "":
		return usage("--topic names the topic whose records are published")
	case o.to == "":
		return usage("--to-topic names the topic that gets them; %q itself needs --into-its-own-topic too", o.selection.Topic)
	case o.selection.From < 0 || o.selection.To < 0 || o.rate < 0:
		return usage("--from-offset, --to-offset and --rate take 0 or more")
	}
	return nil
}

// name is that of the transactions and of the group that has how far they are: the same for the same records and the same topic.
func (o restoreOptions) name() string {
	s := o.selection
	slices.Sort(s.Partitions)
	sum := sha256.Sum256(fmt.Appendf(nil, "%q %q %q %q %d %d %v %v", s.Topic, o.to, s.FromDay, s.ToDay, s.From, s.To, s.Partitions, o.byKey))
	return "millrace-restore-" + o.to + "-" + hex.EncodeToString(sum[:6])
}

// restorePlan is what a restore publishes.
type restorePlan struct {
	Topic      string             `json:"topic"`
	To         string             `json:"toTopic"`
	Name       string             `json:"name"`
	Partitions []restorePartition `json:"partitions"`
	Records    int64              `json:"records"`
	Bytes      int64              `json:"bytes"`
	// Before is how many of them an earlier run has published, Published how many this one has.
	Before    int64 `json:"before"`
	Published int64 `json:"published"`
	Executed  bool  `json:"executed"`
}

// restorePartition is those of one partition.
type restorePartition struct {
	Partition int32     `json:"partition"`
	Records   int64     `json:"records"`
	Bytes     int64     `json:"bytes"`
	First     int64     `json:"firstOffset"`
	Last      int64     `json:"lastOffset"`
	From      time.Time `json:"from"`
	To        time.Time `json:"to"`
}

// restore says what there is to publish and, when it is told to, publishes it.
func (s *session) restore(ctx context.Context, options restoreOptions) error {
	options.selection.Topic, options.to = s.onBrokers(options.selection.Topic), s.onBrokers(options.to)
	if options.to == options.selection.Topic && !options.again {
		return usage("--to-topic is the topic itself: every consumer would handle those records again; --into-its-own-topic says that this is wanted")
	}
	if options.to == options.selection.Topic && options.selection.To == 0 {
		return usage("--into-its-own-topic needs --to-offset: what is published comes into the archive too, and would be published again")
	}
	folders := options.folders
	if folders == nil {
		folders = []string{s.archiveFolder()}
	}
	from := archive.NewReader(folders...)
	plan, err := planRestore(ctx, from, options)
	if err != nil {
		return err
	}
	err = s.reading(ctx, func(reader *kafka.Reader) error {
		if err := fits(ctx, reader, plan, options); err != nil {
			return err
		}
		if !options.execute {
			return nil
		}
		return s.publishRestored(ctx, from, options, &plan)
	})
	if err != nil {
		return err
	}
	return s.program.print(options.output, plan, func() error { return s.program.printRestore(plan) })
}

// planRestore counts what there is.
func planRestore(ctx context.Context, from *archive.Reader, options restoreOptions) (restorePlan, error) {
	plan := restorePlan{Topic: options.selection.Topic, To: options.to, Name: options.name(), Partitions: []restorePartition{}}
	for r, err := range from.Records(ctx, options.selection) {
		if err != nil {
			return plan, fmt.Errorf("reading the archive: %w", err)
		}
		last := len(plan.Partitions) - 1
		if last < 0 || plan.Partitions[last].Partition != r.Partition {
			plan.Partitions = append(plan.Partitions, restorePartition{Partition: r.Partition, First: r.Offset, From: r.Timestamp, To: r.Timestamp})
			last++
		}
		p := &plan.Partitions[last]
		p.Records++
		p.Bytes += size(r)
		p.Last = r.Offset
		if r.Timestamp.Before(p.From) {
			p.From = r.Timestamp
		}
		if r.Timestamp.After(p.To) {
			p.To = r.Timestamp
		}
		plan.Records++
		plan.Bytes += size(r)
	}
	return plan, nil
}

func size(r *record.Record) int64 {
	bytes := len(r.Key) + len(r.Value)
	for _, header := range r.Headers {
		bytes += len(header.Key) + len(header.Value)
	}
	return int64(bytes)
}

// fits refuses a topic that does not have the partitions.
func fits(ctx context.Context, reader *kafka.Reader, plan restorePlan, options restoreOptions) error {
	there, err := reader.Partitions(ctx, plan.To)
	if err != nil || options.byKey {
		return err
	}
	for _, p := range plan.Partitions {
		if !slices.Contains(there, p.Partition) {
			return fmt.Errorf("restoring to %q: it has %d partitions, and there are records of partition %d: make it with more, or let the keys choose with --by-key", plan.To, len(there), p.Partition)
		}
	}
	return nil
}

func (p *Program) printRestore(plan restorePlan) error {
	table := [][]string{{"PARTITION", "RECORDS", "BYTES", "FIRST", "LAST", "FROM", "TO"}}
	for _, of := range plan.Partitions {
		table = append(table, []string{
			strconv.Itoa(int(of.Partition)), strconv.FormatInt(of.Records, 10), strconv.FormatInt(of.Bytes, 10),
			strconv.FormatInt(of.First, 10), strconv.FormatInt(of.Last, 10), shownTime(of.From), shownTime(of.To),
		})
	}
	if err := p.table(table); err != nil {
		return err
	}
	if !plan.Executed {
		return p.say("%d records of %s would go to %s; --execute publishes them\n", plan.Records, plan.Topic, plan.To)
	}
	return p.say("published %d records of %s to %s; %d were there from an earlier run\n", plan.Published, plan.Topic, plan.To, plan.Before)
}
