package warehouse

import (
	"context"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"time"

	"groundwork/warehouse/privacy"
	"groundwork/warehouse/stats"
)

// The weeks that are scanned, the years before that say what is usual, and how many zones one answer may look at, in all replicas together.
const (
	scanWeeks    = 13
	scanPast     = 5
	scanReplicas = 999
	scanWork     = 2_000_000_000
	fewestZone   = 5 // areas in the largest zone; less is no scan
)

// scanned is a region of one category (or of all): what was there, and the cluster it lies in.
type scanned struct {
	key                cellKey
	region             string
	observed, expected float64
	population         float64
	cluster            *scanCluster
	centre             bool
}

// scanCluster is a zone that was found.
type scanCluster struct {
	stats.Cluster
	number int
	share  float64 // of the people
	weeks  int
}

// Scan is H3. Numbers: observed, expected (issues of the region in the weeks scanned), and of the cluster that it lies in: cluster (its number), weeks,
// clusterObserved, clusterExpected, relativeRisk, personShare, llr, p. Flags inCluster (p ≤ 0.05) and centre. n = issues in the weeks scanned.
func (m *Measures) Scan(ctx context.Context, q Question) (*Table, error) {
	h := q.hotspotQuery()
	if err := h.complete(); err != nil {
		return nil, err
	}
	s, err := m.scope(ctx, h.Query)
	if err != nil {
		return nil, err
	}
	t := s.table(definition("H3"))
	t.Flags["inCluster"], t.Flags["centre"], t.Flags["noPopulation"] = []bool{}, []bool{}, []bool{}
	t.derived = []string{"inCluster", "centre"}
	end, err := m.lastSeen(ctx, s, t, q.To)
	if err != nil {
		return nil, err
	}
	window := scanWindow(s, q, end)
	found, err := m.scanRegions(ctx, s, t, window)
	if err != nil {
		return nil, err
	}
	c := newColumns(t, []Num{plain("observed", "issues"), plain("expected", "expected issues"), plain("cluster", "number"), plain("weeks", "weeks"), plain("clusterObserved", "issues of the cluster"),
		plain("clusterExpected", "expected issues"), plain("relativeRisk", "ratio"), plain("personShare", "share of persons"), plain("llr", "log-likelihood ratio"), plain("p", "probability")})
	cells, err := arrange(ctx, m, s, found, t)
	if err != nil {
		return nil, err
	}
	for _, cell := range cells {
		c.scanned(cell)
	}
	if s.Protect {
		if err := m.protectScan(ctx, s, t, window, cells); err != nil {
			return nil, err
		}
	}
	return t, nil
}

// scanWindow is the last whole weeks before the end.
func scanWindow(s *scope, q Question, end time.Time) span {
	last := monday(end, s.location)
	to := time.Date(last.Year(), last.Month(), last.Day(), 0, 0, 0, 0, s.location)
	from := to.AddDate(0, 0, -7*scanWeeks)
	if q.From != nil {
		for from.Before(*q.From) && from.AddDate(0, 0, 7).Before(to) {
			from = from.AddDate(0, 0, 7)
		}
	}
	return span{from, to}
}

func (w span) weeks() int { return int(math.Round(w.to.Sub(w.from).Hours() / 24 / 7)) }

