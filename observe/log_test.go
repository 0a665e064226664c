package observe_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/prantikov/millrace/observe"
)

func TestLoggerChoosesTheFormat(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name     string
		format   string
		terminal bool
		wantJSON bool
		wantESC  bool
	}{
		{name: "auto is coloured text on a terminal", format: "auto", terminal: true, wantESC: true},
		{name: "auto is JSON elsewhere", format: "auto", wantJSON: true},
		{name: "empty is auto", wantJSON: true},
		{name: "text elsewhere is plain", format: "text"},
		{name: "json on a terminal is JSON", format: "json", terminal: true, wantJSON: true},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			var out bytes.Buffer
			logger, err := observe.Logger(&out, "info", c.format, c.terminal)
			if err != nil {
				t.Fatalf("Logger: %v", err)
			}
			logger.Debug("below the level")
			logger.Info("started", "consumer", "orders")
			if got := json.Valid(out.Bytes()); got != c.wantJSON {
				t.Errorf("JSON: got %t, want %t: %s", got, c.wantJSON, out.String())
			}
			if got := strings.Contains(out.String(), "\x1b["); got != c.wantESC {
				t.Errorf("colours: got %t, want %t: %q", got, c.wantESC, out.String())
			}
			if got := strings.Count(out.String(), "\n"); got != 1 {
				t.Errorf("lines: got %d, want 1: %q", got, out.String())
			}
		})
	}
}

func TestLoggerRefusesUnknownSettings(t *testing.T) {
	t.Parallel()
	cases := []struct{ name, level, format, want string }{
		{"unknown level is named", "loud", "json", `reading log.level: "loud" is not debug, info, warn or error`},
		{"unknown format is named", "info", "xml", `reading log.format: "xml" is not auto, text or json`},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			_, err := observe.Logger(&bytes.Buffer{}, c.level, c.format, false)
			if err == nil || err.Error() != c.want {
				t.Errorf("got %v, want %s", err, c.want)
			}
		})
	}
}

// The colours that tint itself puts on a line.
var colours = strings.NewReplacer("\x1b[0m", "", "\x1b[2m", "", "\x1b[22m", "", "\x1b[91m", "", "\x1b[92m", "", "\x1b[93m", "")

func TestOutsideValuesCannotForgeALine(t *testing.T) {
	t.Parallel()
	values := map[string]any{
		"line break":             "a\nlevel=ERROR msg=forged",
		"carriage return":        "a\rforged",
		"escape sequence":        "a \x1b[2Jforged",
		"escape spelled out":     `a \x1b[2Jforged`,
		"one-byte escape":        "a\u009b2Jforged",
		"right-to-left override": "a\u202eforged",
		"line separator":         "a\u2028forged",
		"not UTF-8":              "a\xff\xfeforged",
		"in an error":            errors.New("a\n\x1b[2Jforged"),
		"in a slice":             []string{"a\n\x1b[2Jforged"},
	}
	for name, value := range values {
		for _, format := range []string{"json", "text", "terminal"} {
			t.Run(name+" as "+format, func(t *testing.T) {
				t.Parallel()
				var out bytes.Buffer
				logger, err := observe.Logger(&out, "info", strings.TrimSuffix(format, "terminal"), format == "terminal")
				if err != nil {
					t.Fatalf("Logger: %v", err)
				}
				logger.With("before", value).WithGroup("group").Warn("record failed", "value", value)
				if text, ok := value.(string); ok {
					logger.Warn(text)
				}
				lines := strings.Split(strings.TrimSuffix(out.String(), "\n"), "\n")
				for _, line := range lines {
					if strings.ContainsAny(colours.Replace(line), "\x1b\r\u009b\u202e\u2028") || !utf8.ValidString(line) {
						t.Errorf("got a control character in %q", line)
					}
					if !strings.Contains(line, "forged") {
						t.Errorf("got a line without its value: %q", line)
					}
				}
				want := 1
				if _, ok := value.(string); ok {
					want = 2
				}
				if len(lines) != want {
					t.Errorf("got %d lines, want %d: %q", len(lines), want, out.String())
				}
			})
		}
	}
}

func TestFieldsAreBounded(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name  string
		field slog.Attr
		want  func(string) bool
	}{
		{"long text is cut and says its length", slog.String("v", strings.Repeat("é", 5000)), func(s string) bool {
			return len(s) < 2100 && strings.HasSuffix(s, "… (10000 bytes)")
		}},
		{"stack may be longer", slog.String("stack", strings.Repeat("s", 5000)), func(s string) bool { return len(s) == 5000 }},
		{"bytes are counted, not shown", slog.Any("v", []byte("patient")), func(s string) bool { return s == "7 bytes" }},
		{"raw JSON is counted, not shown", slog.Any("v", json.RawMessage(`{"a":1}`)), func(s string) bool { return s == "7 bytes" }},
		{"duration is readable", slog.Duration("v", 1500*time.Millisecond), func(s string) bool { return s == "1.5s" }},
		{"long error is cut", slog.Any("v", errors.New(strings.Repeat("e", 9000))), func(s string) bool { return len(s) < 2100 }},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			var out bytes.Buffer
			logger, err := observe.Logger(&out, "info", "json", false)
			if err != nil {
				t.Fatalf("Logger: %v", err)
			}
			logger.LogAttrs(t.Context(), slog.LevelInfo, "m", c.field)
			var line map[string]any
			if err := json.Unmarshal(out.Bytes(), &line); err != nil {
				t.Fatalf("reading %s: %v", out.String(), err)
			}
			if got, _ := line[c.field.Key].(string); !c.want(got) {
				t.Errorf("got %d bytes: %.60q…", len(got), got)
			}
		})
	}
}
