package cmd

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/prantikov/millrace/demo"
	"github.com/prantikov/millrace/record"
)

const (
	// poisonEvery is how many good events there are to a bad one in the day that is shown.
	poisonEvery = 150
	// beat is how often events are published.
	beat = 100 * time.Millisecond
)

// live publishes a day as it goes and shows the consumers until the time is over; then it waits for them and sums up.
func (d *demonstration) live(ctx context.Context) error {
	showing := ctx
	if d.options.length > 0 {
		var cancel context.CancelFunc
		showing, cancel = context.WithTimeout(ctx, d.options.length)
		defer cancel()
	}
	board := newBoard(d)
	if err := d.play(showing, board); err != nil {
		return err
	}
	// What was published is worth waiting for, also after Ctrl-C; a second one ends it.
	ending, cancel := context.WithTimeout(context.WithoutCancel(ctx), d.options.timeout)
	defer cancel()
	d.untilThrough(ending)
	if board.silent {
		return d.printOnce(d.result(board.began))
	}
	return d.summary(board)
}

// play publishes at the asked rate and redraws the board.
func (d *demonstration) play(ctx context.Context, board *board) error {
	day := demo.NewDay(demo.Settings{Seed: d.options.seed, Now: time.Now})
	beats, redraw := time.NewTicker(beat), time.NewTicker(board.period())
	defer beats.Stop()
	defer redraw.Stop()
	began, made := time.Now(), 0
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-redraw.C:
			if err := board.draw(); err != nil {
				return err
			}
		case <-beats.C:
			var batch []*record.Record
			for due := int(time.Since(began).Seconds() * float64(d.options.rate)); made < due; made++ {
				batch = append(batch, day.Next())
				if made%poisonEvery == poisonEvery-1 {
					batch = append(batch, day.Poison())
				}
			}
			if err := d.publish(context.WithoutCancel(ctx), batch); err != nil {
				return err
			}
		}
	}
}

// summary says what happened, where it is, and what to try next.
func (d *demonstration) summary(board *board) error {
	// The last rates are those of the whole run.
	board.drawn, board.finished = board.began, map[string]int{}
	if err := board.draw(); err != nil {
		return err
	}
	_, err := fmt.Fprintf(d.program.out, "\n%s records published in %s, %d lost.\n\nWhere it all is:\n",
		number(d.published.Len()), time.Since(board.began).Round(time.Second), d.ledger.Lost(&d.published, d.topics()))
	if err != nil {
		return err
	}
	if err := d.program.table(d.places()); err != nil {
		return err
	}
	there := ""
	if d.isSet("data_dir") {
		there = " --data-dir " + d.settings.DataDir
	}
	broker := " --dev"
	if !d.settings.Dev {
		broker = " --brokers " + strings.Join(d.settings.Kafka.Brokers, ",")
	}
	_, err = fmt.Fprintf(d.program.out, "\nTry next:\n  %[1]s dlq list --limit 5%[2]s%[3]s\n  %[1]s counts%[3]s\n  %[1]s routes --graph\n", d.program.name, broker, there)
	return err
}

// places says where everything is.
func (d *demonstration) places() [][]string {
	directory := d.settings.DataDir
	place := d.storeFile()
	if d.sharedStore() {
		place = "the database of store.dsn"
	}
	places := [][]string{{"  " + place, "state of every entity, counts, progress"}}
	for _, sink := range [][3]string{
		{"notification", "notification/outbox.jsonl", "what would be sent to patients"},
		{"logging", "logging", "one line per event, without patient data"},
		{"archive", "archive", "every record as it came, the bad ones too"},
	} {
		if slices.ContainsFunc(d.members, func(m *member) bool { return m.consumer.Name() == sink[0] }) {
			places = append(places, []string{"  " + filepath.Join(directory, filepath.FromSlash(sink[1])), sink[2]})
		}
	}
	if d.settings.Dev {
		places = append(places, []string{"  " + d.brokerDir(), "the embedded broker's topics"})
	}
	if d.options.log != "" {
		places = append(places, []string{"  " + d.options.log, "the log: why each bad record was given up"})
	}
	return places
}

// board is the table that demo shows: redrawn in place on a terminal, a line every five seconds elsewhere.
type board struct {
	demonstration *demonstration
	terminal      bool
	silent        bool // for -o json, where only the end is printed
	began, drawn  time.Time
	finished      map[string]int
	lines         int
}

func newBoard(d *demonstration) *board {
	now := time.Now()
	return &board{demonstration: d, terminal: isTerminal(d.program.out), silent: d.options.output == "json", began: now, drawn: now, finished: map[string]int{}}
}

func (b *board) period() time.Duration {
	if b.terminal {
		return time.Second
	}
	return 5 * time.Second
}

func (b *board) draw() error {
	if b.silent {
		return nil
	}
	d := b.demonstration
	since := time.Since(b.drawn).Seconds()
	b.drawn = time.Now()
	rows := [][]string{{"CONSUMER", "DONE", "PER SECOND", "LAG", "RETRIED", "DEAD LETTERS", "SKIPPED"}}
	done, lag, letters := 0, 0, 0
	for _, m := range d.members {
		name := m.consumer.Name()
		counts := d.ledger.Counts(name, &d.published)
		finished := counts.Done + counts.DeadLettered + counts.Skipped
		behind := d.ledger.Lost(&d.published, map[string][]string{name: m.topics})
		rate := float64(finished-b.finished[name]) / max(since, 0.001)
		b.finished[name] = finished
		done, lag, letters = done+counts.Done, lag+behind, letters+counts.DeadLettered
		rows = append(rows, []string{name, number(counts.Done), number(int(rate)), number(behind), number(counts.Retried), number(counts.DeadLettered), number(counts.Skipped)})
	}
	if !b.terminal {
		_, err := fmt.Fprintf(d.program.out, "%4.0fs  published %s  done %s  lag %s  dead letters %s\n",
			time.Since(b.began).Seconds(), number(d.published.Len()), number(done), number(lag), number(letters))
		return err
	}
	if b.lines > 0 {
		// Back to the table's first line, and everything below it away.
		if _, err := fmt.Fprintf(d.program.out, "\x1b[%dA\x1b[J", b.lines); err != nil {
			return err
		}
	}
	b.lines = len(rows)
	return d.program.table(rows)
}

// number writes 1234567 as 1,234,567.
func number(n int) string {
	digits := strconv.Itoa(n)
	var groups []string
	for len(digits) > 3 {
		groups = append(groups, digits[len(digits)-3:])
		digits = digits[:len(digits)-3]
	}
	groups = append(groups, digits)
	slices.Reverse(groups)
	return strings.Join(groups, ",")
}
