package files

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"groundwork"
)

// Blobs keeps contents by their hash.
type Blobs interface {
	// Put keeps what r holds and returns its hash and size once it is safe against loss of power. It keeps nothing, and returns
	// ErrTooLarge, if that is more than limit bytes.
	Put(ctx context.Context, r io.Reader, limit int64) (sha256 string, size int64, err error)
	// Open returns the content of a hash, or fs.ErrNotExist.
	Open(ctx context.Context, sha256 string) (io.ReadSeekCloser, error)
	groundwork.EvidenceContents
}

// ErrTooLarge says that a content is larger than allowed.
var ErrTooLarge = errors.New("the content is too large")

// Disk keeps contents as files below a directory: ab/cd... for the hash abcd... A file appears under its name only when all of it is
// on the disk, so a name never leads to half a content, whenever the power fails.
type Disk struct{ Dir string }

// Put implements Blobs.
func (d Disk) Put(ctx context.Context, r io.Reader, limit int64) (sum string, size int64, err error) {
	if err := os.MkdirAll(d.Dir, 0o700); err != nil {
		return "", 0, fmt.Errorf("keep a file: %w", err)
	}
	incoming, sum, size, err := receive(ctx, d.Dir, r, limit)
	if err != nil {
		return "", 0, err
	}
	defer discard(incoming)
	if err := incoming.Sync(); err != nil {
		return "", 0, fmt.Errorf("keep a file: %w", err)
	}
	return sum, size, d.place(incoming.Name(), sum)
}

// place gives a complete file its name, and makes the name itself safe.
func (d Disk) place(from, sum string) error {
	to := d.path(sum)
	if err := os.MkdirAll(filepath.Dir(to), 0o700); err != nil {
		return fmt.Errorf("keep a file: %w", err)
	}
	if err := os.Rename(from, to); err != nil {
		return fmt.Errorf("keep a file: %w", err)
	}
	return errors.Join(syncDir(filepath.Dir(to)), syncDir(d.Dir))
}

// Open implements Blobs.
func (d Disk) Open(_ context.Context, sum string) (io.ReadSeekCloser, error) {
	if !isHash(sum) {
		return nil, fs.ErrNotExist
	}
	f, err := os.Open(d.path(sum))
	if err != nil {
		return nil, fmt.Errorf("open a file: %w", err)
	}
	return f, nil
}

// Delete implements groundwork.EvidenceContents.
func (d Disk) Delete(_ context.Context, sum string) error {
	if !isHash(sum) {
		return fmt.Errorf("delete a file: %q is no hash", sum)
	}
	if _, err := os.Stat(d.Dir); err != nil {
		return fmt.Errorf("delete a file, where the files are or with --files: %w", err)
	}
	err := os.Remove(d.path(sum))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("delete a file: %w", err)
	}
	return syncDir(filepath.Dir(d.path(sum)))
}

func (d Disk) path(sum string) string { return filepath.Join(d.Dir, sum[:2], sum[2:]) }

func syncDir(name string) error {
	dir, err := os.Open(name)
	if err != nil {
		return fmt.Errorf("keep a file: %w", err)
	}
	return errors.Join(dir.Sync(), dir.Close())
}
