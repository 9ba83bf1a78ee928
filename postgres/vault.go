package postgres

import (
	"context"
	"fmt"
	"strings"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"groundwork"
)

var _ groundwork.VaultStore = (*DB)(nil)

// sealed is an identity as the doors of the vault hand it out.
type sealed struct {
	Of         uuid.UUID
	KeyID, Box []byte
}

// keepContact puts what a reporter said of itself into the vault.
func (db *DB) keepContact(ctx context.Context, tx pgx.Tx, pid uuid.UUID, c *groundwork.Contact) error {
	s, err := db.vaultKeys.Seal(pid, c)
	if err != nil {
		return err
	}
	return throughDoor(ctx, tx, "write_identity", pid, s)
}

func throughDoor(ctx context.Context, tx pgx.Tx, door string, whose uuid.UUID, s groundwork.Sealed) error {
	_, err := tx.Exec(ctx, "SELECT vault."+door+"(@whose, @key, @box)", pgx.NamedArgs{"whose": whose, "key": s.KeyID, "box": s.Box})
	return err
}

// ReadContacts implements groundwork.VaultStore. The door logs the reading and holds the same rule.
func (db *DB) ReadContacts(ctx context.Context, by groundwork.Actor, q groundwork.ContactQuery) (read []groundwork.Reporter, receipt groundwork.Receipt, err error) {
	if err := q.Validate(); err != nil {
		return nil, receipt, err
	}
	receipt, err = db.write(ctx, by, "read contact", func(tx pgx.Tx) error {
		opinions, err := opinionsAsked(ctx, tx, by, q)
		if err != nil {
			return err
		}
		boxes, err := collect[sealed](ctx, tx, "read identities", "SELECT pid AS of, key_id, box FROM vault.read_identities(@opinions, @why)",
			pgx.NamedArgs{"opinions": opinions, "why": strings.TrimSpace(q.Purpose)})
		if err != nil {
			return err
		}
		read = make([]groundwork.Reporter, len(boxes))
		for i, b := range boxes {
			read[i].PID = b.Of
			if err := db.vaultKeys.Open(b.Of, groundwork.Sealed{KeyID: b.KeyID, Box: b.Box}, &read[i].Contact); err != nil {
				return err
			}
			if by.Role != groundwork.RolePrivacyOfficer { // nobody solves a problem by the number of an identity card
				read[i].IDNumber = ""
			}
		}
		return nil
	})
	if err != nil {
		return nil, receipt, err
	}
	return read, receipt, nil
}

// opinionsAsked returns the opinions that a query is about; the actor may know who gave each of them.
func opinionsAsked(ctx context.Context, tx pgx.Tx, by groundwork.Actor, q groundwork.ContactQuery) ([]uuid.UUID, error) {
	type fact struct {
		ID uuid.UUID
		groundwork.ContactFacts
	}
	facts, err := collect[fact](ctx, tx, "look who handles it", `
		SELECT o.id, o.confidentiality, o.recorded_by, i.state,
			EXISTS (SELECT FROM dispatch_leg l WHERE l.issue_id = i.id AND l.unit_id = @unit AND l.returned_at IS NULL) AS in_hand,
			EXISTS (SELECT FROM dispatch_leg l WHERE l.issue_id = i.id AND l.unit_id = @unit) AS had,
			EXISTS (SELECT FROM post_holding p WHERE p.id = i.carrying_post_id AND p.official_id = @official) AS carried,
			access.reaches(coalesce(o.region_id, i.region_id)) AS reached
		FROM opinion o LEFT JOIN issue_opinion link ON link.opinion_id = o.id LEFT JOIN issue i ON i.id = link.issue_id
		WHERE o.id = @opinion OR i.id = @issue ORDER BY o.id LIMIT 1000`,
		pgx.NamedArgs{"opinion": q.OpinionID, "issue": q.IssueID, "unit": by.UnitID, "official": by.OfficialID})
	if err != nil {
		return nil, err
	}
	if len(facts) == 0 {
		return nil, groundwork.Errorf(groundwork.CodeNotFound, "there is no such opinion or issue; check the id")
	}
	ids := make([]uuid.UUID, len(facts))
	for i, f := range facts {
		if err := f.Check(by); err != nil {
			return nil, err
		}
		ids[i] = f.ID
	}
	return ids, nil
}

