package cmd

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strconv"

	"github.com/prantikov/millrace/store"
)

// readStore reads the store beside whoever writes to it. When nothing has made one yet, it says so on stderr and reads nothing.
func (s *session) readStore(ctx context.Context, read func(*store.Store) error) error {
	opened, err := store.OpenReader(ctx, s.storePlace(), store.By(currentBuild().program))
	if errors.Is(err, fs.ErrNotExist) {
		place := strconv.Quote(s.storeFile())
		if s.sharedStore() {
			place = "the address of store.dsn"
		}
		_, err = fmt.Fprintf(s.program.errout, "there is no store yet at %s: millrace run makes it\n", place)
		return err
	}
	if err != nil {
		return err
	}
	return errors.Join(read(opened), opened.Close())
}
