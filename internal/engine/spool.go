package engine

import (
	"errors"
	"fmt"
	"io"
	"os"

	"golang.org/x/sys/unix"
)

// spool holds bytes for the engine, or from it, behind a path that only this process can open: in memory up to a size,
// on disk (in a file without a name) above it. Data of an INSERT is complete here before the engine sees any of it, so a
// client that dies half way inserts nothing.
type spool struct {
	file   *os.File
	dir    string
	size   int64
	limit  int64
	onDisk bool
}

const spoolInMemory = 32 << 20

var errSpoolFull = errors.New("too much data")

func newMemorySpool(dir string, limit int64) (*spool, error) {
	fd, err := unix.MemfdCreate("groundwork-spool", unix.MFD_CLOEXEC)
	if err != nil {
		return newDiskSpool(dir, limit)
	}
	return &spool{file: os.NewFile(uintptr(fd), "spool"), dir: dir, limit: limit}, nil
}

func newDiskSpool(dir string, limit int64) (*spool, error) {
	file, err := unnamedFile(dir)
	if err != nil {
		return nil, err
	}
	return &spool{file: file, dir: dir, limit: limit, onDisk: true}, nil
}

func unnamedFile(dir string) (*os.File, error) {
	file, err := os.CreateTemp(dir, "spool-*")
	if err != nil {
		return nil, fmt.Errorf("make a spool file: %w", err)
	}
	if err := os.Remove(file.Name()); err != nil {
		file.Close()
		return nil, fmt.Errorf("make a spool file: %w", err)
	}
	return file, nil
}

// Write implements io.Writer.
func (s *spool) Write(p []byte) (int, error) {
	if s.size+int64(len(p)) > s.limit {
		return 0, fmt.Errorf("%w: at most %d bytes", errSpoolFull, s.limit)
	}
	if !s.onDisk && s.size+int64(len(p)) > spoolInMemory {
		if err := s.moveToDisk(); err != nil {
			return 0, err
		}
	}
	n, err := s.file.Write(p)
	s.size += int64(n)
	return n, err
}

func (s *spool) moveToDisk() error {
	file, err := unnamedFile(s.dir)
	if err != nil {
		return err
	}
	if _, err = s.file.Seek(0, io.SeekStart); err == nil {
		_, err = io.Copy(file, s.file)
	}
	if err != nil {
		file.Close()
		return fmt.Errorf("move a spool to disk: %w", err)
	}
	s.file.Close()
	s.file, s.onDisk = file, true
	return nil
}

// path opens the spool, from its start, for as long as the spool is not closed.
func (s *spool) path() string { return fdPath(s.file) }

func (s *spool) Close() error { return s.file.Close() }

func fdPath(f *os.File) string { return fmt.Sprintf("/proc/self/fd/%d", f.Fd()) }
