// Command kafka writes the server.properties of a compose file's Kafka nodes, for kafka.sh where no Docker runs: what the file says is what
// runs there too. It never starts anything.
//
//	go run ./scripts/kafka FILE PORT DIRECTORY
//
// writes DIRECTORY/node1/node.properties and so on, and prints how many nodes there are.
package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"

	"github.com/prantikov/millrace/scripts/kafka/properties"
)

func main() {
	if err := write(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "kafka:", err)
		os.Exit(1)
	}
}

func write(arguments []string) error {
	if len(arguments) != 3 {
		return fmt.Errorf("want FILE PORT DIRECTORY, got %q", arguments)
	}
	port, err := strconv.Atoi(arguments[1])
	if err != nil {
		return fmt.Errorf("the port is %q, want a number", arguments[1])
	}
	folder := func(node int) string { return filepath.Join(arguments[2], "node"+strconv.Itoa(node)) }
	nodes, err := properties.Compose(context.Background(), arguments[0], port, func(node int) string { return filepath.Join(folder(node), "data") })
	if err != nil {
		return err
	}
	for i, settings := range nodes {
		if err := os.MkdirAll(folder(i+1), 0o755); err != nil {
			return fmt.Errorf("writing the settings of node %d: %w", i+1, err)
		}
		if err := os.WriteFile(filepath.Join(folder(i+1), "node.properties"), []byte(properties.Text(settings)), 0o644); err != nil {
			return fmt.Errorf("writing the settings of node %d: %w", i+1, err)
		}
	}
	fmt.Println(len(nodes))
	return nil
}
