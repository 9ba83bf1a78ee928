package warehouse

import "context"

// slotRows has one row a turn whose window is over, anchored at the end of the window. Turns that were swapped away are left out: another
// took their place.
func (s *scope) slotRows() (statement, error) {
	if err := s.placesOnly("turns of a rota"); err != nil {
		return statement{}, err
	}
	b := &builder{}
	b.value("as_of", s.asOf.UnixMicro())
	b.value("zone", s.Timezone)
	b.write(`SELECT t.*`)
	if s.ofUnits() {
		b.write(", h.lead_unit_id AS lead_unit_id")
	}
	if s.split(ByRegion) {
		b.write(", ", s.regionPlace(b, "t"), " AS region_place")
	}
	b.write(` FROM (SELECT id, post_id AS lead_id, toNullable(region_id) AS region_id, activity_kind, state, toDateTime64(toDateTime(toDate(window_to), {zone:String}), 6, 'UTC') AS anchor_at
			FROM f_slot FINAL WHERE _deleted = 0 AND state != 'SWAPPED' AND anchor_at <= `, asOf, `) AS t`)
	s.postUnit(b, "t.lead_id")
	and := " WHERE "
	if len(s.Where.Regions) > 0 {
		and = " AND "
		b.write(" WHERE t.region_id IN (SELECT id FROM d_region FINAL WHERE _deleted = 0 AND hasAny(splitByChar('.', path), {regions:Array(String)}))")
		b.value("regions", s.Where.Regions)
	}
	s.subjectFilter(b, and, "t.lead_id")
	return b.statement(), nil
}

// placesOnly refuses filters that only issues have.
func (s *scope) placesOnly(what string) error {
	if w := s.Where; len(w.Categories)+len(w.Channels)+len(w.Kinds)+len(w.Severities)+len(w.Segments) > 0 || w.OriginFrom != nil || w.OriginTo != nil {
		return invalid("Where", "%s have a place and a time, no category, channel, kind, severity, segment or origin; leave these out, and give the window as a range", what)
	}
	return nil
}

// RotaAdherence is I1. Numbers: fulfilled (share, in the window), done (share, late ones too), late, missed, excused (slots). n = slots due.
func (m *Measures) RotaAdherence(ctx context.Context, q Question) (*Table, error) {
	s, t, err := m.begin(ctx, q, "I1")
	if err != nil {
		return nil, err
	}
	rows, err := s.slotRows()
	if err != nil {
		return nil, err
	}
	found, err := m.tally(ctx, s, tally{rows: rows, sums: []string{"countIf(state = 'FULFILLED')", "countIf(state = 'LATE')", "countIf(state = 'MISSED')", "countIf(state = 'EXCUSED')", "countIf(state = 'OPEN')"}})
	if err != nil {
		return nil, err
	}
	c := newColumns(t, []Num{ranged("fulfilled", "share"), ranged("done", "share"), plain("late", "slots"), plain("missed", "slots"), plain("excused", "slots")})
	cells, err := arrange(ctx, m, s, found, t)
	if err != nil {
		return nil, err
	}
	for _, cell := range cells {
		if err := c.shares(float64(cell.n), map[string]float64{"fulfilled": cell.sums[0], "done": cell.sums[0] + cell.sums[1]}); err != nil {
			return nil, err
		}
		for i, name := range []string{"late", "missed", "excused"} {
			c.number(name, cell.sums[1+i])
		}
		c.end(cell.n, map[string]bool{"provisional": cell.sums[4] > 0})
	}
	if len(cells) == 0 {
		t.Notes = append(t.Notes, "not computable: no turn of a rota is due here in the window")
	}
	if s.past {
		t.Notes = append(t.Notes, "turns are as they stand now: what became of them after as-of is in it")
	}
	s.ownUnits(t)
	return t, nil
}
