package store

import (
	"context"
	"database/sql"
	"embed"
	"fmt"
	"io/fs"
	"strings"

	"github.com/pressly/goose/v3"
)

//go:embed migrations/*/*.sql
var migrations embed.FS

// ownVersions is the table of our schema's versions; a plugin's has its name at the end.
const ownVersions = "schema_versions"

// Migrate brings a plugin's own tables up to date with goose migrations (00001_name.sql, …): those at the root of files, or where the
// databases need different ones those in its folders sqlite and postgres. name is the plugin's: lower-case letters, digits and dashes,
// beginning with a letter; under it the store remembers which versions are applied. The tables share the store with ours and other
// plugins', so their names should begin with the plugin's. Of processes that start together one applies them, and the others wait.
func (s *Store) Migrate(ctx context.Context, name string, files fs.FS) error {
	tried := fmt.Sprintf("migrating the tables of %q", name)
	if !isPluginName(name) {
		return fmt.Errorf("%s: the name must be lower-case letters, digits and dashes, beginning with a letter", tried)
	}
	if s.database == nil {
		return unavailable(tried, errForReading)
	}
	own, err := s.dialect.choose(files)
	if err == nil {
		err = s.database.migrate(ctx, ownVersions+"_"+strings.ReplaceAll(name, "-", "_"), own)
	}
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

// choose returns the migrations for this database.
func (d dialect) choose(files fs.FS) (fs.FS, error) {
	if info, err := fs.Stat(files, d.folder); err != nil || !info.IsDir() {
		return files, nil
	}
	return fs.Sub(files, d.folder)
}

// migrateOwn brings our tables up to date.
func migrateOwn(d dialect, apply func(table string, files fs.FS) error) error {
	files, err := d.own()
	if err != nil {
		return err
	}
	return apply(ownVersions, files)
}

// own are our migrations for this database.
func (d dialect) own() (fs.FS, error) { return fs.Sub(migrations, "migrations/"+d.folder) }

// versions knows what a table of versions has, and what the files would make of it.
func (d dialect) versions(db *sql.DB, table string, files fs.FS) (*goose.Provider, error) {
	return goose.NewProvider(d.goose, db, files, goose.WithTableName(table), goose.WithDisableGlobalRegistry(true))
}

// check finds tables of ours that this program does not know. It writes nothing: where there is no table of versions, none is made.
func (o opening) check(ctx context.Context, d dialect, db *sql.DB) error {
	var tables int
	if err := db.QueryRowContext(ctx, d.hasTable, ownVersions).Scan(&tables); err != nil || tables == 0 {
		return err
	}
	files, err := d.own()
	if err != nil {
		return err
	}
	provider, err := d.versions(db, ownVersions, files)
	if err != nil {
		return err
	}
	present, newest, err := provider.GetVersions(ctx)
	if err == nil && present > newest {
		err = o.refuse(ctx, db, ownVersions, present, newest)
	}
	return err
}

// migrate applies what the table of versions does not have.
func (o opening) migrate(ctx context.Context, d dialect, db *sql.DB, table string, files fs.FS) error {
	provider, err := d.versions(db, table, files)
	if err != nil {
		return err
	}
	present, newest, err := provider.GetVersions(ctx)
	if err != nil {
		return err
	}
	if present > newest {
		return o.refuse(ctx, db, table, present, newest)
	}
	if _, err := provider.Up(ctx); err != nil {
		return err
	}
	return o.remember(ctx, db, table, newest)
}
