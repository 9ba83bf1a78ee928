package postgres

import (
	"context"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"groundwork"
)

// StepCampaign implements groundwork.CampaignStore.
func (db *DB) StepCampaign(ctx context.Context, s groundwork.CampaignStep) (*groundwork.Campaign, groundwork.Receipt, error) {
	return do(ctx, db, campaignRequest("take step "+s.Kind+" of campaign", s.Actor, s), func(tx pgx.Tx) (*groundwork.Campaign, error) {
		return db.stepCampaign(ctx, tx, s)
	})
}

func (db *DB) stepCampaign(ctx context.Context, tx pgx.Tx, s groundwork.CampaignStep) (*groundwork.Campaign, error) {
	c, err := lockCampaign(ctx, tx, s.Actor, s.CampaignID)
	if err != nil {
		return nil, err
	}
	facts, err := db.campaignFacts(ctx, tx, c, s)
	if err != nil {
		return nil, err
	}
	s, move, err := c.Plan(s, facts)
	if err != nil {
		return nil, err
	}
	payload, err := keepCampaignStep(ctx, tx, c, s)
	if err != nil {
		return nil, err
	}
	after := c.After(s, move)
	made, err := updateCampaign(ctx, tx, &after)
	if err != nil {
		return nil, err
	}
	return made, addEntityEvent(ctx, tx, event("campaign", c.ID, after.Version, c.State, after.State, s.Kind, s.Deed, payload))
}

func lockCampaign(ctx context.Context, tx pgx.Tx, by groundwork.Actor, id uuid.UUID) (*groundwork.Campaign, error) {
	c, err := one[groundwork.Campaign](ctx, tx, "lock campaign", "SELECT "+campaignColumns+" FROM campaign WHERE id = @id FOR UPDATE", pgx.NamedArgs{"id": id})
	if err == nil && c == nil {
		err = unreached(ctx, tx, by, "campaign", id)
	}
	return c, err
}

// campaignFacts reads what the guards of the step need to know.
func (db *DB) campaignFacts(ctx context.Context, tx pgx.Tx, c *groundwork.Campaign, s groundwork.CampaignStep) (f groundwork.CampaignFacts, err error) {
	f.Now = groundwork.Moment(db.now())
	if f.Last, err = lastEventOf(ctx, tx, "campaign", c.ID, c.Version); err != nil {
		return f, err
	}
	err = tx.QueryRow(ctx, `
		SELECT (SELECT count(*) FROM campaign_task WHERE campaign_id = @id AND state = 'OPEN'),
			(SELECT count(*) FROM campaign_task WHERE campaign_id = @id AND state = 'DONE' AND done_at >= coalesce(@extended::timestamptz, @started)),
			(SELECT max(done_at) FROM campaign_task WHERE campaign_id = @id AND state = 'DONE'),
			NOT unit_within(@unit, @lead)`,
		pgx.NamedArgs{"id": c.ID, "extended": c.ExtendedAt, "started": c.StartedAt, "unit": s.Actor.UnitID, "lead": c.LeadUnitID},
	).Scan(&f.OpenTasks, &f.DoneTasks, &f.LastDone, &f.Outside)
	if err != nil {
		return f, err
	}
	if f.Criteria, err = exitCriteria(ctx, tx, []uuid.UUID{c.ID}); err != nil {
		return f, err
	}
	f.Treated, err = scalars[uuid.UUID](ctx, tx, "read regions of campaign",
		"SELECT region_id FROM campaign_region WHERE campaign_id = @id AND role = 'TREATED'", pgx.NamedArgs{"id": c.ID})
	if err != nil {
		return f, err
	}
	return f, partsFacts(ctx, tx, s, &f)
}

func partsFacts(ctx context.Context, tx pgx.Tx, s groundwork.CampaignStep, f *groundwork.CampaignFacts) (err error) {
	args := pgx.NamedArgs{"id": s.CampaignID, "treated": f.Treated, "issues": s.IssueIDs, "comparison": s.ComparisonIDs}
	switch s.Kind {
	case groundwork.CampaignStepSelected:
		f.Overlapping, err = scalars[uuid.UUID](ctx, tx, "compare regions", `
			SELECT other.id FROM region other JOIN region own ON own.path @> other.path OR other.path @> own.path
			WHERE other.id = ANY(@comparison) AND own.id = ANY(@treated) ORDER BY other.id`, args)
	case groundwork.CampaignJoined:
		f.Strangers, err = scalars[uuid.UUID](ctx, tx, "examine issues", `
			SELECT wanted.id FROM unnest(@issues::uuid[]) AS wanted (id) LEFT JOIN issue i ON i.id = wanted.id
			LEFT JOIN region place ON place.id = i.region_id
			WHERE i.id IS NULL OR i.state IN ('CLOSED', 'MERGED')
				OR NOT EXISTS (SELECT FROM region own WHERE own.id = ANY(@treated) AND place.path <@ own.path)
				OR EXISTS (SELECT FROM campaign_issue link WHERE link.issue_id = wanted.id AND link.left_at IS NULL)`, args)
	case groundwork.CampaignLeft:
		f.Strangers, err = scalars[uuid.UUID](ctx, tx, "examine issues", `
			SELECT wanted.id FROM unnest(@issues::uuid[]) AS wanted (id)
			WHERE NOT EXISTS (SELECT FROM campaign_issue link WHERE link.issue_id = wanted.id AND link.campaign_id = @id AND link.left_at IS NULL)`, args)
	}
	return err
}

