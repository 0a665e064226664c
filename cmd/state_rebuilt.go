package cmd

import (
	"fmt"
	"strconv"

	"github.com/prantikov/millrace/handlers"
	"github.com/prantikov/millrace/replay/state"
	"github.com/prantikov/millrace/store"
)

// rebuiltRow is what became of one type of entities.
type rebuiltRow struct {
	Entity string      `json:"entity"`
	Read   state.Tally `json:"read"`
	// Live and Rebuilt count entities: of the store as it was, and of the log.
	Live      int64        `json:"live"`
	Rebuilt   int64        `json:"rebuilt"`
	Missing   int64        `json:"missing"`
	Extra     int64        `json:"extra"`
	Different int64        `json:"different"`
	First     []differsRow `json:"first"`
	// Left counts entities that were left as they are, for records of theirs are lost.
	Left int64 `json:"left"`
	Same bool  `json:"same"`
}

type differsRow struct {
	ID  string    `json:"id"`
	How store.How `json:"how"`
}

func rebuiltRowOf(kept handlers.Kept, read state.Tally, c store.Comparison) rebuiltRow {
	row := rebuiltRow{
		Entity: kept.Name, Read: read, Live: c.Live, Rebuilt: c.Rebuilt,
		Missing: c.Missing, Extra: c.Extra, Different: c.Different, Left: c.Left, Same: c.Same(), First: []differsRow{},
	}
	for _, one := range c.First {
		row.First = append(row.First, differsRow{one.ID, one.How})
	}
	return row
}

// printRebuilt prints a line for each type, the first of those that differ, and what was or would be done.
func (p *Program) printRebuilt(rows []rebuiltRow, executed bool) error {
	table := [][]string{{"ENTITY", "RECORDS", "LIVE", "REBUILT", "MISSING", "EXTRA", "DIFFERENT", "LEFT"}}
	differing := int64(0)
	for _, row := range rows {
		cells := []string{row.Entity}
		for _, number := range []int64{row.Read.Records, row.Live, row.Rebuilt, row.Missing, row.Extra, row.Different, row.Left} {
			cells = append(cells, strconv.FormatInt(number, 10))
		}
		table = append(table, cells)
		differing += row.Missing + row.Extra + row.Different
	}
	if err := p.table(table); err != nil {
		return err
	}
	for _, row := range rows {
		for _, one := range row.First {
			if _, err := fmt.Fprintf(p.out, "%s %s is %s\n", row.Entity, disarmed([]byte(one.ID)), howText(one.How)); err != nil {
				return err
			}
		}
	}
	end := "The store is what the log comes to.\n"
	switch {
	case differing > 0 && executed:
		end = fmt.Sprintf("%s put right, with their histories.\n", were(differing))
	case differing > 0:
		end = fmt.Sprintf("%s not what the log comes to. Nothing was changed.\n", are(differing))
	}
	_, err := fmt.Fprint(p.out, "\n"+end)
	return err
}

func howText(how store.How) string {
	switch how {
	case store.HowMissing:
		return "missing in the store"
	case store.HowExtra:
		return "in the store alone"
	default:
		return "different"
	}
}

func were(entities int64) string {
	if entities == 1 {
		return "1 entity was"
	}
	return strconv.FormatInt(entities, 10) + " entities were"
}

func are(entities int64) string {
	if entities == 1 {
		return "1 entity is"
	}
	return strconv.FormatInt(entities, 10) + " entities are"
}
