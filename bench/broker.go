package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/prantikov/millrace/kafka"
)

// started is what the embedded broker's process says.
type started struct {
	Address string `json:"address"`
}

// serveBroker is the whole of the embedded broker's process. It ends with its input and not with a signal: a terminal's Ctrl-C reaches it too, and
// the topics are still to be removed.
func serveBroker(ctx context.Context, in io.Reader, out io.Writer) error {
	dir, err := os.MkdirTemp("", "millrace-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	broker, err := kafka.StartEmbedded(context.WithoutCancel(ctx), dir, kafka.EmbeddedOptions{Logger: slog.New(slog.NewTextHandler(os.Stderr, nil))})
	if err != nil {
		return err
	}
	if err := json.NewEncoder(out).Encode(started{broker.Address()}); err != nil {
		return errors.Join(err, broker.Close())
	}
	_, _ = io.Copy(io.Discard, in)
	return broker.Close()
}

// brokers is the Kafka that is measured on.
type brokers struct {
	addresses []string
	embedded  bool
	client    *kgo.Client
	admin     *kadm.Client
}

// openBrokers connects to the brokers that were named, or starts the embedded one in a process of its own, so that its work is not counted
// as ours and no peer is slowed by its garbage collection.
func openBrokers(ctx context.Context, o options) (*brokers, func(), error) {
	b := &brokers{addresses: o.addresses()}
	end := func() {}
	if len(b.addresses) == 0 {
		// Not ctx: topics are still to be removed after a signal.
		p, err := startProcess(context.WithoutCancel(ctx), modeBroker, os.Stderr)
		if err != nil {
			return nil, nil, err
		}
		end = func() { _ = p.end() }
		var s started
		if err := p.hear(&s); err != nil {
			end()
			return nil, nil, fmt.Errorf("starting the embedded broker: %w", err)
		}
		b.addresses, b.embedded = []string{s.Address}, true
	}
	client, err := kgo.NewClient(kgo.SeedBrokers(b.addresses...), kgo.DisableClientMetrics())
	if err != nil {
		end()
		return nil, nil, fmt.Errorf("connecting to %q: %w", b.addresses, err)
	}
	b.client, b.admin = client, kadm.NewClient(client)
	if err := client.Ping(ctx); err != nil {
		client.Close()
		end()
		return nil, nil, fmt.Errorf("connecting to %q: %w", b.addresses, err)
	}
	return b, func() { client.Close(); end() }, nil
}

// version is what the brokers say of theirs.
func (b *brokers) version(ctx context.Context) string {
	if b.embedded {
		return "the embedded broker"
	}
	versions, err := b.admin.ApiVersions(ctx)
	if err != nil {
		return "Apache Kafka"
	}
	for _, one := range versions {
		if one.Err == nil {
			return fmt.Sprintf("%d node(s) of Apache Kafka %s", len(versions), one.VersionGuess())
		}
	}
	return "Apache Kafka"
}

// createTopics makes topics with one replica.
func (b *brokers) createTopics(ctx context.Context, partitions int, topics ...string) error {
	created, err := b.admin.CreateTopics(ctx, int32(partitions), 1, nil, topics...)
	if err == nil {
		err = created.Error()
	}
	if err != nil {
		return fmt.Errorf("creating topics %q: %w", topics, err)
	}
	return b.awaitLeaders(ctx, topics)
}

// awaitLeaders waits until every partition answers: a broker knows of a topic before it leads it, and a peer that comes too early would
// begin with a pause.
func (b *brokers) awaitLeaders(ctx context.Context, topics []string) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for {
		offsets, err := b.admin.ListEndOffsets(ctx, topics...)
		if err == nil {
			err = offsets.Error()
		}
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("waiting for the leaders of topics %q: %w", topics, err)
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// remove removes topics and groups of ours, also when ctx has ended. What is not there is fine.
func (b *brokers) remove(ctx context.Context, topics, groups []string) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), patience)
	defer cancel()
	if len(groups) > 0 {
		_, _ = b.admin.DeleteGroups(ctx, groups...)
	}
	if len(topics) > 0 {
		_, _ = b.admin.DeleteTopics(ctx, topics...)
	}
}
