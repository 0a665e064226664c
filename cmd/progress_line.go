package cmd

import (
	"fmt"
	"io"
	"strings"
	"sync"
	"time"
)

const (
	// drawEvery is how often the bar is drawn on a terminal, tellEvery how often a line is written elsewhere.
	drawEvery = 200 * time.Millisecond
	tellEvery = 10 * time.Second
	barWidth  = 30
)

// progressLine shows how far something is: a bar on a terminal, elsewhere a line now and then. It writes beside the data, to stderr. It is safe
// for concurrent use.
type progressLine struct {
	out      io.Writer
	terminal bool
	what     string
	total    int64

	mu    sync.Mutex
	began time.Time
	first int64
	shown time.Time
	drawn bool
}

func (p *Program) progressLine(what string, total int64) *progressLine {
	return &progressLine{out: p.errout, terminal: isTerminal(p.errout), what: what, total: total, began: time.Now(), shown: time.Now(), first: -1}
}

// at shows that so much of the total is through.
func (l *progressLine) at(through int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.first < 0 {
		l.first = through
	}
	every := tellEvery
	if l.terminal {
		every = drawEvery
	}
	now := time.Now()
	if now.Sub(l.shown) < every {
		return
	}
	l.shown = now
	text := l.text(through, now)
	if !l.terminal {
		fmt.Fprintln(l.out, text)
		return
	}
	l.drawn = true
	filled := int(barWidth * min(through, l.total) / max(l.total, 1))
	fmt.Fprintf(l.out, "\r\x1b[K[%s%s] %s", strings.Repeat("#", filled), strings.Repeat(".", barWidth-filled), text)
}

func (l *progressLine) text(through int64, now time.Time) string {
	text := fmt.Sprintf("%s: %d%%, %d of %d offsets", l.what, 100*min(through, l.total)/max(l.total, 1), through, l.total)
	gone := now.Sub(l.began)
	if moved := through - l.first; moved > 0 && gone > 0 {
		left := time.Duration(float64(gone) * float64(l.total-through) / float64(moved))
		text += fmt.Sprintf(", %d a second, %s left", int64(float64(moved)/gone.Seconds()), left.Round(time.Second))
	}
	return text
}

// end ends the bar's line.
func (l *progressLine) end() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.drawn {
		fmt.Fprint(l.out, "\r\x1b[K")
		l.drawn = false
	}
}
