package config

import (
	"cmp"
	"fmt"
	"maps"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Validate reports all mistakes of the settings at once, each a [*Mistake] in a joined error; nil when there is none. It looks at what
// values mean and at how they fit together, and opens nothing. [Load] calls it.
func Validate(settings Settings) error { return join(check(settings, false)) }

// wrongTogether is Validate with origins, without what has to do with values that could not be read anyway.
func (l *Loaded) wrongTogether(unreadable []*Mistake) []*Mistake {
	failed := map[string]bool{}
	for _, mistake := range unreadable {
		failed[l.about(mistake.Path)] = true
	}
	var mistakes []*Mistake
	for _, mistake := range check(l.Settings, l.sources.Partial) {
		if failed[mistake.Path] || slices.ContainsFunc(mistake.related, func(path string) bool { return failed[path] }) {
			continue
		}
		if origin, found := l.Origins[mistake.Path]; found {
			mistake.Origin = origin.String()
		}
		mistakes = append(mistakes, mistake)
	}
	return mistakes
}

// about is the setting that a mistake leaves without a value: the secret, where it is about the secret's file or variable.
func (l *Loaded) about(path string) string {
	if one, found := l.known.paths[path]; found && one.opens {
		return strings.TrimSuffix(path, "_file")
	}
	if one, found := l.known.variables[path]; found {
		return l.about(one.path())
	}
	return path
}

func check(settings Settings, partial bool) []*Mistake {
	c := &checker{settings: settings, rules: map[string]Setting{}, partial: partial}
	for _, setting := range Registry() {
		c.rules[setting.Path] = setting
	}
	c.process()
	c.connection()
	c.deadlines()
	c.producer()
	c.security()
	c.topics()
	c.consumers()
	c.store()
	c.content()
	c.tracing()
	c.sinks()
	c.notification()
	return c.mistakes
}

// checker collects mistakes.
type checker struct {
	settings Settings
	rules    map[string]Setting
	partial  bool
	mistakes []*Mistake
}

func (c *checker) refuse(path string, value any, reason, advice string, related ...string) {
	mistake := &Mistake{Path: path, Value: c.rule(path).Kind.format(value), Reason: reason, Advice: advice, related: related}
	if _, ok := value.(string); ok {
		mistake.Value = quoted(mistake.Value)
	}
	c.mistakes = append(c.mistakes, mistake)
}

// rule finds the row of the registry for a path with a name in it.
func (c *checker) rule(path string) Setting {
	if own, found := c.rules[path]; found {
		return own
	}
	for _, setting := range c.rules {
		section, field, found := strings.Cut(setting.Path, named)
		if found && strings.HasPrefix(path, section) && strings.HasSuffix(path, field) {
			return setting
		}
	}
	return Setting{}
}

func (c *checker) oneOf(path, value string) {
	allowed := c.rule(path).Allowed
	if !slices.Contains(allowed, value) {
		c.refuse(path, value, "it is not one of the values that are known", "write one of "+strings.Join(allowed, ", "))
	}
}

func (c *checker) positive(path string, value time.Duration) bool {
	if value <= 0 {
		c.refuse(path, value, "it must be longer than 0", c.usual(path))
		return false
	}
	return true
}

func (c *checker) atLeast(path string, value, least int) bool {
	if value < least {
		c.refuse(path, value, fmt.Sprintf("it must be at least %d", least), c.usual(path))
		return false
	}
	return true
}

// usual is the advice to go back to the default.
func (c *checker) usual(path string) string { return "the default is " + c.rule(path).Default }

func (c *checker) process() {
	if c.settings.DataDir == "" {
		c.refuse("data_dir", "", "everything that Millrace keeps needs a directory", c.usual("data_dir"))
	}
	if c.settings.Dev && len(c.settings.Kafka.Brokers) > 0 {
		c.refuse("dev", true, "kafka.brokers is set too, and work must not go to the embedded broker by accident",
			"remove one of the two", "kafka.brokers")
	}
	c.oneOf("log.level", c.settings.Log.Level)
	c.oneOf("log.format", c.settings.Log.Format)
	c.addresses(c.settings.HTTP.Address, c.settings.Metrics.Address)
}

// addresses checks what is listened on: http is for this machine, metrics may be any address.
func (c *checker) addresses(http, metrics string) {
	host, port, understood := c.hostPort("http.address", http, c.usual("http.address"))
	parsed, err := netip.ParseAddr(host)
	if understood && host != "localhost" && (err != nil || !parsed.IsLoopback()) {
		c.refuse("http.address", http, "it has no login, so it is for this machine only",
			"use a loopback address, for example 127.0.0.1:"+port+", and metrics.address for metrics and health at another one")
	}
	if metrics == "" || metrics == http {
		return
	}
	_, other, metricsUnderstood := c.hostPort("metrics.address", metrics, "write for example :7071 for all addresses of the machine")
	if understood && metricsUnderstood && other == port && port != "0" {
		c.refuse("metrics.address", metrics, "http.address has this port too ("+http+")", "write another port, for example "+freeBeside(port), "http.address")
	}
}

// freeBeside is a port beside one that is taken.
func freeBeside(port string) string {
	if port == "7071" {
		return "7072"
	}
	return "7071"
}

// hostPort takes an address apart, or refuses it.
func (c *checker) hostPort(path, address, advice string) (host, port string, understood bool) {
	host, port, err := net.SplitHostPort(address)
	if err == nil {
		_, err = strconv.ParseUint(port, 10, 16)
	}
	if err != nil {
		c.refuse(path, address, "it is not host:port", advice)
	}
	return host, port, err == nil
}

func (c *checker) content() {
	c.atLeast("limits.value_bytes", c.settings.Limits.ValueBytes, 1)
	c.atLeast("limits.headers", c.settings.Limits.Headers, 1)
	zone := c.settings.Analytics.TimeZone
	if _, err := time.LoadLocation(zone); err != nil || zone == "" || zone == "Local" {
		c.refuse("analytics.time_zone", zone, "it is not the name of a time zone", "write an IANA name, for example UTC or Europe/Berlin")
	}
}

// sortedKeys are the names of a map in order, so that reports do not change from run to run.
func sortedKeys[K cmp.Ordered, V any](m map[K]V) []K { return slices.Sorted(maps.Keys(m)) }
