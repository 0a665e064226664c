package control

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
)

// longestHealth bounds how many bytes of an answer about health are read.
const longestHealth = 8 << 20

// AskHealth asks the process that serves /healthz and /readyz at host:port. An address that stands for all addresses of a machine is asked on
// loopback.
func AskHealth(ctx context.Context, address string) (health Health, err error) {
	asked, err := reachable(address)
	if err != nil {
		return Health{}, err
	}
	if err := askHealth(ctx, "http://"+asked+"/healthz", &health.Live); err != nil {
		return Health{}, err
	}
	if err := askHealth(ctx, "http://"+asked+"/readyz", &health.Ready); err != nil {
		return Health{}, err
	}
	if health.Live.Status == "" || health.Ready.Status == "" {
		return Health{}, fmt.Errorf("asking http://%s: what answers there is no millrace", asked)
	}
	return health, nil
}

// reachable makes an address that can be connected to of one that is listened on.
func reachable(address string) (string, error) {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return "", fmt.Errorf("asking %q: it is not host:port", address)
	}
	parsed, err := netip.ParseAddr(host)
	switch {
	case host == "", err == nil && parsed == netip.IPv4Unspecified():
		host = "127.0.0.1"
	case err == nil && parsed == netip.IPv6Unspecified():
		host = "::1"
	}
	return net.JoinHostPort(host, port), nil
}

// askHealth reads one answer. 503 is the answer of a process that is not well.
func askHealth(ctx context.Context, address string, into any) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, http.NoBody)
	if err != nil {
		return fmt.Errorf("asking %s: %w", address, err)
	}
	// A proxy of the environment is not for an address that was named.
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	response, err := client.Do(request)
	if err != nil {
		var about *url.Error
		if errors.As(err, &about) {
			err = about.Err
		}
		return fmt.Errorf("asking %s: %w", address, err)
	}
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(io.LimitReader(response.Body, longestHealth))
	if err != nil {
		return fmt.Errorf("reading the answer of %s: %w", address, err)
	}
	known := response.StatusCode == http.StatusOK || response.StatusCode == http.StatusServiceUnavailable
	if !known || json.Unmarshal(text, into) != nil {
		return fmt.Errorf("asking %s: what answers there (%d) is no millrace", address, response.StatusCode)
	}
	return nil
}
