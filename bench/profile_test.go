package main

import (
	"context"
	"testing"
)

func TestCauseOfAStack(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		functions []string
		want      string
	}{
		"a package's own work":               {[]string{"github.com/IBM/sarama.(*realDecoder).getVarint", "main.main"}, "IBM/sarama"},
		"what it copies is its own":          {[]string{"runtime.memmove", "github.com/prantikov/millrace/router.(*walk).take"}, "prantikov/millrace/router"},
		"what it locks is its own":           {[]string{"runtime.futex", "sync.(*Mutex).Lock", "github.com/prantikov/millrace/kafka.(*claim).take"}, "prantikov/millrace/kafka"},
		"a generic function has its package": {[]string{"slices.SortFunc[go.shape.[]github.com/a/b.C,go.shape.int]"}, "slices"},
		"the kernel":                         {[]string{"internal/runtime/syscall.Syscall6", "syscall.read", "net.(*conn).Read"}, "system calls"},
		"the collector":                      {[]string{"runtime.scanObject", "runtime.gcBgMarkWorker"}, "garbage collection"},
		"the scheduler":                      {[]string{"runtime.findRunnable", "runtime.schedule", "runtime.mcall"}, "scheduler"},
		"nobody's":                           {[]string{"runtime.asyncPreempt"}, "runtime"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := cause(c.functions); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

func TestMissedBarIsExplainedByAProfile(t *testing.T) {
	t.Parallel()
	s := &session{workload: workload{cells: []cell{{peer: peerMillrace, run: func(context.Context, *session) (report, error) { return report{}, nil }}}}}
	for name, met := range map[string]bool{"met": true, "missed, but no peer of this binary": false} {
		if shares, err := s.whyMissed(t.Context(), measurement{Bars: []verdict{{Met: met}}}); err != nil || shares != nil {
			t.Errorf("%s: got %v and %v, want no profile", name, shares, err)
		}
	}
}
