package graph_test

import (
	"cmp"
	"math"
	"slices"
	"strings"
	"time"
)

// Measures that compare regions by how many people they have, twice more: H1, H2, E1C, I3.

type personsRow struct {
	Region  string
	Year    int
	Persons float64
}

// touchRow is two regions that touch.
type touchRow struct {
	Region, Other string
	From, To      *time.Time
}

const (
	populations = "SELECT region_id::text, year, persons::float8 FROM region_population ORDER BY region_id, year"
	touching    = "SELECT region_id::text, neighbour_id::text, valid_from::timestamp AT TIME ZONE 'Asia/Shanghai', valid_to::timestamp AT TIME ZONE 'Asia/Shanghai' FROM region_neighbour"
)

// atLevel is the question with the level that regions are compared at, where it names none.
func (q question) atLevel() question {
	q.level = cmp.Or(q.level, "COUNTY")
	return q
}

// observed is the window of origins that is looked at: as asked, and no longer than anything is known.
func (r *rows) observed(q question, asOf time.Time) (from, to time.Time) {
	known := r.all(q)
	for n, i := range known {
		if n == 0 || i.Origin.Before(from) {
			from = i.Origin
		}
		if until := i.seenUntil(asOf); n == 0 || until.After(to) {
			to = until
		}
	}
	if q.windowFrom != nil {
		from, to = *q.windowFrom, *q.windowTo
	}
	if q.originFrom != nil && q.originFrom.After(from) {
		from = *q.originFrom
	}
	if q.originTo != nil && q.originTo.Before(to) {
		to = *q.originTo
	}
	if to.After(asOf) {
		to = asOf.Add(time.Microsecond)
	}
	return from, to
}

func newYear(year int) time.Time { return time.Date(year, 1, 1, 0, 0, 0, 0, shanghai) }

// years are calendar years, each of which is 1 however long.
func years(from, to time.Time) (sum float64) {
	for year := from.In(shanghai).Year(); newYear(year).Before(to); year++ {
		begin, end := newYear(year), newYear(year+1)
		length := end.Sub(begin)
		if from.After(begin) {
			begin = from
		}
		if to.Before(end) {
			end = to
		}
		sum += float64(end.Sub(begin)) / float64(length)
	}
	return sum
}

// people of a region at a moment: straight between the middles of years, beyond them as the nearest.
func (r *rows) people(region string, at time.Time) (persons float64, known bool) {
	var own []personsRow
	for _, p := range r.persons {
		if p.Region == region {
			own = append(own, p)
		}
	}
	middle := func(p personsRow) float64 { return float64(p.Year) + 0.5 }
	year := at.In(shanghai).Year()
	moment := float64(year) + years(newYear(year), at)
	for n, p := range own {
		if moment <= middle(p) {
			if n == 0 {
				return p.Persons, true
			}
			last := own[n-1]
			part := (moment - middle(last)) / (middle(p) - middle(last))
			return (1-part)*last.Persons + part*p.Persons, true
		}
	}
	if len(own) > 0 {
		return own[len(own)-1].Persons, true
	}
	path := r.regionOf(region).Path
	for _, o := range r.regions {
		if strings.HasPrefix(o.Path, path+".") && !strings.Contains(o.Path[len(path)+1:], ".") {
			of, has := r.people(o.ID, at)
			if !has {
				return 0, false
			}
			persons, known = persons+of, true
		}
	}
	return persons, known
}

// area is a region with its people and issues, of one matter.
type area struct {
	region                 regionRow
	matter                 string
	issues, repeats, years float64 // of persons
	rate, weight           float64
	rank                   float64
}

func (a area) key(q question) string {
	if slices.Contains(q.by, "CATEGORY") {
		return a.region.Code + "|" + a.matter
	}
	return a.region.Code
}

