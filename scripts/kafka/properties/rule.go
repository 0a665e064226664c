// Package properties owns what the Kafka of a compose file is on a machine without Docker: its settings, made from the service's environment
// by the image's own rule, with host names, ports and paths of the machine in the place of the containers'. It never starts anything.
package properties

import (
	"maps"
	"slices"
	"strings"
)

// notSettings are the variables of the image that are no settings of the server.
var notSettings = []string{
	"KAFKA_VERSION", "KAFKA_HEAP_OPTS", "KAFKA_LOG4J_OPTS", "KAFKA_OPTS", "KAFKA_JMX_OPTS", "KAFKA_JVM_PERFORMANCE_OPTS", "KAFKA_GC_LOG_OPTS",
	"KAFKA_LOG4J_ROOT_LOGLEVEL", "KAFKA_LOG4J_LOGGERS", "KAFKA_TOOLS_LOG4J_LOGLEVEL", "KAFKA_JMX_HOSTNAME",
}

// Of returns the settings that the image makes of its environment: KAFKA_A_B is a.b; two underscores are one, three a dash.
func Of(environment map[string]string) map[string]string {
	settings := map[string]string{}
	for variable, value := range environment {
		name, ours := strings.CutPrefix(variable, "KAFKA_")
		if !ours || slices.Contains(notSettings, variable) {
			continue
		}
		// The order is the image's: each underscore is a dot, then three dots are a dash, then two an underscore.
		name = strings.ReplaceAll(strings.ToLower(name), "_", ".")
		name = strings.ReplaceAll(name, "...", "-")
		settings[strings.ReplaceAll(name, "..", "_")] = value
	}
	return settings
}

// Text is server.properties: one setting a line, in order.
func Text(settings map[string]string) string {
	var text strings.Builder
	for _, name := range slices.Sorted(maps.Keys(settings)) {
		text.WriteString(name + "=" + settings[name] + "\n")
	}
	return text.String()
}
