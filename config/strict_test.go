package config_test

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/prantikov/millrace/config"
)

func TestMistakesInSources(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		yaml    string
		environ []string
		flags   map[string]string
		want    string // the whole sentence; (FILE: is the path of the file
	}{
		"an unknown key names the nearest":             {yaml: "kafka:\n  brokres: a:1", want: "kafka.brokres (FILE:2): there is no such setting; the nearest is kafka.brokers"},
		"a key at the wrong place names the right one": {yaml: "kafka: {acks: all}", want: "kafka.acks (FILE:1): there is no such setting; the nearest is kafka.producer.acks"},
		"a relaxed name is not ours":                   {yaml: "kafka: {clientId: x}", want: "kafka.clientId (FILE:1): there is no such setting; the nearest is kafka.client_id"},
		"one of Spring's says what to call the file":   {yaml: "spring: {kafka: {client-id: x}}", want: "spring (FILE:1): it is one of Spring's properties; name the file application.yml to have it read as Spring reads it"},
		"an unknown section is reported once":          {yaml: "kafak: {brokers: a:1, wait: 1s}", want: "kafak (FILE:1): there is no such setting; the nearest is kafka"},
		"an unknown consumer":                          {yaml: "consumers: {order: {timeout: 1s}}", want: "consumers.order (FILE:1): there is no consumer of this name; the nearest is orders"},
		"an unknown topic":                             {yaml: "topics: {orders-event: {partitions: 1}}", want: "topics.orders-event (FILE:1): there is no topic of this name; the nearest is order-events"},
		"an unknown plugin":                            {yaml: "plugins: {loyality: {rate: 1}}", want: "plugins.loyality (FILE:1): there is no plugin of this name; the nearest is loyalty"},
		"an unknown key of a consumer":                 {yaml: "consumers: {orders: {retries: 1}}", want: "consumers.orders.retries (FILE:1): there is no such setting; the nearest is consumers.orders.retry"},
		"a group for all":                              {yaml: "consumers: {defaults: {group: all}}", want: "consumers.defaults.group (FILE:1): there is no such setting; the nearest is consumers.orders.group"},
		"a section that is a value":                    {yaml: "kafka: here", want: "kafka (FILE:1): it is a section, not a setting; write its settings below it, each on a line of its own"},
		"a setting that is a section":                  {yaml: "data_dir: {x: 1}", want: "data_dir (FILE:1): it is a section; write one value"},
		"a setting that is a list":                     {yaml: "data_dir: [x]", want: "data_dir (FILE:1): it is a list; write one value"},
		"a setting without a value":                    {yaml: "kafka:\n  brokers:", want: "kafka.brokers (FILE:2): it has no value; give it one or remove the line"},
		"an entry that is no text":                     {yaml: "kafka: {brokers: [{a: 1}]}", want: "kafka.brokers (FILE:1): it has an entry that is not a plain text; write one text per entry"},
		"an empty entry":                               {environ: []string{"MILLRACE_KAFKA_BROKERS=a:1,,b:1"}, want: `kafka.brokers is "a:1,,b:1" (MILLRACE_KAFKA_BROKERS): it has an empty entry; remove the comma or the line too many`},
		"config in the file":                           {yaml: "config: x.yaml", want: "config (FILE:1): it says which file this is, so it cannot stand in the file; set MILLRACE_CONFIG or --config"},
		"a duration without a unit":                    {yaml: "kafka: {wait: 5}", want: `kafka.wait is "5" (FILE:1): it has no unit; write 5ms or 5s`},
		"a duration that is none":                      {yaml: "kafka: {wait: soon}", want: `kafka.wait is "soon" (FILE:1): it is not a duration; write one with its unit, for example 500ms, 10s, 2m, 24h or 7d`},
		"a size that is none":                          {yaml: "limits: {value_bytes: 4 apples}", want: `limits.value_bytes is "4 apples" (FILE:1): it is not a size; write bytes or a unit, for example 4MiB`},
		"a size beyond Kafka's":                        {yaml: "limits: {value_bytes: 2GiB}", want: `limits.value_bytes is "2GiB" (FILE:1): it is more than 2 GiB; write less`},
		"a whole number that is none":                  {yaml: "limits: {headers: 1.5}", want: `limits.headers is "1.5" (FILE:1): it is not a whole number; write one, for example 3`},
		"a number that is none":                        {yaml: "consumers: {defaults: {retry: {jitter: .nan}}}", want: `consumers.defaults.retry.jitter is ".nan" (FILE:1): it is not a number; write one, for example 0.2`},
		"a switch that is none":                        {environ: []string{"MILLRACE_DEV=yes"}, want: `dev is "yes" (MILLRACE_DEV): it is neither true nor false; write true or false`},
		"an unknown variable names the nearest":        {environ: []string{"MILLRACE_KAFKA_BROKER=a:1"}, want: "MILLRACE_KAFKA_BROKER: there is no setting with this variable; the nearest is MILLRACE_KAFKA_BROKERS"},
		"an unknown consumer's variable":               {environ: []string{"MILLRACE_CONSUMERS_ORDER_START=latest"}, want: "MILLRACE_CONSUMERS_ORDER_START: there is no setting with this variable; the nearest is MILLRACE_CONSUMERS_ORDERS_START"},
		"an unknown flag":                              {flags: map[string]string{"kafka.broker": "a:1"}, want: "--kafka.broker: there is no setting of this name; the nearest is kafka.brokers"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := sources(t, test.yaml, test.environ...)
			s.Flags = test.flags
			_, err := config.Load(s)
			wantSentence(t, err, strings.ReplaceAll(test.want, "(FILE:", "("+s.File+":"))
		})
	}
}