// shrink draws rates towards what they are together, by as much as chance explains (Marshall).
func shrink(areas []*area) (signal bool) {
	var issues, persons, spread float64
	for _, a := range areas {
		issues, persons = issues+a.issues, persons+a.years
	}
	mean := issues / persons
	for _, a := range areas {
		off := a.issues/a.years - mean
		spread += a.years / persons * off * off
	}
	between := max(0, spread-mean*float64(len(areas))/persons)
	for _, a := range areas {
		a.weight = 0
		if between > 0 {
			a.weight = between / (between + mean/a.years)
		}
		a.rate = a.weight*a.issues/a.years + (1-a.weight)*mean
	}
	return between > 0
}

// areas are the regions of the level with people, by matter and in the order of their codes: those without issues too.
func (r *rows) areas(q question, asOf time.Time) map[string][]*area {
	q = q.atLevel()
	from, to := r.observed(q, asOf)
	span := years(from, to)
	split := slices.Contains(q.by, "CATEGORY")
	q.by = []string{"REGION", "CATEGORY"}
	matters := map[string]bool{}
	in := map[[2]string][]issueRow{}
	for key, cell := range cells(r, q, r.seen(q), byOrigin) {
		code, matter, _ := strings.Cut(key, "|")
		if !split {
			matter = ""
		}
		matters[matter] = true
		in[[2]string{code, matter}] = append(in[[2]string{code, matter}], cell...)
	}
	if !split {
		matters[""] = true
	}
	all := map[string][]*area{}
	for _, region := range r.regions { // of one level, by code
		if region.Level != q.level || !r.inRegion(q, region.ID) {
			continue
		}
		persons, known := r.people(region.ID, from.Add(to.Sub(from)/2))
		if !known || persons*span <= 0 {
			continue
		}
		for matter := range matters {
			a := &area{region: region, matter: matter, years: persons * span}
			for _, i := range in[[2]string{region.Code, matter}] {
				a.issues++
				a.repeats += float64(i.Opinions - 1)
			}
			all[matter] = append(all[matter], a)
		}
	}
	for _, areas := range all {
		if shrink(areas) {
			for _, a := range areas {
				a.rank = 1
				for _, o := range areas {
					if o.rate > a.rate {
						a.rank++
					}
				}
			}
		}
	}
	return all
}

// around are those of the areas that touch one.
func (r *rows) around(areas []*area, of *area, day time.Time) (near []*area) {
	for _, t := range r.touching {
		other := t.Other
		switch {
		case t.From != nil && t.From.After(day) || t.To != nil && !t.To.After(day):
			continue
		case t.Other == of.region.ID:
			other = t.Region
		case t.Region != of.region.ID:
			continue
		}
		if n := slices.IndexFunc(areas, func(a *area) bool { return a.region.ID == other }); n >= 0 {
			near = append(near, areas[n])
		}
	}
	return near
}

func reckonHotspots(r *rows, q question, asOf time.Time) answer {
	from, to := r.observed(q, asOf)
	got := answer{}
	for _, areas := range r.areas(q, asOf) {
		for _, a := range areas {
			f := figures{"n": a.issues, "issues": a.issues, "repeats": a.repeats, "personYears": a.years, "rawRate": 1000 * a.issues / a.years, "rate": 1000 * a.rate, "weight": a.weight,
				"rank": math.NaN(), "localRate": math.NaN()}
			if a.rank > 0 {
				f["rank"] = a.rank
			}
			if near := r.around(areas, a, from.Add(to.Sub(from)/2)); len(near) > 0 {
				own := *a
				local := []*area{&own}
				for _, o := range near {
					local = append(local, &area{issues: o.issues, years: o.years})
				}
				shrink(local)
				f["localRate"] = 1000 * own.rate
			}
			got[a.key(q)] = f
		}
	}
	return got
}

