package warehouse

import (
	"context"
	"fmt"
	"strings"
)

// ByAbility tells the abilities apart that officials are assessed in.
const ByAbility Dimension = "ABILITY"

// abilities are those of the practice.
var abilities = []string{"POLITICAL", "RESEARCH", "DECISION", "REFORM", "EMERGENCY", "MASS_WORK", "EXECUTION"}

// How long an official is in post before growth is asked for, and during how long an assessment counts.
const (
	inPostMonths   = 6
	assessedMonths = 12
)

// skillRows has one row an official who holds a post at as-of and held one 6 months before, or one for each ability: with the level found last during
// the 12 months before as-of, and the one before it (0 = none).
func (s *scope) skillRows() statement {
	b := &builder{}
	b.value("as_of", s.asOf.UnixMicro())
	b.value("zone", s.Timezone)
	day := "toDate32(toTimeZone(" + asOf + ", {zone:String}))"
	held := func(on string) string {
		return "SELECT official_id FROM d_post_holding FINAL WHERE _deleted = 0 AND held_from <= " + on + " AND (held_to IS NULL OR held_to > " + on + ")"
	}
	list := "'" + strings.Join(abilities, "', '") + "'"
	b.write(`SELECT o.id AS id, o.ability AS ability, `, asOf, ` AS anchor_at, toUInt8(r.last_at > subtractMonths(`, asOf, `, `, fmt.Sprint(assessedMonths), `)) AS assessed,
			assessed AND r.last_level >= r.former AS kept, assessed AND r.former > 0 AND r.last_level > r.former AS raised, assessed AND r.former = 0 AS first_time
		FROM (SELECT DISTINCT official_id AS id, arrayJoin([`, list, `]) AS ability FROM (`, held(day), `)
			WHERE official_id IN (`, held("subtractMonths("+day+", "+fmt.Sprint(inPostMonths)+")"), `)) AS o
		LEFT ANY JOIN (SELECT official_id, toString(ability) AS of, arraySort(groupArray((at, `, entered("id"), `, level))) AS found, found[-1].1 AS last_at, found[-1].3 AS last_level, found[-2].3 AS former
			FROM f_skill_record FINAL WHERE _deleted = 0 AND at <= `, asOf, ` GROUP BY official_id, of SETTINGS max_rows_to_group_by = 0) AS r ON r.official_id = o.id AND r.of = o.ability`)
	rows := b.statement()
	if !s.split(ByAbility) {
		rows.text = "SELECT id, any(anchor_at) AS anchor_at, max(assessed) AS assessed, max(kept) AS kept, max(raised) AS raised, max(first_time) AS first_time FROM (" + rows.text + ") GROUP BY id SETTINGS max_rows_to_group_by = 0"
	}
	return rows
}

// SkillGrowth is L1. Numbers: kept (share with a level not below the former one), assessed, raised (shares), firstTime (officials of whom there is no
// former level). n = officials.
func (m *Measures) SkillGrowth(ctx context.Context, q Question) (*Table, error) {
	s, t, err := m.begin(ctx, q, "L1")
	if err != nil {
		return nil, err
	}
	if err := s.placesOnly("officials"); err != nil {
		return nil, err
	}
	if len(s.Where.Regions) > 0 || s.Where.RegionUnknown {
		return nil, invalid("Where.Regions", "skills are of persons, and are told for all of them together; leave the regions out")
	}
	if s.to != nil && s.to.Before(s.asOf) {
		s.asOf = *s.to
	}
	s.from, s.to = nil, nil
	found, err := m.tally(ctx, s, tally{rows: s.skillRows(), sums: []string{"countIf(kept)", "countIf(assessed)", "countIf(raised)", "countIf(first_time)"}})
	if err != nil {
		return nil, err
	}
	c := newColumns(t, []Num{ranged("kept", "share"), ranged("assessed", "share"), ranged("raised", "share"), plain("firstTime", "officials")})
	cells, err := arrange(ctx, m, s, found, t)
	if err != nil {
		return nil, err
	}
	var assessed float64
	for _, cell := range cells {
		assessed += cell.sums[1]
	}
	for _, cell := range cells {
		if assessed == 0 {
			c.missing("kept", "assessed", "raised", "firstTime")
			c.end(cell.n, nil)
			continue
		}
		if err := c.shares(float64(cell.n), map[string]float64{"kept": cell.sums[0], "assessed": cell.sums[1], "raised": cell.sums[2]}); err != nil {
			return nil, err
		}
		c.number("firstTime", cell.sums[3])
		c.end(cell.n, nil)
	}
	switch {
	case len(cells) == 0:
		t.Notes = append(t.Notes, "not computable: nobody holds a post and held one six months ago")
	case assessed == 0:
		t.Notes = append(t.Notes, "not computable: no assessment of skills is on record in the 12 months")
	}
	s.ownUnits(t)
	return t, nil
}
