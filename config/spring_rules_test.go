package config_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/prantikov/millrace/config"
)

// spring writes a Spring file and returns sources that name it.
func spring(t *testing.T, text string, environ ...string) config.Sources {
	t.Helper()
	return springSources(write(t, t.TempDir(), "application.properties", text), "", environ...)
}

// Ensure each family of properties sets what it is documented to set, by each of its names.
func TestSpringPropertiesSetOurs(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct{ text, path, want string }{
		"brokers":                                 {"spring.kafka.bootstrap-servers=a:1,b:1", "kafka.brokers", "a:1,b:1"},
		"brokers by a relaxed name":               {"spring.kafka.bootstrap_servers=a:1", "kafka.brokers", "a:1"},
		"brokers in capitals":                     {"SPRING.KAFKA.BOOTSTRAP-SERVERS=a:1", "kafka.brokers", "a:1"},
		"brokers one by one":                      {"spring.kafka.bootstrapServers[0]=a:1\nspring.kafka.bootstrapServers[1]=b:1", "kafka.brokers", "a:1,b:1"},
		"brokers by Kafka's name":                 {"spring.kafka.properties.bootstrap.servers=a:1", "kafka.brokers", "a:1"},
		"brokers of the consumer":                 {"spring.kafka.bootstrap-servers=a:1\nspring.kafka.consumer.bootstrap-servers=b:1", "kafka.brokers", "b:1"},
		"Kafka's name counts more":                {"spring.kafka.client-id=a\nspring.kafka.properties.client.id=b", "kafka.client_id", "b"},
		"the consumer's own counts more":          {"spring.kafka.consumer.max-poll-records=1\nspring.kafka.properties.max.poll.records=2", "kafka.batch_records", "1"},
		"below properties most of all":            {"spring.kafka.consumer.max-poll-records=1\nspring.kafka.consumer.properties.max.poll.records=3", "kafka.batch_records", "3"},
		"acks all":                                {"spring.kafka.producer.acks=-1", "kafka.producer.acks", "all"},
		"retries":                                 {"spring.kafka.producer.retries=10", "kafka.producer.retries", "10"},
		"compression":                             {"spring.kafka.producer.compression-type=ZSTD", "kafka.producer.compression", "zstd"},
		"a batch with its unit":                   {"spring.kafka.producer.batch-size=32KB", "kafka.producer.batch_bytes", "32KiB"},
		"linger":                                  {"spring.kafka.producer.properties.linger.ms=20", "kafka.producer.linger", "20ms"},
		"the largest request":                     {"spring.kafka.producer.properties.max.request.size=2097152", "kafka.producer.max_message_bytes", "2MiB"},
		"a pause":                                 {"spring.kafka.producer.properties.retry.backoff.ms=250", "kafka.producer.retry_backoff", "250ms"},
		"a delivery":                              {"spring.kafka.producer.properties.delivery.timeout.ms=30000", "kafka.producer.delivery_timeout", "30s"},
		"a group for each consumer":               {"spring.kafka.consumer.group-id=X", "consumers.health-records.group", "X-health-records"},
		"a group by Kafka's name":                 {"spring.kafka.consumer.properties.group.id=X", "consumers.orders.group", "X-orders"},
		"a whole group of our own name":           {"spring.kafka.consumer.group-id=X\nmillrace.consumers.orders.group=X", "consumers.orders.group", "X"},
		"a start":                                 {"spring.kafka.consumer.auto-offset-reset=latest", "consumers.orders.start", "latest"},
		"topics of others":                        {"spring.kafka.admin.auto-create=false", "topics.order-events.manage", "off"},
		"a start that is none":                    {"spring.kafka.consumer.auto-offset-reset=none", "consumers.orders.start", "earliest"},
		"isolation in capitals":                   {"spring.kafka.consumer.isolation-level=READ_COMMITTED", "kafka.isolation_level", "read_committed"},
		"a commit":                                {"spring.kafka.consumer.auto-commit-interval=2s", "kafka.commit_interval", "2s"},
		"a heartbeat":                             {"spring.kafka.consumer.heartbeat-interval=1000", "kafka.heartbeat_interval", "1s"},
		"a poll":                                  {"spring.kafka.consumer.properties.max.poll.interval.ms=300000", "kafka.rebalance_timeout", "5m"},
		"an assignor":                             {"spring.kafka.consumer.properties.partition.assignment.strategy=org.apache.kafka.clients.consumer.RangeAssignor,org.apache.kafka.clients.consumer.CooperativeStickyAssignor", "kafka.rebalance", "migrate"},
		"an instance":                             {"spring.kafka.consumer.properties.group.instance.id=${HOSTNAME:pod-0}", "kafka.instance_id", "pod-0"},
		"a fetch":                                 {"spring.kafka.consumer.properties.max.partition.fetch.bytes=2097152", "kafka.fetch_bytes", "2MiB"},
		"a listener's threads":                    {"spring.kafka.listener.concurrency=7", "consumers.orders.concurrency", "7"},
		"listeners that do not start":             {"spring.kafka.listener.auto-startup=off", "consumers.orders.enabled", "false"},
		"tries":                                   {"spring.kafka.retry.topic.attempts=2", "consumers.orders.retry.tries", "2"},
		"a pause between tries":                   {"spring.kafka.retry.topic.delay=1s", "consumers.orders.retry.initial_interval", "1s"},
		"a stop":                                  {"spring.lifecycle.timeout-per-shutdown-phase=40s", "kafka.close_timeout", "40s"},
		"the log":                                 {"logging.level.root=WARN", "log.level", "warn"},
		"a topic by its bare value":               {"kafka.topic.order=prod-orders", "topics.order-events.name", "prod-orders"},
		"a topic by name":                         {"kafka.topic.healthRecord.name=hr", "topics.health-record-events.name", "hr"},
		"a topic by more than one":                {"kafka.topic.appointments=a", "topics.appointment-events.name", "a"},
		"a topic by its whole name":               {"kafka.topic.order-events.partitions=9", "topics.order-events.partitions", "9"},
		"a topic by a name of the application":    {"kafka.topic.sales=order-events\nkafka.topic.sales.partitions=9", "topics.order-events.partitions", "9"},
		"a topic by a placeholder":                {"shop.topic=x\nmillrace.topics.order-events.name=${shop.topic}", "topics.order-events.name", "x"},
		"replicas":                                {"kafka.topic.order.replication-factor=2", "topics.order-events.replicas", "2"},
		"retention":                               {"kafka.topic.order.retention-ms=86400000", "topics.order-events.retention", "24h"},
		"retention for ever":                      {"kafka.topic.order.retention-ms=-1", "topics.order-events.retention", "-1"},
		"a setting of ours, relaxed":              {"millrace.kafka.batchRecords=9", "kafka.batch_records", "9"},
		"ours counts more, wherever it stands":    {"millrace.kafka.client-id=me\n#---\nspring.kafka.client-id=x", "kafka.client_id", "me"},
		"security":                                {"spring.kafka.properties.security.protocol=ssl", "kafka.security.protocol", "SSL"},
		"a trust store":                           {"spring.kafka.security.protocol=SSL\nspring.kafka.ssl.trust-store-location=file:/a.p12\nspring.kafka.ssl.trust-store-type=pkcs12", "kafka.tls.truststore_type", "PKCS12"},
		"a trust store by Kafka's name":           {"spring.kafka.security.protocol=SSL\nspring.kafka.properties.ssl.truststore.location=/a.p12", "kafka.tls.truststore_file", "/a.p12"},
		"a login":                                 {login("PlainLoginModule", "PLAIN", `username="me" password="p"`), "kafka.sasl.username", "me"},
		"certificates in the file itself":         {"spring.kafka.security.protocol=SSL\nspring.kafka.ssl.trust-store-certificates=-----BEGIN CERTIFICATE----- YQ== -----END CERTIFICATE-----", "kafka.tls.ca_pem", "-----BEGIN CERTIFICATE-----\nYQ==\n-----END CERTIFICATE-----\n"},
		"a key in the file itself":                {"spring.kafka.security.protocol=SSL\nspring.kafka.ssl.key-store-certificate-chain=-----BEGIN CERTIFICATE----- YQ== -----END CERTIFICATE-----\nspring.kafka.ssl.key-store-key=-----BEGIN PRIVATE KEY----- YQ== -----END PRIVATE KEY-----", "kafka.tls.key_pem", "***"},
		"a bundle with a store":                   {"spring.kafka.security.protocol=SSL\nspring.kafka.ssl.bundle=mine\nspring.ssl.bundle.jks.mine.truststore.location=file:/a.jks", "kafka.tls.truststore_file", "/a.jks"},
		"a bundle of PEM files":                   {"spring.kafka.security.protocol=SSL\nspring.kafka.ssl.bundle=mine\nspring.ssl.bundle.pem.mine.truststore.certificate=file:/ca.pem", "kafka.tls.ca_file", "/ca.pem"},
		"another's bundle is not Kafka's":         {"spring.kafka.security.protocol=SSL\nspring.ssl.bundle.pem.web.truststore.certificate=file:/ca.pem", "kafka.tls.ca_file", ""},
		"a token":                                 {login("OAuthBearerLoginModule", "OAUTHBEARER", `clientId="me" clientSecret="s" scope="all"`) + "\nspring.kafka.properties.sasl.oauthbearer.token.endpoint.url=https://a/t", "kafka.sasl.scope", "all"},
		"a token's file":                          {login("OAuthBearerLoginModule", "OAUTHBEARER", ``) + "\nspring.kafka.properties.sasl.oauthbearer.token.endpoint.url=file:/run/token", "kafka.sasl.token_file", "/run/token"},
		"what is not used by the protocol is not": {"spring.kafka.ssl.trust-store-location=file:/a.jks", "kafka.tls.truststore_file", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := find(config.Rows(load(t, spring(t, test.text))), test.path).Value; got != test.want {
				t.Errorf("%s: got %q, want %q", test.path, got, test.want)
			}
		})
	}
}

