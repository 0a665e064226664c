package kafka

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/IBM/sarama"
)

// recognise asks for the ids of the session's topics. A topic that has another id than in the member's last session was deleted and made
// anew: its offsets mean other records, so whatever the group has committed says nothing. Who keeps progress of its own is told the ids.
func (s *session) recognise(sess sarama.ConsumerGroupSession) error {
	ids, err := s.topicIDs()
	if err != nil {
		return err
	}
	if tell := s.m.settings.Recognise; tell != nil {
		if err := tell(sess.Context(), ids); err != nil {
			return fmt.Errorf("recognising the topics: %w", err)
		}
	}
	s.anew = map[string]bool{}
	for topic, id := range ids {
		if before := s.m.ids[topic]; before != "" && before != id {
			s.anew[topic] = true
		}
		s.m.ids[topic] = id
	}
	return nil
}

// anewEvery is how often a running session looks whether its topics are still the same. A claim outlives the deletion of its topic when
// another is made quickly, and would go on in the middle of it.
const anewEvery = time.Second

// watchTopics ends the session when one of its topics is another: the next one begins at the new log's start.
func (s *session) watchTopics(sess sarama.ConsumerGroupSession, known map[string]string) {
	for sleep(sess.Context(), anewEvery); sess.Context().Err() == nil; sleep(sess.Context(), anewEvery) {
		ids, err := s.topicIDs()
		if err != nil {
			continue
		}
		for topic, id := range ids {
			if known[topic] != "" && known[topic] != id {
				s.end()
				return
			}
		}
	}
}

// errAnother is the error of a partition whose topic was made anew since the session began: its next one begins at the new log's start.
var errAnother = errors.New("the topic was deleted and made anew")

// isAnother says whether the topic was made anew since the session began. Then a position that its log does not have is no gap.
func (s *session) isAnother(topic string) bool {
	ids, err := s.topicIDs()
	return err == nil && s.known[topic] != "" && ids[topic] != "" && ids[topic] != s.known[topic]
}

// topicIDs are the ids that the brokers gave the topics; none of brokers that are too old for ids.
func (s *session) topicIDs() (map[string]string, error) {
	broker, err := s.client.Controller()
	if err != nil {
		return nil, fmt.Errorf("asking for the ids of topics: %w", err)
	}
	answer, err := broker.GetMetadata(sarama.NewMetadataRequest(s.client.Config().Version, s.topics))
	if err != nil {
		// The client keeps a broken connection until somebody closes it; the next question opens another, to whoever is the controller then.
		_ = broker.Close()
		_, _ = s.client.RefreshController()
		return nil, fmt.Errorf("asking for the ids of topics: %w", err)
	}
	return idsOf(answer.Topics), nil
}

func idsOf(topics []*sarama.TopicMetadata) map[string]string {
	ids := make(map[string]string, len(topics))
	for _, topic := range topics {
		if topic.Err == sarama.ErrNoError && topic.Uuid != (sarama.Uuid{}) {
			ids[topic.Name] = topic.Uuid.String()
		}
	}
	return ids
}

// placeAnew puts every partition of a topic that was made anew at the start of its log.
func (s *session) placeAnew(sess sarama.ConsumerGroupSession, topic string) error {
	if err := s.awaitDecision(sess.Context(), func() ([]string, error) { return []string{topic}, nil }); err != nil {
		return err
	}
	s.m.settings.Logger.Warn("the topic was deleted and made anew, reading it from its start", "topic", topic)
	for _, partition := range sess.Claims()[topic] {
		first, err := s.client.GetOffset(topic, partition, sarama.OffsetOldest)
		if err != nil {
			return fmt.Errorf("asking for the start of %q: %w", topic, err)
		}
		sess.MarkOffset(topic, partition, first, "")
		sess.ResetOffset(topic, partition, first, "")
	}
	return nil
}

// Recogniser is told the ids of a consumer's topics before any of their records is read, at each assignment. An error ends the session, and
// the member tries again.
type Recogniser func(ctx context.Context, ids map[string]string) error
