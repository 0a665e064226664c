package cmd

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/prantikov/millrace/handlers"
	"github.com/prantikov/millrace/handlers/archive"
	"github.com/prantikov/millrace/kafka"
	"github.com/prantikov/millrace/record"
	"github.com/prantikov/millrace/replay/state"
	"github.com/prantikov/millrace/store"
)

// stateRebuildCommand makes the tables of entities anew from the log.
func stateRebuildCommand(p *Program) *cobra.Command {
	var options rebuildOptions
	command := &cobra.Command{
		Use:   "rebuild",
		Short: "Make the states and histories anew from the log, compare, and with --execute put them in place",
		Long: "Rebuild lets the consumers' functions handle the log from its beginning, as far as each consumer is, into tables beside the live ones, and compares\n" +
			"the two entity by entity. What retention has deleted it takes from the archive in the data directory. Without --execute nothing is changed, and the\n" +
			"exit status is 3 when the two are not the same. With it the rebuilt entities, their states and histories, take the place of those that are not the\n" +
			"same, all at once; groups and their positions stay as they are.\n" +
			"An SQLite store is one process's: stop millrace run first. With PostgreSQL the members go on; they wait while the two are compared.",
		Example: "  millrace state rebuild\n  millrace state rebuild --entity order --execute",
		Args:    noArguments,
		RunE: func(c *cobra.Command, _ []string) error {
			chosen, err := chosenEntities(options.entities)
			if err != nil {
				return err
			}
			s, err := p.open(c)
			if err != nil {
				return err
			}
			return s.rebuildState(c.Context(), chosen, options)
		},
	}
	flags := command.Flags()
	flags.StringArrayVar(&options.entities, "entity", nil, "only the `entities` of this name; repeat for more (default all)")
	flags.BoolVar(&options.execute, "execute", false, "put the rebuilt entities in the place of those that are not the same")
	flags.BoolVar(&options.acceptLost, "accept-lost-records", false, "go on where neither the log nor the archive has all records: entities that they have changed are left as they are")
	addOutputFlag(command, &options.output)
	return command
}

type rebuildOptions struct {
	entities            []string
	execute, acceptLost bool
	output              string
}

func chosenEntities(names []string) ([]handlers.Kept, error) {
	if len(names) == 0 {
		return handlers.KeptEntities(), nil
	}
	var chosen []handlers.Kept
	for _, name := range names {
		kept, err := keptEntity(name)
		if err != nil {
			return nil, err
		}
		if !slices.ContainsFunc(chosen, func(k handlers.Kept) bool { return k.Name == kept.Name }) {
			chosen = append(chosen, kept)
		}
	}
	return chosen, nil
}

// rebuildState has the data directory to itself where the store is in it.
func (s *session) rebuildState(ctx context.Context, chosen []handlers.Kept, options rebuildOptions) error {
	if !s.sharedStore() {
		unlock, err := lockDataDir(s.settings.DataDir)
		if errors.Is(err, errInUse) {
			return fmt.Errorf("the data directory %q (data_dir, --data-dir) is %w, and an SQLite store is one process's: stop it before its state is rebuilt", s.settings.DataDir, errInUse)
		}
		if err != nil {
			return err
		}
		defer unlock()
	}
	collectLess()
	// A store that is not there yet is not to be made.
	there := false
	if err := s.readStore(ctx, func(*store.Store) error { there = true; return nil }); err != nil || !there {
		return err
	}
	live, err := store.Open(ctx, s.storePlace(), s.logger, store.By(currentBuild().program))
	if err != nil {
		return err
	}
	return errors.Join(s.rebuildStore(ctx, live, chosen, options), live.Close())
}

