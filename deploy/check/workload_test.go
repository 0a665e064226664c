package check_test

import (
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/prantikov/millrace/config"
)

// running is the one container of a variant, with the pod around it and the settings that the program has in it.
type running struct {
	manifests
	pod       corev1.PodSpec
	container corev1.Container
	settings  config.Settings
}

// secrets are what the secrets that the manifests name would hold.
var secrets = map[string]string{"millrace-store": "postgres://millrace:secret@postgres.databases:5432/millrace?sslmode=verify-full"}

// run reads the configuration as the program in the pod would: its file with the container's environment over it. A mistake fails the test.
func run(t *testing.T, variant string) running {
	t.Helper()
	m := build(t, variant)
	pod := m.set(t).Spec.Template.Spec
	if len(pod.Containers) != 1 {
		t.Fatalf("%s: got %d containers, want one", variant, len(pod.Containers))
	}
	r := running{manifests: m, pod: pod, container: pod.Containers[0]}
	file := filepath.Join(t.TempDir(), "config.yaml")
	if err := os.WriteFile(file, []byte(one(m.configs).Data["config.yaml"]), 0o600); err != nil {
		t.Fatal(err)
	}
	var environment []string
	for _, variable := range r.container.Env {
		value := variable.Value
		switch {
		case variable.Name == "MILLRACE_CONFIG":
			value = file
		case variable.ValueFrom != nil && variable.ValueFrom.SecretKeyRef != nil:
			value = secrets[variable.ValueFrom.SecretKeyRef.Name]
		}
		environment = append(environment, variable.Name+"="+value)
	}
	loaded, err := config.Load(config.Sources{Environ: environment, Partial: true})
	if err != nil {
		t.Fatalf("%s: the program would refuse its configuration: %v", variant, err)
	}
	r.settings = loaded.Settings
	return r
}

func eachVariant(t *testing.T, check func(t *testing.T, r running)) {
	t.Helper()
	for _, variant := range variants {
		t.Run(variant, func(t *testing.T) {
			t.Parallel()
			check(t, run(t, variant))
		})
	}
}

// Ensure a pod is given the time that a clean stop may take: what is killed before is done again.
func TestGracePeriodFitsTheDrain(t *testing.T) {
	t.Parallel()
	eachVariant(t, func(t *testing.T, r running) {
		// What a stop may take beyond the drain, as the program has it.
		const afterDrain = 5 * time.Second
		before := time.Duration(r.container.Lifecycle.PreStop.Sleep.Seconds) * time.Second
		needs := before + r.settings.Kafka.DrainTimeout + afterDrain
		grace := time.Duration(*r.pod.TerminationGracePeriodSeconds) * time.Second
		if grace < needs+needs/4 {
			t.Errorf("got %s, want %s before the stop, %s to drain, %s after it and a quarter to spare", grace, before, r.settings.Kafka.DrainTimeout, afterDrain)
		}
	})
}

// Ensure the kernel does not end the process for memory that the program means to use.
func TestMemoryLimitFitsTheBudget(t *testing.T) {
	t.Parallel()
	eachVariant(t, func(t *testing.T, r running) {
		limit := r.container.Resources.Limits.Memory().Value()
		heap := int64(2*r.settings.Kafka.Memory + 128<<20)
		if limit < heap+heap/4 {
			t.Errorf("got a limit of %d MiB, want the heap's %d and a quarter for what is not heap", limit>>20, heap>>20)
		}
		if request := r.container.Resources.Requests.Memory().Value(); request != limit {
			t.Errorf("got a request of %d MiB, want the limit: memory that was not asked for is the first to be taken away", request>>20)
		}
		if !r.container.Resources.Limits.Cpu().IsZero() || r.container.Resources.Requests.Cpu().IsZero() {
			t.Error("processors: want a request and no limit: what is throttled misses its heartbeats")
		}
	})
}

// Ensure the probes ask the address that the program opens for them, and a start may take as long as brokers are waited for.
func TestProbesAskTheMetricsAddress(t *testing.T) {
	t.Parallel()
	eachVariant(t, func(t *testing.T, r running) {
		_, port, _ := strings.Cut(r.settings.Metrics.Address, ":")
		if want := named(r.container, "metrics"); port != "7071" || want != 7071 {
			t.Errorf("metrics: the program opens %q, the port named metrics is %d, want :7071 and 7071", r.settings.Metrics.Address, want)
		}
		for path, probes := range map[string][]*corev1.Probe{
			"/healthz": {r.container.StartupProbe, r.container.LivenessProbe}, "/readyz": {r.container.ReadinessProbe},
		} {
			for _, probe := range probes {
				if probe == nil || probe.HTTPGet.Path != path || probe.HTTPGet.Port.StrVal != "metrics" {
					t.Errorf("got the probe %+v, want %s at the port metrics", probe, path)
				}
			}
		}
		start := time.Duration(r.container.StartupProbe.PeriodSeconds*r.container.StartupProbe.FailureThreshold) * time.Second
		if start < 2*r.settings.Kafka.Wait {
			t.Errorf("a start may take %s, want twice what brokers are waited for (%s)", start, r.settings.Kafka.Wait)
		}
		published := one(r.services).Spec.Ports[0]
		if one(r.services).Spec.ClusterIP != corev1.ClusterIPNone || published.TargetPort.StrVal != "metrics" || !one(r.services).Spec.PublishNotReadyAddresses {
			t.Errorf("service: got %+v, want the pods' own names, also of those that are not ready", one(r.services).Spec)
		}
	})
}

