// Package columns owns the archive's query copy: a Parquet file with a row for each record and a column for each field of its event.
// It never shows patient data unless it is told to.
package columns

import (
	"io"

	"github.com/parquet-go/parquet-go"

	"github.com/prantikov/millrace/messages"
	"github.com/prantikov/millrace/record"
	"github.com/prantikov/millrace/router"
)

// Settings is what tables are made with.
type Settings struct {
	// Types are the event types; a topic of none of them has the columns that every record has.
	Types []messages.Type
	// TopicName is the name on the brokers of a type's topic. Default: the type's own.
	TopicName func(own string) string
	// Limits bounds what is decoded, as for the consumers.
	Limits router.Limits
	// PHI shows fields that are patient data. Without it there is a pseudonym where one names the patient, and nothing in the others.
	PHI bool
	// Pseudonym stands for a patient.
	Pseudonym func(patient string) string
}

// Tables makes the tables of objects. It is safe for concurrent use.
type Tables struct {
	settings Settings
	shapes   map[string]*shape
}

// New makes the tables' maker.
func New(settings Settings) *Tables {
	t := &Tables{settings: settings, shapes: map[string]*shape{}}
	for _, declared := range settings.Types {
		name := declared.Topic()
		if settings.TopicName != nil {
			name = settings.TopicName(name)
		}
		t.shapes[name] = newShape(declared, router.NewReading(declared, settings.Types, settings.Limits))
	}
	return t
}

// A row group is written when it has so many rows, or rows of so many bytes: that is the memory that a table takes.
const (
	groupRows  = 50_000
	groupBytes = 16 << 20
)

// Table is one Parquet file that is being written. The same records give the same bytes.
type Table struct {
	settings *Settings
	shape    *shape
	writer   *parquet.GenericWriter[any]
	row      parquet.Row
	rows     int
	bytes    int
}

// Begin begins the table of a topic's records.
func (t *Tables) Begin(topic string, to io.Writer) *Table {
	form := t.shapes[topic]
	if form == nil {
		form = newShape(nil, nil)
	}
	shown := "pseudonyms"
	if t.settings.PHI {
		shown = "yes"
	}
	writer := parquet.NewGenericWriter[any](to, form.schema, parquet.Compression(&parquet.Zstd), parquet.CreatedBy("millrace", "1", "archive"),
		parquet.KeyValueMetadata("millrace.patient_data", shown))
	return &Table{settings: &t.settings, shape: form, writer: writer}
}

// Add adds a record.
func (t *Table) Add(r *record.Record) error {
	t.row = t.settings.row(t.row[:0], t.shape, r)
	if _, err := t.writer.WriteRows([]parquet.Row{t.row}); err != nil {
		return err
	}
	t.rows++
	t.bytes += len(r.Key) + len(r.Value)
	if t.rows < groupRows && t.bytes < groupBytes {
		return nil
	}
	t.rows, t.bytes = 0, 0
	return t.writer.Flush()
}

// Close writes what is left; what is below stays open.
func (t *Table) Close() error { return t.writer.Close() }

// Rows is how many rows a Parquet file has that is read from there.
func Rows(from io.ReaderAt, size int64) (int64, error) {
	file, err := parquet.OpenFile(from, size, parquet.SkipPageIndex(true), parquet.SkipBloomFilters(true))
	if err != nil {
		return 0, err
	}
	return file.NumRows(), nil
}
