package cmd

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"runtime/debug"
	"slices"
	"sync"
	"time"

	"github.com/ThreeDotsLabs/watermill/message"

	"github.com/prantikov/millrace/config"
	"github.com/prantikov/millrace/deadletter"
	"github.com/prantikov/millrace/kafka"
	"github.com/prantikov/millrace/observe"
	"github.com/prantikov/millrace/privacy"
	"github.com/prantikov/millrace/router"
	"github.com/prantikov/millrace/store"
	"github.com/prantikov/millrace/tracing"
)

// service is the consumers at work: what run and demo have in common.
type service struct {
	*session
	metrics *observe.Metrics
	health  *observe.Health
	alarms  *observe.Alarms
	holds   holds

	letters letterPublisher
	reader  *kafka.Reader
	memory  *kafka.Memory
	router  *router.Router
	members []*member
	ran     chan error
	// storeInfo is the store's file as it was opened, nil for a database elsewhere; gone gets the reason when it is no longer there.
	storeInfo os.FileInfo
	gone      chan error
	// endTracing exports the last spans.
	endTracing func()
	// watch sees how every record of every consumer ends; nil when nobody looks.
	watch func(consumer string) watcher
}

// member is one consumer with its end of Kafka.
type member struct {
	consumer *router.Consumer
	settings config.Consumer
	// topics are all that it reads, redrive is the one of them on which its dead letters come back.
	topics     []string
	redrive    string
	together   bool
	subscriber message.Subscriber
}

// start opens everything in the order in which a record meets it, last part first, and returns when every consumer is subscribed.
// What was opened is closed by stop, also after an error.
func (s *service) start(ctx context.Context, only []string) error {
	if err := s.openEffects(ctx); err != nil {
		return err
	}
	if err := s.openKafka(ctx, only); err != nil {
		return err
	}
	if err := s.addConsumers(ctx, only); err != nil {
		return err
	}
	s.ran = make(chan error, 1)
	go func() { s.ran <- s.router.Run(ctx) }()
	select {
	case <-s.router.Running():
		s.subscribed()
		return nil
	case err := <-s.ran:
		s.ran <- nil
		return fmt.Errorf("subscribing the consumers: %w", err)
	case <-ctx.Done():
		return nil
	}
}

// subscribed tells health of the consumers whose subscriber does not say by itself when it has joined its group.
func (s *service) subscribed() {
	for _, m := range s.members {
		if _, ok := m.subscriber.(positioned); !ok {
			s.health.Joined(m.consumer.Name(), true)
		}
	}
}

// openEffects opens where the built-in consumers and the plugins write.
func (s *service) openEffects(ctx context.Context) (err error) {
	if s.pseudonyms, err = privacy.Open(s.settings.Privacy.KeyFile); err != nil {
		return err
	}
	if s.store, err = store.Open(ctx, s.storePlace(), s.logger, store.By(currentBuild().program)); err != nil {
		return err
	}
	if s.sharedStore() {
		s.instance, err = instanceOf(s.settings.DataDir)
	} else {
		s.storeInfo, err = os.Stat(s.storeFile())
	}
	if err != nil {
		return fmt.Errorf("opening the store: %w", err)
	}
	if err := s.store.CutFiles(ctx, s.instance, s.settings.DataDir); err != nil {
		return err
	}
	if err := s.openNotification(); err != nil {
		return err
	}
	s.gone = make(chan error, 1)
	for _, plugin := range s.app.migrations {
		if err := s.store.Migrate(ctx, plugin.name, plugin.files); err != nil {
			return err
		}
	}
	s.metrics = observe.NewMetrics(Version())
	if s.endTracing, err = s.openTracing(ctx, func(end tracing.End, spans int) { s.metrics.Spans(string(end), spans) }); err != nil {
		return err
	}
	s.alarms = observe.NewAlarms(s.logger, s.metrics)
	s.health = observe.NewHealth(observe.HealthSettings{LongestTry: s.longestTry()})
	s.metrics.Show(s.health)
	s.firstSeen = func(consumer, topic string) { s.consumerMetrics(consumer, topic).FirstSeen() }
	s.storeAlarm = s.tellStoreAlarm
	s.notified, s.sent = s.metrics.Notified, s.countSent
	s.transitionAccepted = func(consumer, topic string) { s.consumerMetrics(consumer, topic).TransitionAccepted() }
	return nil
}

