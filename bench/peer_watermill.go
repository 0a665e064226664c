package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/ThreeDotsLabs/watermill"
	wmkafka "github.com/ThreeDotsLabs/watermill-kafka/v3/pkg/kafka"
	"github.com/ThreeDotsLabs/watermill/message"
	"github.com/ThreeDotsLabs/watermill/message/router/middleware"
	"github.com/rcrowley/go-metrics"
)

// plainAppointment is an appointment as somebody without our package declares it: text throughout, which encoding/json reads fastest.
type plainAppointment struct {
	AppointmentID string `json:"appointmentId"`
	PatientID     string `json:"patientId"`
	DoctorID      string `json:"doctorId"`
	Date          string `json:"date"`
	Time          string `json:"time"`
	Reason        string `json:"reason"`
	Status        string `json:"status"`
	VisitType     string `json:"visitType"`
	Action        string `json:"action"`
}

// errContent marks an error that another try does not mend.
var errContent = errors.New("cannot be read")

// check refuses an action that nobody knows, as every switch on actions has to.
func (e plainAppointment) check() error {
	return knownAction(e.Action, "created", "updated", "cancelled", "deleted")
}

func knownAction(action string, known ...string) error {
	if !slices.Contains(known, action) {
		return fmt.Errorf("%w: an unknown action", errContent)
	}
	return nil
}

// plainEvent is an event as encoding/json reads it.
type plainEvent interface{ check() error }

// decodePlain reads an event of a type into a new value.
func decodePlain[T plainEvent](payload []byte) error {
	var event T
	if err := json.Unmarshal(payload, &event); err != nil {
		return fmt.Errorf("%w: %w", errContent, err)
	}
	return event.check()
}

// consumeWatermill is the stock stack: watermill-kafka's subscriber, Watermill's router and three of its middlewares, encoding/json.
// It is not told of its partitions, so its turn begins with its first record.
func consumeWatermill(ctx context.Context, t task, handle function, _ func()) error {
	router, closePoison, err := newStockRouter(t.Brokers, t.Topic+"-dlt")
	if err != nil {
		return err
	}
	defer closePoison()
	subscriber, err := newStockSubscriber(t.Brokers, t.Group)
	if err != nil {
		return err
	}
	router.AddConsumerHandler("bench", t.Topic, subscriber, func(msg *message.Message) error {
		if err := decodePlain[plainAppointment](msg.Payload); err != nil {
			return err
		}
		return handle(callOf(msg, t.Timed))
	})
	return router.Run(ctx)
}

// newStockRouter returns a router with its middlewares in the order in which they work, PoisonQueue outside Retry, and others around them.
func newStockRouter(brokers []string, poisonTopic string, around ...message.HandlerMiddleware) (*message.Router, func(), error) {
	metrics.UseNilMetrics = true
	router, err := message.NewRouter(message.RouterConfig{CloseTimeout: 15 * time.Second}, watermill.NopLogger{})
	if err != nil {
		return nil, nil, fmt.Errorf("making the router: %w", err)
	}
	publisher, err := wmkafka.NewPublisher(wmkafka.PublisherConfig{Brokers: brokers, Marshaler: wmkafka.DefaultMarshaler{}}, watermill.NopLogger{})
	if err != nil {
		return nil, nil, fmt.Errorf("making the publisher: %w", err)
	}
	poison, err := middleware.PoisonQueue(publisher, poisonTopic)
	if err != nil {
		return nil, nil, fmt.Errorf("making the poison queue: %w", err)
	}
	retry := middleware.Retry{
		MaxRetries: 3, InitialInterval: 100 * time.Millisecond, MaxInterval: time.Second, Multiplier: 2, ResetContextOnRetry: true,
		// What cannot be read is poisoned at once, as ours is.
		ShouldRetry: func(p middleware.RetryParams) bool { return !errors.Is(p.Err, errContent) },
		Logger:      watermill.NopLogger{},
	}
	router.AddMiddleware(around...)
	router.AddMiddleware(poison, retry.Middleware, middleware.Recoverer)
	return router, func() { _ = publisher.Close() }, nil
}

// newStockSubscriber has the same larger fetches and channels as the raw group, and no pause after a nack.
func newStockSubscriber(brokers []string, group string) (message.Subscriber, error) {
	subscriber, err := wmkafka.NewSubscriber(wmkafka.SubscriberConfig{
		Brokers: brokers, Unmarshaler: wmkafka.DefaultMarshaler{}, OverwriteSaramaConfig: saramaConsumer(), ConsumerGroup: group,
		NackResendSleep: wmkafka.NoSleep,
	}, watermill.NopLogger{})
	if err != nil {
		return nil, fmt.Errorf("making the subscriber: %w", err)
	}
	return subscriber, nil
}

// callOf is where the record of a message stands.
func callOf(msg *message.Message, timed bool) call {
	ctx := msg.Context()
	partition, _ := wmkafka.MessagePartitionFromCtx(ctx)
	offset, _ := wmkafka.MessagePartitionOffsetFromCtx(ctx)
	key, _ := wmkafka.MessageKeyFromCtx(ctx)
	c := call{key: key, partition: partition, offset: offset}
	if timed {
		c.sent = sentTime([]byte(msg.Metadata.Get(sentHeader)))
	}
	return c
}
