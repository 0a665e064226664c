package config_test

import (
	"testing"

	"github.com/prantikov/millrace/config"
)

func TestHowValuesAreWritten(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct{ path, value, want string }{
		"seconds":                 {"kafka.wait", "90s", "1m30s"},
		"minutes":                 {"kafka.wait", "120s", "2m"},
		"hours":                   {"dead_letters.retention", "60m", "1h"},
		"days":                    {"dead_letters.retention", "30d", "720h"},
		"days and hours":          {"dead_letters.retention", "1d12h", "36h"},
		"for ever":                {"dead_letters.retention", "-1", "-1"},
		"no time":                 {"kafka.wait", "0", "0s"},
		"bytes":                   {"limits.value_bytes", "5000001", "5000001"},
		"kibibytes":               {"limits.value_bytes", "2048", "2KiB"},
		"mebibytes with a blank":  {"limits.value_bytes", " 4 MiB ", "4MiB"},
		"gibibytes":               {"limits.value_bytes", "1GiB", "1GiB"},
		"decimal megabytes":       {"limits.value_bytes", "1MB", "1000000"},
		"a list with blanks":      {"kafka.brokers", "a:1 , b:2", "a:1,b:2"},
		"an empty list":           {"kafka.brokers", "", ""},
		"a switch":                {"dev", "1", "true"},
		"a number":                {"consumers.defaults.retry.jitter", "0.50", "0.5"},
		"a text keeps its blanks": {"data_dir", " x ", " x "},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			loaded := load(t, config.Sources{Flags: map[string]string{test.path: test.value}})
			if got := find(config.Rows(loaded), test.path).Value; got != test.want {
				t.Errorf("%s %q: got %q, want %q", test.path, test.value, got, test.want)
			}
		})
	}
}
