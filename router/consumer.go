package router

import (
	"errors"
	"fmt"
	"regexp"
	"slices"

	"github.com/prantikov/millrace/messages"
)

// Consumer is a named group of routes with its own consumer group, progress and failures. Make one with [Consume].
type Consumer struct {
	name   string
	routes []Route
	unit   UnitOfWork
	strict bool
	// together keeps all records of a partition in order unless the settings say otherwise.
	together bool
	// outside and stored are what [EffectsOutside] says.
	outside, stored bool
}

// Option is a [Route] or another part of a consumer.
type Option interface{ apply(*Consumer) }

type optionFunc func(*Consumer)

func (f optionFunc) apply(c *Consumer) { f(c) }

// WithUnitOfWork gives the consumer durable effects: each batch is handled in a unit of work that is committed before any of its
// records counts as finished.
func WithUnitOfWork(unit UnitOfWork) Option {
	return optionFunc(func(c *Consumer) { c.unit = unit })
}

// StrictContent makes the rules on content this consumer's business: the status is one that the event has, and the key is the one
// that the topic's key rule asks for. Without it a consumer asks only for a readable event with a known action.
func StrictContent() Option {
	return optionFunc(func(c *Consumer) { c.strict = true })
}

// PartitionOrder keeps all records of a partition in the order of the log, not only those of a key: one that waits for its retry holds
// its partition. It is for consumers whose output has the order of the log. The consumer's settings may say otherwise.
func PartitionOrder() Option {
	return optionFunc(func(c *Consumer) { c.together = true })
}

// EffectsOutside says that the consumer's functions do what nobody can take back: they send mail, they call other services. Such a consumer
// never guesses where to begin: without a position, and with old records on the log, it is held until consumers.<name>.start is set.
//
// The functions wait for others, so such a consumer has no unit of work; marked says that they keep marks of what they did in the store
// instead (store.Effects), so that what is delivered again is not done again. Then only those who share the store may share the work.
func EffectsOutside(marked bool) Option {
	return optionFunc(func(c *Consumer) { c.outside, c.stored = true, marked })
}

// legalName is what is good for a consumer group, a file name and a metric's label alike.
var legalName = regexp.MustCompile(`^[a-z0-9][a-z0-9._-]{0,99}$`)

// Consume declares a consumer. It returns every mistake of wiring at once: a bad name, no route, a route without a function, an action
// that is routed twice, a topic that is taken both decoded and undecoded, effects outside within a unit of work.
func Consume(name string, options ...Option) (*Consumer, error) {
	c := &Consumer{name: name}
	for _, option := range options {
		option.apply(c)
	}
	var mistakes []error
	if !legalName.MatchString(name) {
		mistakes = append(mistakes, fmt.Errorf("consumer %q: a name has lower-case letters, digits, dots, hyphens and underscores, at most 100", name))
	}
	if len(c.routes) == 0 {
		mistakes = append(mistakes, fmt.Errorf("consumer %q: has no route", name))
	}
	for _, declared := range c.Types() {
		if _, err := c.table(declared); err != nil {
			mistakes = append(mistakes, err)
		}
	}
	for _, route := range c.routes {
		if route.function == "" {
			mistakes = append(mistakes, fmt.Errorf("consumer %q: a route has no function", name))
		}
	}
	if c.outside && c.unit != nil {
		mistakes = append(mistakes, fmt.Errorf("consumer %q: has effects outside and a unit of work: others would wait for the store while it waits for what is outside", name))
	}
	if err := errors.Join(mistakes...); err != nil {
		return nil, err
	}
	return c, nil
}

// In returns the same consumer with another unit of work, for who takes its routes through a log elsewhere: on tables beside the live ones, or in
// memory.
func (c *Consumer) In(unit UnitOfWork) *Consumer {
	other := *c
	other.unit = unit
	return &other
}

// Name is the consumer's name.
func (c *Consumer) Name() string { return c.name }

// Durable says whether the consumer has a unit of work.
func (c *Consumer) Durable() bool { return c.unit != nil }

