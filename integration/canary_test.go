//go:build unix

package integration_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/twmb/franz-go/pkg/kadm"

	"github.com/prantikov/millrace/tracing/tracingtest"
)

// Ensure patient data shows nowhere: every field of every kind that is patient data has a value of its own, the events go through the whole
// binary at debug level, good, bad, retried, held, timed out, panicking, dead-lettered and brought back, and whatever is written beside the
// archive's lines, the store, the outbox and the bodies of dead letters is searched, the archive's Parquet files too.
func TestPatientDataShowsNowhere(t *testing.T) {
	t.Parallel()
	collector := tracingtest.Start(t)
	over := tracing(collector)
	over["log"] = settings{"level": "debug"}
	p := carelessPlatform(t, over)
	s := &search{t: t, platform: p, shown: map[string]string{}, kept: map[string]string{}}
	planted := &plants{t: t, word: p.word}
	s.command("topics", "apply")

	for topic, lines := range planted.events() {
		s.command("publish", topic, "--file", writeFile(t, string(lines)))
	}
	good := len(planted.values)
	p.produce(t, planted.bad()...)
	s.refused(planted)
	run := p.careless(t, "run")
	s.through(run)
	s.bringBack(run)

	s.ask(run)
	run.signal(syscall.SIGTERM)
	run.ends(0)
	s.sealArchive()
	s.shown["the log"], s.shown["stdout of run"] = run.stderr.String(), run.stdout.String()
	s.shown["the spans"] = collector.Raw()
	s.headers()
	readFiles(t, p.data, p.data, s.shown, s.kept)
	for _, directory := range s.directories {
		readFiles(t, p.data, directory, s.shown, s.kept)
	}

	finder := find(planted.values)
	for i, leak := range finder.leaks(s.shown) {
		if i < 20 {
			t.Error(leak)
		}
	}
	s.wantPassed(planted.values[:good])
	t.Run("a value is found wherever it is put", func(t *testing.T) {
		inside := *s
		inside.t = t
		inside.wantSeen(finder, planted.values[good/2])
	})
	if got := len(collector.Spans()); got < 100 {
		t.Errorf("got %d spans, want one at least of each try", got)
	}
	t.Logf("%d values planted, %d places searched, 0 wanted", len(planted.values), len(s.shown))
}

// search collects what the program shows.
type search struct {
	t        testing.TB
	platform *platform
	// shown is by place; kept are the files that may have patient data.
	shown, kept map[string]string
	// directories are where the processes ran.
	directories []string
}

// command runs a command of the careless program and notes what it says.
func (s *search) command(arguments ...string) *process {
	s.t.Helper()
	ran := s.platform.careless(s.t, arguments...).ends(0)
	s.note(ran)
	return ran
}

func (s *search) note(ran *process) {
	s.shown[fmt.Sprintf("command %d: %s", len(s.directories), strings.Join(ran.command.Args[1:], " "))] = said(ran)
	s.directories = append(s.directories, ran.command.Dir)
}

// refused publishes lines that are no good events: the error texts must name the reason alone.
func (s *search) refused(planted *plants) {
	s.t.Helper()
	const topic = "order-events"
	var lines bytes.Buffer
	for _, r := range planted.bad() {
		if r.Topic == topic && r.Value != nil && !bytes.ContainsRune(r.Value, '\n') {
			lines.Write(append(r.Value, '\n'))
		}
	}
	ran := s.platform.careless(s.t, "publish", topic, "--file", writeFile(s.t, lines.String())).ends(1)
	s.note(ran)
	if !strings.Contains(said(ran), "lines were refused") {
		s.t.Errorf("got %q, want lines that were refused", said(ran))
	}
}

// through waits until every consumer, the careless one too, has committed all of the log.
func (s *search) through(run *process) {
	s.t.Helper()
	eventually(s.t, "all consumers are through", func() bool {
		if !run.running() {
			return true
		}
		committed := s.platform.committed(s.t, "careless")
		for partition, end := range s.ends() {
			if committed[partition] < end {
				return false
			}
		}
		return s.platform.through(s.t)
	})
	if !run.running() {
		s.t.Fatalf("the program ended; stderr:\n%s", run.tail())
	}
}

