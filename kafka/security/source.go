package security

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/prantikov/millrace/config"
)

// source has the certificates of the settings, and reads them again when their files have changed. It is safe for concurrent use.
type source struct {
	settings config.TLS

	mu   sync.Mutex
	seen string
	held material
	// stale is why the last change of the files could not be read; what was there before is used on.
	stale error
}

// material is what the files have.
type material struct {
	read bool
	// roots are nil for those of the system.
	roots *x509.CertPool
	own   identity
}

// now returns what the files have. When they cannot be read any more, the certificates from before are used as long as they are taken: a file
// that is being replaced must not end the connections of a program that runs.
func (s *source) now() (material, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	seen := s.stamp()
	if s.held.read && seen == s.seen {
		return s.held, nil
	}
	fresh, err := read(s.settings)
	if err != nil {
		s.stale = err
		if s.held.read {
			return s.held, nil
		}
		return material{}, err
	}
	s.seen, s.held, s.stale = seen, fresh, nil
	return fresh, nil
}

func read(s config.TLS) (material, error) {
	own, err := readIdentity(s)
	if err != nil {
		return material{}, err
	}
	fresh := material{read: true, own: own}
	if from, named := trustStore(s); named {
		authorities, err := from.authorities()
		if err != nil {
			return material{}, err
		}
		fresh.roots = x509.NewCertPool()
		for _, authority := range authorities {
			fresh.roots.AddCert(authority)
		}
	}
	return fresh, nil
}

// stamp changes when a file does.
func (s *source) stamp() string {
	var stamp strings.Builder
	for _, file := range []string{s.settings.CAFile, s.settings.CertFile, s.settings.KeyFile, s.settings.TrustStoreFile, s.settings.KeyStoreFile} {
		if file == "" {
			continue
		}
		if info, err := os.Stat(file); err == nil {
			fmt.Fprintf(&stamp, "%d %d ", info.ModTime().UnixNano(), info.Size())
		}
		stamp.WriteString("|")
	}
	return stamp.String()
}

// own names our certificate for a sentence; empty when we have none.
func (s *source) own() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	leaf := s.held.own.leaf
	if leaf == nil {
		return ""
	}
	text := fmt.Sprintf("%s of %q", s.held.own.source.named(), leaf.Subject)
	if time.Now().After(leaf.NotAfter) {
		text += ", which expired at " + moment(leaf.NotAfter)
	}
	if s.stale != nil {
		text += ", whose file has changed and cannot be read (" + s.stale.Error() + ")"
	}
	return text
}

// handshake is the settings of one, and whether the broker asked for a certificate in it.
func (m material) handshake(name string, asked func()) *tls.Config {
	return &tls.Config{
		MinVersion: tls.VersionTLS12, RootCAs: m.roots, ServerName: name,
		GetClientCertificate: func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
			asked()
			if m.own.leaf == nil {
				return &tls.Certificate{}, nil
			}
			// It is shown whatever authorities the broker names: its refusal says more than our silence.
			certificate := m.own.certificate()
			return &certificate, nil
		},
	}
}
