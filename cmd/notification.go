package cmd

import (
	"slices"

	"github.com/prantikov/millrace/config"
	"github.com/prantikov/millrace/handlers/notification"
)

// notificationConsumer is the name of the consumer, and of its folder.
const notificationConsumer = "notification"

// notifier is the function of the consumer notification, with the settings as they are. It opens nothing yet.
func (s *session) notifier() *notification.Notifier {
	return notification.New(notificationSettings(s.settings.Notification), notification.Dependencies{
		Consumer: notificationConsumer, Store: s.app.storage.Store, Directory: s.program.directory, Logger: s.logger,
		Counted: func(audience, channel, outcome string) { s.notified(audience, channel, outcome) },
	})
}

// notificationSettings are the settings in the consumer's own words.
func notificationSettings(n config.Notification) notification.Settings {
	settings := notification.Settings{
		Templates: n.Templates, PHITemplates: n.PHITemplates, InDoubt: notification.InDoubt(n.InDoubt), Keep: n.Keep,
		Directory: notification.DirectorySettings{File: n.Directory.File, URL: n.Directory.URL, Token: n.Directory.Token.Reveal(), Cache: n.Directory.Cache},
	}
	if n.SMTP.Address != "" {
		settings.SMTP = &notification.SMTPSettings{
			Address: n.SMTP.Address, From: n.SMTP.From, Username: n.SMTP.Username, Password: n.SMTP.Password.Reveal(),
			ImplicitTLS: n.SMTP.TLS == config.TLSImplicit, CAFile: n.SMTP.CAFile, Connections: n.SMTP.Connections,
		}
	}
	if n.Webhook.Secret.IsSet() {
		settings.Webhook = &notification.WebhookSettings{Secret: n.Webhook.Secret.Reveal()}
	}
	return settings
}

// openNotification reads the texts and the directory, so that a mistake in them fails the start and not a record.
func (s *service) openNotification() error {
	if !s.settings.Consumer(notificationConsumer).Enabled {
		return nil
	}
	return s.news.Open()
}

// undecided are the topics with which a consumer must not begin by itself: its effects cannot be taken back, and nobody has set where it starts.
// What comes back from its dead letters is not among them: somebody has sent that.
func (s *session) undecided(m *member) []string {
	if !m.consumer.Outside() || s.isSet("consumers."+m.consumer.Name()+".start") {
		return nil
	}
	return slices.DeleteFunc(slices.Clone(m.topics), func(topic string) bool { return topic == m.redrive })
}

// tellUndecided holds a consumer that has no position in the eyes of readiness, and names the setting that decides.
func (s *service) tellUndecided(consumer string, on bool, text string) string {
	if !on {
		s.health.ReleaseAll(consumer, "", -1)
		return ""
	}
	text += "; set consumers." + consumer + ".start to earliest, latest or a time"
	s.health.Hold(consumer, "", -1, text)
	return text
}
