package warehouse

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Measure is a definition with what it takes to answer it.
type Measure struct {
	Definition
	Dimensions []Dimension // what it can be split by
	Columns    []Column    // the numbers of an answer, in their order
	Headline   string      // the number that stands for the measure
	Curves     []Column    // those of an answer, if they are asked for
	Answer     func(*Measures, context.Context, Question) (*Table, error)
}

// Column describes a number of a measure.
type Column struct{ Name, Unit, English, Chinese string }

// Question asks a measure of the registry.
type Question struct {
	Query
	From, To *time.Time // window of the measure's anchor; nil = open. A stock has none.
	Reviewer bool       // asked by those who assess: units and posts may be told apart
	Version  string     `json:",omitempty"` // of the definition; "" = the latest
}

// Registry lists the measures in the order of their codes.
func Registry() []Measure { return slices.Clone(registry) }

var registry = sorted(slices.Concat(timelinessMeasures, outcomeMeasures, repeatMeasures, placeMeasures, aroundMeasures, policyMeasures, formalismMeasures, learningMeasures))

func sorted(all []Measure) []Measure {
	slices.SortFunc(all, func(a, b Measure) int { return strings.Compare(a.rank(), b.rank()) })
	return all
}

// rank puts the groups in the order of MEASURES: time, outcome, repeats, places, formalism, institution, equity, policy, learning, composite.
func (m Measure) rank() string {
	const groups = "TQDHFIEPLC"
	return string(rune('a'+strings.IndexByte(groups, m.Code[0]))) + m.Code
}

// MeasureByCode finds a measure.
func MeasureByCode(code string) (m Measure, ok bool) {
	at := slices.IndexFunc(registry, func(m Measure) bool { return strings.EqualFold(m.Code, code) })
	if at < 0 {
		return m, false
	}
	return registry[at], true
}

// Ask answers a measure of the registry. If q.Protect is set, small cells and what would give them away are hidden (Table.Protect).
func (m *Measures) Ask(ctx context.Context, code string, q Question) (*Table, error) {
	measure, ok := MeasureByCode(code)
	if !ok {
		return nil, invalid("Measure", "%q is no measure; the catalogue lists them", code)
	}
	q = q.ofPlaces(measure)
	for _, d := range q.By {
		if !measure.splits(q, d) {
			return nil, invalid("By", "%s cannot be split by %s; give some of %v", measure.Code, d, measure.Dimensions)
		}
	}
	if err := measure.checkSubject(q); err != nil {
		return nil, err
	}
	if _, err := versioned(measure.Code, q.Version); err != nil {
		return nil, err
	}
	if q.From != nil && q.To != nil && !q.To.After(*q.From) {
		return nil, invalid("To", "%s does not lie after From %s; give a window of some length", q.To.Format(time.RFC3339), q.From.Format(time.RFC3339))
	}
	ctx, err := m.at(ctx, q.MinLSN, q.Wait)
	if err != nil {
		return nil, err
	}
	var t *Table
	if q.Protect {
		t, err = m.askProtected(ctx, measure, q)
	} else {
		t, err = measure.Answer(m, ctx, q)
	}
	if err == nil && len(t.Curves) > 0 && len(t.N) > maxCurves {
		return nil, invalid("Curves", "%d rows have a curve each; at most %d are told at once: split by less, roll regions up to a level, or narrow the filter", len(t.N), maxCurves)
	}
	return t, err
}

// ofPlaces fills in what the measures of places take for granted, so that what protects their cells counts the same cells.
func (q Question) ofPlaces(m Measure) Question {
	if len(q.By) == 0 {
		switch m.Code {
		case "H1", "H2", "H3", "H5", "E1":
			q.By = []Dimension{ByRegion}
		case "E1B":
			q.By = []Dimension{ByUrbanRural}
		}
	}
	switch m.Code {
	case "H1", "H2", "H3", "E1C", "I3":
		if q.RegionLevel == "" {
			q.RegionLevel = defaultHotspotLevel
		}
	}
	return q
}

// maxProtected are the cells over which hidden ones can be chosen.
const maxProtected = 100_000

