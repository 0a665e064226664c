package handlers

import (
	"path/filepath"

	"github.com/prantikov/millrace/handlers/notification"
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
	return router.WithUnitOfWork(lazily(false, func(replay bool) unitOfWork {
		return storage.Store().UnitOfWork(consumer, store.Options{Alarm: storage.Alarm, Replay: replay})
	}))
}

// Files gives a consumer the unit of work of a file sink: the lines that its functions write through store.Lines into files of this folder
// are synced and committed together with its progress.
func Files(storage Storage, consumer, folder string) router.Option {
	return files(storage, consumer, folder)
}

func files(storage Storage, consumer, folder string, daily ...string) router.Option {
	return router.WithUnitOfWork(lazily(true, func(replay bool) unitOfWork {
		options := store.Options{Alarm: storage.Alarm, Daily: daily, Replay: replay}
		if storage.Instance != nil {
			options.Instance = storage.Instance()
		}
		return storage.Store().FileUnitOfWork(consumer, folder, options)
	}))
}

// DailyFiles are the files of a built-in consumer that are begun anew each day, so that what is old can go.
func DailyFiles(consumer string) []string {
	if consumer == "notification" {
		return []string{notification.File}
	}
	return nil
}

func (d Dependencies) storage() Storage {
	return Storage{Store: d.Store, Alarm: d.Alarm, Instance: d.Instance}
}

func (d Dependencies) durable(consumer string) router.Option { return Durable(d.storage(), consumer) }

// notification is the notifier that was given, or one that writes the outbox.
func (d Dependencies) notification() *notification.Notifier {
	if d.Notification != nil {
		return d.Notification
	}
	return notification.New(notification.Settings{}, notification.Dependencies{Consumer: "notification", Store: d.Store})
}

// outside is what the consumer of a notifier is: with a channel it waits for others, so it has marks in the store in place of a unit of work.
func (d Dependencies) outside(news *notification.Notifier) router.Option {
	if news.Sends() {
		return router.EffectsOutside(true)
	}
	return d.files("notification")
}

// files is a consumer's folder of the data directory.
func (d Dependencies) files(consumer string) router.Option {
	return files(d.storage(), consumer, filepath.Join(d.DataDir, consumer), DailyFiles(consumer)...)
}
