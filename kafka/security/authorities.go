package security

import (
	"bytes"
	"crypto/x509"
	"encoding/pem"
	"errors"

	"github.com/pavlo-v-chernykh/keystore-go/v4"
	"software.sslmate.com/src/go-pkcs12"

	"github.com/prantikov/millrace/config"
)

// trustStore is the file with the authorities; false for those of the system.
func trustStore(s config.TLS) (store, bool) {
	switch {
	case s.TrustStoreFile != "":
		return store{path: "kafka.tls.truststore_file", file: s.TrustStoreFile, typePath: "kafka.tls.truststore_type", kind: s.TrustStoreType,
			passwordPath: "kafka.tls.truststore_password", password: s.TrustStorePassword}, true
	case s.CAFile != "":
		// Whoever names it need not know that it is a store of Java's.
		return store{path: "kafka.tls.ca_file", file: s.CAFile, passwordPath: "kafka.tls.truststore_password"}, true
	case s.CAPEM != "":
		return store{path: "kafka.tls.ca_pem", text: s.CAPEM}, true
	default:
		return store{}, false
	}
}

// authorities reads the certificates that are trusted.
func (s store) authorities() ([]*x509.Certificate, error) {
	data, kind, err := s.read()
	if err != nil {
		return nil, err
	}
	var found []*x509.Certificate
	switch {
	case kind == config.StorePEM:
		found, err = s.certificates(data)
	case s.path == "kafka.tls.ca_file":
		return nil, s.wrong("it is not PEM", "name a store of Java's with kafka.tls.truststore_file")
	case kind == config.StoreJKS:
		found, err = s.trustedInJKS(data)
	default:
		found, err = s.trustedInPKCS12(data)
	}
	if err == nil && len(found) == 0 {
		err = s.wrong("it has no certificate of an authority", "put those in that sign the brokers' certificates")
	}
	return found, err
}

// certificates are all of a text, in their order.
func (s store) certificates(data []byte) ([]*x509.Certificate, error) {
	var found []*x509.Certificate
	for block, rest := pem.Decode(data); block != nil; block, rest = pem.Decode(rest) {
		if block.Type != "CERTIFICATE" {
			continue
		}
		certificate, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, s.wrong("it has a certificate that cannot be read: "+err.Error(), "write it anew")
		}
		found = append(found, certificate)
	}
	return found, nil
}

func (s store) trustedInJKS(data []byte) ([]*x509.Certificate, error) {
	keys, err := s.jks(data)
	if err != nil {
		return nil, err
	}
	var found []*x509.Certificate
	for _, alias := range keys.Aliases() {
		if !keys.IsTrustedCertificateEntry(alias) {
			continue
		}
		entry, err := keys.GetTrustedCertificateEntry(alias)
		if err != nil {
			return nil, s.wrong("it cannot be read: "+err.Error(), "write it anew")
		}
		certificate, err := x509.ParseCertificate(entry.Certificate.Content)
		if err != nil {
			return nil, s.wrong("it has a certificate that cannot be read: "+err.Error(), "write it anew")
		}
		found = append(found, certificate)
	}
	return found, nil
}

// jks opens a store of Java's own type.
func (s store) jks(data []byte) (keystore.KeyStore, error) {
	keys := keystore.New(keystore.WithOrderedAliases())
	if err := keys.Load(bytes.NewReader(data), []byte(s.password.Reveal())); err != nil {
		// The digest over all of it has the password in it, so what is damaged and what has another password look the same.
		return keys, s.wrongPassword(s.passwordPath, s.password)
	}
	return keys, nil
}

func (s store) trustedInPKCS12(data []byte) ([]*x509.Certificate, error) {
	found, err := pkcs12.DecodeTrustStore(data, s.password.Reveal())
	if err == nil {
		return found, nil
	}
	return nil, s.wrongPKCS12(err)
}

// wrongPKCS12 says why a store cannot be read.
func (s store) wrongPKCS12(err error) error {
	if errors.Is(err, pkcs12.ErrIncorrectPassword) || errors.Is(err, pkcs12.ErrDecryption) {
		return s.wrongPassword(s.passwordPath, s.password)
	}
	return s.wrong("it cannot be read as PKCS 12: "+err.Error(), "write it anew, for example with keytool -importcert")
}
