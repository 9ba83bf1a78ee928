package postgres

import (
	"context"

	"github.com/jackc/pgx/v5"

	"groundwork"
)

const evidenceFileColumns = "sha256, size, media_type, created_at"

// RecordEvidence implements groundwork.EvidenceStore.
func (db *DB) RecordEvidence(ctx context.Context, by groundwork.Actor, f groundwork.EvidenceFile) (made *groundwork.EvidenceFile, receipt groundwork.Receipt, err error) {
	if err := f.Validate(); err != nil {
		return nil, receipt, err
	}
	if !groundwork.MayUpload(by) {
		return nil, receipt, groundwork.Errorf(groundwork.CodeForbidden, "role %s brings no evidence", by.Role)
	}
	receipt, err = db.write(ctx, by, "record evidence", func(tx pgx.Tx) error {
		made, err = one[groundwork.EvidenceFile](ctx, tx, "record evidence", `
			INSERT INTO evidence_file (sha256, size, media_type, recorded_by) VALUES (@sha256, @size, @type, @by)
			ON CONFLICT (sha256, recorded_by) DO UPDATE SET size = excluded.size, brought_at = now() RETURNING `+evidenceFileColumns,
			pgx.NamedArgs{"sha256": f.SHA256, "size": f.Size, "type": f.MediaType, "by": by.ID})
		return err
	})
	return made, receipt, err
}

// EvidenceFile implements groundwork.EvidenceStore.
func (db *DB) EvidenceFile(ctx context.Context, by groundwork.Actor, sha256 string) (*groundwork.EvidenceFile, error) {
	return one[groundwork.EvidenceFile](ctx, db.readsAs(by), "read evidence",
		"SELECT "+evidenceFileColumns+" FROM evidence_file WHERE sha256 = @sha256 AND (@others OR recorded_by = @by AND @by <> @anonymous) ORDER BY created_at LIMIT 1",
		pgx.NamedArgs{"sha256": sha256, "others": groundwork.ReadsEvidence(by.Role), "by": by.ID, "anonymous": groundwork.Anonymous.ID})
}
