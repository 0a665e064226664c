package security_test

import (
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prantikov/millrace/config"
	"github.com/prantikov/millrace/kafka/security"
)

// Ensure a token in a file is read anew each time, and that what is no token is one sentence.
func TestTokenFromFile(t *testing.T) {
	t.Parallel()
	name := file(t, "first\n")
	tokens := security.NewTokens(config.Kafka{SASL: config.SASL{TokenFile: name}})
	want := func(want string) {
		t.Helper()
		if got, err := tokens.Token(); got != want || err != nil {
			t.Errorf("got %q and %v, want %q", got, err, want)
		}
	}
	want("first")
	write(t, name, "  second ")
	want("second")
	for text, reason := range map[string]string{"": "is empty", "canary canary": "has no token", strings.Repeat("x", 65<<10): "has no token"} {
		write(t, name, text)
		_, err := tokens.Token()
		var refused *security.Refusal
		if !errors.As(err, &refused) || !strings.Contains(refused.Error(), "kafka.sasl.token_file") || !strings.Contains(refused.Error(), reason) || strings.Contains(refused.Error(), "canary") {
			t.Errorf("got %v, want a refusal that names the setting, with %q", err, reason)
		}
	}
	if err := os.Remove(name); err != nil {
		t.Fatal(err)
	}
	if _, err := tokens.Token(); !strings.Contains(fmt.Sprint(err), "cannot be read") {
		t.Errorf("got %v, want that it cannot be read", err)
	}
}

// Ensure the sentence about a refused token says when it ended.
func TestExpiredTokenSaysWhen(t *testing.T) {
	t.Parallel()
	end := time.Now().Add(-time.Hour)
	claims := base64.RawURLEncoding.EncodeToString(fmt.Appendf(nil, `{"sub":"millrace","exp":%d}`, end.Unix()))
	for token, want := range map[string]string{
		"e30." + claims + ".": "the token of kafka.sasl.token_file, which expired at " + end.UTC().Format(time.RFC3339),
		"opaque":              "the token of kafka.sasl.token_file",
		"a.b.c":               "the token of kafka.sasl.token_file",
	} {
		tokens := security.NewTokens(config.Kafka{SASL: config.SASL{TokenFile: file(t, token)}})
		if _, err := tokens.Token(); err != nil {
			t.Error(err)
		}
		if got := tokens.Described(); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

// Ensure a token is fetched in our name, once until it ends, and that a no is one sentence without the secret.
func TestTokenFromURL(t *testing.T) {
	t.Parallel()
	var asked atomic.Int32
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		user, password, _ := r.BasicAuth()
		w.Header().Set("Content-Type", "application/json")
		if user != "me" || password != "canary" || r.FormValue("grant_type") != "client_credentials" || r.FormValue("scope") != "kafka events" {
			w.WriteHeader(http.StatusUnauthorized)
			_, _ = fmt.Fprint(w, `{"error":"invalid_client","error_description":"canary"}`)
			return
		}
		_, _ = fmt.Fprintf(w, `{"access_token":"token-%d","token_type":"bearer","expires_in":3600}`, asked.Add(1))
	}))
	t.Cleanup(server.Close)
	settings := config.SASL{TokenURL: server.URL, ClientID: "me", ClientSecret: config.NewSecret("canary"), Scope: "kafka events"}
	tokens := security.NewTokens(config.Kafka{SASL: settings})
	for range 3 {
		if got, err := tokens.Token(); got != "token-1" || err != nil {
			t.Errorf("got %q and %v, want the first token", got, err)
		}
	}
	settings.ClientSecret = config.NewSecret("other-canary")
	_, err := security.NewTokens(config.Kafka{SASL: settings}).Token()
	var refused *security.Refusal
	if !errors.As(err, &refused) || !strings.Contains(refused.Error(), `gives no token to kafka.sasl.client_id "me": it answers 401 Unauthorized, invalid_client`) || strings.Contains(refused.Error(), "canary") {
		t.Errorf("got %v, want a refusal with the answer", err)
	}
	server.Close()
	if _, err := tokens.Token(); err != nil {
		t.Errorf("got %v, want the token that is still good", err)
	}
	_, err = security.NewTokens(config.Kafka{SASL: settings}).Token()
	if err == nil || errors.As(err, &refused) || strings.Contains(err.Error(), "canary") {
		t.Errorf("got %v, want an error that may pass", err)
	}
}

// Ensure the secret is not sent on to where the address redirects.
func TestTokenURLIsNotLeft(t *testing.T) {
	t.Parallel()
	elsewhere := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("got a request elsewhere, want none") }))
	t.Cleanup(elsewhere.Close)
	server := httptest.NewServer(http.RedirectHandler(elsewhere.URL, http.StatusTemporaryRedirect))
	t.Cleanup(server.Close)
	settings := config.SASL{TokenURL: server.URL, ClientID: "me", ClientSecret: config.NewSecret("canary")}
	_, err := security.NewTokens(config.Kafka{SASL: settings}).Token()
	var refused *security.Refusal
	if !errors.As(err, &refused) || !strings.Contains(refused.Error(), "307") {
		t.Errorf("got %v, want a refusal with the answer", err)
	}
}

func write(t *testing.T, name, text string) {
	t.Helper()
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}
