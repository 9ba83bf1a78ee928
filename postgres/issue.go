package postgres

import (
	"context"
	"strings"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"groundwork"
)

// progressColumns is what an issue and each of its events have in common, but for the state, which is to_state in an event.
const progressColumns = `seq, closure_type, origin_at, first_response_at, claimed_at, resolved_at, closed_at, merged_into_id,
	lead_unit_id, paused_since, paused_seconds, return_count, dispute_count, reopen_count, escalation_level, opinion_count`

const issueColumns = `id, public_ref, category_id, severity, difficulty, kind, channel, title, region_id, site_id, source_visit_id, due_at,
	observed_until, state, updated_at, created_at, redacted_at, target_version_id, response_due_at, carrying_post_id, ` + progressColumns

const claimColumns = `id, issue_id, n, kind, source, opinion_id, text, legal_basis, appeal_notice, receipt, evidence, claimed_at,
	claimed_precision, unit_id, signed_by, reviewed_by, created_at`

var issueOrders = map[groundwork.IssueOrder]order[groundwork.Issue]{
	groundwork.OrderOriginDesc:  issueOrder(groundwork.OrderOriginDesc, "origin_at", true, originKey),
	groundwork.OrderOriginAsc:   issueOrder(groundwork.OrderOriginAsc, "origin_at", false, originKey),
	groundwork.OrderUpdatedDesc: issueOrder(groundwork.OrderUpdatedDesc, "updated_at", true, func(i *groundwork.Issue) string { return moment(i.UpdatedAt) }),
	groundwork.OrderDueAsc:      issueOrder(groundwork.OrderDueAsc, "coalesce(due_at, 'infinity')", false, dueKey),
}

func issueOrder(name groundwork.IssueOrder, expression string, descending bool, key func(*groundwork.Issue) string) order[groundwork.Issue] {
	return order[groundwork.Issue]{name: string(name), expression: expression, cast: "timestamptz", descending: descending,
		position: func(i *groundwork.Issue) (string, uuid.UUID) { return key(i), i.ID }}
}

func originKey(i *groundwork.Issue) string { return moment(i.OriginAt) }

func dueKey(i *groundwork.Issue) string {
	if i.DueAt == nil {
		return "infinity"
	}
	return moment(*i.DueAt)
}

// Issues implements groundwork.IssueStore. An empty order is OrderOriginDesc.
func (db *DB) Issues(ctx context.Context, f groundwork.IssueFilter, o groundwork.IssueOrder, p groundwork.PageRequest) (groundwork.Page[*groundwork.Issue], error) {
	if o == "" {
		o = groundwork.OrderOriginDesc
	}
	by, ok := issueOrders[o]
	if !ok {
		return groundwork.Page[*groundwork.Issue]{}, groundwork.Invalid("orderBy", "order %q is unknown; give ORIGIN_DESC, ORIGIN_ASC, UPDATED_DESC or DUE_ASC", o)
	}
	c, err := db.issueConditions(ctx, f)
	if err != nil {
		return groundwork.Page[*groundwork.Issue]{}, err
	}
	return page(ctx, db, issueColumns, "issue", c, by, p)
}

// CountIssues implements groundwork.IssueStore.
func (db *DB) CountIssues(ctx context.Context, f groundwork.IssueFilter, limit int) (groundwork.Count, error) {
	c, err := db.issueConditions(ctx, f)
	if err != nil {
		return groundwork.Count{}, err
	}
	sql := "SELECT count(*) FROM (SELECT FROM issue WHERE " + c.sql() + " LIMIT " + c.arg(limit+1) + ") AS counted"
	counts, err := scalars[int](ctx, db.reads(), "count issues", sql, c.args)
	if err != nil {
		return groundwork.Count{}, err
	}
	return groundwork.Count{Value: min(counts[0], limit), Capped: counts[0] > limit}, nil
}

// IssuesByID implements groundwork.IssueStore.
func (db *DB) IssuesByID(ctx context.Context, ids []uuid.UUID) (map[uuid.UUID]*groundwork.Issue, error) {
	return byID(ctx, db, issueColumns, "issue", ids, func(i *groundwork.Issue) uuid.UUID { return i.ID })
}

