package cmd

import (
	"context"
	"errors"
	"log/slog"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/prantikov/millrace/config"
	"github.com/prantikov/millrace/handlers"
	"github.com/prantikov/millrace/handlers/notification"
	"github.com/prantikov/millrace/kafka"
	"github.com/prantikov/millrace/kafka/security"
	"github.com/prantikov/millrace/messages"
	"github.com/prantikov/millrace/observe"
	"github.com/prantikov/millrace/privacy"
	"github.com/prantikov/millrace/producer"
	"github.com/prantikov/millrace/router"
	"github.com/prantikov/millrace/store"
	"github.com/prantikov/millrace/tracing"
)

// session is one command with its configuration read and its plugins registered. Nothing is connected yet.
type session struct {
	program  *Program
	loaded   *config.Loaded
	settings config.Settings
	logger   *slog.Logger
	app      *App
	// store and pseudonyms are there once a command that runs consumers has opened them.
	store      *store.Store
	pseudonyms *privacy.Pseudonyms
	// instance names the data directory among those of other processes that share the store; empty for a store of its own.
	instance string
	// firstSeen and transitionAccepted are told by the domain consumers once they run.
	firstSeen, transitionAccepted func(consumer, topic string)
	// notified is told how each notification ended once consumers run.
	notified func(audience, channel, outcome string)
	// sent is told of each record that was sent, or could not be, once consumers run.
	sent func(topic string, err error)
	// news is the function of the consumer notification.
	news *notification.Notifier
	// storeAlarm is told by the store once consumers run.
	storeAlarm func(store.Alarm)
	// tracing is nil unless tracing.enabled says so.
	tracing *tracing.Tracing
	// plugins are the names of the sections that plugins read.
	plugins []string
}

// flagPaths are the settings that have a flag of their own.
var flagPaths = map[string]string{
	"config": "config", "profile": "profile", "brokers": "kafka.brokers", "data-dir": "data_dir", "http-address": "http.address",
	"metrics-address": "metrics.address", "dev": "dev", "wait": "kafka.wait",
}

func addGlobalFlags(flags *pflag.FlagSet) {
	flags.String("config", "", "configuration `file`, also a Spring one (MILLRACE_CONFIG)")
	flags.String("profile", "", "profile `NAME`, laid over the file: config.NAME.yaml, application-NAME.properties (MILLRACE_PROFILE)")
	flags.String("brokers", "", "Kafka brokers, `HOST:PORT,…` (MILLRACE_KAFKA_BROKERS)")
	flags.String("data-dir", "", "`directory` of everything that is kept (MILLRACE_DATA_DIR, default ./data)")
	flags.String("http-address", "", "`HOST:PORT` of metrics and health on this machine (MILLRACE_HTTP_ADDRESS, default 127.0.0.1:7070)")
	flags.String("metrics-address", "", "`HOST:PORT` of metrics and health for others (MILLRACE_METRICS_ADDRESS, default none but --http-address)")
	flags.Bool("dev", false, "use the embedded broker in the data directory: for trying and developing (MILLRACE_DEV)")
}

// open reads the configuration and registers everything. Every mistake is in the error, those in the files that it names too.
func (p *Program) open(c *cobra.Command) (*session, error) {
	s, err := p.read(c)
	warnings, wrong := s.checkFiles()
	if err := errors.Join(err, wrong); err != nil {
		return nil, err
	}
	s.warn(warnings)
	return s, nil
}

// openAside is open for who asks no broker, and so needs no certificate and no token.
func (p *Program) openAside(c *cobra.Command) (*session, error) {
	s, err := p.read(c)
	if err != nil {
		return nil, err
	}
	s.warn(nil)
	return s, nil
}

// warn logs what is unwise in the configuration, and the warnings.
func (s *session) warn(warnings []string) {
	for _, warning := range slices.Concat(s.loaded.Warnings, warnings) {
		s.logger.Warn(warning)
	}
}

