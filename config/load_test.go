package config_test

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prantikov/millrace/config"
)

var (
	consumerNames = []string{"appointments", "orders", "health-records", "archive"}
	topicNames    = []string{"appointment-events", "order-events", "lab.results"}
)

// sources writes a configuration file, when there is text for one, and returns sources that name it.
func sources(t *testing.T, yaml string, environ ...string) config.Sources {
	t.Helper()
	s := config.Sources{Environ: environ, ConsumerNames: consumerNames, TopicNames: topicNames, PluginNames: []string{"loyalty"}}
	if yaml != "" {
		s.File = write(t, t.TempDir(), "config.yaml", yaml)
	}
	return s
}

func write(t *testing.T, directory, name, text string) string {
	t.Helper()
	path := filepath.Join(directory, name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func load(t *testing.T, s config.Sources) *config.Loaded {
	t.Helper()
	loaded, err := config.Load(s)
	if err != nil {
		t.Fatalf("Load: got %v, want no error", err)
	}
	return loaded
}

func TestPrecedence(t *testing.T) {
	t.Parallel()
	const file = "kafka:\n  client_id: from-file\n"
	for name, test := range map[string]struct {
		yaml, profile string
		environ       []string
		flags         map[string]string
		want, origin  string
	}{
		"nothing set takes the default":            {want: "millrace", origin: "default"},
		"the file beats the default":               {yaml: file, want: "from-file", origin: "config.yaml:2"},
		"the profile file beats the file":          {yaml: file, profile: "\n\nkafka:\n  client_id: from-profile", want: "from-profile", origin: "config.prod.yaml:4"},
		"the environment beats both files":         {yaml: file, profile: "kafka: {client_id: from-profile}", environ: []string{"MILLRACE_KAFKA_CLIENT_ID=from-variable"}, want: "from-variable", origin: "MILLRACE_KAFKA_CLIENT_ID"},
		"a flag beats the environment":             {yaml: file, environ: []string{"MILLRACE_KAFKA_CLIENT_ID=from-variable"}, flags: map[string]string{"kafka.client_id": "from-flag"}, want: "from-flag", origin: "--kafka.client_id"},
		"an empty variable counts as not set":      {yaml: file, environ: []string{"MILLRACE_KAFKA_CLIENT_ID="}, want: "from-file", origin: "config.yaml:2"},
		"the last of two variables counts":         {environ: []string{"MILLRACE_KAFKA_CLIENT_ID=first", "MILLRACE_KAFKA_CLIENT_ID=second"}, want: "second", origin: "MILLRACE_KAFKA_CLIENT_ID"},
		"a profile without the key changes it not": {yaml: file, profile: "log: {level: warn}", want: "from-file", origin: "config.yaml:2"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := sources(t, test.yaml, test.environ...)
			s.Flags = test.flags
			if test.profile != "" {
				s.Profile = "prod"
				write(t, filepath.Dir(s.File), "config.prod.yaml", test.profile)
			}
			loaded := load(t, s)
			if got := loaded.Settings.Kafka.ClientID; got != test.want {
				t.Errorf("kafka.client_id: got %q, want %q", got, test.want)
			}
			origin := loaded.Origins["kafka.client_id"]
			if got := strings.TrimPrefix(origin.String(), filepath.Dir(s.File)+string(filepath.Separator)); got != test.origin {
				t.Errorf("origin: got %q, want %q", got, test.origin)
			}
		})
	}
}

func TestOriginsSayTheirSource(t *testing.T) {
	t.Parallel()
	s := sources(t, "data_dir: /var/lib/millrace\nconsumers:\n  defaults:\n    timeout: 5s\n", "MILLRACE_PROFILE=prod", "MILLRACE_LOG_LEVEL=warn")
	s.Flags = map[string]string{"kafka.brokers": "a:9092, b:9092", "http.address": "127.0.0.1:0"}
	profile := write(t, filepath.Dir(s.File), "config.prod.yaml", "log:\n  format: json\n")
	loaded := load(t, s)
	for path, want := range map[string]config.Origin{
		"config":                        {Source: config.SourceFlag, Name: "--config"},
		"profile":                       {Source: config.SourceEnvironment, Name: "MILLRACE_PROFILE"},
		"data_dir":                      {Source: config.SourceFile, Name: s.File, Line: 1},
		"log.format":                    {Source: config.SourceProfile, Name: profile, Line: 2},
		"log.level":                     {Source: config.SourceEnvironment, Name: "MILLRACE_LOG_LEVEL"},
		"kafka.brokers":                 {Source: config.SourceFlag, Name: "--brokers"},
		"http.address":                  {Source: config.SourceFlag, Name: "--http-address"},
		"consumers.orders.timeout":      {Source: config.SourceFile, Name: s.File, Line: 4, Inherited: "consumers.defaults.timeout"},
		"consumers.orders.group":        {Source: config.SourceDefault},
		"consumers.orders.retry.jitter": {Source: config.SourceDefault},
	} {
		if got := loaded.Origins[path]; got != want {
			t.Errorf("%s: got %+v, want %+v", path, got, want)
		}
	}
	if want := []string{s.File, profile}; !slices.Equal(loaded.Files, want) {
		t.Errorf("files: got %q, want %q", loaded.Files, want)
	}
	if want := []string{"a:9092", "b:9092"}; !slices.Equal(loaded.Settings.Kafka.Brokers, want) {
		t.Errorf("brokers: got %q, want %q", loaded.Settings.Kafka.Brokers, want)
	}
	if got, want := loaded.Settings.Privacy.KeyFile, filepath.Join("/var/lib/millrace", "privacy.key"); got != want {
		t.Errorf("key file: got %q, want %q", got, want)
	}
}

func TestFilesAreFound(t *testing.T) {
	directory := t.TempDir()
	t.Chdir(directory)
	write(t, directory, "config.yaml", "profile: prod\nlog: {level: warn}\n")
	write(t, directory, "config.prod.yaml", "log: {format: json}\n")
	write(t, directory, "config.test.yaml", "")
	write(t, directory, "other.yml", "log: {level: error}\n")
	for name, test := range map[string]struct {
		environ []string
		want    []string
	}{
		"config.yaml in the working directory, with its own profile": {want: []string{"config.yaml", "config.prod.yaml"}},
		"a profile from outside replaces the file's":                 {environ: []string{"MILLRACE_PROFILE=test"}, want: []string{"config.yaml", "config.test.yaml"}},
		"a file that is named is the only one":                       {environ: []string{"MILLRACE_CONFIG=other.yml"}, want: []string{"other.yml"}},
	} {
		t.Run(name, func(t *testing.T) {
			loaded := load(t, config.Sources{Environ: test.environ})
			if !slices.Equal(loaded.Files, test.want) {
				t.Errorf("files: got %q, want %q", loaded.Files, test.want)
			}
			if loaded.Settings.Config != test.want[0] {
				t.Errorf("config: got %q, want %q", loaded.Settings.Config, test.want[0])
			}
		})
	}
}

func TestNamesInTheEnvironment(t *testing.T) {
	t.Parallel()
	loaded := load(t, sources(t, "",
		"MILLRACE_CONSUMERS_HEALTH_RECORDS_TIMEOUT=15s", "MILLRACE_CONSUMERS_DEFAULTS_RETRY_TRIES=7", "MILLRACE_CONSUMERS_ORDERS_RETRY_TRIES=2",
		"MILLRACE_TOPICS_LAB_RESULTS_MAX_MESSAGE_BYTES=6MiB", "MILLRACE_TOPICS_DEFAULTS_RETENTION=7d", "MILLRACE_TOPICS_ORDER_EVENTS_NAME=prod.orders",
		"MILLRACE_CONSUMERS_ARCHIVE_TOPICS=order-events, lab.results", "MILLRACE_KAFKA_PRODUCER_ACKS=all", "MILLRACE_DEV=true", "PATH=/bin"))
	consumers, topics := loaded.Settings.Consumers, loaded.Settings.Topics
	for what, pair := range map[string][2]any{
		"timeout of health-records":      {consumers.ByName["health-records"].Timeout, 15 * time.Second},
		"timeout of orders":              {consumers.ByName["orders"].Timeout, 10 * time.Second},
		"tries of orders":                {consumers.ByName["orders"].Retry.Tries, 2},
		"tries of health-records":        {consumers.ByName["health-records"].Retry.Tries, 7},
		"tries of defaults":              {consumers.Defaults.Retry.Tries, 7},
		"tries of a consumer without":    {loaded.Settings.Consumer("new").Retry.Tries, 7},
		"group of a consumer without":    {loaded.Settings.Consumer("new").Group, "new"},
		"group of orders":                {loaded.Settings.Consumer("orders").Group, "orders"},
		"largest message of lab.results": {topics["lab.results"].MaxMessageBytes, 6 << 20},
		"retention of order-events":      {topics["order-events"].Retention, 7 * 24 * time.Hour},
		"name of order-events":           {topics["order-events"].Name, "prod.orders"},
		"name of lab.results":            {topics["lab.results"].Name, "lab.results"},
		"name of a topic without":        {loaded.Settings.Topic("new").Name, "new"},
		"topics of archive":              {strings.Join(consumers.ByName["archive"].Topics, "+"), "order-events+lab.results"},
		"dev":                            {loaded.Settings.Dev, true},
	} {
		if pair[0] != pair[1] {
			t.Errorf("%s: got %v, want %v", what, pair[0], pair[1])
		}
	}
}

func TestDefaultIsValid(t *testing.T) {
	t.Parallel()
	if err := config.Validate(config.Default()); err != nil {
		t.Errorf("Validate(Default()): got %v, want nil", err)
	}
	if got := load(t, sources(t, "")).Settings; got.Kafka.ReadTimeout != config.Default().Kafka.ReadTimeout {
		t.Errorf("read timeout: got %v, want that of Default", got.Kafka.ReadTimeout)
	}
}

func TestAllMistakesAtOnce(t *testing.T) {
	t.Parallel()
	s := sources(t, "kafka:\n  producer: {acks: 1}\n  wait: 5\n  brokres: a:1\nconsumers:\n  defaults: {timeout: 1h, start: soon}\n", "MILLRACE_KAFKA_BROKER=secret")
	loaded, err := config.Load(s)
	if loaded == nil {
		t.Fatal("Loaded: got nil, want the settings for config show")
	}
	got := mistakes(err)
	slices.Sort(got)
	want := []string{"MILLRACE_KAFKA_BROKER", "consumers.defaults.start", "consumers.defaults.timeout", "kafka.brokres", "kafka.producer.acks", "kafka.wait"}
	if !slices.Equal(got, want) {
		t.Errorf("mistakes: got %q, want %q (%v)", got, want, err)
	}
	if strings.Contains(err.Error(), "secret") {
		t.Errorf("error: got %v, want no value of an unknown variable", err)
	}
	if got, want := loaded.Settings.Kafka.Wait, time.Minute; got != want {
		t.Errorf("kafka.wait: got %v, want the default %v", got, want)
	}
}

// mistakes returns the paths of all mistakes in an error.
func mistakes(err error) []string {
	var paths []string
	var all interface{ Unwrap() []error }
	if errors.As(err, &all) {
		for _, one := range all.Unwrap() {
			var mistake *config.Mistake
			if errors.As(one, &mistake) {
				paths = append(paths, mistake.Path)
			}
		}
	}
	return paths
}

func TestCompleteKnowsTheNames(t *testing.T) {
	t.Parallel()
	s := sources(t, "consumers: {points: {timeout: 3s}, typo: {}}\nplugins: {points: {rate: 2}}\n", "MILLRACE_CONSUMERS_POINTS_START=latest", "MILLRACE_PLUGINS_POINTS_RATE=3")
	s.ConsumerNames, s.PluginNames, s.Partial = nil, nil, true
	partial := load(t, s)
	var settings struct{ Rate int }
	if err := partial.Plugin("points", &settings); err != nil || settings.Rate != 3 {
		t.Fatalf("Plugin: got %+v and %v, want rate 3", settings, err)
	}
	complete, err := partial.Complete([]string{"points"}, topicNames, []string{"points"})
	if got, want := mistakes(err), []string{"consumers.typo"}; !slices.Equal(got, want) {
		t.Errorf("mistakes: got %q, want %q", got, want)
	}
	if got := complete.Settings.Consumers.ByName["points"]; got.Timeout != 3*time.Second || got.Start != "latest" {
		t.Errorf("consumer: got %+v, want what the file and the variable say", got)
	}
	if row := find(config.Rows(complete), "plugins.points.rate"); row.Value != "3" || row.Origin != "MILLRACE_PLUGINS_POINTS_RATE" {
		t.Errorf("row: got %+v, want what the plugin has read", row)
	}
}

func find(rows []config.Row, path string) config.Row {
	for _, row := range rows {
		if row.Path == path {
			return row
		}
	}
	return config.Row{}
}
