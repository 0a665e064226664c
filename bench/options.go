package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
)

// options is what was asked for.
type options struct {
	workload, brokers, output, distribution, report string

	help, list, all bool

	rounds, records, partitions, keys int

	limit time.Duration
}

// usageError is a command that was not understood.
type usageError struct{ err error }

func (e *usageError) Error() string { return e.err.Error() }
func (e *usageError) Unwrap() error { return e.err }

// The orders in which keys follow each other.
const (
	roundRobin = "round-robin"
	uniform    = "uniform"
	zipf       = "zipf"
)

// parseOptions reads the command line. It uses flag and not pflag, which the commands have, because bars are run as -workload NAME with one
// hyphen. The error is a [usageError] that names every mistake.
func parseOptions(arguments []string, errout io.Writer) (options, error) {
	var o options
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	flags.SetOutput(errout)
	flags.StringVar(&o.workload, "workload", "", "the workload to measure, see -list")
	flags.BoolVar(&o.all, "all", false, "measure all workloads")
	flags.BoolVar(&o.list, "list", false, "list the workloads and their bars")
	flags.StringVar(&o.brokers, "brokers", "", "host:port,… of a Kafka; empty starts the embedded broker in a process of its own")
	flags.StringVar(&o.output, "o", "table", "table or json")
	flags.StringVar(&o.report, "report", "", "write all figures as a page of Markdown to this file")
	flags.IntVar(&o.rounds, "rounds", 3, "rounds; figures are medians over them")
	flags.IntVar(&o.records, "records", 0, "records of the input; 0 leaves each workload its own number")
	flags.IntVar(&o.partitions, "partitions", 6, "partitions of the input topic")
	flags.IntVar(&o.keys, "keys", 10_000, "different keys")
	flags.StringVar(&o.distribution, "distribution", "", "of keys: round-robin, uniform or zipf; empty leaves each workload its own")
	flags.DurationVar(&o.limit, "limit", 10*time.Second, "end a peer's turn after this time from its first record, and rate what it did")
	if err := flags.Parse(arguments); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			o.help = true
			return o, nil
		}
		return o, &usageError{err}
	}
	return o, o.check(flags.Args())
}

// check returns every mistake at once.
func (o options) check(rest []string) error {
	var mistakes []error
	refuse := func(wrong bool, format string, values ...any) {
		if wrong {
			mistakes = append(mistakes, fmt.Errorf(format, values...))
		}
	}
	_, known := findWorkload(o.workload)
	refuse(len(rest) > 0, "there is no argument %q", rest)
	refuse(o.workload == "" && !o.all && !o.list, "name a -workload, or -all")
	refuse(o.workload != "" && o.all, "-workload and -all exclude each other")
	refuse(o.workload != "" && !known, "there is no workload %q", o.workload)
	refuse(o.output != "table" && o.output != "json", "-o takes table or json, not %q", o.output)
	refuse(o.rounds < 1, "-rounds is %d: want at least 1", o.rounds)
	refuse(o.records < 0, "-records is %d: want 0 or more", o.records)
	refuse(o.partitions < 1, "-partitions is %d: want at least 1", o.partitions)
	refuse(o.keys < 1, "-keys is %d: want at least 1", o.keys)
	refuse(o.limit <= 0, "-limit is %s: want more than 0", o.limit)
	refuse(!slices.Contains([]string{"", roundRobin, uniform, zipf}, o.distribution),
		"-distribution is %q: want round-robin, uniform or zipf", o.distribution)
	if len(mistakes) == 0 {
		return nil
	}
	return &usageError{errors.Join(mistakes...)}
}

// chosen are the workloads to measure.
func (o options) chosen() []workload {
	if o.all {
		return workloads()
	}
	w, _ := findWorkload(o.workload)
	return []workload{w}
}

// addresses are the brokers of the command line, none for the embedded one.
func (o options) addresses() []string {
	if o.brokers == "" {
		return nil
	}
	return strings.Split(o.brokers, ",")
}
