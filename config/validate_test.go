package config_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/prantikov/millrace/config"
)

// valid returns settings without a mistake, with two consumers and two topics.
func valid() config.Settings {
	settings := config.Default()
	settings.Kafka.Brokers = []string{"localhost:9092"}
	settings.Topics = map[string]config.Topic{"order-events": settings.Topic("order-events"), "lab-events": settings.Topic("lab-events")}
	settings.Consumers.ByName = map[string]config.Consumer{"orders": settings.Consumer("orders"), "archive": settings.Consumer("archive")}
	return settings
}

func topic(change func(*config.Topic)) func(*config.Settings) {
	return func(s *config.Settings) {
		topic := s.Topics["order-events"]
		change(&topic)
		s.Topics["order-events"] = topic
	}
}

func consumer(change func(*config.Consumer)) func(*config.Settings) {
	return func(s *config.Settings) {
		consumer := s.Consumers.ByName["orders"]
		change(&consumer)
		s.Consumers.ByName["orders"] = consumer
	}
}

type mistakeCase struct {
	change func(*config.Settings)
	path   string // of the one mistake
	value  string // as printed
	reason string // part of it
}

func TestMistakesOfKafka(t *testing.T) {
	t.Parallel()
	runMistakes(t, map[string]mistakeCase{
		"a broker without a port":         {func(s *config.Settings) { s.Kafka.Brokers = []string{"a:1", "b"} }, "kafka.brokers", `"b"`, "host:port"},
		"a broker without a host":         {func(s *config.Settings) { s.Kafka.Brokers = []string{":9092"} }, "kafka.brokers", `":9092"`, "host:port"},
		"an unknown engine":               {func(s *config.Settings) { s.Kafka.Engine = "franz" }, "kafka.engine", `"franz"`, "not one of"},
		"no client id":                    {func(s *config.Settings) { s.Kafka.ClientID = "" }, "kafka.client_id", `""`, "know a client by it"},
		"an instance id with a blank":     {func(s *config.Settings) { s.Kafka.InstanceID = "pod 0" }, "kafka.instance_id", `"pod 0"`, "letters, digits"},
		"an instance id that is too long": {func(s *config.Settings) { s.Kafka.InstanceID = strings.Repeat("a", 151) }, "kafka.instance_id", `"` + strings.Repeat("a", 151) + `"`, "151 characters"},
		"an instance id of watermill-kafka": {func(s *config.Settings) {
			s.Kafka.InstanceID, s.Kafka.Engine = "hostname", "watermill"
		}, "kafka.instance_id", `"hostname"`, "once for each topic"},
		"a version that is none":              {func(s *config.Settings) { s.Kafka.Version = "newest" }, "kafka.version", `"newest"`, "not a version"},
		"a version that is too old":           {func(s *config.Settings) { s.Kafka.Version = "2.0.1" }, "kafka.version", `"2.0.1"`, "before 2.1.0"},
		"a negative wait":                     {func(s *config.Settings) { s.Kafka.Wait = -time.Second }, "kafka.wait", "-1s", "negative"},
		"no session timeout":                  {func(s *config.Settings) { s.Kafka.SessionTimeout = 0 }, "kafka.session_timeout", "0s", "longer than 0"},
		"no heartbeat":                        {func(s *config.Settings) { s.Kafka.HeartbeatInterval = 0 }, "kafka.heartbeat_interval", "0s", "longer than 0"},
		"no read timeout":                     {func(s *config.Settings) { s.Kafka.ReadTimeout = 0 }, "kafka.read_timeout", "0s", "longer than 0"},
		"no rebalance timeout":                {func(s *config.Settings) { s.Kafka.RebalanceTimeout = 0 }, "kafka.rebalance_timeout", "0s", "longer than 0"},
		"no drain timeout":                    {func(s *config.Settings) { s.Kafka.DrainTimeout = 0 }, "kafka.drain_timeout", "0s", "longer than 0"},
		"no close timeout":                    {func(s *config.Settings) { s.Kafka.CloseTimeout = 0 }, "kafka.close_timeout", "0s", "longer than 0"},
		"no commit interval":                  {func(s *config.Settings) { s.Kafka.CommitInterval = 0 }, "kafka.commit_interval", "0s", "longer than 0"},
		"a heartbeat of a third of a session": {func(s *config.Settings) { s.Kafka.SessionTimeout = 6 * time.Second }, "kafka.heartbeat_interval", "2s", "a third of kafka.session_timeout (6s)"},
		"a read timeout beyond the session":   {func(s *config.Settings) { s.Kafka.ReadTimeout = 8 * time.Second }, "kafka.read_timeout", "8s", "does not fit into kafka.session_timeout (10s)"},
		"a drain as long as the close":        {func(s *config.Settings) { s.Kafka.DrainTimeout = 30 * time.Second }, "kafka.drain_timeout", "30s", "shorter than kafka.close_timeout (30s)"},
		"a close as long as the rebalance":    {func(s *config.Settings) { s.Kafka.CloseTimeout = time.Minute }, "kafka.close_timeout", "1m", "shorter than kafka.rebalance_timeout (1m)"},
		"uncommitted records":                 {func(s *config.Settings) { s.Kafka.IsolationLevel = "read_uncommitted" }, "kafka.isolation_level", `"read_uncommitted"`, "aborted transactions"},
		"fetches of nothing":                  {func(s *config.Settings) { s.Kafka.FetchBytes = 0 }, "kafka.fetch_bytes", "0", "at least 1"},
		"batches of nothing":                  {func(s *config.Settings) { s.Kafka.BatchRecords = 0 }, "kafka.batch_records", "0", "at least 1"},
		"no bound of decompression":           {func(s *config.Settings) { s.Kafka.MaxDecompressedBytes = 0 }, "kafka.max_decompressed_bytes", "0", "at least 1"},
		"a bound below what is sent":          {func(s *config.Settings) { s.Kafka.MaxDecompressedBytes = 1 << 10 }, "kafka.max_decompressed_bytes", "1KiB", "never read"},
		"acks of the leader":                  {func(s *config.Settings) { s.Kafka.Producer.Acks = "1" }, "kafka.producer.acks", `"1"`, "lost"},
		"no idempotence":                      {func(s *config.Settings) { s.Kafka.Producer.Idempotent = false }, "kafka.producer.idempotent", "false", "twice"},
		"an unknown compression":              {func(s *config.Settings) { s.Kafka.Producer.Compression = "zip" }, "kafka.producer.compression", `"zip"`, "not one of"},
		"no retries":                          {func(s *config.Settings) { s.Kafka.Producer.Retries = 0 }, "kafka.producer.retries", "0", "send again"},
		"no pause before a retry":             {func(s *config.Settings) { s.Kafka.Producer.RetryBackoff = 0 }, "kafka.producer.retry_backoff", "0s", "longer than 0"},
		"a negative linger":                   {func(s *config.Settings) { s.Kafka.Producer.Linger = -time.Second }, "kafka.producer.linger", "-1s", "negative"},
		"a linger beyond the delivery":        {func(s *config.Settings) { s.Kafka.Producer.Linger = time.Hour }, "kafka.producer.linger", "1h", "kafka.producer.delivery_timeout (2m)"},
		"a negative batch":                    {func(s *config.Settings) { s.Kafka.Producer.BatchBytes = -1 }, "kafka.producer.batch_bytes", "-1", "at least 0"},
		"messages whose dead letter is too large": {func(s *config.Settings) {
			s.Kafka.Producer.MaxMessageBytes, s.Kafka.MaxDecompressedBytes = 1<<31-1, 1<<31-1
		}, "kafka.producer.max_message_bytes", "2147483647", "larger than Kafka can take"},
		"messages of nothing": {func(s *config.Settings) { s.Kafka.Producer.MaxMessageBytes = 0 }, "kafka.producer.max_message_bytes", "0", "at least 1"},
		"no delivery timeout": {func(s *config.Settings) { s.Kafka.Producer.DeliveryTimeout = 0 }, "kafka.producer.delivery_timeout", "0s", "longer than 0"},
	})
}