// rated is SQL of the areas with their rates, by matter. Of people the views tell the latest number alone, which is right where it was always that.
func (q question) rated() string {
	q = q.atLevel()
	matter, each := "''", "(SELECT '' AS matter)"
	if slices.Contains(q.by, "CATEGORY") {
		matter, each = "splitByChar('|', key)[2]", "(SELECT DISTINCT matter FROM counted)"
	}
	known := "SELECT origin_at FROM pub_issue"
	if q.asOf != nil {
		known = "SELECT origin_at FROM pub_issue_event WHERE known_at <= " + moment + " ORDER BY issue_id, seq DESC LIMIT 1 BY issue_id"
	}
	from, to := "assumeNotNull((SELECT min(origin_at) FROM ("+known+")))", moment
	micro := func(name string) string { return "fromUnixTimestamp64Micro({" + name + ":Int64}, 'UTC')" }
	if q.windowFrom != nil {
		from, to = micro("window_from"), "least("+micro("window_to")+", "+moment+")"
	}
	if q.originFrom != nil {
		from, to = "greatest("+from+", "+micro("origin_from")+")", "least("+to+", "+micro("origin_to")+")"
	}
	within := ""
	if q.region != "" {
		within = " AND has(path_codes, '" + q.region + "')"
	}
	year := func(t string) string {
		begin := func(of string) string {
			return "toUnixTimestamp(toDateTime(toStartOfYear(toDate(" + of + ")), 'Asia/Shanghai'))"
		}
		return "(toYear(" + t + ") + (toUnixTimestamp64Micro(" + t + ") / 1e6 - " + begin(t) + ") / (" + begin(t+" + INTERVAL 1 YEAR") + " - " + begin(t) + "))"
	}
	by := q
	by.by = []string{"REGION", "CATEGORY"}
	return `counted AS (SELECT splitByChar('|', key)[1] AS region, ` + matter + ` AS matter, count() AS issues, sum(opinion_count - 1) AS repeats FROM (` + by.cells(q.seenIssues(), "origin_at") + `) GROUP BY region, matter),
		span AS (SELECT toTimeZone(` + from + `, 'Asia/Shanghai') AS from_at, toTimeZone(` + to + `, 'Asia/Shanghai') AS to_at, ` + year("to_at") + " - " + year("from_at") + ` AS years),
		people AS (SELECT code AS region, parent_code, assumeNotNull(population) * (SELECT years FROM span) AS exposed FROM pub_region WHERE level = '` + q.level + `' AND population > 0 AND exposed > 0` + within + `),
		areas AS (SELECT p.region AS region, p.parent_code AS parent_code, p.matter AS matter, p.exposed AS exposed, ifNull(c.issues, 0) AS issues, ifNull(c.repeats, 0) AS repeats
			FROM (SELECT * FROM people CROSS JOIN ` + each + ` AS m) AS p LEFT JOIN counted AS c ON c.region = p.region AND c.matter = p.matter),
		common AS (SELECT matter, sum(issues) / sum(exposed) AS mean FROM areas GROUP BY matter),
		spread AS (SELECT matter, any(c.mean) AS mu, greatest(0, sum(exposed * pow(issues / exposed - c.mean, 2)) / sum(exposed) - any(c.mean) * count() / sum(exposed)) AS variance
			FROM areas AS a INNER JOIN common AS c ON a.matter = c.matter GROUP BY matter),
		rated AS (SELECT a.region AS region, a.parent_code AS parent_code, a.matter AS matter, a.exposed AS exposed, a.issues AS issues, a.repeats AS repeats, s.variance AS variance,
			if(variance > 0, variance / (variance + s.mu / exposed), 0) AS weight, weight * issues / exposed + (1 - weight) * s.mu AS drawn FROM areas AS a INNER JOIN spread AS s ON a.matter = s.matter)`
}

func (q question) ratedKey() string {
	if slices.Contains(q.by, "CATEGORY") {
		return "concat(region, '|', matter)"
	}
	return "region"
}

// hotspotsInViews: the views do not tell which regions touch.
func hotspotsInViews(q question) string {
	return "WITH " + q.rated() + " SELECT " + q.ratedKey() + ` AS key, issues AS n, issues, repeats, exposed AS personYears, 1000 * issues / exposed AS rawRate, 1000 * drawn AS rate, weight,
		if(variance > 0, rank() OVER (PARTITION BY matter ORDER BY drawn DESC), NULL) AS rank FROM rated`
}

