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

// Detector is a rule by which a measure of formalism is looked at. A rule that changes gets a higher Version.
type Detector struct {
	Measure string
	By      warehouse.Dimension // whom it speaks of
	Column  string
	Version int
	Rule    string // in words, part of the evidence
	finds   func(row, all cell) bool
}

// cell is what a row of an answer says.
type cell struct {
	n             int64
	value, lo, hi *float64
	q             *float64
}

// minCases is below how many cases nothing is conspicuous.
const minCases = 20

// Detectors lists the rules.
var Detectors = []Detector{
	{"F1", warehouse.ByPost, "traceless", 1, shareRule, twiceTheShare},
	{"F2", warehouse.ByUnit, "withoutCitizen", 1, shareRule, twiceTheShare},
	{"F4", warehouse.ByPost, "ratio", 1, "at least twice as many visits a day in the last week of the quarter as before, q at most 0.05", bunched},
	{"F5", warehouse.ByUnit, "instant", 1, shareRule, twiceTheShare},
}

// Name is what flags call the detector.
func (d Detector) Name() string { return d.Measure + " by " + string(d.By) }

const shareRule = "of 20 cases or more, the lower end of the 95 % interval of the share lies above twice the share among all"

func twiceTheShare(row, all cell) bool {
	return row.n >= minCases && row.lo != nil && all.value != nil && *row.lo > 2**all.value
}

func bunched(row, _ cell) bool {
	return row.n >= minCases && row.value != nil && *row.value >= 2 && row.q != nil && *row.q <= 0.05
}

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

// Find asks every detector about a period and returns what is conspicuous, as flags that are not raised yet.
func Find(ctx context.Context, m Measures, from, to, now time.Time) ([]groundwork.FormalismFlag, error) {
	if now.Before(to.Add(Ripens)) {
		return nil, groundwork.Invalid("to", "the period ends %s: it is looked at from 14 days later on; give one that is over for as long", to.Format(time.DateOnly))
	}
	var found []groundwork.FormalismFlag
	for _, d := range Detectors {
		flags, err := d.find(ctx, m, from, to)
		if err != nil {
			return nil, fmt.Errorf("detector %s: %w", d.Name(), err)
		}
		found = append(found, flags...)
	}
	return found, nil
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
		if err != nil || !d.finds(row, all) { // without an id nobody is known
			continue
		}
		f := groundwork.FormalismFlag{Kind: d.Measure, PeriodFrom: day(from), PeriodTo: day(to), Detector: d.Name(), DetectorVersion: d.Version, Score: *row.value,
			Evidence: map[string]any{"measure": d.Measure, "definitionVersion": version, "number": d.Column, "value": *row.value, "n": row.n, "rule": d.Rule, "asOf": total.AsOf.UTC().Format(time.RFC3339Nano)}}
		for name, v := range map[string]*float64{"low": row.lo, "high": row.hi, "q": row.q, "among all": all.value} {
			if v != nil {
				f.Evidence[name] = *v
			}
		}
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
	c := cell{n: t.N[i]}
	for _, num := range t.Nums {
		switch num.Name {
		case d.Column:
			c.value = num.Value[i]
			if num.Lo != nil {
				c.lo, c.hi = num.Lo[i], num.Hi[i]
			}
			if num.Of != nil {
				c.n = num.Of[i]
			}
		case "q":
			c.q = num.Value[i]
		}
	}
	return c
}

// Standing reports whether a flag of the same kind, subject and period was raised before, by whichever version of a detector.
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
			if (g.SubjectPostID == nil) == (f.SubjectPostID == nil) && g.PeriodFrom.Equal(f.PeriodFrom) && g.PeriodTo.Equal(f.PeriodTo) {
				return true, nil
			}
		}
		if !flags.HasNext {
			return false, nil
		}
		page.After = &flags.Cursors[len(flags.Cursors)-1]
	}
}

// Raise raises the flags that do not stand yet and says which; a dry run raises none.
func Raise(ctx context.Context, s groundwork.FlagStore, found []groundwork.FormalismFlag, dryRun bool) (raised []groundwork.FormalismFlag, err error) {
	for _, f := range found {
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
