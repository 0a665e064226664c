package store

import (
	"context"
	"fmt"
	"strings"
)

// How is in which way two sets of tables do not have an entity the same.
type How string

const (
	// HowMissing is an entity that the rebuilt tables have and the store has not.
	HowMissing How = "missing"
	// HowExtra is one that the store has and the rebuilt tables have not.
	HowExtra How = "extra"
	// HowDifferent is one whose state or history is not the same.
	HowDifferent How = "different"
)

// Difference is an entity that is not the same.
type Difference struct {
	ID  string
	How How
}

// Comparison is what two sets of tables have of one type of entities.
type Comparison struct {
	Type string
	// Live and Rebuilt are how many entities the store has, and the tables beside it.
	Live, Rebuilt int64
	// Missing, Extra and Different count those that are not the same; First are some of them, by id.
	Missing, Extra, Different int64
	First                     []Difference
	// Left counts those that are not the same and have changes that were lost: nobody can say which side is right, and nothing is put in their place.
	Left int64
}

// Same says whether nothing is to be changed.
func (c Comparison) Same() bool { return c.Missing+c.Extra+c.Different == 0 }

// firstDifferences bounds how many of a type are named.
const firstDifferences = 5

// Lost says that the records of a partition before an offset are not in what the tables beside were made of.
type Lost struct {
	Topic     string
	Partition int32
	Before    int64
}

// Comparing is what to compare.
type Comparing struct {
	// Consumers are those that write the types.
	Consumers, Types []string
	Lost             []Lost
	// CatchUp is given the consumers' progress as it stands now that nobody commits any more, and brings the tables beside as far. It does not
	// write to the store.
	CatchUp func(context.Context, []Progress) error
	// Swap puts the rebuilt entities in the place of those that are not the same.
	Swap bool
}

// Compare compares the tables beside with the store's, and with Swap puts the rebuilt entities, states and history, in the place of those that
// are not the same, all at once. Nobody commits a unit of work meanwhile; those who share the database wait, and one that was begun before is begun
// anew on what is there then. The error is one that [Unavailable] knows, or CatchUp's.
func (b *Beside) Compare(ctx context.Context, c Comparing) (found []Comparison, err error) {
	var behind error
	err = b.live.database.exclusive(ctx, b.room.name, func(x exclusively) (keep bool, err error) {
		if behind = b.catchUp(ctx, x, c); behind != nil {
			return false, behind
		}
		found, err = b.compare(ctx, x, c)
		return c.Swap, err
	})
	if behind != nil {
		return nil, behind
	}
	if err != nil {
		return nil, unavailable("comparing the rebuilt tables with the store's", err)
	}
	return found, nil
}

// catchUp says how far the consumers are now, and has the tables beside brought as far.
func (b *Beside) catchUp(ctx context.Context, x exclusively, c Comparing) error {
	if c.CatchUp == nil {
		return nil
	}
	var rows []Progress
	for _, consumer := range c.Consumers {
		of, err := progressOf(ctx, x.conn, consumer)
		if err != nil {
			return unavailable("reading the progress", err)
		}
		rows = append(rows, of...)
	}
	return c.CatchUp(ctx, rows)
}

func (b *Beside) compare(ctx context.Context, x exclusively, c Comparing) ([]Comparison, error) {
	if err := x.exec(ctx, "CREATE TEMP TABLE differences (id TEXT NOT NULL, type TEXT NOT NULL, how TEXT NOT NULL, PRIMARY KEY (id, type))"); err != nil {
		return nil, err
	}
	var found []Comparison
	for _, kind := range c.Types {
		one, err := b.compareType(ctx, x, kind, c.Lost)
		if err != nil {
			return nil, err
		}
		found = append(found, one)
	}
	if c.Swap {
		if err := x.swap(ctx, c.Consumers); err != nil {
			return nil, err
		}
	}
	return found, x.exec(ctx, "DROP TABLE differences")
}

