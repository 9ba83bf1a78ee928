package postgres

import (
	"context"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"groundwork"
)

// derivation is an issue as it stands now and as its events tell it, before and after what is new. From these follow its legs, its
// clock spells, and what time brings it next.
type derivation struct {
	issue  *groundwork.Issue
	was    groundwork.Progress // before the new events; zero for a new issue
	before []groundwork.Event  // history up to then
	after  []groundwork.Event  // with the new events
}

// keepDerived writes what has changed of the legs and spells, in one round trip.
func keepDerived(ctx context.Context, tx pgx.Tx, list ...derivation) error {
	batch := &pgx.Batch{}
	for _, d := range list {
		for _, leg := range changed(groundwork.Legs(d.before), groundwork.Legs(d.after), groundwork.Leg.Equal) {
			batch.Queue(keepLeg, pgx.NamedArgs{"issue": leg.IssueID, "n": leg.N, "unit": leg.UnitID, "role": leg.Role, "sent": leg.SentAt,
				"due": leg.AckDueAt, "accepted": leg.AcceptedAt, "returned": leg.ReturnedAt, "reason": leg.ReturnReason})
		}
		for _, s := range changed(groundwork.Spells(d.was, d.before), groundwork.Spells(d.issue.Progress, d.after), groundwork.Spell.Equal) {
			batch.Queue(keepSpell, pgx.NamedArgs{"issue": s.IssueID, "clock": s.Clock, "n": s.N, "state": s.State, "started": s.StartedAt,
				"ended": s.EndedAt, "reason": s.Reason})
		}
	}
	return tx.SendBatch(ctx, batch).Close()
}

const (
	keepLeg = `
		INSERT INTO dispatch_leg (issue_id, n, unit_id, role, sent_at, ack_due_at, accepted_at, returned_at, return_reason)
		VALUES (@issue, @n, @unit, @role, @sent, @due, @accepted, @returned, @reason)
		ON CONFLICT (issue_id, n) DO UPDATE SET unit_id = excluded.unit_id, role = excluded.role, sent_at = excluded.sent_at,
			ack_due_at = excluded.ack_due_at, accepted_at = excluded.accepted_at, returned_at = excluded.returned_at,
			return_reason = excluded.return_reason`
	keepSpell = `
		INSERT INTO clock_spell (issue_id, clock, n, state, started_at, ended_at, reason)
		VALUES (@issue, @clock, @n, @state, @started, @ended, @reason)
		ON CONFLICT (issue_id, clock, n) DO UPDATE SET state = excluded.state, started_at = excluded.started_at,
			ended_at = excluded.ended_at, reason = excluded.reason`
)

// addSpells adds the spells of new issues.
func addSpells(ctx context.Context, tx pgx.Tx, spells []groundwork.Spell) error {
	columns := []string{"issue_id", "clock", "n", "state", "started_at", "ended_at", "reason"}
	return addRows(ctx, tx, "clock_spell", columns, len(spells), func(i int) []any {
		s := spells[i]
		return []any{s.IssueID, s.Clock, s.N, s.State, s.StartedAt, s.EndedAt, s.Reason}
	})
}

// changed returns the rows of now that are new or differ from those before, by their place in the list.
func changed[T any](before, now []T, equal func(T, T) bool) []T {
	var rows []T
	for n, row := range now {
		if n >= len(before) || !equal(before[n], row) {
			rows = append(rows, row)
		}
	}
	return rows
}

const (
	legColumns   = "issue_id, n, unit_id, role, sent_at, ack_due_at, accepted_at, returned_at, return_reason"
	spellColumns = "issue_id, clock, n, state, started_at, ended_at, reason"
)

// LegsOf implements groundwork.IssueStore.
func (db *DB) LegsOf(ctx context.Context, issueIDs []uuid.UUID, limit int) (map[uuid.UUID][]*groundwork.Leg, error) {
	items, err := limitedOf[groundwork.Leg](ctx, db, legColumns, "dispatch_leg", "issue_id", "n", issueIDs, limit)
	if err != nil {
		return nil, err
	}
	return grouped(items, func(l *groundwork.Leg) uuid.UUID { return l.IssueID }), nil
}

// SpellsOf implements groundwork.IssueStore.
func (db *DB) SpellsOf(ctx context.Context, issueIDs []uuid.UUID, limit int) (map[uuid.UUID][]*groundwork.Spell, error) {
	items, err := limitedOf[groundwork.Spell](ctx, db, spellColumns, "clock_spell", "issue_id", "clock, n", issueIDs, limit)
	if err != nil {
		return nil, err
	}
	return grouped(items, func(s *groundwork.Spell) uuid.UUID { return s.IssueID }), nil
}
