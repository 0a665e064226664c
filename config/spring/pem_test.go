package spring_test

import (
	"encoding/pem"
	"strings"
	"testing"

	"github.com/prantikov/millrace/config/spring"
)

func TestPEMInOneLineHasLinesAgain(t *testing.T) {
	t.Parallel()
	want := string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: []byte(strings.Repeat("certificate", 20))}))
	for name, text := range map[string]string{
		"as it is":     want,
		"with spaces":  strings.ReplaceAll(want, "\n", " "),
		"with nothing": strings.ReplaceAll(want, "\n", ""),
		"with tabs":    strings.ReplaceAll(want, "\n", "\n\t "),
	} {
		if got := spring.PEM(text + text); got != want+want {
			t.Errorf("%s: got %q, want both with their lines", name, got)
		}
	}
	if got := spring.PEM("what it is not"); got != "what it is not" || spring.IsPEM(got) || !spring.IsPEM(want) {
		t.Errorf("another text: got %q, want it as it is", got)
	}
}