func TestMistakesOfTheProcess(t *testing.T) {
	t.Parallel()
	runMistakes(t, map[string]mistakeCase{
		"no data directory":            {func(s *config.Settings) { s.DataDir = "" }, "data_dir", `""`, "needs a directory"},
		"dev and brokers":              {func(s *config.Settings) { s.Dev = true }, "dev", "true", "kafka.brokers is set too"},
		"an address without a port":    {func(s *config.Settings) { s.HTTP.Address = "127.0.0.1" }, "http.address", `"127.0.0.1"`, "host:port"},
		"an address with a wrong port": {func(s *config.Settings) { s.HTTP.Address = "127.0.0.1:70000" }, "http.address", `"127.0.0.1:70000"`, "host:port"},
		"all addresses":                {func(s *config.Settings) { s.HTTP.Address = ":7070" }, "http.address", `":7070"`, "no login"},
		"an address of the network":    {func(s *config.Settings) { s.HTTP.Address = "10.0.0.1:7070" }, "http.address", `"10.0.0.1:7070"`, "no login"},
		"all addresses of IPv6":        {func(s *config.Settings) { s.HTTP.Address = "[::]:7070" }, "http.address", `"[::]:7070"`, "no login"},
		"metrics without a port":       {func(s *config.Settings) { s.Metrics.Address = "0.0.0.0" }, "metrics.address", `"0.0.0.0"`, "host:port"},
		"metrics on a wrong port":      {func(s *config.Settings) { s.Metrics.Address = ":seven" }, "metrics.address", `":seven"`, "host:port"},
		"metrics on the port of http":  {func(s *config.Settings) { s.Metrics.Address = ":7070" }, "metrics.address", `":7070"`, "http.address has this port"},
		"an unknown log level":         {func(s *config.Settings) { s.Log.Level = "loud" }, "log.level", `"loud"`, "not one of"},
		"an unknown log format":        {func(s *config.Settings) { s.Log.Format = "xml" }, "log.format", `"xml"`, "not one of"},
		"values of nothing":            {func(s *config.Settings) { s.Limits.ValueBytes = 0 }, "limits.value_bytes", "0", "at least 1"},
		"no headers":                   {func(s *config.Settings) { s.Limits.Headers = 0 }, "limits.headers", "0", "at least 1"},
		"an unknown time zone":         {func(s *config.Settings) { s.Analytics.TimeZone = "Mars/Base" }, "analytics.time_zone", `"Mars/Base"`, "not the name"},
		"the zone of the machine":      {func(s *config.Settings) { s.Analytics.TimeZone = "Local" }, "analytics.time_zone", `"Local"`, "not the name"},
	})
}

