package store

import (
	"database/sql"
	"fmt"
)

// Reading returns a pool that reads the store at this path. It opens nothing before its first query, so it may be made before there is a
// store; a query says then that there is none. A statement that writes fails.
func Reading(path string) (*sql.DB, error) {
	reader, err := openPool(path, readers, readPragmas[:], "mode=ro")
	if err != nil {
		return nil, fmt.Errorf("opening the store %q for reading: %w", path, err)
	}
	return reader, nil
}
