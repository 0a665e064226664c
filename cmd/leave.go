package cmd

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/prantikov/millrace/kafka"
)

// leaveCommand takes the members of an instance out of their groups.
func leaveCommand(p *Program) *cobra.Command {
	var output string
	command := &cobra.Command{
		Use:   "leave [INSTANCE]",
		Short: "Take an instance that was stopped for good out of its groups",
		Long: "Leave tells the brokers that an instance (kafka.instance_id) does not come back: others get its partitions at once, instead of when\n" +
			"kafka.session_timeout is over. Without INSTANCE it is the one of this configuration. Stop its process first: one that runs joins again.\n" +
			"It needs nothing but the brokers, so it can be run anywhere.",
		Args: func(c *cobra.Command, arguments []string) error {
			if len(arguments) > 1 {
				return usage("%s takes one INSTANCE", c.CommandPath())
			}
			return nil
		},
		RunE: func(c *cobra.Command, arguments []string) error {
			s, err := p.open(c)
			if err != nil {
				return err
			}
			instance, err := s.leaving(arguments)
			if err != nil {
				return err
			}
			var rows []departure
			if err := s.grouping(c.Context(), func(groups *kafka.Groups) error {
				rows, err = s.leave(c.Context(), groups, instance)
				return err
			}); err != nil {
				return err
			}
			if err := p.printDepartures(output, rows); err != nil {
				return err
			}
			return returned(instance, rows)
		},
	}
	addOutputFlag(command, &output)
	return command
}

// departure is what became of one consumer's member.
type departure struct {
	Consumer string `json:"consumer"`
	Group    string `json:"group"`
	Member   string `json:"member"`
	// Result is left, was no member, or joined again.
	Result string `json:"result"`
}

const (
	departureLeft  = "left"
	departureNone  = "was no member"
	departureAgain = "joined again"
)

// leaving is the instance that is to leave.
func (s *session) leaving(arguments []string) (string, error) {
	if len(arguments) == 1 {
		return arguments[0], nil
	}
	instance, err := s.lastingName()
	if err == nil && instance == "" {
		return "", usage("kafka.instance_id is not set, so a stop leaves the groups by itself; name the INSTANCE to take out another one")
	}
	return instance, err
}

// grouping gives a function the groups for as long as it runs.
func (s *session) grouping(ctx context.Context, use func(*kafka.Groups) error) error {
	disconnect, err := s.connect(ctx)
	if err != nil {
		return err
	}
	defer disconnect()
	groups, err := kafka.NewGroups(ctx, s.settings.Kafka)
	if err != nil {
		return err
	}
	return errors.Join(use(groups), groups.Close())
}

// leave takes the instance out of the groups of all consumers, and looks for a while whether one of its members comes back.
func (s *session) leave(ctx context.Context, groups *kafka.Groups, instance string) ([]departure, error) {
	rows := []departure{}
	for _, consumer := range s.app.consumers {
		row := departure{Consumer: consumer.Name(), Group: s.settings.Consumer(consumer.Name()).Group, Member: memberName(instance, consumer.Name()), Result: departureNone}
		left, err := groups.Remove(ctx, row.Group, row.Member)
		if err != nil {
			return nil, err
		}
		if left {
			row.Result = departureLeft
		}
		rows = append(rows, row)
	}
	return rows, s.awaitReturn(ctx, groups, rows)
}

// returnPeriod is how often it is looked whether a member comes back.
const returnPeriod = 250 * time.Millisecond

// awaitReturn marks the members that have joined again: a process that runs notices with its next heartbeat.
func (s *session) awaitReturn(ctx context.Context, groups *kafka.Groups, rows []departure) error {
	until := time.Now().Add(2 * s.settings.Kafka.HeartbeatInterval)
	for time.Now().Before(until) && slices.ContainsFunc(rows, func(row departure) bool { return row.Result == departureLeft }) {
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(returnPeriod):
		}
		for i, row := range rows {
			if row.Result != departureLeft {
				continue
			}
			instances, err := groups.Instances(ctx, row.Group)
			if err != nil {
				return err
			}
			if slices.Contains(instances, row.Member) {
				rows[i].Result = departureAgain
			}
		}
	}
	return nil
}

func (p *Program) printDepartures(output string, rows []departure) error {
	return p.print(output, rows, func() error {
		table := [][]string{{"CONSUMER", "GROUP", "MEMBER", "RESULT"}}
		for _, row := range rows {
			table = append(table, []string{row.Consumer, row.Group, row.Member, row.Result})
		}
		return p.table(table)
	})
}

// returned is an error when members have joined again.
func returned(instance string, rows []departure) error {
	var again []string
	for _, row := range rows {
		if row.Result == departureAgain {
			again = append(again, row.Consumer)
		}
	}
	if len(again) == 0 {
		return nil
	}
	return fmt.Errorf("%q still runs, %s joined again: stop its process first, then let it leave", instance, strings.Join(again, ", "))
}
