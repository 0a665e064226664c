package control

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"time"
)

const (
	// answerTime bounds how long an answer is waited for, longestAnswer how many bytes of it are read.
	answerTime    = 20 * time.Second
	longestAnswer = 32 << 20
)

// Client asks and tells the process that runs in a data directory. Every method's error is [ErrNotRunning] when none does, and a
// [*Refusal] when it says no.
type Client struct {
	directory string
	http      *http.Client
}

// NewClient returns a client of the process in the data directory. It connects for each call.
func NewClient(directory string) *Client {
	return &Client{directory: directory, http: &http.Client{
		Timeout: answerTime,
		Transport: &http.Transport{
			DialContext:       func(ctx context.Context, _, _ string) (net.Conn, error) { return dial(ctx, directory) },
			DisableKeepAlives: true,
		},
	}}
}

// Status asks how the process is, with a row per partition when they are asked for.
func (c *Client) Status(ctx context.Context, partitions bool) (status Status, err error) {
	path := "/status"
	if partitions {
		path += "?partitions=true"
	}
	err = c.ask(ctx, http.MethodGet, path, nil, &status)
	return status, err
}

// Health asks how well the process is.
func (c *Client) Health(ctx context.Context) (health Health, err error) {
	err = c.ask(ctx, http.MethodGet, "/health", nil, &health)
	return health, err
}

// Pause stops the intake of a consumer for a time.
func (c *Client) Pause(ctx context.Context, request PauseRequest) (paused Paused, err error) {
	err = c.ask(ctx, http.MethodPost, "/pause", request, &paused)
	return paused, err
}

// Resume ends the pauses that the target covers.
func (c *Client) Resume(ctx context.Context, target Target) (resumed Resumed, err error) {
	err = c.ask(ctx, http.MethodPost, "/resume", target, &resumed)
	return resumed, err
}

// SetConcurrency sets how many keys of a consumer are worked on side by side.
func (c *Client) SetConcurrency(ctx context.Context, consumer string, keys int) (set Keys, err error) {
	err = c.ask(ctx, http.MethodPost, "/concurrency", Keys{Consumer: consumer, Concurrency: keys}, &set)
	return set, err
}

// ask sends a request and reads the answer into a value.
func (c *Client) ask(ctx context.Context, method, path string, request, into any) error {
	var body io.Reader = http.NoBody
	if request != nil {
		text, err := json.Marshal(request)
		if err != nil {
			return fmt.Errorf("writing the request: %w", err)
		}
		body = bytes.NewReader(text)
	}
	// The host is of no meaning on a socket.
	sent, err := http.NewRequestWithContext(ctx, method, "http://millrace"+path, body)
	if err != nil {
		return fmt.Errorf("making the request: %w", err)
	}
	response, err := c.http.Do(sent)
	if errors.Is(err, ErrNotRunning) {
		return fmt.Errorf("%w %q (data_dir, --data-dir)", ErrNotRunning, c.directory)
	}
	if err != nil {
		// The method and the made-up host say nothing.
		var about *url.Error
		if errors.As(err, &about) {
			err = about.Err
		}
		return fmt.Errorf("asking the millrace in data directory %q: %w", c.directory, err)
	}
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(io.LimitReader(response.Body, longestAnswer))
	if err != nil {
		return fmt.Errorf("reading the answer of the millrace in data directory %q: %w", c.directory, err)
	}
	return read(response.StatusCode, text, into)
}

// read takes an answer apart.
func read(code int, text []byte, into any) error {
	if code == http.StatusOK {
		if err := json.Unmarshal(text, into); err != nil {
			return fmt.Errorf("reading the answer: %w", err)
		}
		return nil
	}
	var said refusalBody
	if err := json.Unmarshal(text, &said); err != nil || said.Error == "" {
		return fmt.Errorf("the millrace that runs does not understand this: it answers %d; is it of another version?", code)
	}
	return &Refusal{code, said.Error}
}
