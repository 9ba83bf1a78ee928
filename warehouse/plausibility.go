package warehouse

import (
	"context"
	"fmt"

	"groundwork/warehouse/stats"
)

// What a visit cannot be, and how many of them are checked back.
const (
	fastestKmh   = 120
	shortMinutes = 20
	noteDays     = 7
	checkedOne   = 10 // one visit in so many was of the sample, by the hash of its id, before the system of record drew lots
)

// clashes has, by visit, whether somebody who took part was at another visit at the same time or came too fast from one, and whether it could be told
// how fast. A pair that clashes counts for both visits: which of them was not held so, nobody knows.
const clashes = `SELECT visit, max(before_end > started_at OR after_start < ended) AS overlapping, max(located_before OR located_after) AS located,
		max(located_before AND km_before > %[1]d / 3600. * greatest(dateDiff('second', before_start, started_at), 0) OR located_after AND km_after > %[1]d / 3600. * greatest(dateDiff('second', started_at, after_start), 0)) AS fast
	FROM (SELECT visit, started_at, ended,
			max(ended) OVER (w ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS before_end,
			lagInFrame(started_at, 1, started_at) OVER whole AS before_start, leadInFrame(started_at, 1, toDateTime64('2299-01-01', 6, 'UTC')) OVER whole AS after_start,
			lagInFrame(place, 1, (toFloat64(0), toFloat64(0), toUInt8(0))) OVER whole AS there_before, leadInFrame(place, 1, (toFloat64(0), toFloat64(0), toUInt8(0))) OVER whole AS there_after,
			place.3 AND there_before.3 AS located_before, place.3 AND there_after.3 AS located_after,
			geoDistance(place.1, place.2, there_before.1, there_before.2) / 1000 AS km_before, geoDistance(place.1, place.2, there_after.1, there_after.2) / 1000 AS km_after
		FROM (SELECT DISTINCT t.visit AS visit, h.official_id AS official, v.started_at AS started_at, ifNull(v.ended_at, v.started_at) AS ended,
				(ifNull(s.longitude, 0), ifNull(s.latitude, 0), toUInt8(s.longitude IS NOT NULL AND s.latitude IS NOT NULL)) AS place
			FROM (SELECT id AS visit, lead_id AS post FROM f_visit FINAL WHERE _deleted = 0 UNION ALL SELECT visit_id, post_id FROM f_visit_participant FINAL WHERE _deleted = 0) AS t
			INNER JOIN (SELECT id, site_id, started_at, ended_at FROM f_visit FINAL WHERE _deleted = 0 AND state IN ('HELD', 'RECORDED', 'CLOSED_OUT') AND ifNull(ended_at, started_at) <= %[2]s) AS v ON v.id = t.visit
			INNER JOIN (SELECT id, official_id FROM d_post_holding FINAL WHERE _deleted = 0) AS h ON h.id = t.post
			LEFT ANY JOIN (SELECT id, longitude, latitude FROM d_site FINAL WHERE _deleted = 0) AS s ON s.id = v.site_id)
		WINDOW w AS (PARTITION BY official ORDER BY started_at, visit), whole AS (PARTITION BY official ORDER BY started_at, visit ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING))
	GROUP BY visit SETTINGS max_rows_to_group_by = 0`

// plausibilityRows has one row a visit held at least 7 days before as-of, with what speaks against it, and of the sample what others said of it.
func (s *scope) plausibilityRows() (statement, error) {
	rows, err := s.visitRows()
	drawn := fmt.Sprintf("cityHash64(toString(v.id)) %% %d = 0", checkedOne)
	if s.version >= 3 {
		drawn = "ifNull(v.drawn, " + drawn + ")"
	}
	rows.text = fmt.Sprintf(`SELECT v.*, c.overlapping AS overlapping, c.fast AS fast, c.located AS located, v.ended_at IS NOT NULL AS timed, timed AND dateDiff('second', v.started_at, v.ended_at) < %[1]d AS short,
			v.note_created_at IS NULL OR v.note_created_at > addDays(v.anchor_at, %[2]d) OR v.note_created_at > %[3]s AS late,
			v.note_unit_id IS NOT NULL AND NOT has(p.units, assumeNotNull(v.note_unit_id)) AS foreign_note,
			%[4]s AS checked, checked AND a.word IN ('HELD_AS_RECORDED', 'SHORTER', 'NOT_HELD') AS told, checked AND a.word = 'NOT_HELD' AS denied
		FROM (%[5]s) AS v
		LEFT ANY JOIN (%[6]s) AS c ON c.visit = v.id
		LEFT ANY JOIN (SELECT t.visit AS visit, groupUniqArray(h.org_unit_id) AS units
			FROM (SELECT id AS visit, lead_id AS post FROM f_visit FINAL WHERE _deleted = 0 UNION ALL SELECT visit_id, post_id FROM f_visit_participant FINAL WHERE _deleted = 0) AS t
			INNER JOIN (SELECT id, org_unit_id FROM d_post_holding FINAL WHERE _deleted = 0) AS h ON h.id = t.post GROUP BY visit SETTINGS max_rows_to_group_by = 0) AS p ON p.visit = v.id
		LEFT ANY JOIN (SELECT visit_id AS visit, argMax(toString(says), (at, %[7]s)) AS word FROM f_attestation FINAL
			WHERE _deleted = 0 AND voice != 'HOST' AND at <= %[3]s GROUP BY visit SETTINGS max_rows_to_group_by = 0) AS a ON a.visit = v.id
		WHERE v.anchor_at <= subtractDays(%[3]s, %[2]d)`, shortMinutes*60, noteDays, asOf, drawn, rows.text, fmt.Sprintf(clashes, fastestKmh, asOf), entered("id"))
	return rows, err
}

