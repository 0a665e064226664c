package kafka

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/prantikov/millrace/config"
)

// MissingTopicsError says which topics others have to create before we can work: their topics.<name>.manage is off.
type MissingTopicsError struct {
	// Plans are those of the missing topics.
	Plans []TopicPlan
}

// missing is a [*MissingTopicsError] when others have to create topics.
func missing(plans []TopicPlan) error {
	absent := slices.DeleteFunc(slices.Clone(plans), func(p TopicPlan) bool { return p.Action != ActionMissing })
	if len(absent) == 0 {
		return nil
	}
	return &MissingTopicsError{Plans: absent}
}

// Error is one sentence that ends with the lines that create them.
func (e *MissingTopicsError) Error() string {
	var names, settings, lines []string
	for _, plan := range e.Plans {
		names, settings = append(names, fmt.Sprintf("%q", plan.Topic)), append(settings, plan.setting)
		for _, line := range plan.Commands {
			lines = append(lines, "\n  "+line)
		}
	}
	slices.Sort(settings)
	settings = slices.Compact(settings)
	noun, verb := "topic", "is"
	if len(names) > 1 {
		noun, verb = "topics", "are"
	}
	setting := "is"
	if len(settings) > 1 {
		setting = "are"
	}
	return fmt.Sprintf("%s %s %s missing, and as %s %s off, who owns them has to create them, for example with:%s",
		noun, strings.Join(names, ", "), verb, strings.Join(settings, ", "), setting, strings.Join(lines, ""))
}

// commands are the lines of Kafka's own tools for what we do not do ourselves: to create a topic that others own, to give it partitions, and to
// change the settings of any topic that is there.
func (p TopicPlan) commands(s config.Kafka, wanted TopicPlan) (lines []string) {
	head := "--bootstrap-server " + strings.Join(s.Brokers, ",")
	if cmp.Or(s.Security.Protocol, config.ProtocolPlaintext) != config.ProtocolPlaintext {
		// Whoever owns the topics has settings of their own to log in with.
		head += " --command-config admin.properties"
	}
	tool := func(name string, arguments ...string) {
		lines = append(lines, fmt.Sprintf("%s.sh %s %s", name, head, strings.Join(arguments, " ")))
	}
	if p.Action == ActionMissing {
		arguments := []string{
			"--create", "--topic", p.Topic, "--partitions", fmt.Sprint(p.Partitions), "--replication-factor", fmt.Sprint(p.Replicas),
		}
		entries := p.entries()
		for _, name := range slices.Sorted(maps.Keys(entries)) {
			arguments = append(arguments, "--config", name+"="+entries[name])
		}
		tool("kafka-topics", arguments...)
	}
	if !p.Exists {
		return lines
	}
	if !p.Managed && p.Partitions < wanted.Partitions {
		tool("kafka-topics", "--alter", "--topic", p.Topic, "--partitions", fmt.Sprint(wanted.Partitions))
	}
	if changes := p.changes(wanted); len(changes) > 0 {
		tool("kafka-configs", "--alter", "--entity-type", "topics", "--entity-name", p.Topic, "--add-config", strings.Join(changes, ","))
	}
	return lines
}

// changes are the settings of the topic that are to be others, as Kafka's tool takes them.
func (p TopicPlan) changes(wanted TopicPlan) (changes []string) {
	for setting, name := range map[string]string{
		driftRetention: retentionEntry, driftCleanup: cleanupEntry, driftBytes: bytesEntry,
	} {
		if p.drifts(setting) {
			changes = append(changes, name+"="+wanted.entries()[name])
		}
	}
	slices.Sort(changes)
	return changes
}
