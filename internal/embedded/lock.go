package embedded

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

// LockedError says that another process uses the directory.
type LockedError struct {
	Dir string
	// Holder is the process id of the other process as it wrote it down; empty when unknown.
	Holder string
}

func (e *LockedError) Error() string {
	holder := "another process"
	if e.Holder != "" {
		holder = "process " + e.Holder
	}
	return fmt.Sprintf("data directory %s is in use by %s: stop it, or choose another directory (--data-dir or GROUNDWORK_DATA)",
		e.Dir, holder)
}

// LockDataDir makes dir if needed and takes it for this process alone. It fails with a *LockedError if another process
// has it. The lock belongs to the open file, so that it vanishes with the process, also after kill -9; unlock gives it
// back earlier and may be called twice.
func LockDataDir(dir string) (unlock func(), err error) {
	dir, err = filepath.Abs(dir)
	if err != nil {
		return nil, fmt.Errorf("lock data directory: %w", err)
	}
	if err := makeDirs(dir); err != nil {
		return nil, err
	}
	return lockFile(filepath.Join(dir, "groundwork.lock"), dir)
}

// lockFile locks path on behalf of dir without waiting, and writes the own process id into it for the error of others.
func lockFile(path, dir string) (unlock func(), err error) {
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, notWritable(dir, err)
	}
	if err := unix.Flock(int(file.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		defer file.Close()
		if !errors.Is(err, unix.EWOULDBLOCK) {
			return nil, fmt.Errorf("lock %s: %w (the file system must support flock)", path, err)
		}
		holder, _ := io.ReadAll(io.LimitReader(file, 32))
		return nil, &LockedError{Dir: dir, Holder: strings.TrimSpace(string(holder))}
	}
	if err := writePID(file); err != nil {
		file.Close()
		return nil, notWritable(dir, err)
	}
	// The file stays: removing it would let a third process lock a new file while a second holds the old one.
	return func() { file.Close() }, nil
}

func writePID(file *os.File) error {
	if err := file.Truncate(0); err != nil {
		return err
	}
	_, err := file.WriteAt(fmt.Appendf(nil, "%d\n", os.Getpid()), 0)
	return err
}

// makeDirs makes dir and its missing parents. Those it makes get mode 0711: the unprivileged user that Postgres runs as
// must be able to pass through them, whatever the umask; the directories with data in them are 0700 each.
func makeDirs(dir string) error {
	info, err := os.Stat(dir)
	if err == nil {
		if !info.IsDir() {
			return fmt.Errorf("data directory %s is a file: choose another directory (--data-dir or GROUNDWORK_DATA)", dir)
		}
		return nil
	}
	if !errors.Is(err, os.ErrNotExist) {
		return notWritable(dir, err)
	}
	if err := makeDirs(filepath.Dir(dir)); err != nil {
		return err
	}
	switch err := os.Mkdir(dir, 0o711); {
	case errors.Is(err, os.ErrExist): // somebody else made it in the meantime
		return nil
	case err != nil:
		return notWritable(dir, err)
	}
	if err := os.Chmod(dir, 0o711); err != nil { // against the umask
		return notWritable(dir, err)
	}
	return nil
}

func notWritable(dir string, err error) error {
	return fmt.Errorf("data directory %s cannot be written: %w: give this user the right to write there, or choose another directory (--data-dir or GROUNDWORK_DATA)",
		dir, err)
}
