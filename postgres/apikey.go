package postgres

import (
	"context"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"groundwork"
)

var (
	_ groundwork.APIKeyStore  = (*DB)(nil)
	_ groundwork.ServiceStore = (*DB)(nil)
)

const apiKeyColumns = "id, account, scopes, created_at, expires_at, revoked_at, last_used_at"

// usesNoted is how finely the last use of a key is known.
const usesNoted = time.Hour

// CreateAPIKey implements groundwork.APIKeyStore.
func (db *DB) CreateAPIKey(ctx context.Context, by groundwork.Actor, k groundwork.APIKey) (created *groundwork.APIKey, key string, err error) {
	now := groundwork.Moment(db.now())
	if err := k.Validate(now); err != nil {
		return nil, "", err
	}
	key = groundwork.NewKey()
	_, err = db.write(ctx, by, "create API key", func(tx pgx.Tx) error {
		created, err = insert[groundwork.APIKey](ctx, tx, "api_key", apiKeyColumns, pgx.NamedArgs{
			"id": newID(k.ID), "account": k.Account, "digest": groundwork.KeyDigest(key), "scopes": k.Scopes, "created_at": now,
			"expires_at": k.ExpiresAt, "recorded_by": by.ID,
		})
		return err
	})
	if err != nil {
		return nil, "", err
	}
	return created, key, nil
}

// APIKeys implements groundwork.APIKeyStore.
func (db *DB) APIKeys(ctx context.Context, p groundwork.PageRequest) (groundwork.Page[*groundwork.APIKey], error) {
	newest := order[groundwork.APIKey]{name: "CREATED_DESC", expression: "created_at", cast: "timestamptz", descending: true,
		position: func(k *groundwork.APIKey) (string, uuid.UUID) { return moment(k.CreatedAt), k.ID }}
	return page(ctx, db, apiKeyColumns, "api_key", where(), newest, p)
}

// RevokeAPIKey implements groundwork.APIKeyStore.
func (db *DB) RevokeAPIKey(ctx context.Context, by groundwork.Actor, id uuid.UUID) (revoked *groundwork.APIKey, err error) {
	_, err = db.write(ctx, by, "revoke API key", func(tx pgx.Tx) error {
		revoked, err = one[groundwork.APIKey](ctx, tx, "revoke API key",
			"UPDATE api_key SET revoked_at = coalesce(revoked_at, @now) WHERE id = @id RETURNING "+apiKeyColumns,
			pgx.NamedArgs{"id": id, "now": db.now()})
		if err == nil && revoked == nil {
			err = groundwork.Errorf(groundwork.CodeNotFound, "there is no API key %s; `groundwork apikey list` shows them", id)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return revoked, nil
}

// Authenticate implements groundwork.APIKeyStore.
func (db *DB) Authenticate(ctx context.Context, key string, scope groundwork.APIScope) (*groundwork.APIKey, error) {
	now := db.now()
	found, err := one[groundwork.APIKey](ctx, db.reads(), "look up API key",
		"SELECT "+apiKeyColumns+" FROM api_key WHERE digest = @digest", pgx.NamedArgs{"digest": groundwork.KeyDigest(key)})
	if err != nil {
		return nil, err
	}
	if err := found.Usable(now, scope); err != nil {
		return nil, err
	}
	if found.LastUsedAt == nil || now.Sub(*found.LastUsedAt) > usesNoted {
		_, err = db.pool.Exec(ctx, "UPDATE api_key SET last_used_at = @now WHERE id = @id", pgx.NamedArgs{"now": now, "id": found.ID})
		if err != nil {
			return nil, translate("note the use of the API key", err)
		}
	}
	return found, nil
}
