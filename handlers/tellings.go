package handlers

import "context"

// tellings is what a unit of work has to tell once it is committed: what was undone, or tried again because the store was away, must not
// be counted twice.
type tellings struct {
	waiting []func()
	// marked is how many were there before the present record.
	marked int
}

type tellingsKey struct{}

func (t *tellings) mark() { t.marked = len(t.waiting) }

func (t *tellings) undo() { t.waiting = t.waiting[:t.marked] }

func (t *tellings) tellAll() {
	for _, telling := range t.waiting {
		telling()
	}
}

// tell tells whoever wants to know, if anybody, when the context's unit of work is committed.
func tell(ctx context.Context, whom func(consumer, topic string), consumer, topic string) {
	t, ok := ctx.Value(tellingsKey{}).(*tellings)
	if whom == nil || !ok {
		return
	}
	t.waiting = append(t.waiting, func() { whom(consumer, topic) })
}
