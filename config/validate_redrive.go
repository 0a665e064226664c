package config

import (
	"fmt"
	"maps"
	"slices"
)

// redriveTopic checks the name of a consumer's redrive topic: nobody else may write to it or read it, so it is that of no other topic.
func (c *checker) redriveTopic(consumer string, owners map[string]string) {
	path, name := "consumers."+consumer+".group", c.settings.RedriveTopic(consumer)
	refuse := func(reason, other string) {
		c.refuse(path, c.settings.Consumer(consumer).Group, reason, "give the consumer another group, or change dead_letters.redrive_suffix", other, "dead_letters.redrive_suffix")
	}
	if len(name) > maxTopicName {
		c.refuse(path, c.settings.Consumer(consumer).Group, fmt.Sprintf("with dead_letters.redrive_suffix it has more than the %d characters of a topic's name", maxTopicName),
			"shorten one of the two", "dead_letters.redrive_suffix")
	}
	for _, topic := range slices.Sorted(maps.Keys(c.settings.Topics)) {
		switch own := c.settings.Topics[topic].Name; name {
		case own:
			refuse("its dead letters would come back on the topic of topics."+topic+".name", "topics."+topic+".name")
		case own + c.settings.DeadLetters.Suffix:
			refuse("its dead letters would come back on the dead-letter topic of topics."+topic, "topics."+topic+".name")
		}
	}
	if other, taken := owners[name]; taken {
		refuse("its dead letters would come back on the redrive topic of consumers."+other, "consumers."+other+".group")
	}
	owners[name] = consumer
}
