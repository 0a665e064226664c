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

// Storage is where durable effects go.
type Storage struct {
	// Store is asked for when the first record arrives.
	Store func() *store.Store
	// Alarm is told when a member's writes are refused because another has taken its partition. Default: a line in the log.
	Alarm func(store.Alarm)
	// Instance names the folders of this process's files, where several processes share a store. Default: empty, for the only one.
	Instance func() string
}

// Durable gives a consumer the store's unit of work: what its functions write through store.States, store.Counters and store.Tx is
// committed together with its progress.
func Durable(storage Storage, consumer string) router.Option {
	return router.WithUnitOfWork(lazily(func() unitOfWork {
		return storage.Store().UnitOfWork(consumer, store.Options{Alarm: storage.Alarm})
	}))
}

// Files gives a consumer the unit of work of a file sink: the lines that its functions write through store.Lines into files of this folder
// are synced and committed together with its progress.
func Files(storage Storage, consumer, folder string) router.Option {
	return router.WithUnitOfWork(lazily(func() unitOfWork {
		options := store.Options{Alarm: storage.Alarm}
		if storage.Instance != nil {
			options.Instance = storage.Instance()
		}
		return storage.Store().FileUnitOfWork(consumer, folder, options)
	}))
}

func (d Dependencies) storage() Storage {
	return Storage{Store: d.Store, Alarm: d.Alarm, Instance: d.Instance}
}

func (d Dependencies) durable(consumer string) router.Option { return Durable(d.storage(), consumer) }

// files is a consumer's folder of the data directory.
func (d Dependencies) files(consumer string) router.Option {
	return Files(d.storage(), consumer, filepath.Join(d.DataDir, consumer))
}
