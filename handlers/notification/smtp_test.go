package notification_test

import (
	"io"
	"mime/quotedprintable"
	"net"
	"net/mail"
	"strings"
	"testing"

	"github.com/emersion/go-smtp"

	"github.com/prantikov/millrace/handlers/notification"
	"github.com/prantikov/millrace/record"
)

func TestMailSaysWhatHappened(t *testing.T) {
	t.Parallel()
	m := newMailbox(t, nil, nil, false)
	o := newOffice(t, mailed(m.address), patientAt("smtp", "pat-1@example.org"))
	done(t, o.deliver(shipped()))
	letters := m.letters()
	if len(letters) != 1 || letters[0].from != "news@clinic.example" || letters[0].to != "pat-1@example.org" {
		t.Fatalf("got %+v, want one mail from the sender to the patient", letters)
	}
	parsed, err := mail.ReadMessage(strings.NewReader(letters[0].text))
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(quotedprintable.NewReader(parsed.Body))
	if err != nil || strings.TrimSpace(string(body)) != "Your order was shipped." {
		t.Errorf("got text %q and %v, want what happened", body, err)
	}
	for name, want := range map[string]string{
		"From": `"Clinic" <news@clinic.example>`, "To": "<pat-1@example.org>", "Subject": "News of your order", "Auto-Submitted": "auto-generated",
	} {
		if got := parsed.Header.Get(name); got != want {
			t.Errorf("%s: got %q, want %q", name, got, want)
		}
	}
	if got := parsed.Header.Get("Message-ID"); !strings.HasPrefix(got, "<msg_") || !strings.HasSuffix(got, "@clinic.example>") {
		t.Errorf("got Message-ID %q, want the notification's id at the sender's domain", got)
	}
	if _, err := parsed.Header.Date(); err != nil {
		t.Errorf("got date %q, want one", parsed.Header.Get("Date"))
	}
	o.wantCounts(map[string]int{"patient smtp sent": 1, "pharmacy  no_recipient": 1})
}

// messageID is the id of a mail.
func messageID(t *testing.T, one letter) string {
	t.Helper()
	parsed, err := mail.ReadMessage(strings.NewReader(one.text))
	if err != nil {
		t.Fatal(err)
	}
	return parsed.Header.Get("Message-ID")
}

// failing answers at a step with one error after another, and takes what comes after them.
func failing(at string, all ...error) func(*mailbox) {
	return func(m *mailbox) {
		m.answer = func(n int, step string) error {
			if step == at && n < len(all) {
				return all[n]
			}
			return nil
		}
	}
}

func code(number int) error {
	return &smtp.SMTPError{Code: number, EnhancedCode: smtp.EnhancedCode{number / 100, 1, 1}, Message: "canary pat-1@example.org"}
}

func TestReplyCodeDecides(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		change func(*mailbox)
		want   record.Outcome
		class  record.Class
		mails  int
	}{
		{"a sender that is refused for good is a dead letter", failing("mail", code(550)), record.DeadLettered, record.ClassPermanent, 0},
		{"a recipient who is refused for good is a dead letter", failing("rcpt", code(550)), record.DeadLettered, record.ClassPermanent, 0},
		{"a text that is refused for good is a dead letter", failing("data", code(554)), record.DeadLettered, record.ClassPermanent, 0},
		{"a recipient who is refused for now is tried again", failing("rcpt", code(450)), record.Done, "", 1},
		{"a text that is refused for now is tried again", failing("data", code(451)), record.Done, "", 1},
		{"one that stays busy holds and is no dead letter", failing("rcpt", code(450), code(450), code(450), code(450), code(450), code(450)), record.Done, "", 1},
		{"a server that is closing holds", failing("mail", code(421), code(421)), record.Done, "", 1},
		{"a connection that breaks before the text holds", failing("rcpt", errHangUp), record.Done, "", 1},
		{"no answer after the text is in doubt: it is sent again", failing("data", errHangUp), record.Done, "", 2},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			m := newMailbox(t, test.change, nil, false)
			o := newOffice(t, mailed(m.address), patientAt("smtp", "pat-1@example.org"))
			if got := o.deliver(shipped())[0]; got.Outcome != test.want || got.Class != test.class {
				t.Errorf("got %s of class %q, want %s of class %q", got.Outcome, got.Class, test.want, test.class)
			}
			letters := m.letters()
			if len(letters) != test.mails {
				t.Fatalf("got %d mails, want %d", len(letters), test.mails)
			}
			if len(letters) == 2 {
				if messageID(t, letters[0]) != messageID(t, letters[1]) {
					t.Error("got another Message-ID when it was sent again, want the same")
				}
				if o.counts["patient smtp in_doubt"] != 1 {
					t.Errorf("got counts %v, want one in doubt", o.counts)
				}
			}
			for _, hidden := range []string{"canary", "pat-1", "example.org", "News"} {
				if strings.Contains(o.text(), hidden) {
					t.Errorf("got %q in the log, want nothing of the mail: %s", hidden, o.text())
				}
			}
		})
	}
}