func TestMistakesOfTopics(t *testing.T) {
	t.Parallel()
	const at = "topics.order-events."
	long := strings.Repeat("x", 246)
	runMistakes(t, map[string]mistakeCase{
		"no partitions":                        {topic(func(x *config.Topic) { x.Partitions = 0 }), at + "partitions", "0", "at least 1"},
		"too many partitions":                  {topic(func(x *config.Topic) { x.Partitions = 1 << 40 }), at + "partitions", "1099511627776", "more than Kafka"},
		"no replicas":                          {topic(func(x *config.Topic) { x.Replicas = 0 }), at + "replicas", "0", "at least 1"},
		"too many replicas":                    {topic(func(x *config.Topic) { x.Replicas = 1 << 20 }), at + "replicas", "1048576", "more than Kafka"},
		"no retention":                         {topic(func(x *config.Topic) { x.Retention = 0 }), at + "retention", "0s", "nothing would be kept"},
		"a negative largest message":           {topic(func(x *config.Topic) { x.MaxMessageBytes = -1 }), at + "max_message_bytes", "-1", "at least 0"},
		"messages beyond the bound":            {topic(func(x *config.Topic) { x.MaxMessageBytes = 512 << 20 }), at + "max_message_bytes", "512MiB", "could never be read"},
		"an unknown key rule":                  {topic(func(x *config.Topic) { x.KeyRule = "uuid" }), at + "key", `"uuid"`, "not one of"},
		"an unknown action policy":             {topic(func(x *config.Topic) { x.UnknownAction = "drop" }), at + "unknown_action", `"drop"`, "not one of"},
		"an unknown status policy":             {topic(func(x *config.Topic) { x.UnknownStatus = "drop" }), at + "unknown_status", `"drop"`, "not one of"},
		"an unknown tombstone policy":          {topic(func(x *config.Topic) { x.Tombstone = "delete" }), at + "tombstone", `"delete"`, "not one of"},
		"an unknown transition policy":         {topic(func(x *config.Topic) { x.Transitions = "skip" }), at + "transitions", `"skip"`, "not one of"},
		"no name":                              {topic(func(x *config.Topic) { x.Name = "" }), at + "name", `""`, "no name"},
		"a name of two dots":                   {topic(func(x *config.Topic) { x.Name = ".." }), at + "name", `".."`, "no name"},
		"a name with a slash":                  {topic(func(x *config.Topic) { x.Name = "a/b" }), at + "name", `"a/b"`, "letters, digits"},
		"a name that is too long":              {topic(func(x *config.Topic) { x.Name = long + "1234" }), at + "name", `"` + long[:200] + `…"`, "250 characters"},
		"a name too long for its dead letters": {topic(func(x *config.Topic) { x.Name = long }), at + "name", `"` + long[:200] + `…"`, "with dead_letters.suffix"},
		"two topics of one name":               {topic(func(x *config.Topic) { x.Name = "lab-events" }), at + "name", `"lab-events"`, "that of topics.lab-events.name too"},
		"a name that takes dead letters":       {topic(func(x *config.Topic) { x.Name = "lab-events-dlt" }), at + "name", `"lab-events-dlt"`, "dead letters of topics.lab-events"},
		"no suffix":                            {func(s *config.Settings) { s.DeadLetters.Suffix = "" }, "dead_letters.suffix", `""`, "go back"},
		"a suffix that is no name":             {func(s *config.Settings) { s.DeadLetters.Suffix = " dlt" }, "dead_letters.suffix", `" dlt"`, "letters, digits"},
		"no suffix of redrive topics":          {func(s *config.Settings) { s.DeadLetters.RedriveSuffix = "" }, "dead_letters.redrive_suffix", `""`, "name of a group"},
		"a redrive suffix that is no name":     {func(s *config.Settings) { s.DeadLetters.RedriveSuffix = "/r" }, "dead_letters.redrive_suffix", `"/r"`, "letters, digits"},
		"no retention of dead letters":         {func(s *config.Settings) { s.DeadLetters.Retention = -2 }, "dead_letters.retention", "-2ns", "nothing would be kept"},
	})
}

