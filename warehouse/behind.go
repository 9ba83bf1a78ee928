package warehouse

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/google/uuid"
)

// Cell names one cell of a measure: a value for each dimension of the split, as the keys of the answer have it; nil = unknown.
type Cell map[Dimension]*string

// behind is how a measure comes to its issues: its rows, and which of them each number counts; "" = all that the measure counts.
type behind struct {
	rows  func(*scope) statement
	rules map[string]string
}

// behinds are the measures whose cells lead to issues.
var behinds = map[string]behind{
	"T1": {(*scope).spells, map[string]string{"": "response_end < 8", "responded": "response_end = 1"}},
	"T2": {(*scope).spells, map[string]string{"": "resolution_end < 8", "open": "resolution_end = 0", "awaitingFeedback": "resolution_end = 5", "confirmed": "resolution_end = 1",
		"explainedOrReferred": "resolution_end = 2", "unconfirmed": "resolution_end = 3", "withdrawn": "resolution_end = 4"}},
	"T3": {(*scope).dueRows, map[string]string{"": "counts", "onTimeIssues": "counts AND held", "late": "counts AND late", "openOverdue": "counts AND overdue", "awaitingFeedback": "counts AND waits",
		"notYetDue": "NOT due"}},
	"T4": {(*scope).spells, map[string]string{"": openState, "open": openState, "awaitingFeedback": "state = 'CLAIMED'"}},
	"Q1": {(*scope).claimRows, map[string]string{"": "1", "answered": "answered", "resolved": "yes", "partly": "partly"}},
	"Q2": {(*scope).ratingRows, map[string]string{"": "1", "satisfied": "high", "basically": "middle"}},
	"Q3": {(*scope).soughtRows, map[string]string{"": "1", "attempted": "attempted OR handler_only", "reached": "reached OR handler_only", "answered": "answered OR handler_only", "independent": "answered"}},
	"H1": {(*scope).spells, map[string]string{"": "state != 'MERGED'", "issues": "state != 'MERGED'"}},
}

const openState = "state NOT IN ('CLOSED', 'MERGED')"

// Behind are issues behind a cell.
type Behind struct {
	IDs   []uuid.UUID // by id, after the one given
	Total int
	Table *Table // of when
}

// Behind lists at most limit issues behind a cell of a measure, of those that a number counts ("" = all). An issue counts once, however many claims or ratings
// of it the cell holds.
func (m *Measures) Behind(ctx context.Context, code, number string, q Question, cell Cell, after uuid.UUID, limit int) (*Behind, error) {
	how, has := behinds[code]
	if !has {
		return nil, invalid("Measure", "%s does not count issues one by one; ask for one of %s", code, strings.Join(slices.Sorted(maps.Keys(behinds)), ", "))
	}
	rule, has := how.rules[number]
	if !has {
		return nil, invalid("Number", "%s has no issues behind %q; give one of %s", code, number, strings.Join(slices.Sorted(maps.Keys(how.rules)), " "))
	}
	measure, _ := MeasureByCode(code)
	q.By = slices.Sorted(maps.Keys(cell))
	for _, d := range q.By {
		if !measure.splits(q, d) {
			return nil, invalid("By", "%s cannot be split by %s; give some of %v", code, d, measure.Dimensions)
		}
	}
	q.Protect = false
	if code == "T1" || code == "T2" || code == "T4" || code == "H1" {
		q.Query = q.byOrigin()
		q.From, q.To = nil, nil
	}
	if code == "H1" && q.RegionLevel == "" {
		q.RegionLevel = defaultHotspotLevel
	}
	s, t, err := m.begin(ctx, q, code)
	if err != nil {
		return nil, err
	}
	if err := m.feedbackDue(ctx, s); err != nil {
		return nil, err
	}
	b := &Behind{Table: t}
	var id uuid.UUID
	var total uint64
	err = m.each(ctx, "list issues", s.members(how.rows(s), rule, cell, after, limit), func(scan func(...any) error) error {
		if err := scan(&id, &total); err != nil {
			return err
		}
		if b.Total = int(total); id != uuid.Nil { //nolint:gosec // a count of issues
			b.IDs = append(b.IDs, id)
		}
		return nil
	})
	return b, err
}

// members selects the ids of the rows of a cell that a rule admits, and how many there are; a row with the nil id comes first.
func (s *scope) members(rows statement, rule string, cell Cell, after uuid.UUID, limit int) statement {
	b := &builder{values: rows.values}
	var columns, conditions []string
	for i, d := range s.By {
		column, key := fmt.Sprintf("g%d", i), dimensionKeys[d]
		columns = append(columns, key.group+" AS "+column)
		name := strings.ReplaceAll(strings.ReplaceAll(key.name, "g)", column+")"), "g,", column+",")
		if d == ByRegion {
			name = fmt.Sprintf(name, s.regionCodes(b))
		}
		if cell[d] == nil {
			conditions = append(conditions, "isNull(toNullable("+name+"))")
			continue
		}
		conditions = append(conditions, fmt.Sprintf("toNullable(%s) = {cell%d:String}", name, i))
		b.value(fmt.Sprintf("cell%d", i), *cell[d])
	}
	if slices.ContainsFunc(grains, s.split) {
		b.value("timezone", s.Timezone)
	}
	b.value("after", after.String())
	b.value("limit", limit)
	b.write("WITH chosen AS (SELECT DISTINCT id FROM (SELECT ", strings.Join(append(columns, "id"), ", "), " FROM (SELECT * FROM (", rows.text, ")")
	s.window(b)
	b.write(") WHERE ", rule, ")")
	for i, condition := range conditions {
		b.write([]string{" WHERE ", " AND "}[min(i, 1)], condition)
	}
	b.write(") SELECT ", noID, " AS id, (SELECT count() FROM chosen) AS total UNION ALL SELECT id, toUInt64((SELECT count() FROM chosen)) AS total FROM (SELECT id FROM chosen WHERE id > {after:UUID} ORDER BY id LIMIT {limit:UInt32})")
	return b.statement()
}
