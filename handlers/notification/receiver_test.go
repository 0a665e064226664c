package notification_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"

	"github.com/prantikov/millrace/handlers/notification"
)

// secret is that of the tests' webhooks.
const secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"

// receiver is a receiver of webhooks.
type receiver struct {
	*httptest.Server
	mutex sync.Mutex
	got   []hook
	// answer is what it does with the nth webhook, from 0 on. Nil takes all.
	answer func(n int, w http.ResponseWriter)
}

// hook is one webhook as it came.
type hook struct {
	header http.Header
	path   string
	body   []byte
}

func (h hook) id() string { return h.header.Get("webhook-id") }

func newReceiver(t *testing.T, answer func(n int, w http.ResponseWriter)) *receiver {
	t.Helper()
	r := &receiver{answer: answer}
	r.Server = httptest.NewServer(r)
	t.Cleanup(r.Close)
	return r
}

func (r *receiver) ServeHTTP(w http.ResponseWriter, request *http.Request) {
	body, _ := io.ReadAll(request.Body)
	r.mutex.Lock()
	n := len(r.got)
	r.got = append(r.got, hook{request.Header, request.URL.Path, body})
	r.mutex.Unlock()
	if r.answer != nil {
		r.answer(n, w)
	}
}

func (r *receiver) hooks() []hook {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	return append([]hook(nil), r.got...)
}

// hooked are the settings of an office that sends webhooks.
func hooked() notification.Settings {
	return notification.Settings{Webhook: &notification.WebhookSettings{Secret: secret}}
}

// statuses answers with one status after another, and takes what comes after them.
func statuses(all ...int) func(int, http.ResponseWriter) {
	return func(n int, w http.ResponseWriter) {
		if n < len(all) {
			w.WriteHeader(all[n])
		}
	}
}

// hangUp ends the connection without an answer.
func hangUp(w http.ResponseWriter) {
	connection, _, err := http.NewResponseController(w).Hijack()
	if err == nil {
		_ = connection.Close()
	}
}
