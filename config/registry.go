package config

import "slices"

// Registry returns every setting, in the order of the documentation. It is the one source of defaults, of what `config show` prints and of
// docs/configuration.md.
func Registry() []Setting {
	return slices.Concat(processSettings(), kafkaSettings(), securitySettings(), producerSettings(), topicSettings(), deadLetterSettings(), consumerSettings(), storeSettings(), contentSettings(), tracingSettings(), sinkSettings(), notificationSettings())
}

func processSettings() []Setting {
	return []Setting{
		{Path: "config", Kind: KindText, Derived: "config.yaml in the working directory, when there is one, else Spring's files", Flag: "config", Spring: "spring.config.location", Outside: true,
			Doc: "The configuration file: YAML, or a Spring file (application.properties, application.yml)."},
		{Path: "profile", Kind: KindText, Flag: "profile", Spring: "spring.profiles.active",
			Doc: "The profile whose file is laid over the configuration file: prod takes config.prod.yaml beside config.yaml, and application-prod.properties beside application.properties. A Spring file may have several, with commas."},
		{Path: "data_dir", Kind: KindText, Default: "./data", Flag: "data-dir",
			Doc: "The directory of everything that Millrace keeps."},
		{Path: "dev", Kind: KindSwitch, Default: "false", Flag: "dev",
			Doc: "Start or find the embedded broker in the data directory instead of asking for brokers: for trying and developing, never for production."},
		{Path: "http.address", Kind: KindText, Default: "127.0.0.1:7070", Flag: "http-address", Spring: "server.address, server.port",
			Doc: "host:port of /metrics, /healthz and /readyz, on loopback. When the default is taken, the next free port; one that was set and is taken is an error."},
		{Path: "metrics.address", Kind: KindText, Derived: "http.address", Flag: "metrics-address", Spring: "management.server.address, management.server.port",
			Doc: "host:port of /metrics, /healthz and /readyz for Prometheus and Kubernetes: any address, :7071 for all of them, without login. They stay at http.address too."},
		{Path: "log.level", Kind: KindText, Default: "info", Allowed: []string{"debug", "info", "warn", "error"}, Spring: "logging.level.root",
			Doc: "The lowest level that is written to stderr."},
		{Path: "log.format", Kind: KindText, Default: "auto", Allowed: []string{"auto", "text", "json"},
			Doc: "auto is text on a terminal and JSON elsewhere."},
	}
}

func storeSettings() []Setting {
	return []Setting{
		{Path: "store.dsn", Kind: KindSecret, Derived: "store.db in the data directory (SQLite)", Spring: "spring.datasource.url, .username, .password",
			Doc: "The address of a PostgreSQL database that several processes share: postgres://user:password@host:5432/database?sslmode=verify-full; search_path=NAME in it names the schema."},
	}
}

func contentSettings() []Setting {
	return []Setting{
		{Path: "limits.value_bytes", Kind: KindSize, Default: "4MiB",
			Doc: "The largest value that a consumer decodes; beyond it a record is dead-lettered as too_large. The archive takes all."},
		{Path: "limits.headers", Kind: KindCount, Default: "1000",
			Doc: "The largest number of headers that a decoding consumer takes; beyond it a record is dead-lettered as too_large."},
		{Path: "privacy.key_file", Kind: KindText, Derived: "privacy.key in the data directory",
			Doc: "The file with the key of the patients' pseudonyms; made at the first start."},
		{Path: "analytics.time_zone", Kind: KindText, Default: "UTC",
			Doc: "The IANA time zone in which a day of analytics begins and ends."},
	}
}
