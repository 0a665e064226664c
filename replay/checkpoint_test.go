package replay_test

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/prantikov/millrace/progress"
	"github.com/prantikov/millrace/record"
	"github.com/prantikov/millrace/replay"
)

func TestCheckpointIsReadAsItWasSaved(t *testing.T) {
	t.Parallel()
	parts := []replay.Part{{Topic: "orders", Partition: 0, From: 5, To: 50}, {Topic: "orders", Partition: 3, To: 7}, {Topic: "others", To: 9}}
	saved := replay.NewCheckpoint(map[string]string{"orders": "id"}, parts)
	var done progress.DoneSet
	done.Add(12)
	done.Add(14)
	tally := replay.Tally{
		Done: 3, Passed: map[string]int64{replay.PassedDone: 2}, Skipped: map[string]int64{"no_route": 1}, Failed: map[record.Class]int64{record.ClassFailed: 1},
		Failures: []replay.Failure{{Topic: "orders", Offset: 6, Class: record.ClassFailed}},
	}
	saved.Note("journal", []replay.Standing{{Part: parts[0], Frontier: 10, Done: done, Tally: tally}, {Part: parts[1], Frontier: 7}})
	path := filepath.Join(t.TempDir(), "checkpoint.json")
	for range 2 {
		if err := saved.Save(path); err != nil {
			t.Fatal(err)
		}
	}
	read, err := replay.ReadCheckpoint(path)
	if err != nil {
		t.Fatal(err)
	}
	if got := read.All(); !reflect.DeepEqual(got, parts) {
		t.Errorf("got parts %+v, want %+v", got, parts)
	}
	want := []replay.Part{{Topic: "orders", From: 10, To: 50, Done: done, Tally: tally}, {Topic: "orders", Partition: 3, From: 7, To: 7}}
	if got := read.Rest("journal", nil); !reflect.DeepEqual(got, want) {
		t.Errorf("got the rest %+v, want %+v", got, want)
	}
	others := func(topic string) bool { return topic == "others" }
	if got := read.Rest("not begun", others); !reflect.DeepEqual(got, parts[2:]) {
		t.Errorf("got the rest %+v of one that has not begun, want %+v", got, parts[2:])
	}
	if !read.Of(map[string]string{"orders": "id"}) || read.Of(map[string]string{"orders": "another"}) {
		t.Error("got another answer, want the checkpoint to know its topics by their ids")
	}
	entries, err := os.ReadDir(filepath.Dir(path))
	if err != nil || len(entries) != 1 {
		t.Errorf("got files %v and error %v, want the checkpoint alone", entries, err)
	}
}

func TestWhatIsNoCheckpointIsRefused(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "checkpoint.json")
	if got, err := replay.ReadCheckpoint(path); got != nil || err != nil {
		t.Errorf("no file: got %v and error %v, want neither", got, err)
	}
	for text, want := range map[string]string{"{": "--restart", `{"version":2}`: "version 2"} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := replay.ReadCheckpoint(path); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got error %v, want one with %q", text, err, want)
		}
	}
}
