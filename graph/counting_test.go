package graph_test

import (
	"context"
	"maps"
	"sync"

	"github.com/google/uuid"

	"groundwork"
)

// counting passes every read on to a real store and counts it.
type counting struct {
	groundwork.Store
	mu    sync.Mutex
	calls map[string]int
}

func (c *counting) count(name string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.calls == nil {
		c.calls = map[string]int{}
	}
	c.calls[name]++
}

// take returns the counts since it was last called.
func (c *counting) take() map[string]int {
	c.mu.Lock()
	defer c.mu.Unlock()
	taken := maps.Clone(c.calls)
	c.calls = nil
	return taken
}

func (c *counting) Regions(ctx context.Context, f groundwork.RegionFilter, p groundwork.PageRequest) (groundwork.Page[*groundwork.Region], error) {
	c.count("Regions")
	return c.Store.Regions(ctx, f, p)
}

func (c *counting) RegionsByID(ctx context.Context, ids []uuid.UUID) (map[uuid.UUID]*groundwork.Region, error) {
	c.count("RegionsByID")
	return c.Store.RegionsByID(ctx, ids)
}

func (c *counting) RegionByCode(ctx context.Context, code string) (*groundwork.Region, error) {
	c.count("RegionByCode")
	return c.Store.RegionByCode(ctx, code)
}

func (c *counting) PopulationsOf(ctx context.Context, regionIDs []uuid.UUID) (map[uuid.UUID][]groundwork.Population, error) {
	c.count("PopulationsOf")
	return c.Store.PopulationsOf(ctx, regionIDs)
}

func (c *counting) BoundariesOf(ctx context.Context, regionIDs []uuid.UUID) (map[uuid.UUID]*groundwork.Boundary, error) {
	c.count("BoundariesOf")
	return c.Store.BoundariesOf(ctx, regionIDs)
}

func (c *counting) NeighboursOf(ctx context.Context, regionIDs []uuid.UUID) (map[uuid.UUID][]*groundwork.Region, error) {
	c.count("NeighboursOf")
	return c.Store.NeighboursOf(ctx, regionIDs)
}

func (c *counting) Sites(ctx context.Context, f groundwork.SiteFilter, p groundwork.PageRequest) (groundwork.Page[*groundwork.Site], error) {
	c.count("Sites")
	return c.Store.Sites(ctx, f, p)
}

func (c *counting) SitesByID(ctx context.Context, ids []uuid.UUID) (map[uuid.UUID]*groundwork.Site, error) {
	c.count("SitesByID")
	return c.Store.SitesByID(ctx, ids)
}

func (c *counting) Categories(ctx context.Context, f groundwork.CategoryFilter, p groundwork.PageRequest) (groundwork.Page[*groundwork.Category], error) {
	c.count("Categories")
	return c.Store.Categories(ctx, f, p)
}

func (c *counting) CategoriesByID(ctx context.Context, ids []uuid.UUID) (map[uuid.UUID]*groundwork.Category, error) {
	c.count("CategoriesByID")
	return c.Store.CategoriesByID(ctx, ids)
}

func (c *counting) OrgUnits(ctx context.Context, f groundwork.OrgUnitFilter, p groundwork.PageRequest) (groundwork.Page[*groundwork.OrgUnit], error) {
	c.count("OrgUnits")
	return c.Store.OrgUnits(ctx, f, p)
}

func (c *counting) OrgUnitsByID(ctx context.Context, ids []uuid.UUID) (map[uuid.UUID]*groundwork.OrgUnit, error) {
	c.count("OrgUnitsByID")
	return c.Store.OrgUnitsByID(ctx, ids)
}

func (c *counting) Officials(ctx context.Context, p groundwork.PageRequest) (groundwork.Page[*groundwork.Official], error) {
	c.count("Officials")
	return c.Store.Officials(ctx, p)
}

func (c *counting) OfficialsByID(ctx context.Context, ids []uuid.UUID) (map[uuid.UUID]*groundwork.Official, error) {
	c.count("OfficialsByID")
	return c.Store.OfficialsByID(ctx, ids)
}

func (c *counting) PostHoldingsByID(ctx context.Context, ids []uuid.UUID) (map[uuid.UUID]*groundwork.PostHolding, error) {
	c.count("PostHoldingsByID")
	return c.Store.PostHoldingsByID(ctx, ids)
}

