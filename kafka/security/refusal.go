package security

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"syscall"

	"github.com/prantikov/millrace/config"
)

// Refusal is a connection that one of the two sides does not want as things are: another try changes nothing until a setting, a file or the
// broker is changed.
type Refusal struct {
	// Text is one sentence that names the setting. It has no secret.
	Text string
	// Err is what it was made of; nil when there is nothing beneath.
	Err error
}

// Refuse makes a refusal.
func Refuse(err error, format string, values ...any) *Refusal {
	return &Refusal{Text: fmt.Sprintf(format, values...), Err: err}
}

// Error returns the sentence.
func (r *Refusal) Error() string { return r.Text }

// Unwrap returns what it was made of.
func (r *Refusal) Unwrap() error { return r.Err }

// Doubt is a connection that failed in a way that may pass, as when a broker starts; Text guesses at what else it may be.
type Doubt struct {
	Text string
	Err  error
}

// Error returns the sentence.
func (d *Doubt) Error() string { return d.Text }

// Unwrap returns what happened.
func (d *Doubt) Unwrap() error { return d.Err }

// refusedHandshake says what is wrong with a handshake; an error that may pass it returns as it is.
func (d *Dialer) refusedHandshake(address string, asked bool, err error) error {
	var unknown x509.UnknownAuthorityError
	var host x509.HostnameError
	var invalid x509.CertificateInvalidError
	var header tls.RecordHeaderError
	switch {
	case errors.As(err, &unknown):
		return Refuse(err, "the certificate of %s is signed by an authority that %s does not have", address, d.trusted())
	case errors.As(err, &host):
		return Refuse(err, "the certificate of %s is not for %q but for %s: correct kafka.brokers, or kafka.tls.server_name", address, host.Host, names(host.Certificate))
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		return Refuse(err, "the certificate of %s is valid from %s to %s only: the broker needs another", address, moment(invalid.Cert.NotBefore), moment(invalid.Cert.NotAfter))
	case errors.As(err, &invalid):
		return Refuse(err, "the certificate of %s cannot be trusted with %s: %s", address, d.trusted(), invalid.Error())
	case errors.As(err, &header):
		return Refuse(err, "%s does not answer in TLS: kafka.security.protocol is for another listener than this one", address)
	case isAlert(err) || asked && broken(err):
		return d.refusedCertificate(address, asked, err)
	case broken(err):
		return &Doubt{Text: "the broker closed the connection during the handshake (has this listener TLS, as kafka.security.protocol says?)", Err: err}
	case errors.Is(err, os.ErrDeadlineExceeded):
		return &Doubt{Text: "the broker does not answer the handshake (has this listener TLS, as kafka.security.protocol says?)", Err: err}
	default:
		return err
	}
}

// refusedCertificate says that the broker does not want us, after it asked for a certificate or said no.
func (d *Dialer) refusedCertificate(address string, asked bool, err error) error {
	own := d.source.own()
	switch {
	case asked && own == "":
		return Refuse(err, "%s asks for a certificate, and there is none: set kafka.tls.cert_file and kafka.tls.key_file, or kafka.tls.keystore_file", address)
	case asked:
		return Refuse(err, "%s does not take our certificate, %s%s", address, own, alert(err))
	default:
		return Refuse(err, "%s refuses the handshake (kafka.security.protocol, kafka.tls)%s", address, alert(err))
	}
}

// trusted names where the authorities come from.
func (d *Dialer) trusted() string {
	if from, named := trustStore(d.source.settings); named {
		return from.named()
	}
	return "the system (set kafka.tls.ca_file)"
}

// names are those that a certificate is for.
func names(certificate *x509.Certificate) string {
	all := certificate.DNSNames
	for _, address := range certificate.IPAddresses {
		all = append(all, address.String())
	}
	if len(all) == 0 {
		return "no name at all"
	}
	return strings.Join(all, ", ")
}

// isAlert says that the other side said no, in TLS's own words.
func isAlert(err error) bool {
	var operation *net.OpError
	return errors.As(err, &operation) && operation.Op == "remote error"
}

// alert is the other side's word, to be put behind a sentence.
func alert(err error) string {
	var operation *net.OpError
	if errors.As(err, &operation) && operation.Op == "remote error" {
		return ": " + strings.TrimPrefix(operation.Err.Error(), "tls: ")
	}
	return ""
}

// broken says that the other side closed the connection.
func broken(err error) bool {
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE)
}

// unusable is a mistake in the files as the refusal of a connection.
func unusable(err error) error {
	var mistake *config.Mistake
	if errors.As(err, &mistake) {
		return Refuse(err, "%s", mistake.Error())
	}
	return err
}
