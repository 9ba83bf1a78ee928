package warehouse

import (
	"context"
	"maps"
)

// Counts counts issues, except merged ones, and the distinct reporters behind them, per cell: up to 11, since that many are enough for Protect. Opinions of unknown
// reporters count as one reporter each. Numbers: reporters. n = issues.
func (m *Measures) Counts(ctx context.Context, q Query) (*Table, error) {
	s, err := m.scope(ctx, q)
	if err != nil {
		return nil, err
	}
	t := s.table(Definition{Code: "COUNT", Version: "1", Anchor: "RECEIVED", Method: "census"})
	near := *s
	if err := m.useBase(ctx, &near, issueBase); err != nil {
		return nil, err
	}
	issues, err := m.countIssues(ctx, &near)
	if err != nil {
		return nil, err
	}
	behind, err := m.reporters(ctx, s, near.nearby((*scope).unmerged), maps.Keys(issues))
	if err != nil {
		return nil, err
	}
	if len(s.By) == 0 && len(issues) == 0 {
		issues[cellKey{}] = 0 // the whole is none, which is a count
	}
	found := make(map[cellKey]spoken, len(issues))
	for key, n := range issues {
		found[key] = spoken{n, behind[key].reporters}
	}
	c := newColumns(t, []Num{plain("reporters", "persons")})
	cells, err := arrange(ctx, m, s, found, t)
	if err != nil {
		return nil, err
	}
	for _, cell := range cells {
		c.number("reporters", float64(cell.reporters))
		t.N = append(t.N, cell.issues)
		t.flag(nil)
	}
	return t, nil
}

// countIssues counts those that are not merged, per cell.
func (m *Measures) countIssues(ctx context.Context, s *scope) (map[cellKey]int64, error) {
	data, err := m.dataExtent(ctx, s)
	if err != nil {
		return nil, err
	}
	issues := map[cellKey]int64{}
	targets, key := s.scanKeys()
	var n int64
	targets = append(targets, &n)
	for _, part := range s.issuesByPlace(data) {
		part.text = "SELECT * FROM (" + part.text + ") WHERE NOT merged"
		if err := m.each(ctx, "count issues", s.byCell(&builder{}, part, nil, "toInt64(sum(w))"), func(scan func(...any) error) error {
			err := scan(targets...)
			issues[key()] += n
			return err
		}); err != nil {
			return nil, err
		}
	}
	maps.DeleteFunc(issues, func(_ cellKey, n int64) bool { return n == 0 }) // what came and went again leaves nothing
	return issues, nil
}

// unmerged are the spells of issues that count by themselves.
func (s *scope) unmerged() statement {
	rows := s.spells()
	rows.text = "SELECT * FROM (" + rows.text + ") WHERE state != 'MERGED'"
	return rows
}
