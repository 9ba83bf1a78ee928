package postgres

import (
	"context"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"groundwork"
)

const campaignColumns = `id, topic, category_id, origin, selection_rule, lead_unit_id, evidence::json AS evidence, evidence_sha256, period_from,
	period_to, state, version, reviews, reviewer_unit_id, nominated_at, selected_at, started_at, review_at, extended_at, ended_at, created_at`

// Campaigns implements groundwork.CampaignStore.
func (db *DB) Campaigns(ctx context.Context, f groundwork.CampaignFilter, p groundwork.PageRequest) (groundwork.Page[*groundwork.Campaign], error) {
	c := where()
	among(c, "state", f.States)
	among(c, "lead_unit_id", f.LeadUnitIDs)
	among(c, "category_id", f.CategoryIDs)
	c.within("nominated_at", f.Nominated)
	c.contains("topic", f.Topic)
	if f.Under != nil {
		at := &conditions{args: c.args}
		at.under("place.region_id", f.Under)
		c.terms = append(c.terms, "id IN (SELECT place.campaign_id FROM campaign_region place WHERE place.role = 'TREATED' AND "+at.sql()+")")
	}
	latest := order[groundwork.Campaign]{name: "NOMINATED_DESC", expression: "nominated_at", cast: "timestamptz", descending: true,
		position: func(c *groundwork.Campaign) (string, uuid.UUID) { return moment(c.NominatedAt), c.ID }}
	return page(ctx, db, campaignColumns, "campaign", c, latest, p)
}

// CampaignsByID implements groundwork.CampaignStore.
func (db *DB) CampaignsByID(ctx context.Context, ids []uuid.UUID) (map[uuid.UUID]*groundwork.Campaign, error) {
	return byID(ctx, db, campaignColumns, "campaign", ids, func(c *groundwork.Campaign) uuid.UUID { return c.ID })
}

// CampaignRegionsOf implements groundwork.CampaignStore.
func (db *DB) CampaignRegionsOf(ctx context.Context, campaignIDs []uuid.UUID) (map[uuid.UUID][]*groundwork.CampaignRegion, error) {
	items, err := collect[groundwork.CampaignRegion](ctx, db.reads(), "read regions of campaigns", `
		SELECT p.campaign_id, p.region_id, p.role FROM campaign_region p JOIN region r ON r.id = p.region_id
		WHERE p.campaign_id = ANY(@ids) ORDER BY r.code`, pgx.NamedArgs{"ids": campaignIDs})
	if err != nil {
		return nil, err
	}
	return grouped(items, func(r *groundwork.CampaignRegion) uuid.UUID { return r.CampaignID }), nil
}

const criterionColumns = "campaign_id, n, measure, direction, threshold, window_days"

// ExitCriteriaOf implements groundwork.CampaignStore.
func (db *DB) ExitCriteriaOf(ctx context.Context, campaignIDs []uuid.UUID) (map[uuid.UUID][]*groundwork.ExitCriterion, error) {
	items, err := exitCriteria(ctx, db.reads(), campaignIDs)
	if err != nil {
		return nil, err
	}
	return grouped(items, func(c *groundwork.ExitCriterion) uuid.UUID { return c.CampaignID }), nil
}

func exitCriteria(ctx context.Context, q querier, campaignIDs []uuid.UUID) ([]groundwork.ExitCriterion, error) {
	return collect[groundwork.ExitCriterion](ctx, q, "read exit criteria",
		"SELECT "+criterionColumns+" FROM campaign_criterion WHERE campaign_id = ANY(@ids) ORDER BY campaign_id, n", pgx.NamedArgs{"ids": campaignIDs})
}

// CriterionResultsOf implements groundwork.CampaignStore.
func (db *DB) CriterionResultsOf(ctx context.Context, campaignIDs []uuid.UUID) (map[uuid.UUID][]*groundwork.CriterionResult, error) {
	items, err := collect[groundwork.CriterionResult](ctx, db.reads(), "read results of campaigns", `
		SELECT campaign_id, review, n, value, ci_low, ci_high, cases, as_of, met FROM campaign_result
		WHERE campaign_id = ANY(@ids) ORDER BY campaign_id, review, n`, pgx.NamedArgs{"ids": campaignIDs})
	if err != nil {
		return nil, err
	}
	return grouped(items, func(r *groundwork.CriterionResult) uuid.UUID { return r.CampaignID }), nil
}

