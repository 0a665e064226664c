package cmd

import (
	"context"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/prantikov/millrace/handlers/archive"
	"github.com/prantikov/millrace/handlers/archive/columns"
	"github.com/prantikov/millrace/privacy"
	"github.com/prantikov/millrace/router"
	"github.com/prantikov/millrace/store"
)

// archiveCommand looks after the archive.
func archiveCommand(p *Program) *cobra.Command {
	return group("archive", "Check the archive, publish what it has, seal its days", archiveVerifyCommand(p), archiveRestoreCommand(p), archiveSealCommand(p))
}

// archiveConsumer is the name of the consumer that keeps every record.
const archiveConsumer = "archive"

func (s *session) archiveFolder() string { return filepath.Join(s.settings.DataDir, archiveConsumer) }

// sealer makes objects of the archive's open files.
func (s *session) sealer() *archive.Sealer {
	tables := columns.New(columns.Settings{
		Types: s.app.types(), TopicName: s.topicName, PHI: s.settings.Archive.ParquetPHI,
		Limits:    router.Limits{ValueBytes: s.settings.Limits.ValueBytes, Headers: s.settings.Limits.Headers},
		Pseudonym: s.pseudonyms.Of,
	})
	return archive.NewSealer(s.archiveFolder(), tables, s.logger)
}

// archiveSealCommand seals days while nothing runs.
func archiveSealCommand(p *Program) *cobra.Command {
	var all bool
	command := &cobra.Command{
		Use:   "seal",
		Short: "Seal the days of the archive that are over",
		Long: "Seal makes compressed lines and a Parquet file of each day that is over and had no line for an hour, as millrace run does by itself.\n" +
			"The data directory must not be in use.",
		Args: noArguments,
		RunE: func(c *cobra.Command, _ []string) error {
			s, err := p.openAside(c)
			if err != nil {
				return err
			}
			sealed, err := s.sealAlone(c.Context(), all)
			if err != nil {
				return err
			}
			return p.say("sealed %d files\n", sealed)
		},
	}
	command.Flags().BoolVar(&all, "all", false, "also days that are not over, or that had a line within the hour")
	return command
}

// sealAlone seals while the data directory is ours.
func (s *session) sealAlone(ctx context.Context, all bool) (sealed int, err error) {
	unlock, err := lockDataDir(s.settings.DataDir)
	if err != nil {
		return 0, err
	}
	defer unlock()
	if s.pseudonyms, err = privacy.Open(s.settings.Privacy.KeyFile); err != nil {
		return 0, err
	}
	opened, err := store.Open(ctx, s.storePlace(), s.logger, store.By(currentBuild().program))
	if err != nil {
		return 0, err
	}
	defer func() { _ = opened.Close() }()
	if s.sharedStore() {
		if s.instance, err = instanceOf(s.settings.DataDir); err != nil {
			return 0, err
		}
	}
	if all {
		return s.sealer().All(ctx, opened, s.instance)
	}
	return s.sealer().Due(ctx, opened, s.instance, time.Now())
}
