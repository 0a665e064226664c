package archive_test

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prantikov/millrace/handlers/archive"
	"github.com/prantikov/millrace/record"
)

// verify gives the findings with the folder cut from them: first those that are wrong.
func (v *vault) verify(with archive.Verification) (wrong, told []string) {
	v.Helper()
	if with.Folders == nil {
		with.Folders = []string{v.folder()}
	}
	_, err := archive.Verify(v.test.Context(), with, func(f archive.Finding) {
		text := f.Where + ": " + f.What
		for _, folder := range with.Folders {
			text = strings.ReplaceAll(text, folder+string(filepath.Separator), "")
		}
		if f.Wrong {
			wrong = append(wrong, text)
		} else {
			told = append(told, text)
		}
	})
	if err != nil {
		v.Fatal(err)
	}
	return wrong, told
}

// change writes a file anew.
func (v *vault) change(name string, change func([]byte) []byte) {
	v.Helper()
	path := filepath.Join(v.folder(), name)
	content, err := os.ReadFile(path)
	if err == nil {
		err = os.WriteFile(path, change(content), 0o600)
	}
	if err != nil {
		v.Fatal(err)
	}
}

func (v *vault) remove(name string) {
	v.Helper()
	if err := os.RemoveAll(filepath.Join(v.folder(), name)); err != nil {
		v.Fatal(err)
	}
}

func TestVerify(t *testing.T) {
	t.Parallel()
	const lines, table = object + ".ndjson.zst", object + ".parquet"
	const day = "order-events/0/2024-12-26.jsonl"
	nothing := func(*vault) {}
	flip := func(name string) func(*vault) {
		return func(v *vault) {
			v.change(name, func(content []byte) []byte { content[len(content)/2] ^= 1; return content })
		}
	}
	tests := []struct {
		name   string
		damage func(*vault)
		with   archive.Verification
		wrong  []string // what each finding has in it
		told   []string
	}{
		{name: "an archive that is whole", damage: nothing},
		{name: "a bit of an object's lines", damage: flip(lines), wrong: []string{lines + ": its bytes are not those that were written"}},
		{name: "a bit of its table", damage: flip(table), wrong: []string{table + ": its bytes are not those that were written"}},
		{name: "an object whose lines are missing", damage: func(v *vault) { v.remove(lines) },
			wrong: []string{lines + ": it is missing: objects.jsonl says that it has 3 records, offsets 0 to 2"}},
		{name: "a day that is missing", damage: func(v *vault) { v.remove(filepath.Dir(object)) },
			wrong: []string{lines + ": it is missing", table + ": it is missing"}},
		{name: "a list that is missing", damage: func(v *vault) { v.remove("objects.jsonl") },
			wrong: []string{lines + ": objects.jsonl does not have it", table + ": objects.jsonl does not have it"}},
		{name: "a list that says something else", damage: func(v *vault) {
			v.change("objects.jsonl", func(list []byte) []byte { return bytes.Replace(list, []byte(`"lines":3`), []byte(`"lines":4`), 1) })
		}, wrong: []string{lines + ": it has 3 records, offsets 0 to 2; objects.jsonl says 4, 0 to 2", table + ": it has 3 rows, and the lines are 4"}},
		{name: "an open file that lost a line", damage: func(v *vault) {
			v.change(day, func(content []byte) []byte { return content[:bytes.IndexByte(content, '\n')+1] })
		}, wrong: []string{day + ": it has "}},
		{name: "a line that is none", damage: func(v *vault) { v.change(day, func(content []byte) []byte { content[0] = 'x'; return content }) },
			wrong: []string{day + ": reading line 1 of"}},
		{name: "a line of another day", damage: func(v *vault) {
			v.change(day, func(content []byte) []byte {
				return bytes.Replace(content, []byte(`"timestamp":"2024-12-26`), []byte(`"timestamp":"2024-12-27`), 1)
			})
		}, wrong: []string{day + ": line 1: the record is of another topic, partition or day"}},
		{name: "a line that stands twice", damage: func(v *vault) {
			v.change(day, func(content []byte) []byte { return append(content, content...) })
		}, wrong: []string{"order-events/0/3: the record is twice", "order-events/0/5: the record is twice"}, told: []string{"order-events/0: 1 offsets in 1 places"}},
		{name: "what a crash left", damage: func(v *vault) {
			v.change(day, func(content []byte) []byte {
				late := filepath.Join(v.folder(), lines+".unfinished")
				if err := os.WriteFile(late, nil, 0o600); err != nil {
					v.Fatal(err)
				}
				return content
			})
		}, told: []string{lines + ".unfinished: it is being written"}},
		{name: "offsets that the consumer passed", damage: nothing,
			with: archive.Verification{Passed: []archive.Passed{{Topic: "order-events", From: 4, To: 5, Reason: "retention"}}},
			told: []string{"order-events/0/4: 1 offsets were passed: retention"}},
		{name: "offsets of which the log has records", damage: nothing,
			with:  archive.Verification{Lost: func(context.Context, record.Position, int64) (bool, error) { return true, nil }},
			wrong: []string{"order-events/0/4: the log has records among the 1 offsets from here on"}},
		{name: "offsets of which the log has none", damage: nothing,
			with: archive.Verification{Lost: func(context.Context, record.Position, int64) (bool, error) { return false, nil }}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			v := newVault(t)
			v.keep(order(0, 0, at), order(0, 1, at), order(0, 2, at))
			v.age(2 * time.Hour)
			v.seal()
			v.keep(order(0, 3, at.AddDate(0, 0, 1)), order(0, 5, at.AddDate(0, 0, 1)))
			files, err := v.files.Files(t.Context(), "archive", "", v.folder())
			if err != nil {
				t.Fatal(err)
			}
			test.with.Lengths = map[string]int64{}
			for _, file := range files {
				test.with.Lengths[file.Path] = file.Length
			}
			test.damage(v)
			wrong, told := v.verify(test.with)
			wantFindings(t, "wrong", wrong, test.wrong)
			if test.told == nil && test.with.Passed == nil && test.wrong == nil {
				test.told = []string{"order-events/0: 1 offsets in 1 places have no record"}
			}
			if test.told != nil {
				wantFindings(t, "told", told, test.told)
			}
			for _, text := range slices.Concat(wrong, told) {
				if strings.Contains(text, "ord-1") || strings.Contains(text, "pat-") {
					t.Errorf("got %q, want nothing of a record", text)
				}
			}
		})
	}
}

