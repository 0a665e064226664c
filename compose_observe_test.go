package millrace_test

import (
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/compose-spec/compose-go/v2/types"
	"go.yaml.in/yaml/v3"
)

// every has all services of docker-compose.yml in it.
const every = "COMPOSE_PROFILES=observe,postgres"

// Ensure no service has a right that it does not need, and each says when it works.
func TestComposeServicesAreConfined(t *testing.T) {
	t.Parallel()
	for _, service := range loadCompose(t, "docker-compose.yml", every).Services {
		t.Run(service.Name, func(t *testing.T) {
			t.Parallel()
			if got := strings.Join(service.CapDrop, " "); got != "ALL" || len(service.CapAdd) > 0 || service.Privileged {
				t.Errorf("capabilities: got drop %q, add %q, privileged %t, want none left", got, service.CapAdd, service.Privileged)
			}
			if !slices.Contains(service.SecurityOpt, "no-new-privileges:true") {
				t.Errorf("security_opt: got %q, want no-new-privileges", service.SecurityOpt)
			}
			if service.HealthCheck == nil || service.HealthCheck.Disable || service.HealthCheck.Test[0] != "CMD" {
				t.Error("healthcheck: got none without a shell, want one")
			}
			if !regexp.MustCompile(`:v?\d+\.\d+(\.\d+)?$|^millrace:local$`).MatchString(service.Image) {
				t.Errorf("image: got %q, want the tag of one version", service.Image)
			}
			// Kafka's image has a user of its own, and makes its configuration at the start.
			if service.Name == "kafka" {
				return
			}
			user, _, _ := strings.Cut(service.User, ":")
			if !service.ReadOnly || !regexp.MustCompile(`^[1-9][0-9]*$`).MatchString(user) {
				t.Errorf("got read_only %t and user %q, want a read-only root and a number that is not root's", service.ReadOnly, service.User)
			}
		})
	}
}

// Ensure Prometheus asks Millrace where it answers, and Grafana asks Prometheus.
func TestComposeObservesMillrace(t *testing.T) {
	t.Parallel()
	services := loadCompose(t, "docker-compose.yml", every).Services
	millrace := services["millrace"]
	_, port, _ := strings.Cut(value(millrace, "MILLRACE_METRICS_ADDRESS"), ":")

	var prometheus struct {
		RuleFiles     []string `yaml:"rule_files"`
		ScrapeConfigs []struct {
			Job     string `yaml:"job_name"`
			Targets []struct {
				Targets []string `yaml:"targets"`
			} `yaml:"static_configs"`
		} `yaml:"scrape_configs"`
	}
	readYAML(t, "deploy/prometheus/prometheus.yml", &prometheus)
	if scrape := prometheus.ScrapeConfigs[0]; scrape.Job != "millrace" || scrape.Targets[0].Targets[0] != "millrace:"+port {
		t.Errorf("scrape: got %+v, want job millrace at millrace:%s, as the alerts and the compose file have it", scrape, port)
	}
	if got := strings.Join(prometheus.RuleFiles, " "); got != "alerts.yml" {
		t.Errorf("rules: got %q, want alerts.yml beside it", got)
	}
	if got := millrace.Ports[0]; got.Target != 7071 || port != "7071" {
		t.Errorf("ports: got %d published, metrics on %s, want both 7071", got.Target, port)
	}

	var sources struct {
		Datasources []struct{ UID, Type, URL string }
	}
	readYAML(t, "deploy/grafana/provisioning/datasources/prometheus.yml", &sources)
	source := sources.Datasources[0]
	at, err := url.Parse(source.URL)
	if err != nil || services[at.Hostname()].Name != "prometheus" || at.Port() != "9090" || source.Type != "prometheus" || source.UID != "prometheus" {
		t.Errorf("data source: got %+v, want the service prometheus under the uid that the dashboards name", source)
	}

	var providers struct {
		Providers []struct{ Options struct{ Path string } }
	}
	readYAML(t, "deploy/grafana/provisioning/dashboards/millrace.yml", &providers)
	path := providers.Providers[0].Options.Path
	mounted := ""
	for _, volume := range services["grafana"].Volumes {
		if volume.Target == path {
			mounted = volume.Source
		}
	}
	if !strings.HasSuffix(mounted, "/deploy/grafana/dashboards") || !strings.HasPrefix(value(services["grafana"], "GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"), path+"/") {
		t.Errorf("dashboards: got %q at %s, want those of this repository where Grafana looks", mounted, path)
	}
}

// Ensure the address of the store reaches Millrace, and it waits for the database when that is asked for and for none when it is not.
func TestComposeSharedStore(t *testing.T) {
	t.Parallel()
	const address = "postgres://millrace:secret@postgres:5432/millrace"
	services := loadCompose(t, "docker-compose.yml", "COMPOSE_PROFILES=postgres", "MILLRACE_STORE_DSN="+address, "POSTGRES_PASSWORD=secret").Services
	if got := value(services["millrace"], "MILLRACE_STORE_DSN"); got != address {
		t.Errorf("MILLRACE_STORE_DSN: got %q, want %q", got, address)
	}
	if got := value(services["postgres"], "POSTGRES_PASSWORD"); got != "secret" {
		t.Errorf("POSTGRES_PASSWORD: got %q, want that of the environment", got)
	}
	if got := services["millrace"].DependsOn["postgres"]; got.Condition != types.ServiceConditionHealthy || got.Required {
		t.Errorf("depends_on postgres: got %+v, want healthy, and not required", got)
	}
}

// readYAML reads one file into a value.
func readYAML(t *testing.T, name string, into any) {
	t.Helper()
	if err := yaml.Unmarshal([]byte(readFile(t, name)), into); err != nil {
		t.Fatalf("reading %s: %v", name, err)
	}
}
