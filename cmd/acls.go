package cmd

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/prantikov/millrace/config"
	"github.com/prantikov/millrace/deadletter"
	"github.com/prantikov/millrace/kafka"
	"github.com/prantikov/millrace/kafka/security"
)

// uses are what acls can list rights for: the values of --for.
var uses = []string{"run", "topics", "partitions", "publish", "dlq", "redrive", "replay"}

// aclsCommand prints the rights that this program needs.
func aclsCommand(p *Program) *cobra.Command {
	var output, principal string
	var wanted []string
	command := &cobra.Command{
		Use:   "acls",
		Short: "Print the least rights that Kafka has to give this program",
		Long: "Acls prints what kafka-acls.sh is to be told, for the enabled consumers with their topics, groups, dead-letter and redrive topics: exactly\n" +
			"what is needed, nothing more. No broker is asked. --for says what the rights are for: run (the consumers, and lag), topics (creating topics\n" +
			"and comparing them with the settings; those that others own, with topics.<name>.manage off, are compared alone), partitions (topics apply\n" +
			"--add-partitions), publish, dlq (reading dead letters and what became of them), redrive (giving them back as well), replay (reading again).\n" +
			"Without it: run and topics, for run creates topics that are missing.",
		Args: noArguments,
		RunE: func(c *cobra.Command, _ []string) error {
			for _, use := range wanted {
				if !slices.Contains(uses, use) {
					return usage("--for takes %s, not %q", strings.Join(uses, ", "), use)
				}
			}
			s, err := p.openAside(c)
			if err != nil {
				return err
			}
			if principal == "" {
				principal = s.principal()
			}
			rights := kafka.RightsFor(s.use(wanted, nil), s.settings.Kafka.Version)
			return p.print(output, aclRows(principal, rights), func() error {
				for _, line := range aclLines(s.settings.Kafka, principal, rights) {
					if _, err := fmt.Fprintln(p.out, line); err != nil {
						return err
					}
				}
				return nil
			})
		},
	}
	flags := command.Flags()
	flags.StringVar(&principal, "principal", "", "who is given the rights (default the user of the settings, else `User:millrace`)")
	flags.StringSliceVar(&wanted, "for", []string{"run", "topics"}, "what they are for: run, topics, partitions, publish, dlq, redrive, replay, `a,b`")
	addOutputFlag(command, &output)
	return command
}

// principal is who the brokers take this program for, as far as the settings tell.
func (s *session) principal() string {
	switch {
	case s.settings.Kafka.SASL.Username != "":
		return "User:" + s.settings.Kafka.SASL.Username
	case s.settings.Kafka.Security.Protocol == config.ProtocolSSL:
		if subject := security.Subject(s.settings.Kafka.TLS); subject != "" {
			return "User:" + subject
		}
	}
	return "User:millrace"
}

// use is what this program does with the cluster, with only these consumers unless there is none.
func (s *session) use(wanted, only []string) (use kafka.Use) {
	letters := kafka.NewTopics(s.settings).DeadLetterTopic
	if slices.Contains(wanted, "run") {
		for _, consumer := range s.app.consumers {
			taken := s.taken(consumer)
			if len(only) > 0 && !slices.Contains(only, consumer.Name()) {
				continue
			}
			for _, declared := range taken {
				topic := s.topicName(declared.Topic())
				use.Read, use.Write = append(use.Read, topic), append(use.Write, letters(topic))
			}
			if len(taken) > 0 {
				use.Join = append(use.Join, s.settings.Consumer(consumer.Name()).Group)
				use.Read = append(use.Read, s.settings.RedriveTopic(consumer.Name()))
			}
		}
	}
	if slices.Contains(wanted, "replay") {
		for _, consumer := range s.app.consumers {
			taken := s.taken(consumer)
			for _, declared := range taken {
				use.Read = append(use.Read, s.topicName(declared.Topic()))
			}
			if len(taken) > 0 && consumer.Outside() {
				use.Look = append(use.Look, s.settings.Consumer(consumer.Name()).Group)
			}
		}
	}
	for _, declared := range s.app.types() {
		topic := s.topicName(declared.Topic())
		managed := s.manages(declared.Topic())
		if slices.Contains(wanted, "topics") || slices.Contains(wanted, "partitions") {
			use.Compare = append(use.Compare, topic, letters(topic))
		}
		if slices.Contains(wanted, "topics") && managed {
			use.Create = append(use.Create, topic, letters(topic))
		}
		if slices.Contains(wanted, "partitions") && managed {
			use.Grow = append(use.Grow, topic, letters(topic))
		}
		if slices.Contains(wanted, "publish") {
			use.Write = append(use.Write, topic)
		}
		if slices.Contains(wanted, "dlq") || slices.Contains(wanted, "redrive") {
			use.Read = append(use.Read, letters(topic))
		}
	}
	s.useRedrives(&use, wanted, only)
	return use
}