func (b *Beside) compareType(ctx context.Context, x exclusively, kind string, lost []Lost) (Comparison, error) {
	c := Comparison{Type: kind}
	for _, query := range x.differences() {
		if err := x.exec(ctx, query, kind); err != nil {
			return c, err
		}
	}
	for _, one := range lost {
		left, err := x.conn.ExecContext(ctx, leave, kind, one.Topic, one.Partition, one.Before)
		if err != nil {
			return c, err
		}
		rows, err := left.RowsAffected()
		if err != nil {
			return c, err
		}
		c.Left += rows
	}
	for _, count := range []struct {
		query string
		into  *int64
	}{
		{"SELECT count(*) FROM entities WHERE type = $1", &c.Live},
		{"SELECT count(*) FROM " + x.beside + "entities WHERE type = $1", &c.Rebuilt},
		{"SELECT count(*) FROM differences WHERE type = $1 AND how = 'missing'", &c.Missing},
		{"SELECT count(*) FROM differences WHERE type = $1 AND how = 'extra'", &c.Extra},
		{"SELECT count(*) FROM differences WHERE type = $1 AND how = 'different'", &c.Different},
	} {
		if err := x.conn.QueryRowContext(ctx, count.query, kind).Scan(count.into); err != nil {
			return c, err
		}
	}
	rows, err := x.conn.QueryContext(ctx, "SELECT id, how FROM differences WHERE type = $1 ORDER BY id LIMIT $2", kind, firstDifferences)
	if err != nil {
		return c, err
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var one Difference
		if err := rows.Scan(&one.ID, &one.How); err != nil {
			return c, err
		}
		one.ID = b.live.dialect.plain(one.ID)
		c.First = append(c.First, one)
	}
	return c, rows.Err()
}

// leave takes entities of a type out of the differences that have a change that was lost.
const leave = `DELETE FROM differences WHERE type = $1 AND (
EXISTS (SELECT 1 FROM entity_history h WHERE h.id = differences.id AND h.type = differences.type AND h.topic = $2 AND h.partition = $3 AND h.record_offset < $4)
OR EXISTS (SELECT 1 FROM entities e WHERE e.id = differences.id AND e.type = differences.type AND e.first_topic = $2 AND e.first_partition = $3 AND e.first_offset < $4))`

// differences are the statements that find what is not the same of the type $1: entities first, then those of which the history alone differs.
func (x exclusively) differences() []string {
	const into = "INSERT INTO differences (id, type, how) "
	oneSided := func(of, against string, how How) string {
		return fmt.Sprintf(into+`SELECT a.id, a.type, '%s' FROM %s a WHERE a.type = $1
AND NOT EXISTS (SELECT 1 FROM %s b WHERE b.id = a.id AND b.type = a.type)`, how, of, against)
	}
	history := func(of, against, unequal string) string {
		return fmt.Sprintf(into+`SELECT DISTINCT a.id, a.type, 'different' FROM %s a
LEFT JOIN %s b ON b.id = a.id AND b.type = a.type AND b.revision = a.revision
WHERE a.type = $1 AND (b.id IS NULL%s) AND NOT EXISTS (SELECT 1 FROM differences d WHERE d.id = a.id AND d.type = a.type)`, of, against, unequal)
	}
	live, rebuilt := "entities", x.beside+"entities"
	liveHistory, rebuiltHistory := "entity_history", x.beside+"entity_history"
	return []string{
		oneSided(rebuilt, live, HowMissing),
		oneSided(live, rebuilt, HowExtra),
		fmt.Sprintf(into+"SELECT a.id, a.type, 'different' FROM %s a JOIN %s b ON b.id = a.id AND b.type = a.type WHERE a.type = $1 AND %s",
			live, rebuilt, unequal(&stateTable)),
		history(liveHistory, rebuiltHistory, " OR "+unequal(&historyTable)),
		history(rebuiltHistory, liveHistory, ""),
	}
}

// unequal says that two rows of a table, a and b, are not the same. No column is null.
func unequal(t *table) string {
	return "(a." + strings.ReplaceAll(t.names(), ", ", ", a.") + ") <> (b." + strings.ReplaceAll(t.names(), ", ", ", b.") + ")"
}

// swap puts the rebuilt rows in the place of those that are not the same. Another revision of the progress refuses a unit of work that was begun
// before, with the states of then in its memory: it is begun anew.
func (x exclusively) swap(ctx context.Context, consumers []string) error {
	for _, t := range []*table{&historyTable, &stateTable} {
		const drop = "DELETE FROM %s WHERE EXISTS (SELECT 1 FROM differences d WHERE d.id = %[1]s.id AND d.type = %[1]s.type)"
		if err := x.exec(ctx, fmt.Sprintf(drop, t.name)); err != nil {
			return err
		}
		const put = "INSERT INTO %[1]s (%[2]s) SELECT %[2]s FROM %[3]s%[1]s r WHERE EXISTS (SELECT 1 FROM differences d WHERE d.id = r.id AND d.type = r.type)"
		if err := x.exec(ctx, fmt.Sprintf(put, t.name, t.names(), x.beside)); err != nil {
			return err
		}
	}
	for _, consumer := range consumers {
		if err := x.exec(ctx, "UPDATE progress SET revision = revision + 1 WHERE consumer = $1", consumer); err != nil {
			return err
		}
	}
	return nil
}
