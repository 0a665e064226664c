package kafka

import (
	"context"
	"errors"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/IBM/sarama"
)

// joining is what a cooperative member knows of its way into the group's next generation. It is safe for concurrent use.
type joining struct {
	mu sync.Mutex
	// until is when no answer is waited for any more; zero while the member does not join.
	until time.Time
	// over is closed when the join is; nil while the member does not join.
	over chan struct{}
	// leaving is true once the member is to leave, left once it does: then it joins no more.
	leaving, left bool
	// refused is true when the client is about to join all the same.
	refused bool
	// connection is the last one to the coordinator.
	connection net.Conn

	// given has the partitions of the last assignment; nil before the first.
	given atomic.Pointer[map[partitionOf]bool]
	// generation is that of the last assignment; the session has it a moment later.
	generation atomic.Int32
}

// tookBack says whether the last assignment is without the claim's partition. It never is for a member that is not cooperative.
func (j *joining) tookBack(c *claim) bool {
	given := j.given.Load()
	return given != nil && !(*given)[partitionOf{c.topic, c.partition}]
}

// assigned takes note of an assignment. It keeps none of it: the client goes on to sort it in place.
func (j *joining) assigned(given *sarama.ConsumerGroupMemberAssignment, generation int32) {
	set := map[partitionOf]bool{}
	for topic, partitions := range given.Topics {
		for _, partition := range partitions {
			set[partitionOf{topic, partition}] = true
		}
	}
	j.given.Store(&set)
	j.generation.Store(generation)
}

// begin is called right before the member asks to join. One that is on its way out is kept from asking.
func (j *joining) begin(limit time.Duration) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.until, j.refused = time.Now().Add(limit), j.left
	if j.over == nil {
		j.over = make(chan struct{})
	}
}

// end is called when the member has its place, or has given up.
func (j *joining) end() {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.finish()
}

func (j *joining) finish() {
	j.until, j.refused = time.Time{}, false
	if j.over != nil {
		close(j.over)
		j.over = nil
	}
}

// reset makes the member ready for its next session.
func (j *joining) reset() {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.leaving, j.left = false, false
	j.finish()
}

// deadline is until when an answer is waited for while the member joins; zero while it does not.
func (j *joining) deadline() time.Time {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.until
}

// leave calls stop when the member does not join; it waits for that until ctx ends, and then gives the join up. No other join begins.
func (j *joining) leave(ctx context.Context, stop context.CancelFunc) {
	j.mu.Lock()
	defer j.mu.Unlock()
	for j.over != nil && ctx.Err() == nil {
		over := j.over
		j.mu.Unlock()
		select {
		case <-over:
		case <-ctx.Done():
		}
		j.mu.Lock()
	}
	j.left = true
	stop()
	if j.over != nil && j.connection != nil {
		_ = j.connection.SetReadDeadline(time.Now())
	}
	j.until = time.Time{}
}

// leaves says that the member is to leave.
func (j *joining) leaves() {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.leaving = true
}

func (j *joining) isLeaving() bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.leaving
}

// refuse says, once, that the member is about to join although it leaves.
func (j *joining) refuse() bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	refused := j.refused
	j.refused = false
	return refused
}

// errLeaving is the error of a join of a member that is on its way out.
var errLeaving = errors.New("the member leaves, it joins no more")
