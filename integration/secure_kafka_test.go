//go:build unix && kafka_secure

package integration_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/prantikov/millrace/kafka/kafkatest"
)

// jarsVariable is the environment variable that says where Kafka's jars are.
const jarsVariable = "MILLRACE_TEST_KAFKA_JARS"

// What the stores and the users of the secured Kafka have for a password.
const storePassword, userPassword = "changeit", "right-secret"

// secured is a real Kafka with a listener that wants a certificate, one that wants a login, and one on this machine alone on which everybody may
// do everything: the tests' own.
type secured struct {
	*broker
	mutual, login string // addresses
	authority     *kafkatest.Authority
	own           *kafkatest.Identity
	jars          string
	// settings is the file of the broker's settings, stop ends the process.
	settings string
	stop     func()
}

// TestSecure has one Kafka for all that is tested of TLS, logins and rights.
func TestSecure(t *testing.T) {
	k := startSecured(t)
	t.Run("logins", func(t *testing.T) { testLogins(t, k) })
	t.Run("refusals", func(t *testing.T) { testRefusals(t, k) })
	t.Run("least rights", func(t *testing.T) { testLeastRights(t, k) })
	t.Run("rights taken away", func(t *testing.T) { testRightsTakenAway(t, k) })
	t.Run("Spring's files", func(t *testing.T) { testSpringFiles(t, k) })
	t.Run("rights on topics", func(t *testing.T) { testRightsOnTopics(t, k) })
	t.Run("a password that is changed", func(t *testing.T) { testChangedPassword(t, k) })
}

func startSecured(t *testing.T) *secured {
	t.Helper()
	jars := os.Getenv(jarsVariable)
	if jars == "" {
		t.Fatalf("%s is not set: make test-kafka-secure sets it", jarsVariable)
	}
	k := &secured{broker: &broker{others: true}, jars: jars, authority: kafkatest.NewAuthority(t, "Test CA")}
	k.own = k.authority.Issue(t, "millrace")
	k.address, k.mutual, k.login = "127.0.0.1:"+freePort(t), "127.0.0.1:"+freePort(t), "127.0.0.1:"+freePort(t)
	directory := t.TempDir()
	properties := filepath.Join(directory, "node.properties")
	if err := os.WriteFile(properties, []byte(k.properties(t, directory)), 0o600); err != nil {
		t.Fatal(err)
	}
	format := k.java(t.Context(), "kafka.tools.StorageTool", "format", "-t", "millrace-local-kafka-Q", "-c", properties,
		"--add-scram", "SCRAM-SHA-256=[name=scram256,password="+userPassword+"]", "--add-scram", "SCRAM-SHA-512=[name=scram512,password="+userPassword+"]")
	if output, err := format.CombinedOutput(); err != nil {
		t.Fatalf("formatting Kafka: %v\n%s", err, output)
	}
	k.settings = properties
	k.run(t)
	return k
}

// run starts the process and waits until it answers.
func (k *secured) run(t *testing.T) {
	t.Helper()
	var said bytes.Buffer
	process := k.java(context.Background(), "kafka.Kafka", k.settings)
	process.Stdout, process.Stderr = &said, &said
	if err := process.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() { defer close(ended); _ = process.Wait() }()
	k.stop = func() { _ = process.Process.Kill(); <-ended }
	t.Cleanup(func() {
		_ = process.Process.Kill()
		<-ended
		if t.Failed() {
			text := said.String()
			t.Logf("the last words of Kafka:\n%s", text[max(0, len(text)-4000):])
		}
	})
	admin := k.admin(t)
	eventually(t, "Kafka answers", func() bool {
		select {
		case <-ended:
			t.Fatalf("Kafka ended:\n%s", said.String())
		default:
		}
		if _, err := net.DialTimeout("tcp", k.login, time.Second); err != nil {
			return false
		}
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
		defer cancel()
		brokers, err := admin.ListBrokers(ctx)
		return err == nil && len(brokers) == 1
	})
}

func (k *secured) java(ctx context.Context, class string, arguments ...string) *exec.Cmd {
	flags := []string{"-Xmx512m", "-XX:TieredStopAtLevel=1", "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn", "-cp", k.jars + "/*", class}
	return exec.CommandContext(ctx, "java", append(flags, arguments...)...)
}