// NameOfficial implements groundwork.VaultStore.
func (db *DB) NameOfficial(ctx context.Context, by groundwork.Actor, n groundwork.OfficialName) (groundwork.Receipt, error) {
	if err := n.Validate(); err != nil {
		return groundwork.Receipt{}, err
	}
	s, err := db.vaultKeys.Seal(n.OfficialID, n)
	if err != nil {
		return groundwork.Receipt{}, err
	}
	return db.write(ctx, by, "name official", func(tx pgx.Tx) error { return throughDoor(ctx, tx, "write_official", n.OfficialID, s) })
}

// ReadOfficialNames implements groundwork.VaultStore.
func (db *DB) ReadOfficialNames(ctx context.Context, by groundwork.Actor, ids []uuid.UUID, purpose string) (names []groundwork.OfficialName, receipt groundwork.Receipt, err error) {
	if err := groundwork.CheckPurpose("purpose", purpose); err != nil {
		return nil, receipt, err
	}
	if err := groundwork.MayNameOfficials(by, ids); err != nil {
		return nil, receipt, err
	}
	receipt, err = db.write(ctx, by, "read officials' names", func(tx pgx.Tx) error {
		boxes, err := collect[sealed](ctx, tx, "read officials' names", "SELECT official_id AS of, key_id, box FROM vault.read_officials(@ids, @why)",
			pgx.NamedArgs{"ids": distinct(ids), "why": strings.TrimSpace(purpose)})
		if err != nil {
			return err
		}
		names = make([]groundwork.OfficialName, len(boxes))
		for i, b := range boxes {
			names[i].OfficialID = b.Of
			if err := db.vaultKeys.Open(b.Of, groundwork.Sealed{KeyID: b.KeyID, Box: b.Box}, &names[i]); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, receipt, err
	}
	return names, receipt, nil
}

// rekeyBatch is how many identities one transaction encrypts anew.
const rekeyBatch = 500

// Rekey encrypts anew, with the first key, what is encrypted with another, and says how much. It acts as RoleVault; a dry run only counts.
func (db *DB) Rekey(ctx context.Context, dryRun bool) (done int64, err error) {
	if !db.vaultKeys.On() {
		return 0, groundwork.Errorf(groundwork.CodeInvalid, "there is no key; name its file by --vault-key (GROUNDWORK_VAULT_KEY)")
	}
	for table, key := range map[string]string{"vault.identity": "pid", "vault.official_identity": "official_id"} {
		if dryRun {
			n, err := scalars[int64](ctx, db.pool, "count identities", "SELECT count(*) FROM "+table+" WHERE key_id <> @key", pgx.NamedArgs{"key": db.vaultKeys[0].ID})
			if err != nil {
				return 0, err
			}
			done += n[0]
			continue
		}
		for {
			n, err := db.rekeySome(ctx, table, key)
			done += n
			if err != nil {
				return done, err
			}
			if n == 0 {
				break
			}
		}
	}
	return done, nil
}

func (db *DB) rekeySome(ctx context.Context, table, key string) (n int64, err error) {
	_, err = db.write(ctx, groundwork.System, "rekey the vault", func(tx pgx.Tx) error {
		n = 0
		boxes, err := collect[sealed](ctx, tx, "read identities", fmt.Sprintf(
			"SELECT %[2]s AS of, key_id, box FROM %[1]s WHERE key_id <> @key ORDER BY %[2]s LIMIT @limit FOR UPDATE", table, key),
			pgx.NamedArgs{"key": db.vaultKeys[0].ID, "limit": rekeyBatch})
		if err != nil {
			return err
		}
		for _, b := range boxes {
			var what map[string]any
			if err := db.vaultKeys.Open(b.Of, groundwork.Sealed{KeyID: b.KeyID, Box: b.Box}, &what); err != nil {
				return err
			}
			s, err := db.vaultKeys.Seal(b.Of, what)
			if err != nil {
				return err
			}
			if _, err := tx.Exec(ctx, fmt.Sprintf("UPDATE %s SET key_id = @key, box = @box, updated_at = now() WHERE %s = @of", table, key),
				pgx.NamedArgs{"key": s.KeyID, "box": s.Box, "of": b.Of}); err != nil {
				return err
			}
			n++
		}
		return nil
	})
	return n, err
}
