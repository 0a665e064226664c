package check_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	policyv1 "k8s.io/api/policy/v1"
	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/api/resource"
	"sigs.k8s.io/kustomize/kyaml/filesys"
	"sigs.k8s.io/yaml"
)

// variants are what somebody applies: kubectl apply -k.
var variants = []string{"base", "overlays/example", "overlays/shared", "overlays/instances"}

// manifests are the objects of one variant, as kustomize builds them.
type manifests struct {
	accounts map[string]corev1.ServiceAccount
	services map[string]corev1.Service
	configs  map[string]corev1.ConfigMap
	sets     map[string]appsv1.StatefulSet
	budgets  map[string]policyv1.PodDisruptionBudget
	policies map[string]networkingv1.NetworkPolicy
}

// build builds a variant and reads every object strictly: a field that the API's type does not have, or has twice, fails the test.
func build(t *testing.T, variant string) manifests {
	t.Helper()
	built, err := krusty.MakeKustomizer(krusty.MakeDefaultOptions()).Run(filesys.MakeFsOnDisk(), filepath.Join("../kubernetes", variant))
	if err != nil {
		t.Fatalf("kustomize build %s: %v", variant, err)
	}
	m := manifests{
		map[string]corev1.ServiceAccount{}, map[string]corev1.Service{}, map[string]corev1.ConfigMap{}, map[string]appsv1.StatefulSet{},
		map[string]policyv1.PodDisruptionBudget{}, map[string]networkingv1.NetworkPolicy{},
	}
	for _, object := range built.Resources() {
		switch gvk := object.GetGvk(); gvk.ApiVersion() + " " + gvk.Kind {
		case "v1 ServiceAccount":
			read(t, object, m.accounts)
		case "v1 Service":
			read(t, object, m.services)
		case "v1 ConfigMap":
			read(t, object, m.configs)
		case "apps/v1 StatefulSet":
			read(t, object, m.sets)
		case "policy/v1 PodDisruptionBudget":
			read(t, object, m.budgets)
		case "networking.k8s.io/v1 NetworkPolicy":
			read(t, object, m.policies)
		default:
			t.Errorf("%s: %s: the test knows no type for it", variant, object.CurId())
		}
	}
	return m
}

// read reads one object into the map of its kind, by name.
func read[Kind any](t *testing.T, object *resource.Resource, into map[string]Kind) {
	t.Helper()
	text, err := object.AsYAML()
	if err != nil {
		t.Fatalf("%s: %v", object.CurId(), err)
	}
	var typed Kind
	if err := yaml.UnmarshalStrict(text, &typed); err != nil {
		t.Errorf("%s does not fit the type of the API: %v\n%s", object.CurId(), err, text)
	}
	into[object.GetName()] = typed
}

// set is the only StatefulSet of the variant.
func (m manifests) set(t *testing.T) appsv1.StatefulSet {
	t.Helper()
	if len(m.sets) != 1 {
		t.Fatalf("got %d StatefulSets, want one", len(m.sets))
	}
	return one(m.sets)
}

// Ensure every variant builds and every object of it is one that the API takes.
func TestManifestsFitTheAPI(t *testing.T) {
	t.Parallel()
	for _, variant := range variants {
		t.Run(variant, func(t *testing.T) {
			t.Parallel()
			m := build(t, variant)
			for kind, got := range map[string]int{
				"ServiceAccount": len(m.accounts), "Service": len(m.services), "ConfigMap": len(m.configs), "StatefulSet": len(m.sets),
				"PodDisruptionBudget": len(m.budgets), "NetworkPolicy": len(m.policies),
			} {
				if got != 1 {
					t.Errorf("%s: got %d, want one", kind, got)
				}
			}
		})
	}
}

// Ensure a mistake in a manifest would be seen: the check is worth something.
func TestAMisspeltFieldIsRefused(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../kubernetes/base/statefulset.yaml")
	if err != nil {
		t.Fatal(err)
	}
	wrong := strings.Replace(string(text), "terminationGracePeriodSeconds", "terminationGracePeriod", 1)
	if err := yaml.UnmarshalStrict([]byte(wrong), &appsv1.StatefulSet{}); err == nil || !strings.Contains(err.Error(), "terminationGracePeriod") {
		t.Errorf("got %v, want the misspelt field named", err)
	}
}

// Ensure what belongs together finds each other: names and labels are plain text that no type holds together.
func TestManifestsFindEachOther(t *testing.T) {
	t.Parallel()
	for _, variant := range variants {
		t.Run(variant, func(t *testing.T) {
			t.Parallel()
			m := build(t, variant)
			set := m.set(t)
			pod := set.Spec.Template
			for what, selector := range map[string]map[string]string{
				"StatefulSet": set.Spec.Selector.MatchLabels, "PodDisruptionBudget": one(m.budgets).Spec.Selector.MatchLabels,
				"NetworkPolicy": one(m.policies).Spec.PodSelector.MatchLabels, "Service": one(m.services).Spec.Selector,
			} {
				if !selects(selector, pod.Labels) || len(selector) < 2 {
					t.Errorf("%s: got the selector %v, want the pod's labels %v", what, selector, pod.Labels)
				}
			}
			if _, found := m.services[set.Spec.ServiceName]; !found {
				t.Errorf("serviceName: got %q, want the service of this variant", set.Spec.ServiceName)
			}
			if _, found := m.accounts[pod.Spec.ServiceAccountName]; !found {
				t.Errorf("serviceAccountName: got %q, want the account of this variant", pod.Spec.ServiceAccountName)
			}
			config := slices.IndexFunc(pod.Spec.Volumes, func(v corev1.Volume) bool { return v.ConfigMap != nil })
			if _, found := m.configs[pod.Spec.Volumes[config].ConfigMap.Name]; !found {
				t.Errorf("configuration: got %q, want the config map of this variant", pod.Spec.Volumes[config].ConfigMap.Name)
			}
			for name, policy := range m.policies {
				for _, port := range policy.Spec.Ingress[0].Ports {
					if named(pod.Spec.Containers[0], port.Port.StrVal) == 0 {
						t.Errorf("%s: lets in %q, which no port of the container is named", name, port.Port.StrVal)
					}
				}
			}
		})
	}
}

// Ensure the pods of the two variants are not counted as each other's: a pod under two disruption budgets could not be moved.
func TestVariantsCountTheirOwnPods(t *testing.T) {
	t.Parallel()
	one, several := build(t, "overlays/example"), build(t, "overlays/instances")
	for _, pair := range []struct{ of, other manifests }{{one, several}, {several, one}} {
		pod := pair.of.set(t).Spec.Template.Labels
		for name, budget := range pair.other.budgets {
			if selects(budget.Spec.Selector.MatchLabels, pod) {
				t.Errorf("%s selects pods with %v of the other variant", name, pod)
			}
		}
	}
}

func selects(selector, labels map[string]string) bool {
	for name, value := range selector {
		if labels[name] != value {
			return false
		}
	}
	return true
}

// one is the only object of a kind; a zero one when there is none, of which another test tells.
func one[Kind any](objects map[string]Kind) Kind {
	for _, object := range objects {
		return object
	}
	var none Kind
	return none
}

// named is the number of a container's port, 0 when none has the name.
func named(container corev1.Container, name string) int32 {
	for _, port := range container.Ports {
		if port.Name == name {
			return port.ContainerPort
		}
	}
	return 0
}
