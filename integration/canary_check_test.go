//go:build unix

package integration_test

import (
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// finder finds values in texts, as they are, in hexadecimal and in base64.
type finder struct {
	// forms are by their first bytes, so that a text is read once however many values there are.
	forms map[string][]form
}

type form struct{ text, value string }

const firstBytes = 4

func find(values []string) finder {
	f := finder{forms: map[string][]form{}}
	for _, value := range values {
		for _, text := range formsOf(value) {
			f.forms[text[:firstBytes]] = append(f.forms[text[:firstBytes]], form{text, value})
		}
	}
	return f
}

// in returns the values that a text has, each with where it stands.
func (f finder) in(text string) map[string]int {
	found := map[string]int{}
	for at := 0; at+firstBytes <= len(text); at++ {
		for _, candidate := range f.forms[text[at:at+firstBytes]] {
			if strings.HasPrefix(text[at:], candidate.text) {
				found[candidate.value] = at
			}
		}
	}
	return found
}

// leaks are the places that show one of the values, each with what stands around it.
func (f finder) leaks(shown map[string]string) []string {
	var leaks []string
	for place, text := range shown {
		for value, at := range f.in(text) {
			leaks = append(leaks, fmt.Sprintf("%s: %s in …%q…", place, value, text[max(0, at-80):min(len(text), at+80)]))
		}
	}
	slices.Sort(leaks)
	return leaks
}

// formsOf are the ways in which a value may stand in a text. Base64 has three, by where in its groups of three bytes the value begins; their
// first and last characters belong to the neighbours too.
func formsOf(value string) []string {
	all := []string{value, hex.EncodeToString([]byte(value))}
	for shift := range 3 {
		coded := base64.RawStdEncoding.EncodeToString([]byte(strings.Repeat("x", shift) + value))
		from := []int{0, 2, 3}[shift]
		all = append(all, coded[from:len(coded)-1])
	}
	return all
}

// kept says whether a file is one that has what it was given: the store, the archive's lines, the outbox, the embedded broker's data.
func kept(data, name string) bool {
	path, err := filepath.Rel(data, name)
	if err != nil {
		return false
	}
	first, _, _ := strings.Cut(filepath.ToSlash(path), "/")
	if first == "archive" && (filepath.Ext(name) == ".parquet" || filepath.Base(name) == "objects.jsonl") {
		return false
	}
	return slices.Contains([]string{"archive", "notification", "broker"}, first) || strings.HasPrefix(first, "store.db")
}

// readFiles adds every file below a directory to what is shown, but those that are kept, which are added to kept.
func readFiles(t testing.TB, data, directory string, shown, keptFiles map[string]string) {
	t.Helper()
	err := filepath.WalkDir(directory, func(name string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() {
			return err
		}
		text, err := os.ReadFile(name)
		if err == nil {
			text, err = unpacked(name, text)
		}
		if err != nil {
			return err
		}
		into := shown
		if kept(data, name) {
			into = keptFiles
		}
		// Its name may tell something, too.
		into["file "+name] = name + "\n" + string(text)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