func login(module, mechanism, options string) string {
	return "spring.kafka.security.protocol=SASL_SSL\nspring.kafka.properties.sasl.mechanism=" + mechanism +
		"\nspring.kafka.properties.sasl.jaas.config=org.apache.kafka." + module + " required " + options + ";"
}

// Ensure nothing is dropped or changed without a sentence that names it and its place.
func TestSpringWarnings(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct{ text, want string }{ // want has FILE for the file; empty for no warning
		"safe values are silent":              {"spring.kafka.producer.acks=all\nspring.kafka.consumer.enable-auto-commit=false\nspring.kafka.listener.type=single", ""},
		"acks that lose":                      {"spring.kafka.producer.acks=1", `spring.kafka.producer.acks is "1" (FILE:1): a record that not all in-sync replicas have is lost with its broker; kafka.producer.acks is all instead`},
		"acks that lose, overridden":          {"spring.kafka.producer.acks=1\n#---\nspring.kafka.producer.acks=all", ""},
		"records of aborted transactions":     {"spring.kafka.consumer.isolation-level=read-uncommitted", `spring.kafka.consumer.isolation-level is "read_uncommitted" (FILE:1): records of aborted transactions would be handled as if they had happened; kafka.isolation_level is read_committed instead`},
		"commits of what was read":            {"spring.kafka.consumer.enable-auto-commit=true", "spring.kafka.consumer.enable-auto-commit (FILE:1): committing what was read and not yet handled would lose records, so Millrace takes false instead of true and commits what is finished"},
		"no idempotence":                      {"spring.kafka.producer.properties.enable.idempotence=false", `spring.kafka.producer.properties.enable.idempotence is "false" (FILE:1): an answer that is lost on its way would send the record twice and out of order; kafka.producer.idempotent is true instead`},
		"no retries":                          {"spring.kafka.producer.retries=0", `spring.kafka.producer.retries is "0" (FILE:1): an idempotent producer must be able to send again; kafka.producer.retries is 3 instead`},
		"a stop that is too short":            {"spring.lifecycle.timeout-per-shutdown-phase=5s", `spring.lifecycle.timeout-per-shutdown-phase is "5s" (FILE:1): kafka.drain_timeout does not fit: it is not shorter than kafka.close_timeout (5s), so the router would close on work that may still end; kafka.close_timeout is 30s instead`},
		"no start":                            {"spring.kafka.consumer.auto-offset-reset=none", `spring.kafka.consumer.auto-offset-reset is "none" (FILE:1): Millrace does not stop for a group without a position, and earliest leaves nothing out; consumers.defaults.start is earliest instead`},
		"host names that are not checked":     {"spring.kafka.properties.ssl.endpoint.identification.algorithm=", "spring.kafka.properties.ssl.endpoint.identification.algorithm (FILE:1): that a broker's certificate has its host name is always checked, as https does instead of an empty text"},
		"what Millrace does in its own way":   {"spring.kafka.consumer.properties.spring.json.trusted.packages=*\nspring.kafka.consumer.valueDeserializer=x.Y", "spring.kafka.consumer.properties.spring.json.trusted.packages (FILE:1), spring.kafka.consumer.valueDeserializer (FILE:2): Millrace reads and writes the JSON of Spring's serializers by topic and action; no type header chooses what is made of a record, so there is nothing to trust"},
		"an acknowledgement":                  {"spring.kafka.listener.ack-mode=manual", "spring.kafka.listener.ack-mode (FILE:1): Millrace commits what is finished, once in each kafka.commit_interval and at every stop, and no function acknowledges by itself"},
		"what has no counterpart":             {"spring.kafka.streams.state-dir=x\nspring.kafka.consumer.fetch-max-wait=1s\nkafka.topic.payment=p", "not taken, for Millrace has no counterpart: spring.kafka.streams.state-dir (FILE:1), spring.kafka.consumer.fetch-max-wait (FILE:2), kafka.topic.payment (FILE:3)"},
		"a typing error":                      {"spring.kafka.bootstrap-server=a:1", "not taken, for Millrace has no counterpart: spring.kafka.bootstrap-server (FILE:1)"},
		"what is not about Kafka":             {"server.port=1\nspring.datasource.url=x\nspring.datasource.password=${NOWHERE}", "not read, for it is not about Kafka: server.port (FILE:1), spring.datasource.url (FILE:2), .password (3)"},
		"what a placeholder took is not":      {"spring.application.name=x\nspring.kafka.client-id=${spring.application.name}", ""},
		"clients that differ":                 {"spring.kafka.producer.bootstrap-servers=a:1\nspring.kafka.consumer.bootstrap-servers=b:1", "spring.kafka.producer.bootstrap-servers (FILE:1) is not taken: Millrace has one kafka.brokers for all, and it is that of spring.kafka.consumer.bootstrap-servers (FILE:2)"},
		"clients that agree":                  {"spring.kafka.producer.bootstrap-servers=a:1\nspring.kafka.consumer.bootstrap-servers=a:1", ""},
		"a key that is there twice":           {"spring.kafka.client-id=a\nspring.kafka.clientId=b", "spring.kafka.clientId (FILE:2) is there twice; line 1 counts for nothing"},
		"an import":                           {"spring.config.import=optional:file:x.properties", "spring.config.import (FILE:1) is not followed: what it would bring is missing here; set that with variables"},
		"an option of a login":                {login("ScramLoginModule", "SCRAM-SHA-256", `username="me" password="p" tokenauth="true"`), "spring.kafka.properties.sasl.jaas.config (FILE:3) has 1 option(s) of its login module that Millrace does not take; it takes username, password, clientId, clientSecret, scope, oauth.client.id, oauth.client.secret, oauth.scope"},
		"TLS that the protocol does not have": {"spring.kafka.ssl.trust-store-location=file:/a\nspring.kafka.ssl.trust-store-password=x", "spring.kafka.ssl.trust-store-location (FILE:1), spring.kafka.ssl.trust-store-password (FILE:2): kafka.security.protocol is PLAINTEXT, so nothing is encrypted and it would not be used"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := spring(t, test.text)
			got := strings.ReplaceAll(strings.Join(load(t, s).Warnings, "\n"), s.File, "FILE")
			if got != test.want {
				t.Errorf("warnings:\n got %s\nwant %s", got, test.want)
			}
		})
	}
}

