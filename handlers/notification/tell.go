package notification

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/prantikov/millrace/messages"
	"github.com/prantikov/millrace/record"
	"github.com/prantikov/millrace/router"
	"github.com/prantikov/millrace/store"
)

// How a notification ended, as the metric has it.
const (
	outcomeSent     = "sent"
	outcomeRepeated = "repeated"
	outcomeRefused  = "refused"
	outcomeFailed   = "failed"
	outcomeInDoubt  = "in_doubt"
	outcomeParked   = "parked"

	reasonNoRecipient = "no_recipient"
	reasonNoTemplate  = "no_template"
	// reasonForgotten is for what a replay reads and may have been sent so long ago that its marks are gone.
	reasonForgotten = "marks_forgotten"
)

// ending is how one notification of a record ended. The worst of a record's decides about the record.
type ending int

const (
	// nobody: there is nobody to tell, or nothing to say.
	nobody ending = iota
	// told: the other side has it.
	told
	// lost: it is given up.
	lost
	// later: it is to be tried again, and that counts as a try.
	later
	// held: what it needs is away.
	held
)

// tell tells everybody who is concerned, also when it fails with one of them, and says of the record what its worst notification says.
func (n *Notifier) tell(ctx context.Context, o *open, e messages.Event[any]) error {
	worst, result := nobody, error(nil)
	reason := reasonNoTemplate
	for _, concerned := range partiesOf(e.Body) {
		ended, err := n.tellOne(ctx, o, e, concerned)
		if ended == nobody && errors.Is(err, errNoRecipient) {
			reason = reasonNoRecipient
		}
		if ended > worst {
			worst, result = ended, err
		}
	}
	if worst == nobody {
		return router.Skip(reason)
	}
	return result
}

// errNoRecipient is the error of somebody whom the directory does not know.
var errNoRecipient = errors.New("no recipient")

// tellOne finds the words and the address of one notification, and sends it.
func (n *Notifier) tellOne(ctx context.Context, o *open, e messages.Event[any], to party) (ending, error) {
	words := o.texts.find(to.audience, e.Meta)
	if words == nil {
		n.needs.Counted(string(to.audience), "", reasonNoTemplate)
		return nobody, nil
	}
	recipient, found, err := o.recipient(ctx, to)
	switch {
	case err != nil:
		return held, router.Unavailable(router.Loggable(err))
	case !found:
		n.needs.Counted(string(to.audience), "", reasonNoRecipient)
		return nobody, errNoRecipient
	}
	way := o.channels[recipient.Channel]
	if way == nil {
		return lost, refusal("the directory names a channel that is not set")
	}
	if err := way.check(recipient.Address); err != nil {
		return lost, refusal("the directory's entry cannot be used: " + err.Error())
	}
	subject, body, err := words.render(fieldsOf(to.audience, e))
	if err != nil {
		return lost, refusal(err.Error())
	}
	return n.send(ctx, o, e, recipient.Channel, way, outgoing{
		id: idOf(e, to), address: recipient.Address, subject: subject, text: body,
		to: to, kind: kindOf(e.Meta), action: string(e.Action), entityID: e.EntityID, eventID: e.ID, at: e.Timestamp,
	})
}

// recipient asks the directory. The error of a function of somebody else may have the id in its text.
func (o *open) recipient(ctx context.Context, to party) (Recipient, bool, error) {
	if to.id == "" {
		return Recipient{}, false, nil
	}
	recipient, found, err := o.directory(ctx, to.audience, to.id)
	switch {
	case err == nil:
		return recipient, found, nil
	case errors.As(err, new(directoryError)):
		return Recipient{}, false, err
	default:
		return Recipient{}, false, fmt.Errorf("the directory cannot be asked (%T)", err)
	}
}

// refusal is the error of a notification that is given up, with a sentence that may stand in a log.
func refusal(sentence string) error { return router.Permanent(router.Loggable(errors.New(sentence))) }

