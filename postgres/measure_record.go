package postgres

import (
	"context"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"groundwork"
)

const (
	definitionColumns = "id, code, version, definition_version, fields, sha256, created_at"
	subjectColumns    = "subject_unit_id, subject_post_id, subject_official_id"
	snapshotColumns   = "id, measure_definition_id, measure, " + subjectColumns + `, question, cells, sha256, window_from, window_to, as_of, row_count, protected,
	taken_at, taken_by_role, taken_by_unit_id, created_at`
)

// NewMeasureDefinitions lists those of the definitions that differ from the latest on record, or are not on record yet, each with the
// version that it would get. It changes nothing.
func (db *DB) NewMeasureDefinitions(ctx context.Context, all []groundwork.MeasureDefinition) ([]groundwork.MeasureDefinition, error) {
	ready, err := scalars[bool](ctx, db.pool, "look for definitions", "SELECT to_regclass('measure_definition') IS NOT NULL", nil)
	if err != nil || !ready[0] {
		return nil, err
	}
	return newDefinitions(ctx, db.pool, all)
}

func newDefinitions(ctx context.Context, q querier, all []groundwork.MeasureDefinition) (changed []groundwork.MeasureDefinition, err error) {
	latest, err := collect[groundwork.MeasureDefinition](ctx, q, "read definitions",
		"SELECT DISTINCT ON (code) "+definitionColumns+" FROM measure_definition ORDER BY code, version DESC", nil)
	if err != nil {
		return nil, err
	}
	known := make(map[string]groundwork.MeasureDefinition, len(latest))
	for _, d := range latest {
		known[d.Code] = d
	}
	for _, d := range all {
		if err := d.Validate(); err != nil {
			return nil, err
		}
		if now := known[d.Code]; now.SHA256 != d.SHA256 {
			d.Version = now.Version + 1
			changed = append(changed, d)
		}
	}
	return changed, nil
}

// KeepMeasureDefinitions keeps the definitions of a program: each that differs from the latest on record becomes the next version. It
// returns what it kept. Doing it again keeps nothing.
func (db *DB) KeepMeasureDefinitions(ctx context.Context, all []groundwork.MeasureDefinition) (kept []groundwork.MeasureDefinition, err error) {
	_, err = db.write(ctx, groundwork.System, "keep definitions of measures", func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, "LOCK TABLE measure_definition IN SHARE ROW EXCLUSIVE MODE"); err != nil {
			return err
		}
		if kept, err = newDefinitions(ctx, tx, all); err != nil {
			return err
		}
		for i := range kept {
			d := &kept[i]
			d.ID = newID(uuid.Nil)
			if err := add(ctx, tx, "measure_definition", pgx.NamedArgs{"id": d.ID, "code": d.Code, "version": d.Version,
				"definition_version": d.DefinitionVersion, "fields": d.Fields, "sha256": d.SHA256, "recorded_by": groundwork.System.ID}); err != nil {
				return err
			}
		}
		return nil
	})
	return kept, err
}

// MeasureDefinitions implements groundwork.MeasureRecordStore.
func (db *DB) MeasureDefinitions(ctx context.Context, codes []string) ([]*groundwork.MeasureDefinition, error) {
	c := where()
	among(c, "code", codes)
	items, err := collect[groundwork.MeasureDefinition](ctx, db.reads(), "read definitions",
		"SELECT "+definitionColumns+" FROM measure_definition WHERE "+c.sql()+" ORDER BY code, version DESC", c.args)
	found := make([]*groundwork.MeasureDefinition, len(items))
	for i := range items {
		found[i] = &items[i]
	}
	return found, err
}

// MeasureDefinitionsByID implements groundwork.MeasureRecordStore.
func (db *DB) MeasureDefinitionsByID(ctx context.Context, ids []uuid.UUID) (map[uuid.UUID]*groundwork.MeasureDefinition, error) {
	return byID(ctx, db, definitionColumns, "measure_definition", ids, func(d *groundwork.MeasureDefinition) uuid.UUID { return d.ID })
}