// wantFindings wants each finding to have its text in it, and the other way round.
func wantFindings(t *testing.T, of string, got, want []string) {
	t.Helper()
	for _, text := range want {
		if !slices.ContainsFunc(got, func(finding string) bool { return strings.Contains(finding, text) }) {
			t.Errorf("%s: got %q, want one with %q", of, got, text)
		}
	}
	if len(want) == 0 && len(got) > 0 {
		t.Errorf("%s: got %q, want nothing", of, got)
	}
}

// Ensure a record that two instances have is found, and one that each has for itself is not.
func TestInstancesAreOneArchive(t *testing.T) {
	t.Parallel()
	one, other := newVault(t), newVault(t)
	one.keep(order(0, 0, at), order(0, 3, at))
	other.keep(order(0, 1, at), order(0, 2, at.Add(time.Hour)))
	one.age(2 * time.Hour)
	one.seal()
	folders := []string{one.folder(), other.folder()}
	if wrong, told := one.verify(archive.Verification{Folders: folders}); len(wrong)+len(told) > 0 {
		t.Errorf("got %q and %q, want nothing: they have what the other has not", wrong, told)
	}
	want := []*record.Record{order(0, 0, at), order(0, 1, at), order(0, 2, at.Add(time.Hour)), order(0, 3, at)}
	wantRecords(t, readAll(t, archive.NewReader(folders...), archive.Selection{Topic: "order-events"}), want)

	another := newVault(t)
	another.keep(order(0, 3, at))
	another.age(2 * time.Hour)
	another.seal()
	wrong, _ := one.verify(archive.Verification{Folders: append(folders, another.folder())})
	wantFindings(t, "wrong", wrong, []string{"order-events/0/3: the record is twice, in "})
}

