package postgres

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"groundwork"
)

const (
	importChunk = 500      // rows of a transaction, about
	importLock  = 0x67726e // key of the advisory lock: one import at a time
)

// ImportedOpinions implements groundwork.Importer.
func (db *DB) ImportedOpinions(ctx context.Context, source string, reporterKeys []string) ([]groundwork.ImportedOpinion, error) {
	named := make(map[string]string, len(reporterKeys)) // by the hash that the vault knows
	for _, name := range reporterKeys {
		if key, ok := db.secretKey.ReporterKey(source, name); ok {
			named[key] = name
		}
	}
	type row struct {
		IssueID    uuid.UUID
		ExternalID string
		Reporter   string
		Subject    string
		Text       string
		ReceivedAt time.Time
		Place      []string
	}
	rows, err := collect[row](ctx, db.reads(), "read imported opinions", `
		WITH place AS (
			SELECT r.id, array_agg(above.name ORDER BY nlevel(above.path)) AS names
			FROM region r JOIN region above ON above.path @> r.path GROUP BY r.id
		)
		SELECT link.issue_id, coalesce(o.external_id, '') AS external_id, known.external_key AS reporter, o.subject, o.text, o.received_at,
			coalesce(place.names, '{}') AS place
		FROM vault.reporter known
		JOIN opinion o ON o.reporter_pid = known.pid AND o.source = known.source
		JOIN issue_opinion link ON link.opinion_id = o.id
		LEFT JOIN place ON place.id = o.region_id
		WHERE known.source = @source AND known.external_key = ANY(@keys)
		ORDER BY o.received_at, o.id`, pgx.NamedArgs{"source": source, "keys": slices.Collect(maps.Keys(named))})
	if err != nil {
		return nil, err
	}
	found := make([]groundwork.ImportedOpinion, len(rows))
	for i, r := range rows {
		found[i] = groundwork.ImportedOpinion(r)
		found[i].Reporter = named[r.Reporter]
	}
	return found, nil
}

// importer is who imports, as the audit knows it.
var importer = groundwork.Actor{ID: "import", Role: groundwork.RoleSystem}

// errDryRun ends the transaction of a dry run.
var errDryRun = errors.New("dry run: nothing is kept")

// Import implements groundwork.Importer.
func (db *DB) Import(ctx context.Context, b groundwork.ImportBatch, progress func(done int)) (result groundwork.ImportResult, err error) {
	if err := checkBatch(b); err != nil {
		return result, err
	}
	if progress == nil {
		progress = func(int) {}
	}
	conn, release, err := db.importConn(ctx)
	if err != nil {
		return result, err
	}
	defer release()
	im := newImporting(b, db.secretKey)
	if len(db.secretKey) == 0 {
		db.log.WarnContext(ctx, "without a key the vault keeps no reporters of this import: its repeats are found within one file, and not in later ones; name the file of a key by --security-key (GROUNDWORK_SECURITY_KEY)")
	}
	if b.DryRun {
		err := pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error {
			if err := im.run(ctx, func(f func(pgx.Tx) error) error { return f(tx) }, progress); err != nil {
				return err
			}
			return errDryRun
		})
		return im.result, importFailed(err)
	}
	err = im.run(ctx, func(f func(pgx.Tx) error) error {
		var err error
		im.result.Receipt, err = attempt(ctx, conn.Conn(), importer, "import "+b.Source, f)
		return err
	}, progress)
	return im.result, importFailed(err)
}

func importFailed(err error) error {
	if err == nil || errors.Is(err, errDryRun) {
		return nil
	}
	return translate("import (what was taken in before stays; import the file again)", err)
}

