package config

import "net/url"

// store checks the address of the database, of which nothing is ever printed.
func (c *checker) store() {
	dsn := c.settings.Store.DSN
	if !dsn.IsSet() {
		return
	}
	address, err := url.Parse(dsn.Reveal())
	if err != nil || address.Scheme != "postgres" && address.Scheme != "postgresql" {
		c.refuse("store.dsn", dsn, "it is not the address of a PostgreSQL database",
			"write postgres://user:password@host:5432/database?sslmode=verify-full, with % codes for what an address cannot have as it is")
	}
	if c.settings.Kafka.Engine == "watermill" {
		c.refuse("kafka.engine", "watermill", "its subscriber does not say when a partition changes hands, which processes that share a store have to know",
			"use millrace, or remove store.dsn", "store.dsn")
	}
}

// unsafeStore warns of a password that goes over the network to whoever answers.
func unsafeStore(s Store) []string {
	address, err := url.Parse(s.DSN.Reveal())
	if err != nil || !s.DSN.IsSet() || address.Hostname() == "" || onLoopback(address.Hostname()) {
		return nil
	}
	switch address.Query().Get("sslmode") {
	case "verify-full", "verify-ca":
		return nil
	}
	return []string{"store.dsn has no sslmode=verify-full: whoever is between this machine and the database can read along, patient data too"}
}
