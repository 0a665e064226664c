package config_test

import (
	"strings"
	"testing"

	"github.com/prantikov/millrace/config"
)

func TestRedriveTopicIsNamedAfterTheGroup(t *testing.T) {
	t.Parallel()
	for group, want := range map[string]string{
		"orders":              "orders-redrive",
		"healthcare-platform": "healthcare-platform-redrive",
		"Praxis Süd/orders":   "Praxis-S-d-orders-redrive",
	} {
		settings := valid()
		consumer(func(x *config.Consumer) { x.Group = group })(&settings)
		if got := settings.RedriveTopic("orders"); got != want {
			t.Errorf("group %q: got %q, want %q", group, got, want)
		}
	}
}

// Ensure a redrive topic is no other topic: nobody else writes to it or reads it.
func TestMistakesOfRedriveTopics(t *testing.T) {
	t.Parallel()
	const path = "consumers.orders.group"
	group := func(name string) func(*config.Settings) {
		return consumer(func(x *config.Consumer) { x.Group = name })
	}
	long := strings.Repeat("g", 245)
	runMistakes(t, map[string]mistakeCase{
		"the topic of events": {func(s *config.Settings) {
			topic(func(x *config.Topic) { x.Name = "orders-redrive" })(s)
		}, path, `"orders"`, "on the topic of topics.order-events.name"},
		"a dead-letter topic": {func(s *config.Settings) {
			s.DeadLetters.RedriveSuffix = "-dlt"
			group("order-events")(s)
		}, path, `"order-events"`, "on the dead-letter topic of topics.order-events"},
		"that of another consumer": {func(s *config.Settings) {
			group("arch ive")(s)
			archive := s.Consumers.ByName["archive"]
			archive.Group = "arch-ive"
			s.Consumers.ByName["archive"] = archive
		}, path, `"arch ive"`, "on the redrive topic of consumers.archive"},
		"a name that is too long": {group(long), path, `"` + long[:200] + `…"`, "more than the 249 characters"},
	})
}