func (s *service) tellStoreAlarm(a store.Alarm) {
	if a.On {
		s.alarms.Begin(a.Kind, a.Consumer, a.Topic, a.Partition, "a commit was refused: another member has taken the partition")
	} else {
		s.alarms.End(a.Kind, a.Consumer, a.Topic, a.Partition)
	}
}

func (s *service) consumerMetrics(consumer, topic string) *observe.ConsumerMetrics {
	return s.metrics.Consumer(consumer, s.settings.Consumer(consumer).Group, topic)
}

// longestTry is the longest that any consumer's record may take by its settings.
func (s *service) longestTry() time.Duration {
	longest := time.Duration(0)
	for _, consumer := range s.app.consumers {
		settings := s.settings.Consumer(consumer.Name())
		longest = max(longest, settings.Timeout+settings.Retry.MaxElapsed)
	}
	return longest
}

// openKafka sees to it that these consumers (all when there is none) have their rights and that the topics are there, and opens what writes.
func (s *service) openKafka(ctx context.Context, only []string) (err error) {
	if s.reader, err = kafka.NewReader(ctx, s.settings.Kafka); err != nil {
		return err
	}
	if err := s.reader.Check(ctx, s.neededAtStart(only)); err != nil {
		return err
	}
	if err := s.createTopics(ctx, only); err != nil {
		return err
	}
	if err := s.recogniseTopics(ctx); err != nil {
		return err
	}
	letters, err := s.openLetters()
	if err != nil {
		return err
	}
	s.letters = countedLetters{letters, s.countSent}
	s.router, err = router.New(s.routerSettings(), observe.Watermill(s.logger))
	if err == nil {
		s.router.Use(s.app.middleware...)
	}
	return err
}

// letterPublisher is where dead letters go.
type letterPublisher interface {
	deadletter.Publisher
	Close() error
}

// openLetters connects the engine's publisher for dead letters.
func (s *service) openLetters() (letterPublisher, error) {
	if s.settings.Kafka.Engine == "watermill" {
		return kafka.NewWatermillLetters(s.settings.Kafka, nil)
	}
	// Its errors are an alarm of the router, so they are no lines of their own.
	return kafka.NewDeadLetterPublisher(s.settings.Kafka, slog.New(slog.DiscardHandler))
}

// recogniseTopics tells the store which topics these are, so that the progress of others of the same name is not taken for theirs.
func (s *service) recogniseTopics(ctx context.Context) error {
	var topics []string
	for _, declared := range s.app.types() {
		topics = append(topics, s.topicName(declared.Topic()))
	}
	for _, redrive := range s.redriveTopics() {
		topics = append(topics, redrive.Name)
	}
	ids, err := s.reader.TopicIDs(ctx, topics)
	if err != nil {
		return err
	}
	return s.store.Recognise(ctx, ids)
}

func (s *service) routerSettings() router.Settings {
	settings := router.Settings{
		Topics: s.routedTopics(), Types: s.app.types(), Logger: s.logger, Observe: s.observer,
		Limits:       s.limits(),
		CloseTimeout: s.settings.Kafka.CloseTimeout,
		DeadLetters:  deadletter.NewWriter(s.letters, s.settings.DeadLetters.Suffix),
	}
	if s.tracing != nil {
		settings.Trace, settings.DeadLetters = s.tracing.Process, s.tracing.DeadLetters(settings.DeadLetters, s.settings.DeadLetters.Suffix)
	}
	return settings
}

