package postgres

import (
	"context"
	"crypto/rand"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"groundwork"
)

const (
	waveColumns  = "id, title, region_id, report_level, opens_at, closes_at, created_at"
	batchColumns = "id, wave_id, region_id, site_kind, tokens, created_at"
)

// OpenSurveyWave implements groundwork.SurveyStore.
func (db *DB) OpenSurveyWave(ctx context.Context, by groundwork.Actor, w groundwork.SurveyWave) (*groundwork.SurveyWave, groundwork.Receipt, error) {
	asked := w
	if w.OpensAt.IsZero() {
		w.OpensAt = groundwork.Moment(db.now())
	}
	r := request[groundwork.SurveyWave]{op: "open survey wave", by: by, input: asked, table: "survey_wave", columns: waveColumns,
		id: func(w *groundwork.SurveyWave) uuid.UUID { return w.ID }}
	return do(ctx, db, r, func(tx pgx.Tx) (*groundwork.SurveyWave, error) {
		levels, err := scalars[groundwork.RegionLevel](ctx, tx, "read region", "SELECT level FROM region WHERE id = @id", pgx.NamedArgs{"id": w.RegionID})
		if err != nil {
			return nil, err
		}
		if len(levels) == 0 {
			return nil, groundwork.Invalid("regionId", "region %s does not exist; create it first or give another", w.RegionID)
		}
		if err := w.Validate(levels[0]); err != nil {
			return nil, err
		}
		return insert[groundwork.SurveyWave](ctx, tx, "survey_wave", waveColumns, pgx.NamedArgs{"id": newID(w.ID), "title": w.Title, "region_id": w.RegionID,
			"report_level": w.ReportLevel, "opens_at": w.OpensAt, "closes_at": w.ClosesAt, "recorded_by": by.ID})
	})
}

// SurveyWaves implements groundwork.SurveyStore.
func (db *DB) SurveyWaves(ctx context.Context, p groundwork.PageRequest) (groundwork.Page[*groundwork.SurveyWave], error) {
	latest := order[groundwork.SurveyWave]{name: "OPENS_DESC", expression: "opens_at", cast: "timestamptz", descending: true,
		position: func(w *groundwork.SurveyWave) (string, uuid.UUID) { return moment(w.OpensAt), w.ID }}
	return page(ctx, db, waveColumns, "survey_wave", where(), latest, p)
}

// SurveyWavesByID implements groundwork.SurveyStore.
func (db *DB) SurveyWavesByID(ctx context.Context, ids []uuid.UUID) (map[uuid.UUID]*groundwork.SurveyWave, error) {
	return byID(ctx, db, waveColumns, "survey_wave", ids, func(w *groundwork.SurveyWave) uuid.UUID { return w.ID })
}

// IssueSurveyTokens implements groundwork.SurveyStore. Only digests are kept, in no order that tells which is which.
func (db *DB) IssueSurveyTokens(ctx context.Context, by groundwork.Actor, b groundwork.SurveyBatch) (*groundwork.SurveyBatch, groundwork.Receipt, error) {
	if err := b.Validate(); err != nil {
		return nil, groundwork.Receipt{}, err
	}
	r := request[groundwork.SurveyBatch]{op: "issue survey tokens", by: by, input: b, table: "survey_batch", columns: batchColumns,
		id: func(b *groundwork.SurveyBatch) uuid.UUID { return b.ID }}
	return do(ctx, db, r, func(tx pgx.Tx) (*groundwork.SurveyBatch, error) {
		if err := surveyHas(ctx, tx, b, groundwork.Moment(db.now())); err != nil {
			return nil, err
		}
		made, err := insert[groundwork.SurveyBatch](ctx, tx, "survey_batch", batchColumns, pgx.NamedArgs{"id": newID(b.ID), "wave_id": b.WaveID, "region_id": b.RegionID,
			"site_kind": b.SiteKind, "tokens": b.Tokens, "recorded_by": by.ID})
		if err != nil {
			return nil, err
		}
		digests := make([][]byte, b.Tokens)
		for i := range digests {
			secret := rand.Text()
			made.Secrets, digests[i] = append(made.Secrets, secret), groundwork.SecretDigest(secret)
		}
		_, err = tx.Exec(ctx, "SELECT survey_tokens(@batch, @digests)", pgx.NamedArgs{"batch": made.ID, "digests": digests})
		return made, err
	})
}

