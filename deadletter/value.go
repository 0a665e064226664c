package deadletter

import (
	"bytes"
	"encoding/base64"
	"encoding/json"

	"github.com/prantikov/millrace/record"
)

// Value returns the value that the failed consumer was given, and whether the dead letter has it in a wrapping.
//
// A Spring application whose only template serialises to JSON writes bytes that it could not read as a JSON string of base64, and says so
// in the type header with Java's name of a byte array.
func Value(r *record.Record) (value []byte, wrapped bool) {
	if header, ok := r.Header("__TypeId__"); !ok || string(header) != "[B" {
		return r.Value, false
	}
	document := bytes.TrimSpace(r.Value)
	if len(document) < 2 || document[0] != '"' {
		return r.Value, false
	}
	// Jackson escapes nothing that base64 has, so what needs unescaping is no base64 of its own.
	var encoded string
	if err := json.Unmarshal(document, &encoded); err != nil {
		return r.Value, false
	}
	decoded, err := base64.StdEncoding.Strict().DecodeString(encoded)
	if err != nil {
		return r.Value, false
	}
	return decoded, true
}
