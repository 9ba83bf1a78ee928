package files

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"os"
)

// receive copies r to a new file below dir and returns it, at its end, with the hash and size of what it holds. The caller closes and
// removes it.
func receive(ctx context.Context, dir string, r io.Reader, limit int64) (f *os.File, sum string, size int64, err error) {
	f, err = os.CreateTemp(dir, "incoming-*")
	if err != nil {
		return nil, "", 0, fmt.Errorf("keep a file: %w", err)
	}
	hash := sha256.New()
	size, err = io.Copy(io.MultiWriter(f, hash), io.LimitReader(cancelled{ctx, r}, limit+1))
	switch {
	case err != nil:
		err = fmt.Errorf("receive a file: %w", err)
	case size > limit:
		err = ErrTooLarge
	default:
		return f, hex.EncodeToString(hash.Sum(nil)), size, nil
	}
	discard(f)
	return nil, "", 0, err
}

// discard ends a received file: it is gone, or a second copy.
func discard(f *os.File) {
	_ = f.Close()
	_ = os.Remove(f.Name())
}

// isHash reports whether sum is the SHA-256 of something, in hexadecimal.
func isHash(sum string) bool {
	raw, err := hex.DecodeString(sum)
	return err == nil && len(raw) == sha256.Size
}

// cancelled ends a read when its context does.
type cancelled struct {
	ctx context.Context
	io.Reader
}

// Read implements io.Reader.
func (c cancelled) Read(p []byte) (int, error) {
	if err := c.ctx.Err(); err != nil {
		return 0, err
	}
	return c.Reader.Read(p)
}
