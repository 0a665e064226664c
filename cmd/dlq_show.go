package cmd

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"github.com/prantikov/millrace/deadletter"
)

// showDeadLetter prints a dead letter for people: what happened, what it means, its headers, and its body.
func (p *Program) showDeadLetter(d deadletter.Detail) error {
	body, err := bodyText(d)
	if err != nil {
		return err
	}
	if err := p.table(aboutDeadLetter(d)); err != nil {
		return err
	}
	if _, err := fmt.Fprintf(p.out, "\nHeaders (%d):\n", len(d.Headers)); err != nil {
		return err
	}
	headers := make([][]string, len(d.Headers))
	for i, header := range d.Headers {
		headers[i] = []string{"  " + header.Name, header.Value}
	}
	if err := p.table(headers); err != nil {
		return err
	}
	_, err = fmt.Fprintf(p.out, "\nBody (%d bytes):\n%s\n", d.Bytes, body)
	return err
}

// aboutDeadLetter is the upper part: one line per fact.
func aboutDeadLetter(d deadletter.Detail) [][]string {
	e := d.Entry
	attempts := "-"
	if e.Attempts > 0 {
		attempts = strconv.Itoa(e.Attempts)
	}
	rows := [][]string{
		{"Dead letter", e.Position.String()},
		{"Record", shownOrigin(e.Original)},
		{"Key", cmp.Or(d.Key, "-")},
		{"Written by", string(d.Family)},
		{"Consumer", cmp.Or(e.Consumer, "-")},
		{"Group", cmp.Or(d.Group, "-")},
		{"Function", cmp.Or(d.Handler, "-")},
		{"Attempts", attempts},
		{"First failure", shownTime(e.FirstFailure)},
		{"Failed at", shownTime(e.FailedAt)},
		{"Class", string(e.Class)},
	}
	for _, row := range [][]string{
		{"Meaning", d.Explanation.Meaning},
		{"Usual cause", d.Explanation.Cause},
		{"What to do", d.Explanation.Remedy},
		{"Command", strings.ReplaceAll(d.Explanation.Command, "TOPIC/PARTITION/OFFSET", e.Position.String())},
	} {
		// A class of a newer version has no explanation here.
		if row[1] != "" {
			rows = append(rows, row)
		}
	}
	return rows
}

// bodyText is what there is to show of the value.
func bodyText(d deadletter.Detail) (string, error) {
	switch d.Body {
	case deadletter.BodyNull:
		return "  null: a tombstone", nil
	case deadletter.BodyEmpty:
		return "  empty", nil
	case deadletter.BodyMasked:
		var text bytes.Buffer
		if err := json.Indent(&text, d.Event, "  ", "  "); err != nil {
			return "", fmt.Errorf("showing the body: %w", err)
		}
		return "  " + text.String(), nil
	default:
		return "  hidden: it cannot be read, so nobody knows what of it is patient data", nil
	}
}
