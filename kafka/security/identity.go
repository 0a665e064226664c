package security

import (
	"bytes"
	"crypto"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"slices"

	"github.com/youmark/pkcs8"
	"software.sslmate.com/src/go-pkcs12"

	"github.com/prantikov/millrace/config"
)

// identity is our own certificate with its key. leaf is the first of its certificates; nil when we have none.
type identity struct {
	leaf   *x509.Certificate
	chain  []*x509.Certificate
	key    crypto.Signer
	source store
}

// certificate is it as a handshake needs it.
func (i identity) certificate() tls.Certificate {
	certificate := tls.Certificate{PrivateKey: i.key, Leaf: i.leaf}
	for _, one := range i.chain {
		certificate.Certificate = append(certificate.Certificate, one.Raw)
	}
	return certificate
}

const keyPassword = "kafka.tls.key_password"

// readIdentity reads our certificate; it is empty when the settings name none.
func readIdentity(s config.TLS) (identity, error) {
	switch {
	case s.KeyStoreFile != "":
		return storedIdentity(s)
	case s.CertFile != "" || s.CertPEM != "":
		return filedIdentity(s)
	default:
		return identity{}, nil
	}
}

// filedIdentity reads a certificate and a key from two files of text, which may be one, or from the settings themselves.
func filedIdentity(s config.TLS) (identity, error) {
	certificates := store{path: "kafka.tls.cert_file", file: s.CertFile}
	if s.CertPEM != "" {
		certificates = store{path: "kafka.tls.cert_pem", text: s.CertPEM}
	}
	data, _, err := certificates.read()
	if err != nil {
		return identity{}, err
	}
	chain, err := certificates.certificates(data)
	if err != nil {
		return identity{}, err
	}
	keys := store{path: "kafka.tls.key_file", file: s.KeyFile}
	if s.KeyPEM.IsSet() {
		keys = store{path: "kafka.tls.key_pem", text: s.KeyPEM.Reveal()}
	}
	if data, _, err = keys.read(); err != nil {
		return identity{}, err
	}
	key, err := keys.keyInPEM(data, s.KeyPassword)
	if err != nil {
		return identity{}, err
	}
	return certificates.together(key, chain)
}

func storedIdentity(s config.TLS) (identity, error) {
	from := store{path: "kafka.tls.keystore_file", file: s.KeyStoreFile, typePath: "kafka.tls.keystore_type", kind: s.KeyStoreType,
		passwordPath: "kafka.tls.keystore_password", password: s.KeyStorePassword}
	data, kind, err := from.read()
	if err != nil {
		return identity{}, err
	}
	switch kind {
	case config.StorePEM:
		chain, err := from.certificates(data)
		if err != nil {
			return identity{}, err
		}
		key, err := from.keyInPEM(data, s.KeyPassword)
		if err != nil {
			return identity{}, err
		}
		return from.together(key, chain)
	case config.StoreJKS:
		return from.identityInJKS(data, s.KeyPassword)
	default:
		return from.identityInPKCS12(data)
	}
}

// together checks that the key is that of a certificate, and puts that first.
func (s store) together(key any, chain []*x509.Certificate) (identity, error) {
	signer, ok := key.(crypto.Signer)
	if !ok {
		return identity{}, s.wrong("its key is of a kind that cannot sign", "use RSA, ECDSA or Ed25519")
	}
	if len(chain) == 0 {
		return identity{}, s.wrong("it has no certificate", "put the certificate in, and those between it and its authority behind it")
	}
	own := slices.IndexFunc(chain, func(one *x509.Certificate) bool {
		public, ok := one.PublicKey.(interface{ Equal(crypto.PublicKey) bool })
		return ok && public.Equal(signer.Public())
	})
	if own < 0 {
		return identity{}, s.wrong("its certificate is not that of the private key", "name a certificate and the key that it was made for")
	}
	leaf := chain[own]
	ordered := append([]*x509.Certificate{leaf}, slices.Delete(slices.Clone(chain), own, own+1)...)
	return identity{leaf: leaf, chain: ordered, key: signer, source: s}, nil
}

