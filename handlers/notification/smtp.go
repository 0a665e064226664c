package notification

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	netmail "net/mail"
	"net/textproto"
	"os"
	"strconv"
	"strings"

	"github.com/wneessen/go-mail"
)

// SMTPSettings is the mail server.
type SMTPSettings struct {
	// Address is host:port.
	Address string
	// From is the sender: an address, or a name and an address in angle brackets.
	From string
	// Username and Password log in; both empty for no login.
	Username, Password string
	// ImplicitTLS has TLS from the first byte. Without it the connection begins plain and becomes TLS before anything is said (STARTTLS); only
	// on this machine it may stay plain.
	ImplicitTLS bool
	// CAFile has the authorities that sign the server's certificate, as PEM. Empty for those of the system.
	CAFile string
	// Connections bounds how many are open at a time. Default 4.
	Connections int
}

// postman sends mail over a few connections that it keeps.
type postman struct {
	client *mail.Client
	from   string
	// domain is that of the sender, for the ids of messages.
	domain string
	open   *connections
}

func newMail(settings SMTPSettings) (*postman, error) {
	host, port, err := net.SplitHostPort(settings.Address)
	number, errPort := strconv.Atoi(port)
	if err != nil || errPort != nil || host == "" {
		return nil, fmt.Errorf("notification.smtp.address: %q is not host:port", settings.Address)
	}
	from, err := netmail.ParseAddress(settings.From)
	if err != nil {
		return nil, fmt.Errorf("notification.smtp.from: %q is no mail address", settings.From)
	}
	secure, err := tlsOf(host, settings.CAFile)
	if err != nil {
		return nil, err
	}
	options := []mail.Option{mail.WithPort(number), mail.WithTimeout(answerWithin), mail.WithTLSConfig(secure), mail.WithoutNoop()}
	switch {
	case settings.ImplicitTLS:
		options = append(options, mail.WithTLSPolicy(mail.TLSOpportunistic), mail.WithDialContextFunc(dial(secure)))
	case isLoopback(host):
		options = append(options, mail.WithTLSPolicy(mail.TLSOpportunistic), mail.WithDialContextFunc(dial(nil)))
	default:
		options = append(options, mail.WithTLSPolicy(mail.TLSMandatory), mail.WithDialContextFunc(dial(nil)))
	}
	if settings.Username != "" {
		options = append(options, mail.WithSMTPAuth(mail.SMTPAuthAutoDiscover), mail.WithUsername(settings.Username), mail.WithPassword(settings.Password))
	}
	client, err := mail.NewClient(host, options...)
	if err != nil {
		return nil, fmt.Errorf("notification.smtp: %w", err)
	}
	p := &postman{client: client, from: settings.From, domain: from.Address[strings.LastIndexByte(from.Address, '@')+1:]}
	p.open = newConnections(settings.Connections, client)
	return p, nil
}

func tlsOf(host, caFile string) (*tls.Config, error) {
	secure := &tls.Config{ServerName: host, MinVersion: tls.VersionTLS12}
	if caFile == "" {
		return secure, nil
	}
	content, err := os.ReadFile(caFile)
	if err != nil {
		return nil, fmt.Errorf("notification.smtp.ca_file: reading %q: %w", caFile, plain(err))
	}
	secure.RootCAs = x509.NewCertPool()
	if !secure.RootCAs.AppendCertsFromPEM(content) {
		return nil, fmt.Errorf("notification.smtp.ca_file: %q has no certificate in PEM", caFile)
	}
	return secure, nil
}

// checkMailAddress says whether an address can stand in a mail. The error does not quote it.
func checkMailAddress(address string) error {
	if parsed, err := netmail.ParseAddress(address); err != nil || parsed.Address != address {
		return errors.New("its address is no mail address")
	}
	return nil
}

func (*postman) check(address string) error { return checkMailAddress(address) }

// destination is the one server, whoever the mail is for.
func (*postman) destination(string) string { return "" }

func (p *postman) close() { p.open.close() }

func (p *postman) send(ctx context.Context, one outgoing) answer {
	message, err := p.message(one)
	if err != nil {
		return answer{verdict: refused, reason: "the mail cannot be made of this event"}
	}
	on, err := p.open.take(ctx)
	if err != nil {
		return answer{verdict: away, reason: "the mail server cannot be reached: " + causeOfMail(err)}
	}
	given, usable := p.sendOn(ctx, on, message)
	if usable {
		p.open.give(on)
	} else {
		p.open.drop(on)
	}
	return given
}

// sendOn sends on one connection, whose server is waited for as long as the try may take, and says whether the connection can be used again.
func (p *postman) sendOn(ctx context.Context, on *connection, message *mail.Msg) (given answer, usable bool) {
	keep := context.AfterFunc(ctx, on.cut)
	err := p.client.SendWithSMTPClient(on.Client, message)
	cut := !keep()
	if message.IsDelivered() {
		// What fails after that is only the way back for the next mail.
		return answer{verdict: delivered}, err == nil && !cut
	}
	given = verdictOfMail(err)
	return given, !cut && given.verdict != away && given.verdict != unknown
}

// message makes the mail. Its id is the notification's, so that whoever gets it twice can tell.
func (p *postman) message(one outgoing) (*mail.Msg, error) {
	message := mail.NewMsg(mail.WithNoDefaultUserAgent())
	if err := message.From(p.from); err != nil {
		return nil, err
	}
	if err := message.To(one.address); err != nil {
		return nil, err
	}
	message.Subject(one.subject)
	message.SetMessageIDWithValue(one.id + "@" + p.domain)
	message.SetDate()
	// RFC 3834: nobody's holiday reply comes back.
	message.SetGenHeader("Auto-Submitted", "auto-generated")
	message.SetBodyString(mail.TypeTextPlain, one.text)
	return message, nil
}

// verdictOfMail reads what became of a mail.
func verdictOfMail(err error) answer {
	var sent *mail.SendError
	if !errors.As(err, &sent) {
		return answer{verdict: unknown, reason: "the mail server gave no answer: " + causeOf(err)}
	}
	switch code := sent.ErrorCode(); {
	case code == 421:
		return answer{verdict: away, reason: "the mail server is closing (421)"}
	case code >= 500:
		return answer{verdict: refused, reason: fmt.Sprintf("the mail server refused it with %d %s", code, sent.EnhancedStatusCode())}
	case code >= 400:
		return answer{verdict: failed, reason: fmt.Sprintf("the mail server could not take it: %d %s", code, sent.EnhancedStatusCode())}
	case sent.Reason == mail.ErrSMTPDataClose:
		return answer{verdict: unknown, reason: "the mail server gave no answer after the text: " + causeOf(err)}
	default:
		// Without the line that ends the text nothing was taken.
		return answer{verdict: away, reason: "the connection to the mail server broke: " + causeOf(err)}
	}
}

// causeOfMail says why there is no connection that can be used.
func causeOfMail(err error) string {
	if answered := (*textproto.Error)(nil); errors.As(err, &answered) {
		return fmt.Sprintf("it answered with %d to the greeting or the login", answered.Code)
	}
	switch text := err.Error(); {
	case strings.Contains(text, "STARTTLS"):
		return "it does not offer STARTTLS, and nothing is sent without"
	case strings.Contains(text, "SMTP AUTH"), errors.Is(err, mail.ErrNoSupportedAuthDiscovered):
		return "it does not offer a login that we use on such a connection"
	}
	return causeOf(err)
}
