package cmd

import (
	"bytes"
	"cmp"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// report is what a command shows in three forms: the same rows as a table for people, as CSV and as JSON.
type report struct {
	columns []reportColumn
	// rows have a cell for each column: a string, a number, perCent, a time.Duration, or nil for what there is not.
	rows [][]any
}

type reportColumn struct {
	// name is the column's in JSON and CSV, title in the table.
	name, title string
}

// perCent is a rate, shown with its sign in a table.
type perCent float64

// printReport writes a report in the form that was asked for.
func (p *Program) printReport(output string, r report) error {
	if output == "csv" {
		return p.csv(r)
	}
	return p.print(output, r, func() error {
		table := [][]string{make([]string, len(r.columns))}
		for i, column := range r.columns {
			table[0][i] = column.title
		}
		for _, row := range r.rows {
			table = append(table, texts(row, shownCell))
		}
		return p.table(table)
	})
}

// csv writes a report as RFC 4180 has it: lines end with CR and LF, the first one has the names.
func (p *Program) csv(r report) error {
	writer := csv.NewWriter(p.out)
	writer.UseCRLF = true
	names := make([]string, len(r.columns))
	for i, column := range r.columns {
		names[i] = column.name
	}
	_ = writer.Write(names) // an error stays until the end
	for _, row := range r.rows {
		_ = writer.Write(texts(row, csvCell))
	}
	writer.Flush()
	return writer.Error()
}

func texts(row []any, text func(any) string) []string {
	cells := make([]string, len(row))
	for i, cell := range row {
		cells[i] = text(cell)
	}
	return cells
}

// shownCell is a cell for people.
func shownCell(cell any) string {
	switch cell := cell.(type) {
	case perCent:
		return strconv.FormatFloat(float64(cell), 'f', 1, 64) + "%"
	case time.Duration:
		return shownDuration(cell)
	case nil:
		return "-"
	case string:
		return cmp.Or(cell, "-")
	}
	return fmt.Sprint(cell)
}

// csvCell is a cell for programs, among them spreadsheets: they take a text that begins like a formula for one, so such a text gets the
// apostrophe before it that makes it a text.
func csvCell(cell any) string {
	switch cell := cell.(type) {
	case nil:
		return ""
	case string:
		if cell != "" && strings.ContainsRune("=+-@\t\r", rune(cell[0])) {
			return "'" + cell
		}
	case perCent:
		return strconv.FormatFloat(float64(cell), 'f', -1, 64)
	case time.Duration:
		return strconv.FormatFloat(cell.Seconds(), 'f', -1, 64)
	}
	return fmt.Sprint(cell)
}

// MarshalJSON writes an array of objects, whose fields stand in the order of the columns. Durations are in seconds.
func (r report) MarshalJSON() ([]byte, error) {
	var out bytes.Buffer
	out.WriteByte('[')
	for i, row := range r.rows {
		if i > 0 {
			out.WriteByte(',')
		}
		for k, cell := range row {
			if duration, ok := cell.(time.Duration); ok {
				cell = duration.Seconds()
			}
			value, err := json.Marshal(cell)
			if err != nil {
				return nil, err
			}
			fmt.Fprintf(&out, "%c%q:%s", "{,"[min(k, 1)], r.columns[k].name, value)
		}
		out.WriteByte('}')
	}
	out.WriteByte(']')
	return out.Bytes(), nil
}

// shownDuration is a duration in its two largest units.
func shownDuration(d time.Duration) string {
	units := []struct {
		name string
		of   time.Duration
	}{{"d", 24 * time.Hour}, {"h", time.Hour}, {"m", time.Minute}, {"s", time.Second}}
	if d < time.Minute {
		return strconv.FormatFloat(d.Seconds(), 'f', -1, 64) + "s"
	}
	for i, unit := range units[:len(units)-1] {
		if d >= unit.of {
			below := units[i+1]
			d = d.Round(below.of)
			if d >= unit.of && d%unit.of == 0 {
				return fmt.Sprintf("%d%s", d/unit.of, unit.name)
			}
			return fmt.Sprintf("%d%s%d%s", d/unit.of, unit.name, d%unit.of/below.of, below.name)
		}
	}
	return d.String()
}
