package cmd_test

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/prantikov/millrace/cmd"
	"github.com/prantikov/millrace/kafka/kafkatest"
	"github.com/prantikov/millrace/messages"
	"github.com/prantikov/millrace/router"
	"github.com/prantikov/millrace/store"
)

// TestMain makes this test binary the millrace that the scripts run.
func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){
		"millrace":   func() { os.Exit(cmd.Main(os.Args[1:], cmd.Builtin())) },
		"extended":   func() { os.Exit(cmd.Main(os.Args[1:], cmd.Plugin(extend))) },
		"journalled": func() { os.Exit(cmd.Main(os.Args[1:], cmd.Builtin(), cmd.Plugin(journal))) },
		"controlled": controlled,
		"listener":   listener,
	})
}

// extend adds a consumer without a unit of work, whose records of different keys go side by side.
func extend(app *cmd.App) error {
	return app.Consume("points", router.On(messages.OrderShipped, func(context.Context, messages.Event[messages.OrderEvent]) error { return nil }))
}

// Ensure the commands do what the scripts say, each command a process of its own, on the embedded broker in the script's directory.
func TestScripts(t *testing.T) {
	t.Parallel()
	testscript.Run(t, testscript.Params{Dir: "testdata/script", Cmds: commands(), UpdateScripts: os.Getenv("UPDATE_SCRIPTS") != "", Setup: func(env *testscript.Env) error {
		// Scripts run side by side.
		env.Setenv("MILLRACE_HTTP_ADDRESS", "127.0.0.1:0")
		return nil
	}})
}

// Ensure what must hold on every broker holds on the embedded one and, when the environment names some, on real ones.
func TestScriptsOnBrokers(t *testing.T) {
	t.Parallel()
	testscript.Run(t, testscript.Params{Dir: "testdata/brokers", Cmds: commands(), Setup: func(env *testscript.Env) error {
		env.Setenv("MILLRACE_HTTP_ADDRESS", "127.0.0.1:0")
		brokers := os.Getenv(kafkatest.BrokersVariable)
		if brokers == "" {
			env.Setenv("MILLRACE_DEV", "true")
			env.Setenv("SUFFIX", "")
			return nil
		}
		// Real brokers keep what earlier runs left.
		suffix := "-" + strings.ToLower(rand.Text()[:8])
		env.Setenv("SUFFIX", suffix)
		env.Setenv("MILLRACE_KAFKA_BROKERS", brokers)
		return os.WriteFile(env.Getenv("WORK")+"/config.yaml", ownNames(suffix), 0o600)
	}})
}

// ownNames is a configuration whose topics and groups nobody else uses.
func ownNames(suffix string) []byte {
	var text strings.Builder
	text.WriteString("topics:\n")
	for _, topic := range []string{"appointment-events", "prescription-events", "order-events", "health-record-events"} {
		fmt.Fprintf(&text, "  %s: {name: %s%s}\n", topic, topic, suffix)
	}
	text.WriteString("consumers:\n")
	for _, name := range []string{"appointments", "prescriptions", "orders", "health-records", "notification", "analytics", "logging", "archive"} {
		fmt.Fprintf(&text, "  %s: {group: %s%s}\n", name, name, suffix)
	}
	return []byte(text.String())
}

// commands are what the scripts say beside testscript's own.
func commands() map[string]func(*testscript.TestScript, bool, []string) {
	return map[string]func(*testscript.TestScript, bool, []string){
		"status": status, "rows": rows, "keys": keys, "letter": letter, "gap": gap, "happened": happened, "until": until, "execute": execute, "tables": tables,
	}
}

// status runs a command and wants this exit status: status 2 millrace dlq.
func status(ts *testscript.TestScript, _ bool, arguments []string) {
	if len(arguments) < 2 {
		ts.Fatalf("usage: status N COMMAND…")
	}
	got := 0
	if err := ts.Exec(arguments[1], arguments[2:]...); err != nil {
		var ended *exec.ExitError
		if !errors.As(err, &ended) {
			ts.Fatalf("%v", err)
		}
		got = ended.ExitCode()
	}
	if strconv.Itoa(got) != arguments[0] {
		ts.Fatalf("got exit status %d, want %s", got, arguments[0])
	}
}

