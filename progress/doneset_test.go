package progress_test

import (
	"bytes"
	"errors"
	"testing"

	"pgregory.net/rapid"

	"github.com/prantikov/millrace/progress"
)

func TestDoneSetAgainstMap(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		var set progress.DoneSet
		want := map[int64]bool{}
		trimmed := int64(0)
		t.Repeat(map[string]func(*rapid.T){
			"": func(t *rapid.T) {
				for offset := int64(0); offset < 70; offset++ {
					if got := set.Contains(offset); got != want[offset] {
						t.Fatalf("%s has %d: got %t, want %t", set, offset, got, want[offset])
					}
				}
				within := progress.Run{From: rapid.Int64Range(0, 70).Draw(t, "within from"), To: rapid.Int64Range(0, 70).Draw(t, "within to")}
				var missing progress.DoneSet
				for _, run := range set.Missing(within) {
					missing.AddRun(run)
				}
				for offset := int64(0); offset < 70; offset++ {
					if got, want := missing.Contains(offset), within.From <= offset && offset < within.To && !want[offset]; got != want {
						t.Fatalf("%s misses %d within %v: got %t, want %t", set, offset, within, got, want)
					}
				}
				last := int64(-1)
				for _, run := range set.Runs() {
					if run.From <= last || run.To <= run.From {
						t.Fatalf("runs %v: want them apart and in order", set.Runs())
					}
					last = run.To
				}
			},
			"add": func(t *rapid.T) {
				offset := rapid.Int64Range(0, 60).Draw(t, "offset")
				set.Add(offset)
				want[offset] = true
			},
			"add run": func(t *rapid.T) {
				from := rapid.Int64Range(0, 60).Draw(t, "from")
				to := from + rapid.Int64Range(0, 9).Draw(t, "length")
				set.AddRun(progress.Run{From: from, To: to})
				for offset := from; offset < to; offset++ {
					want[offset] = true
				}
			},
			"trim": func(t *rapid.T) {
				trimmed = rapid.Int64Range(trimmed, 70).Draw(t, "below")
				set.Trim(trimmed)
				for offset := range want {
					if offset < trimmed {
						delete(want, offset)
					}
				}
			},
			"write and read": func(t *rapid.T) {
				text, err := set.MarshalText()
				if err != nil {
					t.Fatal(err)
				}
				var read progress.DoneSet
				if err := read.UnmarshalText(text); err != nil {
					t.Fatal(err)
				}
				if !read.Equal(set) {
					t.Fatalf("read %s, want %s", read, set)
				}
				set = read
			},
		})
	})
}

func TestDoneSetTextIsBounded(t *testing.T) {
	t.Parallel()
	var set progress.DoneSet
	var text []byte
	for offset := int64(1); ; offset += 2 {
		set.Add(1<<40 + offset)
		next, err := set.MarshalText()
		if err != nil {
			if !errors.Is(err, progress.ErrTooLarge) {
				t.Fatalf("got %v, want %v", err, progress.ErrTooLarge)
			}
			break
		}
		text = next
	}
	if len(text) > progress.MaxText || len(text) < progress.MaxText-4 {
		t.Errorf("longest text: got %d bytes, want %d at most and hardly less", len(text), progress.MaxText)
	}
	if runs := len(set.Runs()); runs < 1500 {
		t.Errorf("runs that fit: got %d, want at least 1500", runs)
	}
}

// Ensure that what a later version wrote is told from what is none of ours: an upgrade that rolls has both beside each other.
func TestDoneSetKnowsALaterVersion(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, text string
		want       bool
	}{
		{"the next version is later", "2:AQE", true},
		{"a version with other signs is later", "17:{\"runs\":[]}", true},
		{"our own version is not", "1:AQE", false},
		{"our own version that is broken is not", "1:%%%", false},
		{"a time of another tool is not", "08:15", false},
		{"a name of another tool is not", "host:9092", false},
		{"a number alone is not", "2", false},
		{"nothing is not", "", false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			var set progress.DoneSet
			set.Add(7)
			err := set.UnmarshalText([]byte(test.text))
			if got := errors.Is(err, progress.ErrNewer); got != test.want {
				t.Errorf("got %v, want %v: %t", err, progress.ErrNewer, test.want)
			}
			if err != nil && !set.Contains(7) {
				t.Error("the set was changed, want it as it was")
			}
		})
	}
}

func TestDoneSetRefusesOtherText(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, text string }{
		{"another tool's metadata is refused", "lag=5"},
		{"broken base64 is refused", "1:%%%"},
		{"a run without length is refused", "1:AQ"},
		{"an empty run is refused", "1:AQA"},
		{"runs that touch are refused", "1:AQEAAQ"},
		{"an offset beyond the range is refused", "1:____________AQE"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			var set progress.DoneSet
			set.Add(3)
			if err := set.UnmarshalText([]byte(test.text)); err == nil {
				t.Errorf("reading %q: got %s, want an error", test.text, set)
			}
			if !set.Contains(3) {
				t.Error("the set changed, want it as it was")
			}
		})
	}
}

func FuzzDoneSetText(f *testing.F) {
	f.Add([]byte("1:AQEBAQ"))
	f.Add([]byte(""))
	f.Fuzz(func(t *testing.T, text []byte) {
		var set progress.DoneSet
		if set.UnmarshalText(text) != nil {
			return
		}
		again, err := set.MarshalText()
		if err != nil {
			t.Fatal(err)
		}
		var read progress.DoneSet
		if err := read.UnmarshalText(again); err != nil || !read.Equal(set) {
			t.Fatalf("wrote %q, read %s %v, want %s", bytes.Clone(again), read, err, set)
		}
	})
}

func TestFittingKeepsTheLowestRuns(t *testing.T) {
	t.Parallel()
	var set progress.DoneSet
	set.AddRun(progress.Run{From: 5, To: 9})
	if text, whole := set.Fitting(progress.MaxText); !whole || len(text) == 0 {
		t.Errorf("a small set: got %q, whole %t, want all of it", text, whole)
	}
	for offset := int64(20); offset < 20_000; offset += 2 {
		set.Add(offset)
	}
	text, whole := set.Fitting(progress.MaxText)
	if whole || len(text) > progress.MaxText {
		t.Errorf("a set that is too large: got %d bytes, whole %t, want at most %d and not whole", len(text), whole, progress.MaxText)
	}
	if text, whole := set.Fitting(100); whole || len(text) > 100 || len(text) < 80 {
		t.Errorf("little room: got %d bytes, whole %t, want 100 at most and hardly less", len(text), whole)
	}
	if text, whole := set.Fitting(0); whole || len(text) != 0 {
		t.Errorf("no room: got %d bytes, whole %t, want none", len(text), whole)
	}
	var read progress.DoneSet
	if err := read.UnmarshalText(text); err != nil {
		t.Fatal(err)
	}
	kept := read.Runs()
	if len(kept) < 1000 || kept[0] != (progress.Run{From: 5, To: 9}) || kept[len(kept)-1] != set.Runs()[len(kept)-1] {
		t.Errorf("kept %d runs from %v on, want the lowest thousand and more", len(kept), kept[0])
	}
}