// Ensure the program has no right that it does not need, and writes nothing but its volume and its temporary files.
func TestPodIsConfined(t *testing.T) {
	t.Parallel()
	eachVariant(t, func(t *testing.T, r running) {
		user := r.pod.SecurityContext
		if !*user.RunAsNonRoot || *user.RunAsUser != 65532 || *user.FSGroup != 65532 || user.SeccompProfile.Type != corev1.SeccompProfileTypeRuntimeDefault {
			t.Errorf("pod: got %+v, want the image's user, the group of the volume, and the runtime's seccomp profile", user)
		}
		own := r.container.SecurityContext
		if *own.AllowPrivilegeEscalation || !*own.ReadOnlyRootFilesystem || own.Capabilities.Drop[0] != "ALL" || len(own.Capabilities.Add) > 0 {
			t.Errorf("container: got %+v, want a read-only root, no capability and no way to more", own)
		}
		if *r.pod.AutomountServiceAccountToken || *one(r.accounts).AutomountServiceAccountToken || *r.pod.EnableServiceLinks {
			t.Error("got a token, or variables of services, want neither")
		}
		for _, mount := range r.container.VolumeMounts {
			if writable := !mount.ReadOnly; writable && mount.MountPath != "/data" && mount.MountPath != "/tmp" {
				t.Errorf("got %s to write to, want the data and temporary files alone", mount.MountPath)
			}
		}
		// The volume's own root is root's, and the program closes its directory to everybody else, which only an owner can.
		if dir := r.settings.DataDir; filepath.Dir(dir) != "/data" {
			t.Errorf("data directory: got %q, want a folder in the volume at /data", dir)
		}
	})
}

// Ensure consumers whose progress is in SQLite and files have one pod, and only those without a unit of work several.
func TestOnePodForWhatOneProcessOwns(t *testing.T) {
	t.Parallel()
	for variant, want := range map[string]int32{"base": 1, "overlays/example": 1, "overlays/shared": 3, "overlays/instances": 3} {
		t.Run(variant, func(t *testing.T) {
			t.Parallel()
			r := run(t, variant)
			set := r.set(t)
			if got := *set.Spec.Replicas; got != want {
				t.Errorf("replicas: got %d, want %d", got, want)
			}
			named, shared := slices.Contains(r.container.Args, "--consumers"), r.settings.Store.DSN.IsSet()
			if want > 1 && !named && !shared {
				t.Errorf("got %q without a shared store: several pods run the consumers that are named, or share one", r.container.Args)
			}
			if key := r.settings.Privacy.KeyFile; want > 1 && filepath.Dir(key) == r.settings.DataDir {
				t.Errorf("privacy.key_file: got %q, want one that all pods have: a patient would have another pseudonym in each", key)
			}
			if len(set.Spec.VolumeClaimTemplates) != 1 || set.Spec.VolumeClaimTemplates[0].Name != "data" {
				t.Errorf("volumes: got %v, want one of its own for each pod", set.Spec.VolumeClaimTemplates)
			}
			budget := one(r.budgets).Spec
			if budget.MaxUnavailable.IntVal != 1 || budget.MinAvailable != nil {
				t.Errorf("disruption budget: got %+v, want one pod at a time: minAvailable would keep a node with the only one from being drained", budget)
			}
		})
	}
}

// Ensure the network policy lets the program reach what its settings name: brokers, the store, names.
func TestNetworkPolicyLetsOutWhatTheSettingsName(t *testing.T) {
	t.Parallel()
	eachVariant(t, func(t *testing.T, r running) {
		open := map[int32]bool{}
		for _, rule := range one(r.policies).Spec.Egress {
			for _, port := range rule.Ports {
				open[port.Port.IntVal] = true
			}
		}
		needs := map[string]int32{"names": 53}
		for _, broker := range r.settings.Kafka.Brokers {
			_, port, _ := strings.Cut(broker, ":")
			number, err := strconv.ParseInt(port, 10, 32)
			if err != nil {
				t.Fatal(err)
			}
			needs[broker] = int32(number)
		}
		if r.settings.Store.DSN.IsSet() {
			needs["the store"] = 5432
		}
		for what, port := range needs {
			if !open[port] {
				t.Errorf("%s: port %d is closed, only %v are open", what, port, open)
			}
		}
	})
}

// Ensure a pod that is replaced finds its place in the groups kept: it has a lasting name, and its session outlives the time without it.
func TestReplacedPodKeepsItsPlace(t *testing.T) {
	t.Parallel()
	eachVariant(t, func(t *testing.T, r running) {
		if got := r.settings.Kafka.InstanceID; got != "hostname" {
			t.Errorf("kafka.instance_id: got %q, want hostname, which a StatefulSet's pod keeps", got)
		}
		if got := r.settings.Kafka.SessionTimeout; got < 45*time.Second {
			t.Errorf("kafka.session_timeout: got %s, want 45s at least: a pod is away for longer than a process", got)
		}
	})
}
