package config

import "time"

// Notification is who is told, and how. Without a channel (SMTP, Webhook) nothing is sent, and what would be is written to the outbox.
type Notification struct {
	// Keep is how long the files of the outbox are kept after their last line, and the marks of what was sent. Default 720 h; -1 for ever.
	Keep time.Duration `koanf:"keep"`
	// InDoubt is what is done about a notification of which a crash left open whether it was sent: [InDoubtResend] or [InDoubtPark].
	// Default resend.
	InDoubt string `koanf:"in_doubt"`
	// Templates is a directory whose files replace the texts of the same name. Default: none.
	Templates string `koanf:"templates"`
	// PHITemplates lets the files of Templates use fields that are tagged as patient data. Default false.
	PHITemplates bool      `koanf:"phi_templates"`
	Directory    Directory `koanf:"directory"`
	SMTP         SMTP      `koanf:"smtp"`
	Webhook      Webhook   `koanf:"webhook"`
}

const (
	// InDoubtResend sends again, with the id that it had.
	InDoubtResend = "resend"
	// InDoubtPark makes a dead letter of class in_doubt.
	InDoubtPark = "park"
)

// Sends says whether a channel is set.
func (n Notification) Sends() bool { return n.SMTP.Address != "" || n.Webhook.Secret.IsSet() }

// Directory is where people's addresses are: File or URL.
type Directory struct {
	// File is a CSV or JSON file; it is read again when it has changed. Default: none.
	File string `koanf:"file"`
	// URL is a service, with {audience} and {id} in it. Default: none.
	URL string `koanf:"url"`
	// Token is shown to the service (Authorization: Bearer). Default: none.
	Token Secret `koanf:"token"`
	// Cache is how long an answer of the service is good; 0 asks each time. Default 5 min.
	Cache time.Duration `koanf:"cache"`
}

// SMTP is the channel smtp.
type SMTP struct {
	// Address is host:port of the mail server; empty for no mail. Default: empty.
	Address string `koanf:"address"`
	// From is the sender: an address, or a name and an address in angle brackets. No default.
	From string `koanf:"from"`
	// Username and Password log in. Default: no login.
	Username string `koanf:"username"`
	Password Secret `koanf:"password"`
	// TLS is starttls, or implicit for a port that has it from the first byte (465). Default starttls.
	TLS string `koanf:"tls"`
	// CAFile has the authorities that sign the server's certificate, as PEM. Default: those of the system.
	CAFile string `koanf:"ca_file"`
	// Connections bounds how many are open at a time. Default 4.
	Connections int `koanf:"connections"`
}

const (
	// TLSStart begins plain and becomes TLS before anything is said; on this machine it may stay plain.
	TLSStart = "starttls"
	// TLSImplicit has TLS from the first byte.
	TLSImplicit = "implicit"
)

// Webhook is the channel webhook.
type Webhook struct {
	// Secret signs (Standard Webhooks): whsec_ and base64, several with blanks between. Empty for no webhooks. Default: empty.
	Secret Secret `koanf:"secret"`
}

// Archive is how the archive is kept.
type Archive struct {
	// Keep is how long a file is kept after its last line, and the objects of a day after the last of theirs. Default -1, for ever.
	Keep time.Duration `koanf:"keep"`
	// ParquetPHI shows fields that are tagged as patient data in the query copy of sealed days. Default false: a pseudonym for the patient, and
	// nothing in the others.
	ParquetPHI bool `koanf:"parquet_phi"`
}

// Logging is how the activity log is kept.
type Logging struct {
	// Keep is how long a file is kept after its last line. Default -1, for ever.
	Keep time.Duration `koanf:"keep"`
}
