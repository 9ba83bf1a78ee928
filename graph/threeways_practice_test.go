package graph_test

import (
	"cmp"
	"math"
	"slices"
	"strings"
	"time"
)

// Measures of the practice, twice more: F1 of visits, F2 of closings, I1 of turns of the rota.

type heldRow struct {
	ID, Region, Activity, Lead string
	Met                        *int
	Started                    time.Time
	Ended                      *time.Time
}

func (v heldRow) end() time.Time {
	if v.Ended != nil {
		return *v.Ended
	}
	return v.Started
}

// tourRow is a visit that was held as one who took part saw it.
type tourRow struct {
	Visit, Official, Region string
	Started, Ended          time.Time
	Latitude, Longitude     *float64
	Noted                   *time.Time
	NoteUnit                *string
	Foreign                 bool // the note is of a unit that did not take part
}

type turnRow struct {
	Region, State string
	Due           time.Time // the first midnight after the window, in China
}

// traceRow is something that a visit left.
type traceRow struct {
	Visit, Kind string // OPINION, ISSUE, QUESTION, ANSWER or WORD
	At          time.Time
}

// heldVisits, turnsDue and tracesLeft select them.
const (
	heldVisits = `SELECT v.id::text, s.region_id::text, v.activity_kind, v.lead_id::text, v.citizens_met, v.started_at, v.ended_at FROM visit v JOIN site s ON s.id = v.site_id
		WHERE v.state IN ('HELD', 'RECORDED', 'CLOSED_OUT')`
	tours = `WITH took AS (SELECT id AS visit, lead_id AS post FROM visit UNION SELECT visit_id, post_id FROM visit_participant)
		SELECT DISTINCT v.id::text, h.official_id::text, s.region_id::text, v.started_at, coalesce(v.ended_at, v.started_at), s.latitude, s.longitude, v.note_created_at, v.note_unit_id::text,
			v.note_unit_id IS NOT NULL AND NOT EXISTS (SELECT FROM took o JOIN post_holding p ON p.id = o.post WHERE o.visit = v.id AND p.org_unit_id = v.note_unit_id)
		FROM visit v JOIN took t ON t.visit = v.id JOIN post_holding h ON h.id = t.post JOIN site s ON s.id = v.site_id
		WHERE v.state IN ('HELD', 'RECORDED', 'CLOSED_OUT')`
	turnsDue   = "SELECT region_id::text, state, window_to::timestamp AT TIME ZONE 'Asia/Shanghai' FROM rota_slot WHERE state <> 'SWAPPED'"
	tracesLeft = `SELECT visit_id::text, 'OPINION', received_at FROM opinion WHERE visit_id IS NOT NULL
		UNION ALL SELECT source_visit_id::text, 'ISSUE', origin_at FROM issue WHERE source_visit_id IS NOT NULL
		UNION ALL SELECT visit_id::text, 'QUESTION', created_at FROM visit_policy_item WHERE questions_asked > 0
		UNION ALL SELECT visit_id::text, 'ANSWER', created_at FROM visit_policy_item WHERE answered > 0
		UNION ALL SELECT visit_id::text, 'WORD', at FROM attestation WHERE nothing_raised`
)

// ofThePractice makes a random question that visits and turns can be asked, which have a place and a time and nothing else.
func (w *province) ofThePractice(k int) question {
	q := question{practice: true, level: "PREFECTURE"}
	if k == 0 || w.rnd.IntN(2) == 0 {
		q.by = []string{"REGION"}
	}
	if k == 0 {
		return q
	}
	day := func(from, to int) *time.Time {
		return new(w.start.Add(time.Duration(from)*24*time.Hour + time.Duration(w.rnd.IntN((to-from)*86400))*time.Second).UTC())
	}
	if w.rnd.IntN(2) == 0 {
		q.grain = "MONTH"
	}
	if k == 1 {
		q.asOf = day(200, w.days)
	}
	if w.rnd.IntN(2) == 0 {
		q.region = w.rows.regions[slices.IndexFunc(w.rows.regions, func(r regionRow) bool { return r.Level == "PREFECTURE" })].Code
	}
	if w.rnd.IntN(2) == 0 {
		q.windowFrom, q.windowTo = day(20, 120), day(220, w.days)
	}
	return q
}

