package config_test

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prantikov/millrace/config"
)

var update = flag.Bool("update", false, "write docs/configuration.md anew")

func TestEverySettingHasAFieldAndEveryFieldASetting(t *testing.T) {
	t.Parallel()
	fields := map[string]reflect.Type{}
	collect(fields, "", reflect.TypeFor[config.Settings]())
	collect(fields, "topics.<name>.", reflect.TypeFor[config.Topic]())
	collect(fields, "consumers.<name>.", reflect.TypeFor[config.Consumer]())
	kinds := map[config.Kind]reflect.Type{
		config.KindText: reflect.TypeFor[string](), config.KindList: reflect.TypeFor[[]string](), config.KindSwitch: reflect.TypeFor[bool](),
		config.KindCount: reflect.TypeFor[int](), config.KindSize: reflect.TypeFor[int](), config.KindDuration: reflect.TypeFor[time.Duration](),
		config.KindNumber: reflect.TypeFor[float64](), config.KindSecret: reflect.TypeFor[config.Secret](),
	}
	for _, setting := range config.Registry() {
		if got, want := fields[setting.Path], kinds[setting.Kind]; got != want {
			t.Errorf("%s: got a field of type %v, want %v", setting.Path, got, want)
		}
		delete(fields, setting.Path)
		if setting.Doc == "" || !strings.HasSuffix(setting.Doc, ".") {
			t.Errorf("%s: got doc %q, want a sentence", setting.Path, setting.Doc)
		}
	}
	for path := range fields {
		t.Errorf("%s: got no row in the registry, want one", path)
	}
}

func collect(fields map[string]reflect.Type, prefix string, section reflect.Type) {
	for i := range section.NumField() {
		field := section.Field(i)
		switch tag := field.Tag.Get("koanf"); {
		case tag == "" || tag == "-":
		case field.Type.Kind() == reflect.Struct && field.Type != reflect.TypeFor[config.Secret]():
			collect(fields, prefix+tag+".", field.Type)
		default:
			fields[prefix+tag] = field.Type
		}
	}
}

func TestNamesOfTheRegistryAreUnambiguous(t *testing.T) {
	t.Parallel()
	seen := map[string]string{}
	for _, setting := range config.Registry() {
		for _, name := range []string{setting.Path, setting.Environment(), "--" + setting.Flag} {
			if other, taken := seen[name]; taken && name != "--" {
				t.Errorf("%s: got it for %s and %s, want one", name, other, setting.Path)
			}
			seen[name] = setting.Path
		}
	}
	for path, want := range map[string]string{
		"config": "MILLRACE_CONFIG", "profile": "MILLRACE_PROFILE", "data_dir": "MILLRACE_DATA_DIR", "dev": "MILLRACE_DEV",
		"http.address": "MILLRACE_HTTP_ADDRESS", "kafka.brokers": "MILLRACE_KAFKA_BROKERS", "kafka.producer.acks": "MILLRACE_KAFKA_PRODUCER_ACKS",
		"consumers.<name>.timeout": "MILLRACE_CONSUMERS_<NAME>_TIMEOUT",
	} {
		if seen[want] != path {
			t.Errorf("%s: got the setting %q, want %q", want, seen[want], path)
		}
	}
}

