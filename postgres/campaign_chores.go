package postgres

import (
	"context"
	"errors"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"groundwork"
)

// choreBatch is how many things one run of a chore does at most.
const choreBatch = 200

// campaignChores are what time brings about in campaigns.
func (db *DB) campaignChores() []groundwork.Chore {
	return []groundwork.Chore{
		{Name: "campaign_task_overdue", Every: 10 * time.Minute, Run: db.noteOverdueTasks},
		{Name: "campaign_review_ready", Every: time.Hour, Run: db.openReviews},
	}
}

// noteOverdueTasks notes once, in its history, that a task was not done in time.
func (db *DB) noteOverdueTasks(ctx context.Context, now time.Time) (int, error) {
	ids, err := scalars[uuid.UUID](ctx, db.reads(), "find overdue tasks", `
		SELECT id FROM campaign_task WHERE state = 'OPEN' AND overdue_at IS NULL AND due_at <= @now ORDER BY due_at, id LIMIT @limit`,
		pgx.NamedArgs{"now": now, "limit": choreBatch})
	if err != nil {
		return 0, err
	}
	return eachDue(ids, func(id uuid.UUID) error {
		_, _, err := db.StepCampaignTask(ctx, groundwork.TaskStep{Deed: groundwork.Deed{Actor: groundwork.System}, TaskID: id, Kind: groundwork.TaskBecameOverdue})
		return err
	})
}

// openReviews brings campaigns under review as soon as their effect can be judged.
func (db *DB) openReviews(ctx context.Context, now time.Time) (int, error) {
	ids, err := scalars[uuid.UUID](ctx, db.reads(), "find campaigns to review", `
		SELECT c.id FROM campaign c JOIN campaign_task t ON t.campaign_id = c.id
		WHERE c.state IN ('ACTIVE', 'EXTENDED')
		GROUP BY c.id
		HAVING bool_and(t.state <> 'OPEN') AND bool_or(t.state = 'DONE' AND t.done_at >= coalesce(c.extended_at, c.started_at))
			AND max(t.done_at) <= @ripe
		ORDER BY c.id LIMIT @limit`, pgx.NamedArgs{"ripe": now.Add(-groundwork.ReviewAfter), "limit": choreBatch})
	if err != nil {
		return 0, err
	}
	return eachDue(ids, func(id uuid.UUID) error {
		_, _, err := db.StepCampaign(ctx, groundwork.CampaignStep{Deed: groundwork.Deed{Actor: groundwork.System}, CampaignID: id, Kind: groundwork.CampaignReviewOpened})
		return err
	})
}

// eachDue does something to each thing that seemed due, and counts what was. One that is no longer due is passed over; one that
// fails does not keep back the others.
func eachDue(ids []uuid.UUID, each func(uuid.UUID) error) (done int, err error) {
	for _, id := range ids {
		fault := each(id)
		switch groundwork.CodeOf(fault) {
		case groundwork.CodeTransition, groundwork.CodeConflict, groundwork.CodeNotFound: // somebody was first
			continue
		}
		if fault == nil {
			done++
		}
		err = errors.Join(err, fault)
	}
	return done, err
}