// ends are where the topics end, by topic and partition.
func (s *search) ends() map[string]int64 {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.t.Context(), patience)
	defer cancel()
	listed, err := s.platform.broker.admin(s.t).ListEndOffsets(ctx, s.platform.names()...)
	if err != nil {
		s.t.Fatalf("asking for the ends: %v", err)
	}
	ends := map[string]int64{}
	listed.Each(func(end kadm.ListedOffset) { ends[fmt.Sprintf("%s/%d", end.Topic, end.Partition)] = end.Offset })
	return ends
}

// bringBack gives the careless consumer's dead letters back to it and waits until it has finished them: some fail again.
func (s *search) bringBack(run *process) {
	s.t.Helper()
	before := len(s.lettersOf("careless", "dead"))
	if before < len(troubles) {
		s.t.Errorf("got %d dead letters of the careless consumer, want one at least of each trouble", before)
	}
	s.command("dlq", "redrive", "--consumer", "careless")
	s.command("dlq", "redrive", "--consumer", "careless", "-o", "json")
	s.command("dlq", "redrive", "--consumer", "careless", "--execute")
	eventually(s.t, "what came back is finished", func() bool {
		return !run.running() || len(s.lettersOf("careless", "sent")) == 0
	})
	done, again := len(s.lettersOf("careless", "done")), len(s.lettersOf("careless", "dead again"))
	if done < len(troubles) || again == 0 || done+again != before {
		s.t.Errorf("got %d letters done and %d dead again of %d, want all of them, and some of both", done, again, before)
	}
	s.through(run)
}

// lettersOf are the dead letters of a consumer in a state.
func (s *search) lettersOf(consumer, state string) (letters []struct{ Class string }) {
	s.t.Helper()
	listed := s.platform.careless(s.t, "dlq", "list", "--consumer", consumer, "--state", state, "-o", "json").ends(0)
	if err := json.Unmarshal([]byte(listed.stdout.String()), &letters); err != nil {
		s.t.Fatalf("reading dlq list: %v", err)
	}
	return letters
}

// ask asks the running program all that it answers, and looks at the dead letters.
func (s *search) ask(run *process) {
	s.t.Helper()
	for _, path := range []string{"/metrics", "/healthz", "/readyz", "/nothing"} {
		_, s.shown[path] = ask(s.t, run.http()+path)
	}
	for _, command := range []string{
		"status", "status --partitions", "status -o json", "lag", "lag -o json", "replay --consumer orders --from beginning", "replay --consumer orders --from beginning -o json", "counts", "counts -o json", "gaps",
		"analytics counts --by doctor -o csv", "analytics rates --by day,pharmacy", "analytics durations -o json", "analytics overdue --by appointment,doctor", "analytics overdue --by doctor -o json", "routes --graph", "config show",
		"dlq list --limit 0", "dlq list -o json", "dlq list --summary", "dlq list --summary -o json", "topics plan", "pause careless --for 1m", "resume careless",
	} {
		s.command(strings.Fields(command)...)
	}
	var letters []struct {
		Topic             string
		Partition, Offset int64
		Class             string
	}
	if err := json.Unmarshal([]byte(s.command("dlq", "list", "-o", "json").stdout.String()), &letters); err != nil {
		s.t.Fatalf("reading dlq list: %v", err)
	}
	classes := map[string]bool{} // one of each is enough
	for _, letter := range letters {
		if !classes[letter.Class] {
			classes[letter.Class] = true
			at := fmt.Sprintf("%s/%d/%d", letter.Topic, letter.Partition, letter.Offset)
			s.command("dlq", "show", at)
			s.command("dlq", "show", at, "-o", "json")
		}
	}
	for _, class := range []string{"malformed", "unknown_action", "tombstone", "failed", "permanent", "panic", "timeout"} {
		if !classes[class] {
			s.t.Errorf("got no dead letter of class %s, want all kinds of trouble in this test", class)
		}
	}
}