// inRegion reports whether a region lies in that of the question.
func (r *rows) inRegion(q question, id string) bool {
	return q.region == "" || slices.Contains(strings.Split(r.regionOf(id).Path, "."), q.region)
}

func (q question) prefecture() string {
	if q.region == "" {
		return ""
	}
	return " AND prefecture_code = '" + q.region + "'"
}

func reckonTurns(r *rows, q question, asOf time.Time) answer {
	var due []turnRow
	for _, s := range r.turns {
		if r.inRegion(q, s.Region) && !s.Due.After(asOf) {
			due = append(due, s)
		}
	}
	got := answer{}
	for key, cell := range cells(r, q, due, func(s turnRow) (issueRow, time.Time) { return issueRow{Region: &s.Region}, s.Due }) {
		states := map[string]float64{}
		for _, s := range cell {
			states[s.State]++
		}
		n := float64(len(cell))
		got[key] = figures{"n": n, "fulfilled": states["FULFILLED"] / n, "done": (states["FULFILLED"] + states["LATE"]) / n,
			"late": states["LATE"], "missed": states["MISSED"], "excused": states["EXCUSED"]}
	}
	return got
}

func turnsInViews(q question) string {
	due := "SELECT *, toDateTime64(toDateTime(toDate(window_to), 'Asia/Shanghai'), 6, 'UTC') AS due_at FROM pub_slot WHERE state != 'SWAPPED' AND due_at <= " + moment + q.prefecture()
	return `SELECT key, count() AS n, countIf(state = 'FULFILLED') / n AS fulfilled, countIf(state IN ('FULFILLED', 'LATE')) / n AS done, countIf(state = 'LATE') AS late,
		countIf(state = 'MISSED') AS missed, countIf(state = 'EXCUSED') AS excused FROM (` + q.cells(due, "due_at") + `) GROUP BY key`
}

const fortnight = 14 * 24 * time.Hour

// left is when a visit left something first, by its kind.
type left map[string]map[string]time.Time

func (r *rows) left() left {
	first := left{}
	for _, trace := range r.traces {
		if first[trace.Visit] == nil {
			first[trace.Visit] = map[string]time.Time{}
		}
		if at, has := first[trace.Visit][trace.Kind]; !has || trace.At.Before(at) {
			first[trace.Visit][trace.Kind] = trace.At
		}
	}
	return first
}

func (l left) has(v heldRow, kind string) bool {
	at, has := l[v.ID][kind]
	return has && !at.After(v.end().Add(fortnight))
}

// nothing reports whether a visit is traceless.
func (l left) nothing(v heldRow) bool {
	other := l.has(v, "ANSWER") || l.has(v, "WORD")
	if v.Activity == "PROPAGATION" {
		other = l.has(v, "QUESTION") && v.Met != nil && *v.Met > 0
	}
	return !l.has(v, "OPINION") && !l.has(v, "ISSUE") && !other
}

func reckonTraces(r *rows, q question, asOf time.Time) answer {
	left := r.left()
	var ripe []heldRow
	for _, v := range r.held {
		if r.inRegion(q, v.Region) && !v.end().After(asOf.Add(-fortnight)) {
			ripe = append(ripe, v)
		}
	}
	got := answer{}
	for key, cell := range cells(r, q, ripe, func(v heldRow) (issueRow, time.Time) { return issueRow{Region: &v.Region}, v.end() }) {
		var traceless, silent float64
		for _, v := range cell {
			if !left.has(v, "OPINION") {
				silent++
			}
			if left.nothing(v) {
				traceless++
			}
		}
		n := float64(len(cell))
		got[key] = figures{"n": n, "withoutOpinion": silent / n, "traceless": traceless / n, "tracelessVisits": traceless}
	}
	return got
}

