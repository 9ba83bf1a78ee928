package app

import (
	"crypto/hkdf"
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"groundwork/internal/embedded"
)

// minKey is how many characters a key has at least.
const minKey = 26

// auditKey is the key of the audit's seals; without one nothing is sealed.
func (c Config) auditKey() ([]byte, error) { return c.keyOf("groundwork audit") }

// secretKey is the key that the secrets of opinions are made with; without one they are drawn, and told once.
func (c Config) secretKey() ([]byte, error) { return c.keyOf("groundwork opinion secrets") }

// keyOf derives the key for a purpose from the file of --security-key. With the embedded Postgres the file is made in the data directory;
// for a server of your own without a file there is none.
func (c Config) keyOf(purpose string) ([]byte, error) {
	secret, err := c.secret()
	if err != nil || secret == "" {
		return nil, err
	}
	return hkdf.Key(sha256.New, []byte(secret), nil, purpose, sha256.Size)
}

func (c Config) secret() (string, error) {
	if c.SecurityKey == "" {
		if !c.embeddedPostgres() {
			return "", nil
		}
		return embedded.KeepKey(filepath.Join(c.DataDir, "security.key"))
	}
	info, err := os.Stat(c.SecurityKey)
	if err != nil {
		return "", fmt.Errorf("--security-key (GROUNDWORK_SECURITY_KEY): %w: make it by (umask 077; openssl rand -hex 32 > FILE)", err)
	}
	if info.Mode().Perm()&0o077 != 0 {
		return "", fmt.Errorf("--security-key (GROUNDWORK_SECURITY_KEY) %s: others than its owner may read it: chmod 600 it", c.SecurityKey)
	}
	text, err := os.ReadFile(c.SecurityKey)
	if err != nil {
		return "", fmt.Errorf("--security-key (GROUNDWORK_SECURITY_KEY): %w", err)
	}
	secret := strings.TrimSpace(string(text))
	if len(secret) < minKey {
		return "", fmt.Errorf("--security-key (GROUNDWORK_SECURITY_KEY) %s: it has %d characters, give at least %d random ones", c.SecurityKey, len(secret), minKey)
	}
	return secret, nil
}