// Ensure what is no value is one sentence with the file, the line and Spring's name.
func TestSpringMistakes(t *testing.T) {
	t.Parallel()
	const properties = ", spring.kafka."
	for name, test := range map[string]struct{ text, want string }{
		"a placeholder without a value":         {"spring.kafka.bootstrap-servers=${NOWHERE}", `kafka.brokers is "${NOWHERE}" (FILE:1` + properties + `bootstrap-servers): ${NOWHERE} has no value; set NOWHERE as a variable or a property, or write ${NOWHERE:…} with a default behind the colon`},
		"a placeholder behind another":          {"spring.kafka.client-id=${a}\na=${NOWHERE}", `kafka.client_id is "${a}" (FILE:1` + properties + `client-id): ${NOWHERE} in a, FILE:2 has no value; set NOWHERE as a variable or a property, or write ${NOWHERE:…} with a default behind the colon`},
		"a placeholder that many settings have": {"spring.kafka.consumer.group-id=${NOWHERE}", `consumers.appointments.group is "${NOWHERE}" (FILE:1` + properties + `consumer.group-id): ${NOWHERE} has no value; set NOWHERE as a variable or a property, or write ${NOWHERE:…} with a default behind the colon`},
		"a placeholder of a login":              {login("ScramLoginModule", "SCRAM-SHA-256", `username="canary" password="${NOWHERE}"`), `kafka.sasl.username (FILE:3` + properties + `properties.sasl.jaas.config): ${NOWHERE} has no value; set NOWHERE as a variable or a property, or write ${NOWHERE:…} with a default behind the colon`},
		"a login that is none":                  {login("ScramLoginModule", "SCRAM-SHA-256", `username="me" password="canary`), `kafka.sasl.username (FILE:3` + properties + `properties.sasl.jaas.config): it is not a JAAS configuration: a quote does not end; is one within a value without its backslash?; write org.apache.kafka.common.security.scram.ScramLoginModule required username="…" password="…";`},
		"a duration that is none":               {"spring.kafka.consumer.heartbeat-interval=soon", `kafka.heartbeat_interval is "soon" (FILE:1` + properties + `consumer.heartbeat-interval): it is not a duration; write for example 500ms, 10s or PT10S; a number alone is in milliseconds`},
		"a number that is none":                 {"spring.kafka.consumer.properties.session.timeout.ms=45s", `kafka.session_timeout is "45s" (FILE:1` + properties + `consumer.properties.session.timeout.ms): it is not a number of milliseconds; write one, for example 500`},
		"a broker that is none":                 {"spring.kafka.bootstrap-servers=kafka", `kafka.brokers is "kafka" (FILE:1` + properties + `bootstrap-servers): it is not host:port; write for example localhost:9092, several with commas`},
		"a start that is none":                  {"spring.kafka.consumer.auto-offset-reset=soon", `consumers.defaults.start is "soon" (FILE:1` + properties + `consumer.auto-offset-reset): it is no place to start; write earliest, latest or none`},
		"a setting of ours that is none":        {"millrace.kafka.brokres=a:1", "millrace.kafka.brokres (FILE:1): there is no such setting; the nearest is millrace.kafka.brokers"},
		"a bundle that nothing defines":         {"spring.kafka.ssl.bundle=mine", `spring.kafka.ssl.bundle is "mine": nothing defines a bundle of this name; define spring.ssl.bundle.jks.mine or spring.ssl.bundle.pem.mine, or correct the name`},
		"what counts more makes it good":        {"spring.kafka.client-id=${NOWHERE}\n#---\nspring.kafka.client-id=x", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := spring(t, test.text)
			_, err := config.Load(s)
			if got := strings.ReplaceAll(errorText(err), s.File, "FILE"); got != test.want {
				t.Errorf("error:\n got %s\nwant %s", got, test.want)
			}
		})
	}
}

