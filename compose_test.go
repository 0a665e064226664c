package millrace_test

import (
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/compose-spec/compose-go/v2/cli"
	"github.com/compose-spec/compose-go/v2/types"
)

// Ensure the compose files load as the real tool would load them, and keep what the README promises of them.
func TestComposeFiles(t *testing.T) {
	t.Parallel()
	const ours = "docker-compose.yml"
	tests := []struct {
		file     string   // as docker compose -f names it
		profiles string   // as --profile names them
		services []string // all that it starts
		brokers  int      // how many of them are Kafka
	}{
		{file: ours, services: []string{"kafka", "millrace"}, brokers: 1},
		{file: ours, profiles: "observe", services: []string{"grafana", "kafka", "millrace", "prometheus"}, brokers: 1},
		{file: ours, profiles: "postgres", services: []string{"kafka", "millrace", "postgres"}, brokers: 1},
		{file: "scripts/kafka/cluster.yml", services: []string{"kafka-1", "kafka-2", "kafka-3"}, brokers: 3},
	}
	for _, test := range tests {
		t.Run(test.file+" "+test.profiles, func(t *testing.T) {
			t.Parallel()
			project := loadCompose(t, test.file, "COMPOSE_PROFILES="+test.profiles)
			if got := project.ServiceNames(); strings.Join(got, " ") != strings.Join(test.services, " ") {
				t.Errorf("services: got %q, want %q", got, test.services)
			}
			brokers := 0
			for _, service := range project.Services {
				checkImage(t, service)
				checkPorts(t, service)
				checkVolumes(t, project, service)
				if strings.HasPrefix(service.Name, "kafka") {
					brokers++
					checkKafka(t, service, test.brokers)
				}
			}
			if brokers != test.brokers {
				t.Errorf("brokers: got %d, want %d", brokers, test.brokers)
			}
		})
	}
}

// Ensure the Millrace service starts when Kafka is healthy, has no rights that it does not need, and has time for a clean stop.
func TestComposeMillraceService(t *testing.T) {
	t.Parallel()
	service := loadCompose(t, "docker-compose.yml").Services["millrace"]

	if service.Build == nil || service.Build.Dockerfile != "Dockerfile" {
		t.Errorf("build: got %+v, want the Dockerfile of this repository", service.Build)
	}
	if got, want := service.DependsOn["kafka"].Condition, types.ServiceConditionHealthy; got != want {
		t.Errorf("depends_on kafka: got condition %q, want %q", got, want)
	}
	if value(service, "MILLRACE_STORE_DSN") != "" {
		t.Error("MILLRACE_STORE_DSN: got an address, want none until somebody asks for the shared store")
	}
	user, _, _ := strings.Cut(service.User, ":")
	if !regexp.MustCompile(`^[1-9][0-9]*$`).MatchString(user) {
		t.Errorf("user: got %q, want a number that is not root's", service.User)
	}
	if !service.ReadOnly {
		t.Errorf("read_only: got false, want true: only the volumes are written to")
	}
	if got := strings.Join(service.CapDrop, " "); got != "ALL" {
		t.Errorf("cap_drop: got %q, want ALL", got)
	}
	if service.HealthCheck == nil || service.HealthCheck.Disable || len(service.HealthCheck.Test) == 0 {
		t.Error("healthcheck: got none, want one by the binary")
	} else if got := strings.Join(service.HealthCheck.Test, " "); got != "CMD /usr/local/bin/millrace health --ready" {
		t.Errorf("healthcheck: got %q, want the binary's own health command without a shell: the image has none", got)
	}
	if service.StopGracePeriod == nil || service.StopGracePeriod.String() != "45s" {
		t.Errorf("stop_grace_period: got %v, want 45s", service.StopGracePeriod)
	}
	dataDir := value(service, "MILLRACE_DATA_DIR")
	mounted := false
	for _, volume := range service.Volumes {
		mounted = mounted || volume.Type == types.VolumeTypeVolume && volume.Target == dataDir
	}
	if dataDir == "" || !mounted {
		t.Errorf("data directory %q: got volumes %v, want a named one there", dataDir, service.Volumes)
	}
	if got, want := value(service, "MILLRACE_KAFKA_BROKERS"), "kafka:19092"; got != want {
		t.Errorf("MILLRACE_KAFKA_BROKERS: got %q, want %q, Kafka's listener for containers", got, want)
	}
}

