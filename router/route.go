package router

import (
	"context"
	"fmt"
	"reflect"
	"runtime"
	"strings"
	"time"

	"github.com/prantikov/millrace/messages"
	"github.com/prantikov/millrace/record"
)

// Route takes records of one kind, of every kind, or undecoded, to one function. Make one with [On], [OnAny] or [OnRecord].
type Route struct {
	types    []messages.Type
	action   messages.Action // empty for every action
	raw      func(context.Context, *record.Record) error
	decoded  func(context.Context, any, messages.Meta) error
	function string
	timeout  time.Duration
}

// RouteOption changes one route.
type RouteOption func(*Route)

// Timeout bounds one try of this route's function, in place of the consumer's timeout.
func Timeout(timeout time.Duration) RouteOption {
	return func(r *Route) { r.timeout = timeout }
}

// On routes one kind to a function of its type: another type does not compile.
func On[T any](kind messages.Kind[T], function func(context.Context, messages.Event[T]) error, options ...RouteOption) Route {
	return newRoute(Route{
		types:    []messages.Type{kind.Topic()},
		action:   kind.Action(),
		function: functionName(function),
		decoded: func(ctx context.Context, body any, meta messages.Meta) error {
			event, ok := body.(*T)
			if !ok {
				return fmt.Errorf("routing %s %s: decoded to %T", meta.Type, meta.Action, body)
			}
			return function(ctx, messages.Event[T]{Body: *event, Meta: meta})
		},
	}, options)
}

// OnAny routes every kind of these types to one function, decoded: the event's body is a pointer to the type's struct.
func OnAny(types []messages.Type, function func(context.Context, messages.Event[any]) error, options ...RouteOption) Route {
	return newRoute(Route{
		types:    types,
		function: functionName(function),
		decoded: func(ctx context.Context, body any, meta messages.Meta) error {
			return function(ctx, messages.Event[any]{Body: body, Meta: meta})
		},
	}, options)
}

// OnRecord routes every record of these types' topics to one function, undecoded: no limit, policy or rule on content applies to it.
func OnRecord(types []messages.Type, function func(context.Context, *record.Record) error, options ...RouteOption) Route {
	return newRoute(Route{types: types, raw: function, function: functionName(function)}, options)
}

func newRoute(route Route, options []RouteOption) Route {
	for _, option := range options {
		option(&route)
	}
	return route
}

func (r Route) apply(c *Consumer) { c.routes = append(c.routes, r) }

// functionName is the function's name as a reader of the code knows it: package.Type.method, without the module's path.
func functionName(function any) string {
	pointer := reflect.ValueOf(function).Pointer()
	if pointer == 0 {
		return ""
	}
	name := runtime.FuncForPC(pointer).Name()
	name = name[strings.LastIndexByte(name, '/')+1:]
	name = strings.TrimSuffix(name, "-fm")
	return strings.NewReplacer("(*", "", ")", "", "[...]", "").Replace(name)
}
