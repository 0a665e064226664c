package config

import (
	"encoding/base64"
	"net"
	"net/mail"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// leastKeep keeps a sink from removing what it is writing.
const leastKeep = 24 * time.Hour

func (c *checker) sinks() {
	c.keep("archive.keep", c.settings.Archive.Keep)
	c.keep("logging.keep", c.settings.Logging.Keep)
	c.keep("notification.keep", c.settings.Notification.Keep)
}

func (c *checker) keep(path string, keep time.Duration) {
	if keep != -1 && keep < leastKeep {
		c.refuse(path, keep, "a file that is still written to would be removed", "write 1d or more, or -1 for ever")
	}
}

func (c *checker) notification() {
	n := c.settings.Notification
	c.oneOf("notification.in_doubt", n.InDoubt)
	c.directory(n.Directory)
	if n.SMTP.Address != "" {
		c.smtp(n.SMTP)
	}
	c.oneOf("notification.smtp.tls", n.SMTP.TLS)
	c.atLeast("notification.smtp.connections", n.SMTP.Connections, 1)
	c.login(n.SMTP)
	c.webhook(n.Webhook)
	if n.Sends() && c.settings.Kafka.Engine == "watermill" {
		c.refuse("kafka.engine", c.settings.Kafka.Engine, "it begins with whatever the log has, and old events would be mailed", "set it to millrace, or remove the channels of notification")
	}
}

func (c *checker) directory(d Directory) {
	if d.File != "" && d.URL != "" {
		c.refuse("notification.directory.url", d.URL, "notification.directory.file is set too", "set one of the two", "notification.directory.file")
	}
	if d.Cache < 0 {
		c.refuse("notification.directory.cache", d.Cache, "it must not be negative", "0 asks each time")
	}
	if d.URL == "" {
		return
	}
	const advice = "write one like https://directory.example/{audience}/{id}"
	parsed, err := url.Parse(strings.NewReplacer("{audience}", "patient", "{id}", "1").Replace(d.URL))
	switch {
	case err != nil || parsed.Host == "" || parsed.Scheme != "https" && parsed.Scheme != "http":
		c.refuse("notification.directory.url", d.URL, "it is no http or https URL", advice)
	case !strings.Contains(d.URL, "{audience}") || !strings.Contains(d.URL, "{id}"):
		c.refuse("notification.directory.url", d.URL, "it does not say where audience and id go", advice)
	case parsed.Scheme == "http" && !onThisMachine(parsed.Hostname()):
		c.refuse("notification.directory.url", d.URL, "addresses of patients would travel unencrypted", "use https")
	}
}

func onThisMachine(host string) bool {
	address, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && address.IsLoopback()
}

func (c *checker) smtp(s SMTP) {
	host, port, err := net.SplitHostPort(s.Address)
	if _, errPort := strconv.ParseUint(port, 10, 16); err != nil || errPort != nil || host == "" {
		c.refuse("notification.smtp.address", s.Address, "it is not host:port", "write one like mail.example.org:587")
	}
	if _, err := mail.ParseAddress(s.From); err != nil {
		c.refuse("notification.smtp.from", s.From, "it is no mail address", "write one like Clinic <news@clinic.example>", "notification.smtp.address")
	}
}

func (c *checker) login(s SMTP) {
	if (s.Username == "") != !s.Password.IsSet() {
		c.refuse("notification.smtp.username", s.Username, "user and password log in together", "set notification.smtp.password_file too, or remove both", "notification.smtp.password")
	}
}

// leastSecret is what the specification asks of a secret, in bytes.
const leastSecret = 24

func (c *checker) webhook(w Webhook) {
	for _, secret := range strings.Fields(w.Secret.Reveal()) {
		encoded, named := strings.CutPrefix(secret, "whsec_")
		key, err := base64.StdEncoding.DecodeString(encoded)
		if !named || err != nil || len(key) < leastSecret {
			c.refuse("notification.webhook.secret", w.Secret, "it is no secret of a webhook", "write whsec_ and base64 of 24 bytes or more: printf whsec_; openssl rand -base64 32")
			return
		}
	}
}
