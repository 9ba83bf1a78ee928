package warehouse

import (
	"context"
	"fmt"
	"iter"
	"strings"

	"github.com/google/uuid"

	"groundwork/warehouse/privacy"
)

// Protect asks only whether a cell has fewer than so many reporters, so nobody counts beyond.
const enoughReporters = privacy.Least

// looked is how many issues of each cell are looked at first. Nearly always they show enough reporters, or are all there are. They lie anywhere in the mirror, so that looking at many reads
// most of it.
const looked = 24

// spoken is what is found of a cell: the issues that were looked at, and their reporters up to enoughReporters.
type spoken struct{ issues, reporters int64 }

// voices is where the reporters behind cells are looked for.
type voices struct {
	rows     func(among string) statement // what counts; only issues whose ids are among these are asked of it, "" = any
	near     statement                    // none of it lacks here, though some may have gone: the base, which is quicker to read
	first    statement                    // rows of near of which each cell has its first issues looked at
	partial  bool                         // first need not have all that a cell has
	weighted bool                         // rows have weights
}

// voicesOf are those of rows that are read as they are.
func voicesOf(rows statement) voices {
	return voices{rows: func(string) statement { return rows }, near: rows, first: rows}
}

// sampled looks first at what rows have of some of the issues, where there are many.
func (m *Measures) sampled(ctx context.Context, s *scope, rows func(*scope) statement) (voices, error) {
	exact := func(among string) statement {
		of := *s
		of.among = among
		return rows(&of)
	}
	whole := exact("")
	issues, err := recall(ctx, m, "how many issues", []string{"f_issue"}, func() (issues uint64, err error) {
		err = m.each(ctx, "count issues", statement{text: "SELECT count() FROM f_issue"}, func(scan func(...any) error) error { return scan(&issues) })
		return issues, err
	})
	slices := idSlices("id", max(1, fourfold*issues/uint64(m.sample)))
	if err != nil || len(slices) < 2*fourfold {
		return voices{rows: exact, near: whole, first: whole}, err
	}
	return voices{rows: exact, near: whole, first: exact(" IN (SELECT id FROM f_issue WHERE " + slices[len(slices)/2] + ")"), partial: true}, nil
}

// nearby looks for issues in what the base has, and first in a part of it.
func (s *scope) nearby(rows func(*scope) statement) voices {
	if s.base == nil {
		return voicesOf(rows(s))
	}
	some := *s
	some.base = s.base.some()
	exact := func(among string) statement {
		of := *s
		of.base, of.among = nil, among
		return rows(&of)
	}
	return voices{rows: exact, near: rows(s), first: rows(&some), partial: true}
}

// reporters counts the reporters behind the rows of each of the cells, up to enoughReporters; opinions of unknown reporters count as one each. Of most cells a
// few issues are enough, so what is read of opinions grows with the cells and not with the issues; the others are counted whole.
func (m *Measures) reporters(ctx context.Context, s *scope, of voices, cells iter.Seq[cellKey]) (map[cellKey]spoken, error) {
	first := s.group(of.first, fmt.Sprintf("groupUniqArray(%d)(id) AS ids", looked))
	first.text = "SELECT arrayJoin(ids) FROM (" + first.text + ")"
	found, err := m.spoken(ctx, s, of, first)
	if err != nil {
		return nil, err
	}
	var open []string
	for key := range cells {
		if found[key].reporters < enoughReporters && (of.partial || found[key].issues >= looked) {
			open = append(open, s.keyText(key))
		}
	}
	if len(open) == 0 {
		return found, nil
	}
	whole, err := m.spoken(ctx, s, of, s.idsOf(of.near, open))
	for key, cell := range whole {
		found[key] = spoken{max(cell.issues, found[key].issues), max(cell.reporters, found[key].reporters)}
	}
	return found, err
}