// Outside says whether the consumer has effects that nobody can take back, see [EffectsOutside].
func (c *Consumer) Outside() bool { return c.outside }

// Stored says whether the store knows what the consumer has done: by a unit of work, or by marks of effects outside.
func (c *Consumer) Stored() bool { return c.unit != nil || c.stored }

// Together says whether the consumer keeps all records of a partition in order, see [PartitionOrder].
func (c *Consumer) Together() bool { return c.together }

// Replaying returns the consumer as it takes part in a replay of the log, see [ReplayUnit]. The error names a consumer whose unit of work cannot.
func (c *Consumer) Replaying() (*Consumer, error) {
	replaying := *c
	if c.unit != nil {
		unit, able := c.unit.(ReplayUnit)
		if !able {
			return nil, fmt.Errorf("consumer %q: its unit of work cannot tell what a replay has to leave out (router.ReplayUnit)", c.name)
		}
		replaying.unit = unit.Replaying()
	}
	return &replaying, nil
}

// Files says whether the consumer's unit of work appends to files in this process's data directory.
func (c *Consumer) Files() bool {
	unit, able := c.unit.(interface{ Files() bool })
	return able && unit.Files()
}

// Types returns the types whose topics the consumer takes, each once, in the order of its routes.
func (c *Consumer) Types() []messages.Type {
	var types []messages.Type
	for _, route := range c.routes {
		for _, declared := range route.types {
			if !slices.ContainsFunc(types, func(t messages.Type) bool { return t.Topic() == declared.Topic() }) {
				types = append(types, declared)
			}
		}
	}
	return types
}

// Row is one line of the list of routes.
type Row struct {
	Consumer string          `json:"consumer"`
	Topic    string          `json:"topic"`
	Type     string          `json:"type"`
	Action   messages.Action `json:"action"`
	Function string          `json:"function"`
}

// Rows lists the consumer's routes: a line per topic and action, with * for a function that takes records undecoded.
func (c *Consumer) Rows() []Row {
	var rows []Row
	for _, declared := range c.Types() {
		table, err := c.table(declared)
		if err != nil {
			continue
		}
		if table.raw != nil {
			rows = append(rows, Row{c.name, declared.Topic(), declared.Name(), "*", table.raw.function})
			continue
		}
		for _, action := range declared.Actions() {
			if route := table.find(action); route != nil {
				rows = append(rows, Row{c.name, declared.Topic(), declared.Name(), action, route.function})
			}
		}
	}
	return rows
}

// routeTable is what a consumer does with one type.
type routeTable struct {
	byAction map[messages.Action]*Route
	any      *Route
	raw      *Route
}

func (t *routeTable) find(action messages.Action) *Route {
	if route := t.byAction[action]; route != nil {
		return route
	}
	return t.any
}

func (c *Consumer) table(declared messages.Type) (*routeTable, error) {
	table := &routeTable{byAction: map[messages.Action]*Route{}}
	for i := range c.routes {
		route := &c.routes[i]
		if !slices.ContainsFunc(route.types, func(t messages.Type) bool { return t.Topic() == declared.Topic() }) {
			continue
		}
		switch {
		case route.raw != nil && table.raw == nil:
			table.raw = route
		case route.raw == nil && route.action == "" && table.any == nil:
			table.any = route
		case route.raw == nil && route.action != "" && table.byAction[route.action] == nil:
			if !slices.Contains(declared.Actions(), route.action) {
				return nil, fmt.Errorf("consumer %q: %s has no action %q", c.name, declared.Name(), route.action)
			}
			table.byAction[route.action] = route
		default:
			return nil, fmt.Errorf("consumer %q: %s is routed twice for action %q", c.name, declared.Name(), route.action)
		}
	}
	if table.raw != nil && (table.any != nil || len(table.byAction) > 0) {
		return nil, fmt.Errorf("consumer %q: %s is taken both decoded and undecoded", c.name, declared.Name())
	}
	return table, nil
}
