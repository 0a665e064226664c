package cmd

import (
	"runtime/debug"
	"testing"
)

func TestBuildIsReadFromTheBinary(t *testing.T) {
	t.Parallel()
	settings := []debug.BuildSetting{{Key: "vcs.revision", Value: "0ae4d75c0ffee0ae4d75c0ffee0ae4d75c0ffee0"}, {Key: "vcs.time", Value: "2026-01-31T08:00:00Z"}}
	tests := []struct {
		name          string
		info          debug.BuildInfo
		line, program string
	}{
		{
			"a release says its tag, its commit and the date of that",
			debug.BuildInfo{GoVersion: "go1.26.8", Main: debug.Module{Path: ownModule, Version: "v1.2.0"}, Settings: settings},
			"millrace v1.2.0 (commit 0ae4d75c0ffe of 2026-01-31T08:00:00Z) go1.26.8", "millrace v1.2.0",
		},
		{
			"a build without its repository says what it knows",
			debug.BuildInfo{GoVersion: "go1.26.8", Main: debug.Module{Path: ownModule, Version: "(devel)"}},
			"millrace (devel) go1.26.8", "millrace (devel)",
		},
		{
			"somebody's own binary says our version, and names itself beside it",
			debug.BuildInfo{
				GoVersion: "go1.26.8", Main: debug.Module{Path: "clinic.example/router", Version: "v3.1.0"},
				Deps: []*debug.Module{{Path: "other.example/library", Version: "v9.9.9"}, {Path: ownModule, Version: "v1.2.0"}}, Settings: settings,
			},
			"millrace v1.2.0 go1.26.8", "router v3.1.0 with millrace v1.2.0",
		},
		{"a binary of which nothing is known says so", debug.BuildInfo{}, "millrace unknown", "millrace unknown"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			b := buildOf(&test.info)
			if got := b.String(); got != test.line {
				t.Errorf("line: got %q, want %q", got, test.line)
			}
			if b.program != test.program {
				t.Errorf("program: got %q, want %q", b.program, test.program)
			}
		})
	}
}
