package postgres

import (
	"context"
	"math/bits"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"groundwork"
)

// RegisterIssue implements groundwork.IssueStore.
func (db *DB) RegisterIssue(ctx context.Context, r groundwork.Registration) (*groundwork.Issue, groundwork.Receipt, error) {
	if err := r.Validate(); err != nil {
		return nil, groundwork.Receipt{}, err
	}
	r.OpinionIDs = distinct(r.OpinionIDs)
	asked := issueRequest("register issue", r.Actor, r)
	asked.region = r.RegionID
	return do(ctx, db, asked, func(tx pgx.Tx) (*groundwork.Issue, error) { return db.register(ctx, tx, r) })
}

// issueRequest is a request that makes or moves an issue.
func issueRequest(op string, by groundwork.Actor, input any) request[groundwork.Issue] {
	return request[groundwork.Issue]{op: op, by: by, input: input, table: "issue", columns: issueColumns,
		id: func(i *groundwork.Issue) uuid.UUID { return i.ID }}
}

func (db *DB) register(ctx context.Context, tx pgx.Tx, r groundwork.Registration) (*groundwork.Issue, error) {
	opinions, err := collect[groundwork.Opinion](ctx, tx, "read opinions",
		"SELECT "+opinionColumns+" FROM opinion WHERE id = ANY(@ids) ORDER BY received_at, id FOR UPDATE", pgx.NamedArgs{"ids": r.OpinionIDs})
	if err != nil {
		return nil, err
	}
	now := groundwork.Moment(db.now())
	opening, err := openingOn(ctx, tx, r, opinions, now)
	if err != nil {
		return nil, err
	}
	issue, event, err := groundwork.PlanRegistration(r, uuid.Must(uuid.NewV7()), opening)
	if err != nil {
		return nil, err
	}
	refs, err := publicRefs(ctx, tx, 1)
	if err != nil {
		return nil, err
	}
	issue.PublicRef = refs[0]
	history := []groundwork.Event{event}
	next := func(i *groundwork.Issue) *groundwork.Due { return i.NextDue(opening.Calendar, history) }
	if err := addIssues(ctx, tx, []*groundwork.Issue{issue}, r.Actor, next); err != nil {
		return nil, err
	}
	links := make([]link, len(opinions)) // first: by them the issue is the reporter's own
	for i, o := range opinions {
		links[i] = link{issue: issue.ID, opinion: o.ID, at: now, by: r.Actor.ID}
	}
	if err := addLinks(ctx, tx, links); err != nil {
		return nil, err
	}
	if err := addEvents(ctx, tx, history); err != nil {
		return nil, err
	}
	if err := addSpells(ctx, tx, groundwork.Spells(issue.Progress, history)); err != nil {
		return nil, err
	}
	return one[groundwork.Issue](ctx, tx, "read issue", "SELECT "+issueColumns+" FROM issue WHERE id = @id", pgx.NamedArgs{"id": issue.ID})
}

// openingOn reads what a registration rests on: the target in force at its origin and, where that counts working time, the calendar.
func openingOn(ctx context.Context, tx pgx.Tx, r groundwork.Registration, opinions []groundwork.Opinion, now time.Time) (o groundwork.Opening, err error) {
	o = groundwork.Opening{Opinions: opinions, At: now, Now: now}
	if len(opinions) == 0 {
		return o, nil
	}
	if o.Target, err = targetInForce(ctx, tx, r, o.Origin()); err != nil || o.Target == nil || o.Target.TimeBase != groundwork.WorkingTime {
		return o, err
	}
	o.Calendar, err = calendar(ctx, tx, o.Origin())
	return o, err
}

var issueInsertColumns = []string{
	"id", "public_ref", "category_id", "severity", "difficulty", "kind", "channel", "title", "region_id", "site_id", "source_visit_id",
	"due_at", "observed_until", "seq", "state", "closure_type", "origin_at", "first_response_at", "claimed_at", "resolved_at", "closed_at",
	"merged_into_id", "lead_unit_id", "paused_since", "paused_seconds", "return_count", "dispute_count", "reopen_count",
	"escalation_level", "opinion_count", "target_version_id", "response_due_at", "next_due_at", "next_due_kind", "recorded_by",
}

// addIssues adds issues as they stand after their events, with what time brings them next.
func addIssues(ctx context.Context, tx pgx.Tx, issues []*groundwork.Issue, by groundwork.Actor, next func(*groundwork.Issue) *groundwork.Due) error {
	return addRows(ctx, tx, "issue", issueInsertColumns, len(issues), func(n int) []any {
		i := issues[n]
		nextAt, nextKind := dueColumns(next(i))
		return []any{
			i.ID, i.PublicRef, i.CategoryID, i.Severity, i.Difficulty, i.Kind, i.Channel, i.Title, i.RegionID, i.SiteID, i.SourceVisitID,
			i.DueAt, i.ObservedUntil, i.Seq, i.State, i.ClosureType, i.OriginAt, i.FirstResponseAt, i.ClaimedAt, i.ResolvedAt, i.ClosedAt,
			i.MergedIntoID, i.LeadUnitID, i.PausedSince, i.PausedSeconds, i.ReturnCount, i.DisputeCount, i.ReopenCount,
			i.EscalationLevel, i.OpinionCount, i.TargetVersionID, i.ResponseDueAt, nextAt, nextKind, by.ID,
		}
	})
}

// link says that an opinion belongs to an issue.
type link struct {
	issue, opinion uuid.UUID
	at             time.Time
	by             string
	score          *float64
}

func addLinks(ctx context.Context, tx pgx.Tx, links []link) error {
	return addRows(ctx, tx, "issue_opinion", []string{"issue_id", "opinion_id", "linked_at", "linked_by", "score"}, len(links), func(i int) []any {
		l := links[i]
		return []any{l.issue, l.opinion, l.at, l.by, l.score}
	})
}

// publicRefs draws references that people can read out and that do not tell how many issues there are.
func publicRefs(ctx context.Context, tx pgx.Tx, n int) ([]string, error) {
	numbers, err := scalars[int64](ctx, tx, "draw public references", "SELECT nextval('issue_public_ref') FROM generate_series(1, @n)", pgx.NamedArgs{"n": n})
	refs := make([]string, len(numbers))
	for i, number := range numbers {
		refs[i] = publicRef(uint64(number))
	}
	return refs, err
}

const (
	refDigits   = "0123456789ABCDEFGHJKMNPQRSTVWXYZ" // Crockford's: no I, L, O, U
	refBits     = 35                                 // seven digits
	refMask     = 1<<refBits - 1
	refMultiply = 0x5_2F1B_DCE5 // odd: multiplying by it permutes the numbers below 2^35
)

// publicRef scatters the number over seven digits; different numbers below 2^35 give different references.
func publicRef(number uint64) string {
	n := number * refMultiply & refMask
	n = (bits.Reverse64(n) >> (64 - refBits)) * refMultiply & refMask // so that the low bits of the number reach all digits
	text := []byte("GW-0000000")
	for i := len(text) - 1; i >= len("GW-"); i-- {
		text[i] = refDigits[n%32]
		n /= 32
	}
	return string(text)
}
