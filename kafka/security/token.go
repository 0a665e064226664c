package security

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"sync"
	"time"

	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"

	"github.com/prantikov/millrace/config"
)

const (
	tokenFile = "kafka.sasl.token_file"
	tokenURL  = "kafka.sasl.token_url"
	// largestToken bounds a token: more than any, less than a file that was named by mistake.
	largestToken = 64 << 10
	// tokenPatience bounds the time for fetching one.
	tokenPatience = 10 * time.Second
)

// Tokens has the token of OAUTHBEARER: from a file, read anew each time, or fetched and kept until shortly before its end. It is safe for
// concurrent use.
type Tokens struct {
	settings config.SASL
	fetched  oauth2.TokenSource

	mu sync.Mutex
	// expires is the end of the last token, as it says itself; zero when it does not.
	expires time.Time
}

// NewTokens returns the tokens of the settings. A token's address is asked with the authorities of kafka.tls beside those of the system.
func NewTokens(s config.Kafka) *Tokens {
	t := &Tokens{settings: s.SASL}
	if s.SASL.TokenURL != "" {
		asked := clientcredentials.Config{
			ClientID: s.SASL.ClientID, ClientSecret: s.SASL.ClientSecret.Reveal(), TokenURL: s.SASL.TokenURL, Scopes: strings.Fields(s.SASL.Scope),
		}
		ctx := context.WithValue(context.Background(), oauth2.HTTPClient, tokenClient(&source{settings: s.TLS}))
		t.fetched = asked.TokenSource(ctx)
	}
	return t
}

// tokenClient asks the address and nobody else: another address that it names would be given the secret.
func tokenClient(certificates *source) *http.Client {
	return &http.Client{
		Timeout:       tokenPatience,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport:     &http.Transport{Proxy: http.ProxyFromEnvironment, TLSClientConfig: tokenTLS(certificates), DisableKeepAlives: true},
	}
}

func tokenTLS(certificates *source) *tls.Config {
	c := &tls.Config{MinVersion: tls.VersionTLS12}
	from, named := trustStore(certificates.settings)
	if !named {
		return c
	}
	authorities, err := from.authorities()
	if err != nil {
		// The connection to the broker says what is wrong with the file.
		return c
	}
	if c.RootCAs, err = x509.SystemCertPool(); err != nil {
		c.RootCAs = x509.NewCertPool()
	}
	for _, authority := range authorities {
		c.RootCAs.AddCert(authority)
	}
	return c
}

// Token returns a token. The error is a [*Refusal] when another try would change nothing.
func (t *Tokens) Token() (string, error) {
	text, err := t.read()
	if err == nil {
		t.mu.Lock()
		t.expires = expiry(text)
		t.mu.Unlock()
	}
	return text, err
}

func (t *Tokens) read() (string, error) {
	if t.fetched == nil {
		return readToken(t.settings.TokenFile)
	}
	token, err := t.fetched.Token()
	var refused *oauth2.RetrieveError
	switch {
	case err == nil:
		return token.AccessToken, nil
	case errors.As(err, &refused):
		return "", Refuse(err, "%s %q gives no token to kafka.sasl.client_id %q: %s", tokenURL, t.settings.TokenURL, t.settings.ClientID, answer(refused))
	default:
		return "", fmt.Errorf("fetching a token from %s %q: %w", tokenURL, t.settings.TokenURL, err)
	}
}

// answer is what the address said, without its body: who knows what is in there.
func answer(refused *oauth2.RetrieveError) string {
	text := "it answers " + refused.Response.Status
	if refused.ErrorCode != "" {
		text += ", " + refused.ErrorCode
	}
	return text
}

func readToken(name string) (string, error) {
	file, err := os.Open(name)
	if err != nil {
		return "", Refuse(err, "%s %q cannot be read: %s", tokenFile, name, plain(err))
	}
	defer func() { _ = file.Close() }()
	data, err := io.ReadAll(io.LimitReader(file, largestToken+1))
	text := strings.TrimSpace(string(data))
	switch {
	case err != nil:
		return "", Refuse(err, "%s %q cannot be read: %s", tokenFile, name, plain(err))
	case text == "":
		return "", Refuse(nil, "%s %q is empty", tokenFile, name)
	case len(data) > largestToken || strings.ContainsAny(text, " \t\r\n\x00\x01"):
		return "", Refuse(nil, "%s %q has no token in it", tokenFile, name)
	}
	return text, nil
}

// Described names where the token came from, for the sentence of a login that was refused, and says when it ended if it has.
func (t *Tokens) Described() string {
	text := "the token of " + tokenFile
	if t.fetched != nil {
		text = "the token of " + tokenURL
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.expires.IsZero() && time.Now().After(t.expires) {
		text += ", which expired at " + moment(t.expires)
	}
	return text
}

// expiry is the end that a token says to have (a JWT's claim exp); zero for one that says none. It is not believed: it is for a sentence.
func expiry(token string) time.Time {
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return time.Time{}
	}
	data, err := base64.RawURLEncoding.DecodeString(strings.TrimRight(parts[1], "="))
	if err != nil {
		return time.Time{}
	}
	var claims struct {
		Expires json.Number `json:"exp"`
	}
	if json.Unmarshal(data, &claims) != nil {
		return time.Time{}
	}
	seconds, err := claims.Expires.Float64()
	if err != nil || seconds <= 0 {
		return time.Time{}
	}
	return time.Unix(int64(seconds), 0)
}
