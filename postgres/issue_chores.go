package postgres

import (
	"context"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"groundwork"
)

// issueChores are what time brings about in the lives of issues.
func (db *DB) issueChores() []groundwork.Chore {
	return []groundwork.Chore{{Name: "issue_due", Every: time.Minute, Run: db.bringDueIssues}}
}

// bringDueIssues takes the steps that time brings: silent acceptance, the end of pauses and plans, closing without a verdict, and
// escalation. The index on next_due_at finds them however many issues there are.
func (db *DB) bringDueIssues(ctx context.Context, now time.Time) (int, error) {
	ids, err := scalars[uuid.UUID](ctx, db.reads(), "find due issues",
		"SELECT id FROM issue WHERE next_due_at <= @now ORDER BY next_due_at LIMIT @limit", pgx.NamedArgs{"now": now, "limit": choreBatch})
	if err != nil {
		return 0, err
	}
	return eachDue(ids, func(id uuid.UUID) error { return db.bringDue(ctx, id, now) })
}

// bringDue takes one due step. It happened when it was due, however late the chore comes; that is known from now on.
func (db *DB) bringDue(ctx context.Context, id uuid.UUID, now time.Time) error {
	_, err := db.write(ctx, groundwork.System, "bring what is due", func(tx pgx.Tx) error {
		locked, err := lockIDs(ctx, tx, []uuid.UUID{id})
		if err != nil {
			return err
		}
		issue := locked[id]
		if issue == nil {
			return groundwork.Errorf(groundwork.CodeNotFound, "issue %s does not exist", id)
		}
		past, err := histories(ctx, tx, []uuid.UUID{id})
		if err != nil {
			return err
		}
		days, err := calendar(ctx, tx, issue.OriginAt)
		if err != nil {
			return err
		}
		due := issue.NextDue(days, past[id])
		if due == nil || due.At.After(now) { // somebody was first, or the calendar has changed since
			_, err := tx.Exec(ctx, progressUpdate, progressArgs(issue, due))
			return err
		}
		step := due.Step(issue)
		step.At = later(due.At, past[id][len(past[id])-1].At)
		_, err = db.step(ctx, tx, step)
		return err
	})
	if code := groundwork.CodeOf(err); slices.Contains([]groundwork.Code{groundwork.CodeTransition, groundwork.CodeInvalid, groundwork.CodeForbidden}, code) {
		return db.putOff(ctx, id, now, err)
	}
	return err
}

// putOffFor is how long a step that was due and yet refused waits, so that it does not hold up the others.
const putOffFor = time.Hour

// putOff tries a refused step again later, and has the refusal told: what is due and what is legal must never differ.
func (db *DB) putOff(ctx context.Context, id uuid.UUID, now time.Time, refusal error) error {
	db.log.ErrorContext(ctx, "a step that was due was refused", "issue", id, "err", refusal)
	_, err := db.pool.Exec(ctx, "UPDATE issue SET next_due_at = @at WHERE id = @id AND next_due_at <= @now",
		pgx.NamedArgs{"at": now.Add(putOffFor), "id": id, "now": now})
	if err != nil {
		return translate("put off what is due", err)
	}
	return refusal
}
