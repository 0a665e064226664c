package config

func sinkSettings() []Setting {
	return []Setting{
		{Path: "archive.keep", Kind: KindDuration, Default: "-1",
			Doc: "How long a file of the archive is kept after its last line, and the objects of a day after the last of theirs; -1 for ever."},
		{Path: "archive.parquet_phi", Kind: KindSwitch, Default: "false",
			Doc: "Show patient data in the Parquet files of the archive; false has a pseudonym for the patient, and nothing in the other fields that are patient data."},
		{Path: "logging.keep", Kind: KindDuration, Default: "-1",
			Doc: "How long a file of the activity log is kept after its last line; -1 for ever."},
		{Path: "notification.keep", Kind: KindDuration, Default: "720h",
			Doc: "How long a file of the outbox is kept after its last line, and the marks of what was sent; -1 for ever."},
	}
}

func notificationSettings() []Setting {
	return []Setting{
		{Path: "notification.in_doubt", Kind: KindText, Default: InDoubtResend, Allowed: []string{InDoubtResend, InDoubtPark},
			Doc: "What is done about a notification of which a crash left open whether it was sent: send it again with the id that it had, or make it a dead letter of class in_doubt."},
		{Path: "notification.templates", Kind: KindText, Derived: "the texts that come with the program",
			Doc: "A directory whose files replace the texts of the same name, for example patient/OrderEvent.shipped.txt."},
		{Path: "notification.phi_templates", Kind: KindSwitch, Default: "false",
			Doc: "Let the files of notification.templates use fields that are patient data."},
		{Path: "notification.directory.file", Kind: KindText, Derived: "none",
			Doc: "A CSV or JSON file that says where somebody is reached; read again when it has changed."},
		{Path: "notification.directory.url", Kind: KindText, Derived: "none",
			Doc: "A service that says where somebody is reached, with {audience} and {id} in it."},
		{Path: "notification.directory.token", Kind: KindSecret, Derived: "none",
			Doc: "What the service is shown (Authorization: Bearer)."},
		{Path: "notification.directory.cache", Kind: KindDuration, Default: "5m",
			Doc: "How long an answer of the service is good; 0 asks each time."},
		{Path: "notification.smtp.address", Kind: KindText, Derived: "none",
			Doc: "host:port of the mail server; set, it is the channel smtp."},
		{Path: "notification.smtp.from", Kind: KindText, Derived: "none",
			Doc: "The sender: an address, or a name and an address in angle brackets."},
		{Path: "notification.smtp.username", Kind: KindText, Derived: "none",
			Doc: "The user who logs in at the mail server."},
		{Path: "notification.smtp.password", Kind: KindSecret, Derived: "none",
			Doc: "The password of that user."},
		{Path: "notification.smtp.tls", Kind: KindText, Default: TLSStart, Allowed: []string{TLSStart, TLSImplicit},
			Doc: "starttls becomes TLS before anything is said, and refuses a server that cannot, unless it is on this machine; implicit has TLS from the first byte."},
		{Path: "notification.smtp.ca_file", Kind: KindText, Derived: "the authorities of the system",
			Doc: "PEM file with the authorities that sign the mail server's certificate."},
		{Path: "notification.smtp.connections", Kind: KindCount, Default: "4",
			Doc: "How many connections to the mail server are open at a time, at most."},
		{Path: "notification.webhook.secret", Kind: KindSecret, Derived: "none",
			Doc: "What webhooks are signed with (Standard Webhooks): whsec_ and base64, several with blanks between; set, it is the channel webhook."},
	}
}
