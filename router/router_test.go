package router_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ThreeDotsLabs/watermill"
	"github.com/ThreeDotsLabs/watermill/message"
	"github.com/ThreeDotsLabs/watermill/pubsub/gochannel"

	"github.com/prantikov/millrace/messages"
	"github.com/prantikov/millrace/record"
	"github.com/prantikov/millrace/router"
)

// TestFanOut runs five consumers on one topic over Watermill's own subscriber: each sees every event, and one that fails delays no other.
func TestFanOut(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		letters := &flakyLetters{}
		made, err := router.New(router.Settings{DeadLetters: letters}, watermill.NopLogger{})
		if err != nil {
			t.Fatal(err)
		}
		channel := gochannel.NewGoChannel(gochannel.Config{Persistent: true}, watermill.NopLogger{})
		var mu sync.Mutex
		seen := map[string]int{}
		for i := range 5 {
			name := fmt.Sprintf("consumer-%d", i)
			consumer, err := router.Consume(name, handles(func(_ context.Context, e messages.Event[messages.AppointmentEvent]) error {
				if name == "consumer-0" {
					return errors.New("broken")
				}
				mu.Lock()
				defer mu.Unlock()
				seen[name]++
				return nil
			}))
			if err != nil {
				t.Fatal(err)
			}
			if err := made.Add(consumer, router.ConsumerSettings{}, channel); err != nil {
				t.Fatal(err)
			}
		}
		ran := make(chan error, 1)
		go func() { ran <- made.Run(t.Context()) }()
		<-made.Running()
		for i := range 10 {
			id := fmt.Sprintf("a-%d", i)
			if err := channel.Publish("appointment-events", message.NewMessage(id, []byte(strings.ReplaceAll(good, "a-1", id)))); err != nil {
				t.Fatal(err)
			}
		}
		// In the bubble an hour passes as soon as nobody has anything left to do.
		<-time.After(time.Hour)
		if err := made.Close(); err != nil {
			t.Errorf("closing the router: %v", err)
		}
		if err := <-ran; err != nil {
			t.Errorf("running the router: %v", err)
		}
		for i := 1; i < 5; i++ {
			if name := fmt.Sprintf("consumer-%d", i); seen[name] != 10 {
				t.Errorf("%s saw %d events, want 10", name, seen[name])
			}
		}
		if len(letters.written) != 10 {
			t.Errorf("got %d dead letters of the failing consumer, want 10", len(letters.written))
		}
		if err := channel.Close(); err != nil {
			t.Error(err)
		}
	})
}

func TestMiddlewareOfAPluginSeesEachTry(t *testing.T) {
	t.Parallel()
	broken := errors.New("broken")
	tests := []struct {
		name       string
		middleware func(next message.HandlerFunc) message.HandlerFunc
		function   error
		want       record.Class
	}{
		{"an error of the function", func(next message.HandlerFunc) message.HandlerFunc { return next }, broken, record.ClassFailed},
		{"an error of the middleware", func(message.HandlerFunc) message.HandlerFunc {
			return func(*message.Message) ([]*message.Message, error) { return nil, broken }
		}, nil, record.ClassFailed},
		{"a panic of the middleware", func(message.HandlerFunc) message.HandlerFunc {
			return func(*message.Message) ([]*message.Message, error) { panic("payload-canary") }
		}, nil, record.ClassPanic},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			letters := &flakyLetters{}
			made, err := router.New(router.Settings{DeadLetters: letters}, watermill.NopLogger{})
			if err != nil {
				t.Fatal(err)
			}
			tries := 0
			made.Use(func(next message.HandlerFunc) message.HandlerFunc {
				inner := test.middleware(next)
				return func(msg *message.Message) ([]*message.Message, error) {
					tries++
					return inner(msg)
				}
			})
			consumer, err := router.Consume("test", handles(func(context.Context, messages.Event[messages.AppointmentEvent]) error { return test.function }))
			if err != nil {
				t.Fatal(err)
			}
			walker, err := made.Walker(consumer, router.ConsumerSettings{Retry: router.RetrySettings{InitialInterval: time.Microsecond}})
			if err != nil {
				t.Fatal(err)
			}
			if err := walker.Walk(t.Context(), batchOf(appointments(t, 1))); err != nil {
				t.Fatal(err)
			}
			if tries != 4 || len(letters.written) != 1 || letters.written[0].Class != test.want {
				t.Errorf("got %d tries and dead letters %v, want 4 and one of class %s", tries, letters.written, test.want)
			}
		})
	}
}

func TestTwoConsumersWithOneGroupAreRefused(t *testing.T) {
	t.Parallel()
	made, err := router.New(router.Settings{DeadLetters: &flakyLetters{}}, watermill.NopLogger{})
	if err != nil {
		t.Fatal(err)
	}
	channel := gochannel.NewGoChannel(gochannel.Config{}, watermill.NopLogger{})
	var errs []error
	for _, name := range []string{"first", "second"} {
		consumer, err := router.Consume(name, handles(nothing[messages.AppointmentEvent]))
		if err != nil {
			t.Fatal(err)
		}
		errs = append(errs, made.Add(consumer, router.ConsumerSettings{Group: "shared"}, channel))
	}
	if errs[0] != nil {
		t.Errorf("the first consumer was refused: %v", errs[0])
	}
	if errs[1] == nil || !strings.Contains(errs[1].Error(), `"shared"`) {
		t.Errorf("got error %v for the second consumer, want one that names the group", errs[1])
	}
}
