package postgres

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"groundwork"
)

var _ groundwork.AuditStore = (*DB)(nil)

const auditEntryColumns = `id, xid::text::bigint AS xid, at, login, actor, role, unit, official, request, address, operation, purpose, action, noun, affected, keys`

const auditSealColumns = `n, at, cluster, upto::text::bigint AS upto, restored, entries, digests, key_id, mac`

// maxAuditPage bounds a list of entries, auditBatch what one seal covers, but for the rest of its last transaction.
const (
	maxAuditPage = 1000
	auditBatch   = 5000
)

// inNoSeal looks an entry e up. Where transactions say it, that is not needed.
const inNoSeal = "NOT EXISTS (SELECT FROM audit.seal s WHERE s.entries @> ARRAY[e.id])"

// auditLock is the key of the advisory lock under which entries are sealed, one batch at a time.
const auditLock = 0x7365616c

// AuditEntries implements groundwork.AuditStore.
func (db *DB) AuditEntries(ctx context.Context, f groundwork.AuditFilter, before int64, limit int) ([]groundwork.AuditEntry, error) {
	if limit < 1 || limit > maxAuditPage {
		return nil, groundwork.Invalid("limit", "limit %d is not between 1 and %d", limit, maxAuditPage)
	}
	c := where()
	if before > 0 {
		c.add("id < %s", before)
	}
	if f.Actor != "" {
		c.add("actor = %s", f.Actor)
	}
	if f.Noun != "" {
		c.add("noun = %s", f.Noun)
	}
	if f.Key != "" {
		c.add("keys[1] = %s", f.Key)
	}
	c.within("at", f.At)
	return collect[groundwork.AuditEntry](ctx, db.reads(), "list the audit",
		"SELECT "+auditEntryColumns+" FROM audit.entry WHERE "+c.sql()+" ORDER BY id DESC LIMIT "+c.arg(limit), c.args)
}

// auditChores seal the audit, where there is a key to do it with.
func (db *DB) auditChores() []groundwork.Chore {
	if len(db.auditKey) == 0 {
		return nil
	}
	return []groundwork.Chore{{Name: "audit_seal", Every: 10 * time.Second, Run: func(ctx context.Context, _ time.Time) (int, error) { return db.SealAudit(ctx, db.now()) }}}
}

func (db *DB) needAuditKey() error {
	if len(db.auditKey) == 0 {
		return groundwork.Errorf(groundwork.CodeInvalid, "there is no key for the seals of the audit; name its file by --security-key (GROUNDWORK_SECURITY_KEY)")
	}
	return nil
}

// SealAudit implements groundwork.AuditStore. What was committed before every transaction that still runs is final; entries of later
// ones wait for the next seal, so no writer ever waits for a seal, and no seal misses an entry that is committed after it.
func (db *DB) SealAudit(ctx context.Context, now time.Time) (sealed int, err error) {
	if err := db.needAuditKey(); err != nil {
		return 0, err
	}
	err = pgx.BeginFunc(ctx, db.pool, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, "SELECT pg_advisory_xact_lock($1)", int64(auditLock)); err != nil {
			return err
		}
		last, err := one[groundwork.AuditSeal](ctx, tx, "read the last seal", "SELECT "+auditSealColumns+" FROM audit.seal ORDER BY n DESC LIMIT 1", pgx.NamedArgs{})
		if err != nil {
			return err
		}
		seal, err := db.nextSeal(ctx, tx, last, now)
		if err != nil || seal == nil {
			return err
		}
		sealed = len(seal.Entries)
		_, err = tx.Exec(ctx, `INSERT INTO audit.seal (n, at, cluster, upto, restored, entries, digests, key_id, mac)
			VALUES (@n, @at, @cluster, (@upto::bigint)::text::xid8, @restored, @entries, @digests, @key, @mac)`,
			pgx.NamedArgs{"n": seal.N, "at": seal.At, "cluster": seal.Cluster, "upto": int64(seal.Upto), "restored": seal.Restored, "entries": seal.Entries, "digests": seal.Digests,
				"key": seal.KeyID, "mac": seal.MAC})
		return err
	})
	if err != nil {
		return 0, translate("seal the audit", err)
	}
	return sealed, nil
}

