package config

// Store is where states, counts and progress are kept.
type Store struct {
	// DSN is the address of a PostgreSQL database that several processes share, postgres://user:password@host:5432/database; a parameter
	// search_path in it names the schema. Default: none, for an SQLite file in the data directory, which is one process's.
	DSN Secret `koanf:"dsn"`
}
