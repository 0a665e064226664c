package cmd_test

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prantikov/millrace/cmd"
)

func TestProgressIsABarOnATerminalAndALineNowAndThenElsewhere(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name     string
		terminal bool
		want     string
	}{
		{"on a terminal", true, "\r\x1b[K[##############################] replaying: 100%, 300 of 300 offsets, 10 a second, 0s left\r\x1b[K"},
		{"elsewhere", false, "replaying: 33%, 100 of 300 offsets, 10 a second, 20s left\n"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				var out strings.Builder
				at, end := cmd.NewProgressLine(&out, test.terminal, "replaying", 300)
				for through := range int64(31) {
					at(10 * through)
					<-time.After(time.Second)
				}
				end()
				drawn := strings.Count(out.String(), "replaying")
				if !strings.Contains(out.String(), test.want) || (drawn > 3) != test.terminal {
					t.Errorf("got %d times, %q, want %q in it, and three lines where there is no terminal", drawn, out.String(), test.want)
				}
			})
		})
	}
}
