package groundwork

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base32"
	"encoding/hex"
	"regexp"
	"strings"

	"github.com/google/uuid"
)

// secretLength is how many letters and digits a secret has, of five bits each.
const secretLength = 26

// SecretKey makes the secrets of opinions. It lies outside the database. Without a key secrets are drawn, and a secret whose answer was lost is lost.
type SecretKey []byte

// Of is the secret of an opinion: 26 letters and digits that nobody can guess and a person can copy. With a key it is the same each time.
func (k SecretKey) Of(opinion uuid.UUID) string {
	if len(k) == 0 {
		return rand.Text()
	}
	h := hmac.New(sha256.New, k)
	h.Write([]byte("secret of opinion "))
	h.Write(opinion[:])
	return base32.StdEncoding.EncodeToString(h.Sum(nil))[:secretLength]
}

// Again is the secret of an opinion, told once more to whoever sends the same request again; empty if it was made without this key.
func (k SecretKey) Again(opinion uuid.UUID, digest []byte) string {
	if len(k) == 0 {
		return ""
	}
	if secret := k.Of(opinion); hmac.Equal(SecretDigest(secret), digest) {
		return secret
	}
	return ""
}

// ReporterKey is by what the vault finds the pseudonym of somebody whom another application names by an account, a phone or a device: it tells the same
// from another, and whoever has no key cannot try numbers until one fits. Without a key nobody is found again.
func (k SecretKey) ReporterKey(source, named string) (key string, ok bool) {
	if len(k) == 0 {
		return "", false
	}
	h := hmac.New(sha256.New, k)
	h.Write([]byte("reporter of " + source + "\x00" + named))
	return reporterKeyPrefix + hex.EncodeToString(h.Sum(nil)), true
}

// reporterKeyPrefix tells keys of the vault that are hashed from those that are not.
const reporterKeyPrefix = "hmac:"

// SecretDigest is what is kept of a secret. How it is written does not matter: letters may be small, and spaces and dashes stand anywhere.
func SecretDigest(secret string) []byte {
	digest := sha256.Sum256([]byte(strings.ToUpper(strings.NewReplacer(" ", "", "-", "", "\t", "", "\n", "").Replace(secret))))
	return digest[:]
}

// randomUUID is the form of UUIDs that cannot be guessed: of version 4, or 7, which has 74 random bits.
var randomUUID = regexp.MustCompile(`^(?i)[0-9a-f]{8}-[0-9a-f]{4}-[47][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`)

// CheckRetry examines the clientMutationId of a request. Those without an account are told apart by nothing else, so theirs must be one
// that nobody else has.
func (a Actor) CheckRetry() error {
	return check(a.ID != Anonymous.ID || a.Via.ClientMutationID == "" || randomUUID.MatchString(a.Via.ClientMutationID), "clientMutationId",
		"clientMutationId %.40q could be that of somebody else; without an account give a random UUID (version 4 or 7), or leave it out", a.Via.ClientMutationID)
}