// tracesInViews: the views tell neither of policy that was talked of nor of attestations.
func tracesInViews(q question) string {
	held := `SELECT *, ifNull(ended_at, started_at) AS over_at FROM pub_visit WHERE state IN ('HELD', 'RECORDED', 'CLOSED_OUT') AND over_at <= ` + moment + ` - INTERVAL 14 DAY` + q.prefecture()
	return `WITH voiced AS (SELECT assumeNotNull(visit_id) AS visit, min(received_at) AS first FROM pub_opinion WHERE visit_id IS NOT NULL GROUP BY visit)
		SELECT key, count() AS n, countIf(NOT (voiced.visit = v.id AND voiced.first <= v.over_at + INTERVAL 14 DAY)) / n AS withoutOpinion
		FROM (` + q.cells(held, "over_at") + `) AS v LEFT JOIN voiced ON voiced.visit = v.id GROUP BY key`
}

const week = 7 * 24 * time.Hour

// kilometres is how far it is between two places on a sphere.
func kilometres(a, b tourRow) float64 {
	rad := func(degrees float64) float64 { return degrees * math.Pi / 180 }
	hav := func(x float64) float64 { return (1 - math.Cos(x)) / 2 }
	h := hav(rad(*b.Latitude-*a.Latitude)) + math.Cos(rad(*a.Latitude))*math.Cos(rad(*b.Latitude))*hav(rad(*b.Longitude-*a.Longitude))
	return 2 * 6371 * math.Asin(math.Sqrt(h))
}

// reckonPlausibility leaves the back-check to its own tests: who is of the sample follows from a hash of the warehouse.
func reckonPlausibility(r *rows, q question, asOf time.Time) answer {
	overlapping, located, fast := map[string]bool{}, map[string]bool{}, map[string]bool{}
	visits, byOfficial := map[string]tourRow{}, map[string][]tourRow{}
	for _, v := range r.tours {
		if !v.Ended.After(asOf) {
			visits[v.Visit] = v
			byOfficial[v.Official] = append(byOfficial[v.Official], v)
		}
	}
	for _, tour := range byOfficial {
		slices.SortFunc(tour, func(a, b tourRow) int { return cmp.Or(a.Started.Compare(b.Started), cmp.Compare(a.Visit, b.Visit)) })
		for i, b := range tour {
			for k, a := range tour[:i] {
				if a.Ended.After(b.Started) {
					overlapping[a.Visit], overlapping[b.Visit] = true, true
				}
				if k == i-1 && a.Latitude != nil && a.Longitude != nil && b.Latitude != nil && b.Longitude != nil {
					located[a.Visit], located[b.Visit] = true, true
					if hours := float64(b.Started.Unix()-a.Started.Unix()) / 3600; kilometres(a, b) > 120*hours {
						fast[a.Visit], fast[b.Visit] = true, true
					}
				}
			}
		}
	}
	var ripe []tourRow
	for _, v := range visits {
		if r.inRegion(q, v.Region) && !v.Ended.After(asOf.Add(-week)) {
			ripe = append(ripe, v)
		}
	}
	got := answer{}
	for key, cell := range cells(r, q, ripe, func(v tourRow) (issueRow, time.Time) { return issueRow{Region: &v.Region}, v.Ended }) {
		var any, clash, placed, sped, short, late, signed, foreign float64
		for _, v := range cell {
			brief := v.Ended.Unix()-v.Started.Unix() < 20*60
			tardy := v.Noted == nil || v.Noted.After(v.Ended.Add(week)) || v.Noted.After(asOf)
			for sum, is := range map[*float64]bool{&clash: overlapping[v.Visit], &placed: located[v.Visit], &sped: fast[v.Visit], &short: brief, &late: tardy, &signed: v.NoteUnit != nil, &foreign: v.Foreign,
				&any: overlapping[v.Visit] || fast[v.Visit] || brief || tardy || v.Foreign} {
				if is {
					*sum++
				}
			}
		}
		n := float64(len(cell))
		got[key] = figures{"n": n, "implausible": any / n, "overlapping": clash / n, "tooFast": ratio(sped, placed), "tooShort": short / n, "noteLate": late / n, "noteByOthers": ratio(foreign, signed)}
	}
	return got
}

