package control

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"syscall"
)

const (
	socketName = "control.sock"
	// longestAddress is what every system takes; Linux takes four bytes more than macOS.
	longestAddress = 103
)

// ErrNotRunning says that no process listens in the data directory.
var ErrNotRunning = errors.New("no millrace runs in data directory")

// listen opens the socket in the data directory, for the directory's owner alone. Whoever calls it holds the directory's lock, so a
// socket that is there already was left by a process that was killed.
func listen(ctx context.Context, directory string) (net.Listener, error) {
	path := filepath.Join(directory, socketName)
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("replacing the control socket that an earlier process left: %w", err)
	}
	address, done, err := socketAddress(directory)
	if err != nil {
		return nil, err
	}
	defer done()
	var config net.ListenConfig
	listener, err := config.Listen(ctx, "unix", address)
	if err != nil {
		return nil, fmt.Errorf("opening the control socket %q: %w", path, err)
	}
	// It would remove the name that it was bound by, and that may be gone.
	listener.(*net.UnixListener).SetUnlinkOnClose(false)
	if err := os.Chmod(path, 0o600); err != nil {
		return nil, errors.Join(fmt.Errorf("closing the control socket %q to others: %w", path, err), listener.Close(), os.Remove(path))
	}
	return listener, nil
}

// dial connects to the process that listens in the data directory. The error is [ErrNotRunning] when none does.
func dial(ctx context.Context, directory string) (net.Conn, error) {
	// A socket that nobody listens on any more refuses; without this, a link would be made for nothing.
	if _, err := os.Lstat(filepath.Join(directory, socketName)); errors.Is(err, fs.ErrNotExist) {
		return nil, ErrNotRunning
	}
	address, done, err := socketAddress(directory)
	if err != nil {
		return nil, err
	}
	defer done()
	var dialer net.Dialer
	connection, err := dialer.DialContext(ctx, "unix", address)
	if err != nil && refused(err) {
		return nil, ErrNotRunning
	}
	return connection, err
}

// socketAddress is a name of the directory's socket that is short enough for an address: its path, or one through a link that done
// removes. What was bound or connected by then needs the name no more.
func socketAddress(directory string) (address string, done func(), err error) {
	path := filepath.Join(directory, socketName)
	if len(path) <= longestAddress {
		return path, func() {}, nil
	}
	tooLong := func(why error) error {
		return fmt.Errorf("the path of the control socket %q has %d bytes, an address has at most %d: use a data directory with a shorter path (data_dir, --data-dir); a link to it was tried: %w",
			path, len(path), longestAddress, why)
	}
	absolute, err := filepath.Abs(directory)
	if err != nil {
		return "", nil, tooLong(err)
	}
	scratch, err := os.MkdirTemp("", "millrace")
	if err != nil {
		return "", nil, tooLong(err)
	}
	done = func() { _ = os.RemoveAll(scratch) }
	link := filepath.Join(scratch, "d")
	address = filepath.Join(link, socketName)
	if err := os.Symlink(absolute, link); err != nil {
		done()
		return "", nil, tooLong(err)
	}
	if len(address) > longestAddress {
		done()
		return "", nil, tooLong(fmt.Errorf("%q is too long as well", address))
	}
	return address, done, nil
}

// connectionRefused is how Windows says it.
const connectionRefused = syscall.Errno(10061)

// refused says whether the socket's process is gone.
func refused(err error) bool {
	return errors.Is(err, syscall.ECONNREFUSED) || errors.Is(err, connectionRefused) || errors.Is(err, fs.ErrNotExist)
}
