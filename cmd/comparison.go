package cmd

import (
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/prantikov/millrace/kafka"
)

// comparison is the output of compare.
type comparison struct {
	// A and B are the groups' names.
	A string `json:"a"`
	B string `json:"b"`
	// Equal says that neither has done what the other has not.
	Equal      bool                `json:"equal"`
	Partitions []comparedPartition `json:"partitions"`
	Total      comparedTotal       `json:"total"`
}

// comparedPartition is one line of compare.
type comparedPartition struct {
	Topic     string   `json:"topic"`
	Partition int32    `json:"partition"`
	End       int64    `json:"end"`
	A         standing `json:"a"`
	B         standing `json:"b"`
	apart
}

// comparedTotal is the last line of compare.
type comparedTotal struct {
	A undone `json:"a"`
	B undone `json:"b"`
	apart
}

// apart is what only one of the groups has done: the offsets, and the records that both are through with and only one gave up as dead letters.
type apart struct {
	OnlyA            int64 `json:"onlyA"`
	OnlyB            int64 `json:"onlyB"`
	DeadLettersOnlyA int   `json:"deadLettersOnlyA"`
	DeadLettersOnlyB int   `json:"deadLettersOnlyB"`
}

func (a apart) and(other apart) apart {
	return apart{a.OnlyA + other.OnlyA, a.OnlyB + other.OnlyB, a.DeadLettersOnlyA + other.DeadLettersOnlyA, a.DeadLettersOnlyB + other.DeadLettersOnlyB}
}

// standing is how far one group is with a partition.
type standing struct {
	// Committed is the group's position, -1 when it has none; Above is what is done above it.
	Committed int64 `json:"committed"`
	Above     int64 `json:"doneAbove"`
	undone
}

// undone is what one group has not done.
type undone struct {
	Lag int64 `json:"lag"`
	// OldestSeconds is the age of the oldest of it by its own timestamp; 0 when there is none, -1 when it is not known.
	OldestSeconds float64 `json:"oldestSeconds"`
}

func newComparison(a, b string, rows []kafka.Comparison, letters givenUp, now time.Time) comparison {
	c := comparison{A: a, B: b, Partitions: []comparedPartition{}}
	for _, row := range rows {
		one := comparedPartition{
			Topic: row.Topic, Partition: row.Partition, End: row.End, A: newStanding(row.A, now), B: newStanding(row.B, now),
			apart: apart{OnlyA: row.OnlyA, OnlyB: row.OnlyB},
		}
		one.DeadLettersOnlyA, one.DeadLettersOnlyB = letters.only(a, b, row), letters.only(b, a, row)
		c.Partitions = append(c.Partitions, one)
		c.Total.apart = c.Total.apart.and(one.apart)
		c.Total.A = c.Total.A.and(one.A.undone)
		c.Total.B = c.Total.B.and(one.B.undone)
	}
	c.Equal = c.Total.apart == apart{}
	return c
}

func newStanding(s kafka.Standing, now time.Time) standing {
	left := undone{Lag: s.Undone}
	switch {
	case !s.Oldest.IsZero():
		left.OldestSeconds = max(now.Sub(s.Oldest).Round(time.Millisecond).Seconds(), 0)
	case s.Undone > 0:
		left.OldestSeconds = -1
	}
	return standing{Committed: s.Committed, Above: s.Above, undone: left}
}

// and adds what is undone elsewhere: the sum, and the oldest of both.
func (u undone) and(other undone) undone {
	return undone{Lag: u.Lag + other.Lag, OldestSeconds: larger(u.OldestSeconds, other.OldestSeconds)}
}

// larger is the larger age; one that is not known counts only where nothing is.
func larger(a, b float64) float64 {
	if a == 0 || b == 0 {
		return a + b
	}
	return max(a, b)
}

// verdict is nil for groups that have done the same, and says else what they have not.
func (c comparison) verdict() error {
	if c.Equal {
		return nil
	}
	only := c.Total.apart
	return &statusError{status: exitDiffer, err: fmt.Errorf("the groups have not done the same: only %q has done %d records and given up %d, only %q has done %d and given up %d",
		c.A, only.OnlyA, only.DeadLettersOnlyA, c.B, only.OnlyB, only.DeadLettersOnlyB)}
}

func (p *Program) printComparison(c comparison) error {
	table := [][]string{{
		"TOPIC", "PARTITION", "END", "A", "LAG A", "OLDEST A (S)", "B", "LAG B", "OLDEST B (S)", "DONE ONLY A", "DONE ONLY B", "DEAD ONLY A", "DEAD ONLY B",
	}}
	for _, row := range c.Partitions {
		table = append(table, slices.Concat(
			[]string{row.Topic, strconv.Itoa(int(row.Partition)), known(row.End), row.A.position()}, row.A.cells(), []string{row.B.position()}, row.B.cells(), row.apart.cells(),
		))
	}
	total := c.Total
	table = append(table, slices.Concat([]string{"TOTAL", "", "", ""}, total.A.cells(), []string{""}, total.B.cells(), total.apart.cells()))
	if _, err := fmt.Fprintf(p.out, "A is group %s, B is group %s\n\n", c.A, c.B); err != nil {
		return err
	}
	return p.table(table)
}

// position is where the group is, with what is done above: 1200 +3.
func (s standing) position() string {
	if s.Above == 0 {
		return known(s.Committed)
	}
	return fmt.Sprintf("%d +%d", s.Committed, s.Above)
}

func (u undone) cells() []string {
	oldest := "-"
	if u.OldestSeconds >= 0 {
		oldest = decimal(u.OldestSeconds)
	}
	return []string{known(u.Lag), oldest}
}

func (a apart) cells() []string {
	return []string{known(a.OnlyA), known(a.OnlyB), strconv.Itoa(a.DeadLettersOnlyA), strconv.Itoa(a.DeadLettersOnlyB)}
}
