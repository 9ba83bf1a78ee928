package warehouse

import "context"

// counted is what Counts knows of a cell.
type counted struct{ issues, reporters int64 }

// Counts counts issues, except merged ones, and the distinct reporters behind them, per cell. Opinions of unknown reporters count as
// one reporter each. Numbers: reporters. n = issues.
func (m *Measures) Counts(ctx context.Context, q Query) (*Table, error) {
	s, err := m.scope(ctx, q)
	if err != nil {
		return nil, err
	}
	t := s.table(Definition{Code: "COUNT", Version: "1", Anchor: "RECEIVED", Method: "census"})
	found := map[cellKey]*counted{}
	targets, key := s.scanKeys()
	var row counted
	targets = append(targets, &row.issues, &row.reporters)
	err = m.each(ctx, "count issues and reporters", s.countStatement(), func(scan func(...any) error) error {
		if err := scan(targets...); err != nil {
			return err
		}
		found[key()] = &counted{row.issues, row.reporters}
		return nil
	})
	if err != nil {
		return nil, err
	}
	if len(s.By) == 0 && len(found) == 0 {
		found[cellKey{}] = &counted{} // the whole is none, which is a count
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

func (s *scope) countStatement() statement {
	rows := s.spells()
	rows.text = `SELECT i.*, i.id AS issue, ifNull(o.reporter_pid, o.id) AS reporter FROM (` + rows.text + `) AS i
		LEFT JOIN (SELECT issue_id, opinion_id FROM f_issue_opinion FINAL WHERE _deleted = 0) AS link ON link.issue_id = i.id
		LEFT JOIN (SELECT id, reporter_pid FROM f_opinion FINAL WHERE _deleted = 0) AS o ON o.id = link.opinion_id
		WHERE i.state != 'MERGED'`
	return s.byCell(&builder{}, rows, nil, "toInt64(uniqExact(issue)), toInt64(uniqExact(reporter))")
}