// headers notes what we wrote into headers: the last ones of a dead letter, and all of a record that publish made.
func (s *search) headers() {
	s.t.Helper()
	var text strings.Builder
	for at, letter := range s.platform.broker.read(s.t, s.platform.deadLetterNames()...) {
		begin := len(letter.Headers) - 1
		for begin >= 0 && letter.Headers[begin].Key != "kafka_dlt-exception-fqcn" {
			begin--
		}
		if begin < 0 {
			s.t.Errorf("dead letter %s: got none of our headers", at)
			continue
		}
		for _, ours := range letter.Headers[begin:] {
			text.WriteString(ours.Key + "=" + string(ours.Value) + "\n")
		}
	}
	for _, r := range s.platform.broker.read(s.t, s.platform.groups["careless"]+"-redrive") {
		for _, ours := range r.Headers[len(r.Headers)-2:] {
			text.WriteString(ours.Key + "=" + string(ours.Value) + "\n")
		}
	}
	for _, r := range s.platform.broker.read(s.t, s.platform.names()...) {
		if strings.Contains(string(r.Key), "-bad-") || strings.HasPrefix(string(r.Key), "Magpie") {
			continue // these were produced by somebody else
		}
		for _, header := range r.Headers {
			text.WriteString(header.Key + "=" + string(header.Value) + "\n")
		}
	}
	s.shown["our headers"] = text.String()
}

// wantPassed wants every value of a good event to have gone through the program: the archive has each record whole.
func (s *search) wantPassed(values []string) {
	s.t.Helper()
	var archive strings.Builder
	for name, text := range s.kept {
		if strings.HasPrefix(name, "file "+filepath.Join(s.platform.data, "archive")) {
			archive.WriteString(text)
		}
	}
	if !slices.ContainsFunc(slices.Collect(maps.Keys(s.shown)), func(place string) bool { return strings.HasSuffix(place, ".parquet") }) {
		s.t.Error("got no Parquet file among what was searched, want those of the archive")
	}
	if got := len(find(values).in(archive.String())); got != len(values) {
		s.t.Errorf("got %d of %d planted values in the archive, want all of them to have passed", got, len(values))
	}
}

// wantSeen wants each place to have something to search, and the search to find a value wherever it is put.
func (s *search) wantSeen(finder finder, value string) {
	s.t.Helper()
	for _, place := range []string{"the log", "the spans", "/metrics", "/healthz", "/readyz", "our headers"} {
		if len(s.shown[place]) < 10 {
			s.t.Errorf("%s: got %q, want something to search", place, s.shown[place])
		}
	}
	clean := map[string]string{}
	for place, text := range s.shown {
		clean[place] = text[:min(len(text), 1000)]
	}
	for _, form := range []string{value, fmt.Sprintf("%x", value), base64.StdEncoding.EncodeToString([]byte("ab" + value + "c"))} {
		for place := range clean {
			seeded := maps.Clone(clean)
			seeded[place] += "… " + form
			if got := finder.leaks(seeded); len(got) != 1 || !strings.HasPrefix(got[0], place+":") {
				s.t.Errorf("%s with %s in it: got %q, want the search to see it", place, form, got)
			}
		}
	}
	// A file that nobody expects is searched, too.
	stray := filepath.Join(s.platform.data, "stray.log")
	if err := os.WriteFile(stray, []byte(`{"patientId":"`+value+`"}`), 0o600); err != nil {
		s.t.Fatal(err)
	}
	files := map[string]string{}
	readFiles(s.t, s.platform.data, s.platform.data, files, map[string]string{})
	if got := finder.leaks(files); len(got) != 1 || !strings.Contains(got[0], "stray.log") {
		s.t.Errorf("a file with %s in it: got %q, want the search to see it", value, got)
	}
}
