package store_test

import (
	"os"
	"testing"
	"fmt"
	"sort"
	"path/filepath"

	"github.com/prantikov/millrace/store"
)

func TestLeakProbe(t *testing.T) {
	for i := range 20 {
		path := filepath.Join(t.TempDir(), "store.db")
		s, err := store.Open(t.Context(), path, nil)
		if err != nil {
			t.Fatal(err)
		}
		if os.Getenv("RUN") != "" {
			run(t, s.UnitOfWork("orders", store.Options{}), "claim", orders(0, int64(i)))
		}
		fmt.Println("close", s.Close())
	}
	entries, _ := os.ReadDir("/proc/self/fd")
	names := map[string]int{}
	for _, e := range entries {
		l, _ := os.Readlink("/proc/self/fd/" + e.Name())
		names[filepath.Base(l)]++
	}
	var keys []string
	for k := range names { keys = append(keys, k) }
	sort.Strings(keys)
	for _, k := range keys { fmt.Println(k, names[k]) }
}
