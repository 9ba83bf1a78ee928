package embedded

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// readSecret returns the password in the file, "" if there is none.
func readSecret(path string) (string, error) {
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("read password: %w", err)
	}
	return strings.TrimSpace(string(text)), nil
}

// replaceFile writes a file that only its owner can read. After a kill it has the old content or the new, never a part.
func replaceFile(path, text string) error {
	temporary, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+"-") // mode 0600
	if err != nil {
		return notWritable(filepath.Dir(path), err)
	}
	defer os.Remove(temporary.Name()) // nothing to remove once renamed
	_, err = temporary.WriteString(text)
	if err == nil {
		err = temporary.Sync()
	}
	if err := errors.Join(err, temporary.Close()); err != nil {
		return notWritable(filepath.Dir(path), err)
	}
	return os.Rename(temporary.Name(), path)
}

// keepSecret returns the wanted password, else the one in the file, else a new one, and leaves it in the file.
func keepSecret(path, wanted string) (string, error) {
	stored, err := readSecret(path)
	if err != nil {
		return "", err
	}
	secret := wanted
	if secret == "" {
		secret = stored
	}
	if secret == "" {
		secret = newSecret()
	}
	if secret == stored {
		return secret, nil
	}
	return secret, replaceFile(path, secret+"\n")
}

// KeepKey returns the secret in the file, and makes it at the first time, for its owner alone.
func KeepKey(path string) (string, error) {
	if err := makeDirs(filepath.Dir(path)); err != nil {
		return "", err
	}
	return keepSecret(path, "")
}

// newSecret returns a random password of letters and digits with at least 128 bits.
func newSecret() string { return rand.Text() }
