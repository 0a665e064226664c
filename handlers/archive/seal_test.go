package archive_test

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/prantikov/millrace/handlers/archive"
	"github.com/prantikov/millrace/record"
)

const object = "topic=order-events/dt=2024-12-25/order-events+0+00000000000000000000"

func TestADayThatIsOverBecomesObjects(t *testing.T) {
	t.Parallel()
	v := newVault(t)
	edge := int64(archive.RangeOffsets)
	kept := []*record.Record{order(0, 3, at), order(0, edge-1, at.Add(time.Hour)), order(0, edge, at), order(0, edge+7, at)}
	v.keep(kept...)
	v.age(2 * time.Hour)
	v.seal()
	want := []string{
		object + ".ndjson.zst", object + ".parquet",
		"topic=order-events/dt=2024-12-25/order-events+0+00000000000000100000.ndjson.zst",
		"topic=order-events/dt=2024-12-25/order-events+0+00000000000000100000.parquet",
	}
	if got := slices.Sorted(maps.Keys(v.objects(""))); !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	if got, want := v.names(".jsonl"), []string{"objects.jsonl"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q: the open file is gone", got, want)
	}
	wantRecords(t, v.read(archive.Selection{Topic: "order-events"}), kept)
	for name := range v.objects("") {
		path := filepath.Join(v.folder(), name)
		for of, want := range map[string]os.FileMode{path: 0o600, filepath.Dir(path): 0o700} {
			if info, err := os.Stat(of); err != nil || info.Mode().Perm() != want {
				t.Errorf("%s: got %v %v, want mode %o", of, info.Mode(), err, want)
			}
		}
	}
}

func TestWhatIsNotDueStaysOpen(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		at   time.Time
		ago  time.Duration
	}{
		{"a day that is not over", time.Now(), 2 * time.Hour},
		{"a day of tomorrow, of a clock that is ahead", time.Now().AddDate(0, 0, 1), 2 * time.Hour},
		{"a day that had a line within the hour", at, 59 * time.Minute},
		{"a year beyond the calendar's", time.UnixMilli(at.UnixMicro()), 2 * time.Hour},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			v := newVault(t)
			kept := order(0, 0, test.at.UTC().Truncate(time.Millisecond))
			v.keep(kept)
			v.age(test.ago)
			v.seal()
			if got := v.objects(""); len(got) != 0 {
				t.Errorf("got %q, want no object", slices.Collect(maps.Keys(got)))
			}
			wantRecords(t, v.read(archive.Selection{Topic: "order-events"}), []*record.Record{kept})
		})
	}
}

// Ensure an object is one and the same whether its records came in time or after the day was sealed.
func TestLateLinesAreMerged(t *testing.T) {
	t.Parallel()
	kept := []*record.Record{order(0, 1, at), order(0, 2, at), order(0, 3, at.AddDate(0, 0, 1)), order(0, 9, at)}
	inTime := newVault(t)
	inTime.keep(kept...)
	inTime.age(2 * time.Hour)
	inTime.seal()

	late := newVault(t)
	for _, r := range kept {
		late.keep(r)
		late.age(2 * time.Hour)
		late.seal()
	}
	if !maps.Equal(late.objects(""), inTime.objects("")) {
		t.Error("got other objects of records that came late, want the same byte for byte")
	}
	wantRecords(t, late.read(archive.Selection{Topic: "order-events"}), kept)
}

// Ensure nothing is lost of a topic that was made anew: its offsets begin again.
func TestTwoRecordsOfOneOffsetAreBothKept(t *testing.T) {
	t.Parallel()
	v := newVault(t)
	first, again := order(0, 0, at), order(0, 0, at.Add(time.Minute))
	recognise := func(id string) {
		if err := v.files.Recognise(t.Context(), map[string]string{"order-events": id}); err != nil {
			t.Fatal(err)
		}
	}
	recognise("its first id")
	v.keep(first, order(0, 5, at))
	recognise("another id")
	v.keep(again)
	v.age(2 * time.Hour)
	v.seal()
	wantRecords(t, v.read(archive.Selection{Topic: "order-events"}), []*record.Record{first, again, order(0, 5, at)})
}