// checkFiles reads the certificates that the settings name. The error joins all mistakes. There is nothing to check where nothing was read.
func (s *session) checkFiles() (warnings []string, err error) {
	if s == nil || s.loaded == nil || s.settings.Dev {
		return nil, nil
	}
	mistakes, warnings := security.Check(s.settings.Kafka, time.Now())
	all := make([]error, len(mistakes))
	for i, mistake := range mistakes {
		if origin, found := s.loaded.Origins[mistake.Path]; found {
			mistake.Origin = origin.String()
		}
		all[i] = mistake
	}
	return warnings, errors.Join(all...)
}

// read reads the configuration twice: plugins need theirs before they can say which consumers there are. With mistakes in it, the session
// is there beside the error, to show what was read: it is not to be worked with. It is nil when nothing could be read.
func (p *Program) read(c *cobra.Command) (*session, error) {
	s := &session{program: p, sent: func(string, error) {}}
	s.app = &App{logger: slog.New(slog.DiscardHandler)}
	first, wrong := config.Load(p.sources(c))
	if first == nil {
		return nil, wrong
	}
	s.loaded, s.settings = first, first.Settings
	var err error
	logs := p.logs
	if logs == nil {
		logs = p.errout
	}
	if s.logger, err = observe.Logger(logs, first.Settings.Log.Level, first.Settings.Log.Format, isTerminal(logs)); err != nil {
		s.logger = slog.New(slog.DiscardHandler)
	}
	if err := s.register(first); err != nil {
		return s, errors.Join(wrong, err)
	}
	return s, s.load(first)
}

func (p *Program) sources(c *cobra.Command) config.Sources {
	given := map[string]string{}
	c.Flags().Visit(func(flag *pflag.Flag) {
		if path := flagPaths[flag.Name]; path != "" {
			given[path] = flag.Value.String()
		}
	})
	sources := config.Sources{Environ: p.environment, Flags: given, Partial: true}
	for _, declared := range messages.Types() {
		sources.TopicNames = append(sources.TopicNames, declared.Topic())
	}
	return sources
}

// register builds the app: the built-in consumers and the plugins.
func (s *session) register(first *config.Loaded) error {
	database, err := store.Reading(s.storePlace())
	if err != nil {
		return err
	}
	s.app = &App{
		section:  func(name string, into any) error { return s.section(first, name, into) },
		producer: producer.New(s.producerSettings()),
		database: database,
		logger:   s.logger,
		storage: handlers.Storage{
			Store: func() *store.Store { return s.store }, Alarm: func(a store.Alarm) { s.storeAlarm(a) }, Instance: func() string { return s.instance },
		},
	}
	zone, err := time.LoadLocation(s.settings.Analytics.TimeZone)
	if err != nil {
		// The full configuration is checked after this and names the mistake.
		zone = time.UTC
	}
	s.news = s.notifier()
	builtin, err := handlers.Consumers(handlers.Dependencies{
		Notification:       s.news,
		Store:              s.app.storage.Store,
		Alarm:              s.app.storage.Alarm,
		Instance:           s.app.storage.Instance,
		DataDir:            s.settings.DataDir,
		Pseudonym:          func(patient string) string { return s.pseudonyms.Of(patient) },
		Zone:               zone,
		AcceptTransition:   s.acceptsTransition,
		FirstSeen:          func(consumer, topic string) { s.firstSeen(consumer, topic) },
		TransitionAccepted: func(consumer, topic string) { s.transitionAccepted(consumer, topic) },
	})
	if err != nil {
		return err
	}
	return s.program.register(s.app, builtin)
}

// acceptsTransition says whether a status that cannot follow the present one is let pass: the consumer's policy, or the topic's.
func (s *session) acceptsTransition(consumer string, declared messages.Type) bool {
	policy := s.settings.Consumer(consumer).Transitions
	if policy == config.PolicyOfTopic {
		policy = s.settings.Topic(declared.Topic()).Transitions
	}
	return policy == "accept"
}

// section reads a plugin's section and remembers its name: until all plugins have spoken, sections of others are no mistake.
func (s *session) section(loaded *config.Loaded, name string, into any) error {
	s.plugins = append(s.plugins, name)
	return loaded.Plugin(name, into)
}

