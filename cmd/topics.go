package cmd

import (
	"context"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/prantikov/millrace/config"
	"github.com/prantikov/millrace/kafka"
)

// topicsCommand says what there is of our topics, and creates what is missing.
func topicsCommand(p *Program) *cobra.Command {
	plan := topicsAction(p, "plan", "Show which topics there are and which would be created", (*kafka.Topics).Plan)
	apply := topicsAction(p, "apply", "Create the topics that are missing; what is there is never altered", (*kafka.Topics).Apply)
	return group("topics", "Plan and create the topics and their dead-letter topics", plan, apply)
}

func topicsAction(p *Program, use, short string, act func(*kafka.Topics, context.Context) ([]kafka.TopicPlan, error)) *cobra.Command {
	var output string
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
			plans, err := act(kafka.NewTopics(s.topicSettings()), c.Context())
			if err != nil {
				return err
			}
			return p.printTopics(output, plans)
		},
	}
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
		for _, row := range rows {
			table = append(table, []string{
				row.Topic, row.Action, strconv.Itoa(row.Partitions), strconv.Itoa(row.Replicas), row.Retention, row.Cleanup, strings.Join(row.Notes, "; "),
			})
		}
		return p.table(table)
	})
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
	plans, err := kafka.NewTopics(settings).Apply(ctx)
	if err != nil {
		return err
	}
	for _, plan := range plans {
		if plan.Action == kafka.ActionCreate {
			s.logger.Info("topic created", "topic", plan.Topic, "partitions", plan.Partitions, "replicas", plan.Replicas)
		}
	}
	return nil
}