func TestDefaultsAreThoseOfTheIssue(t *testing.T) {
	t.Parallel()
	settings := config.Default()
	consumer, topic := settings.Consumers.Defaults, settings.TopicDefaults
	for what, pair := range map[string][2]any{
		"data_dir":           {settings.DataDir, "./data"},
		"http":               {settings.HTTP.Address, "127.0.0.1:7070"},
		"session":            {settings.Kafka.SessionTimeout, 10 * time.Second},
		"heartbeat":          {settings.Kafka.HeartbeatInterval, 2 * time.Second},
		"read timeout":       {settings.Kafka.ReadTimeout, 2500 * time.Millisecond},
		"wait":               {settings.Kafka.Wait, time.Minute},
		"producer":           {settings.Kafka.Producer, config.Producer{Acks: "all", Idempotent: true, Compression: "none", Retries: 3, RetryBackoff: 100 * time.Millisecond, MaxMessageBytes: 1 << 20, DeliveryTimeout: 2 * time.Minute}},
		"topic":              {topic, config.Topic{Manage: "on", Partitions: 6, Replicas: 3, Retention: 7 * 24 * time.Hour, KeyRule: "id", UnknownAction: "dead-letter", UnknownStatus: "dead-letter", Tombstone: "dead-letter", Transitions: "dead-letter"}},
		"dead letters":       {settings.DeadLetters, config.DeadLetters{Suffix: "-dlt", Retention: 30 * 24 * time.Hour, RedriveSuffix: "-redrive"}},
		"retry":              {consumer.Retry, config.Retry{Tries: 4, InitialInterval: 100 * time.Millisecond, MaxInterval: 5 * time.Second, MaxElapsed: 30 * time.Second, Jitter: 0.2}},
		"enabled":            {consumer.Enabled, true},
		"limits":             {settings.Limits, config.Limits{ValueBytes: 4 << 20, Headers: 1000}},
		"no brokers":         {len(settings.Kafka.Brokers), 0},
		"largest batch":      {settings.Kafka.MaxDecompressedBytes, 256 << 20},
		"batch":              {settings.Kafka.BatchRecords, 512},
		"rebalance":          {settings.Kafka.RebalanceTimeout, time.Minute},
		"drain":              {settings.Kafka.DrainTimeout, 20 * time.Second},
		"timeout of one try": {consumer.Timeout, 10 * time.Second},
	} {
		if pair[0] != pair[1] {
			t.Errorf("%s: got %+v, want %+v", what, pair[0], pair[1])
		}
	}
}

func TestRowsAreJSONAndCanBeReadBack(t *testing.T) {
	t.Parallel()
	s := sources(t, "", "MILLRACE_KAFKA_BROKERS=a:1,b:2", "MILLRACE_CONSUMERS_ORDERS_RETRY_JITTER=0.125", "MILLRACE_LIMITS_VALUE_BYTES=5000001", "MILLRACE_KAFKA_READ_TIMEOUT=1s250ms")
	first := load(t, s)
	rows := config.Rows(first)
	text, err := json.Marshal(rows)
	if err != nil || !strings.Contains(string(text), `{"path":"kafka.brokers","value":"a:1,b:2","origin":"MILLRACE_KAFKA_BROKERS"}`) {
		t.Errorf("JSON: got %s and %v, want the row of the brokers", text, err)
	}
	flags := map[string]string{}
	for _, row := range rows {
		if row.Value != "" {
			flags[row.Path] = row.Value
		}
	}
	s.Environ, s.Flags = nil, flags
	second := load(t, s)
	if !reflect.DeepEqual(first.Settings, second.Settings) {
		t.Errorf("settings:\n got %+v\nwant %+v", second.Settings, first.Settings)
	}
}

func TestExampleIsValidAndShowsEverySetting(t *testing.T) {
	t.Parallel()
	loaded, err := config.Load(config.Sources{File: "example.yaml",
		ConsumerNames: []string{"orders", "archive"}, TopicNames: []string{"order-events"}, PluginNames: []string{"loyalty"}})
	if err != nil {
		t.Fatal(err)
	}
	var plugin struct{ Rate int }
	if err := loaded.Plugin("loyalty", &plugin); err != nil {
		t.Error(err)
	}
	for _, setting := range config.Registry() {
		path := strings.Replace(setting.Path, "<name>", "defaults", 1)
		if setting.Outside || setting.Path == "profile" || setting.Path == "dev" || setting.OneOnly || setting.Derived != "" {
			continue
		}
		if loaded.Origins[path].Source != config.SourceFile {
			t.Errorf("%s: got it not in example.yaml, want it there", path)
		}
		example := find(config.Rows(loaded), path).Value
		if set := find(config.Rows(load(t, config.Sources{})), path).Value; setting.Default != "" && example != set {
			t.Errorf("%s: got %s in example.yaml, want the default %s", path, example, set)
		}
	}
}

