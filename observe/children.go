package observe

import (
	"maps"
	"sync"
	"sync/atomic"
)

// children keeps the labelled children of a metric, so that the path of a record costs one look-up without a lock and no allocation.
// A map is never changed once it is published: the few additions copy it.
type children[K comparable, V any] struct {
	make    func(K) V
	current atomic.Pointer[map[K]V]
	adding  sync.Mutex
}

func newChildren[K comparable, V any](create func(K) V) *children[K, V] {
	c := &children[K, V]{make: create}
	c.current.Store(&map[K]V{})
	return c
}

// get returns the child of these labels and makes it when they are seen first.
func (c *children[K, V]) get(labels K) V {
	if child, ok := (*c.current.Load())[labels]; ok {
		return child
	}
	c.adding.Lock()
	defer c.adding.Unlock()
	known := *c.current.Load()
	if child, ok := known[labels]; ok {
		return child
	}
	grown := maps.Clone(known)
	child := c.make(labels)
	grown[labels] = child
	c.current.Store(&grown)
	return child
}

// all returns the children that there are, not to be changed.
func (c *children[K, V]) all() map[K]V { return *c.current.Load() }
