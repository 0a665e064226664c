package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	_ "modernc.org/sqlite" // the database's driver
)

// readers bounds the connections of the read-only pool.
const readers = 4

// The settings of a connection. busy_timeout is short, for we wait ourselves, where a context can end the wait. fullfsync makes macOS
// write through the disk's cache; elsewhere it says nothing.
var (
	readPragmas  = [...]string{"busy_timeout(250)"}
	writePragmas = [...]string{
		"busy_timeout(250)", "journal_mode(WAL)", "synchronous(FULL)", "fullfsync(1)", "cache_size(-32768)", "journal_size_limit(67108864)",
	}
)

// source is what the driver opens: the path as a URI, so that no character of it can pass as a parameter.
func source(path string, pragmas []string, parameters ...string) (string, error) {
	absolute, err := filepath.Abs(path)
	if err != nil {
		return "", err
	}
	slashed := filepath.ToSlash(absolute)
	if !strings.HasPrefix(slashed, "/") {
		slashed = "/" + slashed // a drive letter of Windows
	}
	query := append([]string{"_defensive=1", "_error_rc=1", "_txlock=immediate"}, parameters...)
	for _, pragma := range pragmas {
		query = append(query, "_pragma="+url.QueryEscape(pragma))
	}
	return (&url.URL{Scheme: "file", Path: slashed, RawQuery: strings.Join(query, "&")}).String(), nil
}

func openPool(path string, connections int, pragmas []string, parameters ...string) (*sql.DB, error) {
	name, err := source(path, pragmas, parameters...)
	if err != nil {
		return nil, err
	}
	db, err := sql.Open("sqlite", name)
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(connections)
	db.SetMaxIdleConns(connections)
	return db, nil
}

// prepareFile makes the file and its folder where they are missing, for their owner alone: SQLite gives the files beside it the same mode.
func prepareFile(path string) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if errors.Is(err, fs.ErrPermission) {
		return fmt.Errorf("the file is read-only: give this user the right to write it and its folder: %w", err)
	}
	if err != nil {
		return err
	}
	info, err := file.Stat()
	if err = errors.Join(err, file.Close()); err != nil {
		return err
	}
	if info.Mode().Perm()&0o200 == 0 {
		// The superuser may write it all the same, but somebody meant that nobody does.
		return errors.New("the file is read-only: give its owner the right to write it")
	}
	if info.Mode().Perm()&0o077 != 0 && runtime.GOOS != "windows" {
		return os.Chmod(path, 0o600)
	}
	return nil
}

// checkFile finds a file that is damaged or cannot be written, before anything is served from it.
func checkFile(ctx context.Context, path string) error {
	db, err := openPool(path, 1, writePragmas[:])
	if err != nil {
		return err
	}
	defer func() { _ = db.Close() }()
	connection, err := db.Conn(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = connection.Close() }()
	if err := retryBusy(ctx, func() error {
		_, err := connection.ExecContext(ctx, "BEGIN IMMEDIATE")
		return err
	}); err != nil {
		return err
	}
	if _, err := connection.ExecContext(ctx, "ROLLBACK"); err != nil {
		return err
	}
	var found string
	if err := connection.QueryRowContext(ctx, "PRAGMA quick_check(1)").Scan(&found); err != nil {
		return err
	}
	if found != "ok" {
		return fmt.Errorf("%w: restore it from a backup, or move it away to begin a new one", errDamaged)
	}
	return nil
}

// retryBusy tries again while another connection holds the file, up to lockWait.
func retryBusy(ctx context.Context, try func() error) error {
	deadline := time.Now().Add(lockWait)
	for {
		err := try()
		if !isBusy(err) || time.Now().After(deadline) {
			return err
		}
		if ctx.Err() != nil {
			return errors.Join(ctx.Err(), err)
		}
	}
}