// Ensure another KAFKA_PORT moves the published port and the address that clients are told together.
func TestComposeKafkaPort(t *testing.T) {
	t.Parallel()
	service := loadCompose(t, "docker-compose.yml", "KAFKA_PORT=9292").Services["kafka"]
	if got := service.Ports[0].Published; got != "9292" {
		t.Errorf("published port: got %s, want 9292", got)
	}
	if got, want := listeners(value(service, "KAFKA_ADVERTISED_LISTENERS"))["OUTSIDE"], "localhost:9292"; got != want {
		t.Errorf("advertised outside: got %q, want %q", got, want)
	}
}

// Ensure the image is built with the toolchain of go.mod, from pinned images, and does not run as root.
func TestDockerfile(t *testing.T) {
	t.Parallel()
	module := readFile(t, "go.mod")
	version := regexp.MustCompile(`(?m)^go (\d+\.\d+)`).FindStringSubmatch(module)
	dockerfile := readFile(t, "Dockerfile")
	images := regexp.MustCompile(`(?m)^FROM (\S+)`).FindAllStringSubmatch(dockerfile, -1)
	if len(version) != 2 || len(images) != 2 {
		t.Fatalf("got go version %q and images %q, want one version and two images", version, images)
	}
	if got, want := images[0][1], "golang:"+version[1]+"."; !strings.HasPrefix(got, want) {
		t.Errorf("build image: got %s, want %s… as go.mod says", got, want)
	}
	if got := images[1][1]; got != "scratch" {
		t.Errorf("last image: got %s, want scratch: nothing but the binary", got)
	}
	service := loadCompose(t, "docker-compose.yml").Services["millrace"]
	words := strings.Join(service.HealthCheck.Test[1:], `", "`)
	for _, want := range []string{
		"CGO_ENABLED=0", "-trimpath", "USER 65532:65532", "STOPSIGNAL SIGTERM", `CMD ["` + words + `"]`, fmt.Sprintf("--start-period=%.0fs", time.Duration(*service.HealthCheck.StartPeriod).Seconds()),
	} {
		if !strings.Contains(dockerfile, want) {
			t.Errorf("Dockerfile: %s is missing", want)
		}
	}
}

// loadCompose loads one compose file; environment is all that it can see (NAME=value).
func loadCompose(t *testing.T, file string, environment ...string) *types.Project {
	t.Helper()
	options, err := cli.NewProjectOptions([]string{file}, cli.WithWorkingDirectory("."), cli.WithEnv(environment),
		cli.WithResolvedPaths(true), cli.WithDefaultProfiles())
	if err != nil {
		t.Fatalf("reading %s: %v", file, err)
	}
	project, err := options.LoadProject(t.Context())
	if err != nil {
		t.Fatalf("loading %s: %v", file, err)
	}
	return project
}

// checkImage wants a tag that means one version.
func checkImage(t *testing.T, service types.ServiceConfig) {
	t.Helper()
	_, tag, found := strings.Cut(service.Image, ":")
	if !found || tag == "latest" {
		t.Errorf("%s: image %q has no pinned tag", service.Name, service.Image)
	}
	if strings.HasPrefix(service.Name, "kafka") && service.Image != "apache/kafka:4.3.1" {
		t.Errorf("%s: got image %q, want apache/kafka:4.3.1", service.Name, service.Image)
	}
}

// checkPorts wants every published port on this machine alone.
func checkPorts(t *testing.T, service types.ServiceConfig) {
	t.Helper()
	if len(service.Ports) == 0 && strings.HasPrefix(service.Name, "kafka") {
		t.Errorf("%s: got no published port, want one", service.Name)
	}
	for _, port := range service.Ports {
		if port.HostIP != "127.0.0.1" {
			t.Errorf("%s: port %s is published on %q, want 127.0.0.1", service.Name, port.Published, port.HostIP)
		}
	}
}