// nextSeal makes the seal behind the last one; nil if there is nothing to seal.
func (db *DB) nextSeal(ctx context.Context, tx pgx.Tx, last *groundwork.AuditSeal, now time.Time) (*groundwork.AuditSeal, error) {
	type standing struct {
		Cluster int64
		Upto    uint64
	}
	stands, err := one[standing](ctx, tx, "see which transactions run",
		"SELECT system_identifier AS cluster, pg_snapshot_xmin(pg_current_snapshot())::text::bigint AS upto FROM pg_control_system()", pgx.NamedArgs{})
	if err != nil {
		return nil, err
	}
	from, fresh := uint64(0), "TRUE"
	if last != nil && last.Cluster == stands.Cluster {
		from = last.Upto
	}
	if last != nil && (last.Restored || last.Cluster != stands.Cluster) {
		fresh = inNoSeal
	}
	entries, err := collect[groundwork.AuditEntry](ctx, tx, "read what is not sealed", "SELECT "+auditEntryColumns+` FROM audit.entry e
		WHERE xid >= (@from::bigint)::text::xid8 AND xid < (@upto::bigint)::text::xid8 AND `+fresh+`
		ORDER BY e.xid FETCH FIRST @batch ROWS WITH TIES`,
		pgx.NamedArgs{"from": int64(from), "upto": int64(stands.Upto), "batch": auditBatch})
	if err != nil || len(entries) == 0 {
		return nil, err
	}
	if len(entries) >= auditBatch { // whole transactions only; the others come next
		stands.Upto = entries[len(entries)-1].Xid + 1
	}
	seal := groundwork.NewAuditSeal(db.auditKey, last, now, stands.Cluster, stands.Upto, entries)
	return &seal, nil
}

// VerifyAudit implements groundwork.AuditStore. It reads one snapshot.
func (db *DB) VerifyAudit(ctx context.Context, noted ...groundwork.AuditHead) (report groundwork.AuditReport, err error) {
	if err := db.needAuditKey(); err != nil {
		return report, err
	}
	check := groundwork.NewAuditCheck(db.auditKey, noted...)
	err = pgx.BeginTxFunc(ctx, db.pool, pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly}, func(tx pgx.Tx) error {
		last, err := db.checkSeals(ctx, tx, check)
		if err != nil {
			return err
		}
		report = check.Report()
		fresh := "TRUE"
		if last.Restored {
			fresh = inNoSeal
		}
		waiting, err := scalars[int64](ctx, tx, "count what is not sealed",
			"SELECT count(*) FROM audit.entry e WHERE xid >= (@from::bigint)::text::xid8 AND "+fresh, pgx.NamedArgs{"from": int64(last.Upto)})
		if err != nil {
			return err
		}
		report.Unsealed = waiting[0]
		return nil
	})
	if err != nil {
		return report, translate("verify the audit", err)
	}
	return report, nil
}

// checkSeals compares seal by seal and returns the last one.
func (db *DB) checkSeals(ctx context.Context, tx pgx.Tx, check *groundwork.AuditCheck) (last groundwork.AuditSeal, err error) {
	for {
		next, err := one[groundwork.AuditSeal](ctx, tx, "read the next seal",
			"SELECT "+auditSealColumns+" FROM audit.seal WHERE n > @n ORDER BY n LIMIT 1", pgx.NamedArgs{"n": last.N})
		if err != nil || next == nil {
			return last, err
		}
		from := last.Upto
		if next.Cluster != last.Cluster {
			from = 0
		}
		entries, err := collect[groundwork.AuditEntry](ctx, tx, "read the sealed entries", "SELECT "+auditEntryColumns+` FROM audit.entry WHERE id = ANY (@ids)
			UNION ALL SELECT `+auditEntryColumns+` FROM audit.entry e WHERE xid >= (@from::bigint)::text::xid8 AND xid < (@upto::bigint)::text::xid8 AND id <> ALL (@ids) AND `+inNoSeal,
			pgx.NamedArgs{"ids": next.Entries, "from": int64(from), "upto": int64(next.Upto)})
		if err != nil {
			return last, err
		}
		check.Seal(*next, entries)
		last = *next
	}
}
