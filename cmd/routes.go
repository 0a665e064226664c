package cmd

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/prantikov/millrace/messages"
	"github.com/prantikov/millrace/router"
)

// routesCommand lists which function takes which events.
func routesCommand(p *Program) *cobra.Command {
	var output string
	var graph bool
	command := &cobra.Command{
		Use:   "routes",
		Short: "List which function takes which events",
		Long:  "Routes lists the routes of every enabled consumer: its topics, and the function for each action. No broker is asked.",
		Args:  noArguments,
		RunE: func(c *cobra.Command, _ []string) error {
			s, err := p.openAside(c)
			if err != nil {
				return err
			}
			rows := s.routes()
			return p.print(output, rows, func() error {
				if graph {
					return p.drawRoutes(rows)
				}
				table := [][]string{{"CONSUMER", "TOPIC", "TYPE", "ACTION", "FUNCTION"}}
				for _, row := range rows {
					table = append(table, []string{row.Consumer, row.Topic, row.Type, string(row.Action), row.Function})
				}
				return p.table(table)
			})
		},
	}
	command.Flags().BoolVar(&graph, "graph", false, "draw topic → consumer → function instead of a table")
	addOutputFlag(command, &output)
	return command
}

// routes are those of all enabled consumers, with the topics' names on the brokers.
func (s *session) routes() []router.Row {
	rows := []router.Row{}
	for _, consumer := range s.app.consumers {
		taken := s.taken(consumer)
		for _, row := range consumer.Rows() {
			if slices.ContainsFunc(taken, func(t messages.Type) bool { return t.Topic() == row.Topic }) {
				row.Topic = s.topicName(row.Topic)
				rows = append(rows, row)
			}
		}
	}
	return rows
}

// taken are the types whose topics a consumer takes under these settings: none when it is not enabled.
func (s *session) taken(consumer *router.Consumer) []messages.Type {
	settings := s.settings.Consumer(consumer.Name())
	if !settings.Enabled {
		return nil
	}
	return slices.DeleteFunc(slices.Clone(consumer.Types()), func(t messages.Type) bool {
		return len(settings.Topics) > 0 && !slices.Contains(settings.Topics, t.Topic())
	})
}

// branch is one line of a tree, with what hangs below it.
type branch struct {
	label string
	below []*branch
}

// child returns the branch with this label, which it makes when there is none.
func (b *branch) child(label string) *branch {
	for _, below := range b.below {
		if below.label == label {
			return below
		}
	}
	made := &branch{label: label}
	b.below = append(b.below, made)
	return made
}

// drawRoutes draws topic → consumer → function; the actions that share a function share its line. It is ASCII, so that it looks the same in every
// console, mail and source file.
func (p *Program) drawRoutes(rows []router.Row) error {
	root := &branch{}
	actions := map[*branch][]string{}
	for _, row := range rows {
		function := root.child(row.Topic + " (" + row.Type + ")").child(row.Consumer).child(row.Function)
		actions[function] = append(actions[function], string(row.Action))
	}
	for _, topic := range root.below {
		for _, consumer := range topic.below {
			for _, function := range consumer.below {
				function.label = strings.Join(actions[function], ", ") + " -> " + function.label
			}
		}
	}
	var text strings.Builder
	for _, topic := range root.below {
		text.WriteString(topic.label + "\n")
		topic.draw(&text, "")
	}
	_, err := fmt.Fprint(p.out, text.String())
	return err
}

// draw writes what hangs below the branch, each line behind the indent.
func (b *branch) draw(text *strings.Builder, indent string) {
	for i, below := range b.below {
		stem, next := "+- ", "|  "
		if i == len(b.below)-1 {
			stem, next = "\\- ", "   "
		}
		text.WriteString(indent + stem + below.label + "\n")
		below.draw(text, indent+next)
	}
}
