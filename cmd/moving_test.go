package cmd_test

import (
	"context"
	"crypto/rand"
	"flag"
	"fmt"
	"io"
	"maps"
	"os"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/prantikov/millrace/kafka/kafkatest"
	"github.com/prantikov/millrace/store"
)

// TestAListenerIsMoved has the scripts of moving a listener's topic to Millrace and back, on a broker that outlives each command. The listener is
// one of franz-go. The configuration is the Spring application's own.
func TestAListenerIsMoved(t *testing.T) {
	t.Parallel()
	broker := kafkatest.Broker(t)
	properties, err := os.ReadFile("../config/testdata/spring/local/application.properties")
	if err != nil {
		t.Fatal(err)
	}
	testscript.Run(t, testscript.Params{Dir: "testdata/moving", Cmds: movingCommands(), Setup: func(env *testscript.Env) error {
		// The file reads the first one.
		env.Setenv("KAFKA_BOOTSTRAP_SERVERS", broker)
		env.Setenv("MILLRACE_HTTP_ADDRESS", "127.0.0.1:0")
		// The scripts share the broker, and real ones keep what earlier runs left.
		suffix := "-" + strings.ToLower(rand.Text()[:8])
		env.Setenv("SUFFIX", suffix)
		env.Setenv("SPRING_KAFKA_CONSUMER_GROUP_ID", "healthcare-platform"+suffix)
		for _, topic := range []string{"appointment", "prescription", "order", "health-record"} {
			env.Setenv("MILLRACE_TOPICS_"+strings.ToUpper(strings.ReplaceAll(topic, "-", "_"))+"_EVENTS_NAME", topic+"-events"+suffix)
		}
		return os.WriteFile(env.WorkDir+"/application.properties", properties, 0o600)
	}})
}

// movingCommands are what the scripts of moving say beside the others.
func movingCommands() map[string]func(*testscript.TestScript, bool, []string) {
	all := commands()
	maps.Copy(all, map[string]func(*testscript.TestScript, bool, []string){"orders": orders, "account": account})
	return all
}

// orders makes a file with an event of each of so many new orders: orders 1 100 FILE has those of ord-1 to ord-100.
func orders(ts *testscript.TestScript, _ bool, arguments []string) {
	if len(arguments) != 3 {
		ts.Fatalf("usage: orders FIRST LAST FILE")
	}
	first, err := strconv.Atoi(arguments[0])
	ts.Check(err)
	last, err := strconv.Atoi(arguments[1])
	ts.Check(err)
	var text strings.Builder
	for number := first; number <= last; number++ {
		fmt.Fprintf(&text, `{"orderId":"ord-%d","patientId":"pat-%d","pharmacyId":"ph-1","totalPrice":12.5,"status":"pending",`+
			`"orderDate":"2026-05-04T10:30:00","action":"created"}`+"\n", number, number%17)
	}
	ts.Check(os.WriteFile(ts.MkAbs(arguments[2]), []byte(text.String()), 0o600))
}

// account says for so many orders who has handled each of them, and wants every one to be handled once: account ORDERS HANDLED DATA. HANDLED is the
// listener's file, DATA the directory of Millrace, whose store has each order with the number of its changes.
func account(ts *testscript.TestScript, _ bool, arguments []string) {
	if len(arguments) != 3 {
		ts.Fatalf("usage: account ORDERS HANDLED DATA")
	}
	want, err := strconv.Atoi(arguments[0])
	ts.Check(err)
	times := map[string]int{}
	listener := 0
	for line := range strings.Lines(ts.ReadFile(arguments[1])) {
		times[strings.Fields(line)[0]]++
		listener++
	}
	ours := changes(ts, arguments[2])
	total := 0
	for id, count := range ours {
		times[id] += count
		total += count
	}
	lost, twice := 0, 0
	for number := 1; number <= want; number++ {
		switch count := times[fmt.Sprintf("ord-%d", number)]; {
		case count == 0:
			lost++
		case count > 1:
			twice++
		}
	}
	fmt.Fprintf(ts.Stdout(), "%d events: %d handled by the listener, %d by Millrace, %d left out, %d handled twice\n", want, listener, total, lost, twice)
	if lost > 0 || twice > 0 || listener+total != want {
		ts.Fatalf("want each of %d events handled once", want)
	}
}

// changes is how often each order was changed in a store.
func changes(ts *testscript.TestScript, data string) map[string]int {
	opened, err := store.OpenReader(context.Background(), filepath.Join(ts.MkAbs(data), "store.db"))
	ts.Check(err)
	defer opened.Close()
	rows, err := opened.DB().Query("SELECT id, revision FROM entities")
	ts.Check(err)
	defer rows.Close()
	found := map[string]int{}
	for rows.Next() {
		var id string
		var count int
		ts.Check(rows.Scan(&id, &count))
		found[id] = count
	}
	ts.Check(rows.Err())
	return found
}

// listener stands in for a Java listener: a member of a group that handles the records of a topic one after another, writes a line of each to
// a file, and commits it. It ends when it has handled so many, or when it is interrupted.
func listener() {
	flags := flag.NewFlagSet("listener", flag.ExitOnError)
	group, topic, file := flags.String("group", "", "its group"), flags.String("topic", "", "its topic"), flags.String("file", "handled.txt", "where it writes")
	records := flags.Int("records", 1<<30, "how many records it handles")
	_ = flags.Parse(os.Args[1:])
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	count, err := listen(ctx, *group, *topic, *file, *records)
	fmt.Printf("listener %s: %d records of %s handled\n", *group, count, *topic)
	if err != nil {
		fmt.Fprintln(os.Stderr, "listener:", err)
		os.Exit(1)
	}
	os.Exit(0)
}

func listen(ctx context.Context, group, topic, file string, records int) (count int, err error) {
	client, err := kgo.NewClient(kgo.SeedBrokers(strings.Split(os.Getenv("KAFKA_BOOTSTRAP_SERVERS"), ",")...), kgo.DisableClientMetrics(),
		kgo.ConsumerGroup(group), kgo.ConsumeTopics(topic), kgo.DisableAutoCommit(), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
	if err != nil {
		return 0, err
	}
	defer client.Close()
	handled, err := os.OpenFile(file, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return 0, err
	}
	defer handled.Close()
	within, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	for count < records {
		fetches := client.PollRecords(within, records-count)
		if ctx.Err() != nil {
			return count, nil
		}
		if err := fetches.Err0(); err != nil {
			return count, err
		}
		for _, r := range fetches.Records() {
			if _, err := io.WriteString(handled, fmt.Sprintf("%s %d/%d\n", r.Key, r.Partition, r.Offset)); err != nil {
				return count, err
			}
			if err := client.CommitRecords(context.WithoutCancel(ctx), r); err != nil {
				return count, err
			}
			count++
		}
	}
	return count, nil
}