// send sends one notification unless the marks say that it was sent.
func (n *Notifier) send(ctx context.Context, o *open, e messages.Event[any], channelName string, way channel, one outgoing) (ending, error) {
	to := o.guards.of(channelName, way.destination(one.address))
	if wait := to.closed(); wait > 0 {
		return held, awayError(channelName, "it was away a moment ago, or asked to be left alone", wait)
	}
	effect := store.Effect{
		Topic: e.Topic, Partition: e.Partition, Offset: e.Offset, Entity: e.EntityID, Action: string(e.Action), Part: string(one.to.audience), ID: one.id,
	}
	mark, err := n.begin(effect, e.Redrive())
	if err != nil {
		return held, router.Unavailable(router.Loggable(err))
	}
	count := func(outcome string) { n.needs.Counted(string(one.to.audience), channelName, outcome) }
	switch mark.State {
	case store.EffectDone:
		count(outcomeRepeated)
		return told, nil
	case store.EffectRefused:
		return lost, refusal("it was refused at an earlier try")
	case store.EffectParked:
		return lost, inDoubt()
	}
	if mark.Doubtful {
		count(outcomeInDoubt)
		n.needs.Logger.LogAttrs(ctx, slog.LevelWarn, "nothing tells whether a notification was sent", slog.String("topic", e.Topic),
			slog.Int("partition", int(e.Partition)), slog.Int64("offset", e.Offset), slog.String("audience", string(one.to.audience)),
			slog.String("in_doubt", string(n.inDoubt())))
		if n.inDoubt() == Park {
			count(outcomeParked)
			return n.end(effect, store.EffectParked, lost, inDoubt())
		}
	}
	one.id = mark.ID
	given, sent := to.through(func() answer { return way.send(ctx, one) })
	if !sent {
		return n.end(effect, store.EffectWaiting, held, awayError(channelName, "another notification probes it", time.Second))
	}
	return n.settle(effect, to, channelName, given, count)
}

// settle marks how a notification ended and says what that means for the record.
func (n *Notifier) settle(effect store.Effect, to *guard, channelName string, given answer, count func(outcome string)) (ending, error) {
	switch given.verdict {
	case delivered:
		count(outcomeSent)
		return n.end(effect, store.EffectDone, told, nil)
	case refused:
		count(outcomeRefused)
		return n.end(effect, store.EffectRefused, lost, refusal(given.reason))
	case busy:
		count(outcomeFailed)
		return n.end(effect, store.EffectWaiting, held, awayError(channelName, given.reason, given.after))
	case away:
		return n.end(effect, store.EffectWaiting, held, awayError(channelName, given.reason, 0))
	case failed:
		count(outcomeFailed)
		if to.isAway() {
			return n.end(effect, store.EffectWaiting, held, awayError(channelName, given.reason, 0))
		}
		return n.end(effect, store.EffectWaiting, later, router.Loggable(errors.New(given.reason)))
	default: // unknown: what was marked before says all that is known
		count(outcomeFailed)
		if to.isAway() {
			return held, awayError(channelName, given.reason, 0)
		}
		return later, router.Loggable(errors.New(given.reason))
	}
}

// awayError holds the consumer; wait is how long at least, 0 for as long as it usually is.
func awayError(channelName, reason string, wait time.Duration) error {
	return router.After(router.Unavailable(router.Loggable(fmt.Errorf("the channel %s is away: %s", channelName, reason))), wait)
}

// inDoubt gives a record up of which nobody knows whether somebody was told.
func inDoubt() error {
	return router.GiveUp(record.ClassInDoubt, router.Loggable(errors.New("a crash left open whether it was sent (notification.in_doubt: park)")))
}

func (n *Notifier) inDoubt() InDoubt {
	if n.settings.InDoubt == "" {
		return Resend
	}
	return n.settings.InDoubt
}

// idOf is the id of a notification: the same whenever the record is handled, another for each record and audience, and nothing that can be read.
func idOf(e messages.Event[any], to party) string {
	named := fmt.Sprintf("%s/%d/%d %d %q %s %s", e.Topic, e.Partition, e.Offset, e.Timestamp.UnixMilli(), e.EntityID, strings.ToLower(string(e.Action)), to.audience)
	sum := sha256.Sum256([]byte(named))
	return "msg_" + hex.EncodeToString(sum[:16])
}
