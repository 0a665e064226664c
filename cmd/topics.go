package cmd

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/prantikov/millrace/config"
	"github.com/prantikov/millrace/kafka"
)

// topicsCommand says what there is of our topics, and creates what is missing.
func topicsCommand(p *Program) *cobra.Command {
	plan := topicsAction(p, "plan", "Show which topics there are, where they are not as the settings say, and what apply would do", (*kafka.Topics).Plan)
	plan.Long = "Plan compares the topics, their dead-letter topics and the consumers' redrive topics with the settings: partitions, replicas, retention, cleanup policy and the largest batch.\n" +
		"What millrace does not do itself it prints as lines of Kafka's own tools: it changes no setting of a topic that is there, and creates no\n" +
		"topic whose topics.<name>.manage is off."
	apply := topicsAction(p, "apply", "Create the topics that are missing; what is there is not altered", (*kafka.Topics).Apply)
	apply.Long = "Apply creates the topics, dead-letter topics and redrive topics that are missing. It alters none that is there, but with --add-partitions it gives those\n" +
		"that have fewer partitions than the settings say the rest of them. Keys move then: new records of a key may go to another partition than its\n" +
		"earlier ones and be handled before them, so stop what produces and let every consumer come to the end first. Partitions cannot be taken away."
	return group("topics", "Plan and create the topics, their dead-letter topics and the redrive topics", plan, apply)
}

func topicsAction(p *Program, use, short string, act func(*kafka.Topics, context.Context) ([]kafka.TopicPlan, error)) *cobra.Command {
	var output string
	var grow bool
	command := &cobra.Command{
		Use:   use,
		Short: short,
		Args:  noArguments,
		RunE: func(c *cobra.Command, _ []string) error {
			s, err := p.open(c)
			if err != nil {
				return err
			}
			disconnect, err := s.connect(c.Context())
			if err != nil {
				return err
			}
			defer disconnect()
			topics := kafka.NewTopics(s.topicSettings()).WithRedrives(s.redriveTopics())
			if grow {
				topics = topics.AddingPartitions()
			}
			plans, err := act(topics, c.Context())
			if err != nil {
				return err
			}
			return p.printTopics(output, plans)
		},
	}
	command.Flags().BoolVar(&grow, "add-partitions", false, "give topics that have fewer partitions than the settings say the rest; keys move")
	addOutputFlag(command, &output)
	return command
}

// topicRow is a plan with its retention as the configuration has it.
type topicRow struct {
	kafka.TopicPlan
	Retention string `json:"retention"`
}

func (p *Program) printTopics(output string, plans []kafka.TopicPlan) error {
	rows := make([]topicRow, len(plans))
	for i, plan := range plans {
		rows[i] = topicRow{plan, retentionText(plan.Retention)}
	}
	return p.print(output, rows, func() error {
		table := [][]string{{"TOPIC", "ACTION", "PARTITIONS", "REPLICAS", "RETENTION", "CLEANUP", "NOTES"}}
		var commands []string
		for _, row := range rows {
			table = append(table, []string{
				row.Topic, row.Action, partitionsText(row.TopicPlan), strconv.Itoa(row.Replicas), row.Retention, row.Cleanup, notesText(row.TopicPlan),
			})
			commands = append(commands, row.Commands...)
		}
		if err := p.table(table); err != nil || len(commands) == 0 {
			return err
		}
		_, err := io.WriteString(p.out, "\nWhat millrace leaves to who owns the topics:\n\n"+strings.Join(commands, "\n")+"\n")
		return err
	})
}

// partitionsText is how many there are, and how many more there are to be: 6 +6.
func partitionsText(plan kafka.TopicPlan) string {
	if plan.AddPartitions == 0 {
		return strconv.Itoa(plan.Partitions)
	}
	return fmt.Sprintf("%d +%d", plan.Partitions, plan.AddPartitions)
}

func notesText(plan kafka.TopicPlan) string {
	var texts []string
	for _, drift := range plan.Drift {
		texts = append(texts, drift.String())
	}
	return strings.Join(slices.Concat(texts, plan.Notes), "; ")
}

// retentionText is a retention as the configuration has it: -1 is for ever.
func retentionText(retention time.Duration) string {
	if retention < 0 {
		return "-1"
	}
	return retention.String()
}

// createTopic creates one of our topics and its dead-letter topic, as the settings have them.
func (s *session) createTopic(ctx context.Context, own string) error {
	settings := s.topicSettings()
	settings.Topics = map[string]config.Topic{own: settings.Topics[own]}
	return s.applyTopics(ctx, settings, nil)
}

// createTopics creates the topics of every type, and the redrive topics of these consumers. Of those that others own it checks the ones that these
// consumers read.
func (s *session) createTopics(ctx context.Context, only []string) error {
	settings := s.topicSettings()
	read := map[string]bool{}
	for _, consumer := range s.app.consumers {
		if len(only) > 0 && !slices.Contains(only, consumer.Name()) {
			continue
		}
		for _, declared := range s.taken(consumer) {
			read[declared.Topic()] = true
		}
	}
	for own, topic := range settings.Topics {
		if topic.Manage == config.ManageOff && !read[own] {
			delete(settings.Topics, own)
		}
	}
	return s.applyTopics(ctx, settings, s.redriveTopics(only...))
}

func (s *session) applyTopics(ctx context.Context, settings config.Settings, redrives []kafka.RedriveTopic) error {
	plans, err := kafka.NewTopics(settings).WithRedrives(redrives).Apply(ctx)
	for _, plan := range plans {
		if err == nil && plan.Action == kafka.ActionCreate {
			s.logger.Info("topic created", "topic", plan.Topic, "partitions", plan.Partitions, "replicas", plan.Replicas)
		}
	}
	return err
}