func TestMistakesOfConsumers(t *testing.T) {
	t.Parallel()
	const at = "consumers.orders."
	runMistakes(t, map[string]mistakeCase{
		"an unknown topic":             {consumer(func(x *config.Consumer) { x.Topics = []string{"order-event"} }), at + "topics", `"order-event"`, "no topic"},
		"no place to start":            {consumer(func(x *config.Consumer) { x.Start = "yesterday" }), at + "start", `"yesterday"`, "no place"},
		"a policy that no one has":     {consumer(func(x *config.Consumer) { x.Tombstone = "drop" }), at + "tombstone", `"drop"`, "not one of"},
		"a transition that no one has": {consumer(func(x *config.Consumer) { x.Transitions = "skip" }), at + "transitions", `"skip"`, "not one of"},
		"no timeout":                   {consumer(func(x *config.Consumer) { x.Timeout = 0 }), at + "timeout", "0s", "longer than 0"},
		"a try beyond the drain":       {consumer(func(x *config.Consumer) { x.Timeout = 21 * time.Second }), at + "timeout", "21s", "longer than kafka.drain_timeout (20s)"},
		"no tries":                     {consumer(func(x *config.Consumer) { x.Retry.Tries = 0 }), at + "retry.tries", "0", "at least 1"},
		"no first pause":               {consumer(func(x *config.Consumer) { x.Retry.InitialInterval = 0 }), at + "retry.initial_interval", "0s", "longer than 0"},
		"no longest pause":             {consumer(func(x *config.Consumer) { x.Retry.MaxInterval = 0 }), at + "retry.max_interval", "0s", "longer than 0"},
		"a first pause too long":       {consumer(func(x *config.Consumer) { x.Retry.InitialInterval = time.Minute }), at + "retry.initial_interval", "1m", "longer than the longest"},
		"no time in all":               {consumer(func(x *config.Consumer) { x.Retry.MaxElapsed = -1 }), at + "retry.max_elapsed", "-1", "longer than 0"},
		"a jitter above 1":             {consumer(func(x *config.Consumer) { x.Retry.Jitter = 1.5 }), at + "retry.jitter", "1.5", "random"},
		"a negative jitter":            {consumer(func(x *config.Consumer) { x.Retry.Jitter = -0.1 }), at + "retry.jitter", "-0.1", "random"},
		"no group":                     {consumer(func(x *config.Consumer) { x.Group = "" }), at + "group", `""`, "no name of a consumer group"},
		"a group with a blank":         {consumer(func(x *config.Consumer) { x.Group = "orders " }), at + "group", `"orders "`, "no name of a consumer group"},
		"two consumers of one group":   {consumer(func(x *config.Consumer) { x.Group = "archive" }), at + "group", `"archive"`, "that of consumers.archive too"},
		"a mistake of all is said once": {func(s *config.Settings) {
			s.Consumers.Defaults.Start = "soon"
			for name, consumer := range s.Consumers.ByName {
				consumer.Start = "soon"
				s.Consumers.ByName[name] = consumer
			}
		}, "consumers.defaults.start", `"soon"`, "no place"},
	})
}

