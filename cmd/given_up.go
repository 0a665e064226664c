package cmd

import (
	"context"
	"slices"

	"github.com/prantikov/millrace/deadletter"
	"github.com/prantikov/millrace/kafka"
	"github.com/prantikov/millrace/record"
)

// givenUp has, by group, the records that it gave up as dead letters.
type givenUp map[string]map[record.Position]bool

// givenUp reads the dead letters of topics, of Spring's own recoverer too: both say in a header which group gave up. A group whose program says
// nothing of the kind has none.
func (s *session) givenUp(ctx context.Context, reader *kafka.Reader, topics []string) (givenUp, error) {
	var sources []deadletter.Topic
	for _, topic := range topics {
		sources = append(sources, deadletter.Topic{Name: topic})
	}
	suffixes := []string{s.settings.DeadLetters.Suffix, deadletter.DefaultSuffix, deadletter.OlderSuffix}
	slices.Sort(suffixes)
	given := givenUp{}
	for _, suffix := range slices.Compact(suffixes) {
		entries, err := deadletter.NewBrowser(reader, suffix, sources).List(ctx, deadletter.Filter{})
		if err != nil {
			return nil, err
		}
		for _, entry := range entries {
			if given[entry.Group] == nil {
				given[entry.Group] = map[record.Position]bool{}
			}
			given[entry.Group][entry.Original] = true
		}
	}
	return given, nil
}

// only counts the records of a partition that one group gave up and the other did not, of those that the log has and both are through with.
func (g givenUp) only(group, other string, row kafka.Comparison) (count int) {
	through := min(row.A.Committed, row.B.Committed, row.End)
	for at := range g[group] {
		if at.Topic == row.Topic && at.Partition == row.Partition && at.Offset >= row.Start && at.Offset < through && !g[other][at] {
			count++
		}
	}
	return count
}
