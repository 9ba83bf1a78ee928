// Package detect asks the measures of formalism about units and posts and raises flags for people to judge: what is conspicuous among all, with what was
// seen. It scores nobody, and raises nothing twice for the same matter.
package detect

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/google/uuid"

	"groundwork"
	"groundwork/warehouse"
)

// Measures answers measures.
type Measures interface {
	Ask(ctx context.Context, code string, q warehouse.Question) (*warehouse.Table, error)
}

// Ripens is how long after the end of a period it is looked at: visits leave their traces within 14 days.
const Ripens = 14 * 24 * time.Hour

// LastQuarter is the latest quarter that is over and ripe at a moment.
func LastQuarter(now time.Time) (from, to time.Time) {
	y, m, _ := now.Add(-Ripens).In(groundwork.China).Date()
	to = time.Date(y, m-(m-1)%3, 1, 0, 0, 0, 0, groundwork.China)
	return to.AddDate(0, -3, 0), to
}

// Find asks every detector about a period, and at least the months before its end that the detector needs, and returns what is conspicuous, as flags that are not raised yet.
func Find(ctx context.Context, m Measures, from, to, now time.Time) ([]groundwork.FormalismFlag, error) {
	if now.Before(to.Add(Ripens)) {
		return nil, groundwork.Invalid("to", "the period ends %s: it is looked at from 14 days later on; give one that is over for as long", to.Format(time.DateOnly))
	}
	var found []groundwork.FormalismFlag
	for _, d := range Detectors {
		flags, err := d.find(ctx, m, d.Since(from, to), to)
		if err != nil {
			return nil, fmt.Errorf("detector %s: %w", d.Name(), err)
		}
		found = append(found, flags...)
	}
	return found, nil
}

// Since is from when on the detector looks at a period.
func (d Detector) Since(from, to time.Time) time.Time {
	if least := to.In(groundwork.China).AddDate(0, -d.Months, 0); least.Before(from) {
		return least
	}
	return from
}

// maxSubjects bounds an answer.
const maxSubjects = 100_000

func (d Detector) find(ctx context.Context, m Measures, from, to time.Time) ([]groundwork.FormalismFlag, error) {
	q := warehouse.Question{From: &from, To: &to, Reviewer: true, Query: warehouse.Query{Limit: maxSubjects}} // as of what the warehouse has
	total, err := m.Ask(ctx, d.Measure, q)
	if err != nil {
		return nil, err
	}
	q.By, q.AsOf = []warehouse.Dimension{d.By}, &total.AsOf
	rows, err := m.Ask(ctx, d.Measure, q)
	if err != nil {
		return nil, err
	}
	if rows.Truncated {
		return nil, fmt.Errorf("more than %d subjects; the answer was cut off", maxSubjects)
	}
	version, err := strconv.Atoi(rows.DefinitionVersion)
	if err != nil {
		return nil, fmt.Errorf("version of the definition of %s: %w", d.Measure, err)
	}
	var all cell
	if len(total.N) > 0 {
		all = d.cell(total, 0)
	}
	var flags []groundwork.FormalismFlag
	for i, key := range rows.Dims[0].Keys {
		row := d.cell(rows, i)
		id, err := uuid.Parse(key.ID)
		if err != nil || row.n < int64(d.Fewest) || !d.Rule.finds(row, all) { // without an id nobody is known
			continue
		}
		f := groundwork.FormalismFlag{Kind: d.Measure, PeriodFrom: day(from), PeriodTo: day(to), Detector: d.Name(), DetectorVersion: d.Version, Score: *row.value,
			Evidence: d.evidence(row, all)}
		f.Evidence["definitionVersion"], f.Evidence["asOf"] = version, total.AsOf.UTC().Format(time.RFC3339Nano)
		if d.By == warehouse.ByPost {
			f.SubjectPostID = &id
		} else {
			f.SubjectUnitID = &id
		}
		flags = append(flags, f)
	}
	return flags, nil
}

