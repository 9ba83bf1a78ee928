package main

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/google/uuid"

	"groundwork"
	"groundwork/internal/simulate"
	"groundwork/warehouse/stats"
)

// atLevel are the regions of a level, with what was raised in each: by category and week since the beginning.
type atLevel struct {
	codes     []string
	people    []float64
	x, y      []float64
	near      [][]int
	index     map[string]int // by code
	ofRegion  map[uuid.UUID]int
	counts    map[string][][]float64 // category → region → week
	weeks     int
	beginning time.Time
}

func newLevel(f groundwork.Foundation, level groundwork.RegionLevel, from, to time.Time) *atLevel {
	l := &atLevel{index: map[string]int{}, ofRegion: map[uuid.UUID]int{}, counts: map[string][][]float64{}, weeks: int(to.Sub(from).Hours() / 24 / 7), beginning: from}
	byID := map[uuid.UUID]groundwork.Region{}
	ids := map[uuid.UUID]int{}
	for _, r := range f.Regions {
		byID[r.ID] = r
		if r.Level == level {
			ids[r.ID], l.index[r.Code] = len(l.codes), len(l.codes)
			l.codes, l.x, l.y = append(l.codes, r.Code), append(l.x, *r.Longitude), append(l.y, *r.Latitude)
		}
	}
	for _, r := range f.Regions {
		for at := r; ; at = byID[*at.ParentID] {
			if i, here := ids[at.ID]; here {
				l.ofRegion[r.ID] = i
				break
			}
			if at.ParentID == nil {
				break
			}
		}
	}
	l.people, l.near = make([]float64, len(l.codes)), make([][]int, len(l.codes))
	for _, p := range f.Populations {
		if i, here := ids[p.RegionID]; here && p.Year == to.Year()-1 {
			l.people[i] = float64(p.Persons)
		}
	}
	for _, n := range f.Neighbours {
		a, here := ids[n.RegionID]
		b, there := ids[n.NeighbourID]
		if here && there {
			l.near[a], l.near[b] = append(l.near[a], b), append(l.near[b], a)
		}
	}
	return l
}

func (l *atLevel) add(category string, region uuid.UUID, at time.Time) {
	i, known := l.ofRegion[region]
	week := int(at.Sub(l.beginning).Hours() / 24 / 7)
	if !known || week < 0 || week >= l.weeks {
		return
	}
	if l.counts[category] == nil {
		l.counts[category] = make([][]float64, len(l.codes))
		for r := range l.codes {
			l.counts[category][r] = make([]float64, l.weeks)
		}
	}
	l.counts[category][i][week]++
}

// province counts the issues of a simulated province.
func province(seed uint64, issues int64) (map[groundwork.RegionLevel]*atLevel, simulate.Truth, error) {
	cfg := simulate.Config{Issues: issues, Seed: seed, From: simulate.Day(2023, time.January, 2), To: simulate.Day(2026, time.January, 5)}
	s, err := simulate.New(cfg)
	if err != nil {
		return nil, simulate.Truth{}, err
	}
	f := s.Foundation()
	levels := map[groundwork.RegionLevel]*atLevel{groundwork.County: newLevel(f, groundwork.County, cfg.From, cfg.To), groundwork.Township: newLevel(f, groundwork.Township, cfg.From, cfg.To)}
	codes := map[uuid.UUID]string{}
	for _, c := range f.Categories {
		codes[c.ID] = c.Code
	}
	for n := range s.Job().Parts {
		part, err := s.Part(n)
		if err != nil {
			return nil, simulate.Truth{}, err
		}
		for _, i := range part.Issues {
			if i.RegionID == nil || i.CategoryID == nil || i.State == groundwork.Merged {
				continue
			}
			for _, l := range levels {
				l.add(codes[*i.CategoryID], *i.RegionID, i.OriginAt)
			}
		}
	}
	truth, err := s.Truth()
	return levels, truth, err
}

// found counts what was planted and found, and what was found beside it.
type found struct{ planted, hit, right, wrong int }

func (f found) row(name string) {
	percent := func(n, of int) string {
		if of == 0 {
			return "–"
		}
		return fmt.Sprintf("%.0f %%", 100*float64(n)/float64(of))
	}
	fmt.Printf("| %s | %d | %d | %s | %d | %d | %s |\n", name, f.planted, f.hit, percent(f.hit, f.planted), f.right+f.wrong, f.right, percent(f.right, f.right+f.wrong))
}

