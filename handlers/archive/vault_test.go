package archive_test

import (
	"crypto/sha256"
	"encoding/hex"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/prantikov/millrace/handlers/archive"
	"github.com/prantikov/millrace/handlers/archive/columns"
	"github.com/prantikov/millrace/messages"
	"github.com/prantikov/millrace/record"
	"github.com/prantikov/millrace/store"
)

// tester is what a vault needs of a test.
type tester interface {
	Helper()
	Fatal(...any)
	Fatalf(string, ...any)
	Errorf(string, ...any)
}

// vault is an archive with the store that knows its files.
type vault struct {
	tester
	test   *testing.T
	data   string
	files  *store.Store
	unit   *store.UnitOfWork
	sealer *archive.Sealer
	claims int
}

// pseudonym stands for a patient in tests.
func pseudonym(patient string) string {
	sum := sha256.Sum256([]byte("key " + patient))
	return hex.EncodeToString(sum[:])
}

func tables(shown bool) *columns.Tables {
	return columns.New(columns.Settings{Types: messages.Types(), PHI: shown, Pseudonym: pseudonym})
}

func newVault(t *testing.T) *vault {
	t.Helper()
	return openVault(t, t, filepath.Join(t.TempDir(), "data"))
}

func openVault(test *testing.T, t tester, data string) *vault {
	t.Helper()
	v := &vault{tester: t, test: test, data: data}
	if err := os.MkdirAll(data, 0o700); err != nil {
		t.Fatal(err)
	}
	var err error
	if v.files, err = store.Open(test.Context(), filepath.Join(data, "store.db"), nil); err != nil {
		t.Fatal(err)
	}
	test.Cleanup(func() { _ = v.files.Close() })
	v.unit = v.files.FileUnitOfWork("archive", v.folder(), store.Options{})
	v.sealer = archive.NewSealer(v.folder(), tables(false), nil)
	return v
}

func (v *vault) folder() string { return filepath.Join(v.data, "archive") }

// keep gives the consumer records of one partition, which are in the order of the log, in one unit of work.
func (v *vault) keep(records ...*record.Record) {
	v.Helper()
	v.claims++
	work, err := v.unit.Begin(v.test.Context(), strconv.Itoa(v.claims), records)
	if err != nil {
		v.Fatal(err)
	}
	for _, r := range records {
		if work.Finished(r) {
			continue
		}
		work.Mark()
		if err := archive.Keep(work.Context(v.test.Context()), r); err != nil {
			v.Fatal(err)
		}
		work.Finish(r, record.Done)
	}
	if err := work.Commit(v.test.Context()); err != nil {
		v.Fatal(err)
	}
}

// age makes the open files look as if their last lines were written so long ago.
func (v *vault) age(ago time.Duration) {
	v.Helper()
	then := time.Now().Add(-ago)
	for _, name := range v.names(".jsonl") {
		if name == "objects.jsonl" {
			continue
		}
		if err := os.Chtimes(filepath.Join(v.folder(), name), then, then); err != nil {
			v.Fatal(err)
		}
	}
}

// seal seals what is due.
func (v *vault) seal() {
	v.Helper()
	if _, err := v.sealer.Due(v.test.Context(), v.files, "", time.Now()); err != nil {
		v.Fatal(err)
	}
}

// names are the archive's files with an ending, by their names in it.
func (v *vault) names(ending string) []string {
	v.Helper()
	var names []string
	err := filepath.WalkDir(v.folder(), func(path string, entry fs.DirEntry, err error) error {
		if err == nil && !entry.IsDir() && strings.HasSuffix(path, ending) {
			name, _ := filepath.Rel(v.folder(), path)
			names = append(names, filepath.ToSlash(name))
		}
		return err
	})
	if err != nil {
		v.Fatal(err)
	}
	return names
}

// objects are the bytes of the objects' files whose names have a text in them.
func (v *vault) objects(of string) map[string]string {
	v.Helper()
	found := map[string]string{}
	for _, ending := range []string{".ndjson.zst", ".parquet"} {
		for _, name := range v.names(ending) {
			if !strings.Contains(name, of) {
				continue
			}
			content, err := os.ReadFile(filepath.Join(v.folder(), name))
			if err != nil {
				v.Fatal(err)
			}
			found[name] = string(content)
		}
	}
	return found
}

// read are the records of a topic that a reader finds.
func (v *vault) read(selection archive.Selection) []*record.Record {
	v.Helper()
	return readAll(v.test, archive.NewReader(v.folder()), selection)
}

func readAll(t *testing.T, reader *archive.Reader, selection archive.Selection) []*record.Record {
	t.Helper()
	var records []*record.Record
	for r, err := range reader.Records(t.Context(), selection) {
		if err != nil {
			t.Fatal(err)
		}
		records = append(records, r)
	}
	return records
}

// order is a record of order-events.
func order(partition int32, offset int64, at time.Time) *record.Record {
	return &record.Record{
		Position:  record.Position{Topic: "order-events", Partition: partition, Offset: offset},
		Timestamp: at, Key: []byte("ord-1"), Value: messages.Orders.Sample(messages.Created),
		Headers: []record.Header{{Key: "a", Value: []byte("1")}, {Key: "a"}, {Key: "b", Value: []byte(strconv.FormatInt(offset, 10))}},
	}
}

// wantRecords compares what was read with what was kept, byte for byte.
func wantRecords(t tester, got, want []*record.Record) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("got %d records, want %d", len(got), len(want))
	}
	for i := range want {
		if why := difference(got[i], want[i]); why != "" {
			t.Errorf("record %d: %s", i, why)
		}
	}
}