func TestDocumentationIsUpToDate(t *testing.T) {
	t.Parallel()
	path := filepath.Join("..", "docs", "configuration.md")
	want := document()
	if *update {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if strings.ReplaceAll(string(got), "\r\n", "\n") != want {
		t.Error("docs/configuration.md: got another text than the registry gives, want the same: go test ./config -update")
	}
}

// document is docs/configuration.md.
func document() string {
	var out strings.Builder
	out.WriteString(introduction)
	section := ""
	for _, setting := range config.Registry() {
		if title := sectionOf(setting.Path); title != section {
			section = title
			fmt.Fprintf(&out, "\n## %s\n\n| setting | kind | default | meaning | variable, flag | Kafka | Spring |\n|---|---|---|---|---|---|---|\n", section)
		}
		fmt.Fprintf(&out, "| `%s` | %s | %s | %s | %s | %s | %s |\n", setting.Path, setting.Kind, defaultOf(setting), meaning(setting), names(setting), code(setting.Kafka), code(setting.Spring))
	}
	return out.String()
}

func sectionOf(path string) string {
	parts := strings.Split(path, ".")
	switch {
	case len(parts) == 1:
		return "The process"
	case parts[0] == "kafka" && len(parts) > 2:
		return "kafka." + parts[1]
	default:
		return parts[0]
	}
}

func code(text string) string {
	if text == "" {
		return ""
	}
	return "`" + text + "`"
}

func defaultOf(setting config.Setting) string {
	if setting.Derived != "" {
		return setting.Derived
	}
	return code(setting.Default)
}

func meaning(setting config.Setting) string {
	text := setting.Doc
	if len(setting.Allowed) > 0 {
		text += " One of `" + strings.Join(setting.Allowed, "`, `") + "`."
	}
	if setting.OneOnly {
		text += " Not in `defaults`."
	}
	return text
}

func names(setting config.Setting) string {
	all := []string{code(setting.Environment())}
	if setting.Secret() {
		all = append(all, code(setting.Environment()+"_FILE"))
	}
	if setting.Flag != "" {
		all = append(all, code("--"+setting.Flag))
	}
	return strings.Join(slices.DeleteFunc(all, func(name string) bool { return name == "" }), ", ")
}

const introduction = `# Configuration

<!-- Written by go test ./config -update from the registry in config/registry*.go. Change it there. -->

Settings come from five places; a later one counts more:

1. the defaults below
2. the configuration file: ` + "`--config`, `MILLRACE_CONFIG`, or `config.yaml`" + ` in the working directory; or a Spring file, see
   [From Spring Kafka](from-spring.md)
3. the file of the profile beside it: with ` + "`--profile prod` or `MILLRACE_PROFILE=prod`, `config.prod.yaml` beside `config.yaml`" + `
4. the environment: every setting has a variable; an empty one counts as not set
5. the flags

` + "`millrace config show` says for each value where it came from, with `--explain` what each place says, `millrace config validate`" + ` reports all mistakes at once. An annotated file with
every setting is ` + "[config/example.yaml](../config/example.yaml)" + `.

- What nobody reads is a mistake: a key of a file, a variable that begins with ` + "`MILLRACE_`" + `, a consumer, topic or plugin that does not exist. Only the
  variables that Kubernetes sets for a service named millrace are left out, with a warning.
- ` + "`consumers.defaults` and `topics.defaults` count for all; a consumer or topic sets only what differs. Its own value counts before that of" + `
  ` + "`defaults`" + `, wherever each of them stands.
- In a variable a name is in capitals, with an underscore for every other character: ` + "`consumers.health-records.timeout` is" + `
  ` + "`MILLRACE_CONSUMERS_HEALTH_RECORDS_TIMEOUT`" + `. Two names that would have the same variables are refused.
- Durations have their unit: ` + "`500ms`, `10s`, `2m`, `24h`, `7d`" + `. Sizes are bytes or have one: ` + "`4MiB`, `64KiB`" + `. Lists are YAML lists, or have commas in a
  variable or flag.
- A secret comes from its variable or from the file that the setting with ` + "`_file`" + ` behind its name gives, never from the configuration file or a flag; a
  Spring file may have it, as it does there. It prints as ` + "`***`" + `.
- A plugin has its section ` + "`plugins.<name>`" + ` with the same rules; the variable of ` + "`plugins.loyalty.rate` is `MILLRACE_PLUGINS_LOYALTY_RATE`" + `.
- Start fails on a combination that could lose, repeat or reorder records. What must end first is shorter: a try ≤ ` + "`kafka.drain_timeout`" + ` <
  ` + "`kafka.close_timeout` < `kafka.rebalance_timeout`, and `kafka.read_timeout` + `kafka.heartbeat_interval` < `kafka.session_timeout`" + `.
`
