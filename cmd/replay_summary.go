package cmd

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/prantikov/millrace/replay"
)

// replaySummary is what became of a replay, as scripts read it. It counts from its beginning, also where it was stopped in between.
type replaySummary struct {
	Executed  bool               `json:"executed"`
	Complete  bool               `json:"complete"`
	Resumed   bool               `json:"resumed"`
	Seconds   float64            `json:"seconds"`
	Consumers []replaySummaryRow `json:"consumers"`
	LeftOut   []string           `json:"leftOut"`
}

type replaySummaryRow struct {
	Consumer string `json:"consumer"`
	// Applied counts the records that its functions handled, Skipped those that one of its policies passed.
	Applied int64 `json:"applied"`
	Skipped int64 `json:"skipped"`
	Done    int64 `json:"doneAlready"`
	Live    int64 `json:"forTheLiveConsumer"`
	GivenUp int64 `json:"givenUp"`
	// Reasons has the skipped by policy, Classes the given up by class, Failures the first of those.
	Reasons  map[string]int64 `json:"reasons"`
	Classes  map[string]int64 `json:"classes"`
	Failures []replay.Failure `json:"failures"`
}

// failuresShown is how many records that were given up are named of each consumer.
const failuresShown = 100

// printSummary prints what became of the replay and returns how many records were given up.
func (r *replaying) printSummary(took time.Duration) (givenUp int64, err error) {
	summary := replaySummary{Executed: true, Complete: r.complete(), Resumed: r.resumed, Seconds: took.Seconds(), Consumers: []replaySummaryRow{}, LeftOut: append([]string{}, r.leftOut...)}
	for i, taker := range r.takers {
		if i >= len(r.sources) {
			break
		}
		row := summaryOf(taker.name, r.sources[i])
		givenUp += row.GivenUp
		summary.Consumers = append(summary.Consumers, row)
	}
	return givenUp, r.program.print(r.options.output, summary, func() error { return r.tableOf(summary) })
}

func summaryOf(consumer string, source *replay.Source) replaySummaryRow {
	var all replay.Tally
	for _, at := range source.Standings() {
		all.Add(at.Tally)
	}
	row := replaySummaryRow{
		Consumer: consumer, Applied: all.Done, Done: all.Passed[replay.PassedDone], Live: all.Passed[replay.PassedLive], GivenUp: all.GivenUp(),
		Reasons: map[string]int64{}, Classes: map[string]int64{}, Failures: append([]replay.Failure{}, all.Failures[:min(len(all.Failures), failuresShown)]...),
	}
	for reason, count := range all.Skipped {
		row.Skipped += count
		row.Reasons[reason] = count
	}
	for class, count := range all.Failed {
		row.Classes[string(class)] = count
	}
	return row
}

func (r *replaying) tableOf(summary replaySummary) error {
	rows := [][]string{{"CONSUMER", "APPLIED", "SKIPPED", "DONE ALREADY", "FOR THE LIVE CONSUMER", "GIVEN UP"}}
	for _, row := range summary.Consumers {
		rows = append(rows, []string{
			row.Consumer, strconv.FormatInt(row.Applied, 10), counted(row.Skipped, row.Reasons), strconv.FormatInt(row.Done, 10),
			strconv.FormatInt(row.Live, 10), counted(row.GivenUp, row.Classes),
		})
	}
	if err := r.program.table(rows); err != nil {
		return err
	}
	for _, row := range summary.Consumers {
		for _, failure := range row.Failures {
			fmt.Fprintf(r.program.out, "given up by %s: %s/%d/%d, %s\n", row.Consumer, failure.Topic, failure.Partition, failure.Offset, failure.Class)
		}
		if more := row.GivenUp - int64(len(row.Failures)); more > 0 {
			fmt.Fprintf(r.program.out, "given up by %s: %d more\n", row.Consumer, more)
		}
	}
	r.tellLeftOut()
	return nil
}

// counted is a number with what it consists of.
func counted(total int64, of map[string]int64) string {
	if total == 0 {
		return "0"
	}
	var texts []string
	for _, why := range slices.Sorted(maps.Keys(of)) {
		texts = append(texts, fmt.Sprintf("%s %d", why, of[why]))
	}
	return fmt.Sprintf("%d (%s)", total, strings.Join(texts, ", "))
}