// properties are the settings of the broker. Java's own store has the authority, so that it reads what we write.
func (k *secured) properties(t *testing.T, directory string) string {
	t.Helper()
	const modules = "org.apache.kafka.common.security."
	server := k.authority.Issue(t, "broker", "127.0.0.1", "localhost")
	controller := freePort(t)
	return strings.Join([]string{
		"process.roles=broker,controller", "node.id=1", "controller.quorum.voters=1@127.0.0.1:" + controller,
		"controller.listener.names=CONTROLLER", "inter.broker.listener.name=OPEN",
		"listeners=OPEN://" + k.address + ",CONTROLLER://127.0.0.1:" + controller + ",MUTUAL://" + k.mutual + ",LOGIN://" + k.login,
		"advertised.listeners=OPEN://" + k.address + ",MUTUAL://" + k.mutual + ",LOGIN://" + k.login,
		"listener.security.protocol.map=OPEN:PLAINTEXT,CONTROLLER:PLAINTEXT,MUTUAL:SSL,LOGIN:SASL_SSL",
		"log.dirs=" + filepath.Join(directory, "data"),
		"auto.create.topics.enable=false", "offsets.topic.num.partitions=4", "offsets.topic.replication.factor=1",
		"transaction.state.log.num.partitions=4", "transaction.state.log.replication.factor=1", "transaction.state.log.min.isr=1",
		"share.coordinator.state.topic.num.partitions=1", "share.coordinator.state.topic.replication.factor=1", "share.coordinator.state.topic.min.isr=1",
		"group.initial.rebalance.delay.ms=0",
		"authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer", "super.users=User:ANONYMOUS", "allow.everyone.if.no.acl.found=false",
		"ssl.keystore.type=PKCS12", "ssl.keystore.location=" + server.PKCS12(t, storePassword), "ssl.keystore.password=" + storePassword, "ssl.key.password=" + storePassword,
		"ssl.truststore.type=JKS", "ssl.truststore.location=" + k.authority.JKS(t, storePassword), "ssl.truststore.password=" + storePassword,
		"listener.name.mutual.ssl.client.auth=required",
		"listener.name.login.sasl.enabled.mechanisms=PLAIN,SCRAM-SHA-256,SCRAM-SHA-512,OAUTHBEARER",
		"listener.name.login.plain.sasl.jaas.config=" + modules + "plain.PlainLoginModule required user_plain=\"" + userPassword + "\";",
		"listener.name.login.scram-sha-256.sasl.jaas.config=" + modules + "scram.ScramLoginModule required;",
		"listener.name.login.scram-sha-512.sasl.jaas.config=" + modules + "scram.ScramLoginModule required;",
		"listener.name.login.oauthbearer.sasl.jaas.config=" + modules + "oauthbearer.OAuthBearerLoginModule required unsecuredLoginStringClaim_sub=\"broker\";",
		"",
	}, "\n")
}

// token is one that the broker believes: it is not signed, for what is tested is how it gets there.
func token(subject string, end time.Time) string {
	part := func(text string) string { return base64.RawURLEncoding.EncodeToString([]byte(text)) }
	return part(`{"alg":"none"}`) + "." + part(fmt.Sprintf(`{"sub":%q,"iat":%d,"exp":%d}`, subject, time.Now().Add(-2*time.Hour).Unix(), end.Unix())) + "."
}

// encrypted are the settings of TLS with the authority alone.
func (k *secured) encrypted() settings { return settings{"ca_file": k.authority.File} }

// over are the settings of a platform on a listener of this Kafka.
func (k *secured) over(address, protocol string, tls, sasl settings) settings {
	kafka := settings{"brokers": []string{address}, "security": settings{"protocol": protocol}, "tls": tls, "wait": "20s"}
	if sasl != nil {
		kafka["sasl"] = sasl
	}
	return settings{"kafka": kafka}
}

// plain are the settings of a platform that logs in with PLAIN.
func (k *secured) plain(t testing.TB) settings {
	return k.over(k.login, "SASL_SSL", k.encrypted(), settings{"mechanism": "PLAIN", "username": "plain", "password_file": writeFile(t, userPassword)})
}

// right is one entry of millrace acls -o json.
type right struct{ Principal, Resource, Name, Operation string }

func (r right) String() string { return fmt.Sprintf("%s on %s %q", r.Operation, r.Resource, r.Name) }

// rights are those that the program says it needs.
func (p *platform) rights(t testing.TB, arguments ...string) []right {
	t.Helper()
	var rights []right
	decode(t, p.execute(t, append([]string{"acls", "-o", "json"}, arguments...)...).ends(0).stdout.String(), &rights)
	if len(rights) == 0 {
		t.Fatal("got no rights, want those that the program needs")
	}
	return rights
}

