package warehouse

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"groundwork/warehouse/stats"
)

// node is a region of the tree with what is known of its population.
type node struct {
	code, parent, level string
	path                []string
	years               []yearPersons
	children            []*node
}

// nodeTree is all regions with their populations.
type nodeTree struct {
	byCode  map[string]*node
	byLevel map[string][]*node // in the order of their codes
}

type yearPersons struct {
	year    int32
	persons int64
}

// hotspotAreas returns the person-years of every region of the level within the filter whose population is known.
func (m *Measures) hotspotAreas(ctx context.Context, s *scope, window span) (map[string]float64, error) {
	regions, err := m.regions(ctx)
	if err != nil {
		return nil, err
	}
	return s.areasOf(regions, window)
}

func (s *scope) areasOf(regions *nodeTree, window span) (map[string]float64, error) {
	for _, code := range s.Where.Regions {
		if n := regions.byCode[code]; n != nil && slices.Index(regionLevels, n.level) > slices.Index(regionLevels, s.RegionLevel) {
			return nil, invalid("Where.Regions", "region %s is a %s, below the level %s of the rates; give a level at or below the regions", code, n.level, s.RegionLevel)
		}
	}
	areas := map[string]float64{}
	if window.to.IsZero() || s.Where.RegionUnknown {
		return areas, nil
	}
	middle := stats.YearFraction(window.from.Add(window.to.Sub(window.from) / 2).In(s.location))
	years := window.years(s.location)
	for _, n := range regions.byLevel[s.RegionLevel] {
		if !n.within(s.Where.Regions) {
			continue
		}
		if persons, known := n.population(middle); known && persons*years > 0 {
			areas[n.code] = persons * years
		}
	}
	return areas, nil
}

func (m *Measures) regions(ctx context.Context) (*nodeTree, error) {
	return recall(ctx, m, "regions", []string{"d_region", "d_population"}, func() (*nodeTree, error) { return m.readRegions(ctx) })
}

func (m *Measures) readRegions(ctx context.Context) (*nodeTree, error) {
	tree := &nodeTree{byCode: map[string]*node{}, byLevel: map[string][]*node{}}
	s := statement{text: `SELECT r.code, toString(r.level), r.path, p.years, p.persons FROM (SELECT id, code, level, path FROM d_region FINAL WHERE _deleted = 0) AS r
		LEFT ANY JOIN (SELECT region_id, groupArray(year) AS years, groupArray(persons) AS persons FROM d_population FINAL WHERE _deleted = 0
			GROUP BY region_id SETTINGS max_rows_to_group_by = 0) AS p ON r.id = p.region_id`}
	err := m.each(ctx, "read regions and their populations", s, func(scan func(...any) error) error {
		n := &node{}
		var path string
		var years []int32
		var persons []int64
		if err := scan(&n.code, &n.level, &path, &years, &persons); err != nil {
			return err
		}
		n.path = strings.Split(path, ".")
		if len(n.path) > 1 {
			n.parent = n.path[len(n.path)-2]
		}
		for i, year := range years {
			n.years = append(n.years, yearPersons{year, persons[i]})
		}
		slices.SortFunc(n.years, func(a, b yearPersons) int { return cmp.Compare(a.year, b.year) })
		tree.byCode[n.code] = n
		return nil
	})
	for _, code := range sortedCodes(tree.byCode) {
		n := tree.byCode[code]
		tree.byLevel[n.level] = append(tree.byLevel[n.level], n)
		if parent := tree.byCode[n.parent]; parent != nil {
			parent.children = append(parent.children, n)
		}
	}
	return tree, err
}

// within reports whether the region is one of the given ones or lies below one; none given means everywhere.
func (n *node) within(codes []string) bool {
	return len(codes) == 0 || slices.ContainsFunc(n.path, func(code string) bool { return slices.Contains(codes, code) })
}

// population at a moment (as a year with fraction): the region's own, else the sum of its children if all are known.
func (n *node) population(moment float64) (persons float64, known bool) {
	if len(n.years) > 0 {
		return interpolate(n.years, moment), true
	}
	for _, child := range n.children {
		of, known := child.population(moment)
		if !known {
			return 0, false
		}
		persons += of
	}
	return persons, len(n.children) > 0
}

// interpolate takes each year's number as that of its middle and draws straight lines between; before the first and after the last
// the nearest stands.
func interpolate(years []yearPersons, moment float64) float64 {
	const middle = 0.5
	next := slices.IndexFunc(years, func(y yearPersons) bool { return float64(y.year)+middle >= moment })
	switch next {
	case -1:
		return float64(years[len(years)-1].persons)
	case 0:
		return float64(years[0].persons)
	}
	a, b := years[next-1], years[next]
	share := (moment - float64(a.year) - middle) / float64(b.year-a.year)
	return float64(a.persons) + share*float64(b.persons-a.persons)
}