// manages says whether a topic, by its own name, is ours to create.
func (s *session) manages(own string) bool { return s.settings.Topic(own).Manage != config.ManageOff }

// useRedrives adds what is done with the redrive topics, but for their consumers' reading.
func (s *session) useRedrives(use *kafka.Use, wanted, only []string) {
	for _, redrive := range s.redriveTopics(only...) {
		if slices.Contains(wanted, "topics") || slices.Contains(wanted, "partitions") {
			use.Compare = append(use.Compare, redrive.Name)
		}
		// It is ours to create where one of its sources is, and keeps its one partition.
		if slices.Contains(wanted, "topics") && slices.ContainsFunc(redrive.Sources, s.manages) {
			use.Create = append(use.Create, redrive.Name)
		}
		redrives := slices.Contains(wanted, "redrive")
		if slices.Contains(wanted, "dlq") || redrives {
			use.Read, use.Look = append(use.Read, redrive.Name), append(use.Look, s.settings.Consumer(redrive.Consumer).Group)
		}
		if redrives {
			use.Write, use.Transact = append(use.Write, redrive.Name), append(use.Transact, deadletter.TransactionOf(redrive.Name))
		}
	}
}

// neededAtStart are the rights without which these consumers cannot run. Creating is not among them: it is needed for topics that are missing.
func (s *session) neededAtStart(only []string) []kafka.Right {
	use := s.use([]string{"run", "topics"}, only)
	use.Create = nil
	// Of topics that others own, those are looked at that these consumers read.
	for _, declared := range s.app.types() {
		topic := s.topicName(declared.Topic())
		if !s.manages(declared.Topic()) && !slices.Contains(use.Read, topic) {
			letters := kafka.NewTopics(s.settings).DeadLetterTopic(topic)
			use.Compare = slices.DeleteFunc(use.Compare, func(name string) bool { return name == topic || name == letters })
		}
	}
	return kafka.RightsFor(use, s.settings.Kafka.Version)
}

// aclRow is one right as acls -o json has it.
type aclRow struct {
	Principal string `json:"principal"`
	kafka.Right
}

func aclRows(principal string, rights []kafka.Right) []aclRow {
	rows := make([]aclRow, len(rights))
	for i, right := range rights {
		rows[i] = aclRow{principal, right}
	}
	return rows
}

// aclGroup are the resources of one kind that have the same operations.
type aclGroup struct {
	kind       kafka.Resource
	operations string
}

// aclLines are what kafka-acls.sh is to be told, a line for each group of resources. The rights are sorted.
func aclLines(settings config.Kafka, principal string, rights []kafka.Right) []string {
	var groups []aclGroup
	names := map[aclGroup][]string{}
	for i := 0; i < len(rights); {
		first, operations := rights[i], ""
		for ; i < len(rights) && rights[i].Resource == first.Resource && rights[i].Name == first.Name; i++ {
			operations += " --operation " + string(rights[i].Operation)
		}
		group := aclGroup{first.Resource, operations}
		if names[group] == nil {
			groups = append(groups, group)
		}
		names[group] = append(names[group], first.Name)
	}
	brokers := "localhost:9092"
	if len(settings.Brokers) > 0 {
		brokers = strings.Join(settings.Brokers, ",")
	}
	head := "kafka-acls.sh --bootstrap-server " + shellWord(brokers)
	if settings.Security.Protocol != config.ProtocolPlaintext {
		// Whoever gives rights has settings of their own to log in with.
		head += " --command-config admin.properties"
	}
	head += " --add --allow-principal " + shellWord(principal)
	lines := make([]string, len(groups))
	for i, group := range groups {
		lines[i] = head + group.operations
		for _, name := range names[group] {
			lines[i] += aclFlag(group.kind, name)
		}
	}
	return lines
}

// aclFlag names a resource to kafka-acls.sh.
func aclFlag(kind kafka.Resource, name string) string {
	switch kind {
	case kafka.ResourceCluster:
		return " --cluster"
	case kafka.ResourceTransaction:
		return " --transactional-id " + shellWord(name)
	}
	return " --" + strings.ToLower(string(kind)) + " " + shellWord(name)
}

// shellWord is a text as a shell takes it for one word.
func shellWord(text string) string {
	plain := func(r rune) bool {
		return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("._-:,/=@[]+%", r)
	}
	if text != "" && !strings.ContainsFunc(text, func(r rune) bool { return !plain(r) }) {
		return text
	}
	return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'"
}