// checkVolumes wants a named volume that the file declares for the data. What is mounted of this repository is there, and is only read.
func checkVolumes(t *testing.T, project *types.Project, service types.ServiceConfig) {
	t.Helper()
	named := 0
	for _, volume := range service.Volumes {
		_, declared := project.Volumes[volume.Source]
		_, missing := os.Stat(volume.Source)
		switch {
		case volume.Type == types.VolumeTypeVolume && declared:
			named++
		case volume.Type == types.VolumeTypeBind && volume.ReadOnly && missing == nil:
		default:
			t.Errorf("%s: got volume %q of type %q, read-only %t, want a declared one or a read-only part of this repository", service.Name, volume.Source, volume.Type, volume.ReadOnly)
		}
	}
	if named != 1 {
		t.Errorf("%s: got %d named volumes, want one: its data must outlive the container", service.Name, named)
	}
}

// checkKafka wants a broker that clients inside and outside can reach, and whose internal topics fit the number of brokers.
func checkKafka(t *testing.T, service types.ServiceConfig, brokers int) {
	t.Helper()
	opened, told := listeners(value(service, "KAFKA_LISTENERS")), listeners(value(service, "KAFKA_ADVERTISED_LISTENERS"))
	if got, want := told["INSIDE"], service.Hostname+":19092"; got != want {
		t.Errorf("%s: advertised inside: got %q, want %q", service.Name, got, want)
	}
	if got, want := told["OUTSIDE"], "localhost:"+service.Ports[0].Published; got != want {
		t.Errorf("%s: advertised outside: got %q, want %q, the published port", service.Name, got, want)
	}
	if got, want := strings.TrimPrefix(opened["OUTSIDE"], ":"), "9092"; got != want || service.Ports[0].Target != 9092 {
		t.Errorf("%s: outside: listener on %q behind port %d, want both on %s", service.Name, got, service.Ports[0].Target, want)
	}
	protocols := value(service, "KAFKA_LISTENER_SECURITY_PROTOCOL_MAP")
	for name := range opened {
		if !strings.Contains(protocols, name+":") {
			t.Errorf("%s: listener %s has no security protocol in %q", service.Name, name, protocols)
		}
	}
	replicas, inSync := "1", "1"
	if brokers == 3 {
		replicas, inSync = "3", "2"
	}
	for name, want := range map[string]string{
		"KAFKA_PROCESS_ROLES":                            "broker,controller",
		"KAFKA_AUTO_CREATE_TOPICS_ENABLE":                "false",
		"KAFKA_GROUP_INITIAL_REBALANCE_DELAY_MS":         "0",
		"KAFKA_OFFSETS_TOPIC_REPLICATION_FACTOR":         replicas,
		"KAFKA_TRANSACTION_STATE_LOG_REPLICATION_FACTOR": replicas,
		"KAFKA_TRANSACTION_STATE_LOG_MIN_ISR":            inSync,
		"KAFKA_LOG_DIRS":                                 service.Volumes[0].Target,
	} {
		if got := value(service, name); got != want {
			t.Errorf("%s: %s: got %q, want %q", service.Name, name, got, want)
		}
	}
	voter := value(service, "KAFKA_NODE_ID") + "@" + service.Hostname + ":9093"
	if voters := strings.Split(value(service, "KAFKA_CONTROLLER_QUORUM_VOTERS"), ","); len(voters) != brokers ||
		!strings.Contains(strings.Join(voters, ","), voter) {
		t.Errorf("%s: quorum voters: got %q, want %d with %s among them", service.Name, voters, brokers, voter)
	}
	if service.HealthCheck == nil || service.HealthCheck.Disable {
		t.Errorf("%s: got no healthcheck, want one in Kafka's protocol", service.Name)
	}
}

// listeners reads NAME://host:port,… into host:port by name.
func listeners(list string) map[string]string {
	addresses := map[string]string{}
	for listener := range strings.SplitSeq(list, ",") {
		name, address, _ := strings.Cut(listener, "://")
		addresses[name] = address
	}
	return addresses
}

// value is what the service's environment has under the name, empty when it has nothing.
func value(service types.ServiceConfig, name string) string {
	if got := service.Environment[name]; got != nil {
		return *got
	}
	return ""
}

func readFile(t *testing.T, name string) string {
	t.Helper()
	content, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}
