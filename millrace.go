// Package millrace is the door for programs that bring consumers of their own: their main is [Main] with the built-in consumers and their
// plugins, and it gets every command of the millrace binary. A service that only sends events uses [NewProducer].
package millrace

import (
	"log/slog"
	"os"
	"slices"

	"go.opentelemetry.io/otel/trace"

	"github.com/prantikov/millrace/cmd"
	"github.com/prantikov/millrace/config"
	"github.com/prantikov/millrace/handlers/notification"
	"github.com/prantikov/millrace/kafka"
	"github.com/prantikov/millrace/producer"
	"github.com/prantikov/millrace/tracing"
)

// App is what a plugin adds its consumers to.
type App = cmd.App

// Option is one part of a program: [Builtin] or [Plugin].
type Option = cmd.Option

// Producer sends events: Publish(ctx, messages.OrderShipped, event).
type Producer = producer.Producer

// Main runs the command line of a program with these parts and ends the process with its exit status.
func Main(options ...Option) { os.Exit(cmd.Main(os.Args[1:], options...)) }

// Builtin adds the built-in consumers, but those that are left out.
func Builtin(options ...cmd.BuiltinOption) Option { return cmd.Builtin(options...) }

// Without leaves built-in consumers out.
func Without(names ...string) cmd.BuiltinOption { return cmd.Without(names...) }

// Directory says where people are reached, in place of notification.directory of the settings.
func Directory(find notification.Directory) cmd.BuiltinOption { return cmd.Directory(find) }

// Plugin adds what register declares.
func Plugin(register func(app *App) error) Option { return cmd.Plugin(register) }

// ProducerSettings is where and how a producer without a router sends. Only Brokers is needed.
type ProducerSettings struct {
	// Brokers are host:port addresses.
	Brokers []string
	// Kafka are the further settings of the connection; its zero value means their defaults, which are the safe ones.
	Kafka config.Kafka
	// Producer has topic names, type ids and the source.
	Producer producer.Settings
	// Logger gets what could not be sent, without the event. Default: slog's default logger.
	Logger *slog.Logger
	// Tracer gives each sending a span, and each record the traceparent header that continues it. Default: neither.
	Tracer trace.TracerProvider
}

// NewProducer makes a producer. It connects at the first event.
func NewProducer(settings ProducerSettings) *Producer {
	if settings.Logger == nil {
		settings.Logger = slog.Default()
	}
	settings.Kafka.Brokers = append(slices.Clone(settings.Kafka.Brokers), settings.Brokers...)
	// The only safe value, which a zero Kafka does not have.
	settings.Kafka.Producer.Idempotent = true
	if settings.Tracer != nil {
		settings.Producer.Trace = tracing.Over(settings.Tracer).Send
	}
	settings.Producer.Open = func() (producer.Sender, error) { return kafka.NewPublisher(settings.Kafka, settings.Logger) }
	return producer.New(settings.Producer)
}
