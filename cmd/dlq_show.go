package cmd

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/spf13/cobra"

	"github.com/prantikov/millrace/deadletter"
	"github.com/prantikov/millrace/privacy"
	"github.com/prantikov/millrace/record"
)

// dlqShowCommand shows one dead letter.
func dlqShowCommand(p *Program) *cobra.Command {
	var output, reason string
	command := &cobra.Command{
		Use:   "show TOPIC/PARTITION/OFFSET",
		Short: "Show one dead letter and what its class means, patient data hidden",
		Long: "Show prints a dead letter: where it comes from, what its class means, its headers and its body. What is patient data, or may be, is hidden.\n" +
			"With --reveal it is shown too. First the time, the user, the position and the reason are added to access.jsonl in the data directory; when that\n" +
			"cannot be done, nothing is shown.",
		Example: "  millrace dlq show order-events-dlt/3/17\n  millrace dlq show order-events-dlt/3/17 --reveal 'ticket 4711: the pharmacy asks for the order'",
		Args:    exactly("TOPIC/PARTITION/OFFSET"),
		RunE: func(c *cobra.Command, arguments []string) error {
			at, err := record.ParsePosition(arguments[0])
			if err != nil {
				return usage("%w", err)
			}
			reveal := c.Flags().Changed("reveal")
			if reveal && strings.TrimSpace(reason) == "" {
				return usage("--reveal takes the reason for which patient data is looked at, and this one is empty")
			}
			s, err := p.open(c)
			if err != nil {
				return err
			}
			at.Topic = s.sourceOrDeadLetters(at.Topic)
			return s.browse(c.Context(), func(browser *deadletter.Browser) error {
				detail, err := s.deadLetter(c.Context(), browser, at, reveal, reason)
				if errors.Is(err, deadletter.ErrNotDeadLetters) {
					return usage("%w", err)
				}
				if err != nil {
					return err
				}
				return p.print(output, detail, func() error { return p.showDeadLetter(detail) })
			})
		},
	}
	command.Flags().StringVar(&reason, "reveal", "", "show patient data too, for this `reason`, which is kept in access.jsonl")
	addOutputFlag(command, &output)
	return command
}

// deadLetter is a dead letter as it may be shown or, once the access is noted, whole.
func (s *session) deadLetter(ctx context.Context, browser *deadletter.Browser, at record.Position, reveal bool, reason string) (deadletter.Detail, error) {
	if !reveal {
		return browser.Show(ctx, at)
	}
	return browser.Reveal(ctx, at, func() error {
		if err := makeDataDir(s.settings.DataDir); err != nil {
			return err
		}
		return privacy.NoteAccess(s.settings.DataDir, at.String(), reason)
	})
}

// showDeadLetter prints a dead letter for people: what happened, what it means, its headers, and its body.
func (p *Program) showDeadLetter(d deadletter.Detail) error {
	body, err := shownBody(d.Body, d.Event, d.Raw)
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
	if e.Redriven.Topic != "" {
		rows = append(rows, []string{"Came back from", e.Redriven.String()})
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

// disarmed is text for a terminal: what could steer it, and what is no text, is escaped as Go writes it.
func disarmed(value []byte) string {
	var text strings.Builder
	for len(value) > 0 {
		r, size := utf8.DecodeRune(value)
		if r == '\n' || strconv.IsPrint(r) && !(r == utf8.RuneError && size == 1) {
			text.Write(value[:size])
		} else {
			quoted := strconv.Quote(string(value[:size]))
			text.WriteString(quoted[1 : len(quoted)-1])
		}
		value = value[size:]
	}
	return text.String()
}