// keepCampaignStep writes the rows that belong to a step, before the campaign itself moves on, and returns what its event says.
func keepCampaignStep(ctx context.Context, tx pgx.Tx, c *groundwork.Campaign, s groundwork.CampaignStep) (map[string]any, error) {
	switch s.Kind {
	case groundwork.CampaignStepSelected:
		if err := addRegions(ctx, tx, c.ID, groundwork.ComparisonRegion, s.ComparisonIDs); err != nil {
			return nil, err
		}
		return nil, addCriteria(ctx, tx, c.ID, s.Criteria)
	case groundwork.CampaignJoined:
		_, err := tx.Exec(ctx, `INSERT INTO campaign_issue (id, campaign_id, issue_id, joined_at, recorded_by)
			SELECT id, @campaign, issue_id, @at, @by FROM unnest(@ids::uuid[], @issues::uuid[]) AS link (id, issue_id)`,
			pgx.NamedArgs{"campaign": c.ID, "at": s.At, "by": s.Actor.ID, "ids": newIDs(len(s.IssueIDs)), "issues": s.IssueIDs})
		return map[string]any{"issues": s.IssueIDs}, err
	case groundwork.CampaignLeft:
		_, err := tx.Exec(ctx, "UPDATE campaign_issue SET left_at = greatest(@at, joined_at) WHERE campaign_id = @campaign AND issue_id = ANY(@issues) AND left_at IS NULL",
			pgx.NamedArgs{"campaign": c.ID, "at": s.At, "issues": s.IssueIDs})
		return map[string]any{"issues": s.IssueIDs}, err
	case groundwork.CampaignStepExited, groundwork.CampaignStepExtended, groundwork.CampaignStepFailed:
		if c.State == groundwork.CampaignReview {
			return nil, addResults(ctx, tx, c, s.Results)
		}
	}
	return nil, nil
}

func newIDs(n int) []uuid.UUID {
	ids := make([]uuid.UUID, n)
	for i := range ids {
		ids[i] = newID(uuid.Nil)
	}
	return ids
}

func addCriteria(ctx context.Context, tx pgx.Tx, campaign uuid.UUID, criteria []groundwork.ExitCriterion) error {
	for i, c := range criteria {
		if err := add(ctx, tx, "campaign_criterion", pgx.NamedArgs{"campaign_id": campaign, "n": i + 1, "measure": c.Measure,
			"direction": c.Direction, "threshold": c.Threshold, "window_days": c.WindowDays}); err != nil {
			return err
		}
	}
	return nil
}

// addResults keeps what was measured; the database says which criteria that meets.
func addResults(ctx context.Context, tx pgx.Tx, c *groundwork.Campaign, results []groundwork.CriterionResult) error {
	for _, r := range results {
		if err := add(ctx, tx, "campaign_result", pgx.NamedArgs{"campaign_id": c.ID, "review": c.Reviews, "n": r.N, "value": r.Value,
			"ci_low": r.CILow, "ci_high": r.CIHigh, "cases": r.Cases, "as_of": r.AsOf}); err != nil {
			return err
		}
	}
	return nil
}

func updateCampaign(ctx context.Context, tx pgx.Tx, c *groundwork.Campaign) (*groundwork.Campaign, error) {
	args := pgx.NamedArgs{"id": c.ID, "state": c.State, "version": c.Version, "reviews": c.Reviews, "reviewer": c.ReviewerUnitID,
		"from": c.PeriodFrom, "to": c.PeriodTo, "selected": c.SelectedAt, "started": c.StartedAt, "review": c.ReviewAt, "extended": c.ExtendedAt,
		"ended": c.EndedAt, "evidence": nil, "sha256": nil, "as_of": nil}
	if c.Evidence != nil {
		text, hash, err := c.Evidence.Seal()
		if err != nil {
			return nil, err
		}
		args["evidence"], args["sha256"], args["as_of"] = text, hash, c.Evidence.AsOf
	}
	return one[groundwork.Campaign](ctx, tx, "update campaign", `
		UPDATE campaign SET state = @state, version = @version, reviews = @reviews, reviewer_unit_id = @reviewer, period_from = @from, period_to = @to,
			selected_at = @selected, started_at = @started, review_at = @review, extended_at = @extended, ended_at = @ended,
			evidence = coalesce(evidence, @evidence), evidence_sha256 = coalesce(evidence_sha256, @sha256), evidence_as_of = coalesce(evidence_as_of, @as_of)
		WHERE id = @id RETURNING `+campaignColumns, args)
}