// spoken counts the reporters of the chosen issues among the rows. Links and opinions are picked by key before FINAL merges them (PREWHERE, which may ask for no more than a key then): of the
// thousands of rows that lie beside each of them only keys are read.
func (m *Measures) spoken(ctx context.Context, s *scope, of voices, chosen statement) (map[cellKey]spoken, error) {
	among, chosen, few, err := m.amongIDs(ctx, chosen)
	if err != nil {
		return nil, err
	}
	rows := of.rows("")
	if few {
		rows = of.rows(among)
	}
	b := &builder{}
	for name, value := range chosen.values {
		b.value(name, value)
	}
	for name, value := range rows.values {
		b.value(name, value)
	}
	b.write("SELECT u.*, u.id AS issue, ifNull(o.reporter_pid, o.id) AS reporter FROM (SELECT * FROM (", rows.text, ") WHERE id", among, ") AS u",
		" LEFT JOIN (SELECT issue_id, opinion_id FROM f_issue_opinion FINAL PREWHERE issue_id", among, " WHERE _deleted = 0) AS link ON link.issue_id = u.id",
		" LEFT JOIN (SELECT id, reporter_pid FROM f_opinion FINAL PREWHERE id IN (SELECT opinion_id FROM f_issue_opinion WHERE issue_id", among, ") WHERE _deleted = 0) AS o ON o.id = link.opinion_id")
	const counted = "toInt64(uniqExact%[1]s(issue%[2]s)), toInt64(least(uniqExact%[1]s(reporter%[2]s), %[3]d))"
	joined := b.statement()
	counts := s.group(joined, fmt.Sprintf(counted, "", "", enoughReporters))
	if of.weighted { // what came and went again is no voice
		counts = s.gathered(&builder{}, joined, s.window, fmt.Sprintf(counted, "If", ", weight > 0", enoughReporters), "issue, reporter, sum(w) AS weight", nil, "issue", "reporter")
	}
	found := map[cellKey]spoken{}
	targets, key := s.scanKeys()
	var cell spoken
	targets = append(targets, &cell.issues, &cell.reporters)
	err = m.each(ctx, "count reporters", counts, func(scan func(...any) error) error {
		err := scan(targets...)
		found[key()] = cell
		return err
	})
	return found, err
}

// amongFew is SQL by which a column is one of some ids that go with the statement.
const amongFew = " IN {ids:Array(UUID)}"

// amongIDs is SQL by which a column is one of the chosen ids, and what it binds: the ids themselves if they are few. The statement names them three times, and the engine
// would take longer to understand that than to look them up.
func (m *Measures) amongIDs(ctx context.Context, chosen statement) (among string, binds statement, few bool, err error) {
	first := chosen.with("most_ids", m.maxSent+1)
	first.text += " LIMIT {most_ids:UInt32}"
	ids := []uuid.UUID{}
	err = m.each(ctx, "choose issues", first, func(scan func(...any) error) error {
		var id uuid.UUID
		err := scan(&id)
		ids = append(ids, id)
		return err
	})
	if err != nil || len(ids) > m.maxSent {
		return " IN (" + chosen.text + ")", chosen, false, err
	}
	return amongFew, statement{values: map[string]any{"ids": ids}}, true, nil
}

// keySeparator stands in no key.
const keySeparator = "\n"

func (s *scope) keyText(key cellKey) string { return strings.Join(key[:len(s.By)], keySeparator) }

// idsOf selects the issues of the cells with those texts.
func (s *scope) idsOf(rows statement, cells []string) statement {
	ids := s.group(rows, "id", "id")
	names := make([]string, len(s.By))
	for i := range names {
		names[i] = fmt.Sprintf("ifNull(tupleElement(cell, %d), '')", i+1)
	}
	if len(names) > 0 {
		ids.text = "SELECT id FROM (SELECT id, tuple(* EXCEPT id) AS cell FROM (" + ids.text + ")) WHERE arrayStringConcat([" + strings.Join(names, ", ") + "], '\\n') IN {cells:Array(String)}"
		bind(ids.values, "cells", cells)
	}
	return ids
}
