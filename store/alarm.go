package store

import "log/slog"

// AlarmFenced is the kind of the alarm of a commit that was refused because another owner has taken the partition. It ends when this
// process takes the partition again.
const AlarmFenced = "fenced"

// Alarm is a condition that begins or ends, as the metric millrace_alarm shows it.
type Alarm struct {
	Kind, Consumer, Topic string
	Partition             int32
	// On is true when the condition begins.
	On bool
}

// fence begins or ends the alarm of a partition: told to who asked for alarms, else a line in the log for each.
func (u *UnitOfWork) fence(p *partition, on bool) {
	if p.fenced == on {
		return
	}
	p.fenced = on
	if u.options.Alarm != nil {
		u.options.Alarm(Alarm{Kind: AlarmFenced, Consumer: u.consumer, Topic: p.topic, Partition: p.number, On: on})
		return
	}
	text := "alarm over: the partition is ours again"
	if on {
		text = "alarm: commit refused, another member has taken the partition"
	}
	u.store.logger.Error(text, slog.String("kind", AlarmFenced), slog.String("consumer", u.consumer), slog.String("topic", p.topic),
		slog.Int("partition", int(p.number)), slog.Int64("epoch", p.epoch))
}
