package cmd

import (
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"slices"

	"github.com/ThreeDotsLabs/watermill/message"

	"github.com/prantikov/millrace/handlers"
	"github.com/prantikov/millrace/handlers/notification"
	"github.com/prantikov/millrace/messages"
	"github.com/prantikov/millrace/producer"
	"github.com/prantikov/millrace/router"
)

// App is what a plugin adds its consumers to. It is built anew for each command, also for those that only list the routes, so a plugin
// must not begin work by itself: its functions are called when records arrive.
type App struct {
	consumers  []*router.Consumer
	middleware []message.HandlerMiddleware
	migrations []migration
	published  []messages.Type
	section    func(name string, into any) error
	producer   *producer.Producer
	database   *sql.DB
	logger     *slog.Logger
	storage    handlers.Storage
}

// Durable gives a consumer of this name durable effects: what its functions write through store.Tx is committed together with the
// consumer's progress, so that a record that is delivered again is not handled again. Its functions wait for nothing outside. A test of
// such a consumer without a program uses handlers.Durable.
func (a *App) Durable(consumer string) router.Option { return handlers.Durable(a.storage, consumer) }

// Files gives a consumer of this name a folder of files: the lines that its functions write through store.Lines are committed together with the
// consumer's progress, so that a record that is delivered again adds none, and a crash leaves none behind. The folder is made where it is missing,
// and only this consumer writes there. A test of such a consumer without a program uses handlers.Files.
func (a *App) Files(consumer, folder string) router.Option {
	return handlers.Files(a.storage, consumer, folder)
}

// migration is a plugin's own tables.
type migration struct {
	name  string
	files fs.FS
}

// Consume declares a consumer: its name is its consumer group and its name everywhere it shows. The options are routes, and what else
// package router offers for a consumer. Every mistake of wiring is returned at once.
func (a *App) Consume(name string, options ...router.Option) error {
	consumer, err := router.Consume(name, options...)
	if err != nil {
		return err
	}
	return a.add(consumer)
}

func (a *App) add(consumer *router.Consumer) error {
	if slices.ContainsFunc(a.consumers, func(c *router.Consumer) bool { return c.Name() == consumer.Name() }) {
		return fmt.Errorf("consumer %q is declared twice", consumer.Name())
	}
	a.consumers = append(a.consumers, consumer)
	return nil
}

// Use adds Watermill middleware to the chain of every consumer. It sees each try of each record, and its errors are tried again like
// those of a function.
func (a *App) Use(middleware ...message.HandlerMiddleware) {
	a.middleware = append(a.middleware, middleware...)
}

// Settings fills into, a pointer to a struct with koanf tags, from the section plugins.NAME of the configuration: file, profile,
// environment (MILLRACE_PLUGINS_NAME_…). What into holds before is the default. A key that the struct does not have is an error, and
// so is what a method Validate() error of it returns.
func (a *App) Settings(name string, into any) error { return a.section(name, into) }

// Migrate brings a plugin's own tables up to date before the first record arrives: files holds goose migrations (00001_name.sql). A
// function reaches the tables with store.Tx, in the transaction that also records its progress.
func (a *App) Migrate(name string, files fs.FS) {
	a.migrations = append(a.migrations, migration{name, files})
}

// Publishes declares types that the program publishes and no consumer of it takes: their topics are created, and can be configured, too.
func (a *App) Publishes(types ...messages.Type) { a.published = append(a.published, types...) }

// Producer sends events, with the settings of this program. It connects at the first event.
func (a *App) Producer() *producer.Producer { return a.producer }

// DB reads the store. What is written through it is refused: functions write through store.Tx.
func (a *App) DB() *sql.DB { return a.database }

// Logger is the program's logger. What it is given must not name a patient.
func (a *App) Logger() *slog.Logger { return a.logger }

// types returns our own types, those of all consumers' routes and those that are published, each once.
func (a *App) types() []messages.Type {
	declared := slices.Concat(messages.Types(), a.published)
	for _, consumer := range a.consumers {
		declared = append(declared, consumer.Types()...)
	}
	var types []messages.Type
	for _, one := range declared {
		if !slices.ContainsFunc(types, func(t messages.Type) bool { return t.Topic() == one.Topic() }) {
			types = append(types, one)
		}
	}
	return types
}

// names returns the consumers' names in the order of their declaration.
func (a *App) names() []string {
	names := make([]string, len(a.consumers))
	for i, consumer := range a.consumers {
		names[i] = consumer.Name()
	}
	return names
}

// Option is one part of a program: the built-in consumers, or a plugin.
type Option func(*Program)

// Plugin adds what register declares.
func Plugin(register func(*App) error) Option {
	return func(p *Program) { p.plugins = append(p.plugins, register) }
}

// Builtin adds the built-in consumers.
func Builtin(options ...BuiltinOption) Option {
	return func(p *Program) {
		p.builtin = true
		for _, option := range options {
			option(p)
		}
	}
}

// BuiltinOption changes which built-in consumers a program has.
type BuiltinOption func(*Program)

// Without leaves built-in consumers out. A name that none has is an error at start.
func Without(names ...string) BuiltinOption {
	return func(p *Program) { p.without = append(p.without, names...) }
}

// Directory says where people are reached, in place of notification.directory: for a team that has that in a database or a service of its own.
func Directory(find notification.Directory) BuiltinOption {
	return func(p *Program) { p.directory = find }
}

// register declares everything of the program.
func (p *Program) register(app *App, builtin []*router.Consumer) error {
	var mistakes []error
	for _, name := range p.without {
		if !slices.ContainsFunc(builtin, func(c *router.Consumer) bool { return c.Name() == name }) {
			mistakes = append(mistakes, fmt.Errorf("leaving out %q: no built-in consumer has this name", name))
		}
	}
	for _, consumer := range builtin {
		if p.builtin && !slices.Contains(p.without, consumer.Name()) {
			mistakes = append(mistakes, app.add(consumer))
		}
	}
	for _, plugin := range p.plugins {
		mistakes = append(mistakes, plugin(app))
	}
	return errors.Join(mistakes...)
}
