package config

func topicSettings() []Setting {
	policies := []string{"dead-letter", "skip"}
	return []Setting{
		{Path: "topics.<name>.name", Kind: KindText, Derived: "its own name", OneOnly: true, Spring: "kafka.topic.<name>.name",
			Doc: "The topic's name on the brokers."},
		{Path: "topics.<name>.manage", Kind: KindText, Default: ManageOn, Allowed: []string{ManageOn, ManageOff}, Spring: "spring.kafka.admin.auto-create",
			Doc: "on creates the topic and its dead-letter topic when they are missing; off is for topics that others own: they are checked, and what is missing is printed as lines of kafka-topics.sh."},
		{Path: "topics.<name>.partitions", Kind: KindCount, Default: "6", Kafka: "num.partitions", Spring: "kafka.topic.<name>.partitions",
			Doc: "The number of partitions that the topic is made with."},
		{Path: "topics.<name>.replicas", Kind: KindCount, Default: "3", Kafka: "default.replication.factor", Spring: "kafka.topic.<name>.replication-factor",
			Doc: "The replication factor; as many as there are brokers when they are fewer."},
		{Path: "topics.<name>.retention", Kind: KindDuration, Default: "168h", Kafka: "retention.ms", Spring: "kafka.topic.<name>.retention-ms",
			Doc: "How long records are kept; -1 for ever."},
		{Path: "topics.<name>.max_message_bytes", Kind: KindSize, Default: "0", Kafka: "max.message.bytes",
			Doc: "The largest batch that the topic takes; 0 leaves the brokers' default."},
		{Path: "topics.<name>.key", Kind: KindText, Default: "id", Allowed: []string{"id", "patientId", "any"},
			Doc: "What a record's key must be: the entity's id, the patient's, or anything."},
		{Path: "topics.<name>.unknown_action", Kind: KindText, Default: "dead-letter", Allowed: policies,
			Doc: "What becomes of an event whose action is unknown."},
		{Path: "topics.<name>.unknown_status", Kind: KindText, Default: "dead-letter", Allowed: policies,
			Doc: "What becomes of an event whose status, visit type or record type is unknown."},
		{Path: "topics.<name>.tombstone", Kind: KindText, Default: "dead-letter", Allowed: policies,
			Doc: "What becomes of a record without a value."},
		{Path: "topics.<name>.transitions", Kind: KindText, Default: "dead-letter", Allowed: []string{"dead-letter", "accept"},
			Doc: "What becomes of a status that cannot follow the entity's present one."},
	}
}

func deadLetterSettings() []Setting {
	return []Setting{
		{Path: "dead_letters.suffix", Kind: KindText, Default: "-dlt",
			Doc: "What a topic's name gets for its dead letters; Spring Kafka before 3.3 has .DLT."},
		{Path: "dead_letters.retention", Kind: KindDuration, Default: "720h", Kafka: "retention.ms",
			Doc: "How long dead letters are kept; -1 for ever."},
		{Path: "dead_letters.redrive_suffix", Kind: KindText, Default: "-redrive",
			Doc: "What a consumer group's name gets for the topic on which its dead letters come back to it, and to no other."},
	}
}

func consumerSettings() []Setting {
	policies := []string{PolicyOfTopic, "dead-letter", "skip"}
	return []Setting{
		{Path: "consumers.<name>.enabled", Kind: KindSwitch, Default: "true", Spring: "spring.kafka.listener.auto-startup",
			Doc: "Start the consumer."},
		{Path: "consumers.<name>.topics", Kind: KindList, Derived: "all that it has routes for",
			Doc: "Restrict the consumer to these topics (own names)."},
		{Path: "consumers.<name>.group", Kind: KindText, Derived: "the consumer's name", OneOnly: true, Kafka: "group.id", Spring: "spring.kafka.consumer.group-id",
			Doc: "The whole name of the consumer group; to take over from a stopped listener, its group. No two consumers have the same: they would share a topic's records instead of each getting all."},
		{Path: "consumers.<name>.start", Kind: KindText, Default: "earliest", Kafka: "auto.offset.reset", Spring: "spring.kafka.consumer.auto-offset-reset",
			Doc: "earliest, latest or an RFC 3339 time: where a group without any position on a topic begins."},
		{Path: "consumers.<name>.timeout", Kind: KindDuration, Default: "10s",
			Doc: "How long one try may take; not longer than kafka.drain_timeout."},
		{Path: "consumers.<name>.ordering", Kind: KindText, Default: OrderingDeclared, Allowed: []string{OrderingDeclared, "key", "partition"},
			Doc: "What is kept in the order of the log: the records of a key, or all of a partition; declared is partition for archive and logging, key for the others."},
		{Path: "consumers.<name>.concurrency", Kind: KindCount, Default: "64", Spring: "spring.kafka.listener.concurrency",
			Doc: "How many keys are handled side by side; a consumer with a unit of work handles its records one after another all the same."},
		{Path: "consumers.<name>.retry.tries", Kind: KindCount, Default: "4",
			Doc: "How often a record is tried, the first one too."},
		{Path: "consumers.<name>.retry.initial_interval", Kind: KindDuration, Default: "100ms",
			Doc: "The first pause; each later one is twice as long."},
		{Path: "consumers.<name>.retry.max_interval", Kind: KindDuration, Default: "5s",
			Doc: "The longest pause."},
		{Path: "consumers.<name>.retry.max_elapsed", Kind: KindDuration, Default: "30s",
			Doc: "The time from the first try to the last, at most."},
		{Path: "consumers.<name>.retry.jitter", Kind: KindNumber, Default: "0.2",
			Doc: "The part of a pause that is random, 0 to 1."},
		{Path: "consumers.<name>.unknown_action", Kind: KindText, Default: PolicyOfTopic, Allowed: policies,
			Doc: "What becomes of an event whose action is unknown; topic leaves it to the topic's policy."},
		{Path: "consumers.<name>.unknown_status", Kind: KindText, Default: PolicyOfTopic, Allowed: policies,
			Doc: "What becomes of an event whose status, visit type or record type is unknown; topic leaves it to the topic's policy."},
		{Path: "consumers.<name>.tombstone", Kind: KindText, Default: PolicyOfTopic, Allowed: policies,
			Doc: "What becomes of a record without a value; topic leaves it to the topic's policy."},
		{Path: "consumers.<name>.transitions", Kind: KindText, Default: PolicyOfTopic, Allowed: []string{PolicyOfTopic, "dead-letter", "accept"},
			Doc: "What becomes of a status that cannot follow the entity's present one; topic leaves it to the topic's policy."},
	}
}
