package cmd

import (
	"context"
	"errors"
	"fmt"
	"io/fs"

	"github.com/spf13/cobra"

	"github.com/prantikov/millrace/handlers/archive"
	"github.com/prantikov/millrace/kafka"
	"github.com/prantikov/millrace/record"
	"github.com/prantikov/millrace/store"
)

// archiveVerifyCommand checks the archive.
func archiveVerifyCommand(p *Program) *cobra.Command {
	var options verifyOptions
	command := &cobra.Command{
		Use:   "verify",
		Short: "Check every record of the archive",
		Long: "Verify reads every record of the archive, sealed and open days, and compares files and checksums with the archive's list, the Parquet files\n" +
			"with the lines, and the offsets with each other and with the gaps that are noted in the store. Each finding is one line, and the exit status\n" +
			"is 1 when something is wrong. It reads beside millrace run and changes nothing.",
		Args: noArguments,
		RunE: func(c *cobra.Command, _ []string) error {
			open := p.openAside
			if options.log {
				open = p.open
			}
			s, err := open(c)
			if err != nil {
				return err
			}
			return s.verifyArchive(c.Context(), options)
		},
	}
	addFolderFlag(command, &options.folders)
	command.Flags().BoolVar(&options.log, "log", false, "ask the brokers whether the log has records where the archive has none")
	addOutputFlag(command, &options.output)
	return command
}

type verifyOptions struct {
	folders []string
	log     bool
	output  string
}

// addFolderFlag gives a command --archive.
func addFolderFlag(command *cobra.Command, folders *[]string) {
	command.Flags().StringArrayVar(folders, "archive", nil, "`folder` of an archive, once for each instance (default that of the data directory)")
}

// verified is what verify says.
type verified struct {
	archive.Checked
	Findings []archive.Finding `json:"findings"`
}

func (s *session) verifyArchive(ctx context.Context, options verifyOptions) error {
	with := archive.Verification{Folders: options.folders}
	if with.Folders == nil {
		with.Folders = []string{s.archiveFolder()}
	}
	if err := s.storeKnows(ctx, &with); err != nil {
		return err
	}
	check := func() error { return s.check(ctx, with, options.output) }
	if !options.log {
		return check()
	}
	return s.reading(ctx, func(reader *kafka.Reader) error {
		with.Lost = lostIn(reader)
		return check()
	})
}

func (s *session) check(ctx context.Context, with archive.Verification, output string) error {
	said := verified{Findings: []archive.Finding{}}
	wrong := 0
	checked, err := archive.Verify(ctx, with, func(f archive.Finding) {
		if f.Wrong {
			wrong++
		}
		said.Findings = append(said.Findings, f)
	})
	if err != nil {
		return fmt.Errorf("reading the archive: %w", err)
	}
	said.Checked = checked
	err = s.program.print(output, said, func() error { return s.program.printVerified(said) })
	if err == nil && wrong > 0 {
		err = fmt.Errorf("the archive is not as it was written (%d wrong)", wrong)
	}
	return err
}

func (p *Program) printVerified(said verified) error {
	for _, f := range said.Findings {
		word := "told "
		if f.Wrong {
			word = "WRONG"
		}
		if err := p.say("%s  %s: %s\n", word, f.Where, f.What); err != nil {
			return err
		}
	}
	return p.say("%d records in %d objects and %d open files\n", said.Records, said.Objects, said.Open)
}

// storeKnows adds what the store has to say: which offsets the consumer passed, and how long its own open files are. An archive that was copied
// elsewhere is checked without.
func (s *session) storeKnows(ctx context.Context, with *archive.Verification) error {
	opened, err := store.OpenReader(ctx, s.storePlace(), store.By(currentBuild().program))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer func() { _ = opened.Close() }()
	gaps, err := opened.Gaps(ctx, store.GapFilter{Consumer: archiveConsumer})
	if err != nil {
		return err
	}
	for _, gap := range gaps {
		with.Passed = append(with.Passed, archive.Passed{Topic: gap.Topic, Partition: gap.Partition, From: gap.From, To: gap.To, Reason: gap.Reason})
	}
	instance, err := s.instanceKnown()
	if err != nil {
		return err
	}
	files, err := opened.Files(ctx, archiveConsumer, instance, s.archiveFolder())
	with.Lengths = map[string]int64{}
	for _, file := range files {
		with.Lengths[file.Path] = file.Length
	}
	return err
}

// lostIn asks the log whether it has a record that may be read from a position to before an offset. Of what retention has taken nobody knows.
func lostIn(reader *kafka.Reader) func(context.Context, record.Position, int64) (bool, error) {
	starts := map[string]map[int32]int64{}
	return func(ctx context.Context, from record.Position, to int64) (bool, error) {
		if starts[from.Topic] == nil {
			var err error
			if starts[from.Topic], err = reader.Starts(ctx, from.Topic); err != nil {
				return false, err
			}
		}
		start, known := starts[from.Topic][from.Partition]
		if from.Offset = max(from.Offset, start); !known || from.Offset >= to {
			return false, nil
		}
		empty, err := reader.Empty(ctx, from, to)
		return !empty, err
	}
}
