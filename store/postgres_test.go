//go:build postgres

package store_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"github.com/prantikov/millrace/record"
	"github.com/prantikov/millrace/store"
	"github.com/prantikov/millrace/store/storetest"
)

// newSchema is the address of a schema of its own.
func newSchema(t testing.TB) string {
	t.Helper()
	if !storetest.Postgres() {
		t.Fatal("MILLRACE_TEST_POSTGRES names no database: make test-postgres")
	}
	return storetest.Schema(t, t.TempDir())
}

// with sets parameters of an address.
func with(t testing.TB, address string, change func(*url.URL, url.Values)) string {
	t.Helper()
	parsed, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	query := parsed.Query()
	change(parsed, query)
	parsed.RawQuery = query.Encode()
	return parsed.String()
}

func TestPostgresOpenSaysWhatIsWrong(t *testing.T) {
	t.Parallel()
	const password = "canary-5e4d"
	tests := []struct {
		name   string
		change func(t *testing.T, address string) string
		want   string
	}{
		{"nobody listens", func(t *testing.T, address string) string {
			return with(t, address, func(u *url.URL, _ url.Values) { u.Host = "127.0.0.1:1" })
		}, "the server cannot be reached"},
		{"no such host", func(t *testing.T, address string) string {
			return with(t, address, func(u *url.URL, _ url.Values) { u.Host = "nobody.invalid:5432" })
		}, "the server cannot be reached"},
		{"no such database", func(t *testing.T, address string) string {
			return with(t, address, func(u *url.URL, _ url.Values) { u.Path = "/nothing" })
		}, "there is no such database"},
		{"no such user", func(t *testing.T, address string) string {
			return with(t, address, func(u *url.URL, _ url.Values) { u.User = url.UserPassword("nobody", password) })
		}, "the server refuses the user or the password"},
		{"a database that is for reading", func(t *testing.T, address string) string {
			return with(t, address, func(_ *url.URL, q url.Values) { q.Set("default_transaction_read_only", "on") })
		}, "it can only be read"},
		{"no right to make tables", func(t *testing.T, address string) string {
			reader := schemaOf(t, address) + "_reader"
			storetest.Execute(t, storetest.Address(), "DROP ROLE IF EXISTS "+reader, "CREATE ROLE "+reader+" LOGIN")
			t.Cleanup(func() {
				storetest.Execute(t, storetest.Address(), "DROP OWNED BY "+reader, "DROP ROLE "+reader)
			})
			storetest.Execute(t, storetest.Address(), "GRANT USAGE ON SCHEMA "+schemaOf(t, address)+" TO "+reader)
			return with(t, address, func(u *url.URL, _ url.Values) { u.User = url.UserPassword(reader, password) })
		}, "may not make tables"},
		{"what is no address", func(*testing.T, string) string { return "postgres://me:" + password + "@host:port/database" }, "it is no address of the form"},
		{"tables of a newer program", func(t *testing.T, address string) string {
			openStore(t, address)
			storetest.Execute(t, address, "INSERT INTO schema_versions (version_id, is_applied) VALUES (9999, true)")
			return address
		}, "newer program"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			address := with(t, newSchema(t), func(u *url.URL, _ url.Values) { u.User = url.UserPassword(u.User.Username(), password) })
			s, err := store.Open(t.Context(), test.change(t, address), nil)
			if err == nil {
				_ = s.Close()
				t.Fatalf("got no error, want one with %q", test.want)
			}
			if !strings.Contains(err.Error(), test.want) || strings.Contains(err.Error(), password) || strings.Contains(err.Error(), "\n") {
				t.Errorf("got %q, want one line with %q and without the password", err, test.want)
			}
		})
	}
}

func schemaOf(t testing.TB, address string) (schema string) {
	t.Helper()
	with(t, address, func(_ *url.URL, q url.Values) { schema = q.Get("search_path") })
	return schema
}