func TestSpringPrecedence(t *testing.T) {
	t.Parallel()
	const file = "spring.kafka.client-id=file\n#---\nspring.config.activate.on-profile=prod\nspring.kafka.client-id=document"
	for name, test := range map[string]struct {
		profile, profileFile string
		environ              []string
		flags                map[string]string
		want, origin         string
	}{
		"the file":                             {want: "file", origin: "application.properties:1, spring.kafka.client-id"},
		"a document of the profile":            {profile: "prod", want: "document", origin: "application.properties:4, spring.kafka.client-id"},
		"the profile's file":                   {profile: "prod", profileFile: "spring.kafka.clientId=profile", want: "profile", origin: "application-prod.properties:1, spring.kafka.clientId"},
		"a variable of Spring's":               {profile: "prod", environ: []string{"SPRING_KAFKA_CLIENT_ID=variable"}, want: "variable", origin: "SPRING_KAFKA_CLIENT_ID"},
		"an empty variable does not":           {environ: []string{"SPRING_KAFKA_CLIENT_ID="}, want: "file", origin: "application.properties:1, spring.kafka.client-id"},
		"JSON in a variable":                   {environ: []string{"SPRING_KAFKA_CLIENT_ID=variable", `SPRING_APPLICATION_JSON={"spring.kafka.client-id":"json"}`}, want: "json", origin: "SPRING_APPLICATION_JSON"},
		"a variable of ours":                   {environ: []string{"SPRING_KAFKA_CLIENT_ID=variable", "MILLRACE_KAFKA_CLIENT_ID=ours"}, want: "ours", origin: "MILLRACE_KAFKA_CLIENT_ID"},
		"a flag":                               {environ: []string{"MILLRACE_KAFKA_CLIENT_ID=ours"}, flags: map[string]string{"kafka.client_id": "flag"}, want: "flag", origin: "--kafka.client_id"},
		"a profile by Spring's variable":       {environ: []string{"SPRING_PROFILES_ACTIVE=prod"}, want: "document", origin: "application.properties:4, spring.kafka.client-id"},
		"a profile by ours counts before that": {environ: []string{"SPRING_PROFILES_ACTIVE=prod", "MILLRACE_PROFILE=test"}, want: "file", origin: "application.properties:1, spring.kafka.client-id"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := spring(t, file, test.environ...)
			s.Profile, s.Flags = test.profile, test.flags
			if test.profileFile != "" {
				write(t, filepath.Dir(s.File), "application-prod.properties", test.profileFile)
			}
			loaded := load(t, s)
			row := find(config.Rows(loaded), "kafka.client_id")
			origin := strings.TrimPrefix(row.Origin, filepath.Dir(s.File)+string(filepath.Separator))
			if row.Value != test.want || origin != test.origin {
				t.Errorf("got %q from %s, want %q from %s", row.Value, origin, test.want, test.origin)
			}
		})
	}
}

