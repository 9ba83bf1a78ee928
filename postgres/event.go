package postgres

import (
	"context"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"groundwork"
)

const eventColumns = `issue_id, kind, from_state, at, known_at, recorded_at, actor, actor_role, actor_unit_id, coalesce(reason, reason_code) AS reason_code, payload,
	to_state AS state, ` + progressColumns

// eventRow is an event as the table has it: the actor in three columns.
type eventRow struct {
	IssueID     uuid.UUID
	Kind        groundwork.EventKind
	FromState   *groundwork.State
	At          time.Time
	KnownAt     time.Time
	RecordedAt  time.Time
	Actor       string
	ActorRole   groundwork.Role
	ActorUnitID *uuid.UUID
	ReasonCode  *string
	Payload     map[string]any
	groundwork.Progress
}

func events(rows []eventRow) []groundwork.Event {
	events := make([]groundwork.Event, len(rows))
	for i, r := range rows {
		events[i] = groundwork.Event{
			IssueID: r.IssueID, Kind: r.Kind, FromState: r.FromState, At: r.At, KnownAt: r.KnownAt, RecordedAt: r.RecordedAt,
			Actor:      groundwork.Actor{ID: r.Actor, Role: r.ActorRole, UnitID: r.ActorUnitID},
			ReasonCode: r.ReasonCode, Payload: r.Payload, Progress: r.Progress,
		}
	}
	return events
}

// eventInsertColumns are the columns of a new event, in the order of eventValues.
var eventInsertColumns = []string{
	"issue_id", "seq", "kind", "from_state", "to_state", "at", "known_at", "actor", "actor_role", "actor_unit_id", "reason_code", "reason",
	"payload", "closure_type", "origin_at", "first_response_at", "claimed_at",
	"resolved_at", "closed_at", "merged_into_id", "lead_unit_id", "paused_since", "paused_seconds", "return_count", "dispute_count",
	"reopen_count", "escalation_level", "opinion_count",
}

func eventValues(e groundwork.Event) []any {
	p := e.Progress
	code, words := codeOrWords(&e)
	return []any{
		e.IssueID, p.Seq, e.Kind, e.FromState, p.State, e.At, e.KnownAt, e.Actor.ID, e.Actor.Role, e.Actor.UnitID, code, words,
		e.Payload, p.ClosureType, p.OriginAt, p.FirstResponseAt, p.ClaimedAt,
		p.ResolvedAt, p.ClosedAt, p.MergedIntoID, p.LeadUnitID, p.PausedSince, p.PausedSeconds, p.ReturnCount, p.DisputeCount,
		p.ReopenCount, p.EscalationLevel, p.OpinionCount,
	}
}

// codeOrWords tells the codes of the system, which leave for the warehouse, from the words of people, which do not.
func codeOrWords(e *groundwork.Event) (code, words *string) {
	if e.Actor.Role == groundwork.RoleSystem {
		return e.ReasonCode, nil
	}
	return nil, e.ReasonCode
}

// addEvents appends events, in their order.
func addEvents(ctx context.Context, tx pgx.Tx, list []groundwork.Event) error {
	return addRows(ctx, tx, "issue_event", eventInsertColumns, len(list), func(i int) []any { return eventValues(list[i]) })
}

// histories reads what the guards need to know of the past: all events but the mere links, and always the last.
func histories(ctx context.Context, q querier, issueIDs []uuid.UUID) (map[uuid.UUID][]groundwork.Event, error) {
	rows, err := collect[eventRow](ctx, q, "read history", `
		SELECT `+eventColumns+` FROM issue_event
		WHERE issue_id = ANY(@ids) AND (kind <> 'LINKED' OR seq = (SELECT i.seq FROM issue i WHERE i.id = issue_event.issue_id))
		ORDER BY issue_id, issue_event.seq`, pgx.NamedArgs{"ids": issueIDs})
	if err != nil {
		return nil, err
	}
	of := map[uuid.UUID][]groundwork.Event{}
	for _, e := range events(rows) {
		of[e.IssueID] = append(of[e.IssueID], e)
	}
	return of, nil
}

// progressUpdate sets an issue's derived columns to those after an event, and what time brings next.
const progressUpdate = `
	UPDATE issue SET seq = @seq, state = @state, closure_type = @closure_type, origin_at = @origin_at,
		first_response_at = @first_response_at, claimed_at = @claimed_at, resolved_at = @resolved_at, closed_at = @closed_at,
		merged_into_id = @merged_into_id, lead_unit_id = @lead_unit_id, paused_since = @paused_since, paused_seconds = @paused_seconds,
		return_count = @return_count, dispute_count = @dispute_count, reopen_count = @reopen_count,
		escalation_level = @escalation_level, opinion_count = @opinion_count, observed_until = @observed_until, due_at = @due_at,
		carrying_post_id = @carrying_post_id, next_due_at = @next_due_at, next_due_kind = @next_due_kind, updated_at = now()
	WHERE id = @id`

func progressArgs(i *groundwork.Issue, next *groundwork.Due) pgx.NamedArgs {
	p := i.Progress
	at, kind := dueColumns(next)
	return pgx.NamedArgs{
		"id": i.ID, "seq": p.Seq, "state": p.State, "closure_type": p.ClosureType, "origin_at": p.OriginAt,
		"first_response_at": p.FirstResponseAt, "claimed_at": p.ClaimedAt, "resolved_at": p.ResolvedAt, "closed_at": p.ClosedAt,
		"merged_into_id": p.MergedIntoID, "lead_unit_id": p.LeadUnitID, "paused_since": p.PausedSince, "paused_seconds": p.PausedSeconds,
		"return_count": p.ReturnCount, "dispute_count": p.DisputeCount, "reopen_count": p.ReopenCount,
		"escalation_level": p.EscalationLevel, "opinion_count": p.OpinionCount, "observed_until": i.ObservedUntil, "due_at": i.DueAt,
		"carrying_post_id": i.CarryingPostID, "next_due_at": at, "next_due_kind": kind,
	}
}

// dueColumns are the columns of what time brings next.
func dueColumns(next *groundwork.Due) (*time.Time, *groundwork.DueKind) {
	if next == nil {
		return nil, nil
	}
	return &next.At, &next.Kind
}