// day is a day as flags have it.
func day(t time.Time) time.Time {
	y, m, d := t.In(groundwork.China).Date()
	return time.Date(y, m, d, 0, 0, 0, 0, time.UTC)
}

func (d Detector) cell(t *warehouse.Table, i int) cell {
	c := cell{n: t.N[i], beside: map[string]float64{}}
	for _, num := range t.Nums {
		switch {
		case num.Name == d.Column:
			c.value = num.Value[i]
			if num.Lo != nil {
				c.lo, c.hi = num.Lo[i], num.Hi[i]
			}
			if num.Of != nil {
				c.n = num.Of[i]
			}
		case num.Name == "q":
			c.q = num.Value[i]
		case num.Value[i] != nil:
			c.beside[num.Name] = *num.Value[i]
		}
	}
	return c
}

// evidence is what was seen, for a reviewer to judge by: the number, what it is called and the rule in English and Chinese, and what the measure says beside it.
func (d Detector) evidence(row, all cell) map[string]any {
	seen := map[string]any{"measure": d.Measure, "number": d.Column, "value": *row.value, "n": row.n, "fewest": d.Fewest, "rule": d.Rule.English, "ruleChinese": d.Rule.Chinese, "beside": row.beside}
	if m, known := warehouse.MeasureByCode(d.Measure); known {
		seen["name"], seen["nameChinese"] = m.Name, m.ChineseName
		for _, c := range m.Columns {
			if c.Name == d.Column {
				seen["label"], seen["labelChinese"] = c.English, c.Chinese
			}
		}
	}
	for name, v := range map[string]*float64{"low": row.lo, "high": row.hi, "q": row.q, "among all": all.value} {
		if v != nil {
			seen[name] = *v
		}
	}
	return seen
}

// Standing reports whether a flag of the same kind and subject was raised before of a period that has a day in common with this one, by whichever detector: it speaks of the same visits or
// claims.
func Standing(ctx context.Context, s groundwork.FlagStore, f groundwork.FormalismFlag) (bool, error) {
	until := f.PeriodTo.AddDate(0, 0, -1)
	filter := groundwork.FlagFilter{Kinds: []string{f.Kind}, Period: groundwork.TimeRange{From: &f.PeriodFrom, To: &until}}
	if f.SubjectPostID != nil {
		filter.PostIDs = []uuid.UUID{*f.SubjectPostID}
	} else {
		filter.UnitIDs = []uuid.UUID{*f.SubjectUnitID}
	}
	page := groundwork.PageRequest{First: 100}
	for {
		flags, err := s.Flags(ctx, filter, page)
		if err != nil {
			return false, err
		}
		for _, g := range flags.Items {
			if (g.SubjectPostID == nil) == (f.SubjectPostID == nil) {
				return true, nil
			}
		}
		if !flags.HasNext {
			return false, nil
		}
		page.After = &flags.Cursors[len(flags.Cursors)-1]
	}
}

// Raise raises the flags that do not stand yet and says which; a dry run raises none. Of two detectors that find the same kind of the same subject the first counts.
func Raise(ctx context.Context, s groundwork.FlagStore, found []groundwork.FormalismFlag, dryRun bool) (raised []groundwork.FormalismFlag, err error) {
	type matter struct {
		kind       string
		unit, post uuid.UUID
	}
	told := map[matter]bool{}
	for _, f := range found {
		of := matter{kind: f.Kind}
		if f.SubjectPostID != nil {
			of.post = *f.SubjectPostID
		} else {
			of.unit = *f.SubjectUnitID
		}
		if told[of] {
			continue
		}
		told[of] = true
		standing, fault := Standing(ctx, s, f)
		if fault != nil || standing {
			err = errors.Join(err, fault)
			continue
		}
		if !dryRun {
			if _, _, fault := s.RaiseFlag(ctx, groundwork.System, f); fault != nil {
				err = errors.Join(err, fault)
				continue
			}
		}
		raised = append(raised, f)
	}
	return raised, err
}
