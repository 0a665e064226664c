package kafka

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/IBM/sarama"

	"github.com/prantikov/millrace/progress"
	"github.com/prantikov/millrace/record"
)

// Standing is how far one group is with one partition.
type Standing struct {
	// Committed is the group's position, -1 when it has none. It may be beyond the end.
	Committed int64
	// Above counts what one of our consumers has finished at its position and above, and committed beside it.
	Above int64
	// Undone counts the offsets up to the end that the group has not done, 0 when none of them has a record that may be read.
	Undone int64
	// Oldest is the timestamp of the first record that the group has not done; zero when there is none, or when it is not known.
	Oldest time.Time
}

// Comparison is what two groups have done of one partition.
type Comparison struct {
	Topic     string
	Partition int32
	// Start is the first offset that the log still has, End where the comparison ends. What came later is not compared, so that two groups that
	// keep up are equal.
	Start, End int64
	A, B       Standing
	// OnlyA and OnlyB count the offsets that one group has done and the other has not, 0 when none of them has a record that may be read.
	OnlyA, OnlyB int64
}

// Compare says what two groups have done of topics up to the ends that are given, which [Reader.Ends] returns, by topic and partition. It counts
// what is done above a position, where that is committed with it. It joins neither group. The error is [ErrNoTopic] for a topic that does not exist.
func (r *Reader) Compare(ctx context.Context, a, b string, ends map[string]map[int32]int64) ([]Comparison, error) {
	var all []Comparison
	for _, topic := range slices.Sorted(maps.Keys(ends)) {
		c := comparing{reader: r, topic: topic, ends: ends[topic]}
		if err := c.ask(ctx, a, b); err != nil {
			return nil, err
		}
		for _, partition := range slices.Sorted(maps.Keys(c.ends)) {
			compared, err := c.partition(ctx, partition)
			if err != nil {
				return nil, fmt.Errorf("comparing groups %q and %q: %w", a, b, err)
			}
			all = append(all, compared)
		}
	}
	return all, nil
}

// TopicsOf returns the topics on which a group has a position, sorted.
func (r *Reader) TopicsOf(ctx context.Context, group string) ([]string, error) {
	response, err := r.groupOffsets(ctx, group, nil)
	if err != nil {
		return nil, err
	}
	var topics []string
	for topic, partitions := range response.Blocks {
		has := func(block *sarama.OffsetFetchResponseBlock) bool {
			return block.Err == sarama.ErrNoError && block.Offset >= 0
		}
		if slices.ContainsFunc(slices.Collect(maps.Values(partitions)), has) {
			topics = append(topics, topic)
		}
	}
	slices.Sort(topics)
	return topics, nil
}

// comparing is one topic whose groups are compared.
type comparing struct {
	reader       *Reader
	topic        string
	starts, ends map[int32]int64
	a, b         map[int32]committed
}

// ask asks for the start of the log and for both groups' positions.
func (c *comparing) ask(ctx context.Context, a, b string) (err error) {
	if c.starts, err = c.reader.Starts(ctx, c.topic); err != nil {
		return err
	}
	if c.a, err = c.reader.positions(ctx, a, c.topic); err != nil {
		return err
	}
	c.b, err = c.reader.positions(ctx, b, c.topic)
	return err
}

func (c *comparing) partition(ctx context.Context, partition int32) (compared Comparison, err error) {
	compared = Comparison{Topic: c.topic, Partition: partition, Start: c.starts[partition], End: c.ends[partition]}
	// Below the first position nothing tells the two apart. A group without a position has done nothing that the log has.
	from := c.starts[partition]
	for _, at := range []committed{c.a[partition], c.b[partition]} {
		if at.offset > noPosition {
			from = min(from, at.offset)
		}
	}
	a, b := doneFrom(from, c.a[partition]), doneFrom(from, c.b[partition])
	if compared.A, err = c.standing(ctx, partition, c.a[partition], a); err != nil {
		return compared, err
	}
	if compared.B, err = c.standing(ctx, partition, c.b[partition], b); err != nil {
		return compared, err
	}
	if compared.OnlyA, _, err = c.count(ctx, partition, onlyIn(a, b, compared.End)); err != nil {
		return compared, err
	}
	compared.OnlyB, _, err = c.count(ctx, partition, onlyIn(b, a, compared.End))
	return compared, err
}

// doneFrom is all that a group has done at an offset and above.
func doneFrom(from int64, at committed) progress.DoneSet {
	done := at.above()
	done.AddRun(progress.Run{From: from, To: at.offset})
	return done
}

// onlyIn are the runs below the end that are in one set and not in the other.
func onlyIn(done, other progress.DoneSet, end int64) (only []progress.Run) {
	for _, run := range done.Runs() {
		only = append(only, other.Missing(progress.Run{From: run.From, To: min(run.To, end)})...)
	}
	return only
}

func (c *comparing) standing(ctx context.Context, partition int32, at committed, done progress.DoneSet) (s Standing, err error) {
	s.Committed = at.offset
	for _, run := range at.above().Runs() {
		s.Above += run.To - run.From
	}
	undone := done.Missing(progress.Run{From: c.starts[partition], To: c.ends[partition]})
	s.Undone, s.Oldest, err = c.count(ctx, partition, undone)
	return s, err
}

// count counts the offsets of runs, and finds the timestamp of the first record in them. What looks like records may be markers that nobody is
// given, so the count is 0 when no record is found. Offsets that the log has lost may have been records.
func (c *comparing) count(ctx context.Context, partition int32, runs []progress.Run) (offsets int64, oldest time.Time, err error) {
	found := false
	for _, run := range runs {
		offsets += run.To - run.From
		if found {
			continue
		}
		if run.From < c.starts[partition] {
			found = true
			continue
		}
		scan := scan{reader: c.reader, at: record.Position{Topic: c.topic, Partition: partition, Offset: run.From}, end: run.To, probe: true}
		records, err := scan.more(ctx)
		if err != nil {
			return 0, time.Time{}, err
		}
		if len(records) > 0 {
			oldest = records[0].Timestamp
		}
		found = len(records) > 0 || scan.undecided
	}
	if !found {
		return 0, time.Time{}, nil
	}
	return offsets, oldest, nil
}
