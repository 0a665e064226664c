// Package notification owns who is told of an event, with which words, and that it is told once: by mail and signed webhooks where a channel is
// set, else as a line in an outbox file.
// It never puts clinical content into a text of its own, and never an address, a subject or a text into a log, a metric or an error.
package notification

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/prantikov/millrace/messages"
	"github.com/prantikov/millrace/router"
	"github.com/prantikov/millrace/store"
)

// InDoubt is what is done about a notification of which a crash left open whether it was sent.
type InDoubt string

const (
	// Resend sends it again with the id that it had, by which the other side can tell.
	Resend InDoubt = "resend"
	// Park leaves it to people: the record becomes a dead letter of class in_doubt.
	Park InDoubt = "park"
)

// Settings is how notifications are sent. The zero value sends none: it writes the outbox.
type Settings struct {
	// Templates is a directory whose files replace the texts of the same name; empty for none.
	Templates string
	// PHITemplates lets the files there use fields that are tagged as patient data.
	PHITemplates bool
	// InDoubt is [Resend] or [Park]; empty is Resend.
	InDoubt InDoubt
	// Directory says where somebody is reached. It is needed with a channel.
	Directory DirectorySettings
	// Keep is how long the marks of what was sent are kept, by which a replay knows it. Zero and less is for ever.
	Keep time.Duration
	// ProbeAfter is how long a destination that is away is left alone before one notification probes it. Default 5 s.
	ProbeAfter time.Duration
	// SMTP and Webhook are the channels, each nil while it is not set.
	SMTP    *SMTPSettings
	Webhook *WebhookSettings
}

// Dependencies is what a [Notifier] needs of others.
type Dependencies struct {
	// Consumer is the consumer's name, under which the store has its marks.
	Consumer string
	// Store is asked for when the first record arrives.
	Store func() *store.Store
	// Directory is a function of the program's own that is asked instead of a file or a service; nil for none.
	Directory Directory
	// Counted is told how each notification ended. It may be nil.
	Counted func(audience, channel, outcome string)
	// Now is the clock of marks and of what a receiver asks for. Nil is [time.Now].
	Now func() time.Time
	// Logger gets what an operator must know, without anything of a notification. Nil is a silent one.
	Logger *slog.Logger
}

// Notifier is the consumer's function. Make one with [New]; it is safe for concurrent use.
type Notifier struct {
	settings Settings
	needs    Dependencies
	// opened reads the texts and opens the channels, once.
	opened func() (*open, error)
	marks  func() *store.Effects

	mutex sync.Mutex
	// unmarked has effects that ended while the store was away, so that they are not tried again before that is marked.
	unmarked map[store.Effect]store.EffectState
}

// open is what a notifier has read and opened.
type open struct {
	texts     *texts
	directory Directory
	channels  map[string]channel
	guards    guards
	close     func()
}

// New makes a notifier. It reads and opens nothing before [Notifier.Open] or the first record.
func New(settings Settings, needs Dependencies) *Notifier {
	if needs.Counted == nil {
		needs.Counted = func(string, string, string) {}
	}
	if needs.Now == nil {
		needs.Now = time.Now
	}
	if needs.Logger == nil {
		needs.Logger = slog.New(slog.DiscardHandler)
	}
	n := &Notifier{settings: settings, needs: needs, unmarked: map[store.Effect]store.EffectState{}}
	n.opened = sync.OnceValues(n.open)
	n.marks = sync.OnceValue(func() *store.Effects { return needs.Store().Effects(needs.Consumer) })
	return n
}

// Sends says whether a channel is set. Without one the outbox is written.
func (n *Notifier) Sends() bool { return n.settings.SMTP != nil || n.settings.Webhook != nil }

// Open reads the texts and the directory and prepares the channels; it connects to nobody. The error joins every mistake, each with the name
// of its file or setting.
func (n *Notifier) Open() error {
	_, err := n.opened()
	return err
}

func (n *Notifier) open() (*open, error) {
	var mistakes []error
	o := &open{channels: map[string]channel{}, close: func() {}, guards: guards{probeAfter: cmp.Or(n.settings.ProbeAfter, 5*time.Second), now: n.needs.Now}}
	var err error
	if o.texts, err = readTexts(n.settings.Templates, n.settings.PHITemplates); err != nil {
		mistakes = append(mistakes, err)
	}
	if n.settings.SMTP != nil {
		mail, err := newMail(*n.settings.SMTP)
		if err != nil {
			mistakes = append(mistakes, err)
		} else {
			o.channels[ChannelSMTP], o.close = mail, mail.close
		}
	}
	if n.settings.Webhook != nil {
		hook, err := newWebhook(*n.settings.Webhook)
		if err != nil {
			mistakes = append(mistakes, err)
		} else {
			o.channels[ChannelWebhook] = hook
		}
	}
	if n.Sends() {
		if o.directory, err = n.openDirectory(); err != nil {
			mistakes = append(mistakes, err)
		}
	}
	return o, errors.Join(mistakes...)
}

// Close ends connections that wait for the next notification.
func (n *Notifier) Close() {
	if o, err := n.opened(); err == nil {
		o.close()
	}
}

// Forget drops the marks of notifications that ended longer ago than a time.
func (n *Notifier) Forget(ctx context.Context, before time.Time) error {
	if !n.Sends() {
		return nil
	}
	_, err := n.marks().Forget(ctx, before)
	return err
}

// Notify tells who is concerned by one event.
func (n *Notifier) Notify(ctx context.Context, e messages.Event[any]) error {
	o, err := n.opened()
	if err != nil {
		// Whoever starts consumers has opened it before; so this is a mistake in the wiring, which must cost no record.
		return router.Unavailable(router.Loggable(err))
	}
	if !n.Sends() {
		return o.write(ctx, e)
	}
	if e.Replay() && n.forgotten(e.Timestamp) {
		return router.Skip(reasonForgotten)
	}
	return n.tell(ctx, o, e)
}

// forgotten says whether the marks of an event of this time may be gone: then nothing tells whether it was sent. A day of thirty is left to
// producers whose clocks are ahead.
func (n *Notifier) forgotten(at time.Time) bool {
	keep := n.settings.Keep
	return keep > 0 && at.Before(n.needs.Now().Add(-keep+keep/30))
}
