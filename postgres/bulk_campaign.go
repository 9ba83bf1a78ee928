package postgres

import (
	"context"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"groundwork"
)

// loadCampaigns adds campaigns step by step, under all rules of the database: they are few.
func loadCampaigns(ctx context.Context, tx pgx.Tx, campaigns []groundwork.BulkCampaign, source string) error {
	for i := range campaigns {
		if err := loadCampaign(ctx, tx, &campaigns[i], source); err != nil {
			return err
		}
	}
	return nil
}

func loadCampaign(ctx context.Context, tx pgx.Tx, b *groundwork.BulkCampaign, source string) error {
	if err := nominated(ctx, tx, b, source); err != nil {
		return err
	}
	for i := range b.Stood[1:] {
		before, c := b.Stood[i].State, &b.Stood[i+1]
		var err error
		switch {
		case before == groundwork.CampaignSelected && c.State == groundwork.CampaignActive:
			err = openTasks(ctx, tx, b.Tasks, source)
		case c.State == groundwork.CampaignReview && before != c.State:
			err = settleTasks(ctx, tx, b.Tasks)
		case before == groundwork.CampaignReview && before != c.State:
			err = addResults(ctx, tx, c, b.Results)
		}
		if err != nil {
			return err
		}
		if _, err := updateCampaign(ctx, tx, c); err != nil {
			return err
		}
	}
	return settleTasks(ctx, tx, b.Tasks)
}

// nominated adds a campaign as it began, with the regions and criteria that its selection freezes.
func nominated(ctx context.Context, tx pgx.Tx, b *groundwork.BulkCampaign, source string) error {
	c := &b.Stood[0]
	if err := add(ctx, tx, "campaign", pgx.NamedArgs{"id": c.ID, "topic": c.Topic, "category_id": c.CategoryID, "origin": c.Origin, "selection_rule": c.SelectionRule,
		"lead_unit_id": c.LeadUnitID, "state": c.State, "version": c.Version, "nominated_at": c.NominatedAt, "created_at": c.CreatedAt, "recorded_by": source}); err != nil {
		return err
	}
	for _, role := range []groundwork.RegionRole{groundwork.TreatedRegion, groundwork.ComparisonRegion} {
		var regions []uuid.UUID
		for _, r := range b.Regions {
			if r.Role == role {
				regions = append(regions, r.RegionID)
			}
		}
		if err := addRegions(ctx, tx, c.ID, role, regions); err != nil {
			return err
		}
	}
	return addCriteria(ctx, tx, c.ID, b.Criteria)
}

func openTasks(ctx context.Context, tx pgx.Tx, tasks []groundwork.CampaignTask, source string) error {
	for _, t := range tasks {
		if err := add(ctx, tx, "campaign_task", pgx.NamedArgs{"id": t.ID, "campaign_id": t.CampaignID, "title": t.Title, "owner_unit_id": t.OwnerUnitID,
			"owner_post_id": t.OwnerPostID, "due_at": t.DueAt, "state": groundwork.TaskOpen, "version": 1, "created_at": t.CreatedAt, "recorded_by": source}); err != nil {
			return err
		}
	}
	return nil
}

func settleTasks(ctx context.Context, tx pgx.Tx, tasks []groundwork.CampaignTask) error {
	for i := range tasks {
		if _, err := updateTask(ctx, tx, &tasks[i]); err != nil {
			return err
		}
	}
	return nil
}

func bulkCampaignIssues(campaigns []groundwork.BulkCampaign, source string) bulkTable {
	var rows []groundwork.CampaignIssue
	for i := range campaigns {
		rows = append(rows, campaigns[i].Issues...)
	}
	return bulkTable{"campaign_issue", []string{"id", "campaign_id", "issue_id", "joined_at", "left_at", "recorded_by"}, len(rows), func(c *copyRows, i int) {
		c.uuid(rows[i].ID)
		c.uuid(rows[i].CampaignID)
		c.uuid(rows[i].IssueID)
		c.time(rows[i].JoinedAt)
		c.timeOrNull(rows[i].LeftAt)
		copyText(c, source)
	}}
}
