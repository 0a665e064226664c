package cmd

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/prantikov/millrace/handlers"
	"github.com/prantikov/millrace/kafka"
	"github.com/prantikov/millrace/privacy"
	"github.com/prantikov/millrace/replay/state"
	"github.com/prantikov/millrace/store"
)

// stateCommand shows what is known of one entity.
func stateCommand(p *Program) *cobra.Command {
	var options stateOptions
	command := &cobra.Command{
		Use:   "state ENTITY ID",
		Short: "Show the state of an entity, now or as it was, patient data hidden",
		Long: "State shows what the events have made of an appointment, a prescription, an order or a health record, from the store in the data directory:\n" +
			"its present state, the one that it had at a time or an offset, or all of its changes. No broker is asked.\n" +
			"With --from-log no store is asked: the records of the entity are read from the log and handled anew, in memory.\n" +
			"What is patient data, or may be, is hidden. With --reveal it is shown too: first the time, the user, the position of each record and the\n" +
			"reason are added to access.jsonl in the data directory; when that cannot be done, nothing is shown.",
		Example: "  millrace state order ORD-1\n  millrace state appointment APPT-1 --at 2026-01-31T12:00:00Z\n" +
			"  millrace state order ORD-1 --history --from-log",
		Args: exactly("ENTITY", "ID"),
		RunE: func(c *cobra.Command, arguments []string) error {
			options.atGiven, options.offsetGiven, options.reveal = c.Flags().Changed("at"), c.Flags().Changed("offset"), c.Flags().Changed("reveal")
			kept, question, err := options.question(arguments[0], arguments[1])
			if err != nil {
				return err
			}
			open := p.openAside
			if options.fromLog {
				open = p.open
			}
			s, err := open(c)
			if err != nil {
				return err
			}
			return s.showState(c.Context(), kept, question, options)
		},
	}
	flags := command.Flags()
	flags.StringVar(&options.at, "at", "", "as it was at this `time` (2026-01-31T12:00:00Z): after the last change whose record is not younger")
	flags.StringVar(&options.offset, "offset", "", "as it was after the record at this `OFFSET`, or PARTITION/OFFSET where the entity is in several partitions")
	flags.BoolVar(&options.history, "history", false, "all changes up to then, the oldest first")
	flags.BoolVar(&options.fromLog, "from-log", false, "from the log instead of the store")
	flags.StringVar(&options.key, "key", "", "with --from-log: the `key` of the entity's records, where it is not the entity's id")
	flags.StringVar(&options.reason, "reveal", "", "show patient data too, for this `reason`, which is kept in access.jsonl")
	addOutputFlag(command, &options.output)
	command.AddCommand(stateRebuildCommand(p))
	return command
}

type stateOptions struct {
	at, offset                   string
	atGiven, offsetGiven, reveal bool
	history, fromLog             bool
	key, reason, output          string
}

// question is what the arguments and flags ask.
func (o stateOptions) question(entity, id string) (handlers.Kept, state.Question, error) {
	none := handlers.Kept{}
	kept, err := keptEntity(entity)
	if err != nil {
		return none, state.Question{}, err
	}
	q := state.Question{Name: kept.Name, Type: kept.Type, ID: id, Offset: -1, Partition: -1}
	switch {
	case id == "":
		return none, q, usage("the ID is empty")
	case o.reveal && strings.TrimSpace(o.reason) == "":
		return none, q, usage("--reveal takes the reason for which patient data is looked at, and this one is empty")
	case o.atGiven && o.offsetGiven:
		return none, q, usage("--at and --offset are two moments, give one")
	case o.key != "" && !o.fromLog:
		return none, q, usage("--key goes with --from-log")
	}
	if o.atGiven {
		if q.At, err = time.Parse(time.RFC3339, o.at); err != nil {
			return none, q, usage("--at takes a time such as 2026-01-31T12:00:00Z, not %q", o.at)
		}
	}
	if o.offsetGiven {
		if q.Partition, q.Offset, err = parseOffset(o.offset); err != nil {
			return none, q, err
		}
	}
	return kept, q, nil
}

