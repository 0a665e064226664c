package replay

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"time"

	"github.com/prantikov/millrace/progress"
)

// Checkpoint is how far a replay is, for whoever goes on with it. It has positions and counts, and neither a key nor anything of a record.
type Checkpoint struct {
	Version int       `json:"version"`
	Began   time.Time `json:"began"`
	// Topics has the ids that the brokers gave the topics: others of the same names have other records.
	Topics map[string]string `json:"topics"`
	// Parts are what was to be replayed when it began.
	Parts []checkpointPart `json:"parts"`
	// Consumers has how far each is.
	Consumers map[string][]checkpointPart `json:"consumers"`
}

// checkpointVersion is the form of the file.
const checkpointVersion = 1

type checkpointPart struct {
	Topic     string         `json:"topic"`
	Partition int32          `json:"partition"`
	From      int64          `json:"from"`
	To        int64          `json:"to"`
	Done      []progress.Run `json:"done,omitempty"`
	Tally     Tally          `json:"tally,omitzero"`
}

// NewCheckpoint is the checkpoint of a replay that begins.
func NewCheckpoint(topics map[string]string, parts []Part) *Checkpoint {
	c := &Checkpoint{Version: checkpointVersion, Began: time.Now().UTC().Truncate(time.Second), Topics: topics, Consumers: map[string][]checkpointPart{}}
	for _, part := range parts {
		c.Parts = append(c.Parts, kept(part))
	}
	return c
}

// Of says whether the topics are still those of the replay.
func (c *Checkpoint) Of(topics map[string]string) bool { return maps.Equal(c.Topics, topics) }

// All are the parts of the whole replay.
func (c *Checkpoint) All() []Part { return partsOf(c.Parts) }

// Rest are the parts that a consumer has still to be given, those of the topics that it takes; of one that has not begun all of them.
func (c *Checkpoint) Rest(consumer string, takes func(topic string) bool) []Part {
	if rest, begun := c.Consumers[consumer]; begun {
		return partsOf(rest)
	}
	var parts []Part
	for _, part := range c.All() {
		if takes(part.Topic) {
			parts = append(parts, part)
		}
	}
	return parts
}

// Note notes how far a consumer is.
func (c *Checkpoint) Note(consumer string, standings []Standing) {
	noted := make([]checkpointPart, len(standings))
	for i, at := range standings {
		noted[i] = kept(at.Rest())
	}
	c.Consumers[consumer] = noted
}

func kept(part Part) checkpointPart {
	return checkpointPart{Topic: part.Topic, Partition: part.Partition, From: part.From, To: part.To, Done: part.Done.Runs(), Tally: part.Tally}
}

func partsOf(kept []checkpointPart) []Part {
	parts := make([]Part, len(kept))
	for i, part := range kept {
		parts[i] = Part{Topic: part.Topic, Partition: part.Partition, From: part.From, To: part.To, Tally: part.Tally.Clone()}
		for _, run := range part.Done {
			parts[i].Done.AddRun(run)
		}
	}
	return parts
}

// ReadCheckpoint reads a checkpoint; nil where there is none. The error names a file that is none, or a later version's.
func ReadCheckpoint(path string) (*Checkpoint, error) {
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("reading the checkpoint of the replay: %w", err)
	}
	var c Checkpoint
	if err := json.Unmarshal(text, &c); err != nil {
		return nil, fmt.Errorf("reading the checkpoint of the replay, %q: %w; --restart begins anew", path, err)
	}
	if c.Version != checkpointVersion {
		return nil, fmt.Errorf("the checkpoint of the replay, %q, is of version %d, and this program knows %d; --restart begins anew", path, c.Version, checkpointVersion)
	}
	return &c, nil
}

// Save writes the checkpoint in place of the one before. After a crash one of the two is there.
func (c *Checkpoint) Save(path string) error {
	text, err := json.Marshal(c)
	if err == nil {
		err = replaceFile(path, append(text, '\n'))
	}
	if err != nil {
		return fmt.Errorf("writing the checkpoint of the replay: %w", err)
	}
	return nil
}

func replaceFile(path string, text []byte) error {
	file, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*")
	if err != nil {
		return err
	}
	_, err = file.Write(text)
	if err == nil {
		err = file.Sync()
	}
	if err = errors.Join(err, file.Close()); err == nil {
		err = os.Rename(file.Name(), path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(file.Name()))
	}
	return syncFolder(filepath.Dir(path))
}

// syncFolder writes the names in a folder to the disk. Windows has no such call, and does not need it.
func syncFolder(path string) error {
	if runtime.GOOS == "windows" {
		return nil
	}
	folder, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(folder.Sync(), folder.Close())
}
