package config_test

import (
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/prantikov/millrace/config"
)

func explained(t *testing.T, loaded *config.Loaded, path string) config.Explanation {
	t.Helper()
	all := config.Explain(loaded)
	place := slices.IndexFunc(all, func(one config.Explanation) bool { return one.Path == path })
	if place < 0 {
		t.Fatalf("%s: got no explanation, want one", path)
	}
	return all[place]
}

// Ensure every place that has a value for a setting is there, in the order in which they count.
func TestEveryPlaceOfASettingIsExplained(t *testing.T) {
	t.Parallel()
	s := spring(t, "spring.kafka.client-id=file\nspring.kafka.producer.acks=1\nspring.kafka.listener.concurrency=${N:3}", "SPRING_KAFKA_CLIENT_ID=variable", "MILLRACE_CONSUMERS_ORDERS_CONCURRENCY=9")
	s.Profile, s.Flags = "prod", map[string]string{"kafka.client_id": "flag"}
	profile := write(t, filepath.Dir(s.File), "application-prod.properties", "spring.kafka.client-id=profile\n")
	loaded := load(t, s)

	client := explained(t, loaded, "kafka.client_id")
	want := []config.Step{
		{Source: config.SourceDefault, Value: "millrace", Origin: "default"},
		{Source: config.SourceFile, Value: "file", Origin: s.File + ":1, spring.kafka.client-id"},
		{Source: config.SourceProfile, Value: "profile", Origin: profile + ":1, spring.kafka.client-id"},
		{Source: config.SourceEnvironment, Value: "variable", Origin: "SPRING_KAFKA_CLIENT_ID"},
		{Source: config.SourceFlag, Value: "flag", Origin: "--kafka.client_id", Counts: true},
	}
	if !reflect.DeepEqual(client.Steps, want) {
		t.Errorf("steps:\n got %+v\nwant %+v", client.Steps, want)
	}
	if client.Kafka != "client.id" || client.Spring != "spring.kafka.client-id" || client.Variable != "MILLRACE_KAFKA_CLIENT_ID" {
		t.Errorf("names: got %+v, want those of Kafka, Spring and the environment", client)
	}

	acks := explained(t, loaded, "kafka.producer.acks").Steps
	if len(acks) != 2 || !acks[0].Counts || acks[1].Value != "1" || !acks[1].Unsafe {
		t.Errorf("acks: got %+v, want the default to count and the file's to be unsafe", acks)
	}
	concurrency := explained(t, loaded, "consumers.orders.concurrency").Steps
	if len(concurrency) != 3 || concurrency[1].Value != "3" || !strings.HasSuffix(concurrency[1].Origin, "consumers.defaults.concurrency") || !concurrency[2].Counts {
		t.Errorf("concurrency: got %+v, want what is inherited, then its own", concurrency)
	}
}

func TestExplanationsHaveTheValuesOfTheRows(t *testing.T) {
	t.Parallel()
	loaded := load(t, springSources("testdata/spring/tls/application.yml", "prod", "TRUSTSTORE_PASSWORD=canary"))
	rows := config.Rows(loaded)
	for i, one := range config.Explain(loaded) {
		last := one.Steps[len(one.Steps)-1]
		for _, step := range slices.Backward(one.Steps) {
			if step.Counts {
				last = step
				break
			}
		}
		if one.Row != rows[i] || last.Source != config.SourceDefault && last.Value != one.Value {
			t.Errorf("%s: got %+v, want the row %+v", one.Path, one, rows[i])
		}
	}
}