// importConn takes a connection and, on it, the lock that lets one import run at a time; others wait for it.
func (db *DB) importConn(ctx context.Context) (*pgxpool.Conn, func(), error) {
	conn, err := db.pool.Acquire(ctx)
	if err != nil {
		return nil, nil, unreachable(err)
	}
	_, err = conn.Exec(ctx, "SET statement_timeout = 0") // waiting for another import is no fault
	if err == nil {
		_, err = conn.Exec(ctx, "SELECT pg_advisory_lock($1)", importLock)
	}
	release := func() {
		// The connection goes back as it came; one that cannot is closed, and its lock with it.
		done, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
		defer cancel()
		_, unlocked := conn.Exec(done, "SELECT pg_advisory_unlock_all()")
		_, reset := conn.Exec(done, "RESET statement_timeout")
		if unlocked != nil || reset != nil {
			_ = conn.Conn().Close(done)
		}
		conn.Release()
	}
	if err != nil {
		release()
		return nil, nil, translate("wait for another import", err)
	}
	return conn, release, nil
}

func checkBatch(b groundwork.ImportBatch) error {
	if b.Source == "" || b.Source == ownSource {
		return groundwork.Invalid("source", "source %q cannot be imported from; name the system that the rows come from", b.Source)
	}
	if b.ObservedUntil.IsZero() {
		return groundwork.Invalid("observedUntil", "an import says up to when its file speaks")
	}
	seen := make(map[string]int, len(b.Rows))
	for _, r := range b.Rows {
		if r.ExternalID == "" {
			return groundwork.Invalid("externalId", "line %d has no external id; without one an import cannot be repeated", r.Line)
		}
		if first, ok := seen[r.ExternalID]; ok {
			return groundwork.Invalid("externalId", "lines %d and %d have the same external id %q; give each row once", first, r.Line, r.ExternalID)
		}
		seen[r.ExternalID] = r.Line
	}
	return nil
}

// ImportPopulations implements groundwork.Importer.
func (db *DB) ImportPopulations(ctx context.Context, by groundwork.Actor, rows []groundwork.PopulationRow, dryRun bool) (changed int, err error) {
	_, err = db.write(ctx, by, "import populations", func(tx pgx.Tx) error {
		known := map[string]uuid.UUID{}
		ps := make([]groundwork.Population, len(rows))
		for i, r := range rows {
			id, err := populatedRegion(ctx, tx, by, r, known)
			if err != nil {
				return err
			}
			ps[i] = groundwork.Population{RegionID: id, Year: r.Year, Persons: r.Persons, Source: r.Source}
			if err := ps[i].Validate(); err != nil {
				return fmt.Errorf("line %d: %w", r.Line, err)
			}
		}
		if changed, err = setPopulations(ctx, tx, by, ps); err != nil {
			return err
		}
		if dryRun {
			return errDryRun
		}
		return nil
	})
	if errors.Is(err, errDryRun) {
		err = nil
	}
	return changed, err
}

// populatedRegion finds the region of a line, or adds it where the line says its level.
func populatedRegion(ctx context.Context, tx pgx.Tx, by groundwork.Actor, r groundwork.PopulationRow, known map[string]uuid.UUID) (uuid.UUID, error) {
	if id, ok := known[r.Code]; ok {
		return id, nil
	}
	region, err := regionByCode(ctx, tx, r.Code)
	if err != nil {
		return uuid.Nil, err
	}
	if region == nil && r.Level == "" {
		return uuid.Nil, groundwork.Invalid("code", "line %d: region code %q is unknown; correct it, or give the level and name so that the region is added", r.Line, r.Code)
	}
	if region == nil {
		if region, err = addPopulatedRegion(ctx, tx, by, r); err != nil {
			return uuid.Nil, err
		}
	}
	known[r.Code] = region.ID
	return region.ID, nil
}

func addPopulatedRegion(ctx context.Context, tx pgx.Tx, by groundwork.Actor, r groundwork.PopulationRow) (*groundwork.Region, error) {
	region := groundwork.Region{Code: r.Code, Level: r.Level, Name: r.Name}
	if above := groundwork.ParentCode(r.Code, r.Level); above != "" {
		parent, err := regionByCode(ctx, tx, above)
		if err != nil {
			return nil, err
		}
		if parent == nil {
			return nil, groundwork.Invalid("code", "line %d: the region above %q, %s, is unknown; list it before", r.Line, r.Code, above)
		}
		region.ParentID = &parent.ID
	}
	if err := region.Validate(); err != nil {
		return nil, fmt.Errorf("line %d: %w", r.Line, err)
	}
	return addRegion(ctx, tx, by, region)
}
