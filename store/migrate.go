package store

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"github.com/pressly/goose/v3"
)

//go:embed migrations/*.sql
var migrations embed.FS

// ownVersions is the table of our schema's versions; a plugin's has its name at the end.
const ownVersions = "schema_versions"

// Migrate brings a plugin's own tables up to date with the goose migrations (00001_name.sql, …) at the root of files. name is the
// plugin's: lower-case letters, digits and dashes, beginning with a letter; under it the store remembers which versions are applied.
// The tables share the file with ours and other plugins', so their names should begin with the plugin's.
func (s *Store) Migrate(ctx context.Context, name string, files fs.FS) error {
	tried := fmt.Sprintf("migrating the tables of %q", name)
	if !isPluginName(name) {
		return fmt.Errorf("%s: the name must be lower-case letters, digits and dashes, beginning with a letter", tried)
	}
	if s.writer == nil {
		return unavailable(tried, errors.New("it was opened for reading"))
	}
	if err := s.writer.acquire(ctx); err != nil {
		return unavailable(tried, err)
	}
	defer s.writer.release()
	db, err := openPool(s.path, 1, writePragmas[:])
	if err != nil {
		return unavailable(tried, err)
	}
	defer func() { _ = db.Close() }()
	err = migrate(ctx, db, ownVersions+"_"+strings.ReplaceAll(name, "-", "_"), files)
	if err != nil && Unavailable(err) {
		return unavailable(tried, err)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", tried, err)
	}
	return nil
}

func isPluginName(name string) bool {
	for i, letter := range name {
		lower := letter >= 'a' && letter <= 'z'
		if !lower && (i == 0 || (letter != '-' && (letter < '0' || letter > '9'))) {
			return false
		}
	}
	return name != ""
}

// migrateOwn checks the file and brings our tables up to date, on a connection of its own.
func migrateOwn(ctx context.Context, path string) error {
	db, err := openPool(path, 1, writePragmas[:])
	if err != nil {
		return err
	}
	defer func() { _ = db.Close() }()
	if err := checkFile(ctx, db); err != nil {
		return err
	}
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return err
	}
	return migrate(ctx, db, ownVersions, files)
}

func migrate(ctx context.Context, db *sql.DB, table string, files fs.FS) error {
	provider, err := goose.NewProvider(goose.DialectSQLite3, db, files, goose.WithTableName(table), goose.WithDisableGlobalRegistry(true))
	if err != nil {
		return err
	}
	return retryBusy(ctx, func() error {
		present, newest, err := provider.GetVersions(ctx)
		if err != nil {
			return err
		}
		if present > newest {
			return fmt.Errorf("its tables have version %d, this program knows %d: a newer program wrote them", present, newest)
		}
		_, err = provider.Up(ctx)
		return err
	})
}
