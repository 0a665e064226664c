//go:build unix

package integration_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strings"

	"github.com/klauspost/compress/zstd"
	"github.com/parquet-go/parquet-go"
)

// sealArchive makes objects of all that the archive has, and asks what there is to ask of them.
func (s *search) sealArchive() {
	s.t.Helper()
	s.command("archive", "verify")
	sealed := s.command("archive", "seal", "--all")
	if text := sealed.stdout.String(); strings.HasPrefix(text, "sealed 0 ") {
		s.t.Errorf("got %q, want the archive sealed", text)
	}
	s.command("archive", "verify")
	s.command("archive", "verify", "-o", "json")
	s.command("archive", "restore", "--topic", "order-events", "--to-topic", "health-record-events")
}

// unpacked is what a file has, where that does not stand in its bytes: the lines of an object of the archive, and the rows of its table.
func unpacked(name string, content []byte) ([]byte, error) {
	switch filepath.Ext(name) {
	case ".zst":
		decoder, err := zstd.NewReader(nil)
		if err != nil {
			return nil, err
		}
		defer decoder.Close()
		return decoder.DecodeAll(content, nil)
	case ".parquet":
		text, err := rowsOf(content)
		return append(text, content...), err
	}
	return content, nil
}

// rowsOf are all values of a table.
func rowsOf(content []byte) ([]byte, error) {
	file, err := parquet.OpenFile(bytes.NewReader(content), int64(len(content)))
	if err != nil {
		return nil, err
	}
	var text []byte
	for _, group := range file.RowGroups() {
		rows, buffer := group.Rows(), make([]parquet.Row, 100)
		for err == nil {
			var n int
			n, err = rows.ReadRows(buffer)
			for _, row := range buffer[:n] {
				for _, value := range row {
					text = fmt.Appendf(text, "%v\n", value)
				}
			}
		}
		if !errors.Is(err, io.EOF) {
			return nil, err
		}
		if err = rows.Close(); err != nil {
			return nil, err
		}
	}
	return text, nil
}