// keptEntity finds a type of entities by what one of them is called, or all of them.
func keptEntity(name string) (handlers.Kept, error) {
	var names []string
	for _, kept := range handlers.KeptEntities() {
		if name == kept.Name || name == kept.Consumer {
			return kept, nil
		}
		names = append(names, kept.Name)
	}
	return handlers.Kept{}, usage("there is no entity %q: there are %s", name, strings.Join(names, ", "))
}

// parseOffset reads OFFSET or PARTITION/OFFSET; the partition is negative where none is named.
func parseOffset(text string) (partition int32, offset int64, err error) {
	number, rest, both := strings.Cut(text, "/")
	if !both {
		number, rest = "-1", text
	}
	wide, errPartition := strconv.ParseInt(number, 10, 32)
	offset, errOffset := strconv.ParseInt(rest, 10, 64)
	if errPartition != nil || errOffset != nil || offset < 0 || both && wide < 0 {
		return 0, 0, usage("--offset takes OFFSET or PARTITION/OFFSET, not %q", text)
	}
	return int32(wide), offset, nil
}

// showState finds the answer, notes that it is looked at where nothing is hidden, and prints it.
func (s *session) showState(ctx context.Context, kept handlers.Kept, q state.Question, options stateOptions) error {
	changes, err := s.changes(ctx, kept, q, options)
	switch {
	case errors.Is(err, state.ErrPartition):
		return usage("--offset: %w: write it as PARTITION/OFFSET", err)
	case err != nil || len(changes) == 0:
		return err
	}
	if !options.history {
		changes = changes[len(changes)-1:]
	}
	show := state.Show
	if options.reveal {
		show = state.Reveal
		if err := s.noteChanges(changes, options.reason); err != nil {
			return err
		}
	}
	views := make([]state.View, len(changes))
	for i, change := range changes {
		views[i] = show(kept.Type, change)
	}
	if options.history {
		return s.program.print(options.output, views, func() error { return s.program.printHistory(views, options.reveal) })
	}
	return s.program.print(options.output, views[0], func() error { return s.program.printState(kept, views[0]) })
}

// changes are the entity's up to the moment that is asked for, from the store or from the log. There are none, with a word on stderr, when nothing
// has made a store yet.
func (s *session) changes(ctx context.Context, kept handlers.Kept, q state.Question, options stateOptions) (changes state.Changes, err error) {
	if !options.fromLog {
		err = s.readStore(ctx, func(opened *store.Store) error {
			changes, err = state.FromStore(ctx, opened, q)
			return err
		})
		return changes, err
	}
	collectLess()
	topic, err := s.entityTopic(kept)
	if err != nil {
		return nil, err
	}
	err = s.reading(ctx, func(reader *kafka.Reader) error {
		var read []int32
		changes, read, err = state.FromLog(ctx, reader.Fetching(state.FetchBytes), topic, options.key, q)
		if len(read) > 0 {
			fmt.Fprintf(s.program.errout, "read %s of %s\n", readText(read), topic.Name)
		}
		return err
	})
	return changes, err
}

func readText(numbers []int32) string {
	if len(numbers) == 1 {
		return "partition " + strconv.Itoa(int(numbers[0]))
	}
	return fmt.Sprintf("%d partitions", len(numbers))
}

// noteChanges notes each record whose patient data is about to be shown.
func (s *session) noteChanges(changes state.Changes, reason string) error {
	if err := makeDataDir(s.settings.DataDir); err != nil {
		return err
	}
	for _, change := range changes {
		if err := privacy.NoteAccess(s.settings.DataDir, state.Show(nil, change).Position().String(), reason); err != nil {
			return err
		}
	}
	return nil
}