func wantSentence(t *testing.T, err error, want string) {
	t.Helper()
	if err == nil {
		t.Fatalf("error: got nil, want %q", want)
	}
	if got := err.Error(); got != want {
		t.Errorf("error:\n got %s\nwant %s", got, want)
	}
}

func TestFilesThatCannotBeRead(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct{ yaml, want string }{
		"a key twice":                {yaml: "kafka:\n  wait: 1s\n  wait: 2s\n", want: "line 3: kafka.wait is there twice, first in line 2"},
		"two documents":              {yaml: "dev: true\n---\ndev: false\n", want: "it has more than one YAML document; move what is behind the line --- into profile files"},
		"a list":                     {yaml: "- a\n", want: "it is not a YAML mapping of settings"},
		"a text":                     {yaml: "password", want: "it is not a YAML mapping of settings"},
		"a key that is no text":      {yaml: "[a, b]: 1", want: "line 1: a key is not a plain text"},
		"an alias within its anchor": {yaml: "kafka: &a\n  producer: *a\n", want: "line 2: it is nested too deep or too large; is there an alias within its own anchor?"},
		"a bomb of aliases":          {yaml: bomb(), want: "line 1: it is nested too deep or too large; is there an alias within its own anchor?"},
		"a merge of a text":          {yaml: "kafka:\n  <<: x\n", want: "line 2: << takes a mapping"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := sources(t, test.yaml)
			_, err := config.Load(s)
			wantSentence(t, err, `configuration file "`+s.File+`": `+test.want)
		})
	}
}

func bomb() string {
	text := "{a0: &a0 [x,x,x,x,x,x,x,x,x,x]"
	for level := range 8 {
		was, is := string(rune('0'+level)), string(rune('1'+level))
		text += ", a" + is + ": &a" + is + " [" + strings.TrimSuffix(strings.Repeat("*a"+was+" ,", 10), ",") + "]"
	}
	return text + "}"
}

func TestBrokenYAMLNamesTheLine(t *testing.T) {
	t.Parallel()
	_, err := config.Load(sources(t, "kafka:\n  wait: \"1s\n"))
	if err == nil || !strings.Contains(err.Error(), "it is not YAML: ") || !strings.Contains(err.Error(), "line ") {
		t.Errorf("error: got %v, want one that names the line", err)
	}
}

