package notification

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"os"
	"syscall"
)

// causeOf says why something could not be reached, in words that hold neither a host nor an address: the standard library's errors have both.
func causeOf(err error) string {
	var (
		unresolved *net.DNSError
		number     syscall.Errno
		record     tls.RecordHeaderError
		alert      tls.AlertError
		untrusted  *tls.CertificateVerificationError
		host       x509.HostnameError
	)
	switch {
	case errors.As(err, &unresolved):
		return "its host's name cannot be resolved"
	case errors.As(err, &host):
		return "its certificate is for another host"
	case errors.As(err, &untrusted):
		return "its certificate is not trusted"
	case errors.As(err, &record):
		return "it does not speak TLS"
	case errors.As(err, &alert):
		return "it refused the TLS connection"
	case errors.As(err, &number):
		return number.Error()
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, os.ErrDeadlineExceeded), isTimeout(err):
		return "it did not answer in time"
	case errors.Is(err, context.Canceled):
		return "the try was ended before it answered"
	default:
		return "the connection broke"
	}
}

func isTimeout(err error) bool {
	var slow interface{ Timeout() bool }
	return errors.As(err, &slow) && slow.Timeout()
}