// IssueByRef implements groundwork.IssueStore.
func (db *DB) IssueByRef(ctx context.Context, publicRef string) (*groundwork.Issue, error) {
	return one[groundwork.Issue](ctx, db.reads(), "read issue", "SELECT "+issueColumns+" FROM issue WHERE public_ref = @ref", pgx.NamedArgs{"ref": publicRef})
}

// issueWith is an issue with an opinion that belongs to it.
type issueWith struct {
	OpinionID uuid.UUID
	groundwork.Issue
}

// IssuesOfOpinions implements groundwork.IssueStore.
func (db *DB) IssuesOfOpinions(ctx context.Context, opinionIDs []uuid.UUID) (map[uuid.UUID]*groundwork.Issue, error) {
	items, err := collect[issueWith](ctx, db.reads(), "read issues of opinions", `
		SELECT link.opinion_id, i.* FROM issue_opinion link
		JOIN LATERAL (SELECT `+issueColumns+` FROM issue WHERE id = link.issue_id) i ON TRUE
		WHERE link.opinion_id = ANY(@ids)`, pgx.NamedArgs{"ids": opinionIDs})
	if err != nil {
		return nil, err
	}
	of := make(map[uuid.UUID]*groundwork.Issue, len(items))
	for i := range items {
		of[items[i].OpinionID] = &items[i].Issue
	}
	return of, nil
}

// limitedOf reads at most limit rows of a table for each owner, in order, with one index scan an owner.
func limitedOf[T any](ctx context.Context, db *DB, columns, table, owner, orderBy string, ids []uuid.UUID, limit int) ([]T, error) {
	return collect[T](ctx, db.reads(), "read "+table, `
		SELECT r.* FROM unnest(@ids::uuid[]) WITH ORDINALITY AS wanted (id, place)
		CROSS JOIN LATERAL (SELECT `+columns+` FROM `+table+` WHERE `+owner+` = wanted.id ORDER BY `+orderBy+` LIMIT @limit) r
		ORDER BY wanted.place, r.`+strings.ReplaceAll(orderBy, ", ", ", r."), pgx.NamedArgs{"ids": distinct(ids), "limit": limit})
}

// EventsOf implements groundwork.IssueStore.
func (db *DB) EventsOf(ctx context.Context, issueIDs []uuid.UUID, limit int) (map[uuid.UUID][]*groundwork.Event, error) {
	items, err := limitedOf[eventRow](ctx, db, eventColumns, "issue_event", "issue_id", "seq", issueIDs, limit)
	if err != nil {
		return nil, err
	}
	return grouped(events(items), func(e *groundwork.Event) uuid.UUID { return e.IssueID }), nil
}

// ClaimsOf implements groundwork.IssueStore.
func (db *DB) ClaimsOf(ctx context.Context, issueIDs []uuid.UUID, limit int) (map[uuid.UUID][]*groundwork.Claim, error) {
	items, err := limitedOf[groundwork.Claim](ctx, db, claimColumns, "claim", "issue_id", "n", issueIDs, limit)
	if err != nil {
		return nil, err
	}
	return grouped(items, func(c *groundwork.Claim) uuid.UUID { return c.IssueID }), nil
}

// FeedbackOf implements groundwork.IssueStore.
func (db *DB) FeedbackOf(ctx context.Context, claimIDs []uuid.UUID, limit int) (map[uuid.UUID][]*groundwork.Feedback, error) {
	columns := "id, claim_id, issue_id, reporter_pid, resolved, satisfaction, pressured, collected_by, collected_unit_id, comment, at, created_at"
	items, err := limitedOf[groundwork.Feedback](ctx, db, columns, "feedback", "claim_id", "at, id", claimIDs, limit)
	if err != nil {
		return nil, err
	}
	return grouped(items, func(f *groundwork.Feedback) uuid.UUID { return f.ClaimID }), nil
}

const attemptColumns = "id, claim_id, at, method, agent_unit_id, outcome"

// CallbackAttemptsOf implements groundwork.IssueStore.
func (db *DB) CallbackAttemptsOf(ctx context.Context, claimIDs []uuid.UUID, limit int) (map[uuid.UUID][]*groundwork.CallbackAttempt, error) {
	items, err := limitedOf[groundwork.CallbackAttempt](ctx, db, attemptColumns, "callback_attempt", "claim_id", "at, id", claimIDs, limit)
	if err != nil {
		return nil, err
	}
	return grouped(items, func(a *groundwork.CallbackAttempt) uuid.UUID { return a.ClaimID }), nil
}
