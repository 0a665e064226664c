package cmd

import (
	"fmt"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/prantikov/millrace/control"
)

// statusCommand shows how a running process is.
func statusCommand(p *Program) *cobra.Command {
	var output string
	var partitions bool
	command := &cobra.Command{
		Use:   "status",
		Short: "Show how the running consumers are, on one screen",
		Long: "Status asks the process that runs in the data directory: what each consumer does, its rate over ten seconds, how many records it\n" +
			"has not finished (lag) and how many seconds old the oldest of them is, what it works on, the keys that wait for a retry, and its dead\n" +
			"letters of the last hour; and the alarms. It counts the partitions that this process owns. A - is not known.",
		Args: noArguments,
		RunE: func(c *cobra.Command, _ []string) error {
			return p.reach(c, func(client *control.Client) error {
				status, err := client.Status(c.Context(), partitions)
				if err != nil {
					return err
				}
				return p.print(output, status, func() error { return p.printStatus(status, partitions) })
			})
		},
	}
	command.Flags().BoolVar(&partitions, "partitions", false, "a row per partition below")
	addOutputFlag(command, &output)
	return command
}

func (p *Program) printStatus(status control.Status, partitions bool) error {
	table := [][]string{{"CONSUMER", "STATE", "PER SECOND", "LAG", "OLDEST (S)", "IN FLIGHT", "KEYS WAITING", "DEAD LETTERS (1H)", "CONCURRENCY"}}
	for _, c := range status.Consumers {
		row := []string{c.Consumer, stateText(c.State, c.Reason, c.PausedUntil, status.At), decimal(c.PerSecond)}
		row = append(row, measureCells(c.Measures)...)
		concurrency := "-"
		if c.Concurrency > 0 {
			concurrency = number(c.Concurrency)
		}
		table = append(table, append(row, number(int(c.DeadLetters)), concurrency))
	}
	if err := p.table(table); err != nil {
		return err
	}
	if partitions {
		if err := p.printPartitions(status); err != nil {
			return err
		}
	}
	return p.printAlarms(status)
}

func (p *Program) printPartitions(status control.Status) error {
	table := [][]string{{"CONSUMER", "PARTITION", "STATE", "FRONTIER", "LAG", "OLDEST (S)", "IN FLIGHT", "KEYS WAITING"}}
	for _, c := range status.Consumers {
		for _, partition := range c.Partitions {
			row := []string{
				c.Consumer, partition.Topic + "/" + strconv.Itoa(int(partition.Partition)),
				stateText(partition.State, partition.Reason, partition.PausedUntil, status.At), strconv.FormatInt(partition.Frontier, 10),
			}
			table = append(table, append(row, measureCells(partition.Measures)...))
		}
	}
	if _, err := fmt.Fprintln(p.out); err != nil {
		return err
	}
	return p.table(table)
}

func (p *Program) printAlarms(status control.Status) error {
	if len(status.Alarms) == 0 {
		_, err := fmt.Fprintln(p.out, "\nno alarm")
		return err
	}
	table := [][]string{{"ALARM", "CONSUMER", "PARTITION", "SINCE", "TEXT"}}
	for _, alarm := range status.Alarms {
		place := alarm.Topic
		if alarm.Partition >= 0 {
			place += "/" + strconv.Itoa(int(alarm.Partition))
		}
		table = append(table, []string{alarm.Kind, orDash(alarm.Consumer), orDash(place), alarm.Since.Local().Format(time.DateTime), alarm.Text})
	}
	if _, err := fmt.Fprintln(p.out); err != nil {
		return err
	}
	return p.table(table)
}

// stateText says a state in a cell.
func stateText(state, reason string, until *time.Time, now time.Time) string {
	switch {
	case until != nil:
		return fmt.Sprintf("paused until %s (%s)", until.Local().Format(time.TimeOnly), max(0, until.Sub(now).Round(time.Second)))
	case state == control.StateWaiting:
		return "waiting " + reason
	case state == control.StateFull:
		return "full"
	case reason == "":
		return state
	case state == control.StateRunning:
		return state + ", " + reason
	default:
		return state + ": " + reason
	}
}

func measureCells(m control.Measures) []string {
	oldest := "-"
	if m.OldestSeconds >= 0 {
		oldest = decimal(m.OldestSeconds)
	}
	return []string{knownNumber(int(m.Lag)), oldest, knownNumber(m.InFlight), knownNumber(m.WaitingKeys)}
}

// decimal has one place behind the point while that tells something.
func decimal(value float64) string {
	if value == 0 || value >= 100 {
		return number(int(value + 0.5))
	}
	return strconv.FormatFloat(value, 'f', 1, 64)
}

// knownNumber is a number, or - for a negative one, which is not known.
func knownNumber(n int) string {
	if n < 0 {
		return "-"
	}
	return number(n)
}

func orDash(text string) string {
	if text == "" {
		return "-"
	}
	return text
}
