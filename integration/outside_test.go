//go:build unix

package integration_test

import (
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/mail"
	"strings"
	"sync"
	"testing"

	"github.com/emersion/go-smtp"
)

// outside is somebody whom notifications go to: a receiver of webhooks or a mail server, which can be made to hang at one point.
type outside struct {
	address string
	// reached is closed when the first notification has come to the point; it hangs there until released is closed.
	point    string
	reached  chan struct{}
	released chan struct{}
	once     sync.Once

	mu  sync.Mutex
	ids []string
}

// The points at which an outside can hang.
const (
	hangsBefore = "before it has read anything"
	hangsAfter  = "after it has taken the notification"
	neverHangs  = ""
)

func newOutside(point string) *outside {
	return &outside{point: point, reached: make(chan struct{}), released: make(chan struct{})}
}

// receiveWebhooks starts a receiver of webhooks.
func receiveWebhooks(t testing.TB, point string) *outside {
	t.Helper()
	o := newOutside(point)
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		o.take(r.Header.Get("webhook-id"))
	}))
	server.Listener = hangingListener{server.Listener, o}
	server.Start()
	t.Cleanup(server.Close)
	t.Cleanup(o.release)
	o.address = server.URL
	return o
}

// receiveMail starts a mail server.
func receiveMail(t testing.TB, point string) *outside {
	t.Helper()
	o := newOutside(point)
	server := smtp.NewServer(smtp.BackendFunc(func(*smtp.Conn) (smtp.Session, error) { return mailSession{o}, nil }))
	server.Domain = "localhost"
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	o.address = listener.Addr().String()
	go func() { _ = server.Serve(hangingListener{listener, o}) }()
	t.Cleanup(func() { _ = server.Close() })
	t.Cleanup(o.release)
	return o
}

// take notes a notification.
func (o *outside) take(id string) {
	o.mu.Lock()
	o.ids = append(o.ids, id)
	o.mu.Unlock()
	o.hang(hangsAfter)
}

// hang says whether it did.
func (o *outside) hang(at string) (first bool) {
	if at != o.point {
		return false
	}
	o.once.Do(func() { first = true })
	if first {
		close(o.reached)
		<-o.released
	}
	return first
}

// release ends the hanging. The one that hung is not answered.
func (o *outside) release() {
	o.mu.Lock()
	defer o.mu.Unlock()
	select {
	case <-o.released:
	default:
		close(o.released)
	}
}

// taken is the ids of all notifications that were taken, in their order.
func (o *outside) taken() []string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return append([]string(nil), o.ids...)
}

// hangingListener hangs with the first connection, of which nothing is read.
type hangingListener struct {
	net.Listener
	o *outside
}

func (l hangingListener) Accept() (net.Conn, error) {
	connection, err := l.Listener.Accept()
	if err == nil && l.o.hang(hangsBefore) {
		// What its sender wrote before it was killed waits in the connection, and is not to be read afterwards either.
		_ = connection.Close()
	}
	return connection, err
}

// mailSession is one connection to the mail server.
type mailSession struct{ o *outside }

func (mailSession) Mail(string, *smtp.MailOptions) error { return nil }
func (mailSession) Rcpt(string, *smtp.RcptOptions) error { return nil }
func (mailSession) Reset()                               {}
func (mailSession) Logout() error                        { return nil }

func (s mailSession) Data(r io.Reader) error {
	text, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	message, err := mail.ReadMessage(strings.NewReader(string(text)))
	if err != nil {
		return err
	}
	s.o.take(message.Header.Get("Message-ID"))
	return nil
}
