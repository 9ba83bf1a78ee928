package postgres

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"groundwork"
)

var _ groundwork.ReferenceImporter = (*DB)(nil)

// referencePlan gathers what an import of reference data is to do. Everything is decided before anything is written.
type referencePlan struct {
	by     groundwork.Actor
	rows   int
	result groundwork.ReferenceResult
	writes []statement
}

type statement struct {
	sql  string
	args pgx.NamedArgs
}

func (p *referencePlan) add(sql string, args pgx.NamedArgs) {
	p.result.Added++
	args["by"] = p.by.ID
	p.writes = append(p.writes, statement{sql, args})
}

// change writes what differs; nothing if nothing does.
func (p *referencePlan) change(differs bool, sql string, args pgx.NamedArgs) {
	if !differs {
		p.result.Known++
		return
	}
	p.result.Changed++
	p.writes = append(p.writes, statement{sql, args})
}

func (p *referencePlan) refuse(line int, field, value, format string, args ...any) {
	p.result.Refused = append(p.result.Refused, groundwork.RefusedRow{Line: line, Field: field, Value: value, Reason: fmt.Sprintf(format, args...)})
}

// refused enters a row whose validation failed; it reports whether it did.
func (p *referencePlan) refused(line int, err error) bool {
	refusal, ok := errors.AsType[*groundwork.Error](err)
	if ok {
		p.refuse(line, refusal.Field, "", "%s", refusal.Message)
	}
	return ok
}

// importReference makes a plan and carries it out, in one transaction; one import runs at a time.
func (db *DB) importReference(ctx context.Context, by groundwork.Actor, op string, rows int, o groundwork.ReferenceOptions, decide func(pgx.Tx, *referencePlan) error) (groundwork.ReferenceResult, error) {
	var plan *referencePlan
	receipt, err := db.write(ctx, by, op, func(tx pgx.Tx) error {
		plan = &referencePlan{by: by, rows: rows}
		if _, err := tx.Exec(ctx, "SET LOCAL statement_timeout = 0"); err != nil { // waiting for another import is no fault
			return err
		}
		if _, err := tx.Exec(ctx, "SELECT pg_advisory_xact_lock(@key)", pgx.NamedArgs{"key": importLock}); err != nil {
			return err
		}
		if err := decide(tx, plan); err != nil {
			return err
		}
		if err := plan.carryOut(ctx, tx, o.Progress); err != nil {
			return err
		}
		if o.DryRun {
			return errDryRun
		}
		return nil
	})
	if plan == nil {
		return groundwork.ReferenceResult{}, err
	}
	plan.result.Receipt = receipt
	if errors.Is(err, errDryRun) {
		err = nil
	}
	return plan.result, err
}

// carryOut sends the statements in batches: one round trip for each.
func (p *referencePlan) carryOut(ctx context.Context, tx pgx.Tx, progress func(int)) error {
	if progress == nil {
		progress = func(int) {}
	}
	done := max(0, p.rows-len(p.writes))
	progress(done)
	for len(p.writes) > 0 {
		n := min(importChunk, len(p.writes))
		batch := &pgx.Batch{}
		for _, s := range p.writes[:n] {
			batch.Queue(s.sql, s.args)
		}
		if err := tx.SendBatch(ctx, batch).Close(); err != nil {
			return err
		}
		p.writes = p.writes[n:]
		done = min(p.rows, done+n)
		progress(done)
	}
	progress(p.rows)
	return nil
}

// keep is the value that a row gives, or else the one that is there.
func keep[T any](given, there *T) *T {
	if given != nil {
		return given
	}
	return there
}

func same[T comparable](a, b *T) bool { return a == b || a != nil && b != nil && *a == *b }

func sameDay(a, b *time.Time) bool { return a == b || a != nil && b != nil && a.Equal(*b) }

// regionIDs finds regions by their codes.
func regionIDs(ctx context.Context, tx pgx.Tx, codes []string) (map[string]uuid.UUID, error) {
	type region struct {
		Code string
		ID   uuid.UUID
	}
	found, err := collect[region](ctx, tx, "look up regions", "SELECT code, id FROM region WHERE code = ANY(@codes)", pgx.NamedArgs{"codes": distinct(codes)})
	ids := make(map[string]uuid.UUID, len(found))
	for _, r := range found {
		ids[r.Code] = r.ID
	}
	return ids, err
}

const unknownRegion = "there is no region of this code; import it first (groundwork import regions)"

// unitIndex finds units by name and, where that is not enough, the code of their region.
type unitIndex map[string][]*indexedUnit

type indexedUnit struct {
	ID       uuid.UUID
	ParentID *uuid.UUID
	Name     string
	Kind     groundwork.UnitKind
	Code     string // of its region, empty = none
}

func readUnits(ctx context.Context, tx pgx.Tx) (unitIndex, error) {
	found, err := collect[indexedUnit](ctx, tx, "read units",
		"SELECT u.id, u.parent_id, u.name, u.kind, coalesce(r.code, '') AS code FROM org_unit u LEFT JOIN region r ON r.id = u.region_id", nil)
	index := unitIndex{}
	for i := range found {
		index.add(&found[i])
	}
	return index, err
}

func (x unitIndex) add(u *indexedUnit) { x[u.Name] = append(x[u.Name], u) }

func (x unitIndex) exact(name, code string) *indexedUnit {
	for _, u := range x[name] {
		if u.Code == code {
			return u
		}
	}
	return nil
}

// find returns the unit that is meant, or why that cannot be said.
func (x unitIndex) find(ref groundwork.UnitRef) (*indexedUnit, string) {
	if ref.RegionCode != "" {
		if u := x.exact(ref.Name, ref.RegionCode); u != nil {
			return u, ""
		}
		return nil, "region " + ref.RegionCode + " has no unit of this name; import it first (groundwork import units)"
	}
	switch units := x[ref.Name]; len(units) {
	case 0:
		return nil, "there is no unit of this name; import it first (groundwork import units)"
	case 1:
		return units[0], ""
	}
	return nil, "several regions have a unit of this name; give the code of its region beside"
}
