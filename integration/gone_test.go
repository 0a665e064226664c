//go:build unix

package integration_test

import (
	"os"
	"path/filepath"
	"testing"
)

// Ensure a run whose store is removed under it ends, instead of telling Kafka that what it writes into nothing is done.
func TestRemovedStoreEndsTheRun(t *testing.T) {
	t.Parallel()
	p := newPlatform(t, anyBroker(t), nil)
	p.provision(t)
	run := p.start(t, "run")
	run.http()
	file := filepath.Join(p.data, "store.db")
	if err := os.Rename(file, file+".gone"); err != nil {
		t.Fatal(err)
	}
	run.ends(1).failsInOneSentence("store.db", "was removed or replaced while running", "data_dir")
}
