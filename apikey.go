package groundwork

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"regexp"
	"time"

	"github.com/google/uuid"
)

// APIScope is what the holder of a key may do.
type APIScope string

// ScopeOpen311 lets an application file service requests over Open311.
const ScopeOpen311 APIScope = "OPEN311"

// APIKey lets an application act under an account. The key itself is shown once, when it is made; only its digest is kept.
type APIKey struct {
	ID         uuid.UUID
	Account    string // names the application; its opinions have the source "open311:" and this
	Scopes     []APIScope
	CreatedAt  time.Time
	ExpiresAt  *time.Time // nil = never
	RevokedAt  *time.Time
	LastUsedAt *time.Time // to the hour
}

// APIKeyStore keeps the keys of applications.
type APIKeyStore interface {
	// CreateAPIKey makes a key and returns it beside its record, this once.
	CreateAPIKey(ctx context.Context, by Actor, k APIKey) (created *APIKey, key string, err error)
	APIKeys(ctx context.Context, p PageRequest) (Page[*APIKey], error) // ordered by created_at descending
	// RevokeAPIKey ends a key for good; to revoke it again changes nothing. CodeNotFound if there is none.
	RevokeAPIKey(ctx context.Context, by Actor, id uuid.UUID) (*APIKey, error)
	// Authenticate returns the record of a key that is valid now and has the scope, and notes its use; else CodeForbidden.
	Authenticate(ctx context.Context, key string, scope APIScope) (*APIKey, error)
}

var accountName = regexp.MustCompile(`^[a-z0-9][a-z0-9._-]{0,62}$`)

// Validate examines a new key, seen at now.
func (k APIKey) Validate(now time.Time) error {
	return firstError(
		check(accountName.MatchString(k.Account), "account", "account %q: give 1 to 63 of a-z, 0-9, dot, dash and underscore, beginning with a letter or digit", k.Account),
		check(len(k.Scopes) > 0, "scopes", "a key needs a scope: %s", ScopeOpen311),
		check(k.ExpiresAt == nil || k.ExpiresAt.After(now), "expiresAt", "a key that has expired already is of no use; give a later time"),
		each(k.Scopes, func(s APIScope) error { return oneOf("scopes", s, ScopeOpen311) }),
	)
}

// Usable examines that the key is valid at now and has the scope.
func (k *APIKey) Usable(now time.Time, scope APIScope) error {
	switch {
	case k == nil:
		return Errorf(CodeForbidden, "the API key is unknown; ask the operator for one")
	case k.RevokedAt != nil:
		return Errorf(CodeForbidden, "the API key was revoked; ask the operator for another")
	case k.ExpiresAt != nil && !k.ExpiresAt.After(now):
		return Errorf(CodeForbidden, "the API key expired on %s; ask the operator for another", DayOf(*k.ExpiresAt))
	}
	for _, s := range k.Scopes {
		if s == scope {
			return nil
		}
	}
	return Errorf(CodeForbidden, "the API key is not for this (scope %s is missing); ask the operator for one that is", scope)
}

// keyPrefix makes keys recognisable, to people and to scanners of leaked secrets.
const keyPrefix = "gwk_"

// NewKey draws a key that nobody can guess.
func NewKey() string {
	var secret [32]byte
	_, _ = rand.Read(secret[:]) // never fails
	return keyPrefix + base64.RawURLEncoding.EncodeToString(secret[:])
}

// KeyDigest is what is kept of a key. A plain digest suffices: a key has 256 random bits, so there is nothing to guess.
func KeyDigest(key string) []byte {
	digest := sha256.Sum256([]byte(key))
	return digest[:]
}

func each[T any](items []T, examine func(T) error) error {
	for _, item := range items {
		if err := examine(item); err != nil {
			return err
		}
	}
	return nil
}