// until runs a command again and again until it ends well and prints what the pattern fits: until '^orders +running' millrace status.
func until(ts *testscript.TestScript, _ bool, arguments []string) {
	if len(arguments) < 2 {
		ts.Fatalf("usage: until PATTERN COMMAND…")
	}
	pattern := regexp.MustCompile("(?m)" + arguments[0])
	for deadline := time.Now().Add(time.Minute); ; <-time.After(50 * time.Millisecond) {
		err := ts.Exec(arguments[1], arguments[2:]...)
		if err == nil && pattern.MatchString(ts.ReadFile("stdout")) {
			return
		}
		if time.Now().After(deadline) {
			ts.Fatalf("got never what fits %s: %v", arguments[0], err)
		}
	}
}

// rows wants this many objects in the last output, a JSON array or a JSON object per line, that have these values:
// rows 2 class=malformed attempts=1.
func rows(ts *testscript.TestScript, _ bool, arguments []string) {
	if len(arguments) == 0 {
		ts.Fatalf("usage: rows N [FIELD=VALUE…]")
	}
	got := 0
	for _, object := range objects(ts) {
		if !slices.ContainsFunc(arguments[1:], func(wanted string) bool {
			field, value, _ := strings.Cut(wanted, "=")
			return fmt.Sprint(object[field]) != value
		}) {
			got++
		}
	}
	if strconv.Itoa(got) != arguments[0] {
		ts.Fatalf("got %d rows with %v, want %s", got, arguments[1:], arguments[0])
	}
}

// keys wants every object in the last output to have these keys and no others.
func keys(ts *testscript.TestScript, _ bool, arguments []string) {
	slices.Sort(arguments)
	for _, object := range objects(ts) {
		if got := slices.Sorted(maps.Keys(object)); !slices.Equal(got, arguments) {
			ts.Fatalf("got keys %v, want %v", got, arguments)
		}
	}
}

// letter keeps the position of the only row of the last output, one of dlq list, in $LETTER.
func letter(ts *testscript.TestScript, _ bool, _ []string) {
	found := objects(ts)
	if len(found) != 1 {
		ts.Fatalf("got %d rows, want one", len(found))
	}
	ts.Setenv("LETTER", fmt.Sprintf("%v/%v/%v", found[0]["topic"], found[0]["partition"], found[0]["offset"]))
}

// gap notes a gap in the script's store: gap CONSUMER TOPIC PARTITION FROM TO.
func gap(ts *testscript.TestScript, _ bool, arguments []string) {
	if len(arguments) != 5 {
		ts.Fatalf("usage: gap CONSUMER TOPIC PARTITION FROM TO")
	}
	var numbers [3]int64
	for i := range numbers {
		number, err := strconv.ParseInt(arguments[2+i], 10, 32)
		ts.Check(err)
		numbers[i] = number
	}
	opened, err := store.Open(context.Background(), ts.MkAbs("data/store.db"), nil)
	ts.Check(err)
	ts.Check(opened.RecordGap(context.Background(), store.Gap{
		Consumer: arguments[0], Topic: arguments[1], Partition: int32(numbers[0]), From: numbers[1], To: numbers[2], Reason: "gone", At: time.Now(),
	}))
	ts.Check(opened.Close())
}

// objects are those of the last output.
func objects(ts *testscript.TestScript) []map[string]any {
	output := ts.ReadFile("stdout")
	var found []map[string]any
	if strings.HasPrefix(output, "[") {
		if err := json.Unmarshal([]byte(output), &found); err != nil {
			ts.Fatalf("reading the output: %v", err)
		}
		return found
	}
	decoder := json.NewDecoder(strings.NewReader(output))
	for {
		var object map[string]any
		err := decoder.Decode(&object)
		if errors.Is(err, io.EOF) {
			return found
		}
		if err != nil {
			ts.Fatalf("reading the output: %v", err)
		}
		found = append(found, object)
	}
}