func (s *session) rebuildStore(ctx context.Context, live *store.Store, chosen []handlers.Kept, options rebuildOptions) error {
	var rows []rebuiltRow
	err := s.reading(ctx, func(reader *kafka.Reader) error {
		if err := s.sameTopics(ctx, live, reader, chosen); err != nil {
			return err
		}
		beside, err := live.Beside(ctx)
		if err != nil {
			return err
		}
		rows, err = s.rebuildBeside(ctx, live, beside, reader, chosen, options)
		return errors.Join(err, beside.Drop(ctx))
	})
	if err != nil {
		return err
	}
	if err := s.program.print(options.output, rows, func() error { return s.program.printRebuilt(rows, options.execute) }); err != nil {
		return err
	}
	if !options.execute && slices.ContainsFunc(rows, func(row rebuiltRow) bool { return !row.Same }) {
		return &statusError{exitDiffer, errors.New("the store is not what the log comes to: --execute puts that right")}
	}
	return nil
}

// rebuildBeside fills the tables, compares them, and with --execute puts them in place.
func (s *session) rebuildBeside(ctx context.Context, live *store.Store, beside *store.Beside, reader *kafka.Reader, chosen []handlers.Kept, options rebuildOptions) ([]rebuiltRow, error) {
	settings := state.Rebuilding{Log: reader.Fetching(state.FetchBytes), Live: live, Beside: beside, AcceptLost: options.acceptLost, Older: s.archived(), Read: s.sayingRead()}
	for _, kept := range chosen {
		topic, err := s.entityTopic(kept)
		if err != nil {
			return nil, err
		}
		settings.Entities = append(settings.Entities, state.Entities{Topic: topic, Consumer: kept.Consumer})
	}
	rebuild, err := state.NewRebuild(settings)
	if err != nil {
		return nil, err
	}
	// Members that share the store go on meanwhile: the second time there is less to do.
	for range 2 {
		if err := rebuild.Run(ctx); err != nil {
			return nil, lostSentence(err)
		}
	}
	compared, err := rebuild.Compare(ctx, options.execute)
	if err != nil {
		return nil, lostSentence(err)
	}
	rows := make([]rebuiltRow, len(chosen))
	for i, kept := range chosen {
		rows[i] = rebuiltRowOf(kept, rebuild.Tally(kept.Consumer), compared[i])
	}
	return rows, nil
}

// archived reads what the log no longer has from the archive in the data directory; nil where there is none.
func (s *session) archived() state.Older {
	folder := filepath.Join(s.settings.DataDir, "archive")
	if _, err := os.Stat(folder); err != nil {
		return nil
	}
	reader := archive.NewReader(folder)
	return func(ctx context.Context, topic string, partition int32, before int64) iter.Seq2[*record.Record, error] {
		return reader.Records(ctx, archive.Selection{Topic: topic, Partitions: []int32{partition}, To: before})
	}
}

func lostSentence(err error) error {
	if errors.Is(err, state.ErrLost) {
		return fmt.Errorf("%w: --accept-lost-records rebuilds what is whole and leaves the other entities as they are", err)
	}
	return err
}

// sameTopics refuses a topic that was made anew: what the store has of the old one is no part of this log.
func (s *session) sameTopics(ctx context.Context, live *store.Store, reader *kafka.Reader, chosen []handlers.Kept) error {
	known, err := live.Topics(ctx)
	if err != nil {
		return err
	}
	var names []string
	for _, kept := range chosen {
		names = append(names, s.topicName(kept.Type.Topic()))
	}
	present, err := reader.TopicIDs(ctx, names)
	if err != nil {
		return err
	}
	for _, name := range names {
		if id, is := known[name]; is && id != present[name] {
			return fmt.Errorf("the topic %q is another than the one that the store has progress of, made anew or another cluster's: its log does not have what the store was made of", name)
		}
	}
	return nil
}

// sayingRead says each few seconds how far it is.
func (s *session) sayingRead() func(records int64) {
	const every = 5 * time.Second
	last := time.Now()
	return func(records int64) {
		if time.Since(last) >= every {
			last = time.Now()
			s.logger.Info("rebuilding the state", "records_of_the_topic", records)
		}
	}
}
