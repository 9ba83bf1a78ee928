package groundwork

import (
	"crypto/rand"
	"crypto/sha256"
	"strings"
)

// NewSecret draws the secret of an opinion: 26 letters and digits that nobody can guess and a person can copy.
func NewSecret() string { return rand.Text() }

// SecretDigest is what is kept of a secret. How it is written does not matter: letters may be small, and spaces and dashes stand anywhere.
func SecretDigest(secret string) []byte {
	digest := sha256.Sum256([]byte(strings.ToUpper(strings.NewReplacer(" ", "", "-", "", "\t", "", "\n", "").Replace(secret))))
	return digest[:]
}
