package warehouse

import (
	"context"
	"fmt"
)

// ToldAgain is D1. Numbers, all shares: repeated, sameReporter, foundLater. n = opinions that are on an issue.
func (m *Measures) ToldAgain(ctx context.Context, q Question) (*Table, error) {
	s, t, err := m.begin(ctx, q, "D1")
	if err != nil {
		return nil, err
	}
	found, err := m.tally(ctx, s, tally{rows: s.opinionRows(), sums: []string{"countIf(repeated)", "countIf(same_reporter)", "countIf(found_later)", "uniqUpTo(" + fmt.Sprint(enoughReporters) + ")(reporter)"}})
	if err != nil {
		return nil, err
	}
	c := newColumns(t, []Num{ranged("repeated", "share"), ranged("sameReporter", "share"), ranged("foundLater", "share")})
	cells, err := arrange(ctx, m, s, found, t)
	if err != nil {
		return nil, err
	}
	for _, cell := range cells {
		if err := c.shares(float64(cell.n), map[string]float64{"repeated": cell.sums[0], "sameReporter": cell.sums[1], "foundLater": cell.sums[2]}); err != nil {
			return nil, err
		}
		c.end(cell.n, nil)
	}
	t.noteNothing(len(cells), "not computable: no opinion here is on an issue")
	s.spokenBy(t, func(row int) int64 { return int64(cells[row].sums[3]) })
	return t, nil
}

// opinionRows has one row an opinion on a matter of the scope, anchored at its receipt, with its own channel and kind, its reporter, and whether it tells of
// a matter that was known: at all (repeated), to the same reporter, and of which an issue was known that it was not put to (found_later). A matter is an issue with all that were
// merged into it, directly or by others.
func (s *scope) opinionRows() statement {
	of := *s
	of.Where.Channels, of.Where.Kinds = nil, nil
	b := &builder{}
	matters := of.spells()
	b.values = matters.values
	b.write(`SELECT s.* REPLACE (told.1 AS anchor_at, told.5 AS channel, told.6 AS kind), ifNull(told.3, told.2) AS reporter, nth > 1 AS repeated, told.3 IS NOT NULL AND of_reporter > 1 AS same_reporter,
			told.4 != opinions[1].4 AS found_later
		FROM (SELECT matter, arraySort(o -> (o.1, `, entered("o.2"), `), groupArray((received_at, id, reporter_pid, own, channel, kind))) AS opinions, arrayEnumerateUniq(opinions.3) AS by_reporter
			FROM (SELECT o.*, link.issue_id AS own, link.matter AS matter
				FROM (SELECT id, received_at, reporter_pid, channel, kind FROM f_opinion FINAL WHERE _deleted = 0 AND received_at <= `, asOf, `) AS o
				INNER JOIN (`, s.linked(), `) AS link ON link.opinion_id = o.id)
			GROUP BY matter SETTINGS max_rows_to_group_by = 0) AS m
		ARRAY JOIN opinions AS told, arrayEnumerate(opinions) AS nth, by_reporter AS of_reporter
		INNER JOIN (`, matters.text, `) AS s ON s.id = m.matter`)
	and := " WHERE "
	for _, own := range []struct {
		column, name string
		wanted       []string
	}{{"told.5", "told_channels", s.Where.Channels}, {"told.6", "told_kinds", s.Where.Kinds}} {
		if len(own.wanted) > 0 {
			b.write(and, own.column, " IN {", own.name, ":Array(String)}")
			b.value(own.name, own.wanted)
			and = " AND "
		}
	}
	return b.statement()
}

// links are the opinions that were put to issues by as-of.
const links = "SELECT issue_id, opinion_id FROM f_issue_opinion FINAL WHERE _deleted = 0 AND linked_at <= " + asOf

// heardByMatters leads from each issue that stands for others to when the opinions that were put to these were received (more).
func (s *scope) heardByMatters() statement {
	all := *s
	all.Query, all.categories, all.units = Query{}, nil, nil
	if s.base != nil {
		own := *s.base
		own.only, own.areas, own.part, own.tailOnly, all.base = own.only+" AND state = 'MERGED'", false, "", false, &own
	} else {
		all.among = " IN (SELECT id FROM f_issue WHERE state = 'MERGED')"
	}
	merged := func(what records, further string) string { // a base may tell of what came and went again
		columns := "id, state, merged_into_id" + further
		return "SELECT " + columns + " FROM (" + all.histories(what).text + ") WHERE state = 'MERGED' GROUP BY " + columns + " HAVING sum(w) > 0 SETTINGS max_rows_to_group_by = 0"
	}
	rows := all.histories(records{heard: true})
	rows.text = "SELECT road.matter AS matter, groupArrayArray(m.heard) AS more FROM (" + merged(records{heard: true}, ", heard") + ") AS m INNER JOIN (" + mergers(merged(records{}, "")) + ") AS road ON road.merged = m.id" +
		" GROUP BY matter SETTINGS max_rows_to_group_by = 0"
	return rows
}

// linked are links, each with the issue that stands for its own in the end (matter).
func (s *scope) linked() string {
	all := *s
	all.Query, all.categories, all.units, all.deep = Query{}, nil, nil, true
	return "SELECT l.issue_id AS issue_id, l.opinion_id AS opinion_id, ifNull(merger.matter, l.issue_id) AS matter FROM (" + links + ") AS l LEFT ANY JOIN (" + mergers(all.spells().text) + ") AS merger ON merger.merged = l.issue_id"
}

// mergers leads from each merged issue to that which stands for it in the end; nobody merges in a circle.
func mergers(issues string) string {
	return fmt.Sprintf(`WITH RECURSIVE merged AS (SELECT id, assumeNotNull(merged_into_id) AS into FROM (%s) WHERE state = 'MERGED' AND merged_into_id IS NOT NULL),
		road AS (SELECT id AS own, into AS matter FROM merged UNION ALL SELECT road.own AS own, merged.into AS matter FROM road INNER JOIN merged ON merged.id = road.matter)
		SELECT toNullable(own) AS merged, toNullable(matter) AS matter FROM road WHERE matter NOT IN (SELECT id FROM merged)`, issues)
}
