package store

import (
	"database/sql"
	"fmt"
)

// Reading returns a pool that reads the store at this path or address, see [Open]. It opens nothing before its first query, so it may be
// made before there is a store; a query says then that there is none. A statement that writes fails.
func Reading(where string) (*sql.DB, error) {
	if IsPostgres(where) {
		return readPool(where)
	}
	reader, err := openPool(where, readers, readPragmas[:], "mode=ro")
	if err != nil {
		return nil, fmt.Errorf("opening the store %q for reading: %w", where, err)
	}
	return reader, nil
}
