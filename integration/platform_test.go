//go:build unix

package integration_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/prantikov/millrace/kafka/kafkatest"
)

// settings are those of a configuration file: YAML takes JSON.
type settings = map[string]any

// platform is one set of topics and groups on a broker, with the configuration and the data directory of the program that works on them.
type platform struct {
	broker *broker
	// word is in every name, so that tests can share a broker.
	word           string
	topics, groups map[string]string // by own name, by consumer
	data, config   string
	// dsn is the address of the store, empty for a file in data; beside are the data directories of other processes that share it.
	dsn    string
	beside []string
}

// newPlatform writes a configuration with names of its own. The settings are laid over it.
func newPlatform(t testing.TB, b *broker, over settings) *platform {
	t.Helper()
	name := kafkatest.Name(t)
	p := &platform{broker: b, word: name[len(name)-8:], topics: map[string]string{}, groups: map[string]string{}}
	topics := settings{"defaults": settings{"partitions": 3}}
	consumers := settings{}
	for _, journey := range journeys {
		p.topics[journey.topic] = name + "-" + journey.topic
		topics[journey.topic] = settings{"name": p.topics[journey.topic]}
		p.groups[journey.consumer] = name + "-" + journey.consumer
	}
	for _, consumer := range fanOut {
		p.groups[consumer] = name + "-" + consumer
	}
	for consumer, group := range p.groups {
		consumers[consumer] = settings{"group": group}
	}
	whole := settings{
		"kafka": settings{
			"brokers": strings.Split(b.address, ","),
			// The shortest that brokers allow: a killed process holds its partitions for as long.
			"session_timeout": "6s", "heartbeat_interval": "1s",
		},
		"http": settings{"address": "127.0.0.1:0"}, "topics": topics, "consumers": consumers,
	}
	lay(whole, over)
	p.write(t, whole)
	t.Cleanup(func() { p.drop(t) })
	return p
}

