package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"runtime/debug"
	"sync"
	"time"

	"github.com/prantikov/millrace/config"
	"github.com/prantikov/millrace/deadletter"
	"github.com/prantikov/millrace/kafka"
	"github.com/prantikov/millrace/messages"
	"github.com/prantikov/millrace/observe"
	"github.com/prantikov/millrace/record"
	"github.com/prantikov/millrace/router"
)

// consumer is the name of the measured consumer.
const consumer = "bench"

// consumeMillrace is our full chain with the binary's own defaults: subscriber, router, all middlewares, metrics, typed handlers.
func consumeMillrace(ctx context.Context, t task, handle function, ready func()) error {
	// As the binary has it.
	debug.SetGCPercent(200)
	debug.SetMemoryLimit(int64(kafkaSettings(t.Brokers).Memory)*2 + 128<<20)
	logger := slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelError}))
	metrics := observe.NewMetrics("bench")
	letters, err := kafka.NewDeadLetterPublisher(kafkaSettings(t.Brokers), logger)
	if err != nil {
		return err
	}
	defer letters.Close()
	settings, tries := consumerSettings(t)
	settings.Logger, settings.Hooks = logger, hooks(t, metrics, ready)
	subscriber, err := kafka.NewSubscriber(settings)
	if err != nil {
		return err
	}
	measured, err := router.Consume(consumer, routes(handle, t.Timed)...)
	if err != nil {
		return err
	}
	r, err := router.New(router.Settings{
		Topics: map[string]router.TopicSettings{messages.Appointments.Topic(): {Name: t.Topic}},
		Types:  messages.Types(), Logger: logger, DeadLetters: deadletter.NewWriter(letters, ""),
		Observe: func(h router.Handler) router.Observer { return observer(metrics, h) },
	}, observe.Watermill(logger))
	if err != nil {
		return err
	}
	if err := r.Add(measured, tries, subscriber); err != nil {
		return err
	}
	ran := make(chan error, 1)
	go func() { ran <- r.Run(ctx) }()
	defer keepPositions(metrics, subscriber, t)()
	select {
	case <-ctx.Done():
		return errors.Join(r.Close(), <-ran)
	case err := <-ran:
		return fmt.Errorf("running: %w", errors.Join(err, subscriber.Err()))
	}
}

// kafkaSettings are the defaults of the binary on these brokers.
func kafkaSettings(brokers []string) config.Kafka {
	settings := config.Default().Kafka
	settings.Brokers = brokers
	return settings
}

// consumerSettings is the one place where a task becomes settings of a consumer.
func consumerSettings(t task) (kafka.SubscriberSettings, router.ConsumerSettings) {
	subscriber := kafka.SubscriberSettings{Kafka: kafkaSettings(t.Brokers), Group: t.Group, Topics: []string{t.Topic}}
	tries := router.ConsumerSettings{Group: t.Group, Concurrency: t.Concurrency, Timeout: 15 * time.Second,
		Retry: router.RetrySettings{InitialInterval: 100 * time.Millisecond, MaxInterval: 100 * time.Millisecond}}
	return subscriber, tries
}

// routes has a typed function for each action, as a team would write it.
func routes(handle function, timed bool) []router.Option {
	take := func(ctx context.Context, e messages.Event[messages.AppointmentEvent]) error {
		c := call{key: e.Key, partition: e.Partition, offset: e.Offset}
		if timed {
			value, _ := record.FromContext(ctx).Header(sentHeader)
			c.sent = sentTime(value)
		}
		return handle(c)
	}
	return []router.Option{
		router.On(messages.AppointmentCreated, take), router.On(messages.AppointmentUpdated, take),
		router.On(messages.AppointmentCancelled, take), router.On(messages.AppointmentDeleted, take),
	}
}

// observer is what the binary's metrics look at.
func observer(metrics *observe.Metrics, h router.Handler) router.Observer {
	m := metrics.Consumer(h.Consumer, h.Group, h.Topic)
	return router.Observer{
		Tried: func(took time.Duration, result record.Result) {
			m.Processed(result.Outcome, result.Class, took)
			if result.Attempts > 1 {
				m.Retried()
			}
		},
		Ended: func(_ *record.Record, result record.Result) {
			switch result.Outcome {
			case record.DeadLettered:
				m.DeadLettered(result.Class)
			case record.Skipped:
				m.Skipped(result.Reason)
			}
		},
		Normalised: m.Normalised,
	}
}

func hooks(t task, metrics *observe.Metrics, ready func()) kafka.Hooks {
	var once sync.Once
	return kafka.Hooks{
		BatchTaken: func(topic string, _ int32, records int, _ int64) {
			metrics.Consumer(consumer, t.Group, topic).Consumed(records)
		},
		Assigned: func(string, int32, int64) { once.Do(ready) },
	}
}

// keepPositions looks at the positions each second, as the binary does, until it is ended.
func keepPositions(metrics *observe.Metrics, subscriber *kafka.Subscriber, t task) (end func()) {
	ticker, done := time.NewTicker(time.Second), make(chan struct{})
	go func() {
		for {
			select {
			case <-done:
				return
			case <-ticker.C:
				inFlight := 0
				for _, p := range subscriber.Positions() {
					inFlight += p.Pending
				}
				metrics.Consumer(consumer, t.Group, t.Topic).InFlight(inFlight)
			}
		}
	}()
	return func() {
		ticker.Stop()
		close(done)
	}
}