func TestSpringFilesAreFound(t *testing.T) {
	directory := t.TempDir()
	t.Chdir(directory)
	if err := os.Mkdir("config", 0o755); err != nil {
		t.Fatal(err)
	}
	step := func(name string, environ []string, want ...string) {
		t.Helper()
		loaded := load(t, config.Sources{Environ: environ})
		if !slices.Equal(loaded.Files, want) {
			t.Errorf("%s: got %q, want %q", name, loaded.Files, want)
		}
	}
	step("nothing is there", nil)
	step("variables alone", []string{"SPRING_KAFKA_BOOTSTRAP_SERVERS=a:1"})
	write(t, directory, "application.yml", "spring.kafka.client-id: yml")
	step("YAML", nil, "application.yml")
	write(t, directory, "application.properties", "spring.kafka.client-id=properties")
	step("properties count more", nil, "application.yml", "application.properties")
	inside := write(t, filepath.Join(directory, "config"), "application.properties", "spring.kafka.client-id=inside")
	write(t, directory, "application-prod.yml", "spring.kafka.client-id: profile")
	step("the directory config counts more, and a profile most", []string{"SPRING_PROFILES_ACTIVE=prod"},
		"application.yml", "application.properties", "config/application.properties", "application-prod.yml")
	if got := load(t, config.Sources{}).Settings.Kafka.ClientID; got != "inside" {
		t.Errorf("client: got %q, want that of %s", got, inside)
	}
	step("a location", []string{"SPRING_CONFIG_LOCATION=optional:file:missing.yml,file:./application.yml"}, "application.yml")
	write(t, directory, "config.yaml", "")
	step("a file of ours comes before", []string{"SPRING_CONFIG_LOCATION=application.yml"}, "config.yaml")
	warnings := load(t, config.Sources{Environ: []string{"SPRING_KAFKA_BOOTSTRAP_SERVERS=a:1", "SPRING_PROFILES_ACTIVE=x"}}).Warnings
	if want := []string{"SPRING_KAFKA_BOOTSTRAP_SERVERS, SPRING_PROFILES_ACTIVE: not read, for config.yaml is not a Spring file; set the variables that begin with MILLRACE_"}; !slices.Equal(warnings, want) {
		t.Errorf("warnings: got %q, want %q", warnings, want)
	}
}

