package observe

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"strconv"
	"strings"
	"time"
)

// nextPorts is how many ports after the default one are tried.
const nextPorts = 100

// Listen opens an address of a setting, http.address or metrics.address. When somebody set it, it is taken or refused: the error names the
// setting and its flag, --http-address for http.address. When it is the default (set is false) and taken, the next free port is opened
// instead, so that a second process on the machine just starts: the listener's Addr says which.
func Listen(ctx context.Context, setting, address string, set bool) (net.Listener, error) {
	var config net.ListenConfig
	listener, err := config.Listen(ctx, "tcp", address)
	if err == nil {
		return listener, nil
	}
	refused := fmt.Errorf("listening on %s %q (--%s): %w", setting, address, strings.ReplaceAll(setting, ".", "-"), err)
	host, text, err := net.SplitHostPort(address)
	port, errPort := strconv.Atoi(text)
	if set || err != nil || errPort != nil {
		return nil, refused
	}
	for next := port + 1; next <= port+nextPorts; next++ {
		listener, err := config.Listen(ctx, "tcp", net.JoinHostPort(host, strconv.Itoa(next)))
		if err == nil {
			return listener, nil
		}
	}
	return nil, refused
}

// Server serves /metrics, /healthz and /readyz, and nothing that changes anything.
type Server struct {
	listener net.Listener
	server   *http.Server
}

// NewServer returns a server on a listener of [Listen]. Several may serve the same metrics and health. It serves nothing before [Server.Run].
func NewServer(listener net.Listener, metrics *Metrics, health *Health, logger *slog.Logger) *Server {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", metrics.Handler(logger))
	mux.HandleFunc("GET /healthz", health.serveLive)
	mux.HandleFunc("GET /readyz", health.serveReady)
	return &Server{listener: listener, server: &http.Server{
		Handler:           guard(listener.Addr(), mux),
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       10 * time.Second,
		WriteTimeout:      30 * time.Second,
		IdleTimeout:       time.Minute,
		MaxHeaderBytes:    16 << 10,
		ErrorLog:          slog.NewLogLogger(logger.Handler(), slog.LevelDebug),
	}}
}

// Address is host:port as it was opened.
func (s *Server) Address() string { return s.listener.Addr().String() }

// Run serves until ctx ends, gives requests in flight one second, and returns nil; or the error that ended it before.
func (s *Server) Run(ctx context.Context) error {
	if err := Serve(ctx, s.server, s.listener); err != nil {
		return fmt.Errorf("serving http on %s: %w", s.Address(), err)
	}
	return nil
}

// Serve answers on a listener until ctx ends, gives requests in flight one second, and returns nil; or the error that ended it before.
func Serve(ctx context.Context, server *http.Server, listener net.Listener) error {
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(listener) }()
	select {
	case err := <-failed:
		return err
	case <-ctx.Done():
	}
	closing, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
	defer cancel()
	if err := server.Shutdown(closing); err != nil {
		_ = server.Close()
	}
	<-failed
	return nil
}

// guard refuses names of other hosts when the server listens on loopback: a page in the operator's browser may have its own name resolve
// to 127.0.0.1 and would read the answers.
func guard(address net.Addr, next http.Handler) http.Handler {
	local := false
	if tcp, ok := address.(*net.TCPAddr); ok {
		local = tcp.IP.IsLoopback()
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Content-Type-Options", "nosniff")
		w.Header().Set("Cache-Control", "no-store")
		if local && !isLocalName(r.Host) {
			http.Error(w, "this server answers to localhost only", http.StatusForbidden)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// isLocalName says whether a Host header names this machine's loopback: localhost or a loopback address, with or without a port.
func isLocalName(host string) bool {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	host = strings.Trim(host, "[]")
	if strings.EqualFold(host, "localhost") {
		return true
	}
	address, err := netip.ParseAddr(host)
	return err == nil && address.IsLoopback()
}