func TestObjectsThatAreNoLongerKeptAreRemoved(t *testing.T) {
	t.Parallel()
	v := newVault(t)
	v.keep(order(0, 0, at))
	v.age(40 * 24 * time.Hour)
	v.seal()
	v.keep(order(0, 1, at.AddDate(0, 0, 1)))
	v.age(20 * 24 * time.Hour)
	v.seal()
	before := time.Now().AddDate(0, 0, -30)
	for _, want := range []int{1, 0} {
		if got, err := archive.RemoveObjects(v.folder(), before); got != want || err != nil {
			t.Errorf("got %d removed and %v, want %d", got, err, want)
		}
	}
	wantRecords(t, v.read(archive.Selection{Topic: "order-events"}), []*record.Record{order(0, 1, at.AddDate(0, 0, 1))})
	if wrong, told := v.verify(archive.Verification{}); len(wrong)+len(told) > 0 {
		t.Errorf("got %q and %q, want nothing: what was ended is not missing", wrong, told)
	}
	// A line that comes after that begins the object anew.
	v.keep(order(0, 2, at))
	v.age(2 * time.Hour)
	v.seal()
	if wrong, _ := v.verify(archive.Verification{}); len(wrong) > 0 {
		t.Errorf("got %q, want nothing", wrong)
	}
}

func TestSelection(t *testing.T) {
	t.Parallel()
	v := newVault(t)
	next := at.AddDate(0, 0, 1)
	v.keep(order(0, 0, at), order(0, 1, next), order(0, 2, at), order(0, 3, next.AddDate(0, 0, 1)))
	v.keep(order(2, 0, at))
	v.age(2 * time.Hour)
	v.seal()
	v.keep(order(0, 4, next))
	tests := []struct {
		name      string
		selection archive.Selection
		want      []string
	}{
		{"everything, partition by partition", archive.Selection{}, []string{"0/0", "0/1", "0/2", "0/3", "0/4", "2/0"}},
		{"one partition", archive.Selection{Partitions: []int32{2}}, []string{"2/0"}},
		{"from a day on", archive.Selection{FromDay: "2024-12-26"}, []string{"0/1", "0/3", "0/4"}},
		{"to a day", archive.Selection{ToDay: "2024-12-25"}, []string{"0/0", "0/2", "2/0"}},
		{"offsets", archive.Selection{From: 1, To: 4}, []string{"0/1", "0/2", "0/3"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			test.selection.Topic = "order-events"
			var got []string
			for _, r := range v.read(test.selection) {
				got = append(got, strings.TrimPrefix(r.Position.String(), "order-events/"))
			}
			if !slices.Equal(got, test.want) {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

// Ensure nothing is called wrong that is only under way: days are sealed, late lines merged and objects ended while somebody verifies.
func TestVerifyBesideASealer(t *testing.T) {
	t.Parallel()
	v := newVault(t)
	sealing, cancel := context.WithCancel(t.Context())
	var verifying sync.WaitGroup
	verifying.Go(func() {
		for sealing.Err() == nil {
			_, err := archive.Verify(t.Context(), archive.Verification{Folders: []string{v.folder()}}, func(f archive.Finding) {
				if f.Wrong {
					t.Errorf("got %s: %s, want nothing wrong", f.Where, f.What)
				}
			})
			if err != nil {
				t.Error(err)
			}
		}
	})
	defer verifying.Wait()
	defer cancel()
	for offset := range int64(20) {
		v.keep(order(0, offset, at))
		v.keep(order(1, offset, at.AddDate(0, 0, int(offset))))
		v.age(40 * 24 * time.Hour)
		v.seal()
		if offset%10 == 9 {
			if _, err := archive.RemoveObjects(v.folder(), time.Now().AddDate(0, 0, -30)); err != nil {
				t.Fatal(err)
			}
		}
	}
}