// reckonClusters leaves what chance gives to the tests of the statistics. In a simulated province each region touches others.
func reckonClusters(r *rows, q question, asOf time.Time) answer {
	from, to := r.observed(q, asOf)
	got := answer{}
	for _, areas := range r.areas(q, asOf) {
		n := float64(len(areas))
		var mean, variance float64
		for _, a := range areas {
			mean += a.rate / n
		}
		for _, a := range areas {
			variance += (a.rate - mean) * (a.rate - mean) / n
		}
		for _, a := range areas {
			f := figures{"n": a.issues, "rate": 1000 * a.rate, "neighbours": math.NaN(), "z": math.NaN()}
			if n >= 30 {
				near := r.around(areas, a, from.Add(to.Sub(from)/2))
				sum, w := a.rate, float64(len(near)+1)
				for _, o := range near {
					sum += o.rate
				}
				f["neighbours"], f["z"] = w-1, 0
				if variance > 1e-24*mean*mean && w < n { // less is rounding
					f["z"] = (sum - w*mean) / math.Sqrt(variance*(n*w-w*w)/(n-1))
				}
			}
			got[a.key(q)] = f
		}
	}
	return got
}

func clustersInViews(q question) string {
	return "WITH " + q.rated() + " SELECT " + q.ratedKey() + " AS key, issues AS n, 1000 * drawn AS rate FROM rated"
}

// reckonInequality is Theil's T as the entropy that is lacking.
func reckonInequality(r *rows, q question, asOf time.Time) answer {
	got := answer{}
	for matter, areas := range r.areas(q, asOf) {
		type sums struct{ people, matters float64 }
		var all sums
		above := map[string]sums{}
		n := 0.0
		for _, a := range areas {
			parent := a.region.Path[:max(0, strings.LastIndex(a.region.Path, "."))]
			all = sums{all.people + a.years, all.matters + a.years*a.rate}
			above[parent] = sums{above[parent].people + a.years, above[parent].matters + a.years*a.rate}
			n += a.issues
		}
		f := figures{"n": n, "regions": float64(len(areas)), "groups": float64(len(above)), "theil": math.NaN(), "between": math.NaN(), "within": math.NaN(), "shareBetween": math.NaN()}
		if all.matters > 0 {
			part := func(of sums) float64 { // of the matters, times the log of how many times its due that is
				if of.matters == 0 {
					return 0
				}
				return of.matters / all.matters * math.Log(of.matters/all.matters/(of.people/all.people))
			}
			var theil, between float64
			for _, a := range areas {
				theil += part(sums{a.years, a.years * a.rate})
			}
			for _, of := range above {
				between += part(of)
			}
			f["theil"], f["between"], f["within"] = theil, between, theil-between
			if theil > 1e-12 { // less is rounding
				f["shareBetween"] = between / theil
			}
		}
		got[strings.TrimPrefix("|"+matter, "|")] = f
	}
	return got
}

func inequalityInViews(q question) string {
	part := func(matters, people string) string {
		return "if(" + matters + " > 0, " + matters + " / t.matters * log(" + matters + " / t.matters / (" + people + " / t.people)), 0)"
	}
	return "WITH " + q.rated() + `,
		totals AS (SELECT matter, sum(exposed) AS people, sum(exposed * drawn) AS matters, sum(issues) AS issues FROM rated GROUP BY matter),
		above AS (SELECT r.matter AS matter, r.parent_code AS parent_code, sum(r.exposed) AS own_people, sum(r.exposed * r.drawn) AS own_matters, sum(` + part("(r.exposed * r.drawn)", "r.exposed") + `) AS entropy, count() AS times
			FROM rated AS r INNER JOIN totals AS t ON r.matter = t.matter GROUP BY r.matter, r.parent_code)
		SELECT a.matter AS key, any(t.issues) AS n, sum(a.times) AS regions, count() AS groups, if(any(t.matters) > 0, sum(a.entropy), NULL) AS theil,
			if(any(t.matters) > 0, sum(` + part("a.own_matters", "a.own_people") + `), NULL) AS "between", theil - "between" AS "within", if(theil > 1e-12, "between" / theil, NULL) AS shareBetween
		FROM above AS a INNER JOIN totals AS t ON a.matter = t.matter GROUP BY a.matter`
}

