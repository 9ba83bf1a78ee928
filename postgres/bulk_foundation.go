package postgres

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"groundwork"
)

// loadFoundation adds places, categories, units and people in office, with every rule enforced. Days of the calendar that are
// known already stay as they are.
func loadFoundation(ctx context.Context, tx pgx.Tx, f groundwork.Foundation, by string) error {
	for _, t := range []struct {
		name    string
		columns []string
		rows    pgx.CopyFromSource
	}{
		{"region", []string{"id", "code", "level", "parent_id", "name", "latitude", "longitude", "urban_rural", "valid_from", "valid_to", "recorded_by"},
			copied(f.Regions, func(r *groundwork.Region) []any {
				return []any{r.ID, r.Code, r.Level, r.ParentID, r.Name, r.Latitude, r.Longitude, r.UrbanRural, calendarDay(r.ValidFrom), calendarDay(r.ValidTo), by}
			})},
		{"region_population", []string{"region_id", "year", "persons", "source", "recorded_by"},
			copied(f.Populations, func(p *groundwork.Population) []any { return []any{p.RegionID, p.Year, p.Persons, p.Source, by} })},
		{"region_boundary", []string{"region_id", "geojson", "south", "west", "north", "east", "latitude", "longitude", "source", "recorded_by"},
			copied(f.Boundaries, func(b *groundwork.Boundary) []any {
				return []any{b.RegionID, b.GeoJSON, b.South, b.West, b.North, b.East, b.Latitude, b.Longitude, b.Source, by}
			})},
		{"region_neighbour", []string{"region_id", "neighbour_id", "source", "valid_from", "valid_to", "recorded_by"},
			copied(f.Neighbours, func(n *groundwork.Neighbourhood) []any {
				return []any{n.RegionID, n.NeighbourID, n.Source, calendarDay(n.ValidFrom), calendarDay(n.ValidTo), by}
			})},
		{"site", []string{"id", "region_id", "kind", "name", "latitude", "longitude", "eligible_from", "eligible_to", "recorded_by"},
			copied(f.Sites, func(s *groundwork.Site) []any {
				return []any{s.ID, s.RegionID, s.Kind, s.Name, s.Latitude, s.Longitude, calendarDay(s.EligibleFrom), calendarDay(s.EligibleTo), by}
			})},
		{"category", []string{"id", "code", "version", "parent_id", "name", "path", "audited_minimum_minutes", "valid_from", "valid_to", "recorded_by"},
			copied(f.Categories, func(c *groundwork.Category) []any {
				return []any{c.ID, c.Code, c.Version, c.ParentID, c.Name, c.Path, c.AuditedMinimumMinutes, calendarDay(&c.ValidFrom), calendarDay(c.ValidTo), by}
			})},
		{"target_version", []string{"id", "category_id", "severity", "ack_minutes", "response_minutes", "resolution_minutes", "time_base", "published_at", "valid_from", "recorded_by"},
			copied(f.Targets, func(v *groundwork.TargetVersion) []any {
				return []any{v.ID, v.CategoryID, v.Severity, v.AckMinutes, v.ResponseMinutes, v.ResolutionMinutes, v.TimeBase, v.PublishedAt, v.ValidFrom, by}
			})},
		{"org_unit", []string{"id", "parent_id", "region_id", "name", "kind", "recorded_by"},
			copied(f.Units, func(u *groundwork.OrgUnit) []any { return []any{u.ID, u.ParentID, u.RegionID, u.Name, u.Kind, by} })},
		{"dispatch_rule", []string{"id", "category_id", "region_level", "org_unit_id", "basis", "valid_from", "valid_to", "recorded_by"},
			copied(f.Rules, func(r *groundwork.DispatchRule) []any {
				return []any{r.ID, r.CategoryID, r.RegionLevel, r.OrgUnitID, r.Basis, calendarDay(&r.ValidFrom), calendarDay(r.ValidTo), by}
			})},
		{"official", []string{"id", "pseudonym", "recorded_by"},
			copied(f.Officials, func(o *groundwork.Official) []any { return []any{o.ID, o.Pseudonym, by} })},
		{"post_holding", []string{"id", "official_id", "org_unit_id", "rank", "title", "held_from", "held_to", "recorded_by"},
			copied(f.Posts, func(p *groundwork.PostHolding) []any {
				return []any{p.ID, p.OfficialID, p.OrgUnitID, p.Rank, p.Title, calendarDay(&p.HeldFrom), calendarDay(p.HeldTo), by}
			})},
		{"policy", []string{"id", "title", "region_id", "owner_unit_id", "created_at", "recorded_by"},
			copied(f.Policies, func(p *groundwork.Policy) []any {
				return []any{p.ID, p.Title, p.RegionID, p.OwnerUnitID, p.CreatedAt, by}
			})},
		{"policy_version", []string{"id", "policy_id", "n", "text", "effective_from", "created_at", "recorded_by"},
			copied(f.PolicyVersions, func(v *groundwork.PolicyVersion) []any {
				return []any{v.ID, v.PolicyID, v.N, v.Text, calendarDay(&v.EffectiveFrom), v.CreatedAt, by}
			})},
	} {
		if _, err := tx.CopyFrom(ctx, pgx.Identifier{t.name}, t.columns, t.rows); err != nil {
			return err
		}
	}
	return loadCalendar(ctx, tx, f.Calendar)
}

func copied[T any](rows []T, values func(*T) []any) pgx.CopyFromSource {
	return pgx.CopyFromSlice(len(rows), func(i int) ([]any, error) { return values(&rows[i]), nil })
}

// calendarDay is the day of a moment in China, at the midnight in which a date is written.
func calendarDay(t *time.Time) *time.Time {
	if t == nil {
		return nil
	}
	y, m, d := t.In(groundwork.China).Date()
	return new(time.Date(y, m, d, 0, 0, 0, 0, time.UTC))
}

func loadCalendar(ctx context.Context, tx pgx.Tx, c groundwork.Calendar) error {
	days, worked := make([]string, 0, len(c)), make([]bool, 0, len(c))
	for d, w := range c {
		days, worked = append(days, d), append(worked, w)
	}
	_, err := tx.Exec(ctx, `
		INSERT INTO calendar_day (date, is_workday, note) SELECT d::date, w, 'simulated' FROM unnest(@days::text[], @worked::boolean[]) AS given (d, w)
		ON CONFLICT (date) DO NOTHING`, pgx.NamedArgs{"days": days, "worked": worked})
	return err
}