func TestVariablesOfSpringAlone(t *testing.T) {
	t.Parallel()
	loaded := load(t, springSources("", "", "SPRING_KAFKA_BOOTSTRAPSERVERS_0=a:1", "SPRING_KAFKA_BOOTSTRAPSERVERS_1=b:1", "KAFKA_TOPIC_ORDER=o", "KAFKA_HEAP_OPTS=-Xmx1g",
		"SPRING_KAFKA_CONSUMER_GROUP_ID=X", "SPRING_KAFKA_CONSUMER_PROPERTIES_MAX_POLL_RECORDS=5", "SPRING_KAFKA_PROPERTIES_LINGER=1"))
	for path, want := range map[string]string{"kafka.brokers": "a:1,b:1", "topics.order-events.name": "o", "consumers.orders.group": "X-orders", "kafka.batch_records": "5"} {
		if got := find(config.Rows(loaded), path).Value; got != want {
			t.Errorf("%s: got %q, want %q", path, got, want)
		}
	}
	if want := []string{"not taken, for Millrace has no counterpart: spring.kafka.properties.linger (SPRING_KAFKA_PROPERTIES_LINGER)"}; !slices.Equal(loaded.Warnings, want) {
		t.Errorf("warnings: got %q, want %q", loaded.Warnings, want)
	}
}