// Ensure processes that start together make the tables once.
func TestPostgresMigratesOnceWhenProcessesStartTogether(t *testing.T) {
	t.Parallel()
	const processes = 4
	address := newSchema(t)
	slow := fstest.MapFS{"00001_slow.sql": {Data: []byte("-- +goose Up\nSELECT pg_sleep(0.2);\nCREATE TABLE slow (a TEXT);\n")}}
	var group sync.WaitGroup
	for range processes {
		group.Go(func() {
			s, err := store.Open(t.Context(), address, nil)
			if err != nil {
				t.Error(err)
				return
			}
			defer s.Close()
			if err := s.Migrate(t.Context(), "slow", slow); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	s := openStore(t, address)
	for _, versions := range []string{"schema_versions", "schema_versions_slow"} {
		var repeated int
		query := "SELECT count(*) FROM (SELECT version_id FROM " + versions + " GROUP BY version_id HAVING count(*) > 1) AS repeated"
		if err := s.DB().QueryRowContext(t.Context(), query).Scan(&repeated); err != nil || repeated != 0 {
			t.Errorf("%s: got %d versions that were applied more than once, %v", versions, repeated, err)
		}
	}
}

// Ensure a commit is on the server's disk also where that is not its default, and that a process that is stopped within a transaction does
// not keep its locks.
func TestPostgresSessionsAreDurable(t *testing.T) {
	t.Parallel()
	address := with(t, newSchema(t), func(_ *url.URL, q url.Values) { q.Set("synchronous_commit", "off") })
	s := openStore(t, address)
	work := begin(t, s.UnitOfWork("loyalty", store.Options{}), "claim", orders(0, 0))
	tx, err := store.Tx(work.Context(t.Context()))
	if err != nil {
		t.Fatal(err)
	}
	for setting, want := range map[string]string{"synchronous_commit": "on", "idle_in_transaction_session_timeout": "20s", "lock_timeout": "10s"} {
		var got string
		if err := tx.QueryRowContext(t.Context(), "SELECT current_setting($1)", setting).Scan(&got); err != nil || got != want {
			t.Errorf("%s: got %q %v, want %q", setting, got, err, want)
		}
	}
}

// cutOff ends the connections of a schema as a server that goes down does.
func cutOff(t testing.TB, address string) {
	t.Helper()
	storetest.Execute(t, storetest.Address(), "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = '"+schemaOf(t, address)+"'")
}

func TestPostgresConnectionsThatEndLoseNothing(t *testing.T) {
	t.Parallel()
	address := newSchema(t)
	s := openStore(t, address)
	migrate(t, s)
	unit, loyalty := s.UnitOfWork("orders", store.Options{}), s.UnitOfWork("loyalty", store.Options{})
	run(t, unit, "claim", orders(0, 0))

	t.Run("between two units of work nobody notices, or the next one is unavailable", func(t *testing.T) {
		cutOff(t, address)
		again(t, func() error { return tryRun(t, unit, 1) })
		if got := events(t, openStore(t, address)); got != 2 {
			t.Errorf("events: got %d, want 2", got)
		}
	})
	t.Run("within a function's statements the whole unit is begun anew", func(t *testing.T) {
		again(t, func() error {
			work, err := loyalty.Begin(t.Context(), "claim", orders(0, 0))
			if err != nil {
				return err
			}
			defer func() { _ = work.Rollback() }()
			ctx := work.Context(t.Context())
			if err := award(ctx, "first", 1); err != nil {
				return err
			}
			cutOff(t, address)
			if err := award(ctx, "second", 1); !store.Unavailable(err) {
				t.Errorf("statement: got %v, want it unavailable", err)
			}
			if err := work.Commit(t.Context()); !store.Unavailable(err) {
				t.Errorf("commit: got %v, want it unavailable", err)
			}
			return nil
		})
		if rows, _ := points(t, openStore(t, address)); rows != 0 {
			t.Errorf("rows: got %d, want 0", rows)
		}
	})
	t.Run("before a commit nothing is written", func(t *testing.T) {
		var cut sync.Once
		s.OnReached(func(step string) {
			if step == "recorded" {
				cut.Do(func() { cutOff(t, address) })
			}
		})
		again(t, func() error { return tryRun(t, unit, 2) })
		s.OnReached(nil)
		if got := events(t, openStore(t, address)); got != 3 {
			t.Errorf("events: got %d, want 3", got)
		}
	})
}

// again repeats what the store was not available for, as a router does.
func again(t testing.TB, try func() error) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); ; {
		err := try()
		if err == nil {
			return
		}
		if !store.Unavailable(err) || time.Now().After(deadline) {
			t.Error(err)
			return
		}
	}
}

// tryRun handles one record in a unit of work of its own.
func tryRun(t testing.TB, unit *store.UnitOfWork, offset int64) error {
	t.Helper()
	records := orders(0, offset)
	work, err := unit.Begin(t.Context(), "claim", records)
	if err != nil {
		return err
	}
	defer func() { _ = work.Rollback() }()
	for _, r := range records {
		if work.Finished(r) {
			continue
		}
		work.Mark()
		if err := apply(work.Context(t.Context()), r); err != nil {
			return err
		}
		work.Finish(r, record.Done)
	}
	return work.Commit(t.Context())
}

// TestPostgresKillDuringCommitOfFiles ends a process in the middle of a commit: its files stay as they are, its connections are gone.
func TestPostgresKillDuringCommitOfFiles(t *testing.T) {
	t.Parallel()
	for _, step := range []string{"registered", "synced", "recorded", "committed"} {
		t.Run(step, func(t *testing.T) {
			t.Parallel()
			o := outbox{data: t.TempDir(), place: newSchema(t)}
			s, unit := o.open(t)
			deliver(t, unit, "claim 1", orders(0, 0, 1), "a.jsonl")
			killed := o
			var kill sync.Once
			s.OnReached(func(reached string) {
				if reached == step {
					kill.Do(func() {
						killed = o.copyTo(t)
						cutOff(t, o.place)
					})
				}
			})
			work := begin(t, unit, "claim 1", orders(0, 1, 2, 3))
			appendLines(t, work, orders(0, 1, 2, 3), "a.jsonl")
			if err := work.Commit(t.Context()); (err == nil) != (step == "committed") {
				t.Fatalf("commit: got %v", err)
			}
			killed.place = o.place
			_, unit = killed.open(t)
			deliver(t, unit, "claim 2", orders(0, 0, 1, 2, 3, 4), "a.jsonl")
			if got, want := killed.lines(t, "a.jsonl"), linesOf(0, 1, 2, 3, 4); !slices.Equal(got, want) {
				t.Errorf("got %q, want %q", got, want)
			}
		})
	}
}

// Ensure two processes that change the same entities and counts at the same time, in any order, end: what is refused is done anew.
func TestPostgresProcessesDoNotDeadlock(t *testing.T) {
	t.Parallel()
	const processes, batches = 3, 20
	address := newSchema(t)
	var group sync.WaitGroup
	for process := range int32(processes) {
		s := openStore(t, address)
		unit := s.UnitOfWork("orders", store.Options{})
		group.Go(func() {
			for batch := range int64(batches) {
				records := orders(process, batch*4, batch*4+1, batch*4+2, batch*4+3)
				if process%2 == 1 {
					slices.Reverse(records)
					for i, r := range records {
						r.Offset = batch*4 + int64(i)
					}
				}
				for _, r := range records {
					r.Key = fmt.Appendf(nil, "order-%d", r.Timestamp.UnixMilli()%5) // entities of all
				}
				again(t, func() error {
					work, err := unit.Begin(context.WithoutCancel(t.Context()), "claim", records)
					if err != nil {
						return err
					}
					defer func() { _ = work.Rollback() }()
					handle(t, work, records)
					return work.Commit(t.Context())
				})
			}
		})
	}
	group.Wait()
	if got, want := events(t, openStore(t, address)), int64(processes*batches*4); got != want {
		t.Errorf("events: got %d, want %d", got, want)
	}
}

// Ensure the two databases have the same tables with the same columns, so that a query for one is a query for the other.
func TestPostgresHasTheTablesOfSQLite(t *testing.T) {
	t.Parallel()
	columns := func(s *store.Store, query string) (columns []string) {
		rows, err := s.DB().QueryContext(t.Context(), query)
		if err != nil {
			t.Fatal(err)
		}
		defer rows.Close()
		for rows.Next() {
			var table, column string
			if err := rows.Scan(&table, &column); err != nil {
				t.Fatal(err)
			}
			columns = append(columns, table+"."+column)
		}
		slices.Sort(columns)
		return columns
	}
	got := columns(openStore(t, newSchema(t)), `SELECT table_name, column_name FROM information_schema.columns
WHERE table_schema = current_schema() AND table_name <> 'schema_versions'`)
	want := columns(openStore(t, newFile(t)), `SELECT m.name, c.name FROM sqlite_schema AS m JOIN pragma_table_info(m.name) AS c
WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite%' AND m.name <> 'schema_versions'`)
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

// Ensure a server that may lose what it has committed is a warning.
func TestPostgresWithoutFsyncIsAWarning(t *testing.T) {
	t.Parallel()
	log := &strings.Builder{}
	s, err := store.Open(t.Context(), newSchema(t), slog.New(slog.NewTextHandler(log, nil)))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	var synced string
	if err := s.DB().QueryRowContext(t.Context(), "SHOW fsync").Scan(&synced); err != nil {
		t.Fatal(err)
	}
	if warned := strings.Contains(log.String(), "fsync=off"); warned != (synced == "off") {
		t.Errorf("warned: got %t with fsync=%s", warned, synced)
	}
	if _, err := s.DB().ExecContext(t.Context(), "DELETE FROM progress"); err == nil || errors.Is(err, sql.ErrConnDone) {
		t.Errorf("writing through DB: got %v, want it refused", err)
	}
}
