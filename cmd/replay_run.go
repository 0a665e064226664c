package cmd

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/gofrs/flock"

	"github.com/prantikov/millrace/privacy"
	"github.com/prantikov/millrace/record"
	"github.com/prantikov/millrace/replay"
	"github.com/prantikov/millrace/router"
	"github.com/prantikov/millrace/store"
)

// checkpointEvery is how often a replay writes down how far it is. What was handled since is handled again after a kill, where no store knows it.
const checkpointEvery = time.Second

// errReplayStopped is the error of a replay that a signal has ended.
var errReplayStopped = errors.New("the replay was stopped before its end; the same command goes on from there")

// replaying is a replay at work.
type replaying struct {
	*replayJob
	path       string
	checkpoint *replay.Checkpoint
	sources    []*replay.Source
	resumed    bool
}

// execute does the replay and prints its summary.
func (j *replayJob) execute(ctx context.Context) error {
	if len(j.takers) == 0 {
		j.tellLeftOut()
		return nil
	}
	if err := makeDataDir(j.settings.DataDir); err != nil {
		return err
	}
	free, err := j.openStore(ctx)
	if err != nil {
		return err
	}
	defer free()
	r := &replaying{replayJob: j}
	unlock, err := r.resume(ctx)
	if err != nil {
		return err
	}
	defer unlock()
	if err := j.shareOut(ctx, j.store); err != nil {
		return err
	}
	began := time.Now()
	err = r.run(ctx)
	if err == nil && !r.complete() {
		err = errReplayStopped
	}
	if err == nil {
		err = os.Remove(r.path)
	}
	given, printed := r.printSummary(time.Since(began))
	if given > 0 && err == nil {
		err = fmt.Errorf("records that were given up: %d; no dead letter was written for them", given)
	}
	return errors.Join(err, printed)
}

// openStore opens where the consumers write, where one of them does. The function that it returns closes that.
func (j *replayJob) openStore(ctx context.Context) (func(), error) {
	j.firstSeen, j.transitionAccepted = func(string, string) {}, func(string, string) {}
	j.notified = func(string, string, string) {}
	j.storeAlarm = func(store.Alarm) {}
	if !j.stored() {
		return func() { _ = j.app.producer.Close() }, nil
	}
	unlock, err := lockDataDir(j.settings.DataDir)
	alone := err == nil
	switch {
	case errors.Is(err, errInUse) && j.needsDirectory():
		return nil, j.inUse()
	case errors.Is(err, errInUse):
		unlock = func() {}
	case err != nil:
		return nil, err
	}
	free := func() {
		j.news.Close()
		_ = j.app.producer.Close()
		if j.store != nil {
			if err := j.store.Close(); err != nil {
				j.logger.Error("closing the store", "error", err)
			}
		}
		unlock()
	}
	if err := j.openEffects(ctx, alone); err != nil {
		free()
		return nil, err
	}
	return free, nil
}

// needsDirectory says whether the replay writes what is one process's: an SQLite store, or files.
func (j *replayJob) needsDirectory() bool {
	return !j.sharedStore() || slices.ContainsFunc(j.takers, func(t replayTaker) bool { return t.live.Files() })
}

// inUse says what to do about a data directory that another process has.
func (j *replayJob) inUse() error {
	var names []string
	for _, taker := range j.takers {
		if taker.live.Files() || taker.live.Stored() && !j.sharedStore() {
			names = append(names, taker.name)
		}
	}
	where, who := j.settings.DataDir, strings.Join(names, ", ")
	if j.sharedStore() {
		return fmt.Errorf("a millrace run has the data directory %q, and %s would append to its files: stop it, or give the replay another directory (--data-dir)", where, who)
	}
	return fmt.Errorf("a millrace run has the data directory %q, and %s would write to its SQLite, which is one process's: stop it for the replay, or share a PostgreSQL (store.dsn=postgres://…)", where, who)
}

// openEffects opens the store as run does. alone says that no other process writes in the data directory.
func (j *replayJob) openEffects(ctx context.Context, alone bool) (err error) {
	if j.pseudonyms, err = privacy.Open(j.settings.Privacy.KeyFile); err != nil {
		return err
	}
	if j.store, err = store.Open(ctx, j.storePlace(), j.logger, store.By(currentBuild().program)); err != nil {
		return err
	}
	if j.sharedStore() {
		if j.instance, err = instanceOf(j.settings.DataDir); err != nil {
			return err
		}
	}
	if alone {
		if err := j.store.CutFiles(ctx, j.instance, j.settings.DataDir); err != nil {
			return err
		}
	}
	for _, plugin := range j.app.migrations {
		if err := j.store.Migrate(ctx, plugin.name, plugin.files); err != nil {
			return err
		}
	}
	ids, err := j.reader.TopicIDs(ctx, j.scope.Topics)
	if err != nil {
		return err
	}
	if err := j.store.Recognise(ctx, ids); err != nil {
		return err
	}
	if slices.ContainsFunc(j.takers, func(t replayTaker) bool { return t.name == notificationConsumer }) {
		return j.news.Open()
	}
	return nil
}

// resume finds how far an earlier replay of the same request came, or begins one. The function that it returns lets others have it.
func (r *replaying) resume(ctx context.Context) (func(), error) {
	folder := filepath.Join(r.settings.DataDir, "replay")
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return nil, fmt.Errorf("making the folder of checkpoints: %w", err)
	}
	r.path = filepath.Join(folder, r.digest()+".json")
	lock := flock.New(r.path+".lock", flock.SetPermissions(0o600))
	taken, err := lock.TryLock()
	if err != nil {
		return nil, fmt.Errorf("locking the checkpoint of the replay: %w", err)
	}
	if !taken {
		return nil, errors.New("the same replay is running in another process on this data directory")
	}
	unlock := func() { _ = lock.Close() }
	if r.checkpoint, err = r.earlier(ctx); err != nil {
		unlock()
		return nil, err
	}
	return unlock, nil
}

