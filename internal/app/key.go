package app

import (
	"crypto/hkdf"
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"groundwork"
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
	return c.keyFile(c.SecurityKey, "security.key", "--security-key (GROUNDWORK_SECURITY_KEY)")
}

// vaultKeys are the keys of --vault-key, one a line: the first encrypts identities, all decrypt. With the embedded Postgres the file is made
// in the data directory; for a server of your own without a file there are none, and no identities are kept.
func (c Config) vaultKeys() (groundwork.VaultKeys, error) {
	const option = "--vault-key (GROUNDWORK_VAULT_KEY)"
	text, err := c.keyFile(c.VaultKey, "vault.key", option)
	if err != nil || text == "" {
		return nil, err
	}
	var keys groundwork.VaultKeys
	for line := range strings.FieldsSeq(text) {
		if len(line) < minKey {
			return nil, fmt.Errorf("%s: a line has %d characters, give at least %d random ones", option, len(line), minKey)
		}
		derived, err := hkdf.Key(sha256.New, []byte(line), nil, "groundwork vault", sha256.Size)
		if err != nil {
			return nil, err
		}
		key, err := groundwork.NewVaultKey(derived)
		if err != nil {
			return nil, err
		}
		keys = append(keys, key)
	}
	return keys, nil
}

// keyFile is what the file that an option names holds; without an option, that of the data directory, which is made for the embedded Postgres.
func (c Config) keyFile(path, kept, option string) (string, error) {
	if path == "" {
		if !c.embeddedPostgres() {
			return "", nil
		}
		return embedded.KeepKey(filepath.Join(c.DataDir, kept))
	}
	return readKey(path, option)
}

// readKey is what the file that an option names holds: it has to be long enough, and for its owner alone.
func readKey(path, option string) (string, error) {
	info, err := os.Stat(path)
	if err != nil {
		return "", fmt.Errorf("%s: %w: make it by (umask 077; openssl rand -hex 32 > FILE)", option, err)
	}
	if info.Mode().Perm()&0o077 != 0 {
		return "", fmt.Errorf("%s %s: others than its owner may read it: chmod 600 it", option, path)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return "", fmt.Errorf("%s: %w", option, err)
	}
	secret := strings.TrimSpace(string(text))
	if len(secret) < minKey {
		return "", fmt.Errorf("%s %s: it has %d characters, give at least %d random ones", option, path, len(secret), minKey)
	}
	return secret, nil
}
