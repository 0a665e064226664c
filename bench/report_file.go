package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"time"
)

// writeReport writes all figures as a page of Markdown: machine, versions, one table, commands. A bar that was missed, or not measured, is a row
// like any other.
func writeReport(ctx context.Context, o options, b *brokers, measured []measurement) error {
	var page bytes.Buffer
	write := func(format string, values ...any) { fmt.Fprintf(&page, format, values...) }
	write("# Measurements\n\nWritten by `%s`; do not edit. A bar is a ratio within one run; absolute figures are those of this machine on that day.\n\n", o.command())
	write("- machine: %s\n- brokers: %s\n- date: %s\n- versions: %s\n", machine(), b.version(ctx), time.Now().UTC().Format("2006-01-02 15:04 UTC"), versions())
	write("- each peer in a process of its own, in turn, %d rounds; figures are medians, the range in brackets that of single rounds\n", o.rounds)
	write("- %d partitions, %d keys, values of about 230 bytes with `__TypeId__` and `traceparent`, snappy; a turn ends after %s at the latest\n",
		o.partitions, o.keys, o.limit)
	write("- CPU is getrusage's of the peer's process, from the assignment of its partitions (of paced input from the first record) to the last record\n\n")
	write("%d of %d bars are met.\n\n", count(measured, true), count(measured, true)+count(measured, false))
	write("| workload | peer | records/s | CPU µs/record | peak RSS MiB | more | bar | ratio | met |\n|---|---|---|---|---|---|---|---|---|\n")
	for _, m := range measured {
		m.writeRows(write)
	}
	writeProfiles(write, measured)
	write("\n## Commands\n\n```\nmake bench-kafka   # all of it on a real Kafka node\nmake bench         # all of it, smaller, on the embedded broker in a process of its own\n")
	write("go run ./bench -list\n")
	for _, m := range measured {
		write("go run ./bench -workload %s -brokers 127.0.0.1:9092 -o json\n", m.Workload)
	}
	write("```\n\n## Workloads\n\n")
	for _, m := range measured {
		write("- `%s`: %s\n", m.Workload, m.about)
	}
	return os.WriteFile(o.report, page.Bytes(), 0o644)
}

// writeRows writes a row for each peer, and a row for each bar.
func (m measurement) writeRows(write func(string, ...any)) {
	for _, r := range m.Results {
		write("| %s | %s | %s (%s–%s) | %.2f | %.0f | %s | | | |\n",
			m.Workload, r.name(), thousands(r.RecordsPerSecond), thousands(r.Slowest), thousands(r.Fastest), r.CPUMicrosPerRecord, r.PeakRSSMiB, r.more())
	}
	for _, v := range m.Bars {
		met := "yes"
		if !v.Met {
			met = "**no**"
		}
		write("| %s | | | | | | %s | %s | %s |\n", m.Workload, v.Bar, v.valueText(), met)
	}
	if m.Failure != "" {
		write("| %s | | | | | failed: %s | | | **no** |\n", m.Workload, strings.ReplaceAll(strings.ReplaceAll(m.Failure, "\n", " "), "|", "/"))
	}
}

// writeProfiles says of each missed bar where the time of our peer went.
func writeProfiles(write func(string, ...any), measured []measurement) {
	write("\n## Where the time goes where a bar is missed\n\nOne more turn of `millrace` with the profiler on: shares of its processor time by who caused it; what a package allocates, copies and locks is its own.\n\n")
	for _, m := range measured {
		if len(m.Profile) == 0 {
			continue
		}
		write("- `%s`:", m.Workload)
		for i, one := range m.Profile {
			if i > 0 {
				write(",")
			}
			write(" %s %.0f %%", one.Of, one.Percent)
		}
		write("\n")
	}
}

// count is how many bars are met, or missed. A workload that failed has missed all of its own.
func count(measured []measurement, met bool) int {
	sum := 0
	for _, m := range measured {
		for _, v := range m.Bars {
			if v.Met == met {
				sum++
			}
		}
	}
	return sum
}

// thousands is a number with a comma at each thousand.
func thousands(value float64) string {
	digits := fmt.Sprintf("%.0f", value)
	for at := len(digits) - 3; at > 0; at -= 3 {
		digits = digits[:at] + "," + digits[at:]
	}
	return digits
}

// command is how the run was started, without the address of somebody's brokers.
func (o options) command() string {
	if o.brokers == "" {
		return "make bench"
	}
	return "make bench-kafka"
}

// machine is what the figures were measured on.
func machine() string {
	text := fmt.Sprintf("%s/%s, %d processors", runtime.GOOS, runtime.GOARCH, runtime.NumCPU())
	if model := firstField("/proc/cpuinfo", "model name"); model != "" {
		text += " (" + model + ")"
	}
	if memory := firstField("/proc/meminfo", "MemTotal"); memory != "" {
		text += ", memory " + memory
	}
	return text
}

// firstField is the first value of a name in a file of lines "name : value", empty where there is no such file.
func firstField(file, name string) string {
	text, err := os.ReadFile(file)
	if err != nil {
		return ""
	}
	for line := range strings.Lines(string(text)) {
		if key, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(key) == name {
			return strings.TrimSpace(value)
		}
	}
	return ""
}

// versions are those of Go and of the libraries that are compared.
func versions() string {
	all := []string{runtime.Version()}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return all[0]
	}
	compared := []string{"github.com/ThreeDotsLabs/watermill", "github.com/ThreeDotsLabs/watermill-kafka/v3", "github.com/IBM/sarama",
		"github.com/twmb/franz-go", "github.com/twmb/franz-go/pkg/kfake", "github.com/go-json-experiment/json"}
	for _, module := range info.Deps {
		if slices.Contains(compared, module.Path) {
			all = append(all, strings.TrimPrefix(module.Path, "github.com/")+" "+module.Version)
		}
	}
	return strings.Join(all, ", ")
}