func TestPluginSettingsInASpringFile(t *testing.T) {
	t.Parallel()
	s := spring(t, "millrace.plugins.loyalty.per-step=${STEP:3}\nmillrace.plugins.loyalty.per_stop=1")
	s.PluginNames = []string{"loyalty"}
	loaded := load(t, s)
	var plugin struct{ PerStep int }
	err := loaded.Plugin("loyalty", &plugin)
	if got, want := strings.ReplaceAll(errorText(err), s.File, "FILE"), `settings of plugin "loyalty": plugins.loyalty.per_stop (FILE:2, millrace.plugins.loyalty.per_stop): there is no such setting; the nearest is plugins.loyalty.per_step`; got != want {
		t.Errorf("error:\n got %s\nwant %s", got, want)
	}
	s = spring(t, "millrace.plugins.loyalty.per-step=${STEP:3}")
	s.PluginNames = []string{"loyalty"}
	if err := load(t, s).Plugin("loyalty", &plugin); err != nil || plugin.PerStep != 3 {
		t.Errorf("plugin: got %+v and %v, want 3", plugin, err)
	}
}

// Ensure a profile that changes nothing is told: most likely it is a typing error.
func TestSpringProfileThatChangesNothing(t *testing.T) {
	t.Parallel()
	s := spring(t, "spring.kafka.client-id=x")
	s.Profile = "prdo"
	if got, want := load(t, s).Warnings, []string{`profile "prdo" changes nothing: there is no file and no document for it`}; !slices.Equal(got, want) {
		t.Errorf("warnings: got %q, want %q", got, want)
	}
}

// Ensure a name that is not known before the plugins have spoken is no mistake, and told once.
func TestSpringFileIsReadAgainWithAllNames(t *testing.T) {
	t.Parallel()
	s := spring(t, "kafka.topic.points=p\nmillrace.consumers.points.timeout=3s\nspring.kafka.producer.acks=1")
	s.Partial = true
	partial := load(t, s)
	if len(partial.Warnings) > 0 {
		t.Errorf("warnings before: got %q, want none", partial.Warnings)
	}
	complete, err := partial.Complete([]string{"points"}, []string{"points-events"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if got := complete.Settings.Topic("points-events").Name; got != "p" || len(complete.Warnings) != 1 {
		t.Errorf("got topic %q and warnings %q, want p and one", got, complete.Warnings)
	}
}
