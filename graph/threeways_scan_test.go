package graph_test

import (
	"cmp"
	"math"
	"slices"
	"time"
)

// H3, twice more.

// placeRow is where the middle of a region lies.
type placeRow struct {
	Region              string
	Latitude, Longitude float64
}

const places = "SELECT region_id::text, latitude, longitude FROM region_boundary"

// scannedArea is a region in the weeks that are scanned, the last first.
type scannedArea struct {
	region             regionRow
	persons, x, y      float64
	observed, expected [13]float64
}

func total(weeks [13]float64) (sum float64) {
	for _, v := range weeks {
		sum += v
	}
	return sum
}

// scannedAreas spreads what there was of each matter in each week over the regions by people and what they had before.
func (r *rows) scannedAreas(q question, asOf time.Time) (all []*scannedArea, some bool) {
	now := midnight(asOf)
	to := now.AddDate(0, 0, -(int(now.Weekday())+6)%7)
	from := to.AddDate(0, 0, -91)
	of := map[string]int{}
	for _, region := range r.regions {
		if persons, known := r.people(region.ID, from.Add(to.Sub(from)/2)); known && region.Level == q.level && r.inRegion(q, region.ID) {
			at := r.places[slices.IndexFunc(r.places, func(p placeRow) bool { return p.Region == region.ID })]
			of[region.Code] = len(all)
			all = append(all, &scannedArea{region: region, persons: persons, x: at.Longitude, y: at.Latitude})
		}
	}
	narrow := 1.0
	for n, a := range all {
		if n == 0 {
			narrow = math.Cos(a.y * math.Pi / 180)
		}
		a.x *= narrow
	}
	type matter struct {
		before []*area
		weeks  [13]float64
		past   float64
	}
	matters := map[string]*matter{}
	for _, i := range r.seen(q) {
		at, has := of[r.regionCode(i, q.level)]
		if !has || !i.Origin.Before(to) || i.Origin.Before(from.AddDate(-5, 0, 0)) {
			continue
		}
		some = true
		category := i.matter()
		m := matters[category]
		if m == nil {
			m = &matter{}
			for _, a := range all {
				m.before = append(m.before, &area{years: a.persons})
			}
			matters[category] = m
		}
		if i.Origin.Before(from) {
			m.before[at].issues++
			m.past++
			continue
		}
		week := int((to.Sub(i.Origin) - 1) / (7 * 24 * time.Hour))
		all[at].observed[week]++
		m.weeks[week]++
	}
	for _, m := range matters {
		shrink(m.before)
		sum := 0.0
		for _, b := range m.before {
			if m.past < 50 {
				b.rate = 1
			}
			sum += b.years * b.rate
		}
		for n, b := range m.before {
			for week := range m.weeks {
				all[n].expected[week] += m.weeks[week] * b.years * b.rate / sum
			}
		}
	}
	return all, some
}

// zone is some regions around one of them in the last weeks.
type zone struct {
	areas                                  []*scannedArea
	weeks                                  int
	observed, expected, persons, surprises float64 // surprises: the log-likelihood ratio
}

// reckonScan leaves what chance gives to the tests of the statistics.
func reckonScan(r *rows, q question, asOf time.Time) answer {
	q = q.atLevel()
	areas, some := r.scannedAreas(q, asOf)
	got := answer{}
	if !some {
		return got
	}
	var people, all float64
	for _, a := range areas {
		people, all = people+a.persons, all+total(a.observed)
	}
	var best []zone // of each region
	for _, centre := range areas {
		far := func(a *scannedArea) float64 { return math.Hypot(a.x-centre.x, a.y-centre.y) }
		near := slices.SortedFunc(slices.Values(areas), func(a, b *scannedArea) int {
			return cmp.Or(cmp.Compare(far(a), far(b)), cmp.Compare(a.region.Code, b.region.Code))
		})
		likeliest := zone{}
		for weeks := 1; weeks <= 13; weeks++ {
			z := zone{weeks: weeks}
			for n, a := range near {
				z.areas, z.persons = near[:n+1], z.persons+a.persons
				if z.persons > people/4 {
					break
				}
				for week := range weeks {
					z.observed, z.expected = z.observed+a.observed[week], z.expected+a.expected[week]
				}
				z.surprises = 0
				if z.observed > z.expected && z.expected > 0 {
					z.surprises = z.observed * math.Log(z.observed/z.expected)
					if z.observed < all {
						z.surprises += (all - z.observed) * math.Log((all-z.observed)/(all-z.expected))
					}
				}
				if z.surprises > likeliest.surprises+1e-12 {
					likeliest = z
				}
			}
		}
		if likeliest.surprises > 0 {
			best = append(best, likeliest)
		}
	}
	slices.SortStableFunc(best, func(a, b zone) int {
		if math.Abs(a.surprises-b.surprises) > 1e-12 {
			return cmp.Compare(b.surprises, a.surprises)
		}
		return cmp.Or(cmp.Compare(a.persons, b.persons), cmp.Compare(a.areas[0].region.Code, b.areas[0].region.Code))
	})
	names := []string{"cluster", "weeks", "clusterObserved", "clusterExpected", "relativeRisk", "personShare", "llr"}
	for _, a := range areas {
		f := figures{"n": total(a.observed), "observed": total(a.observed), "expected": total(a.expected)}
		for _, name := range names {
			f[name] = math.NaN()
		}
		got[a.region.Code] = f
	}
	number := 0.0
	for _, z := range best {
		if slices.ContainsFunc(z.areas, func(a *scannedArea) bool { return !math.IsNaN(got[a.region.Code]["cluster"]) }) {
			continue
		}
		number++
		risk := z.observed / z.expected / ((all - z.observed) / (all - z.expected))
		for _, a := range z.areas {
			for n, v := range []float64{number, float64(z.weeks), z.observed, z.expected, risk, z.persons / people, z.surprises} {
				got[a.region.Code][names[n]] = v
			}
		}
	}
	return got
}

// scanInViews leaves what is expected, and the zones, to the rows.
func scanInViews(q question) string {
	q = q.atLevel()
	to := "toDateTime(toMonday(" + moment + ", 'Asia/Shanghai'), 'Asia/Shanghai')"
	within := ""
	if q.region != "" {
		within = " AND has(path_codes, '" + q.region + "')"
	}
	return `WITH came AS (SELECT key, countIf(origin_at >= ` + to + ` - INTERVAL 91 DAY) AS issues FROM (` + q.cells(q.seenIssues(), "origin_at") + `) WHERE origin_at < ` + to + ` AND key != '' GROUP BY key)
		SELECT r.code AS key, ifNull(c.issues, 0) AS n, n AS observed FROM pub_region AS r LEFT JOIN came AS c ON c.key = r.code
		WHERE r.level = '` + q.level + `' AND r.population > 0 AND (SELECT count() FROM came) > 0` + within
}
