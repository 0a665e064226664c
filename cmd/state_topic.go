package cmd

import (
	"fmt"
	"slices"

	"github.com/prantikov/millrace/handlers"
	"github.com/prantikov/millrace/observe"
	"github.com/prantikov/millrace/replay/state"
	"github.com/prantikov/millrace/router"
)

// routedTopics are the topics as the router knows them, by the types' own topics.
func (s *session) routedTopics() map[string]router.TopicSettings {
	topics := map[string]router.TopicSettings{}
	for _, declared := range s.app.types() {
		topic := s.settings.Topic(declared.Topic())
		topics[declared.Topic()] = router.TopicSettings{
			Name: topic.Name, Key: router.KeyRule(topic.KeyRule), UnknownAction: router.Policy(topic.UnknownAction),
			UnknownStatus: router.Policy(topic.UnknownStatus), Tombstone: router.Policy(topic.Tombstone),
		}
	}
	return topics
}

func (s *session) limits() router.Limits {
	return router.Limits{ValueBytes: s.settings.Limits.ValueBytes, Headers: s.settings.Limits.Headers}
}

// entityTopic is the topic of a type of entities with the consumer that keeps them, set as it is when it runs: the same functions, policies and
// middleware make the same states.
func (s *session) entityTopic(kept handlers.Kept) (state.Topic, error) {
	at := slices.IndexFunc(s.app.consumers, func(c *router.Consumer) bool { return c.Name() == kept.Consumer })
	if at < 0 {
		return state.Topic{}, fmt.Errorf("this program has no consumer %q, whose functions make the state of %s", kept.Consumer, kept.Consumer)
	}
	routed, err := router.New(router.Settings{
		Topics: s.routedTopics(), Types: s.app.types(), Limits: s.limits(), DeadLetters: state.GivenUp{},
	}, observe.Watermill(s.logger))
	if err != nil {
		return state.Topic{}, err
	}
	routed.Use(s.app.middleware...)
	consumer, settings := s.app.consumers[at], consumerSettings(s.app.consumers[at], s.settings.Consumer(kept.Consumer))
	own := kept.Type.Topic()
	return state.Topic{
		Name: s.topicName(own), Type: kept.Type, Key: router.KeyRule(s.settings.Topic(own).KeyRule),
		Walker: func(unit router.UnitOfWork) (*router.Walker, error) {
			return routed.Walker(consumer.In(unit), settings)
		},
	}, nil
}
