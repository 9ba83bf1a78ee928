package warehouse

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
)

// DefaultTimezone is that of months where a query names none.
const DefaultTimezone = "Asia/Shanghai"

const (
	defaultLimit  = 1000
	maxNamedItems = 1000 // regions or categories in one filter
)

// scope is a query made sure of: filled with its defaults, its references looked up, its moment fixed.
type scope struct {
	Query
	watermark  Watermark
	fresh      bool
	asOf       time.Time
	past       bool // as known at asOf, from the events; else the current rows
	location   *time.Location
	categories []string      // the wanted categories with everything below
	units      []string      // the wanted units with everything below
	deep       bool          // spells know returns, pauses and mergers too
	places     *regionPlaces // where the cells are of regions and the base is read; nil = they are too many
	matters    []string      // the categories of all issues, where the base tells; nil = not
	base       *base         // read instead of the mirror by measures that sum weights; nil = not
	among      string        // SQL by which ids of issues are among those that matter; "" = all do
	from, to   *time.Time    // window of the anchor, of measures that are not anchored at the origin
	claimsDue  time.Time     // claims made before it are due for a verdict
	version    int           // of the definition
}

var regionLevels = []string{"PROVINCE", "PREFECTURE", "COUNTY", "TOWNSHIP", "VILLAGE_COMMITTEE"}

func (m *Measures) scope(ctx context.Context, q Query) (*scope, error) {
	s := &scope{Query: q}
	if err := s.check(); err != nil {
		return nil, err
	}
	var err error
	if s.watermark, s.fresh, err = m.await(ctx, q); err != nil {
		return nil, err
	}
	s.asOf = s.watermark.CommittedAt
	if q.AsOf != nil {
		s.asOf, s.past = q.AsOf.UTC().Truncate(time.Microsecond), true
	}
	if s.asOf.After(s.watermark.CommittedAt) {
		return nil, invalid("AsOf", "%s lies after the watermark %s: nothing is known of then yet; leave it out to get the newest answer",
			s.asOf.Format(time.RFC3339), s.watermark.CommittedAt.Format(time.RFC3339Nano))
	}
	if err := m.checkRegions(ctx, q.Where.Regions); err != nil {
		return nil, err
	}
	if s.units, err = m.unitsBelow(ctx, q.Where.Units); err != nil {
		return nil, err
	}
	s.categories, err = m.categoriesBelow(ctx, q.Where.Categories)
	return s, err
}

// check judges what needs no look-up, and fills in the defaults.
func (s *scope) check() error {
	if s.Timezone == "" {
		s.Timezone = DefaultTimezone
	}
	location, err := time.LoadLocation(s.Timezone)
	if err != nil || s.Timezone == "Local" {
		return invalid("Timezone", "%q is no time zone; give a name such as Asia/Shanghai or UTC", s.Timezone)
	}
	s.location = location
	for i, d := range s.By {
		if _, known := dimensionKeys[d]; !known {
			return invalid("By", "%q is no dimension; give REGION, CATEGORY, CHANNEL, KIND, SEVERITY, or one of %v", d, grains)
		}
		if slices.Contains(grains, d) && slices.ContainsFunc(s.By[:i], func(before Dimension) bool { return before != d && slices.Contains(grains, before) }) {
			return invalid("By", "%s is a second dimension of time; give one", d)
		}
		if slices.Contains(s.By[:i], d) {
			return invalid("By", "%s is given twice; give it once", d)
		}
	}
	if s.RegionLevel != "" && !slices.Contains(regionLevels, s.RegionLevel) {
		return invalid("RegionLevel", "%q is no level; give one of %s", s.RegionLevel, strings.Join(regionLevels, ", "))
	}
	if s.Limit < 0 {
		return invalid("Limit", "%d cells are impossible; give at least 1, or 0 for %d", s.Limit, defaultLimit)
	}
	if s.Limit == 0 {
		s.Limit = defaultLimit
	}
	if from, to := s.Where.OriginFrom, s.Where.OriginTo; from != nil && to != nil && to.Before(*from) {
		return invalid("Where.OriginTo", "%s lies before OriginFrom %s; swap them", to.Format(time.RFC3339), from.Format(time.RFC3339))
	}
	for _, segment := range s.Where.Segments {
		if segments[segment] == "" {
			return invalid("Where.Segments", "%q is no segment; give GRAVE, RAISED_AT_VISIT, REPEATED, DISPUTED or OVERDUE", segment)
		}
	}
	return s.checkCounts()
}

func (s *scope) checkCounts() error {
	if n := len(s.Where.Regions); n > maxNamedItems {
		return invalid("Where.Regions", "%d regions are too many for one question; give at most %d, or the region above them", n, maxNamedItems)
	}
	if n := len(s.Where.Categories); n > maxNamedItems {
		return invalid("Where.Categories", "%d categories are too many for one question; give at most %d, or the category above them", n, maxNamedItems)
	}
	return nil
}

func (m *Measures) checkRegions(ctx context.Context, codes []string) error {
	if len(codes) == 0 {
		return nil
	}
	known := map[string]bool{}
	s := statement{text: "SELECT code FROM d_region FINAL WHERE _deleted = 0 AND code IN {codes:Array(String)}"}.with("codes", codes)
	err := m.each(ctx, "look up regions", s, func(scan func(...any) error) error {
		var code string
		err := scan(&code)
		known[code] = true
		return err
	})
	if err != nil {
		return err
	}
	for _, code := range codes {
		if !known[code] {
			return invalid("Where.Regions", "there is no region with code %.40q; give a 12-digit code of the region tree", code)
		}
	}
	return nil
}

// categoriesBelow returns the ids and those of everything below them; categories are few.
func (m *Measures) categoriesBelow(ctx context.Context, ids []string) ([]string, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	children, known := map[string][]string{}, map[string]bool{}
	s := statement{text: "SELECT toString(id), ifNull(toString(parent_id), '') FROM d_category FINAL WHERE _deleted = 0"}
	err := m.each(ctx, "look up categories", s, func(scan func(...any) error) error {
		var id, parent string
		err := scan(&id, &parent)
		known[id] = true
		children[parent] = append(children[parent], id)
		return err
	})
	if err != nil {
		return nil, err
	}
	var wanted []string
	for _, text := range ids {
		id, err := uuid.Parse(text)
		if err != nil || !known[id.String()] {
			return nil, invalid("Where.Categories", "there is no category with id %.40q; give the id of a category", text)
		}
		wanted = append(wanted, id.String())
	}
	return below(children, wanted), nil
}

// below walks down the tree from the wanted nodes; each node comes once.
func below(children map[string][]string, wanted []string) []string {
	seen := map[string]bool{}
	var all []string
	for queue := slices.Clone(wanted); len(queue) > 0; queue = queue[1:] {
		if id := queue[0]; !seen[id] {
			seen[id] = true
			all = append(all, id)
			queue = append(queue, children[id]...)
		}
	}
	return all
}

// table begins the answer.
func (s *scope) table(d Definition) *Table {
	return &Table{
		Measure: d.Code, DefinitionVersion: d.Version, Anchor: d.Anchor, Method: d.Method,
		AsOf: s.asOf, Watermark: s.watermark, Fresh: s.fresh,
		Flags: map[string][]bool{"unstable": {}, "provisional": {}, "suppressed": {}}, Excluded: map[string]int64{}, withCurves: s.Curves,
	}
}

func issues(n int64) string {
	if n == 1 {
		return "1 issue"
	}
	return fmt.Sprintf("%d issues", n)
}