// CampaignIssuesOf implements groundwork.CampaignStore.
func (db *DB) CampaignIssuesOf(ctx context.Context, campaignIDs []uuid.UUID, limit int) (map[uuid.UUID][]*groundwork.CampaignIssue, error) {
	items, err := limitedOf[groundwork.CampaignIssue](ctx, db, "id, campaign_id, issue_id, joined_at, left_at", "campaign_issue", "campaign_id",
		"joined_at, id", campaignIDs, limit)
	if err != nil {
		return nil, err
	}
	return grouped(items, func(i *groundwork.CampaignIssue) uuid.UUID { return i.CampaignID }), nil
}

// CampaignsOfIssues implements groundwork.CampaignStore.
func (db *DB) CampaignsOfIssues(ctx context.Context, issueIDs []uuid.UUID) (map[uuid.UUID]*groundwork.Campaign, error) {
	type campaignWith struct {
		IssueID uuid.UUID
		groundwork.Campaign
	}
	items, err := collect[campaignWith](ctx, db.reads(), "read campaigns of issues", `
		SELECT link.issue_id, c.* FROM campaign_issue link
		JOIN LATERAL (SELECT `+campaignColumns+` FROM campaign WHERE id = link.campaign_id) c ON TRUE
		WHERE link.issue_id = ANY(@ids) AND link.left_at IS NULL`, pgx.NamedArgs{"ids": issueIDs})
	if err != nil {
		return nil, err
	}
	of := make(map[uuid.UUID]*groundwork.Campaign, len(items))
	for i := range items {
		of[items[i].IssueID] = &items[i].Campaign
	}
	return of, nil
}

func campaignRequest(op string, by groundwork.Actor, input any) request[groundwork.Campaign] {
	return request[groundwork.Campaign]{op: op, by: by, input: input, table: "campaign", columns: campaignColumns,
		id: func(c *groundwork.Campaign) uuid.UUID { return c.ID }}
}

// NominateCampaign implements groundwork.CampaignStore.
func (db *DB) NominateCampaign(ctx context.Context, n groundwork.Nomination) (*groundwork.Campaign, groundwork.Receipt, error) {
	if err := n.Validate(); err != nil {
		return nil, groundwork.Receipt{}, err
	}
	return do(ctx, db, campaignRequest("nominate campaign", n.Actor, n), func(tx pgx.Tx) (*groundwork.Campaign, error) {
		now := groundwork.Moment(db.now())
		c := groundwork.Campaign{ID: newID(uuid.Nil), Topic: n.Topic, CategoryID: n.CategoryID, Origin: n.Origin}
		step := groundwork.CampaignStep{Deed: groundwork.Deed{Actor: n.Actor}, Kind: groundwork.CampaignNominated}
		step, move, err := c.Plan(step, groundwork.CampaignFacts{Now: now})
		if err != nil {
			return nil, err
		}
		made, err := insert[groundwork.Campaign](ctx, tx, "campaign", campaignColumns, pgx.NamedArgs{"id": c.ID, "topic": n.Topic,
			"category_id": n.CategoryID, "origin": n.Origin, "selection_rule": n.SelectionRule, "lead_unit_id": n.LeadUnitID, "state": move.To,
			"version": 1, "nominated_at": step.At, "recorded_by": n.Actor.ID})
		if err != nil {
			return nil, err
		}
		if err := addRegions(ctx, tx, c.ID, groundwork.TreatedRegion, n.RegionIDs); err != nil {
			return nil, err
		}
		return made, addEntityEvent(ctx, tx, event("campaign", c.ID, 1, "", made.State, step.Kind, step.Deed, nil))
	})
}

// event is the entry of a noun's history for a deed. An empty from is the beginning.
func event[S ~string](noun string, id uuid.UUID, seq int, from, to S, kind string, d groundwork.Deed, payload map[string]any) groundwork.EntityEvent {
	return groundwork.EntityEvent{Noun: noun, EntityID: id, Seq: seq, Kind: kind, FromState: nullable(string(from)), ToState: string(to),
		At: d.At, Actor: d.Actor, Reason: nullable(d.Reason), Payload: payload}
}

func addRegions(ctx context.Context, tx pgx.Tx, campaign uuid.UUID, role groundwork.RegionRole, regions []uuid.UUID) error {
	_, err := tx.Exec(ctx, "INSERT INTO campaign_region (campaign_id, region_id, role) SELECT @campaign, region_id, @role FROM unnest(@regions::uuid[]) AS region_id",
		pgx.NamedArgs{"campaign": campaign, "role": role, "regions": regions})
	return err
}

// lastEventOf is when the last event of a thing happened.
func lastEventOf(ctx context.Context, tx pgx.Tx, noun string, id uuid.UUID, version int) (at time.Time, err error) {
	err = tx.QueryRow(ctx, "SELECT at FROM entity_event WHERE noun = @noun AND entity_id = @id AND seq = @seq",
		pgx.NamedArgs{"noun": noun, "id": id, "seq": version}).Scan(&at)
	return at, err
}