func (c *counting) PostHoldingsOf(ctx context.Context, officialIDs []uuid.UUID) (map[uuid.UUID][]*groundwork.PostHolding, error) {
	c.count("PostHoldingsOf")
	return c.Store.PostHoldingsOf(ctx, officialIDs)
}

func (c *counting) Visits(ctx context.Context, f groundwork.VisitFilter, p groundwork.PageRequest) (groundwork.Page[*groundwork.Visit], error) {
	c.count("Visits")
	return c.Store.Visits(ctx, f, p)
}

func (c *counting) VisitsByID(ctx context.Context, ids []uuid.UUID) (map[uuid.UUID]*groundwork.Visit, error) {
	c.count("VisitsByID")
	return c.Store.VisitsByID(ctx, ids)
}

func (c *counting) Opinions(ctx context.Context, f groundwork.OpinionFilter, p groundwork.PageRequest) (groundwork.Page[*groundwork.Opinion], error) {
	c.count("Opinions")
	return c.Store.Opinions(ctx, f, p)
}

func (c *counting) OpinionsByID(ctx context.Context, ids []uuid.UUID) (map[uuid.UUID]*groundwork.Opinion, error) {
	c.count("OpinionsByID")
	return c.Store.OpinionsByID(ctx, ids)
}

func (c *counting) OpinionsOf(ctx context.Context, issueIDs []uuid.UUID, limit int) (map[uuid.UUID][]*groundwork.Opinion, error) {
	c.count("OpinionsOf")
	return c.Store.OpinionsOf(ctx, issueIDs, limit)
}

func (c *counting) Issues(ctx context.Context, f groundwork.IssueFilter, o groundwork.IssueOrder, p groundwork.PageRequest) (groundwork.Page[*groundwork.Issue], error) {
	c.count("Issues")
	return c.Store.Issues(ctx, f, o, p)
}

func (c *counting) CountIssues(ctx context.Context, f groundwork.IssueFilter, limit int) (groundwork.Count, error) {
	c.count("CountIssues")
	return c.Store.CountIssues(ctx, f, limit)
}

func (c *counting) IssuesByID(ctx context.Context, ids []uuid.UUID) (map[uuid.UUID]*groundwork.Issue, error) {
	c.count("IssuesByID")
	return c.Store.IssuesByID(ctx, ids)
}

func (c *counting) IssueByRef(ctx context.Context, publicRef string) (*groundwork.Issue, error) {
	c.count("IssueByRef")
	return c.Store.IssueByRef(ctx, publicRef)
}

func (c *counting) IssuesOfOpinions(ctx context.Context, opinionIDs []uuid.UUID) (map[uuid.UUID]*groundwork.Issue, error) {
	c.count("IssuesOfOpinions")
	return c.Store.IssuesOfOpinions(ctx, opinionIDs)
}

func (c *counting) EventsOf(ctx context.Context, issueIDs []uuid.UUID, limit int) (map[uuid.UUID][]*groundwork.Event, error) {
	c.count("EventsOf")
	return c.Store.EventsOf(ctx, issueIDs, limit)
}

func (c *counting) ClaimsOf(ctx context.Context, issueIDs []uuid.UUID, limit int) (map[uuid.UUID][]*groundwork.Claim, error) {
	c.count("ClaimsOf")
	return c.Store.ClaimsOf(ctx, issueIDs, limit)
}

func (c *counting) FeedbackOf(ctx context.Context, claimIDs []uuid.UUID, limit int) (map[uuid.UUID][]*groundwork.Feedback, error) {
	c.count("FeedbackOf")
	return c.Store.FeedbackOf(ctx, claimIDs, limit)
}

func (c *counting) ChildrenOf(ctx context.Context, regionIDs []uuid.UUID, limit int) (map[uuid.UUID][]*groundwork.Region, error) {
	c.count("ChildrenOf")
	return c.Store.ChildrenOf(ctx, regionIDs, limit)
}

func (c *counting) CallbackAttemptsOf(ctx context.Context, claimIDs []uuid.UUID, limit int) (map[uuid.UUID][]*groundwork.CallbackAttempt, error) {
	c.count("CallbackAttemptsOf")
	return c.Store.CallbackAttemptsOf(ctx, claimIDs, limit)
}