// reckonAlignment is the concentration of visits over people ranked by need, as twice the area between the diagonal and the curve of their shares.
func reckonAlignment(r *rows, q question, asOf time.Time) answer {
	q = q.atLevel()
	from, to := r.observed(q, asOf)
	q.by = []string{"REGION"}
	ready := reckonReporting(r, q, asOf)
	var over []heldRow
	for _, v := range r.held {
		if !v.end().After(asOf) && !v.end().Before(from) && v.end().Before(to) {
			over = append(over, v)
		}
	}
	held := cells(r, question{by: q.by, level: q.level}, over, func(v heldRow) (issueRow, time.Time) { return issueRow{Region: &v.Region}, v.end() })
	type ranked struct{ need, people, visits float64 }
	var all []ranked
	var visits, people, without, corrected float64
	for _, a := range r.areas(q, asOf)[""] {
		this := ranked{need: a.rate, people: a.years}
		if index, has := ready[a.region.Code]["index"]; has && !math.IsNaN(index) {
			this.need /= min(max(index, 0.25), 4)
			corrected++
		}
		this.visits = float64(len(held[a.region.Code]))
		if this.visits == 0 {
			without++
		}
		visits, people = visits+this.visits, people+this.people
		all = append(all, this)
	}
	if visits == 0 {
		return answer{}
	}
	f := figures{"n": visits, "visits": visits, "regions": float64(len(all)), "regionsWithoutVisit": without, "corrected": corrected, "concentration": math.NaN()}
	if len(all) >= 10 {
		slices.SortFunc(all, func(a, b ranked) int { return cmp.Compare(a.need, b.need) })
		area, share := 0.0, 0.0
		for n := 0; n < len(all); {
			var of ranked // of one need
			for need := all[n].need; n < len(all) && all[n].need == need; n++ {
				of.people, of.visits = of.people+all[n].people, of.visits+all[n].visits
			}
			area += of.people / people * (share + of.visits/visits/2)
			share += of.visits / visits
		}
		f["concentration"] = 1 - 2*area
	}
	return answer{"": f}
}

func alignmentInViews(q question) string {
	q.by = []string{"REGION"}
	return "WITH " + q.rated() + ", ready AS (" + reportingInViews(q) + `),
		held AS (SELECT county_code AS region, count() AS visits FROM (SELECT *, ifNull(ended_at, started_at) AS over_at FROM pub_visit)
			WHERE state IN ('HELD', 'RECORDED', 'CLOSED_OUT') AND over_at <= ` + moment + ` AND over_at >= (SELECT from_at FROM span) AND over_at < (SELECT to_at FROM span) GROUP BY region),
		needs AS (SELECT r.exposed AS exposed, ifNull(h.visits, 0) AS held, y.readiness AS readiness, r.drawn / least(greatest(ifNull(y.readiness, 1), 0.25), 4) AS need
			FROM rated AS r LEFT JOIN held AS h ON h.region = r.region LEFT JOIN (SELECT toNullable(key) AS region, toNullable(index) AS readiness FROM ready) AS y ON y.region = r.region),
		ranked AS (SELECT *, (sum(exposed) OVER (ORDER BY need) - sum(exposed) OVER (PARTITION BY need) / 2) / sum(exposed) OVER () AS place, sum(held) OVER () / sum(exposed) OVER () AS mean FROM needs)
		SELECT '' AS key, sum(held) AS n, n AS visits, count() AS regions, countIf(held = 0) AS regionsWithoutVisit, countIf(readiness IS NOT NULL) AS corrected,
			if(regions >= 10, 2 * sum(exposed * (held / exposed - mean) * (place - 0.5)) / sum(exposed) / any(mean), NULL) AS concentration FROM ranked HAVING n > 0`
}
