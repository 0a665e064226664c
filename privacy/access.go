package privacy

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/user"
	"path/filepath"
	"runtime"
	"strconv"
	"time"
)

// AccessFile is the name of the list of accesses in the data directory.
const AccessFile = "access.jsonl"

// Access is one look at patient data.
type Access struct {
	Time time.Time `json:"time"`
	// User is the name of the operating system's user, UserID the number; the name alone could be another's on another machine.
	User   string `json:"user"`
	UserID string `json:"userId"`
	// Position is what was looked at, topic/partition/offset.
	Position string `json:"position"`
	// Reason is what the user said.
	Reason string `json:"reason"`
}

// NoteAccess adds a look at a position, now and by the user of this process, to the list of accesses in a directory. It returns once the line is
// on the disk. After an error nothing may be shown. The list is for the owner of the directory alone (mode 0600), and nothing here reads or
// shortens it.
func NoteAccess(directory, position, reason string) error {
	name, id := currentUser()
	line, err := json.Marshal(Access{Time: time.Now().UTC(), User: name, UserID: id, Position: position, Reason: reason})
	if err == nil {
		err = appendLine(filepath.Join(directory, AccessFile), line)
	}
	if err != nil {
		return fmt.Errorf("noting the access in %q of the data directory (data_dir, --data-dir): %w", AccessFile, err)
	}
	return nil
}

// currentUser is who runs this process. An image without a list of users knows the number alone.
func currentUser() (name, id string) {
	id = strconv.Itoa(os.Getuid())
	current, err := user.Current()
	if err != nil {
		return id, id
	}
	if current.Uid != "" { // on Windows it is no number
		id = current.Uid
	}
	return current.Username, id
}

// appendLine adds a line to a file and waits until the disk has it. What a process that was killed left of a line stays one of its own.
func appendLine(name string, line []byte) (err error) {
	_, before := os.Lstat(name)
	file, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	if err := file.Chmod(0o600); err != nil {
		return err
	}
	torn, err := endsTorn(file)
	if err != nil {
		return err
	}
	if torn {
		line = append([]byte("\n"), line...)
	}
	if _, err := file.Write(append(line, '\n')); err != nil {
		return err
	}
	if err := file.Sync(); err != nil {
		return err
	}
	if errors.Is(before, fs.ErrNotExist) {
		return syncDirectory(filepath.Dir(name))
	}
	return nil
}

// syncDirectory waits until the disk has the names in a directory. Windows has no such call, and does not need it.
func syncDirectory(directory string) error {
	if runtime.GOOS == "windows" {
		return nil
	}
	opened, err := os.Open(directory)
	if err != nil {
		return err
	}
	return errors.Join(opened.Sync(), opened.Close())
}

// endsTorn says whether a file's last line has no end.
func endsTorn(file *os.File) (bool, error) {
	info, err := file.Stat()
	if err != nil || info.Size() == 0 {
		return false, err
	}
	last := make([]byte, 1)
	if _, err := file.ReadAt(last, info.Size()-1); err != nil && !errors.Is(err, io.EOF) {
		return false, err
	}
	return last[0] != '\n', nil
}