// surveyHas examines that the wave is not over and has the batch's region, at the level of its results or below.
func surveyHas(ctx context.Context, tx pgx.Tx, b groundwork.SurveyBatch, now time.Time) error {
	wave, err := one[groundwork.SurveyWave](ctx, tx, "read wave", "SELECT "+waveColumns+" FROM survey_wave WHERE id = @id", pgx.NamedArgs{"id": b.WaveID})
	switch {
	case err != nil:
		return err
	case wave == nil:
		return groundwork.Errorf(groundwork.CodeNotFound, "survey wave %s does not exist", b.WaveID)
	case !now.Before(wave.ClosesAt):
		return groundwork.Errorf(groundwork.CodeTransition, "the survey closed at %s", wave.ClosesAt.Format(time.RFC3339))
	}
	var fits bool
	err = tx.QueryRow(ctx, `SELECT EXISTS (SELECT FROM region root JOIN region here ON here.path <@ root.path JOIN region reported ON here.path <@ reported.path
		WHERE root.id = @root AND here.id = @region AND reported.level = @level)`,
		pgx.NamedArgs{"root": wave.RegionID, "region": b.RegionID, "level": wave.ReportLevel}).Scan(&fits)
	if err == nil && !fits {
		err = groundwork.Invalid("regionId", "the region lies outside of the survey's, or above level %s, for which its results are told", wave.ReportLevel)
	}
	return err
}

// SubmitSurveyResponse implements groundwork.SurveyStore. Who asks does not enter the transaction, so that nothing of it could be kept.
func (db *DB) SubmitSurveyResponse(ctx context.Context, r groundwork.SurveyResponse) error {
	if err := r.Validate(); err != nil {
		return err
	}
	_, err := db.write(ctx, groundwork.Anonymous, "submit survey response", func(tx pgx.Tx) error {
		var status string
		err := tx.QueryRow(ctx, "SELECT survey_respond(@token, @gain, @happiness, @security, @now)", pgx.NamedArgs{"token": groundwork.SecretDigest(r.Token),
			"gain": r.Gain, "happiness": r.Happiness, "security": r.Security, "now": groundwork.Moment(db.now())}).Scan(&status)
		if err != nil {
			return err
		}
		switch status {
		case "DONE":
			return nil
		case "SPENT":
			return &groundwork.Error{Code: groundwork.CodeConflict, Field: "token", Message: "a response was given with this token already; it counts"}
		case "EARLY":
			return groundwork.Errorf(groundwork.CodeTransition, "the survey has not opened yet")
		case "OVER":
			return groundwork.Errorf(groundwork.CodeTransition, "the survey is over")
		}
		return &groundwork.Error{Code: groundwork.CodeNotFound, Field: "token", Message: "there is no such token; copy it again as it was given"}
	})
	return err
}

// SurveyCounts implements groundwork.SurveyStore.
func (db *DB) SurveyCounts(ctx context.Context, wave uuid.UUID) ([]groundwork.SurveyCount, error) {
	now := groundwork.Moment(db.now())
	w, err := one[groundwork.SurveyWave](ctx, db.reads(), "read wave", "SELECT "+waveColumns+" FROM survey_wave WHERE id = @id", pgx.NamedArgs{"id": wave})
	switch {
	case err != nil:
		return nil, err
	case w == nil:
		return nil, groundwork.Errorf(groundwork.CodeNotFound, "survey wave %s does not exist", wave)
	case now.Before(w.ClosesAt):
		return nil, groundwork.Errorf(groundwork.CodeTransition, "results are told when the survey is over, at %s: who watched them grow would see single responses", w.ClosesAt.Format(time.RFC3339))
	}
	return collect[groundwork.SurveyCount](ctx, db.reads(), "count responses", "SELECT region_id, site_kind, responses, gain, happiness, security FROM survey_counts(@wave, @now)",
		pgx.NamedArgs{"wave": wave, "now": now})
}