// earlier is the checkpoint to go on with.
func (r *replaying) earlier(ctx context.Context) (*replay.Checkpoint, error) {
	ids, err := r.reader.TopicIDs(ctx, r.scope.Topics)
	if err != nil {
		return nil, err
	}
	if !r.options.restart {
		earlier, err := replay.ReadCheckpoint(r.path)
		if err != nil {
			return nil, err
		}
		if earlier != nil && earlier.Of(ids) {
			r.resumed = true
			fmt.Fprintf(r.program.errout, "going on with the replay that began at %s; --restart begins anew\n", earlier.Began.Format(time.RFC3339))
			return earlier, nil
		}
		if earlier != nil {
			r.logger.Warn("the topics of the earlier replay were made anew since: beginning anew")
		}
	}
	parts, err := r.scope.Parts(ctx, r.reader)
	if err != nil {
		return nil, err
	}
	begun := replay.NewCheckpoint(ids, parts)
	return begun, begun.Save(r.path)
}

// run gives every consumer its records, in a router of the replay's own, until all are through or the context ends.
func (r *replaying) run(ctx context.Context) error {
	made, err := r.router()
	if err != nil {
		return err
	}
	ran := make(chan error, 1)
	go func() { ran <- made.Run(ctx) }()
	line := r.program.progressLine("replaying", r.length())
	look, save := time.NewTicker(drawEvery), time.NewTicker(checkpointEvery)
	defer look.Stop()
	defer save.Stop()
	stop := ctx.Done()
	for {
		select {
		case err := <-ran:
			line.end()
			return r.ended(err)
		case <-stop:
			stop = nil
			go func() { _ = made.Close() }()
		case <-look.C:
			line.at(r.through())
		case <-save.C:
			if err := r.save(); err != nil {
				line.end()
				return errors.Join(err, made.Close())
			}
		}
	}
}

// ended is the error of a run that has ended, after the last checkpoint.
func (r *replaying) ended(err error) error {
	for _, source := range r.sources {
		// The router has closed those that it has run; a source also ends by itself.
		if failed := source.Err(); failed != nil {
			err = failed
		}
		_ = source.Close()
	}
	return errors.Join(err, r.save())
}

// router makes the router with every consumer in it, each on a source of its own.
func (r *replaying) router() (*router.Router, error) {
	settings := (&service{session: r.session}).routerSettings()
	settings.DeadLetters, settings.Trace, settings.Logger = noLetters{}, nil, r.logger.With("replay", true)
	settings.Observe = r.observer
	made, err := router.New(settings, nil)
	if err != nil {
		return nil, err
	}
	made.Use(r.app.middleware...)
	pace := replay.NewPace(r.options.rate)
	for _, taker := range r.takers {
		tries := consumerSettings(taker.live, taker.settings)
		tries.Replay, tries.Group = true, taker.settings.Group+"-replay"
		source := replay.NewSource(replay.Settings{
			Reader: r.reader, Parts: r.checkpoint.Rest(taker.name, func(topic string) bool { return slices.Contains(taker.topics, topic) }),
			Pass: r.pass(taker), Together: tries.Together, Pace: pace, DrainTimeout: r.settings.Kafka.DrainTimeout,
		})
		r.sources = append(r.sources, source)
		if err := made.Add(taker.consumer, tries, source); err != nil {
			return nil, err
		}
	}
	return made, nil
}

// pass says why a record is not given to a consumer.
func (r *replaying) pass(taker replayTaker) func(*record.Record) string {
	return func(at *record.Record) string {
		if !r.choice.Chooses(at) {
			return replay.PassedNotChosen
		}
		return taker.share.Passes(at)
	}
}

// observer logs what a consumer waits for: a replay has no readiness and no alarms.
func (r *replaying) observer(handler router.Handler) router.Observer {
	var said gate
	return router.Observer{Held: func(at *record.Record, hold router.Hold) {
		if said.open(tellEvery) {
			r.logger.Warn("what the consumer needs is away; its replay waits", slog.String("consumer", handler.Consumer), slog.String("topic", at.Topic),
				slog.Int("partition", int(at.Partition)), slog.Int64("offset", at.Offset), slog.String("cause", hold.Cause))
		}
	}}
}

// noLetters takes the dead letters of a replay, which are none: the live run has written them. The summary has what was given up.
type noLetters struct{}

func (noLetters) Write(context.Context, record.Letter) error { return nil }

// save writes down how far every consumer is.
func (r *replaying) save() error {
	for i, taker := range r.takers {
		r.checkpoint.Note(taker.name, r.sources[i].Standings())
	}
	return r.checkpoint.Save(r.path)
}

// length is how many offsets there are for all consumers together, through how many of them are behind somebody's frontier.
func (r *replaying) length() (offsets int64) {
	for _, taker := range r.takers {
		for _, part := range r.checkpoint.All() {
			if slices.Contains(taker.topics, part.Topic) {
				offsets += part.To - part.From
			}
		}
	}
	return offsets
}

func (r *replaying) through() int64 {
	left := int64(0)
	for _, source := range r.sources {
		for _, at := range source.Standings() {
			left += at.Part.To - at.Frontier
		}
	}
	return r.length() - left
}

func (r *replaying) complete() bool {
	return !slices.ContainsFunc(r.sources, func(s *replay.Source) bool { return !s.Complete() })
}
