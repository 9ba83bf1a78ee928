package postgres

import (
	"context"
	"slices"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"groundwork"
)

// rangeReport is what a range of issues looks like.
type rangeReport struct {
	issues, events    int64
	differing, broken []uuid.UUID
}

// readProgress reads the issues of a range, then streams their events past them.
func readProgress(ctx context.Context, tx pgx.Tx, part idRange) (rangeReport, error) {
	args := pgx.NamedArgs{"behind": part.behind, "up_to": part.upTo}
	rows, err := tx.Query(ctx, "SELECT id, state, "+progressColumns+" FROM issue WHERE id > @behind AND id <= @up_to ORDER BY id", args)
	if err != nil {
		return rangeReport{}, translate("read issues", err)
	}
	f := folding{}
	var id uuid.UUID
	var p groundwork.Progress
	into := append([]any{&id, &p.State}, progressFields(&p)...)
	if _, err := pgx.ForEachRow(rows, into, func() error {
		f.stored = append(f.stored, storedProgress{id, p})
		p = groundwork.Progress{}
		return nil
	}); err != nil {
		return rangeReport{}, translate("read issues", err)
	}
	if f.legs, err = derivedRows(ctx, tx, legColumns, "dispatch_leg", "n", args, func(l groundwork.Leg) uuid.UUID { return l.IssueID }); err != nil {
		return rangeReport{}, err
	}
	if f.spells, err = derivedRows(ctx, tx, spellColumns, "clock_spell", "clock, n", args, func(s groundwork.Spell) uuid.UUID { return s.IssueID }); err != nil {
		return rangeReport{}, err
	}
	err = f.read(ctx, tx, args)
	return f.report, err
}

// derivedRows reads the derived rows of a range of issues, in their order.
func derivedRows[T any](ctx context.Context, tx pgx.Tx, columns, table, orderBy string, args pgx.NamedArgs, issue func(T) uuid.UUID) (map[uuid.UUID][]T, error) {
	rows, err := collect[T](ctx, tx, "read "+table,
		"SELECT "+columns+" FROM "+table+" WHERE issue_id > @behind AND issue_id <= @up_to ORDER BY issue_id, "+orderBy, args)
	of := make(map[uuid.UUID][]T, len(rows))
	for _, r := range rows {
		of[issue(r)] = append(of[issue(r)], r)
	}
	return of, err
}

type storedProgress struct {
	id uuid.UUID
	groundwork.Progress
}

// progressFields are where the values of progressColumns go.
func progressFields(p *groundwork.Progress) []any {
	return []any{&p.Seq, &p.ClosureType, &p.OriginAt, &p.FirstResponseAt, &p.ClaimedAt, &p.ResolvedAt, &p.ClosedAt, &p.MergedIntoID, &p.LeadUnitID,
		&p.PausedSince, &p.PausedSeconds, &p.ReturnCount, &p.DisputeCount, &p.ReopenCount, &p.EscalationLevel, &p.OpinionCount}
}

// folding folds the events of a range of issues, which come in the order of the issues.
type folding struct {
	stored []storedProgress
	legs   map[uuid.UUID][]groundwork.Leg
	spells map[uuid.UUID][]groundwork.Spell
	at     int // the issue whose events are being read
	folded groundwork.Progress
	life   []groundwork.Event // its events so far
	broken bool
	report rangeReport
}

func (f *folding) read(ctx context.Context, tx pgx.Tx, args pgx.NamedArgs) error {
	rows, err := tx.Query(ctx, "SELECT issue_id, kind, from_state, at, known_at, actor_unit_id, coalesce(reason, reason_code), payload, to_state, "+progressColumns+` FROM issue_event
		WHERE issue_id > @behind AND issue_id <= @up_to ORDER BY issue_id, seq`, args)
	if err != nil {
		return translate("read events", err)
	}
	var e groundwork.Event
	into := append([]any{&e.IssueID, &e.Kind, &e.FromState, &e.At, &e.KnownAt, &e.Actor.UnitID, &e.ReasonCode, &e.Payload, &e.State}, progressFields(&e.Progress)...)
	if _, err := pgx.ForEachRow(rows, into, func() error {
		f.event(&e)
		e = groundwork.Event{}
		return nil
	}); err != nil {
		return translate("read events", err)
	}
	for f.at < len(f.stored) {
		f.finish()
	}
	return nil
}

func (f *folding) event(e *groundwork.Event) {
	for f.stored[f.at].id != e.IssueID { // every event has its issue: a foreign key holds that
		f.finish()
	}
	f.report.events++
	stood := f.folded.State
	f.folded = f.folded.After(*e)
	f.life = append(f.life, *e)
	follows := e.FromState == nil && f.folded.Seq == 1 || e.FromState != nil && *e.FromState == stood
	f.broken = f.broken || !follows || !f.folded.Equal(e.Progress)
}

// finish compares the issue whose events have all been read.
func (f *folding) finish() {
	issue := &f.stored[f.at]
	if f.broken || f.folded.Seq == 0 {
		f.report.broken = append(f.report.broken, issue.id)
	}
	if !f.folded.Equal(issue.Progress) || !slices.EqualFunc(groundwork.Legs(f.life), f.legs[issue.id], groundwork.Leg.Equal) ||
		!slices.EqualFunc(groundwork.Spells(f.folded, f.life), f.spells[issue.id], groundwork.Spell.Equal) {
		f.report.differing = append(f.report.differing, issue.id)
	}
	f.report.issues++
	f.at, f.folded, f.life, f.broken = f.at+1, groundwork.Progress{}, f.life[:0], false
}
