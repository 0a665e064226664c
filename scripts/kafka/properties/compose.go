package properties

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/compose-spec/compose-go/v2/cli"
	"github.com/compose-spec/compose-go/v2/types"
)

// Compose returns the settings of the Kafka nodes of a compose file, those of node 1 first, on a machine. Each node's data is under data, in
// the folder that the number gives. A node is a service whose name begins with kafka.
func Compose(ctx context.Context, file string, port int, data func(node int) string) ([]map[string]string, error) {
	options, err := cli.NewProjectOptions([]string{file}, cli.WithEnv([]string{"KAFKA_PORT=" + strconv.Itoa(port)}))
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", file, err)
	}
	project, err := options.LoadProject(ctx)
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", file, err)
	}
	nodes, err := kafkas(project)
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", file, err)
	}
	machine := Machine{Port: port}
	for _, node := range nodes {
		machine.Hosts = append(machine.Hosts, node.Hostname)
	}
	var all []map[string]string
	for i, node := range nodes {
		machine.Data = data(i + 1)
		local, err := machine.Local(Of(node.Environment.ToMapping()), i+1)
		if err != nil {
			return nil, fmt.Errorf("%s: service %s: %w", file, node.Name, err)
		}
		all = append(all, local)
	}
	return all, nil
}

// kafkas are the Kafka services in the order of their node ids, which count from 1.
func kafkas(project *types.Project) ([]types.ServiceConfig, error) {
	var nodes []types.ServiceConfig
	for _, service := range project.Services {
		if strings.HasPrefix(service.Name, "kafka") {
			nodes = append(nodes, service)
		}
	}
	id := func(service types.ServiceConfig) string { return service.Environment.ToMapping()["KAFKA_NODE_ID"] }
	slices.SortFunc(nodes, func(a, b types.ServiceConfig) int { return strings.Compare(id(a), id(b)) })
	for i, node := range nodes {
		if id(node) != strconv.Itoa(i+1) {
			return nil, fmt.Errorf("service %s: KAFKA_NODE_ID is %q, want %d", node.Name, id(node), i+1)
		}
	}
	if len(nodes) == 0 {
		return nil, fmt.Errorf("no service's name begins with kafka")
	}
	return nodes, nil
}
