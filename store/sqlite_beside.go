package store

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
)

// besideSuffix ends the name of the file that is beside a store's.
const besideSuffix = ".rebuild"

func (d *sqlite) makeBeside(ctx context.Context) (room, error) {
	file := d.path + besideSuffix
	made := room{name: file, address: file, drop: func(context.Context) error { return removeFile(file) }}
	return made, made.drop(ctx)
}

// removeFile removes an SQLite file with those beside it.
func removeFile(path string) error {
	var errs []error
	for _, end := range []string{"", "-wal", "-shm"} {
		if err := os.Remove(path + end); err != nil && !errors.Is(err, fs.ErrNotExist) {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

// exclusive has a connection of its own: the one that writes is to know one file alone.
func (d *sqlite) exclusive(ctx context.Context, beside string, use func(exclusively) (keep bool, err error)) error {
	absolute, err := filepath.Abs(beside)
	if err != nil {
		return err
	}
	db, err := openPool(d.path, 1, writePragmas[:])
	if err != nil {
		return err
	}
	defer func() { _ = db.Close() }()
	conn, err := db.Conn(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }()
	if _, err := conn.ExecContext(ctx, "ATTACH DATABASE ? AS rebuilt", absolute); err != nil {
		return err
	}
	x := exclusively{conn: conn, beside: "rebuilt."}
	// BEGIN IMMEDIATE would lock the file beside too, which is still written.
	begin := []string{"BEGIN", "UPDATE progress SET revision = revision WHERE false"}
	return retryBusy(ctx, func() error { return x.transact(ctx, begin, use) })
}