// addConsumers gives each enabled consumer its member of its group.
func (s *service) addConsumers(ctx context.Context, only []string) error {
	s.memory = kafka.NewMemory(int64(s.settings.Kafka.Memory))
	for _, name := range only {
		if !slices.Contains(s.app.names(), name) {
			return usage("no consumer is named %q: there are %v", name, s.app.names())
		}
	}
	for _, consumer := range s.app.consumers {
		settings := s.settings.Consumer(consumer.Name())
		if !settings.Enabled || (len(only) > 0 && !slices.Contains(only, consumer.Name())) {
			continue
		}
		if err := s.addConsumer(consumer, settings); err != nil {
			return err
		}
	}
	if len(s.members) == 0 {
		return usage("no consumer is enabled (consumers.<name>.enabled, --consumers)")
	}
	return s.shareMemory(ctx)
}

// shareMemory tells the memory how many partitions it is for, and the garbage collector how much there is: twice the budget
// and room for the rest of the program. Below that it may collect half as often as it would, which is a
// twentieth of the processor time. GOMEMLIMIT and GOGC, where they are set, are left alone.
func (s *service) shareMemory(ctx context.Context) error {
	total := 0
	for _, m := range s.members {
		for _, topic := range m.topics {
			partitions, err := s.reader.Partitions(ctx, topic)
			if err != nil {
				return err
			}
			total += len(partitions)
		}
	}
	s.memory.Expect(total)
	if os.Getenv("GOMEMLIMIT") == "" {
		const rest = 128 << 20
		debug.SetMemoryLimit(2*int64(s.settings.Kafka.Memory) + rest)
	}
	collectLess()
	return nil
}

// collectLess lets the garbage collector collect half as often as it would, unless GOGC says otherwise.
func collectLess() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(200)
	}
}

func (s *service) addConsumer(consumer *router.Consumer, settings config.Consumer) error {
	tries := consumerSettings(consumer, settings)
	tries.Redrive = s.settings.RedriveTopic(consumer.Name())
	topics, err := s.router.Topics(consumer, tries)
	if err != nil {
		return err
	}
	m := &member{consumer: consumer, settings: settings, topics: topics, redrive: tries.Redrive, together: tries.Together}
	if m.subscriber, err = s.subscriber(m); err != nil {
		return fmt.Errorf("consumer %q: %w", consumer.Name(), err)
	}
	s.members = append(s.members, m)
	s.health.Expect(consumer.Name(), settings.Group)
	return s.router.Add(consumer, tries, m.subscriber)
}

// subscriber opens a consumer's end of Kafka with the engine of the settings.
func (s *service) subscriber(m *member) (message.Subscriber, error) {
	start, err := kafka.ParseStart(m.settings.Start)
	if err != nil {
		return nil, err
	}
	starts := map[string]kafka.Start{}
	for _, topic := range m.topics {
		starts[topic] = start
	}
	// Whatever is there was given back to this consumer, also while it was away.
	starts[m.redrive] = kafka.Earliest()
	lasting, err := s.lastingName()
	if err != nil {
		return nil, err
	}
	settings := kafka.SubscriberSettings{
		Kafka: s.settings.Kafka, Group: m.settings.Group, Instance: memberName(lasting, m.consumer.Name()), Topics: m.topics, Starts: starts,
		// SQLite is one process's.
		Exclusive: m.consumer.Stored() && !s.sharedStore(),
		Undecided: s.undecided(m),
		// A unit of work is a batch.
		Serial: m.consumer.Durable(), Together: m.together, Concurrency: m.settings.Concurrency, Memory: s.memory,
		Logger: s.logger.With("consumer", m.consumer.Name()), Hooks: s.hooks(m),
	}
	if m.consumer.Stored() {
		// What the store knows of a topic is of no use once it was made anew, also while we run.
		settings.Recognise, settings.Resume = s.store.Recognise, s.goOn(m)
	}
	if s.settings.Kafka.Engine == "watermill" {
		return kafka.NewWatermillSubscriber(settings)
	}
	return kafka.NewSubscriber(settings)
}

