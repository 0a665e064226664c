package cmd

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/prantikov/millrace/kafka"
	"github.com/prantikov/millrace/messages"
	"github.com/prantikov/millrace/record"
	"github.com/prantikov/millrace/router"
)

// publication is one publish command at work.
type publication struct {
	*session
	options   publishOptions
	target    target
	headers   []record.Header
	publisher *kafka.Publisher

	read, refused int
	// unsure counts the lines that may or may not be on the topic; failure is why the first of them is.
	unsure  int
	failure error
	warned  bool
}

// outgoing is one record on its way.
type outgoing struct {
	line   int
	record *record.Record
	// shown is the record's key where it is an entity's id.
	shown string
}

// run sends the lines of the input until its end, or until the context ends: then what was read is sent and nothing more is read.
func (p *publication) run(ctx context.Context, in io.Reader) error {
	reading, cancel := context.WithCancel(ctx)
	defer cancel()
	ready := readLines(reading, in, p.options.raw)
	for {
		select {
		case <-ctx.Done():
			return p.result()
		case waiting, open := <-ready:
			if !open {
				return p.result()
			}
			// What is on its way is sent to its end; only a second signal leaves it unknown.
			if err := p.send(context.WithoutCancel(ctx), waiting.all); err != nil {
				return errors.Join(err, p.result())
			}
			if waiting.err != nil && !errors.Is(waiting.err, io.EOF) {
				return errors.Join(waiting.err, p.result())
			}
		}
	}
}

// result is the error of the whole command: how many lines did not go out.
func (p *publication) result() error {
	var failures []error
	if p.refused > 0 {
		failures = append(failures, fmt.Errorf("%d of %d lines were refused", p.refused, p.read))
	}
	if p.unsure > 0 {
		failures = append(failures, fmt.Errorf("%d of %d lines were not published, or it is not known: %w", p.unsure, p.read, p.failure))
	}
	return errors.Join(failures...)
}

// send checks the lines and sends those that are good. The error is one of writing what was sent, or of brokers that took nothing at all.
func (p *publication) send(ctx context.Context, waiting []line) error {
	batch := make([]outgoing, 0, len(waiting))
	for _, one := range waiting {
		p.read++
		out, err := p.prepare(one)
		if err != nil {
			p.refused++
			fmt.Fprintf(p.program.errout, "line %d: %v\n", one.number, err)
			continue
		}
		batch = append(batch, out)
	}
	if len(batch) == 0 {
		return nil
	}
	records, ends := make([]*record.Record, len(batch)), make([]func(record.Position, error), len(batch))
	for i, out := range batch {
		records[i], ends[i] = out.record, p.trace(ctx, out.record)
	}
	positions, failure := p.publisher.PublishRecords(ctx, records)
	for i, at := range positions {
		if at.Offset >= 0 {
			ends[i](at, nil)
		} else {
			ends[i](at, failure)
		}
	}
	if err := p.report(batch, positions); err != nil {
		return err
	}
	if failure == nil {
		return nil
	}
	if p.failure == nil {
		p.failure = failure
	}
	return p.noteUnsure(batch, positions)
}

// trace begins the span of sending one record. What --raw sends goes out as it is, without a header more.
func (p *publication) trace(ctx context.Context, r *record.Record) func(record.Position, error) {
	if p.options.raw {
		return func(record.Position, error) {}
	}
	_, end := p.traceSend(ctx, r)
	return end
}

// errNothingTaken ends a publication: what comes after would fare no better.
var errNothingTaken = errors.New("the brokers took none of the last lines; the rest was not tried")

func (p *publication) noteUnsure(batch []outgoing, positions []record.Position) error {
	unsure := 0
	for i, at := range positions {
		if at.Offset < 0 {
			unsure++
			fmt.Fprintf(p.program.errout, "line %d: not published, or it is not known\n", batch[i].line)
		}
	}
	p.unsure += unsure
	if unsure == len(batch) {
		return errNothingTaken
	}
	return nil
}

