package kafka

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/IBM/sarama"
)

// Resource is what a right is on.
type Resource string

// The resources that Millrace needs rights on, in Kafka's words.
const (
	ResourceTopic   Resource = "Topic"
	ResourceGroup   Resource = "Group"
	ResourceCluster Resource = "Cluster"
	// ResourceTransaction is an id of transactions.
	ResourceTransaction Resource = "TransactionalId"
)

// Operation is what a right allows.
type Operation string

// The operations that Millrace needs, in Kafka's words. Read and Write allow Describe too.
const (
	OperationRead            Operation = "Read"
	OperationWrite           Operation = "Write"
	OperationDescribe        Operation = "Describe"
	OperationCreate          Operation = "Create"
	OperationAlter           Operation = "Alter"
	OperationDescribeConfigs Operation = "DescribeConfigs"
	OperationIdempotentWrite Operation = "IdempotentWrite"
)

// Right is one thing that Kafka's access rules (ACLs) allow on one resource.
type Right struct {
	Resource Resource `json:"resource"`
	// Name is the resource's; kafka-cluster for the cluster.
	Name      string    `json:"name"`
	Operation Operation `json:"operation"`
}

// String is for example Read on Topic "order-events".
func (r Right) String() string {
	return fmt.Sprintf("%s on %s %q", r.Operation, r.Resource, r.Name)
}

// bit is the operation's place in what a broker says of our rights.
func (o Operation) bit() int32 {
	return map[Operation]int32{
		OperationRead: 1 << sarama.AclOperationRead, OperationWrite: 1 << sarama.AclOperationWrite, OperationDescribe: 1 << sarama.AclOperationDescribe,
		OperationCreate: 1 << sarama.AclOperationCreate, OperationAlter: 1 << sarama.AclOperationAlter, OperationDescribeConfigs: 1 << sarama.AclOperationDescribeConfigs,
		OperationIdempotentWrite: 1 << sarama.AclOperationIdempotentWrite,
	}[o]
}

// compareRights is the order in which rights are listed: topics first, then by name.
func compareRights(a, b Right) int {
	order := []Resource{ResourceTopic, ResourceGroup, ResourceTransaction, ResourceCluster}
	operations := []Operation{OperationRead, OperationWrite, OperationDescribe, OperationCreate, OperationAlter, OperationDescribeConfigs, OperationIdempotentWrite}
	return cmp.Or(cmp.Compare(slices.Index(order, a.Resource), slices.Index(order, b.Resource)), strings.Compare(a.Name, b.Name),
		cmp.Compare(slices.Index(operations, a.Operation), slices.Index(operations, b.Operation)))
}

// Missing is the error of what Kafka's access rules do not let us do.
type Missing struct {
	// Rights are what is missing, or the one that a refused request needed.
	Rights []Right
	// Err is what the broker said; nil when it was asked for our rights.
	Err error
}

// Error is one sentence that names every right.
func (m *Missing) Error() string {
	texts := make([]string, len(m.Rights))
	for i, right := range m.Rights {
		texts[i] = right.String()
	}
	return "Kafka's access rules do not give this user " + strings.Join(texts, ", ") + " (millrace acls prints what is needed)"
}

// Unwrap returns what the broker said.
func (m *Missing) Unwrap() error { return m.Err }

// denied says whether a broker refused something for want of a right.
func denied(err error) bool {
	return errors.Is(err, sarama.ErrTopicAuthorizationFailed) || errors.Is(err, sarama.ErrGroupAuthorizationFailed) ||
		errors.Is(err, sarama.ErrClusterAuthorizationFailed) || errors.Is(err, sarama.ErrTransactionalIDAuthorizationFailed)
}

// needing names the right that a request needed, when the broker refused it for want of that; any other error it returns as it is.
func needing(err error, operation Operation, resource Resource, name string) error {
	var missing *Missing
	if !denied(err) || errors.As(err, &missing) {
		return err
	}
	right := Right{Resource: resource, Name: name, Operation: operation}
	switch {
	case errors.Is(err, sarama.ErrClusterAuthorizationFailed):
		right = Right{Resource: ResourceCluster, Name: clusterName, Operation: OperationIdempotentWrite}
	case resource != ResourceTransaction && errors.Is(err, sarama.ErrTransactionalIDAuthorizationFailed):
		// It was about the transaction, whose id the caller does not know.
		return err
	case resource == ResourceTopic && errors.Is(err, sarama.ErrGroupAuthorizationFailed), resource == ResourceGroup && errors.Is(err, sarama.ErrTopicAuthorizationFailed):
		// It was about the other one, whose name the caller does not know.
		return err
	}
	return &Missing{Rights: []Right{right}, Err: err}
}

// toSend names what an idempotent producer needs to begin with: before any record, so that no topic is known.
func toSend(err error) error {
	if !errors.Is(err, sarama.ErrClusterAuthorizationFailed) {
		return err
	}
	const text = `Kafka's access rules do not give this user Write on any Topic, nor IdempotentWrite on Cluster "kafka-cluster" (millrace acls prints what is needed)`
	return &explanation{text: text, err: err}
}

// clusterName is what Kafka calls the cluster as a resource.
const clusterName = "kafka-cluster"