// keyInPEM reads the private key of a text.
func (s store) keyInPEM(data []byte, password config.Secret) (any, error) {
	for block, rest := pem.Decode(data); block != nil; block, rest = pem.Decode(rest) {
		var key any
		var err error
		switch {
		case block.Headers["DEK-Info"] != "":
			return nil, s.wrong("its private key is encrypted in a form of the last century", "write it anew with openssl pkcs8 -topk8")
		case block.Type == "ENCRYPTED PRIVATE KEY":
			return s.decrypted(block.Bytes, password)
		case block.Type == "PRIVATE KEY":
			key, err = x509.ParsePKCS8PrivateKey(block.Bytes)
		case block.Type == "RSA PRIVATE KEY":
			key, err = x509.ParsePKCS1PrivateKey(block.Bytes)
		case block.Type == "EC PRIVATE KEY":
			key, err = x509.ParseECPrivateKey(block.Bytes)
		default:
			continue
		}
		if err != nil {
			return nil, s.wrong("its private key cannot be read: "+err.Error(), "write it anew")
		}
		return key, nil
	}
	return nil, s.wrong("it has no private key", "put the key of the certificate in")
}

// decrypted opens a private key that has a password.
func (s store) decrypted(data []byte, password config.Secret) (any, error) {
	if !password.IsSet() {
		return nil, s.wrongPassword(keyPassword, password)
	}
	key, err := pkcs8.ParsePKCS8PrivateKey(data, []byte(password.Reveal()))
	if err != nil {
		return nil, s.wrongPassword(keyPassword, password)
	}
	return key, nil
}

func (s store) identityInJKS(data []byte, password config.Secret) (identity, error) {
	keys, err := s.jks(data)
	if err != nil {
		return identity{}, err
	}
	owned := slices.DeleteFunc(keys.Aliases(), func(alias string) bool { return !keys.IsPrivateKeyEntry(alias) })
	if len(owned) != 1 {
		return identity{}, s.wrongCount(len(owned))
	}
	passwordPath := keyPassword
	if !password.IsSet() {
		passwordPath, password = s.passwordPath, s.password
	}
	entry, err := keys.GetPrivateKeyEntry(owned[0], []byte(password.Reveal()))
	if err != nil {
		return identity{}, s.wrongPassword(passwordPath, password)
	}
	key, err := x509.ParsePKCS8PrivateKey(entry.PrivateKey)
	if err != nil {
		return identity{}, s.wrong("its private key cannot be read: "+err.Error(), "write it anew")
	}
	var raw bytes.Buffer
	for _, certificate := range entry.CertificateChain {
		raw.Write(certificate.Content)
	}
	chain, err := x509.ParseCertificates(raw.Bytes())
	if err != nil {
		return identity{}, s.wrong("it has a certificate that cannot be read: "+err.Error(), "write it anew")
	}
	return s.together(key, chain)
}

// wrongCount is the mistake of a store that has no key, or several.
func (s store) wrongCount(keys int) error {
	if keys == 0 {
		return s.wrong("it has no private key", "put our certificate and its key in")
	}
	return s.wrong("it has several private keys", "leave the one in that is ours")
}

func (s store) identityInPKCS12(data []byte) (identity, error) {
	key, certificate, others, err := pkcs12.DecodeChain(data, s.password.Reveal())
	if err != nil {
		return identity{}, s.wrongPKCS12(err)
	}
	return s.together(key, append([]*x509.Certificate{certificate}, others...))
}

// Subject is the name in our certificate as Kafka has it in a principal; empty when there is no certificate that can be read.
func Subject(s config.TLS) string {
	own, err := readIdentity(s)
	if err != nil || own.leaf == nil {
		return ""
	}
	return own.leaf.Subject.String()
}
