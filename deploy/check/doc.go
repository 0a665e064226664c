// Package check owns the tests of what is deployed beside the program: the Kubernetes manifests against the types of the API, and the metrics
// that alerts and dashboards ask for against those of the program. It is a module of its own, so that what it needs for that is no dependency
// of the program. It never talks to a cluster.
package check
