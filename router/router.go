package router

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/ThreeDotsLabs/watermill"
	"github.com/ThreeDotsLabs/watermill/message"
)

// BatchSubscriber is a Watermill subscriber that can also hand over records in batches: each message's context carries a
// record.Batch, and the message is acked when the batch was walked.
type BatchSubscriber interface {
	message.Subscriber
	SubscribeBatches(ctx context.Context, topic string) (<-chan *message.Message, error)
}

// batchFace is the batch face of a subscriber as Watermill's router wants to see it.
type batchFace struct{ BatchSubscriber }

func (f batchFace) Subscribe(ctx context.Context, topic string) (<-chan *message.Message, error) {
	return f.SubscribeBatches(ctx, topic)
}

// Router runs consumers on Watermill's router. Make one with [New]; add all consumers before Run.
type Router struct {
	settings Settings
	router   *message.Router
	use      []message.HandlerMiddleware
	names    []string
	groups   map[string]string
	lookout  *lookout
	// concurrent is by consumer.
	concurrent map[string]concurrent
}

// concurrent is what goes side by side for one consumer, and the subscriber that has to know how much that is.
type concurrent struct {
	pool       *pool
	subscriber message.Subscriber
	// inline is why the consumer's records do not go side by side; empty when they do.
	inline string
}

// New makes a router. The logger adapter is what Watermill itself logs to; it must not print whole messages.
func New(settings Settings, adapter watermill.LoggerAdapter) (*Router, error) {
	settings = settings.withDefaults()
	if settings.DeadLetters == nil {
		return nil, errors.New("making the router: no dead letters to write to")
	}
	inner, err := message.NewRouter(message.RouterConfig{CloseTimeout: settings.CloseTimeout}, adapter)
	if err != nil {
		return nil, fmt.Errorf("making Watermill's router: %w", err)
	}
	return &Router{
		settings: settings, router: inner, groups: map[string]string{}, lookout: &lookout{}, concurrent: map[string]concurrent{},
	}, nil
}

// Use adds a Watermill middleware to the chain of every consumer that is added after it: between Retry and the timeout, so that it sees
// each try and its errors are tried again.
func (r *Router) Use(middleware ...message.HandlerMiddleware) {
	r.use = append(r.use, middleware...)
}

// Add gives a consumer its handlers, one per topic, on this subscriber. It returns an error when the consumer or its group is there
// already: two consumers with one group would share the topic instead of each getting all of it.
func (r *Router) Add(consumer *Consumer, settings ConsumerSettings, subscriber message.Subscriber) error {
	settings = settings.withDefaults(consumer.name)
	if slices.Contains(r.names, consumer.name) {
		return fmt.Errorf("consumer %q is declared twice", consumer.name)
	}
	if other, taken := r.groups[settings.Group]; taken {
		return fmt.Errorf("consumers %q and %q have one group, %q: they would share the topics instead of each getting all of them", other, consumer.name, settings.Group)
	}
	handlers, err := r.handlers(consumer, settings)
	if err != nil {
		return err
	}
	r.names, r.groups[settings.Group] = append(r.names, consumer.name), consumer.name
	beside := concurrent{pool: handlers[0].pool, subscriber: subscriber}
	switch {
	case consumer.Durable():
		beside.inline = "it has a unit of work, so its records are handled one after another"
	case settings.Together:
		beside.inline = "its ordering is partition, so its records are handled one after another"
	}
	r.concurrent[consumer.name] = beside
	beside.tell(settings.Concurrency)
	if batches, ok := subscriber.(BatchSubscriber); ok {
		subscriber = batchFace{batches}
	}
	for _, h := range handlers {
		r.router.AddConsumerHandler(consumer.name+"/"+h.name.Topic, h.name.Topic, subscriber, h.handle)
	}
	return nil
}

// handlers makes a consumer's handlers, one per topic, and one for what comes back from dead letters.
func (r *Router) handlers(consumer *Consumer, settings ConsumerSettings) ([]*handler, error) {
	var handlers []*handler
	workers, measured := newPool(settings.Concurrency, r.lookout), newPace()
	for _, declared := range consumer.Types() {
		if len(settings.Topics) > 0 && !slices.Contains(settings.Topics, declared.Topic()) {
			continue
		}
		table, err := consumer.table(declared)
		if err != nil {
			return nil, err
		}
		topic := r.settings.Topics[declared.Topic()]
		topic.Name = cmp.Or(topic.Name, declared.Topic())
		topic.UnknownAction = cmp.Or(settings.UnknownAction, topic.UnknownAction)
		topic.UnknownStatus = cmp.Or(settings.UnknownStatus, topic.UnknownStatus)
		topic.Tombstone = cmp.Or(settings.Tombstone, topic.Tombstone)
		h := r.handler(consumer, settings, topic.Name)
		h.declared, h.table, h.topic, h.pool, h.pace = declared, table, topic, workers, measured
		handlers = append(handlers, h)
	}
	if settings.Redrive != "" && len(handlers) > 0 {
		h := r.handler(consumer, settings, settings.Redrive)
		h.pool, h.pace, h.redriven = workers, measured, byTopic(handlers)
		handlers = append(handlers, h)
	}
	if len(handlers) == 0 {
		return nil, fmt.Errorf("consumer %q: consumers.%s.topics leaves it no topic", consumer.name, consumer.name)
	}
	return handlers, nil
}

// handler makes a consumer's handler on a topic, without what is different from topic to topic.
func (r *Router) handler(consumer *Consumer, settings ConsumerSettings, topic string) *handler {
	name := Handler{Consumer: consumer.name, Group: settings.Group, Topic: topic, Durable: consumer.Durable(), Redrive: topic == settings.Redrive}
	_, realTime := r.settings.Clock.(systemClock)
	h := &handler{
		name: name, types: r.settings.Types, unit: consumer.unit, strict: consumer.strict,
		limits: r.settings.Limits, retrySettings: settings.Retry, tryTimeout: settings.Timeout,
		deadLetters: r.settings.DeadLetters, observer: r.settings.Observe(name), clock: r.settings.Clock, logger: r.settings.Logger,
		claim: watermill.NewUUID(), together: settings.Together, replay: settings.Replay, lookout: r.lookout,
		bare: len(r.use) == 0, realTime: realTime,
	}
	if r.settings.Trace != nil {
		h.span = r.settings.Trace(name)
	}
	h.run = h.chain(r.use)
	return h
}

// byTopic is the handlers by the name of their topic on the brokers.
func byTopic(handlers []*handler) map[string]*handler {
	found := make(map[string]*handler, len(handlers))
	for _, h := range handlers {
		found[h.name.Topic] = h
	}
	return found
}

// Topics returns the names on the brokers of the topics that a consumer takes under these settings, its redrive topic last.
func (r *Router) Topics(consumer *Consumer, settings ConsumerSettings) ([]string, error) {
	handlers, err := r.handlers(consumer, settings.withDefaults(consumer.name))
	if err != nil {
		return nil, err
	}
	topics := make([]string, len(handlers))
	for i, h := range handlers {
		topics[i] = h.name.Topic
	}
	return topics, nil
}

// Run takes records until Close. The context's values reach the functions, its end does not: a stop goes through Close, which lets work
// in flight end.
func (r *Router) Run(ctx context.Context) error {
	return r.router.Run(context.WithoutCancel(ctx))
}

// Running is closed when every consumer is subscribed.
func (r *Router) Running() <-chan struct{} { return r.router.Running() }

// Close stops taking records, waits for what is in flight, and closes the subscribers.
func (r *Router) Close() error { return r.router.Close() }
