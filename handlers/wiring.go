package handlers

import (
	"path/filepath"

	"github.com/prantikov/millrace/router"
	"github.com/prantikov/millrace/store"
)

// list collects consumers and the mistakes of their wiring.
type list struct {
	consumers []*router.Consumer
	mistakes  []error
}

func (l *list) consume(name string, options ...router.Option) {
	consumer, err := router.Consume(name, options...)
	if err != nil {
		l.mistakes = append(l.mistakes, err)
		return
	}
	l.consumers = append(l.consumers, consumer)
}

// Durable gives a consumer the store's unit of work: what its functions write through store.States, store.Counters and store.Tx is
// committed together with its progress.
func Durable(database func() *store.Store, consumer string) router.Option {
	return router.WithUnitOfWork(lazily(func() unitOfWork { return database().UnitOfWork(consumer, store.Options{}) }))
}

func (d Dependencies) durable(consumer string) router.Option { return Durable(d.Store, consumer) }

// files gives a consumer the unit of work of a file sink in its folder of the data directory.
func (d Dependencies) files(consumer string) router.Option {
	return router.WithUnitOfWork(lazily(func() unitOfWork {
		return d.Store().FileUnitOfWork(consumer, filepath.Join(d.DataDir, consumer), store.Options{})
	}))
}