func TestFilesThatAreNotThere(t *testing.T) {
	t.Parallel()
	directory := t.TempDir()
	good, lost := write(t, directory, "config.yaml", ""), filepath.Join(directory, "lost.yaml")
	toml := write(t, directory, "config.toml", "")
	for name, test := range map[string]struct{ file, profile, want string }{
		"no file":                 {file: lost, want: `configuration file "` + lost + `": no such file or directory`},
		"no profile's file":       {file: good, profile: "prod", want: `profile "prod": there is no file "` + filepath.Join(directory, "config.prod.yaml") + `"; make one, empty if it changes nothing, or correct the profile's name`},
		"a profile elsewhere":     {file: good, profile: "../x", want: `profile "../x": a profile's name has letters, digits, - and _ only`},
		"a profile of no file":    {profile: "prod", want: `profile "prod": there is no configuration file beside which its file could be; name one with --config`},
		"a format without reader": {file: toml, want: `configuration file "` + toml + `": a file that ends in ".toml" is not known; write YAML into one that ends in .yaml, or Spring's properties into one that ends in .properties`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := config.Load(config.Sources{File: test.file, Profile: test.profile})
			wantSentence(t, err, test.want)
		})
	}
}

func TestProfileFileCannotChooseTheProfile(t *testing.T) {
	t.Parallel()
	s := sources(t, "profile: prod")
	path := write(t, filepath.Dir(s.File), "config.prod.yaml", "profile: test")
	_, err := config.Load(s)
	wantSentence(t, err, "profile ("+path+":1): a profile's file cannot choose the profile; remove the line")
}

func TestYAMLAsItIsWritten(t *testing.T) {
	t.Parallel()
	loaded := load(t, sources(t, `
consumers:
  defaults: &d {start: 2026-01-31T08:00:00Z, retry: &r {tries: 3}}
  orders: {<<: *d, timeout: 1s}
  archive: {retry: {<<: [*r], jitter: 0}}
kafka: {client_id: 0123, brokers: [a:1, b:2]}
log:
`))
	orders, archive := loaded.Settings.Consumers.ByName["orders"], loaded.Settings.Consumers.ByName["archive"]
	if orders.Start != "2026-01-31T08:00:00Z" || orders.Retry.Tries != 3 {
		t.Errorf("orders: got %+v, want what << brings", orders)
	}
	if archive.Retry.Tries != 3 || archive.Retry.Jitter != 0 {
		t.Errorf("archive: got %+v, want what << brings and its own jitter", archive.Retry)
	}
	if got := loaded.Settings.Kafka.ClientID; got != "0123" {
		t.Errorf("client_id: got %q, want %q", got, "0123")
	}
}

func TestNamesThatCannotBeToldApart(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		names []string
		want  string
	}{
		"hyphen and underscore": {names: []string{"a-b", "a_b"}, want: "consumers.a_b: its variables MILLRACE_CONSUMERS_A_B_… are those of a-b too; give it another name in the code"},
		"the same name":         {names: []string{"a", "a"}, want: "consumers.a: there are two of this name; give it another name in the code"},
		"defaults":              {names: []string{"defaults"}, want: "consumers.defaults: defaults is what counts for all of them; give it another name in the code"},
		"a blank":               {names: []string{"a b"}, want: "consumers.a b: a name has letters, digits, . _ and - only; give it another name in the code"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := config.Load(config.Sources{ConsumerNames: test.names})
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("error: got %v, want %s", err, test.want)
			}
		})
	}
}

func TestVariablesOfKubernetesAreLeftOutWithAWarning(t *testing.T) {
	t.Parallel()
	loaded := load(t, sources(t, "", "MILLRACE_SERVICE_HOST=10.0.0.1", "MILLRACE_SERVICE_PORT_HTTP=7070", "MILLRACE_PORT=tcp://10.0.0.1:7070",
		"MILLRACE_METRICS_PORT_7070_TCP_ADDR=10.0.0.1", "MILLRACE_METRICS_PORT_7070_TCP=tcp://10.0.0.1:7070"))
	if got := len(loaded.Warnings); got != 5 {
		t.Errorf("warnings: got %d, want 5: %q", got, loaded.Warnings)
	}
	if _, err := config.Load(sources(t, "", "MILLRACE_PORT=7070")); err == nil {
		t.Error("a PORT that is no address: got no error, want one")
	}
}