func TestMailServerThatIsAwayHolds(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = listener.Close() }()
	address := listener.Addr().String()
	if err := listener.Close(); err != nil {
		t.Fatal(err)
	}
	o := newOffice(t, mailed(address), patientAt("smtp", "pat-1@example.org"))
	if got := o.deliver(shipped())[0]; got.Outcome != record.Unfinished || len(o.letters) > 0 {
		t.Errorf("got %s and %d dead letters, want the record waiting", got.Outcome, len(o.letters))
	}
	if !strings.Contains(o.text(), "the channel smtp is away: the mail server cannot be reached: connection refused") {
		t.Errorf("got %.300s, want the cause told", o.text())
	}
}

func TestConnectionIsUsedAgain(t *testing.T) {
	t.Parallel()
	m := newMailbox(t, nil, nil, false)
	o := newOffice(t, mailed(m.address), patientAt("smtp", "pat-1@example.org"))
	done(t, o.deliver(shipped(), shipped(), shipped(), shipped(), shipped()))
	if len(m.letters()) != 5 || m.sessions != 1 {
		t.Errorf("got %d mails over %d connections, want 5 over 1", len(m.letters()), m.sessions)
	}
}

func TestMailGoesOverTLS(t *testing.T) {
	t.Parallel()
	certificate, authorities := identity(t)
	for _, implicit := range []bool{false, true} {
		m := newMailbox(t, func(m *mailbox) { m.login = [2]string{"millrace", "secret"} }, &certificate, implicit)
		settings := mailed(m.address)
		settings.SMTP.CAFile, settings.SMTP.ImplicitTLS = authorities, implicit
		settings.SMTP.Username, settings.SMTP.Password = "millrace", "secret"
		o := newOffice(t, settings, patientAt("smtp", "pat-1@example.org"))
		done(t, o.deliver(shipped()))
		if len(m.letters()) != 1 || m.secure != 1 {
			t.Errorf("implicit %t: got %d mails, %d over TLS, want 1 over TLS", implicit, len(m.letters()), m.secure)
		}
	}
}

// Ensure what is wrong with the server or its settings holds and is told, and costs no notification.
func TestMailServerThatCannotBeUsedHolds(t *testing.T) {
	t.Parallel()
	certificate, authorities := identity(t)
	withLogin := func(m *mailbox) { m.login = [2]string{"millrace", "secret"} }
	tests := []struct {
		name   string
		server func(t *testing.T) *mailbox
		change func(s *notification.SMTPSettings)
		want   string
	}{
		{
			"elsewhere nothing is sent without STARTTLS", func(t *testing.T) *mailbox { return newMailbox(t, nil, nil, false) },
			// The same machine by an address that does not say so.
			func(s *notification.SMTPSettings) {
				s.Address = strings.Replace(s.Address, "127.0.0.1", "0.0.0.0", 1)
			},
			"it does not offer STARTTLS, and nothing is sent without",
		},
		{
			"a certificate of nobody we trust", func(t *testing.T) *mailbox { return newMailbox(t, nil, &certificate, false) },
			func(*notification.SMTPSettings) {}, "its certificate is not trusted",
		},
		{
			"a certificate for another host", func(t *testing.T) *mailbox { return newMailbox(t, nil, &certificate, false) },
			func(s *notification.SMTPSettings) {
				s.CAFile, s.Address = authorities, strings.Replace(s.Address, "127.0.0.1", "localhost", 1)
			}, "its certificate is for another host",
		},
		{
			"a wrong password", func(t *testing.T) *mailbox { return newMailbox(t, withLogin, &certificate, false) },
			func(s *notification.SMTPSettings) {
				s.CAFile, s.Username, s.Password = authorities, "millrace", "wrong"
			}, "it answered with 535 to the greeting or the login",
		},
		{
			"a login that would show the password to all", func(t *testing.T) *mailbox { return newMailbox(t, withLogin, nil, false) },
			func(s *notification.SMTPSettings) { s.Username, s.Password = "millrace", "secret" }, "it does not offer a login that we use on such a connection",
		},
		{
			"no login where one is set", func(t *testing.T) *mailbox { return newMailbox(t, nil, nil, false) },
			func(s *notification.SMTPSettings) { s.Username, s.Password = "millrace", "secret" }, "it does not offer a login that we use on such a connection",
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			m := test.server(t)
			settings := mailed(m.address)
			test.change(settings.SMTP)
			o := newOffice(t, settings, patientAt("smtp", "pat-1@example.org"))
			o.settings.ProbeAfter = 0 // the default: three tries are enough of a hostile server
			o.open()
			if got := o.deliver(shipped())[0]; got.Outcome != record.Unfinished || len(o.letters) > 0 || len(m.letters()) > 0 {
				t.Errorf("got %s, %d dead letters, %d mails, want the record waiting", got.Outcome, len(o.letters), len(m.letters()))
			}
			if !strings.Contains(o.text(), test.want) {
				t.Errorf("got %.500s, want %q in it", o.text(), test.want)
			}
			if strings.Contains(o.text(), "secret") || strings.Contains(o.text(), "wrong") {
				t.Error("got the password in the log")
			}
		})
	}
}
