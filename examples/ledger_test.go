package examples_test

import (
	"path/filepath"
	"testing"

	"github.com/prantikov/millrace/kafka/kafkatest"
	"github.com/prantikov/millrace/record"
	"github.com/prantikov/millrace/store"
	"github.com/prantikov/millrace/store/storetest"
)

// Ensure a plugin's own table has every delivery exactly once, also when all records are delivered a second time.
func TestLedgerCountsOnce(t *testing.T) {
	t.Parallel()
	broker := kafkatest.Cluster(t).ListenAddrs()[0]
	ledger := build(t, "ledger")
	ledger.environment = []string{"MILLRACE_KAFKA_BROKERS=" + broker, "MILLRACE_DATA_DIR=data"}
	if storetest.Postgres() {
		ledger.environment = append(ledger.environment, "MILLRACE_STORE_DSN="+storetest.Place(t, filepath.Join(ledger.directory, "data")))
	}
	result := ledger.demo(t, "--events", "2000", "--poison", "8")
	if result.Lost != 0 || result.Consumers["ledger"].Done == 0 || result.Consumers["ledger-watch"].Done == 0 {
		t.Fatalf("got %+v, want nothing lost and both consumers at work", result)
	}
	want := result.Consumers["ledger"].Done
	if got := deliveries(t, ledger); got != want {
		t.Fatalf("got %d deliveries in the table, want %d", got, want)
	}

	// The group's offsets are lost: the log is delivered from its beginning.
	for partition := range int32(6) {
		kafkatest.Commit(t, broker, "ledger", record.Position{Topic: "order-events", Partition: partition, Offset: 0})
	}
	if got := behind(t, ledger); got == 0 {
		t.Fatal("got no lag, want the whole log before ledger again")
	}
	ledger.run(t, "run", "--exit-at-end", "--consumers", "ledger")
	if left := behind(t, ledger); left != 0 {
		t.Errorf("got %d records left, want none", left)
	}
	if got := deliveries(t, ledger); got != want {
		t.Errorf("got %d deliveries after the second delivery, want %d", got, want)
	}
}

// behind is how many records the ledger has before it.
func behind(t *testing.T, ledger program) (records int) {
	t.Helper()
	var rows []struct {
		Consumer string
		Lag      int
	}
	read(t, ledger.run(t, "lag", "-o", "json"), &rows)
	for _, row := range rows {
		if row.Consumer == "ledger" {
			records += row.Lag
		}
	}
	return records
}

// deliveries is what the ledger's table has.
func deliveries(t *testing.T, ledger program) (count int) {
	t.Helper()
	database, err := store.Reading(storetest.Place(t, filepath.Join(ledger.directory, "data")))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = database.Close() }()
	if err := database.QueryRowContext(t.Context(), "SELECT coalesce(sum(deliveries), 0) FROM ledger_pharmacies").Scan(&count); err != nil {
		t.Fatal(err)
	}
	return count
}