// give and take change the access rules. Both return when the broker acts on them.
func (k *secured) give(t testing.TB, rights ...right) {
	t.Helper()
	request := kmsg.NewPtrCreateACLsRequest()
	for _, r := range rights {
		creation := kmsg.NewCreateACLsRequestCreation()
		creation.ResourceType, creation.Operation = aclResource(t, r), aclOperation(t, r)
		creation.ResourceName, creation.ResourcePatternType = r.Name, kmsg.ACLResourcePatternTypeLiteral
		creation.Principal, creation.Host, creation.PermissionType = r.Principal, "*", kmsg.ACLPermissionTypeAllow
		request.Creations = append(request.Creations, creation)
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	answer, err := request.RequestWith(ctx, k.client(t))
	if err != nil {
		t.Fatalf("giving rights: %v", err)
	}
	for i, result := range answer.Results {
		if result.ErrorCode != 0 {
			t.Fatalf("giving %s: error code %d", rights[i], result.ErrorCode)
		}
	}
	eventually(t, "the broker knows the rights", func() bool { return k.known(t, rights) == len(rights) })
}

// known counts those of the rights that the broker acts on. The controller answers a change before the broker has heard of it.
func (k *secured) known(t testing.TB, rights []right) int {
	t.Helper()
	request := kmsg.NewPtrDescribeACLsRequest()
	request.ResourceType, request.ResourcePatternType = kmsg.ACLResourceTypeAny, kmsg.ACLResourcePatternTypeAny
	request.Operation, request.PermissionType = kmsg.ACLOperationAny, kmsg.ACLPermissionTypeAny
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	answer, err := request.RequestWith(ctx, k.client(t))
	if err != nil || answer.ErrorCode != 0 {
		t.Fatalf("asking for the rights: %v, error code %d", err, answer.ErrorCode)
	}
	known := 0
	for _, resource := range answer.Resources {
		for _, acl := range resource.ACLs {
			if slices.ContainsFunc(rights, func(r right) bool {
				return r.Principal == acl.Principal && r.Name == resource.ResourceName && aclResource(t, r) == resource.ResourceType && aclOperation(t, r) == acl.Operation
			}) {
				known++
			}
		}
	}
	return known
}

func (k *secured) take(t testing.TB, rights ...right) {
	t.Helper()
	request := kmsg.NewPtrDeleteACLsRequest()
	for _, r := range rights {
		filter := kmsg.NewDeleteACLsRequestFilter()
		filter.ResourceType, filter.Operation = aclResource(t, r), aclOperation(t, r)
		filter.ResourceName, filter.ResourcePatternType = kmsg.StringPtr(r.Name), kmsg.ACLResourcePatternTypeLiteral
		filter.Principal, filter.PermissionType = kmsg.StringPtr(r.Principal), kmsg.ACLPermissionTypeAllow
		request.Filters = append(request.Filters, filter)
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	answer, err := request.RequestWith(ctx, k.client(t))
	if err != nil {
		t.Fatalf("taking rights: %v", err)
	}
	for i, result := range answer.Results {
		if result.ErrorCode != 0 || len(result.MatchingACLs) != 1 {
			t.Fatalf("taking %s: error code %d, %d rights", rights[i], result.ErrorCode, len(result.MatchingACLs))
		}
	}
	eventually(t, "the broker has forgotten the rights", func() bool { return k.known(t, rights) == 0 })
}

func aclResource(t testing.TB, r right) kmsg.ACLResourceType {
	t.Helper()
	kind, err := kmsg.ParseACLResourceType(r.Resource)
	if err != nil {
		t.Fatal(err)
	}
	return kind
}

func aclOperation(t testing.TB, r right) kmsg.ACLOperation {
	t.Helper()
	operation, err := kmsg.ParseACLOperation(r.Operation)
	if err != nil {
		t.Fatal(err)
	}
	return operation
}

// remove deletes a topic, so that it has to be created.
func (k *secured) remove(t testing.TB, topic string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if _, err := k.admin(t).DeleteTopics(ctx, topic); err != nil {
		t.Fatalf("deleting %s: %v", topic, err)
	}
	eventually(t, topic+" is gone", func() bool {
		topics, err := k.admin(t).ListTopics(ctx, topic)
		return err == nil && !topics.Has(topic)
	})
}