// Ensure a kill between any two steps is made good by the next call, with the same objects: the data directory is copied at each step, which is
// what a kill leaves.
func TestKillWhileADayIsSealed(t *testing.T) {
	t.Parallel()
	v := newVault(t)
	kept := []*record.Record{order(0, 1, at), order(0, 2, at), order(0, archive.RangeOffsets, at)}
	v.keep(kept[0])
	v.age(2 * time.Hour)
	v.seal()
	v.keep(kept[1:]...)
	v.age(2 * time.Hour)
	var steps, copies []string
	v.sealer.OnReached(func(step string) {
		copied := filepath.Join(t.TempDir(), "data")
		if err := os.CopyFS(copied, os.DirFS(v.data)); err != nil {
			t.Fatal(err)
		}
		steps, copies = append(steps, step), append(copies, copied)
	})
	v.seal()
	if len(steps) != 10 {
		t.Fatalf("got the steps %q, want five of each of two objects", steps)
	}
	for i, copied := range copies {
		killed := openVault(t, t, copied)
		wantRecords(t, killed.read(archive.Selection{Topic: "order-events"}), kept)
		killed.age(2 * time.Hour)
		killed.seal()
		if !maps.Equal(killed.objects(""), v.objects("")) {
			t.Errorf("killed when %s: got other objects, want the same byte for byte", steps[i])
		}
		if left := slices.DeleteFunc(killed.names(""), func(name string) bool { return strings.HasPrefix(name, "topic=") }); !slices.Equal(left, []string{"objects.jsonl"}) {
			t.Errorf("killed when %s: got %q, want nothing left over", steps[i], left)
		}
		wantRecords(t, killed.read(archive.Selection{Topic: "order-events"}), kept)
	}
}

// Ensure objects do not depend on when they were sealed, in how many pieces, or how often a step failed.
func TestObjectsAreTheSameWhateverHappened(t *testing.T) {
	t.Parallel()
	whole, pieces := newVault(t), newVault(t)
	partition := int32(0)
	rapid.Check(t, func(r *rapid.T) {
		whole.tester, pieces.tester = r, r
		partition++
		offset := int64(archive.RangeOffsets - 5)
		var records []*record.Record
		for range rapid.IntRange(1, 8).Draw(r, "records") {
			offset += rapid.Int64Range(1, 4).Draw(r, "step")
			records = append(records, order(partition, offset, at.AddDate(0, 0, rapid.IntRange(0, 2).Draw(r, "day"))))
		}
		whole.keep(records...)
		whole.age(2 * time.Hour)
		whole.seal()

		for _, kept := range records {
			pieces.keep(kept)
			if rapid.IntRange(0, 3).Draw(r, "sealed") == 0 {
				pieces.age(2 * time.Hour)
				pieces.sealUntil(rapid.IntRange(0, 12).Draw(r, "killed at"))
			}
		}
		selection := archive.Selection{Topic: "order-events", Partitions: []int32{partition}}
		wantRecords(r, pieces.read(selection), records)
		pieces.age(2 * time.Hour)
		pieces.seal()
		wantRecords(r, pieces.read(selection), records)
		of := fmt.Sprintf("+%d+", partition)
		if !maps.Equal(pieces.objects(of), whole.objects(of)) {
			r.Errorf("got other objects, want the same byte for byte")
		}
	})
}

// sealUntil seals and gives up at a step.
func (v *vault) sealUntil(step int) {
	v.Helper()
	defer func() { _ = recover() }()
	v.sealer.OnReached(func(string) {
		if step--; step < 0 {
			panic("killed")
		}
	})
	defer v.sealer.OnReached(func(string) {})
	v.seal()
}
