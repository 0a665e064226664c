package cmd

import (
	"context"
	"errors"
	"fmt"
	"io/fs"

	"github.com/prantikov/millrace/store"
)

// readStore reads the store beside whoever writes to it. When nothing has made one yet, it says so on stderr and reads nothing.
func (s *session) readStore(ctx context.Context, read func(*store.Store) error) error {
	opened, err := store.OpenReader(ctx, s.storeFile())
	if errors.Is(err, fs.ErrNotExist) {
		_, err = fmt.Fprintf(s.program.errout, "there is no store yet at %q: millrace run makes it\n", s.storeFile())
		return err
	}
	if err != nil {
		return err
	}
	return errors.Join(read(opened), opened.Close())
}