// load reads the configuration for good, now that all names are known. After a mistake the session has what could be read, to be shown.
func (s *session) load(first *config.Loaded) (err error) {
	var topics []string
	for _, declared := range s.app.types() {
		topics = append(topics, declared.Topic())
	}
	slices.Sort(s.plugins)
	s.loaded, err = first.Complete(s.app.names(), topics, slices.Compact(s.plugins))
	if s.loaded != nil {
		s.settings = s.loaded.Settings
	}
	return err
}

// producerSettings is asked for the topics' names when it sends, for a plugin's own types are known later.
func (s *session) producerSettings() producer.Settings {
	return producer.Settings{
		TopicName: s.topicName,
		ByPatient: func(own string) bool { return s.settings.Topic(own).KeyRule == string(router.KeyPatient) },
		Open:      s.openSender,
		Trace:     s.traceSend,
	}
}

// openSender connects what the producer sends with.
func (s *session) openSender() (producer.Sender, error) {
	publisher, err := kafka.NewPublisher(s.settings.Kafka, s.logger)
	if err != nil {
		return nil, err
	}
	return countedSender{publisher, func(topic string, err error) { s.sent(topic, err) }}, nil
}

// sharedStore says whether the store is a database that other processes write to as well.
func (s *session) sharedStore() bool { return s.settings.Store.DSN.IsSet() }

// storePlace is where the store is, as store.Open takes it. It has a password in it.
func (s *session) storePlace() string {
	if s.sharedStore() {
		return s.settings.Store.DSN.Reveal()
	}
	return s.storeFile()
}

func (s *session) storeFile() string           { return filepath.Join(s.settings.DataDir, "store.db") }
func (s *session) brokerDir() string           { return filepath.Join(s.settings.DataDir, "broker") }
func (s *session) topicName(own string) string { return s.settings.Topic(own).Name }

// errNoBrokers: a server that lost its setting must not look healthy on a broker of its own.
func errNoBrokers() error {
	return usage("no brokers: name them with --brokers (MILLRACE_KAFKA_BROKERS, kafka.brokers), or try the embedded broker with --dev")
}

// isSet says whether a setting has another origin than its default.
func (s *session) isSet(path string) bool {
	return s.loaded.Origins[path].Source != config.SourceDefault
}

// waitForBrokers waits for kafka.wait, and says so when it does not end at once.
func (s *session) waitForBrokers(ctx context.Context) error {
	said := time.AfterFunc(2*time.Second, func() {
		s.logger.Warn("no broker answers yet, waiting", "brokers", strings.Join(s.settings.Kafka.Brokers, ","), "at_most", s.settings.Kafka.Wait)
	})
	defer said.Stop()
	return kafka.Wait(ctx, s.settings.Kafka)
}

// connect sees to it that there are brokers: those of the settings, waited for, or with --dev the embedded one, found or started for as
// long as the command runs. The function that it returns gives back what was started.
func (s *session) connect(ctx context.Context) (func(), error) {
	if !s.settings.Dev {
		if len(s.settings.Kafka.Brokers) == 0 {
			return nil, errNoBrokers()
		}
		return func() {}, s.waitForBrokers(ctx)
	}
	if err := makeDataDir(s.settings.DataDir); err != nil {
		return nil, err
	}
	address, end, err := kafka.OpenEmbedded(ctx, s.brokerDir(), kafka.EmbeddedOptions{Logger: s.logger})
	if err != nil {
		return nil, err
	}
	s.settings.Kafka.Brokers = []string{address}
	s.settings.Kafka.Security, s.settings.Kafka.TLS, s.settings.Kafka.SASL = config.Security{}, config.TLS{}, config.SASL{}
	s.logger.Info("using the embedded broker: for trying and developing, not for production", "address", address, "directory", s.brokerDir())
	return func() {
		if err := end(); err != nil {
			s.logger.Error("closing the embedded broker", "error", err)
		}
	}, nil
}