// MeasureSnapshots implements groundwork.MeasureRecordStore.
func (db *DB) MeasureSnapshots(ctx context.Context, f groundwork.SnapshotFilter, p groundwork.PageRequest) (groundwork.Page[*groundwork.MeasureSnapshot], error) {
	c := where()
	among(c, "measure", f.Measures)
	c.subjects(f.SubjectFilter)
	c.within("taken_at", f.Taken)
	if by := f.SeenBy; by != nil {
		mine := "(" + c.seenBy(*by, false) + ")"
		open := "protected"
		if (groundwork.MeasureSnapshot{}).SeenBy(*by) {
			open = "TRUE"
		}
		c.terms = append(c.terms, "CASE WHEN subject_unit_id IS NULL THEN "+open+" ELSE "+mine+" END")
	}
	latest := order[groundwork.MeasureSnapshot]{name: "TAKEN_DESC", expression: "taken_at", cast: "timestamptz", descending: true,
		position: func(s *groundwork.MeasureSnapshot) (string, uuid.UUID) { return moment(s.TakenAt), s.ID }}
	return page(ctx, db, snapshotColumns, "measure_snapshot", c, latest, p)
}

// MeasureSnapshotsByID implements groundwork.MeasureRecordStore.
func (db *DB) MeasureSnapshotsByID(ctx context.Context, ids []uuid.UUID) (map[uuid.UUID]*groundwork.MeasureSnapshot, error) {
	return byID(ctx, db, snapshotColumns, "measure_snapshot", ids, func(s *groundwork.MeasureSnapshot) uuid.UUID { return s.ID })
}

// TakeSnapshot implements groundwork.MeasureRecordStore.
func (db *DB) TakeSnapshot(ctx context.Context, r groundwork.SnapshotRequest) (*groundwork.MeasureSnapshot, groundwork.Receipt, error) {
	return do(ctx, db, request[groundwork.MeasureSnapshot]{op: "take snapshot", by: r.Actor, input: r.Asked, table: "measure_snapshot", columns: snapshotColumns,
		id: func(s *groundwork.MeasureSnapshot) uuid.UUID { return s.ID }}, func(tx pgx.Tx) (*groundwork.MeasureSnapshot, error) {
		return db.addSnapshot(ctx, tx, r.Actor, r.Snapshot, r.Version)
	})
}

func (db *DB) addSnapshot(ctx context.Context, tx pgx.Tx, by groundwork.Actor, s groundwork.MeasureSnapshot, d groundwork.MeasureDefinition) (*groundwork.MeasureSnapshot, error) {
	now := groundwork.Moment(db.now())
	if err := s.Validate(now); err != nil {
		return nil, err
	}
	meant, err := one[groundwork.MeasureDefinition](ctx, tx, "read definition",
		"SELECT "+definitionColumns+" FROM measure_definition WHERE code = @code AND sha256 = @sha256 ORDER BY version DESC LIMIT 1", pgx.NamedArgs{"code": s.Measure, "sha256": d.SHA256})
	if err != nil {
		return nil, err
	}
	if meant == nil {
		return nil, groundwork.Errorf(groundwork.CodeConflict, "the definition of %s on record is not the one of this program: an operator runs `groundwork migrate`", s.Measure)
	}
	if !s.Subject.None() {
		if s.Subject, err = wholeSubject(ctx, tx, s.Subject); err != nil {
			return nil, err
		}
	}
	return insert[groundwork.MeasureSnapshot](ctx, tx, "measure_snapshot", snapshotColumns, pgx.NamedArgs{"id": newID(s.ID), "measure_definition_id": meant.ID,
		"measure": s.Measure, "subject_unit_id": s.SubjectUnitID, "subject_post_id": s.SubjectPostID, "subject_official_id": s.SubjectOfficialID,
		"question": s.Question, "cells": s.Cells, "sha256": s.SHA256, "window_from": s.WindowFrom, "window_to": s.WindowTo, "as_of": s.AsOf,
		"row_count": s.RowCount, "protected": s.Protected, "taken_at": now, "taken_by_role": by.Role, "taken_by_unit_id": by.UnitID, "recorded_by": by.ID})
}
