package config

import "strings"

// RedriveTopic is the name on the brokers of the topic from which a consumer takes back what it gave up, see [Settings.RedriveTopicOf].
func (s Settings) RedriveTopic(consumer string) string {
	return s.RedriveTopicOf(s.Consumer(consumer).Group)
}

// RedriveTopicOf is the redrive topic of a group: its name with dead_letters.redrive_suffix. A group may be named with characters that a topic may
// not have; each of them becomes a hyphen.
func (s Settings) RedriveTopicOf(group string) string {
	legal := func(r rune) rune {
		if legalInTopic(string(r)) {
			return r
		}
		return '-'
	}
	return strings.Map(legal, group) + s.DeadLetters.RedriveSuffix
}