// write makes the configuration file and the place for the data.
func (p *platform) write(t testing.TB, whole settings) {
	t.Helper()
	directory := t.TempDir()
	p.data, p.config = filepath.Join(directory, "data"), filepath.Join(directory, "config.yaml")
	text, err := json.Marshal(whole)
	if err == nil {
		err = os.WriteFile(p.config, text, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// rewrite lays settings over those of the configuration file.
func (p *platform) rewrite(t testing.TB, over settings) {
	t.Helper()
	var whole settings
	text, err := os.ReadFile(p.config)
	if err == nil {
		err = json.Unmarshal(text, &whole)
	}
	if err == nil {
		lay(whole, over)
		text, err = json.Marshal(whole)
	}
	if err == nil {
		err = os.WriteFile(p.config, text, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// lay puts settings over others.
func lay(under, over settings) {
	for name, value := range over {
		section, isSection := value.(settings)
		below, hasBelow := under[name].(settings)
		if isSection && hasBelow {
			lay(below, section)
		} else {
			under[name] = value
		}
	}
}

// drop takes the topics and groups off a Kafka that others use too.
func (p *platform) drop(t testing.TB) {
	if !p.broker.others {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	admin := p.broker.admin(t)
	_, err := admin.DeleteTopics(ctx, slices.Concat(p.names(), p.deadLetterNames(), p.redriveNames())...)
	_, errGroups := admin.DeleteGroups(ctx, slices.Collect(maps.Values(p.groups))...)
	if err := errors.Join(err, errGroups); err != nil {
		t.Logf("clearing up: %v", err)
	}
}

// names are the topics' names on the broker.
func (p *platform) names() []string { return slices.Sorted(maps.Values(p.topics)) }

func (p *platform) deadLetterNames() []string {
	var names []string
	for _, name := range p.names() {
		names = append(names, name+"-dlt")
	}
	return names
}

// redriveNames are the topics on which dead letters come back.
func (p *platform) redriveNames() []string {
	var names []string
	for _, group := range slices.Sorted(maps.Values(p.groups)) {
		names = append(names, group+"-redrive")
	}
	return names
}

// arguments are a command's, with the configuration and the data directory.
func (p *platform) arguments(arguments ...string) []string {
	return append(arguments, "--config", p.config, "--data-dir", p.data)
}

func (p *platform) start(t testing.TB, arguments ...string) *process {
	t.Helper()
	return start(t, p.environment(), p.arguments(arguments...)...)
}

func (p *platform) execute(t testing.TB, arguments ...string) *process {
	t.Helper()
	return execute(t, p.environment(), p.arguments(arguments...)...)
}

// environment has what stands in no file.
func (p *platform) environment() []string {
	if p.dsn == "" {
		return nil
	}
	return []string{"MILLRACE_STORE_DSN=" + p.dsn}
}

// finish runs the consumers to the end of the log.
func (p *platform) finish(t testing.TB) {
	t.Helper()
	p.execute(t, "run", "--exit-at-end", "--timeout", catchUp().String()).ends(0)
}

// provision creates the topics, as a deployment does before its producers start.
func (p *platform) provision(t testing.TB) {
	t.Helper()
	p.execute(t, "topics", "apply").ends(0)
}

// produce writes the records as they are; their topics are our own names.
func (p *platform) produce(t testing.TB, records ...*kgo.Record) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	for _, r := range records {
		if name, ours := p.topics[r.Topic]; ours {
			r.Topic = name
		}
	}
	client := p.broker.client(t, kgo.ProducerBatchMaxBytes(8<<20))
	if err := client.ProduceSync(ctx, records...).FirstErr(); err != nil {
		t.Fatalf("producing: %v", err)
	}
}

// members is how many members the group of a consumer has.
func (p *platform) members(t testing.TB, consumer string) int {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	groups, err := p.broker.admin(t).DescribeGroups(ctx, p.groups[consumer])
	if err == nil {
		err = groups[p.groups[consumer]].Err
	}
	if errors.Is(err, kerr.GroupIDNotFound) {
		return 0
	}
	if err != nil {
		t.Fatalf("asking for the members of %s: %v", consumer, err)
	}
	return len(groups[p.groups[consumer]].Members)
}

// through says whether every group has committed to the ends of its topics.
func (p *platform) through(t testing.TB) bool {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	ends, err := p.broker.admin(t).ListEndOffsets(ctx, p.names()...)
	if err != nil {
		t.Fatalf("asking for the ends: %v", err)
	}
	for _, journey := range journeys {
		for _, consumer := range append(fanOut[:], journey.consumer) {
			committed := p.committed(t, consumer)
			for partition, end := range ends[p.topics[journey.topic]] {
				if committed[fmt.Sprintf("%s/%d", p.topics[journey.topic], partition)] < end.Offset {
					return false
				}
			}
		}
	}
	return true
}

// committed is what the group of a consumer has committed, by topic and partition.
func (p *platform) committed(t testing.TB, consumer string) map[string]int64 {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	offsets, err := p.broker.admin(t).FetchOffsets(ctx, p.groups[consumer])
	if err != nil && !errors.Is(err, kerr.GroupIDNotFound) {
		t.Fatalf("asking for the offsets of %s: %v", consumer, err)
	}
	committed := map[string]int64{}
	for topic, partitions := range offsets {
		for partition, offset := range partitions {
			if offset.At >= 0 {
				committed[fmt.Sprintf("%s/%d", topic, partition)] = offset.At
			}
		}
	}
	return committed
}

// written is how many bytes the archive has, which tells that the consumers move.
func (p *platform) written(t testing.TB) int64 {
	t.Helper()
	var bytes int64
	for _, file := range p.files(t, "archive") {
		if info, err := os.Stat(file); err == nil {
			bytes += info.Size()
		}
	}
	return bytes
}

// files are the files of a file sink.
func (p *platform) files(t testing.TB, consumer string) []string {
	t.Helper()
	var files []string
	for _, data := range append([]string{p.data}, p.beside...) {
		err := filepath.WalkDir(filepath.Join(data, consumer), func(path string, entry os.DirEntry, err error) error {
			if err == nil && !entry.IsDir() {
				files = append(files, path)
			}
			return nil // the folder may not be there yet
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return files
}

// modeOf is the mode of a file or folder.
func modeOf(t testing.TB, name string) os.FileMode {
	t.Helper()
	info, err := os.Stat(name)
	if err != nil {
		t.Fatal(err)
	}
	return info.Mode()
}

// withoutHTTP is the configuration file without an address of its own for metrics and health.
func (p *platform) withoutHTTP(t testing.TB) string {
	t.Helper()
	var whole settings
	text, err := os.ReadFile(p.config)
	if err == nil {
		err = json.Unmarshal(text, &whole)
	}
	delete(whole, "http")
	if err == nil {
		text, err = json.Marshal(whole)
	}
	name := filepath.Join(t.TempDir(), "config.yaml")
	if err == nil {
		err = os.WriteFile(name, text, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	return name
}

// writeFile makes a file with the text.
func writeFile(t testing.TB, text string) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

// writeTo writes the text into a file of this name.
func writeTo(t testing.TB, name, text string) {
	t.Helper()
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}
