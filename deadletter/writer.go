package deadletter

import (
	"cmp"
	"context"
	"fmt"

	"github.com/prantikov/millrace/record"
)

// Publisher sends records to the partitions that they name; one that the topic does not have stands for the partition of the key.
// kafka.NewDeadLetterPublisher makes one that keeps trying for two minutes and takes records of every size.
type Publisher interface {
	PublishToPartitions(ctx context.Context, records []*record.Record) ([]record.Position, error)
}

// Writer writes dead letters: the record as it is, with headers appended, to the same partition of the topic's dead-letter topic. It is safe for
// concurrent use. It is the router's DeadLetters.
type Writer struct {
	publisher Publisher
	suffix    string
}

// NewWriter returns a writer to the topics that have suffix behind the name of the source; "" means [DefaultSuffix].
func NewWriter(publisher Publisher, suffix string) *Writer {
	return &Writer{publisher: publisher, suffix: cmp.Or(suffix, DefaultSuffix)}
}

// Write returns nil when all in-sync replicas have the dead letter. Any error means that the outcome is unknown: the caller must not go on,
// and writes the letter again. The error names the record by its position and its size, and quotes nothing of it.
func (w *Writer) Write(ctx context.Context, letter record.Letter) error {
	r := letter.Record
	own, appended := ownHeaders(r, w.suffix), failureHeaders(letter)
	headers := make([]record.Header, 0, len(own)+len(appended))
	headers = append(append(headers, own...), appended...)
	dead := &record.Record{
		Position:  record.Position{Topic: r.Topic + w.suffix, Partition: r.Partition, Offset: -1},
		Timestamp: r.Timestamp,
		Key:       r.Key,
		Value:     r.Value,
		Headers:   headers,
	}
	if _, err := w.publisher.PublishToPartitions(ctx, []*record.Record{dead}); err != nil {
		return fmt.Errorf("sending %q with %d bytes to its dead-letter topic: %w", r.Position.String(), dead.Size(), err)
	}
	return nil
}
