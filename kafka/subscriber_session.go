package kafka

import (
	"context"
	"errors"
	"maps"
	"sync"
	"time"

	"github.com/IBM/sarama"
)

// errClaimEnded is the error of a session that ended because sarama gave up on one of its partitions.
var errClaimEnded = errors.New("reading a partition ended before the session did")

// session is one generation of the group, from the assignment to the next rebalance.
type session struct {
	m      *member
	client sarama.Client
	topics []string
	// sess is the client's session.
	sess sarama.ConsumerGroupSession
	// beginning is held while the start of a topic is looked for, so that one claim commits it and not each.
	beginning sync.Mutex
	// placing guards placed, which has where each partition of the assignment was to begin, as the group had committed it.
	placing sync.Mutex
	placed  map[string]map[int32]committed
	// first has the partitions that Setup placed and that no claim of a cooperative member has asked for yet. placing guards it.
	first map[partitionOf]bool
	// end ends the session from our side; lapse is told of it when it begins, and gives it up when it does not end.
	end   func()
	lapse func(sarama.ConsumerGroupSession)
	// doubt runs while an exclusive member waits whether another one lives; nil when it does not.
	doubt *time.Timer
	// begun is true when the assignment was taken. It is read after the session.
	begun bool
	// idle is true for an exclusive member that does not own everything: it holds what it was given and takes nothing.
	idle bool
	// known are the ids of the topics as they were when the session began.
	known map[string]string
	// anew has the topics that were deleted and made anew since the member's last session.
	anew map[string]bool
	// claimEnded is true when a partition ended by itself. It is read after the session.
	claimEnded bool
}

var _ sarama.ConsumerGroupHandler = (*session)(nil)

// Setup checks the assignment and puts each partition where it is to begin. Sarama calls it before the first claim.
func (s *session) Setup(sess sarama.ConsumerGroupSession) error {
	s.sess = sess
	if s.m.settings.Exclusive {
		if err := s.checkSole(sess); err != nil {
			return err
		}
	}
	// Who may have to leave again decides nothing about where reading begins.
	if s.doubt == nil {
		if err := s.recognise(sess); err != nil {
			return err
		}
		s.known = maps.Clone(s.m.ids)
		if err := s.place(sess); err != nil {
			return err
		}
	}
	s.lapse(sess)
	s.m.stalled.keep(sess)
	if !s.idle {
		go s.watchTopics(sess, s.known)
		go s.watchStalled(sess)
		go s.watchCommits(sess)
		if s.m.instance != "" {
			go s.watchUnassigned(sess)
		}
	}
	s.begun = true
	s.m.setRunning(s)
	s.m.reading.Store(true)
	s.m.trouble.clear()
	s.m.settings.Logger.Debug("partitions assigned", "partitions", sess.Claims(), "generation", sess.GenerationID())
	return nil
}

// ConsumeClaim reads one partition until it is wanted back. It never returns early because of a record: that would end the session of
// all partitions.
func (s *session) ConsumeClaim(sess sarama.ConsumerGroupSession, source sarama.ConsumerGroupClaim) error {
	if s.idle {
		<-sess.Context().Done()
		return nil
	}
	subscribed := s.m.subscriptions[source.Topic()]
	source, begin := s.source(sess, source)
	c := newClaim(s.m, subscribed, source, sessionSink{ConsumerGroupSession: sess, s: s}, s.restored(source.Topic(), source.Partition()))
	s.m.claims.add(c)
	if s.m.joining.tookBack(c) || s.m.joining.isLeaving() {
		// The rebalance that took it back, or the stop, came before there was a claim to tell.
		c.drain.begin()
	}
	s.m.memory.own(1)
	defer s.forget(source.Topic(), source.Partition())
	defer func() {
		s.m.memory.own(-1)
		s.m.claims.remove(c)
	}()
	defer begin(c)()
	c.run()
	return nil
}

// Cleanup runs when every claim has returned, before sarama commits for the last time and releases the partitions.
func (s *session) Cleanup(sess sarama.ConsumerGroupSession) error {
	s.m.reading.Store(false)
	if s.doubt != nil {
		s.doubt.Stop()
	}
	s.claimEnded = errors.Is(context.Cause(sess.Context()), sarama.ErrSessionConsumeClaimExited)
	return nil
}
