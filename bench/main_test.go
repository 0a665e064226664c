package main

import (
	"bytes"
	"encoding/json"
	"io"
	"os"
	"slices"
	"strings"
	"testing"
)

// TestMain is the program itself when a test has started it as a peer or as the broker.
func TestMain(m *testing.M) {
	if len(os.Args) == 2 && (os.Args[1] == modePeer || os.Args[1] == modeBroker) {
		os.Exit(run(os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
	}
	os.Exit(m.Run())
}

// Ensure a run prints one JSON object and nothing else, and that each peer counts every record exactly once.
func TestChainOnTheEmbeddedBroker(t *testing.T) {
	t.Parallel()
	const records = 2000
	var out, errout bytes.Buffer
	arguments := []string{"-workload", "chain", "-o", "json", "-rounds", "1", "-records", "2000", "-keys", "50", "-limit", "2m"}
	if status := run(arguments, strings.NewReader(""), &out, &errout); status != 0 {
		t.Fatalf("got status %d, want 0; %s", status, errout.String())
	}
	decoder := json.NewDecoder(&out)
	var printed struct {
		Workload string           `json:"workload"`
		Results  []map[string]any `json:"results"`
		Bars     []map[string]any `json:"bars"`
	}
	if err := decoder.Decode(&printed); err != nil {
		t.Fatalf("reading the output: %v", err)
	}
	if rest, _ := io.ReadAll(io.MultiReader(decoder.Buffered(), &out)); len(bytes.TrimSpace(rest)) > 0 {
		t.Errorf("got %q after the object, want nothing", rest)
	}
	var peers []string
	for _, r := range printed.Results {
		name, _ := r["peer"].(string)
		peers = append(peers, name)
		if r["records"] != float64(records) || r["repeats"] != 0. {
			t.Errorf("%s: got %v records, %v repeated, want %d, 0", name, r["records"], r["repeats"], records)
		}
		for _, figure := range []string{"recordsPerSecond", "cpuMicrosPerRecord", "peakRssMiB"} {
			if value, ok := r[figure].(float64); !ok || value < 0 {
				t.Errorf("%s: got %s %v, want a number", name, figure, r[figure])
			}
		}
	}
	if want := []string{"millrace", "sarama", "sarama-decode", "watermill-kafka", "franz-go"}; !slices.Equal(peers, want) {
		t.Errorf("got peers %v, want %v", peers, want)
	}
	if printed.Workload != "chain" || len(printed.Bars) != 3 {
		t.Errorf("got workload %q with %d bars, want chain with 3", printed.Workload, len(printed.Bars))
	}
}

func TestWrongCommandsAreNotUnderstood(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name      string
		arguments string
		want      string
	}{
		{"nothing is asked for", "", "name a -workload"},
		{"unknown workload", "-workload chains", `there is no workload "chains"`},
		{"one workload and all", "-workload chain -all", "exclude each other"},
		{"unknown output", "-workload chain -o yaml", `-o takes table or json, not "yaml"`},
		{"no round", "-workload chain -rounds 0", "-rounds is 0"},
		{"negative records", "-workload chain -records -1", "-records is -1"},
		{"no partition", "-workload chain -partitions 0", "-partitions is 0"},
		{"no key", "-workload chain -keys 0", "-keys is 0"},
		{"no time", "-workload chain -limit 0s", "-limit is 0s"},
		{"unknown distribution", "-workload chain -distribution normal", `-distribution is "normal"`},
		{"an argument without a flag", "-workload chain localhost:9092", "there is no argument"},
		{"unknown flag", "-workloads chain", "not defined"},
		{"all mistakes at once", "-workload chain -rounds 0 -keys 0", "-keys is 0"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			var out, errout bytes.Buffer
			status := run(strings.Fields(test.arguments), strings.NewReader(""), &out, &errout)
			if status != 2 || out.Len() > 0 || !strings.Contains(errout.String(), test.want) {
				t.Errorf("got status %d, %q, %q, want 2, nothing and %q", status, out.String(), errout.String(), test.want)
			}
		})
	}
}

func TestListNamesEachWorkloadOnceWithItsBar(t *testing.T) {
	t.Parallel()
	var out, errout bytes.Buffer
	if status := run([]string{"-list"}, strings.NewReader(""), &out, &errout); status != 0 {
		t.Fatalf("got status %d, want 0; %s", status, errout.String())
	}
	names := map[string]bool{}
	for line := range strings.Lines(out.String()) {
		name := strings.Fields(line)[0]
		if names[name] || !strings.ContainsAny(line, "≥≤") {
			t.Errorf("got the line %q, want each workload once, with a bar", line)
		}
		names[name] = true
	}
	for _, w := range workloads() {
		if !names[w.name] {
			t.Errorf("got no line of %s", w.name)
		}
	}
}
