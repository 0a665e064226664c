package notification_test

import (
	"crypto/tls"
	"encoding/pem"
	"errors"
	"io"
	"net"
	"net/http/httptest"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"

	"github.com/prantikov/millrace/handlers/notification"
)

// mailbox is a mail server that keeps what it takes.
type mailbox struct {
	server  *smtp.Server
	address string
	// login is user and password; empty for a server that asks for none.
	login [2]string
	// answer is what it does with the nth mail at a step: mail, rcpt, data. Nil takes all.
	answer func(n int, step string) error

	mutex    sync.Mutex
	tries    int
	sessions int
	secure   int
	got      []letter
}

// letter is one mail as it came.
type letter struct{ from, to, text string }

// newMailbox starts a server. With certificate it offers STARTTLS, with implicit it has TLS from the first byte.
func newMailbox(t *testing.T, change func(m *mailbox), certificate *tls.Certificate, implicit bool) *mailbox {
	t.Helper()
	m := &mailbox{}
	if change != nil {
		change(m)
	}
	m.server = smtp.NewServer(smtp.BackendFunc(func(c *smtp.Conn) (smtp.Session, error) {
		m.mutex.Lock()
		defer m.mutex.Unlock()
		m.sessions++
		return &mailSession{mailbox: m, connection: c}, nil
	}))
	m.server.Domain, m.server.AllowInsecureAuth = "localhost", true
	m.server.ErrorLog = quiet{}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	m.address = listener.Addr().String()
	if certificate != nil {
		m.server.TLSConfig = &tls.Config{Certificates: []tls.Certificate{*certificate}, MinVersion: tls.VersionTLS12}
		if implicit {
			listener = tls.NewListener(listener, m.server.TLSConfig)
		}
	}
	go func() { _ = m.server.Serve(listener) }()
	t.Cleanup(func() { _ = m.server.Close() })
	return m
}

type quiet struct{}

func (quiet) Printf(string, ...any) {}
func (quiet) Println(...any)        {}

func (m *mailbox) letters() []letter {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	return append([]letter(nil), m.got...)
}

// mailSession is one connection.
type mailSession struct {
	mailbox    *mailbox
	connection *smtp.Conn
	present    letter
	loggedIn   bool
}

func (s *mailSession) answer(step string) error {
	s.mailbox.mutex.Lock()
	n := s.mailbox.tries
	s.mailbox.mutex.Unlock()
	if s.mailbox.answer == nil {
		return nil
	}
	err := s.mailbox.answer(n, step)
	if err != nil {
		s.mailbox.mutex.Lock()
		s.mailbox.tries++
		s.mailbox.mutex.Unlock()
	}
	if errors.Is(err, errHangUp) {
		_ = s.connection.Conn().Close()
	}
	return err
}

// errHangUp ends the connection without an answer.
var errHangUp = errors.New("hang up")

func (s *mailSession) Mail(from string, _ *smtp.MailOptions) error {
	if s.mailbox.login[0] != "" && !s.loggedIn {
		return smtp.ErrAuthRequired
	}
	s.present = letter{from: from}
	return s.answer("mail")
}

func (s *mailSession) Rcpt(to string, _ *smtp.RcptOptions) error {
	s.present.to = to
	return s.answer("rcpt")
}

func (s *mailSession) Data(r io.Reader) error {
	text, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	s.present.text = string(text)
	err = s.answer("data")
	s.mailbox.mutex.Lock()
	defer s.mailbox.mutex.Unlock()
	if err == nil || errors.Is(err, errHangUp) {
		s.mailbox.got = append(s.mailbox.got, s.present)
	}
	if _, secure := s.connection.TLSConnectionState(); secure {
		s.mailbox.secure++
	}
	return err
}

func (s *mailSession) Reset()        {}
func (s *mailSession) Logout() error { return nil }

func (s *mailSession) AuthMechanisms() []string {
	if s.mailbox.login[0] == "" {
		return nil
	}
	return []string{sasl.Plain}
}

func (s *mailSession) Auth(string) (sasl.Server, error) {
	return sasl.NewPlainServer(func(_, user, password string) error {
		if [2]string{user, password} != s.mailbox.login {
			return smtp.ErrAuthFailed
		}
		s.loggedIn = true
		return nil
	}), nil
}

// mailed are the settings of an office that sends mail.
func mailed(address string) notification.Settings {
	return notification.Settings{SMTP: &notification.SMTPSettings{Address: address, From: "Clinic <news@clinic.example>"}}
}

// identity is a certificate for this machine and the file with its authority.
func identity(t *testing.T) (certificate tls.Certificate, authorities string) {
	t.Helper()
	server := httptest.NewTLSServer(nil)
	defer server.Close()
	authorities = filepath.Join(t.TempDir(), "authorities.pem")
	text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	if err := os.WriteFile(authorities, text, 0o600); err != nil {
		t.Fatal(err)
	}
	return server.TLS.Certificates[0], authorities
}
