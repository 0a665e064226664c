package kafka

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"

	"github.com/IBM/sarama"
)

// Use is what somebody does with a cluster, by the names on the brokers.
type Use struct {
	// Read are topics whose records are read, Write those that records are sent to, Create those that are created when they are missing, Compare
	// those that are compared with their settings, Grow those that are given partitions.
	Read, Write, Create, Compare, Grow []string
	// Transact are the ids of transactions in which records are sent.
	Transact []string
	// Join are the groups whose members read, or whose positions are asked for.
	Join []string
	// Look are the groups whose positions are asked for, and no more.
	Look []string
}

// RightsFor returns the least rights that a use needs of brokers of this version, sorted, each once. What is left out is left out on purpose:
// Read, Write and Alter allow Describe too; the list of all topics has those that one may see; and from 2.8 on an idempotent producer needs
// no right on the cluster (KIP-679).
func RightsFor(use Use, version string) []Right {
	rights := map[Right]bool{}
	add := func(operation Operation, resource Resource, names ...string) {
		for _, name := range names {
			rights[Right{Resource: resource, Name: name, Operation: operation}] = true
		}
	}
	add(OperationRead, ResourceTopic, use.Read...)
	add(OperationWrite, ResourceTopic, use.Write...)
	add(OperationRead, ResourceGroup, use.Join...)
	for _, group := range use.Look {
		if !slices.Contains(use.Join, group) {
			add(OperationDescribe, ResourceGroup, group)
		}
	}
	add(OperationWrite, ResourceTransaction, use.Transact...)
	add(OperationCreate, ResourceTopic, use.Create...)
	add(OperationDescribeConfigs, ResourceTopic, use.Compare...)
	add(OperationAlter, ResourceTopic, use.Grow...)
	for _, topic := range use.Compare {
		if !slices.Contains(use.Read, topic) && !slices.Contains(use.Write, topic) && !slices.Contains(use.Grow, topic) {
			add(OperationDescribe, ResourceTopic, topic)
		}
	}
	if len(use.Write) > 0 && asksForIdempotence(version) {
		add(OperationIdempotentWrite, ResourceCluster, clusterName)
	}
	sorted := make([]Right, 0, len(rights))
	for right := range rights {
		sorted = append(sorted, right)
	}
	slices.SortFunc(sorted, compareRights)
	return sorted
}

// asksForIdempotence says whether brokers of this version want a right of its own for an idempotent producer.
func asksForIdempotence(version string) bool {
	parsed, err := sarama.ParseKafkaVersion(cmp.Or(version, "2.8.0"))
	return err == nil && !parsed.IsAtLeast(sarama.V2_8_0_0)
}

// Check asks the brokers which rights we have and returns a [*Missing] with all that are not among them. What brokers do not say (those before
// 2.3, and topics that do not exist) counts as given: it shows when it is used.
func (r *Reader) Check(ctx context.Context, rights []Right) error {
	var missing []Right
	topics, groups := map[string][]Right{}, map[string][]Right{}
	for _, right := range rights {
		switch right.Resource {
		case ResourceTopic:
			topics[right.Name] = append(topics[right.Name], right)
		case ResourceGroup:
			groups[right.Name] = append(groups[right.Name], right)
		}
	}
	allowed, err := r.allowedOnTopics(ctx, slices.Sorted(maps.Keys(topics)))
	if err != nil {
		return err
	}
	for _, name := range slices.Sorted(maps.Keys(topics)) {
		missing = append(missing, without(topics[name], allowed[name])...)
	}
	for _, name := range slices.Sorted(maps.Keys(groups)) {
		operations, err := r.allowedOnGroup(ctx, name)
		if err != nil {
			return err
		}
		missing = append(missing, without(groups[name], operations)...)
	}
	if len(missing) > 0 {
		return &Missing{Rights: missing}
	}
	return nil
}

// unsaid is what stands for the operations of a broker that does not tell them.
const unsaid = math.MinInt32

// without are the rights that are not among the operations.
func without(rights []Right, operations int32) []Right {
	if operations == unsaid {
		return nil
	}
	return slices.DeleteFunc(slices.Clone(rights), func(right Right) bool { return operations&right.Operation.bit() != 0 })
}

// allowedOnTopics returns what we may do on each topic.
func (r *Reader) allowedOnTopics(ctx context.Context, topics []string) (map[string]int32, error) {
	allowed := make(map[string]int32, len(topics))
	if len(topics) == 0 {
		return allowed, nil
	}
	answer, err := await(ctx, func() (*sarama.MetadataResponse, error) {
		broker, err := r.client.Controller()
		if err != nil {
			return nil, err
		}
		request := sarama.NewMetadataRequest(r.client.Config().Version, topics)
		request.IncludeTopicAuthorizedOperations = request.Version >= 8
		return broker.GetMetadata(request)
	})
	if err != nil {
		return nil, fmt.Errorf("asking for our rights on topics: %w", explained(err))
	}
	for _, topic := range answer.Topics {
		switch {
		case errors.Is(topic.Err, sarama.ErrTopicAuthorizationFailed):
			allowed[topic.Name] = 0
		case !errors.Is(topic.Err, sarama.ErrNoError) || answer.Version < 8:
			allowed[topic.Name] = unsaid
		default:
			allowed[topic.Name] = topic.TopicAuthorizedOperations
		}
	}
	return allowed, nil
}

// allowedOnGroup returns what we may do with a group.
func (r *Reader) allowedOnGroup(ctx context.Context, group string) (int32, error) {
	answer, err := await(ctx, func() (*sarama.DescribeGroupsResponse, error) {
		coordinator, err := r.client.Coordinator(group)
		if err != nil {
			return nil, err
		}
		return coordinator.DescribeGroups(&sarama.DescribeGroupsRequest{Version: 4, Groups: []string{group}, IncludeAuthorizedOperations: true})
	})
	switch {
	case errors.Is(err, sarama.ErrGroupAuthorizationFailed):
		return 0, nil
	case err != nil:
		return 0, fmt.Errorf("asking for our rights on group %q: %w", group, explained(err))
	case len(answer.Groups) != 1:
		return unsaid, nil
	case errors.Is(answer.Groups[0].Err, sarama.ErrGroupAuthorizationFailed):
		return 0, nil
	default:
		return answer.Groups[0].AuthorizedOperations, nil
	}
}
