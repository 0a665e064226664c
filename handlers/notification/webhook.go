package notification

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
)

// WebhookSettings is how webhooks are signed, after the Standard Webhooks specification.
type WebhookSettings struct {
	// Secret is whsec_ and base64. Several, with blanks between, sign all: so one replaces another without a moment that neither counts.
	Secret string
}

// webhook sends signed webhooks. It follows no redirect: what is at another place would get what was signed for this one.
type webhook struct {
	signers []*standardwebhooks.Webhook
	client  *http.Client
}

func newWebhook(settings WebhookSettings) (*webhook, error) {
	w := &webhook{client: newHTTPClient()}
	for _, secret := range strings.Fields(settings.Secret) {
		signer, err := standardwebhooks.NewWebhook(secret)
		if err != nil {
			return nil, errors.New("notification.webhook.secret: it is no whsec_ with base64 behind it")
		}
		w.signers = append(w.signers, signer)
	}
	if len(w.signers) == 0 {
		return nil, errors.New("notification.webhook.secret: it is empty")
	}
	return w, nil
}

// newHTTPClient returns a client of which each answer is the one of the address that was asked.
func newHTTPClient() *http.Client {
	return &http.Client{
		Transport:     http.DefaultTransport.(*http.Transport).Clone(),
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

func (*webhook) check(address string) error {
	_, err := secureURL(address)
	return err
}

func (*webhook) destination(address string) string {
	parsed, err := secureURL(address)
	if err != nil {
		return ""
	}
	return parsed.Scheme + "://" + parsed.Host
}

// content is the body, in the form that the specification recommends.
type content struct {
	Type      string    `json:"type"`
	Timestamp time.Time `json:"timestamp"`
	Data      data      `json:"data"`
}

type data struct {
	Audience  Audience `json:"audience"`
	Recipient string   `json:"recipient"`
	EntityID  string   `json:"entityId"`
	Action    string   `json:"action"`
	EventID   string   `json:"eventId"`
	Subject   string   `json:"subject"`
	Text      string   `json:"text"`
}

func (w *webhook) send(ctx context.Context, one outgoing) answer {
	request, err := w.request(ctx, one, time.Now())
	if err != nil {
		return answer{verdict: refused, reason: "the webhook cannot be made of this event"}
	}
	// Once there is a connection, something may have been sent.
	var reached atomic.Bool
	request = request.WithContext(httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		GetConn: func(string) { reached.Store(false) }, // also when the client looks for another, for it has sent nothing then
		GotConn: func(httptrace.GotConnInfo) { reached.Store(true) },
	}))
	response, err := w.client.Do(request)
	switch {
	case err != nil && reached.Load():
		return answer{verdict: unknown, reason: "the webhook's receiver gave no answer: " + causeOf(err)}
	case err != nil:
		return answer{verdict: away, reason: "the webhook's receiver cannot be reached: " + causeOf(err)}
	}
	// What is left of the answer is read so that the connection can be used again.
	_, _ = io.Copy(io.Discard, io.LimitReader(response.Body, answerBytes))
	_ = response.Body.Close()
	return verdictOf(response, time.Now())
}

// request makes the signed request.
func (w *webhook) request(ctx context.Context, one outgoing, now time.Time) (*http.Request, error) {
	body, err := json.Marshal(content{Type: one.kind, Timestamp: one.at.UTC(), Data: data{
		Audience: one.to.audience, Recipient: one.to.id, EntityID: one.entityID, Action: one.action, EventID: one.eventID,
		Subject: one.subject, Text: one.text,
	}}, jsontext.AllowInvalidUTF8(true)) // the event's id is a header, of whatever bytes
	if err != nil {
		return nil, err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, one.address, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	signatures := make([]string, len(w.signers))
	for i, signer := range w.signers {
		if signatures[i], err = signer.Sign(one.id, now, body); err != nil {
			return nil, err
		}
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("User-Agent", "millrace")
	request.Header.Set(standardwebhooks.HeaderWebhookID, one.id)
	request.Header.Set(standardwebhooks.HeaderWebhookTimestamp, strconv.FormatInt(now.Unix(), 10))
	request.Header.Set(standardwebhooks.HeaderWebhookSignature, strings.Join(signatures, " "))
	return request, nil
}

// verdictOf reads a status. Those of 4xx that say that it was only not the time are no refusals.
func verdictOf(response *http.Response, now time.Time) answer {
	status := response.StatusCode
	given := answer{reason: fmt.Sprintf("the webhook's receiver answered with status %d", status), after: retryAfter(response.Header.Get("Retry-After"), now)}
	switch {
	case status >= 200 && status < 300:
		given.verdict = delivered
	case status == http.StatusTooManyRequests:
		given.verdict = busy
	case status == http.StatusRequestTimeout, status == http.StatusTooEarly, status >= 500:
		given.verdict = failed
		if given.after > 0 {
			given.verdict = busy
		}
	default:
		given.verdict = refused
	}
	return given
}

// longestAfter bounds how long a word of the other side counts: after that it is asked again.
const longestAfter = time.Hour

// retryAfter reads the header: seconds, or a date. What it cannot read counts as nothing.
func retryAfter(header string, now time.Time) time.Duration {
	var after time.Duration
	if seconds, err := strconv.Atoi(strings.TrimSpace(header)); err == nil {
		after = time.Duration(min(seconds, int(longestAfter/time.Second))) * time.Second
	} else if at, err := http.ParseTime(header); err == nil {
		after = at.Sub(now)
	}
	return min(max(after, 0), longestAfter)
}
