package cmd

import (
	"bytes"
	"context"
	"errors"
	"io"
	"strings"
	"testing"
)

// Ensure every line keeps its number, whatever stands between.
func TestReadLines(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("a", longestLine)
	tests := []struct {
		name  string
		input string
		blank bool // whether blank lines count
		want  []line
	}{
		{name: "nothing has no line", input: ""},
		{name: "the last line needs no end", input: "a\nb", want: []line{{number: 1, value: []byte("a")}, {number: 2, value: []byte("b")}}},
		{name: "an end is not a line", input: "a\n", blank: true, want: []line{{number: 1, value: []byte("a")}}},
		{name: "blank lines are passed", input: "\n \r\na\n", want: []line{{number: 3, value: []byte("a")}}},
		{name: "blank lines are taken when they count", input: "\n \n", blank: true, want: []line{{number: 1, value: []byte{}}, {number: 2, value: []byte(" ")}}},
		{name: "bytes stay as they are", input: "\x00\xff\r\n", want: []line{{number: 1, value: []byte("\x00\xff\r")}}},
		{name: "the longest line is whole", input: long + "\nb\n", want: []line{{number: 1, value: []byte(long)}, {number: 2, value: []byte("b")}}},
		{name: "a longer line is passed and reported", input: long + "a\nb\n", want: []line{{number: 1, tooLong: true}, {number: 2, value: []byte("b")}}},
		{name: "a longer line may be the last", input: long + "a", want: []line{{number: 1, tooLong: true}}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			var got []line
			for waiting := range readLines(t.Context(), strings.NewReader(test.input), test.blank) {
				got = append(got, waiting.all...)
				if waiting.err != nil && !errors.Is(waiting.err, io.EOF) {
					t.Fatalf("got error %v, want none", waiting.err)
				}
			}
			if len(got) != len(test.want) {
				t.Fatalf("got %d lines, want %d", len(got), len(test.want))
			}
			for i, want := range test.want {
				if got[i].number != want.number || got[i].tooLong != want.tooLong || !bytes.Equal(got[i].value, want.value) {
					t.Errorf("got line %d of %d bytes (too long: %v), want line %d of %d bytes (too long: %v)",
						got[i].number, len(got[i].value), got[i].tooLong, want.number, len(want.value), want.tooLong)
				}
			}
		})
	}
}

// Ensure a line of a slow pipe does not wait for the next one.
func TestReadLinesHandsOverWhatWaits(t *testing.T) {
	t.Parallel()
	in, out := io.Pipe()
	ready := readLines(t.Context(), in, false)
	for _, text := range []string{"first\n", "second\n"} {
		if _, err := io.WriteString(out, text); err != nil {
			t.Fatalf("writing to the pipe: %v", err)
		}
		if waiting := <-ready; len(waiting.all) != 1 || string(waiting.all[0].value)+"\n" != text {
			t.Fatalf("got %v, want %q alone", waiting.all, text)
		}
	}
}

// Ensure a stop ends a publication that waits for a pipe, as a success.
func TestPublicationStopsWhileItWaits(t *testing.T) {
	t.Parallel()
	in, _ := io.Pipe()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := (&publication{}).run(ctx, in); err != nil {
		t.Fatalf("got %v, want a clean stop", err)
	}
}
