package notification

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/go-json-experiment/json"
)

const (
	// answerBytes bounds what is read of an answer.
	answerBytes = 64 << 10
	// answersKept bounds the cache. An answer weighs some hundred bytes.
	answersKept = 100_000
)

// directoryService is a directory behind HTTP: GET of a URL with audience and id in it. 200 has a [Recipient] as JSON, 404 means nobody, and
// everything else that it cannot be asked now.
type directoryService struct {
	url, token string
	cache      time.Duration
	client     *http.Client

	mutex   sync.Mutex
	answers map[party]answered
}

// directoryError is why the service cannot be asked, in a sentence that may stand in a log.
type directoryError string

func (e directoryError) Error() string { return string(e) }

// answered is an answer of the cache; its recipient is empty when nobody was found.
type answered struct {
	recipient Recipient
	found     bool
	until     time.Time
}

func newDirectoryService(settings DirectorySettings) (*directoryService, error) {
	for _, hole := range []string{"{audience}", "{id}"} {
		if !strings.Contains(settings.URL, hole) {
			return nil, fmt.Errorf("it has no %s in it", hole)
		}
	}
	s := &directoryService{url: settings.URL, token: settings.Token, cache: settings.Cache, client: newHTTPClient(), answers: map[party]answered{}}
	_, err := secureURL(s.of(party{Patient, "id"}))
	return s, err
}

// of is the URL of somebody, whose id is escaped so that it cannot lead elsewhere.
func (s *directoryService) of(whom party) string {
	return strings.NewReplacer("{audience}", url.PathEscape(string(whom.audience)), "{id}", url.PathEscape(whom.id)).Replace(s.url)
}

// find is the service's [Directory].
func (s *directoryService) find(ctx context.Context, audience Audience, id string) (Recipient, bool, error) {
	whom := party{audience, id}
	if kept, ok := s.kept(whom); ok {
		return kept.recipient, kept.found, nil
	}
	recipient, found, err := s.ask(ctx, whom)
	if err != nil {
		return Recipient{}, false, err
	}
	s.keep(whom, answered{recipient: recipient, found: found, until: time.Now().Add(s.cache)})
	return recipient, found, nil
}

// ask asks the service. Its errors quote neither the URL, which has the id in it, nor the answer.
func (s *directoryService) ask(ctx context.Context, whom party) (Recipient, bool, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, s.of(whom), nil)
	if err != nil {
		return Recipient{}, false, directoryError("the directory's URL is none")
	}
	request.Header.Set("Accept", "application/json")
	if s.token != "" {
		request.Header.Set("Authorization", "Bearer "+s.token)
	}
	response, err := s.client.Do(request)
	if err != nil {
		return Recipient{}, false, directoryError("the directory cannot be asked: " + causeOf(err))
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(io.LimitReader(response.Body, answerBytes))
	if err != nil {
		return Recipient{}, false, directoryError("the directory's answer was cut off: " + causeOf(err))
	}
	switch response.StatusCode {
	case http.StatusNotFound:
		return Recipient{}, false, nil
	case http.StatusOK:
	default:
		return Recipient{}, false, directoryError(fmt.Sprintf("the directory answers with status %d", response.StatusCode))
	}
	var recipient Recipient
	if err := json.Unmarshal(body, &recipient); err != nil {
		return Recipient{}, false, directoryError(`the directory's answer is no JSON with "channel" and "address"`)
	}
	return recipient, true, nil
}

func (s *directoryService) kept(whom party) (answered, bool) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	kept, ok := s.answers[whom]
	return kept, ok && time.Now().Before(kept.until)
}

func (s *directoryService) keep(whom party, answer answered) {
	if s.cache <= 0 {
		return
	}
	s.mutex.Lock()
	defer s.mutex.Unlock()
	if len(s.answers) >= answersKept {
		now := time.Now()
		for other, kept := range s.answers {
			if now.After(kept.until) {
				delete(s.answers, other)
			}
		}
		if len(s.answers) >= answersKept {
			clear(s.answers)
		}
	}
	s.answers[whom] = answer
}