// alarmWeeks is in how many weeks from its beginning a hot spot is to be noticed.
const alarmWeeks = 4

// say is a measure: which regions of the level it names, of a category in the weeks before one.
type say func(l *atLevel, category string, week int, seed uint64) ([]bool, error)

// tally compares what a measure names with where hot spots of the category truly are. A level with too few regions is not reported, so nothing is missed.
func (f *found) tally(l *atLevel, truth simulate.Truth, h simulate.TruthHotspot, weeks []int, seed uint64, ask say) error {
	hit := false
	for _, week := range weeks {
		said, err := ask(l, h.Category, week, seed)
		if errors.Is(err, stats.ErrTooFewAreas) {
			return nil
		}
		if err != nil {
			return err
		}
		truly := l.planted(truth, h, week)
		for i, s := range said {
			switch {
			case s && truly[i]:
				f.right++
				hit = hit || l.within(h, i)
			case s:
				f.wrong++
			}
		}
	}
	f.planted++
	if hit {
		f.hit++
	}
	return nil
}

// within reports whether a region is that of the hot spot or lies in it.
func (l *atLevel) within(h simulate.TruthHotspot, i int) bool {
	return l.codes[i] == h.Code || h.Level == string(groundwork.County) && l.codes[i][:6] == h.Code[:6]
}

// reportPlaces asks H1 to H3 at the end of each planted hot spot, of its category at its level, and of hot counties H2 among their townships too; and H4 in each of its first weeks.
func reportPlaces(seeds int, issues int64) error {
	var h1, h2, inside, h3, h4 found
	for seed := range seeds {
		levels, truth, err := province(uint64(seed+1), issues)
		if err != nil {
			return err
		}
		for _, h := range truth.Hotspots {
			l := levels[groundwork.RegionLevel(h.Level)]
			begin, err := simulate.ParseDay(h.From)
			end, other := simulate.ParseDay(h.To)
			if err := errors.Join(err, other); err != nil {
				return err
			}
			week := func(at time.Time) int { return min(l.weeks, int(at.Sub(l.beginning).Hours()/24/7)) }
			last, first := []int{week(end)}, []int{}
			for w := range alarmWeeks {
				if at := week(begin) + 2 + w; at <= week(end) { // the week that it begins in may have a day of it
					first = append(first, at)
				}
			}
			asks := []error{h1.tally(l, truth, h, last, uint64(seed), (*atLevel).exceeding), h2.tally(l, truth, h, last, uint64(seed), (*atLevel).hot),
				h3.tally(l, truth, h, last, uint64(seed), (*atLevel).clustered), h4.tally(l, truth, h, first, uint64(seed), (*atLevel).surprising)}
			if h.Level == string(groundwork.County) {
				asks = append(asks, inside.tally(levels[groundwork.Township], truth, h, last, uint64(seed), (*atLevel).hot))
			}
			if err := errors.Join(asks...); err != nil {
				return err
			}
		}
	}
	fmt.Printf("\n%d provinces of %d issues\n\n| measure | hot spots | found | recall | regions named | of them hot | precision |\n|---|---:|---:|---:|---:|---:|---:|\n", seeds, issues)
	h1.row("H1 interval above the common rate, 13 weeks to its end")
	h2.row("H2 hot at q ≤ 0.05, 13 weeks to its end")
	inside.row("H2, townships of a hot county")
	h3.row("H3 in a cluster, p ≤ 0.05, 13 weeks to its end")
	h4.row(fmt.Sprintf("H4 alarm in one of its first %d weeks", alarmWeeks))
	return nil
}

// planted says which regions lie in a hot spot of the category that touches the 13 weeks before.
func (l *atLevel) planted(truth simulate.Truth, asked simulate.TruthHotspot, week int) []bool {
	hot := make([]bool, len(l.codes))
	first, last := l.beginning.AddDate(0, 0, 7*(week-13)), l.beginning.AddDate(0, 0, 7*week)
	for _, h := range truth.Hotspots {
		from, err := simulate.ParseDay(h.From)
		to, other := simulate.ParseDay(h.To)
		if err != nil || other != nil || h.Category != asked.Category || !from.Before(last) || !to.After(first) {
			continue
		}
		if i, here := l.index[h.Code]; here {
			hot[i] = true
			continue
		}
		for code, i := range l.index { // a county's hot spot lies in all its townships, and a township's in its county
			if len(h.Code) == 12 && (code[:6] == h.Code[:6]) {
				hot[i] = true
			}
		}
	}
	return hot
}