func consumerSettings(consumer *router.Consumer, settings config.Consumer) router.ConsumerSettings {
	together := settings.Ordering == "partition" || settings.Ordering == config.OrderingDeclared && consumer.Together()
	return router.ConsumerSettings{
		Concurrency: settings.Concurrency, Together: together,
		UnknownAction: policy(settings.UnknownAction), UnknownStatus: policy(settings.UnknownStatus), Tombstone: policy(settings.Tombstone),
		Group: settings.Group, Topics: settings.Topics, Timeout: settings.Timeout,
		Retry: router.RetrySettings{
			Tries: settings.Retry.Tries, InitialInterval: settings.Retry.InitialInterval, MaxInterval: settings.Retry.MaxInterval,
			MaxElapsed: settings.Retry.MaxElapsed, Jitter: settings.Retry.Jitter,
		},
	}
}

// policy is a consumer's own policy, empty where it leaves it to the topic.
func policy(setting string) router.Policy {
	if setting == config.PolicyOfTopic {
		return ""
	}
	return router.Policy(setting)
}

// leaveForGood makes the coming stop leave the groups also where this process has a lasting name: it ends by itself, nobody starts it again.
func (s *service) leaveForGood() {
	for _, m := range s.members {
		if leaving, ok := m.subscriber.(interface{ LeaveForGood() }); ok {
			leaving.LeaveForGood()
		}
	}
}

// failures are why consumers ended by themselves.
func (s *service) failures() error {
	var errs []error
	for _, m := range s.members {
		if err := m.failure(); err != nil {
			errs = append(errs, fmt.Errorf("consumer %q: %w", m.consumer.Name(), err))
		}
	}
	return errors.Join(errs...)
}

// failure is why the consumer ended by itself, or nil while it has not.
func (m *member) failure() error {
	ended, ok := m.subscriber.(interface{ Err() error })
	if !ok {
		return nil
	}
	err := ended.Err()
	if errors.Is(err, kafka.ErrNotAlone) {
		return fmt.Errorf("its progress and effects are in SQLite, which is one process's, so only one process may run it (with store.dsn=postgres://… several may): %w", err)
	}
	return err
}

// afterDrain is what a stop may take beyond the drain: with the default drain of 20 s it ends within the 30 s that Kubernetes gives.
const afterDrain = 5 * time.Second

// stop lets work in flight end, commits, closes everything, and exports the last spans. Brokers that hang do not keep it: what they were not told is delivered again,
// and what the store has of that is not repeated.
func (s *service) stop() error {
	if s.endTracing != nil {
		defer s.endTracing()
	}
	stopped := make(chan error, 1)
	go func() { stopped <- s.close() }()
	limit := s.settings.Kafka.DrainTimeout + afterDrain
	select {
	case err := <-stopped:
		return err
	case <-time.After(limit):
		return fmt.Errorf("stopping took longer than %s, giving up on the brokers: what was finished since the last commit is delivered again", limit)
	}
}

// close closes everything in the order in which a record meets it.
func (s *service) close() error {
	var errs []error
	if s.router != nil && s.ran != nil {
		errs = append(errs, s.router.Close(), <-s.ran)
	}
	var closing sync.WaitGroup
	for _, m := range s.members {
		closing.Go(func() { _ = m.subscriber.Close() })
	}
	closing.Wait()
	if s.letters != nil {
		errs = append(errs, s.letters.Close())
	}
	if s.reader != nil {
		errs = append(errs, s.reader.Close())
	}
	s.news.Close()
	if s.store != nil {
		errs = append(errs, s.store.Close())
	}
	errs = append(errs, s.app.producer.Close())
	return errors.Join(errs...)
}

// topicSettings is the settings with the topics of every consumer's types in them, plugins' included.
func (s *session) topicSettings() config.Settings {
	settings := s.settings
	settings.Topics = map[string]config.Topic{}
	for _, declared := range s.app.types() {
		settings.Topics[declared.Topic()] = s.settings.Topic(declared.Topic())
	}
	return settings
}
