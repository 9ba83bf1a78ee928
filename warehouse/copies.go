package warehouse

import (
	"context"
	"fmt"
)

// CopiedNotes is F3. Numbers: copied, ownCopies, othersCopies (shares), checked (notes). n = visits whose note is recorded and was compared.
func (m *Measures) CopiedNotes(ctx context.Context, q Question) (*Table, error) {
	s, t, err := m.begin(ctx, q, "F3")
	if err != nil {
		return nil, err
	}
	count := func(s *scope) (tally, error) {
		rows, err := s.visitRows()
		rows.text = fmt.Sprintf(`SELECT v.* REPLACE (assumeNotNull(v.note_created_at) AS anchor_at), c.known AS known, c.copied AS copied, ifNull(c.whose = 'OWN', 0) AS own
			FROM (%s) AS v LEFT ANY JOIN (SELECT visit_id, copied, whose, toUInt8(1) AS known FROM f_note_check FINAL WHERE _deleted = 0) AS c ON c.visit_id = v.id
			WHERE v.state IN ('RECORDED', 'CLOSED_OUT') AND v.note_created_at <= %s`, rows.text, asOf)
		return tally{rows: rows, sums: []string{"countIf(known)", "countIf(copied)", "countIf(copied AND own)", "countIf(copied AND NOT own)"}}, err
	}
	how, err := count(s)
	if err != nil {
		return nil, err
	}
	found, err := m.tally(ctx, s, how)
	if err != nil {
		return nil, err
	}
	shares := []shareOf{of("copied", 1, 0), of("ownCopies", 2, 0), of("othersCopies", 3, 0)}
	among, err := m.crowd(ctx, "F3", s, shares, count)
	if err != nil {
		return nil, err
	}
	c := newColumns(t, []Num{ranged("copied", "share"), ranged("ownCopies", "share"), ranged("othersCopies", "share")})
	for key, cell := range found {
		t.exclude("notComparedYet", cell.n-int64(cell.sums[0]))
		if cell.sums[0] == 0 {
			delete(found, key)
		}
	}
	cells, err := arrange(ctx, m, s, found, t)
	if err != nil {
		return nil, err
	}
	for _, cell := range cells {
		v := cell.sums
		if err := c.sharesOf(shares, v, 0, among); err != nil {
			return nil, err
		}
		c.end(int64(v[0]), map[string]bool{"provisional": cell.n > int64(v[0])})
	}
	t.noteNothing(len(cells), "not computable: no note of a visit here was compared with earlier ones; the chore note_check does so")
	t.notePeople(among)
	s.ownUnits(t)
	return t, nil
}
