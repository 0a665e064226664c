package cmd

import (
	"context"
	"net"
	"strings"

	"github.com/prantikov/millrace/observe"
)

// served are the addresses of /metrics, /healthz and /readyz, as they were opened.
type served struct {
	http string
	// metrics is empty when it is http.
	metrics string
}

// serve opens /metrics, /healthz and /readyz at the http address and, where it is another one, at the metrics address, and keeps them until
// the context ends.
func (s *service) serve(ctx context.Context) (at served, err error) {
	http, metrics, err := s.listen(ctx)
	if err != nil {
		return served{}, err
	}
	at.http = s.serveOn(ctx, http)
	if metrics != nil {
		at.metrics = s.serveOn(ctx, metrics)
	}
	return at, nil
}

// listen opens the addresses; metrics is nil when it is http. That of the metrics comes first: somebody chose it, while the other may be the
// default, which gives way.
func (s *service) listen(ctx context.Context) (http, metrics net.Listener, err error) {
	// Port 0 is another free one each time it is asked for.
	if address := s.settings.Metrics.Address; address != "" && (address != s.settings.HTTP.Address || anyPort(address)) {
		if metrics, err = observe.Listen(ctx, "metrics.address", address, true); err != nil {
			return nil, nil, err
		}
	}
	http, err = observe.Listen(ctx, "http.address", s.settings.HTTP.Address, s.isSet("http.address"))
	if err != nil && metrics != nil {
		_ = metrics.Close()
	}
	return http, metrics, err
}

// serveOn serves until the context ends, and returns the address.
func (s *service) serveOn(ctx context.Context, listener net.Listener) string {
	server := observe.NewServer(listener, s.metrics, s.health, s.logger)
	go func() {
		if err := server.Run(ctx); err != nil {
			s.logger.Error("serving http", "error", err)
		}
	}()
	return server.Address()
}

// anyPort says whether an address leaves its port to the system.
func anyPort(address string) bool { return strings.HasSuffix(address, ":0") }
