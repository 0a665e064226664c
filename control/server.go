package control

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"github.com/prantikov/millrace/observe"
)

// longestRequest bounds the body of a request, in bytes.
const longestRequest = 4 << 10

// Server answers on the socket in the data directory: GET /status, GET /health and POST /pause, /resume, /concurrency, in JSON. Who may open the
// directory may ask; nobody else can.
type Server struct {
	listener net.Listener
	path     string
	server   *http.Server
}

// Listen opens the socket. Whoever calls it holds the lock of the data directory. It answers nothing before [Server.Run].
func Listen(ctx context.Context, directory string, process *Process, logger *slog.Logger) (*Server, error) {
	listener, err := listen(ctx, directory)
	if err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /status", func(w http.ResponseWriter, r *http.Request) {
		answer(w, process.Status(r.Context(), r.URL.Query().Get("partitions") == "true"), nil)
	})
	mux.HandleFunc("GET /health", func(w http.ResponseWriter, _ *http.Request) { answer(w, process.health(), nil) })
	mux.HandleFunc("POST /pause", func(w http.ResponseWriter, r *http.Request) {
		handle(w, r, PauseRequest{Target: Target{Partition: -1}, For: DefaultPause.String()}, process.Pause)
	})
	mux.HandleFunc("POST /resume", func(w http.ResponseWriter, r *http.Request) {
		handle(w, r, Target{Partition: -1}, process.Resume)
	})
	mux.HandleFunc("POST /concurrency", func(w http.ResponseWriter, r *http.Request) {
		handle(w, r, Keys{}, func(_ context.Context, keys Keys) (Keys, error) { return process.SetConcurrency(keys) })
	})
	return &Server{listener: listener, path: filepath.Join(directory, socketName), server: &http.Server{
		Handler:           mux,
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       10 * time.Second,
		WriteTimeout:      15 * time.Second,
		IdleTimeout:       time.Minute,
		MaxHeaderBytes:    8 << 10,
		ErrorLog:          slog.NewLogLogger(logger.Handler(), slog.LevelDebug),
	}}, nil
}

// Run answers until the context ends, gives requests in flight a second, removes the socket and returns nil; or the error that ended it
// before.
func (s *Server) Run(ctx context.Context) error {
	defer func() { _ = os.Remove(s.path) }()
	if err := observe.Serve(ctx, s.server, s.listener); err != nil {
		return fmt.Errorf("answering on the control socket: %w", err)
	}
	return nil
}

// handle reads a request, over what it holds when nothing is said, carries it out and answers.
func handle[Request, Answer any](w http.ResponseWriter, r *http.Request, request Request, carryOut func(context.Context, Request) (Answer, error)) {
	decoder := json.NewDecoder(http.MaxBytesReader(w, r.Body, longestRequest))
	decoder.DisallowUnknownFields()
	err := decoder.Decode(&request)
	if err == nil && decoder.More() {
		err = errors.New("there is more than one value")
	}
	if err != nil && !errors.Is(err, io.EOF) {
		answer(w, nil, misused("reading the request: %v", err))
		return
	}
	done, err := carryOut(r.Context(), request)
	answer(w, done, err)
}

// refusalBody is how a refusal is written.
type refusalBody struct {
	Error string `json:"error"`
}

// answer writes what was done, or why not.
func answer(w http.ResponseWriter, body any, err error) {
	w.Header().Set("Content-Type", "application/json")
	if err != nil {
		code := http.StatusInternalServerError
		var refusal *Refusal
		if errors.As(err, &refusal) {
			code = refusal.Code
		}
		w.WriteHeader(code)
		body = refusalBody{err.Error()}
	}
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	// The client is gone when this fails: nobody is left to be told.
	_ = encoder.Encode(body)
}
