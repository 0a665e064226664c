package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
)

// print writes a measurement as one object of JSON, or as tables.
func print(out io.Writer, output string, m measurement) error {
	if output == "json" {
		encoder := json.NewEncoder(out)
		encoder.SetEscapeHTML(false)
		return encoder.Encode(m)
	}
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintf(w, "%s: %s\n", m.Workload, m.about)
	fmt.Fprintln(w, "peer\trecords/s\tCPU µs/record\tpeak RSS MiB\t")
	for _, r := range m.Results {
		fmt.Fprintf(w, "%s\t%.0f\t%.2f\t%.0f\t%s\n", r.name(), r.RecordsPerSecond, r.CPUMicrosPerRecord, r.PeakRSSMiB, r.more())
	}
	for _, v := range m.Bars {
		fmt.Fprintf(w, "%s\t%s\t%s\t\t\n", v.Bar, v.valueText(), v.metText())
	}
	if m.Failure != "" {
		fmt.Fprintf(w, "failed: %s\n", m.Failure)
	}
	return w.Flush()
}

// name is the peer and, in brackets, the variant.
func (r result) name() string {
	if r.Variant == "" {
		return r.Peer
	}
	return r.Peer + " (" + r.Variant + ")"
}

// more is the figures that not every workload has.
func (r result) more() string {
	var parts []string
	add := func(value float64, format string) {
		if value > 0 {
			parts = append(parts, fmt.Sprintf(format, value))
		}
	}
	add(r.P50Millis, "p50 %.2f ms")
	add(r.P99Millis, "p99 %.2f ms")
	add(r.LongestMillis, "longest %.1f ms")
	add(r.HandlerMeanMicros, "function %.0f µs")
	add(r.HandlerCPUMicros, "function's CPU %.2f µs")
	if r.FollowSeconds >= never {
		parts = append(parts, "the rate did not follow")
	} else {
		add(r.FollowSeconds, "followed in %.2f s")
	}
	add(r.GrowthRatio, "RSS of the second half by the first %.2f")
	add(float64(r.Repeats), "%.0f repeated")
	if r.Cut {
		parts = append(parts, fmt.Sprintf("cut after %d", r.Records))
	}
	return strings.Join(parts, ", ")
}

func (v verdict) valueText() string {
	if v.Value == nil {
		return "not measured"
	}
	text := fmt.Sprintf("%.2f", *v.Value)
	if v.Beside != "" {
		text += " (" + v.Beside + ")"
	}
	return text
}

func (v verdict) metText() string {
	if v.Met {
		return "met"
	}
	return "MISSED"
}

// printList prints the workloads with their bars.
func printList(out io.Writer) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	for _, one := range workloads() {
		var bars []string
		for _, b := range one.bars {
			bars = append(bars, b.text())
		}
		fmt.Fprintf(w, "%s\t%s\t%s\n", one.name, one.about, strings.Join(bars, "; "))
	}
	return w.Flush()
}
