package kafkatest

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/pavlo-v-chernykh/keystore-go/v4"
	"github.com/youmark/pkcs8"
	"software.sslmate.com/src/go-pkcs12"
)

// Authority signs certificates for tests. Its files are in a directory that goes with the test.
type Authority struct {
	// File has its certificate, as PEM.
	File        string
	Certificate *x509.Certificate

	key       *ecdsa.PrivateKey
	directory string
}

// Identity is a certificate with its key.
type Identity struct {
	// CertFile and KeyFile have them as PEM.
	CertFile, KeyFile string
	Certificate       *x509.Certificate
	Key               *ecdsa.PrivateKey

	authority *Authority
	name      string
}

// NewAuthority makes an authority with the name.
func NewAuthority(t testing.TB, name string) *Authority {
	t.Helper()
	a := &Authority{directory: t.TempDir()}
	template := &x509.Certificate{
		SerialNumber: serial(t), Subject: pkix.Name{CommonName: name}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(90 * 24 * time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature,
	}
	a.key = newKey(t)
	a.Certificate = sign(t, template, template, a.key, a.key)
	a.File = a.write(t, name+".pem", pemOf("CERTIFICATE", a.Certificate.Raw))
	return a
}

// Issue makes a certificate for the hosts, valid for 90 days. Its subject is CN=name,O=Millrace.
func (a *Authority) Issue(t testing.TB, name string, hosts ...string) *Identity {
	t.Helper()
	return a.IssueUntil(t, time.Now().Add(90*24*time.Hour), name, hosts...)
}

// IssueUntil makes a certificate that ends at a time.
func (a *Authority) IssueUntil(t testing.TB, end time.Time, name string, hosts ...string) *Identity {
	t.Helper()
	template := &x509.Certificate{
		SerialNumber: serial(t), Subject: pkix.Name{CommonName: name, Organization: []string{"Millrace"}},
		NotBefore: end.Add(-100 * 24 * time.Hour), NotAfter: end, KeyUsage: x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth, x509.ExtKeyUsageServerAuth},
	}
	for _, host := range hosts {
		if address := net.ParseIP(host); address != nil {
			template.IPAddresses = append(template.IPAddresses, address)
		} else {
			template.DNSNames = append(template.DNSNames, host)
		}
	}
	i := &Identity{authority: a, name: name, Key: newKey(t)}
	i.Certificate = sign(t, template, a.Certificate, i.Key, a.key)
	i.CertFile = a.write(t, name+".crt", pemOf("CERTIFICATE", i.Certificate.Raw))
	i.KeyFile = a.write(t, name+".key", pemOf("PRIVATE KEY", i.pkcs8(t)))
	return i
}

// Server is the settings of a server with this certificate, which asks its clients for one of the authority's when mutual is true.
func (i *Identity) Server(mutual bool) *tls.Config {
	c := &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{i.Certificate.Raw}, PrivateKey: i.Key}}, MinVersion: tls.VersionTLS12}
	if mutual {
		c.ClientAuth, c.ClientCAs = tls.RequireAndVerifyClientCert, x509.NewCertPool()
		c.ClientCAs.AddCert(i.authority.Certificate)
	}
	return c
}

// EncryptedKey writes the key under a password, as PEM (PKCS 8), and returns the file.
func (i *Identity) EncryptedKey(t testing.TB, password string) string {
	t.Helper()
	data, err := pkcs8.MarshalPrivateKey(i.Key, []byte(password), nil)
	check(t, err)
	return i.authority.write(t, i.name+".encrypted.key", pemOf("ENCRYPTED PRIVATE KEY", data))
}

// PEM writes certificate and key into one file.
func (i *Identity) PEM(t testing.TB) string {
	t.Helper()
	return i.authority.write(t, i.name+".pem", append(pemOf("PRIVATE KEY", i.pkcs8(t)), pemOf("CERTIFICATE", i.Certificate.Raw)...))
}

// PKCS12 writes certificate and key into a store under a password, and returns the file.
func (i *Identity) PKCS12(t testing.TB, password string) string {
	t.Helper()
	data, err := pkcs12.Modern.Encode(i.Key, i.Certificate, []*x509.Certificate{i.authority.Certificate}, password)
	check(t, err)
	return i.authority.write(t, i.name+".p12", data)
}

// JKS writes certificate and key into a store of Java's own type, the store under one password and the key in it under another.
func (i *Identity) JKS(t testing.TB, password, keyPassword string) string {
	t.Helper()
	store := keystore.New()
	entry := keystore.PrivateKeyEntry{CreationTime: time.Now(), PrivateKey: i.pkcs8(t)}
	for _, one := range []*x509.Certificate{i.Certificate, i.authority.Certificate} {
		entry.CertificateChain = append(entry.CertificateChain, keystore.Certificate{Type: "X509", Content: one.Raw})
	}
	check(t, store.SetPrivateKeyEntry("own", entry, []byte(keyPassword)))
	return i.authority.store(t, i.name+".jks", store, password)
}

// PKCS12 writes the authority's certificate into a trust store, and returns the file.
func (a *Authority) PKCS12(t testing.TB, password string) string {
	t.Helper()
	data, err := pkcs12.Modern.EncodeTrustStore([]*x509.Certificate{a.Certificate}, password)
	check(t, err)
	return a.write(t, "trust.p12", data)
}

// JKS writes the authority's certificate into a trust store of Java's own type, and returns the file.
func (a *Authority) JKS(t testing.TB, password string) string {
	t.Helper()
	store := keystore.New()
	entry := keystore.TrustedCertificateEntry{CreationTime: time.Now(), Certificate: keystore.Certificate{Type: "X509", Content: a.Certificate.Raw}}
	check(t, store.SetTrustedCertificateEntry("authority", entry))
	return a.store(t, "trust.jks", store, password)
}

func (a *Authority) store(t testing.TB, name string, store keystore.KeyStore, password string) string {
	t.Helper()
	var data bytes.Buffer
	check(t, store.Store(&data, []byte(password)))
	return a.write(t, name, data.Bytes())
}

func (a *Authority) write(t testing.TB, name string, data []byte) string {
	t.Helper()
	file := filepath.Join(a.directory, name)
	check(t, os.WriteFile(file, data, 0o600))
	return file
}

func (i *Identity) pkcs8(t testing.TB) []byte {
	t.Helper()
	data, err := x509.MarshalPKCS8PrivateKey(i.Key)
	check(t, err)
	return data
}

func newKey(t testing.TB) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	check(t, err)
	return key
}

func serial(t testing.TB) *big.Int {
	t.Helper()
	number, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120))
	check(t, err)
	return number
}

func sign(t testing.TB, template, parent *x509.Certificate, key, by *ecdsa.PrivateKey) *x509.Certificate {
	t.Helper()
	data, err := x509.CreateCertificate(rand.Reader, template, parent, key.Public(), by)
	check(t, err)
	certificate, err := x509.ParseCertificate(data)
	check(t, err)
	return certificate
}

func pemOf(kind string, data []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: data})
}

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
