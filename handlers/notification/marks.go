package notification

import (
	"github.com/prantikov/millrace/router"
	"github.com/prantikov/millrace/store"
)

// begin marks that a notification is about to be sent and returns what was known of it. What a redriven record gave up on is begun anew: that
// is why somebody has redriven it.
func (n *Notifier) begin(effect store.Effect, redriven bool) (store.Mark, error) {
	if err := n.catchUp(effect); err != nil {
		return store.Mark{}, err
	}
	mark, err := n.marks().Begin(effect, n.needs.Now())
	if err != nil || !redriven || mark.State != store.EffectRefused && mark.State != store.EffectParked {
		return mark, err
	}
	if err := n.marks().End(effect, store.EffectWaiting, n.needs.Now()); err != nil {
		return store.Mark{}, err
	}
	return n.marks().Begin(effect, n.needs.Now())
}

// end marks how a try ended. While the store is away the record is held, and what happened is remembered: it must not happen again.
func (n *Notifier) end(effect store.Effect, state store.EffectState, ended ending, result error) (ending, error) {
	if err := n.marks().End(effect, state, n.needs.Now()); err != nil {
		n.mutex.Lock()
		defer n.mutex.Unlock()
		n.unmarked[effect] = state
		return held, router.Unavailable(router.Loggable(err))
	}
	return ended, result
}

// catchUp marks what ended while the store was away.
func (n *Notifier) catchUp(effect store.Effect) error {
	n.mutex.Lock()
	state, late := n.unmarked[effect]
	n.mutex.Unlock()
	if !late {
		return nil
	}
	if err := n.marks().End(effect, state, n.needs.Now()); err != nil {
		return err
	}
	n.mutex.Lock()
	defer n.mutex.Unlock()
	delete(n.unmarked, effect)
	return nil
}
