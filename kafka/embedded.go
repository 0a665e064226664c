package kafka

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/gofrs/flock"
	"github.com/twmb/franz-go/pkg/kfake"

	"github.com/prantikov/millrace/config"
)

const (
	lockFile    = "lock"
	addressFile = "address"
	// startPatience is how long a process waits for another one that is starting or ending the same broker.
	startPatience = 10 * time.Second
	// askAgain is the pause between two looks at what the other process does.
	askAgain = 25 * time.Millisecond
)

// ErrRunning is in the error of a start in a directory whose broker runs in another process.
var ErrRunning = errors.New("the embedded broker of this directory is running already")

// Embedded is a broker in this process, for trying, developing and tests: one node without replicas, no login, and every write is synced. It speaks
// Kafka's protocol on loopback and keeps topics, records, groups and settings in its directory.
type Embedded struct {
	cluster *kfake.Cluster
	lock    *flock.Flock
	dir     string
	address string
	close   sync.Once
	err     error
}

// EmbeddedOptions are what an embedded broker may be told. The zero value is fine.
type EmbeddedOptions struct {
	// MaxMessageBytes is message.max.bytes: what a topic takes that was not told otherwise. 0 leaves Kafka's default, 1 MiB.
	MaxMessageBytes int
	// Logger gets the broker's own errors; nil drops them.
	Logger *slog.Logger
}

// StartEmbedded starts a broker on a free port of 127.0.0.1 with its data in dir, which it creates for the owner alone. It locks dir/lock, so that a
// directory has one broker and a killed process leaves no lock behind, and writes its address to dir/address. The broker ends with Close, or when
// ctx ends. The error is [ErrRunning] when another process has the directory.
func StartEmbedded(ctx context.Context, dir string, options EmbeddedOptions) (*Embedded, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("making the directory of the embedded broker: %w", err)
	}
	lock, err := lockDirectory(ctx, dir)
	if err != nil {
		return nil, err
	}
	e := &Embedded{lock: lock, dir: dir}
	if err := e.start(options); err != nil {
		return nil, errors.Join(fmt.Errorf("starting the embedded broker in %q: %w", dir, err), lock.Close())
	}
	context.AfterFunc(ctx, func() { _ = e.Close() })
	return e, nil
}

// FindEmbedded returns the address of the broker that another process, or this one, runs on the directory. It is not running when nobody holds
// the lock, whatever the address file says: a killed process leaves that behind.
func FindEmbedded(dir string) (address string, running bool) {
	if _, err := os.Stat(filepath.Join(dir, lockFile)); err != nil {
		return "", false
	}
	lock := flock.New(filepath.Join(dir, lockFile), flock.SetPermissions(0o600))
	if free, err := lock.TryRLock(); free || err != nil {
		_ = lock.Close()
		return "", false
	}
	text, err := os.ReadFile(filepath.Join(dir, addressFile))
	if err != nil || len(text) == 0 {
		return "", false
	}
	return strings.TrimSpace(string(text)), true
}

// OpenEmbedded returns the address of the directory's broker: of the one that runs, when it answers, else of one that it starts. The returned
// function ends the use: it ends the broker that was started here, and leaves another process's alone.
func OpenEmbedded(ctx context.Context, dir string, options EmbeddedOptions) (address string, end func() error, err error) {
	ctx, cancel := context.WithTimeoutCause(ctx, startPatience, fmt.Errorf("no answer after %s", startPatience))
	defer cancel()
	for {
		if address, running := FindEmbedded(dir); running && answers(ctx, address) {
			return address, func() error { return nil }, nil
		}
		// The broker outlives this function, so it is not given the context of the search.
		started, err := StartEmbedded(context.WithoutCancel(ctx), dir, options)
		if err == nil {
			return started.Address(), started.Close, nil
		}
		if !errors.Is(err, ErrRunning) {
			return "", nil, err
		}
		select {
		case <-ctx.Done():
			return "", nil, fmt.Errorf("opening the embedded broker in %q: %w", dir, context.Cause(ctx))
		case <-time.After(askAgain):
		}
	}
}

// Address is the broker's host:port.
func (e *Embedded) Address() string { return e.address }

// Close ends the broker after everything is on disk, and frees the directory. Later calls return what the first one did.
func (e *Embedded) Close() error {
	e.close.Do(func() {
		e.cluster.Close()
		// The address goes before the lock: whoever finds the lock taken finds a broker, or none yet.
		err := os.Remove(filepath.Join(e.dir, addressFile))
		e.err = errors.Join(err, e.lock.Close())
	})
	return e.err
}

// start starts the broker under the lock.
func (e *Embedded) start(options EmbeddedOptions) (err error) {
	address := filepath.Join(e.dir, addressFile)
	// What a killed process left must not be taken for ours.
	if err := os.Remove(address); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	settings := []kfake.Opt{
		kfake.NumBrokers(1), kfake.DataDir(e.dir), kfake.SyncWrites(), kfake.DefaultNumPartitions(defaultPartitions),
		kfake.ClusterID("millrace-embedded"), kfake.WithLogger(brokerLog{options.Logger}),
	}
	if options.MaxMessageBytes > 0 {
		settings = append(settings, kfake.BrokerConfigs(map[string]string{"message.max.bytes": fmt.Sprint(options.MaxMessageBytes)}))
	}
	if e.cluster, err = kfake.NewCluster(settings...); err != nil {
		return err
	}
	e.address = e.cluster.ListenAddrs()[0]
	if err := writeWhole(address, e.address); err != nil {
		e.cluster.Close()
		return err
	}
	return nil
}

// lockDirectory takes the lock. It waits a moment for who only looks whether somebody has it.
func lockDirectory(ctx context.Context, dir string) (*flock.Flock, error) {
	ctx, cancel := context.WithTimeout(ctx, 10*askAgain)
	defer cancel()
	lock := flock.New(filepath.Join(dir, lockFile), flock.SetPermissions(0o600))
	locked, err := lock.TryLockContext(ctx, askAgain)
	switch {
	case locked:
		return lock, nil
	case errors.Is(err, context.DeadlineExceeded):
		err = ErrRunning
	}
	return nil, errors.Join(fmt.Errorf("locking %q: %w", filepath.Join(dir, lockFile), err), lock.Close())
}

// answers says whether something that speaks Kafka's protocol is at the address.
func answers(ctx context.Context, address string) bool {
	s := config.Kafka{Brokers: []string{address}, Producer: config.Producer{Idempotent: true}}
	c, err := adminConfig(s)
	if err != nil {
		return false
	}
	c.Metadata.Retry.Max, c.Net.DialTimeout, c.Net.ReadTimeout = 0, time.Second, time.Second
	client, err := connect(ctx, s.Brokers, c)
	return err == nil && client.Close() == nil
}

// writeWhole writes the file so that a reader sees all of it or nothing.
func writeWhole(path, text string) error {
	if err := os.WriteFile(path+".new", []byte(text), 0o600); err != nil {
		return err
	}
	return os.Rename(path+".new", path)
}

// brokerLog passes the broker's errors on.
type brokerLog struct{ logger *slog.Logger }

// Logf implements the broker's interface for its log.
func (l brokerLog) Logf(level kfake.LogLevel, format string, values ...any) {
	if l.logger != nil && level == kfake.LogLevelError {
		l.logger.Error("embedded broker: " + fmt.Sprintf(format, values...))
	}
}
