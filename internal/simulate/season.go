package simulate

import (
	"math"
	"time"

	"groundwork"
)

// season says when and where issues arise: for each day a weight for each cell, a cell being a topic in a group of committees
// that have the same mix of topics (urban or rural, and the cohort of the policies). Hot spots add cells of their own.
type season struct {
	w        *world
	days     int
	policies []policy
	hotspots []hotspot
	groups   [groupCount][]int     // committees
	places   [groupCount][]float64 // running sums of their weights
	byDay    []float64             // running sums over days
	cells    [][]float64           // for each day running sums over cells
	scale    float64               // issues per unit of weight
	plain    float64               // the same before hot spots were added
}

const cohorts, groupCount = 3, 6

func groupOf(urban bool, cohort int) int {
	if urban {
		return cohort
	}
	return cohorts + cohort
}

func newSeason(w *world, p plants) *season {
	s := &season{w: w, days: w.cfg.days(), policies: p.policies}
	for n, v := range w.committees {
		g := groupOf(v.urban, w.counties[v.county].cohort)
		s.groups[g] = append(s.groups[g], n)
	}
	for g := range s.groups {
		weights := make([]float64, len(s.groups[g]))
		for i, v := range s.groups[g] {
			weights[i] = w.committees[v].weight
		}
		s.places[g] = runningSums(weights)
	}
	s.add(nil)
	return s
}

// add makes the running sums, with hot spots on top of what is usual.
func (s *season) add(spots []hotspot) {
	s.hotspots = spots
	s.cells, s.byDay = make([][]float64, s.days), make([]float64, s.days)
	total := 0.0
	for day := range s.days {
		weights := make([]float64, 0, groupCount*len(topics)+len(spots))
		for g := range s.groups {
			for t := range topics {
				weights = append(weights, s.rate(g, t, day)*last(s.places[g]))
			}
		}
		for _, h := range spots {
			weights = append(weights, s.added(h, day))
		}
		s.cells[day] = runningSums(weights)
		total += last(s.cells[day])
		s.byDay[day] = total
	}
	s.scale = float64(s.w.cfg.Issues) / total
	if len(spots) == 0 {
		s.plain = s.scale
	}
}

func last(sums []float64) float64 {
	if len(sums) == 0 {
		return 0
	}
	return sums[len(sums)-1]
}

// rate is how often a topic is raised on a day, per weight of a committee in the group.
func (s *season) rate(group, topic, day int) float64 {
	t := &topics[topic]
	base := t.urban
	if group >= cohorts {
		base = t.rural
	}
	date := s.w.cfg.From.AddDate(0, 0, day)
	base *= 1 + t.swing*math.Cos(2*math.Pi*(float64(date.YearDay())-(float64(t.peak)-0.5)*month)/365.25)
	for _, p := range s.policies {
		if p.topic == topic && !p.onDelay {
			base *= p.factor(group%cohorts, day)
		}
	}
	return base * s.w.dayFactor(date) * math.Pow(growth, float64(day)/365.25)
}

// growth is by how much more is raised every year.
const growth = 1.08

var weekday = [7]float64{0.62, 1.25, 1.15, 1.10, 1.08, 1.05, 0.70} // from Sunday

const holiday = 0.55

func (w *world) dayFactor(date time.Time) float64 {
	if worked, special := w.Calendar[groundwork.DayOf(date)]; special && !worked {
		return holiday
	}
	return weekday[date.Weekday()]
}

// weights are those of the committees for a topic; cohorts make no difference in a place that lies in one county.
func (s *season) weights(committees []int, topic int) []float64 {
	weights := make([]float64, len(committees))
	for i, v := range committees {
		at := &s.w.committees[v]
		base := topics[topic].rural
		if at.urban {
			base = topics[topic].urban
		}
		weights[i] = at.weight * base
	}
	return weights
}

// usual is the weight of a hot spot's place and topic on a day, without the added risk.
func (s *season) usual(h hotspot, day int) float64 {
	var by [groupCount]float64
	for _, v := range h.committees {
		at := &s.w.committees[v]
		by[groupOf(at.urban, s.w.counties[at.county].cohort)] += at.weight
	}
	total := 0.0
	for g, weight := range by {
		if weight > 0 {
			total += weight * s.rate(g, h.topic, day)
		}
	}
	return total
}

func (s *season) added(h hotspot, day int) float64 {
	if day < h.from || day >= h.to {
		return 0
	}
	return (h.risk - 1) * s.usual(h, day)
}

// expected is how many issues a hot spot would have without the added risk.
func (s *season) expected(h hotspot) float64 {
	total := 0.0
	for day := h.from; day < h.to; day++ {
		total += s.usual(h, day)
	}
	return total * s.scale
}

// hours are how much is raised in each hour of a day.
var hours = runningSums([]float64{4, 2, 1, 1, 1, 3, 8, 18, 40, 62, 64, 48, 34, 38, 56, 60, 52, 38, 30, 34, 36, 28, 16, 8})

// moment is when the share x of all issues has been raised: issues are numbered in the order of time.
func (s *season) moment(x float64) (day int, at time.Time) {
	x *= last(s.byDay)
	day = find(s.byDay, x)
	before := 0.0
	if day > 0 {
		before = s.byDay[day-1]
	}
	rest := min(1, max(0, (x-before)/(s.byDay[day]-before))) * last(hours)
	hour := find(hours, rest)
	start := 0.0
	if hour > 0 {
		start = hours[hour-1]
	}
	within := time.Duration(min(0.999999, (rest-start)/(hours[hour]-start)) * float64(time.Hour))
	return day, s.w.cfg.From.AddDate(0, 0, day).Add(time.Duration(hour)*time.Hour + within.Truncate(time.Microsecond))
}

// number is that of the first issue which may be raised on a day or later.
func (s *season) number(day int) int64 {
	if day <= 0 {
		return 0
	}
	issues := float64(s.w.cfg.Issues)
	return max(0, int64(issues*s.byDay[min(day, s.days)-1]/last(s.byDay))-1)
}

// place draws where an issue of a day arises and what it is about; hot is the hot spot that it belongs to, or -1.
func (s *season) place(c chance, day int) (committee, topic, hot int) {
	cell := weighted(c, s.cells[day])
	if n := cell - groupCount*len(topics); n >= 0 {
		h := &s.hotspots[n]
		return h.committees[weighted(c, h.sums)], h.topic, n
	}
	group := cell / len(topics)
	return s.groups[group][weighted(c, s.places[group])], cell % len(topics), -1
}