// activityKinds are the strata of the sample.
var activityKinds = []string{"PROPAGATION", "RESEARCH", "RECEPTION", "ONSITE_OFFICE"}

// Plausibility is F7. Numbers: implausible (share with anything of what follows), overlapping, tooFast (of those whose places are known), tooShort (of
// those with an end), noteLate, noteByOthers (shares), falseShare (NOT_HELD of those that others spoke of, of the visits drawn by lot), checked,
// answered (visits). n = visits held at least 7 days ago.
func (m *Measures) Plausibility(ctx context.Context, q Question) (*Table, error) {
	s, t, err := m.begin(ctx, q, "F7")
	if err != nil {
		return nil, err
	}
	how, err := countPlausibility(s)
	if err != nil {
		return nil, err
	}
	found, err := m.tally(ctx, s, how)
	if err != nil {
		return nil, err
	}
	among, err := m.crowd(ctx, "F7", s, append([]shareOf{falseShare}, implausible...), countPlausibility)
	if err != nil {
		return nil, err
	}
	c := newColumns(t, []Num{ranged("implausible", "share"), ranged("overlapping", "share"), shared("tooFast"), shared("tooShort"), ranged("noteLate", "share"), shared("noteByOthers"),
		shared("falseShare"), plain("checked", "visits"), plain("answered", "visits")})
	cells, err := arrange(ctx, m, s, found, t)
	if err != nil {
		return nil, err
	}
	for _, cell := range cells {
		v := cell.sums
		if err := c.sharesOf(implausible, v, float64(cell.n), among); err != nil {
			return nil, err
		}
		c.number("checked", v[9])
		if err := c.backCheck(v, among); err != nil {
			return nil, err
		}
		c.end(cell.n, nil)
	}
	t.notePlausibility(cells)
	t.notePeople(among)
	s.ownUnits(t)
	return t, nil
}

// countPlausibility counts, after what stands in implausible, of each kind of activity who denied, who told, and the visits.
func countPlausibility(s *scope) (tally, error) {
	rows, err := s.plausibilityRows()
	sums := []string{"countIf(overlapping OR fast OR short OR late OR foreign_note)", "countIf(overlapping)", "countIf(fast)", "countIf(located)", "countIf(short)", "countIf(timed)",
		"countIf(late)", "countIf(foreign_note)", "countIf(note_unit_id IS NOT NULL)", "countIf(checked)"}
	for _, kind := range activityKinds {
		of := "activity_kind = '" + kind + "'"
		sums = append(sums, "countIf("+of+" AND denied)", "countIf("+of+" AND told)", "countIf("+of+")")
	}
	return tally{rows: rows, sums: sums}, err
}

var implausible = []shareOf{of("implausible", 0, ofUnits), of("overlapping", 1, ofUnits), of("tooFast", 2, 3), of("tooShort", 4, 5), of("noteLate", 6, ofUnits), of("noteByOthers", 7, 8)}

// strata are of the sample: who denied and who told of the visits of each kind of activity.
func strata(v []float64) (all []stats.Sampled) {
	for i := 10; i < len(v); i += 3 {
		all = append(all, stats.Sampled{X: v[i], N: v[i+1], Size: v[i+2]})
	}
	return all
}

// falseShare is that of a post: with so few answers kinds of activity are not weighed.
var falseShare = shareOf{"falseShare", func(v []float64, _ float64) (all stats.Counted) {
	for _, s := range strata(v) {
		all.X, all.N = all.X+s.X, all.N+s.N
	}
	return all
}}

// backCheck puts what those who were asked said.
func (c *columns) backCheck(v []float64, among crowd) error {
	all := falseShare.of(v, 0)
	if among != nil {
		c.person("falseShare", all, among)
	} else {
		share, err := stats.DesignShare(strata(v))
		if err != nil {
			return err
		}
		num := &c.table.Nums[c.index["falseShare"]]
		num.Of = append(num.Of, int64(all.N))
		c.estimate("falseShare", share, 1)
	}
	c.number("answered", all.N)
	return nil
}

func (t *Table) notePlausibility(cells []*tallied) {
	t.noteNoVisits()
	var located, told float64
	for _, cell := range cells {
		located += cell.sums[3]
		told += falseShare.of(cell.sums, 0).N
	}
	if len(cells) > 0 && located == 0 {
		t.Notes = append(t.Notes, "tooFast is not computable: of no two visits of one person after another are both places known")
	}
	if len(cells) > 0 && told == 0 {
		t.Notes = append(t.Notes, "falseShare is not computable: nobody but hosts said anything of the visits drawn by lot")
	}
}
