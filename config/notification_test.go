package config_test

import (
	"strings"
	"testing"
	"time"

	"github.com/prantikov/millrace/config"
)

// notifying changes the settings of notifications.
func notifying(change func(*config.Notification)) func(*config.Settings) {
	return func(s *config.Settings) { change(&s.Notification) }
}

// mailing is a mail server without a mistake, and a change to it.
func mailing(change func(*config.SMTP)) func(*config.Settings) {
	return notifying(func(n *config.Notification) {
		n.SMTP.Address, n.SMTP.From = "mail.example.org:587", "Clinic <news@clinic.example>"
		change(&n.SMTP)
	})
}

const webhookSecret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"

func TestMistakesOfNotification(t *testing.T) {
	t.Parallel()
	url := func(text string) func(*config.Settings) {
		return notifying(func(n *config.Notification) { n.Directory.URL = text })
	}
	signed := func(text string) func(*config.Settings) {
		return notifying(func(n *config.Notification) { n.Webhook.Secret = config.NewSecret(text) })
	}
	runMistakes(t, map[string]mistakeCase{
		"nothing is kept":                       {notifying(func(n *config.Notification) { n.Keep = 0 }), "notification.keep", "0s", "still written to"},
		"an hour is kept":                       {func(s *config.Settings) { s.Archive.Keep = time.Hour }, "archive.keep", "1h", "still written to"},
		"a log of an hour":                      {func(s *config.Settings) { s.Logging.Keep = time.Hour }, "logging.keep", "1h", "still written to"},
		"an unknown policy":                     {notifying(func(n *config.Notification) { n.InDoubt = "guess" }), "notification.in_doubt", `"guess"`, "not one of"},
		"two directories":                       {notifying(func(n *config.Notification) { n.Directory.File, n.Directory.URL = "a.csv", "https://a/{audience}/{id}" }), "notification.directory.url", `"https://a/{audience}/{id}"`, "notification.directory.file is set too"},
		"a directory that is no URL":            {url("directory/{audience}/{id}"), "notification.directory.url", `"directory/{audience}/{id}"`, "no http or https URL"},
		"a directory without the audience":      {url("https://directory/{id}"), "notification.directory.url", `"https://directory/{id}"`, "where audience and id go"},
		"a directory without the id":            {url("https://directory/{audience}"), "notification.directory.url", `"https://directory/{audience}"`, "where audience and id go"},
		"a directory without TLS":               {url("http://directory/{audience}/{id}"), "notification.directory.url", `"http://directory/{audience}/{id}"`, "unencrypted"},
		"a negative cache":                      {notifying(func(n *config.Notification) { n.Directory.Cache = -time.Second }), "notification.directory.cache", "-1s", "negative"},
		"a mail server without a port":          {mailing(func(s *config.SMTP) { s.Address = "mail" }), "notification.smtp.address", `"mail"`, "host:port"},
		"a mail server without a host":          {mailing(func(s *config.SMTP) { s.Address = ":25" }), "notification.smtp.address", `":25"`, "host:port"},
		"mail of nobody":                        {mailing(func(s *config.SMTP) { s.From = "" }), "notification.smtp.from", `""`, "no mail address"},
		"a user without a password":             {mailing(func(s *config.SMTP) { s.Username = "me" }), "notification.smtp.username", `"me"`, "together"},
		"a password without a user":             {mailing(func(s *config.SMTP) { s.Password = config.NewSecret("canary") }), "notification.smtp.username", `""`, "together"},
		"an unknown kind of TLS":                {mailing(func(s *config.SMTP) { s.TLS = "none" }), "notification.smtp.tls", `"none"`, "not one of"},
		"no connection":                         {mailing(func(s *config.SMTP) { s.Connections = 0 }), "notification.smtp.connections", "0", "at least 1"},
		"a secret without its prefix":           {signed(strings.TrimPrefix(webhookSecret, "whsec_")), "notification.webhook.secret", "***", "no secret of a webhook"},
		"a secret that is too short":            {signed("whsec_c2hvcnQ="), "notification.webhook.secret", "***", "no secret of a webhook"},
		"a second secret that is none":          {signed(webhookSecret + " canary"), "notification.webhook.secret", "***", "no secret of a webhook"},
		"mail with an engine that begins early": {func(s *config.Settings) { s.Kafka.Engine = "watermill"; mailing(func(*config.SMTP) {})(s) }, "kafka.engine", `"watermill"`, "old events would be mailed"},
	})
}

func TestNotificationWithoutAMistake(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*config.Settings){
		"mail":                      mailing(func(*config.SMTP) {}),
		"mail over a login and TLS": mailing(func(s *config.SMTP) { s.TLS, s.Username, s.Password = "implicit", "me", config.NewSecret("secret") }),
		"mail over IPv6":            mailing(func(s *config.SMTP) { s.Address = "[::1]:25" }),
		"two secrets": notifying(func(n *config.Notification) {
			n.Webhook.Secret = config.NewSecret(webhookSecret + "\n" + webhookSecret)
		}),
		"a directory on this machine":          notifying(func(n *config.Notification) { n.Directory.URL = "http://127.0.0.1:8080/{audience}?id={id}" }),
		"a directory elsewhere, never kept":    notifying(func(n *config.Notification) { n.Directory = config.Directory{URL: "https://a/{audience}/{id}"} }),
		"nothing is ever removed":              notifying(func(n *config.Notification) { n.Keep = -1 }),
		"no channel with watermill's own code": func(s *config.Settings) { s.Kafka.Engine = "watermill" },
	} {
		settings := valid()
		change(&settings)
		if err := config.Validate(settings); err != nil {
			t.Errorf("%s: got %v, want nothing wrong", name, err)
		}
	}
}

func TestChannelIsSetByItsSettings(t *testing.T) {
	t.Parallel()
	settings := valid()
	if settings.Notification.Sends() || settings.Notification.Keep != 30*24*time.Hour || settings.Archive.Keep != -1 || settings.Logging.Keep != -1 {
		t.Errorf("got %+v, want no channel, and the files of the outbox alone removed, after 30 days", settings.Notification)
	}
	mailing(func(*config.SMTP) {})(&settings)
	if !settings.Notification.Sends() {
		t.Error("with a mail server: got no channel, want one")
	}
	settings.Notification.SMTP.Address = ""
	settings.Notification.Webhook.Secret = config.NewSecret(webhookSecret)
	if !settings.Notification.Sends() {
		t.Error("with a secret: got no channel, want one")
	}
}