// scanRegions counts and scans, each category of the question by itself.
func (m *Measures) scanRegions(ctx context.Context, s *scope, t *Table, window span) (map[cellKey]*scanned, error) {
	areas, err := m.hotspotAreas(ctx, s, window)
	if err != nil {
		return nil, err
	}
	years := window.years(s.location)
	around, err := m.surroundings(ctx, s.RegionLevel, window.to)
	if err != nil {
		return nil, err
	}
	counts, err := m.scanCounts(ctx, s, t, window)
	if err != nil {
		return nil, err
	}
	region := slices.Index(s.By, ByRegion)
	category := slices.Index(s.By, ByCategory)
	var codes []string
	for code := range areas {
		if _, placed := around.places[code]; placed {
			codes = append(codes, code)
		}
	}
	slices.Sort(codes)
	found := map[cellKey]*scanned{}
	groups := map[string][]stats.ScanCell{}
	for key, c := range inOrder(counts) {
		at, known := slices.BinarySearch(codes, key[0])
		of := ""
		if category >= 0 {
			of = key[1]
		}
		if known {
			groups[of] = append(groups[of], stats.ScanCell{Region: at, Category: key[1], Before: c.sums[0], Observed: c.sums[1:]})
		} else if n := sum(c.sums[1:]); n > 0 {
			var k cellKey
			k[region] = key[0]
			if category >= 0 {
				k[category] = of
			}
			if found[k] == nil {
				found[k] = &scanned{key: k, region: key[0]}
			}
			found[k].observed += n
		}
	}
	t.noteScan(window, len(found), len(codes), s)
	if len(codes) == 0 {
		return found, nil
	}
	people := make([]float64, len(codes))
	for i, code := range codes {
		people[i] = areas[code] / years
	}
	zone := min(len(codes), scanWork/(len(codes)*window.weeks()*(scanReplicas+1)*max(1, len(groups))))
	if zone < min(fewestZone, len(codes)) {
		return nil, invalid("By", "%d regions by %d categories are too many for one scan; leave out CATEGORY, or narrow the regions or categories", len(codes), len(groups))
	}
	if zone < len(codes)/2 {
		t.Notes = append(t.Notes, fmt.Sprintf("zones are of at most %d regions, so that the scan stays within its bounds", zone))
	}
	for _, of := range slices.Sorted(maps.Keys(groups)) {
		one, err := scanGroup(codes, people, around, groups[of], window, zone)
		if err != nil {
			return nil, err
		}
		for i, cell := range one {
			cell.key[region] = codes[i]
			if category >= 0 {
				cell.key[category] = of
			}
			found[cell.key] = cell
		}
	}
	return found, nil
}

func (t *Table) noteScan(window span, unplaced, placed int, s *scope) {
	t.Notes = append(t.Notes, fmt.Sprintf("weeks from %s to %s (%s)", window.from.In(s.location).Format(time.DateOnly), window.to.In(s.location).AddDate(0, 0, -1).Format(time.DateOnly), s.Timezone))
	switch {
	case placed == 0:
		t.Notes = append(t.Notes, "not computable: no region of level "+s.RegionLevel+" has both a known population and a known place; load them by `groundwork import populations FILE` and `groundwork import boundaries FILE`")
	case unplaced > 0:
		t.Notes = append(t.Notes, fmt.Sprintf("%d regions have issues but no known population or place; they are in no zone", unplaced))
	}
}

// scanCounts counts, per region and category, what came before the weeks that are scanned, and in each of these.
func (m *Measures) scanCounts(ctx context.Context, s *scope, t *Table, window span) (map[cellKey]*tallied, error) {
	counting := *s
	counting.By = []Dimension{ByRegion, ByCategory}
	past := window.from.AddDate(-scanPast, 0, 0)
	counting.from, counting.to = &past, &window.to
	rows := counting.spells()
	rows.values["scan_from"], rows.values["week"] = window.from.UnixMicro(), int64(7*24*time.Hour/time.Microsecond)
	rows.text = `SELECT u.*, toUnixTimestamp64Micro(u.anchor_at) < {scan_from:Int64} ? -1 : intDiv(toUnixTimestamp64Micro(u.anchor_at) - {scan_from:Int64}, {week:Int64}) AS week
		FROM (` + rows.text + `) AS u WHERE u.state != 'MERGED'`
	sums := []string{"countIf(week < 0)"}
	for k := range window.weeks() {
		sums = append(sums, "countIf(week = "+strconv.Itoa(k)+")")
	}
	counts, err := m.tally(ctx, &counting, tally{rows: rows, sums: sums})
	for key, c := range counts {
		if key[0] == "" {
			t.exclude("regionUnknown", int64(sum(c.sums[1:])))
			delete(counts, key)
		}
	}
	return counts, err
}