// askProtected asks for all cells, since totals give away what is hidden only if they are known, and cuts the list afterwards.
func (m *Measures) askProtected(ctx context.Context, measure Measure, q Question) (*Table, error) {
	limit := q.Limit
	q.Limit = maxProtected
	t, err := measure.Answer(m, ctx, q)
	if err != nil {
		return nil, err
	}
	counts := t.counts
	if counts == nil {
		of := q.byOrigin()
		of.By = nil // what the answer is split by, whatever was taken for granted
		for _, dim := range t.Dims {
			of.By = append(of.By, dim.Dimension)
		}
		if counts, err = m.Counts(ctx, of); err != nil {
			return nil, err
		}
	}
	if err := t.Protect(counts); err != nil {
		return nil, err
	}
	t.Cut(limit)
	return t, nil
}

// byOrigin is the question with its window as one of origins.
func (q Question) byOrigin() Query {
	within := q.Query
	if q.From != nil && (within.Where.OriginFrom == nil || within.Where.OriginFrom.Before(*q.From)) {
		within.Where.OriginFrom = q.From
	}
	if q.To != nil && (within.Where.OriginTo == nil || within.Where.OriginTo.After(*q.To)) {
		within.Where.OriginTo = q.To
	}
	return within
}

// Cut leaves the first rows of a table; 0 is the usual limit.
func (t *Table) Cut(limit int) {
	if limit == 0 {
		limit = defaultLimit
	}
	if len(t.N) <= limit {
		return
	}
	rows := make([]int, limit)
	for i := range rows {
		rows[i] = i
	}
	*t = *t.Pick(rows)
	t.Truncated = true
}

// Pick returns the table with those rows, in that order; -1 stands for a row without any value.
func (t *Table) Pick(rows []int) *Table {
	picked := *t
	picked.N = pick(append([]int64{}, t.N...), rows) // an answer without rows has as many as are picked
	picked.Dims = slices.Clone(t.Dims)
	for i := range picked.Dims {
		picked.Dims[i].Keys = pick(t.Dims[i].Keys, rows)
	}
	picked.Nums = slices.Clone(t.Nums)
	for i, n := range t.Nums {
		picked.Nums[i].Value, picked.Nums[i].Lo, picked.Nums[i].Hi = pick(n.Value, rows), pick(n.Lo, rows), pick(n.Hi, rows)
		picked.Nums[i].Of = pick(n.Of, rows)
	}
	picked.Curves = slices.Clone(t.Curves)
	for i, curve := range t.Curves {
		picked.Curves[i].Rows = pick(curve.Rows, rows)
	}
	picked.Flags = make(map[string][]bool, len(t.Flags))
	for name, column := range t.Flags {
		picked.Flags[name] = pick(column, rows)
	}
	return &picked
}

func pick[T any](column []T, rows []int) []T {
	if column == nil {
		return nil
	}
	picked := make([]T, len(rows))
	for i, row := range rows {
		if row >= 0 && row < len(column) {
			picked[i] = column[row]
		}
	}
	return picked
}

// begin is the scope and the empty answer of a measure whose window is of its own anchor.
func (m *Measures) begin(ctx context.Context, q Question, code string) (*scope, *Table, error) {
	s, err := m.scope(ctx, q.Query)
	if err != nil {
		return nil, nil, err
	}
	d, err := versioned(code, q.Version)
	if err != nil {
		return nil, nil, err
	}
	s.from, s.to = q.From, q.To
	s.version, err = strconv.Atoi(d.Version)
	return s, s.table(d), err
}

// The dimensions of issues, of what is found at places, and of both with time.
var (
	issueDimensions = []Dimension{ByRegion, ByCategory, ByChannel, ByKind, BySeverity, ByDay, ByWeek, ByMonth, ByQuarter, ByYear}
	stockDimensions = issueDimensions
	placeDimensions = []Dimension{ByRegion, ByCategory}
	visitDimensions = []Dimension{ByRegion, ByDay, ByWeek, ByMonth, ByQuarter, ByYear}
)
