package postgres

import (
	"context"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"groundwork"
)

// HashReporterKeys replaces contacts, and user names of the sources of imports, that stand in the vault in clear, from before they were hashed, and says how many. It acts as the owner of the
// tables and needs the key of the secrets; once there are none, the database holds that there never will be.
func (db *DB) HashReporterKeys(ctx context.Context) (done int, err error) {
	type reporter struct {
		PID                 uuid.UUID
		Source, ExternalKey string
	}
	for {
		n := 0
		_, err := db.write(ctx, groundwork.System, "hash reporters' keys", func(tx pgx.Tx) error {
			clear, err := collect[reporter](ctx, tx, "read reporters", `SELECT pid, source, external_key FROM vault.reporter
				WHERE source <> 'groundwork' AND external_key !~ '^hmac:[0-9a-f]{64}$' ORDER BY pid LIMIT @limit FOR UPDATE`, pgx.NamedArgs{"limit": rekeyBatch})
			if err != nil || len(clear) == 0 {
				return err
			}
			if len(db.secretKey) == 0 {
				return groundwork.Errorf(groundwork.CodeInvalid, "the vault holds contacts, or user names of imports, in clear; name the key to hash them with by --security-key (GROUNDWORK_SECURITY_KEY)")
			}
			for _, r := range clear {
				key, _ := db.secretKey.ReporterKey(r.Source, r.ExternalKey)
				if _, err := tx.Exec(ctx, "UPDATE vault.reporter SET external_key = @key WHERE pid = @pid", pgx.NamedArgs{"key": key, "pid": r.PID}); err != nil {
					return err
				}
			}
			n = len(clear)
			return nil
		})
		if err != nil {
			return done, err
		}
		if n == 0 {
			break
		}
		done += n
	}
	_, err = db.write(ctx, groundwork.System, "hash reporters' keys", func(tx pgx.Tx) error {
		_, err := tx.Exec(ctx, "ALTER TABLE vault.reporter VALIDATE CONSTRAINT reporter_key_is_hashed")
		return err
	})
	return done, err
}
