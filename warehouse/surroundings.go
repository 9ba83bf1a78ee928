package warehouse

import (
	"cmp"
	"context"
	"math"
	"slices"
	"time"

	"groundwork/warehouse/stats"
)

// surroundings are where the regions of a level lie, and which touch.
type surroundings struct {
	near   map[string][]string   // codes of those that touch, in their order
	places map[string][2]float64 // latitude and longitude of centroids
}

// surroundings are those as of a day.
func (m *Measures) surroundings(ctx context.Context, level string, day time.Time) (*surroundings, error) {
	if day.Year() < 1970 { // no data, no day
		day = time.Unix(0, 0)
	}
	what := "what lies around each " + level + " on " + day.Format(time.DateOnly)
	return recall(ctx, m, what, []string{"d_region", "d_region_neighbour", "d_region_boundary"}, func() (*surroundings, error) { return m.readSurroundings(ctx, level, day) })
}

func (m *Measures) readSurroundings(ctx context.Context, level string, day time.Time) (*surroundings, error) {
	s := &surroundings{near: map[string][]string{}, places: map[string][2]float64{}}
	regions := "(SELECT id, code, latitude, longitude FROM d_region FINAL WHERE _deleted = 0 AND level = {level:String})"
	pairs := statement{text: `SELECT a.code, b.code FROM (SELECT region_id, neighbour_id FROM d_region_neighbour FINAL WHERE _deleted = 0
			AND ifNull(valid_from <= toDate32({day:String}), 1) AND ifNull(valid_to > toDate32({day:String}), 1)) AS n
		INNER JOIN ` + regions + ` AS a ON a.id = n.region_id INNER JOIN ` + regions + ` AS b ON b.id = n.neighbour_id`}
	pairs = pairs.with("level", level).with("day", day.Format(time.DateOnly))
	places := statement{text: `SELECT r.code, if(b.known, b.latitude, ifNull(r.latitude, nan)), if(b.known, b.longitude, ifNull(r.longitude, nan))
		FROM ` + regions + ` AS r LEFT ANY JOIN (SELECT region_id, 1 AS known, latitude, longitude FROM d_region_boundary FINAL WHERE _deleted = 0) AS b ON b.region_id = r.id`}
	places = places.with("level", level)
	err := together(func() error {
		return m.each(ctx, "read which regions touch", pairs, func(scan func(...any) error) error {
			var a, b string
			err := scan(&a, &b)
			s.near[a], s.near[b] = append(s.near[a], b), append(s.near[b], a)
			return err
		})
	}, func() error {
		return m.each(ctx, "read where regions lie", places, func(scan func(...any) error) error {
			var code string
			var at [2]float64
			err := scan(&code, &at[0], &at[1])
			if !math.IsNaN(at[0]) && !math.IsNaN(at[1]) {
				s.places[code] = at
			}
			return err
		})
	})
	for code := range s.near {
		slices.Sort(s.near[code])
	}
	return s, err
}

// islandNeighbours is how many of the nearest stand in for the neighbours of an island.
const islandNeighbours = 4

// lattice lists for each of the regions the indices of its neighbours among them. Where nothing touches a region, the nearest stand in, if it is
// known where it lies; alone are those for which there are none at all.
func (s *surroundings) lattice(codes []string) (near [][]int, islands, alone []int) {
	index := make(map[string]int, len(codes))
	for i, code := range codes {
		index[code] = i
	}
	near = make([][]int, len(codes))
	for i, code := range codes {
		for _, other := range s.near[code] {
			if j, here := index[other]; here {
				near[i] = append(near[i], j)
			}
		}
		if len(near[i]) > 0 {
			continue
		}
		near[i] = s.nearest(codes, i)
		if len(near[i]) == 0 {
			alone = append(alone, i)
		} else {
			islands = append(islands, i)
		}
	}
	return near, islands, alone
}

func (s *surroundings) nearest(codes []string, i int) []int {
	if _, known := s.places[codes[i]]; !known {
		return nil
	}
	var others []int
	for j, code := range codes {
		if _, known := s.places[code]; known && j != i {
			others = append(others, j)
		}
	}
	slices.SortFunc(others, func(a, b int) int {
		return cmp.Or(cmp.Compare(s.distance(codes[i], codes[a]), s.distance(codes[i], codes[b])), cmp.Compare(codes[a], codes[b]))
	})
	return others[:min(islandNeighbours, len(others))]
}

// distance in degrees of latitude, on a map that is right around the first.
func (s *surroundings) distance(a, b string) float64 {
	p, q := s.places[a], s.places[b]
	return math.Hypot(p[0]-q[0], (p[1]-q[1])*math.Cos(p[0]*math.Pi/180))
}

// inOrder are the cells of each category that have a rate, by region.
func (r *rates) inOrder() map[string][]*hotspotCell {
	groups := map[string][]*hotspotCell{}
	for _, c := range r.cells {
		if c.shrunk != nil {
			groups[c.category] = append(groups[c.category], c)
		}
	}
	for _, group := range groups {
		slices.SortFunc(group, func(a, b *hotspotCell) int { return cmp.Compare(a.region, b.region) })
	}
	return groups
}

func codesOf(cells []*hotspotCell) []string {
	codes := make([]string, len(cells))
	for i, c := range cells {
		codes[i] = c.region
	}
	return codes
}

// localRates are the rates drawn towards the surroundings, of regions that touch any.
func (r *rates) localRates(around *surroundings) (map[*hotspotCell]stats.AreaRate, error) {
	local := map[*hotspotCell]stats.AreaRate{}
	if len(around.near) == 0 {
		return local, nil
	}
	for _, cells := range r.inOrder() {
		areas := make([]stats.Area, len(cells))
		for i, c := range cells {
			areas[i] = c.shrunk.Area
		}
		near, islands, alone := around.lattice(codesOf(cells))
		for _, i := range islands {
			near[i] = nil
		}
		rates, err := stats.ShrinkLocal(areas, near)
		if err != nil {
			return nil, err
		}
		for i, c := range cells {
			if len(near[i]) > 0 && !slices.Contains(alone, i) {
				local[c] = rates[i]
			}
		}
	}
	return local, nil
}

// dependOn notes that numbers of a row are made of the regions around it as well.
func (r *rates) dependOn(cells []*hotspotCell, rows map[*hotspotCell]int, around *surroundings, names ...string) {
	if !r.s.Protect {
		return
	}
	inputs := make([][]int, len(cells))
	for _, group := range r.inOrder() {
		near, _, _ := around.lattice(codesOf(group))
		for i, c := range group {
			row, shown := rows[c]
			if !shown {
				continue
			}
			inputs[row] = []int{row}
			for _, j := range near[i] {
				if other, shown := rows[group[j]]; shown {
					inputs[row] = append(inputs[row], other)
				}
			}
		}
	}
	if r.t.inputs == nil {
		r.t.inputs = map[string][][]int{}
	}
	for _, name := range names {
		r.t.inputs[name] = inputs
	}
}
