package security

import (
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"strconv"
	"time"

	"github.com/prantikov/millrace/config"
)

// soon is how long before its end a certificate is warned of.
const soon = 14 * 24 * time.Hour

// Check reads the files that the settings name and returns all mistakes, and warnings of certificates that are over or soon will be. It
// connects to nothing. Settings that contradict each other are the configuration's own mistakes; here they are read as far as they go.
func Check(s config.Kafka, now time.Time) (mistakes []*config.Mistake, warnings []string) {
	add := func(err error) {
		var mistake *config.Mistake
		if errors.As(err, &mistake) {
			mistakes = append(mistakes, mistake)
		}
	}
	if s.Security.Encrypted() {
		if from, named := trustStore(s.TLS); named {
			authorities, err := from.authorities()
			add(err)
			for _, authority := range authorities {
				warnings = append(warnings, validity(from, authority, now)...)
			}
		}
		own, err := readIdentity(s.TLS)
		add(err)
		for _, certificate := range own.chain {
			warnings = append(warnings, validity(own.source, certificate, now)...)
		}
	}
	if s.Security.LoggedIn() && s.SASL.TokenFile != "" {
		add(unreadableToken(s.SASL.TokenFile))
	}
	return mistakes, warnings
}

// unreadableToken is the mistake of a token's file that cannot be read. Its content may change at any time, so it is not looked at.
func unreadableToken(file string) error {
	opened, err := os.Open(file)
	if err != nil {
		return &config.Mistake{Path: tokenFile, Value: strconv.Quote(file), Reason: "it cannot be read: " + plain(err), Advice: "write the name of a file that this user may read"}
	}
	return opened.Close()
}

// validity warns of a certificate whose time is over, soon will be, or has not come.
func validity(from store, certificate *x509.Certificate, now time.Time) []string {
	what := fmt.Sprintf("%s: the certificate of %q ", from.named(), certificate.Subject)
	switch {
	case now.After(certificate.NotAfter):
		return []string{what + "expired at " + moment(certificate.NotAfter)}
	case now.Before(certificate.NotBefore):
		return []string{what + "is not valid before " + moment(certificate.NotBefore)}
	case now.Add(soon).After(certificate.NotAfter):
		return []string{what + "expires at " + moment(certificate.NotAfter)}
	}
	return nil
}

func moment(t time.Time) string { return t.UTC().Format(time.RFC3339) }