// prepare makes the record of a line. Its error has nothing of the line in it.
func (p *publication) prepare(one line) (outgoing, error) {
	if one.tooLong {
		return outgoing{}, fmt.Errorf("%s: it has more than %d bytes", record.ClassTooLarge, longestLine)
	}
	if !p.options.raw {
		// Windows ends lines like this.
		one.value = bytes.TrimSuffix(one.value, []byte("\r"))
	}
	out := outgoing{line: one.number, record: &record.Record{Position: record.Position{Topic: p.target.name}, Value: one.value, Headers: p.headers}}
	if p.options.keyed {
		out.record.Key = []byte(p.options.key)
	}
	if p.target.declared == nil {
		return out, nil
	}
	decoded, err := p.check(out.record)
	if p.options.raw {
		if err == nil && p.options.keyed && p.options.key == decoded.EntityID {
			out.shown = decoded.EntityID
		}
		return out, nil
	}
	if err != nil {
		return outgoing{}, err
	}
	return p.withKey(out, decoded)
}

// check refuses what a strict consumer would dead-letter.
func (p *publication) check(r *record.Record) (messages.Decoded, error) {
	if limit := p.settings.Limits.ValueBytes; limit > 0 && len(r.Value) > limit {
		return messages.Decoded{}, fmt.Errorf("%s: it has %d bytes, more than limits.value_bytes allows (%d)", record.ClassTooLarge, len(r.Value), limit)
	}
	contentType, _ := r.Header("content-type")
	payload, err := messages.Payload(r.Value, string(contentType))
	if err != nil {
		return messages.Decoded{}, classed(err)
	}
	decoded, err := p.target.declared.Decode(payload)
	if err == nil {
		err = decoded.Check()
	}
	return decoded, classed(err)
}

// classed puts the class that the dead letter would have before what is wrong.
func classed(err error) error {
	var refusal *messages.Error
	if errors.As(err, &refusal) {
		return fmt.Errorf("%s: %w", refusal.Class, err)
	}
	return err
}

// withKey keys a record as the topic's key rule asks, or as --key says.
func (p *publication) withKey(out outgoing, decoded messages.Decoded) (outgoing, error) {
	rule := router.KeyRule(p.settings.Topic(p.target.declared.Topic()).KeyRule)
	want := decoded.EntityID
	if patient, ok := decoded.Body.(messages.Subject); ok && rule == router.KeyPatient {
		want = patient.Patient()
	}
	switch {
	case !p.options.keyed && want == "":
		return outgoing{}, fmt.Errorf("%s: the topic's key rule is %s, and the event has none", record.ClassMissingKey, rule)
	case !p.options.keyed:
		out.record.Key = []byte(want)
	case p.options.key != want && rule != router.KeyAny && !p.warned:
		p.warned = true
		fmt.Fprintf(p.program.errout, "line %d: --key is another than the key rule of the topic asks for (%s): domain consumers dead-letter such records\n", out.line, rule)
	}
	if string(out.record.Key) == decoded.EntityID {
		out.shown = decoded.EntityID
	}
	return out, nil
}

// publishedRow is one record that the brokers have.
type publishedRow struct {
	Topic     string `json:"topic"`
	Partition int32  `json:"partition"`
	Offset    int64  `json:"offset"`
	// Key is empty where it is not an entity's id: it may name a patient.
	Key string `json:"key"`
}

// report prints where the records stand, one line each, as soon as the brokers have them.
func (p *publication) report(batch []outgoing, positions []record.Position) error {
	out := bufio.NewWriter(p.program.out)
	encoder := json.NewEncoder(out)
	encoder.SetEscapeHTML(false)
	for i, at := range positions {
		if at.Offset < 0 {
			continue
		}
		var err error
		if p.options.output == "json" {
			err = encoder.Encode(publishedRow{at.Topic, at.Partition, at.Offset, batch[i].shown})
		} else {
			_, err = fmt.Fprintln(out, strings.TrimSpace(at.String()+"  "+batch[i].shown))
		}
		if err != nil {
			return err
		}
	}
	return out.Flush()
}
