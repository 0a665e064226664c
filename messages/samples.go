package messages

import (
	"bytes"
	"embed"
	"io/fs"
)

//go:embed samples/*.json
var sampleFiles embed.FS

// samples has one file per kind of the built-in types.
var samples = mustSub(sampleFiles, "samples")

func mustSub(files fs.FS, folder string) fs.FS {
	inside, err := fs.Sub(files, folder)
	if err != nil {
		panic(err) // the name is a constant, so this is a mistake in this file
	}
	return inside
}

// Sample is an example of the kind with this action, as one line of JSON, or nil when there is none.
func (t *Topic[T]) Sample(a Action) []byte {
	if t.samples == nil {
		return nil
	}
	content, err := fs.ReadFile(t.samples, t.name+"."+string(a)+".json")
	if err != nil {
		return nil
	}
	return bytes.TrimSpace(content)
}