func runMistakes(t *testing.T, cases map[string]mistakeCase) {
	t.Helper()
	for name, test := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			settings := valid()
			test.change(&settings)
			err := config.Validate(settings)
			if got := mistakes(err); len(got) != 1 || got[0] != test.path {
				t.Fatalf("mistakes: got %q, want %q alone (%v)", got, test.path, err)
			}
			var mistake *config.Mistake
			if !errors.As(err, &mistake) || mistake.Value != test.value || !strings.Contains(mistake.Reason, test.reason) || mistake.Advice == "" {
				t.Errorf("mistake: got %q, want value %s, a reason with %q, and advice", err, test.value, test.reason)
			}
		})
	}
}

func TestGoodSettings(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*config.Settings){
		"two brokers and the defaults":     func(*config.Settings) {},
		"IPv6":                             func(s *config.Settings) { s.Kafka.Brokers, s.HTTP.Address = []string{"[2001:db8::1]:9092"}, "[::1]:0" },
		"localhost":                        func(s *config.Settings) { s.HTTP.Address = "localhost:7070" },
		"metrics for everybody":            func(s *config.Settings) { s.Metrics.Address = ":7071" },
		"metrics on one address":           func(s *config.Settings) { s.Metrics.Address = "10.0.0.1:7071" },
		"metrics on an address of IPv6":    func(s *config.Settings) { s.Metrics.Address = "[::]:7071" },
		"metrics by a name":                func(s *config.Settings) { s.Metrics.Address = "millrace-0.millrace:7071" },
		"metrics where http is":            func(s *config.Settings) { s.Metrics.Address = s.HTTP.Address },
		"two ports that are free":          func(s *config.Settings) { s.HTTP.Address, s.Metrics.Address = "127.0.0.1:0", ":0" },
		"a start in time":                  consumer(func(x *config.Consumer) { x.Start = "2026-01-31T08:00:00+01:00" }),
		"latest":                           consumer(func(x *config.Consumer) { x.Start = "latest" }),
		"a try as long as the drain":       consumer(func(x *config.Consumer) { x.Timeout = 20 * time.Second }),
		"a group shared with one disabled": consumer(func(x *config.Consumer) { x.Group, x.Enabled = "archive", false }),
		"kept for ever":                    topic(func(x *config.Topic) { x.Retention = -1 }),
		"a zone":                           func(s *config.Settings) { s.Analytics.TimeZone = "Europe/Berlin" },
		"the newest Kafka":                 func(s *config.Settings) { s.Kafka.Version = "4.3.1" },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			settings := valid()
			change(&settings)
			if err := config.Validate(settings); err != nil {
				t.Errorf("Validate: got %v, want nil", err)
			}
		})
	}
}