// plausibilityInViews: the views tell neither who took part nor where sites lie.
func plausibilityInViews(q question) string {
	held := "SELECT *, ifNull(ended_at, started_at) AS over_at FROM pub_visit WHERE state IN ('HELD', 'RECORDED', 'CLOSED_OUT') AND over_at <= " + moment + " - INTERVAL 7 DAY" + q.prefecture()
	return `SELECT key, count() AS n, countIf(dateDiff('second', started_at, over_at) < 1200) / n AS tooShort,
		countIf(note_created_at IS NULL OR note_created_at > over_at + INTERVAL 7 DAY OR note_created_at > ` + moment + `) / n AS noteLate FROM (` + q.cells(held, "over_at") + `) GROUP BY key`
}

func reckonClosings(r *rows, q question, asOf time.Time) answer {
	type asked struct{ own, against, handler bool }
	verdicts := map[string]asked{}
	for _, v := range r.verdicts {
		if !v.At.After(asOf) {
			a := verdicts[v.Issue]
			if v.By == "HANDLER" {
				a.handler = true
			} else {
				a.own, a.against = true, a.against || v.Resolved != "YES"
			}
			verdicts[v.Issue] = a
		}
	}
	var closed []issueRow
	for _, i := range r.seen(q) {
		if i.State == "CLOSED" && i.Closed != nil {
			closed = append(closed, i)
		}
	}
	got := answer{}
	for key, cell := range cells(r, q, closed, func(i issueRow) (issueRow, time.Time) { return i, *i.Closed }) {
		var n, any, unconfirmed, against, handled float64
		for _, i := range cell {
			how, of := *i.Closure, verdicts[i.ID]
			if how == "WITHDRAWN" {
				continue
			}
			n++
			found := false
			for sum, is := range map[*float64]bool{&unconfirmed: how == "UNCONFIRMED", &against: how == "EXPLAINED" && of.against, &handled: of.handler && !of.own} {
				if is {
					*sum, found = *sum+1, true
				}
			}
			if found {
				any++
			}
		}
		got[key] = figures{"n": n, "withoutCitizen": ratio(any, n), "unconfirmed": ratio(unconfirmed, n), "againstDisagreement": ratio(against, n), "handlerOnly": ratio(handled, n)}
	}
	return got
}

func closingsInViews(q question) string {
	return `WITH told AS (SELECT issue_id, countIf(collected_by != 'HANDLER') AS own, countIf(collected_by = 'HANDLER') AS by_handler, countIf(collected_by != 'HANDLER' AND resolved != 'YES') AS against
			FROM pub_feedback WHERE at <= ` + moment + ` GROUP BY issue_id),
		over AS (SELECT key, closure_type AS how, how = 'UNCONFIRMED' AS no_verdict, how = 'EXPLAINED' AND told.against > 0 AS denied, told.by_handler > 0 AND told.own = 0 AS handler_alone
			FROM (` + q.cells("SELECT * FROM ("+q.seenIssues()+") WHERE state = 'CLOSED' AND closed_at IS NOT NULL", "closed_at") + `) AS i LEFT JOIN told ON told.issue_id = i.id)
		SELECT key, countIf(how != 'WITHDRAWN') AS n, countIf(how != 'WITHDRAWN' AND (no_verdict OR denied OR handler_alone)) / n AS withoutCitizen, countIf(no_verdict) / n AS unconfirmed,
			countIf(denied) / n AS againstDisagreement, countIf(how != 'WITHDRAWN' AND handler_alone) / n AS handlerOnly
		FROM over GROUP BY key`
}