func scanGroup(codes []string, people []float64, around *surroundings, cells []stats.ScanCell, window span, zone int) ([]*scanned, error) {
	observed, expected, err := stats.ScanExpected(people, cells, window.weeks())
	if err != nil {
		return nil, err
	}
	areas := make([]stats.ScanArea, len(codes))
	found := make([]*scanned, len(codes))
	narrow := math.Cos(around.places[codes[0]][0] * math.Pi / 180) // of a degree of longitude, to one of latitude
	total := 0.0
	for i, code := range codes {
		at := around.places[code]
		areas[i] = stats.ScanArea{Code: code, X: at[1] * narrow, Y: at[0], Population: people[i], Observed: observed[i], Expected: expected[i]}
		found[i] = &scanned{region: code, observed: sum(observed[i]), expected: sum(expected[i]), population: people[i]}
		total += people[i]
	}
	clusters, err := stats.Scan(areas, stats.ScanOptions{MaxAreas: zone, Replicas: scanReplicas, Seed: seed("H3", definition("H3").Version, window)})
	if err != nil {
		return nil, err
	}
	for n, c := range clusters {
		cluster := &scanCluster{Cluster: c, number: n + 1, share: c.Population / total, weeks: c.Periods}
		for k, i := range c.Areas {
			found[i].cluster, found[i].centre = cluster, k == 0
		}
	}
	return found, nil
}

func (c *columns) scanned(cell *scanned) {
	c.number("observed", cell.observed)
	names := []string{"cluster", "weeks", "clusterObserved", "clusterExpected", "relativeRisk", "personShare", "llr", "p"}
	flags := map[string]bool{"noPopulation": cell.population == 0}
	if cell.population == 0 {
		c.missing("expected")
	} else {
		c.number("expected", cell.expected)
	}
	if k := cell.cluster; k == nil {
		c.missing(names...)
	} else {
		flags["inCluster"] = k.P <= familyLevel
		flags["centre"] = flags["inCluster"] && cell.centre
		for i, v := range []float64{float64(k.number), float64(k.weeks), k.Observed, k.Expected, k.RelativeRisk, k.share, k.LLR, k.P} {
			c.number(names[i], v)
		}
	}
	c.end(int64(cell.observed), flags)
}

// protectScan counts reporters, and has the figures of a cluster hidden with the smallest of its regions; those of one in which few stand, or beside
// which few remain, are taken out here: the counts of its regions speak of more weeks than it has.
func (m *Measures) protectScan(ctx context.Context, s *scope, t *Table, window span, cells []*scanned) error {
	counting := *s
	counting.from, counting.to = &window.from, &window.to
	rows := counting.unmerged()
	if err := m.withReporters(ctx, &counting, t, voicesOf(rows)); err != nil {
		return err
	}
	members := map[*scanCluster][]int{}
	for row, cell := range cells {
		if cell.cluster != nil {
			members[cell.cluster] = append(members[cell.cluster], row)
		}
	}
	t.inputs = map[string][][]int{}
	names := []string{"cluster", "weeks", "clusterObserved", "clusterExpected", "relativeRisk", "personShare", "llr", "p"}
	inputs := make([][]int, len(cells))
	for cluster, rows := range members {
		all := 0.0
		for _, row := range rows {
			inputs[row] = rows
			all += cells[row].observed
		}
		if len(rows) == len(cluster.Areas) && !privacy.Small(int64(cluster.Observed)) && !privacy.Small(int64(all-cluster.Observed)) {
			continue
		}
		for _, row := range rows {
			for i := range t.Nums {
				if slices.Contains(names, t.Nums[i].Name) {
					t.Nums[i].Value[row] = nil
				}
			}
			t.Flags["inCluster"][row], t.Flags["centre"][row] = false, false
		}
	}
	for _, name := range names {
		t.inputs[name] = inputs
	}
	return nil
}
