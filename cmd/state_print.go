package cmd

import (
	"cmp"
	"fmt"
	"strconv"
	"time"

	"github.com/prantikov/millrace/handlers"
	"github.com/prantikov/millrace/replay/state"
)

// printState prints one state for people.
func (p *Program) printState(kept handlers.Kept, v state.View) error {
	rows := [][]string{
		{"Entity", kept.Name + " " + v.ID},
		{"Status", cmp.Or(v.Status, "-")},
		{"Last action", v.Action},
		{"Deleted", map[bool]string{true: "yes", false: "no"}[v.Deleted]},
		{"Change", strconv.FormatInt(v.Revision, 10)},
		{"Record", v.Position().String()},
		{"Time", v.Timestamp.Format(time.RFC3339Nano)},
	}
	if v.FirstSeen != "" {
		rows = append(rows, []string{"First record", v.FirstSeen})
	}
	if err := p.table(rows); err != nil {
		return err
	}
	text, err := shownBody(v.Body, v.Event, v.Raw)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(p.out, "\nBody:\n%s\n", text)
	return err
}

// printHistory prints a line for each change; revealed ones are followed by their bodies.
func (p *Program) printHistory(views []state.View, bodies bool) error {
	table := [][]string{{"CHANGE", "TIME", "ACTION", "STATUS", "RECORD"}}
	for _, v := range views {
		table = append(table, []string{
			strconv.FormatInt(v.Revision, 10), v.Timestamp.Format(time.RFC3339Nano), v.Action, cmp.Or(v.Status, "-"), v.Position().String(),
		})
	}
	if err := p.table(table); err != nil || !bodies {
		return err
	}
	for _, v := range views {
		text, err := shownBody(v.Body, v.Event, v.Raw)
		if err != nil {
			return err
		}
		if _, err := fmt.Fprintf(p.out, "\nChange %d:\n%s\n", v.Revision, text); err != nil {
			return err
		}
	}
	return nil
}
