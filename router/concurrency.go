package router

import "fmt"

// tell makes the subscriber take enough records for so many keys, where it can be told.
func (c concurrent) tell(keys int) {
	if s, ok := c.subscriber.(interface{ SetConcurrency(keys int) }); ok {
		s.SetConcurrency(keys)
	}
}

// SetConcurrency changes how many keys a consumer handles side by side, while it runs. The error says why that cannot be done.
func (r *Router) SetConcurrency(consumer string, keys int) error {
	beside, known := r.concurrent[consumer]
	switch {
	case !known:
		return fmt.Errorf("no consumer is named %q", consumer)
	case beside.inline != "":
		return fmt.Errorf("consumer %q has no concurrency to set: %s", consumer, beside.inline)
	case keys < 1:
		return fmt.Errorf("consumer %q: concurrency %d: want 1 or more", consumer, keys)
	}
	beside.pool.resize(keys)
	beside.tell(keys)
	return nil
}

// Concurrency is how many keys a consumer handles side by side: 1 for one whose records are handled one after another, 0 for a name that
// nobody has.
func (r *Router) Concurrency(consumer string) int {
	beside, known := r.concurrent[consumer]
	switch {
	case !known:
		return 0
	case beside.inline != "":
		return 1
	}
	return beside.pool.size()
}