// last13 sums the weeks before; before has what came earlier.
func (l *atLevel) last13(category string, week int) (recent, before []float64) {
	recent, before = make([]float64, len(l.codes)), make([]float64, len(l.codes))
	for i, weeks := range l.counts[category] {
		for w, n := range weeks[:week] {
			if w >= week-13 {
				recent[i] += n
			} else {
				before[i] += n
			}
		}
	}
	return recent, before
}

func (l *atLevel) rates(category string, week int) (stats.Shrunk, error) {
	recent, _ := l.last13(category, week)
	areas := make([]stats.Area, len(l.codes))
	for i := range areas {
		areas[i] = stats.Area{Code: l.codes[i], Issues: recent[i], PersonYears: l.people[i] * 13 * 7 / 365.25}
	}
	return stats.Shrink(areas)
}

func (l *atLevel) exceeding(category string, week int, _ uint64) ([]bool, error) {
	s, err := l.rates(category, week)
	said := make([]bool, len(l.codes))
	for i, a := range s.Areas {
		said[i] = a.Interval.OK && a.Interval.Lo > s.Mu
	}
	return said, err
}

func (l *atLevel) hot(category string, week int, seed uint64) ([]bool, error) {
	s, err := l.rates(category, week)
	if err != nil {
		return nil, err
	}
	x, said := make([]float64, len(l.codes)), make([]bool, len(l.codes))
	for i, a := range s.Areas {
		x[i] = a.Value
	}
	g, err := stats.GiStar(x, l.near, 9_999, seed)
	if err != nil {
		return nil, err
	}
	for i := range g {
		said[i] = g[i].Z > 0 && g[i].Q <= 0.05
	}
	return said, err
}

func (l *atLevel) clustered(category string, week int, seed uint64) ([]bool, error) {
	_, before := l.last13(category, week)
	cells := make([]stats.ScanCell, len(l.codes))
	weeks := min(13, week)
	for i := range cells {
		cells[i] = stats.ScanCell{Region: i, Category: category, Before: before[i], Observed: slices.Clone(l.counts[category][i][week-weeks : week])}
	}
	observed, expected, err := stats.ScanExpected(l.people, cells, weeks)
	if err != nil {
		return nil, err
	}
	areas := make([]stats.ScanArea, len(l.codes))
	for i := range areas {
		areas[i] = stats.ScanArea{Code: l.codes[i], X: l.x[i] * math.Cos(l.y[0]*math.Pi/180), Y: l.y[i], Population: l.people[i], Observed: observed[i], Expected: expected[i]}
	}
	clusters, err := stats.Scan(areas, stats.ScanOptions{Seed: seed})
	said := make([]bool, len(l.codes))
	for _, c := range clusters {
		for _, i := range c.Areas {
			said[i] = said[i] || c.P <= 0.05
		}
	}
	return said, err
}

func (l *atLevel) surprising(category string, week int, _ uint64) ([]bool, error) {
	said := make([]bool, len(l.codes))
	p, upper := make([]float64, len(l.codes)), make([]float64, len(l.codes))
	for i, weeks := range l.counts[category] {
		p[i] = 1
		if week < 9 {
			continue
		}
		o, err := stats.Outlook{}, error(nil)
		if week > stats.FarringtonWeeks {
			o, err = stats.Farrington(weeks[:week])
		} else {
			o, err = stats.Predict(weeks[:week-1], weeks[week-1])
		}
		if err != nil {
			return nil, err
		}
		p[i], upper[i] = o.Tail, o.Upper
	}
	q, err := stats.BenjaminiHochberg(p)
	for i, weeks := range l.counts[category] {
		four := 0.0
		for _, n := range weeks[max(0, week-4):week] {
			four += n
		}
		said[i] = q[i] <= 0.05 && four >= 5 && weeks[week-1] > upper[i]
	}
	return said, err
}
