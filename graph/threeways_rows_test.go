package graph_test

import (
	"math"
	"slices"
	"strings"
	"time"
)

// The measures once more, one issue at a time, from the rows of the system of record.

type regionRow struct {
	ID, Code, Level, Path string
	UrbanRural            *string
}

type categoryRow struct {
	ID, Code string
	Parent   *string
	Minimum  *int
}

// progressRow is how an issue stands after an event.
type progressRow struct {
	Closure                             *string
	Origin                              time.Time
	Response, Claimed, Resolved, Closed *time.Time
	Returns, Disputes, Opinions         int
	PausedSince                         *time.Time
	PausedSeconds                       int64
	MergedInto                          *string
}

type issueRow struct {
	ID               string
	Region, Category *string
	Channel, Kind    string
	Site, Visit      *string
	Due, Observed    *time.Time
	State            string
	progressRow
}

// matter is the id of its category, "" if that is unknown.
func (i issueRow) matter() string {
	if i.Category == nil {
		return ""
	}
	return *i.Category
}

type eventRow struct {
	Issue, Kind string
	At, KnownAt time.Time
	State       string
	progressRow
}

type claimRow struct {
	ID, Issue string
	Kind      *string
	Source    string
	At        time.Time
}

type verdictRow struct {
	ID, Claim, Issue, Resolved string
	Satisfaction               *int
	By                         string
	At                         time.Time
}

type callRow struct {
	Claim, Outcome string
	At             time.Time
}

type legRow struct {
	Issue, Role        string
	Sent               time.Time
	Accepted, Returned *time.Time
}

// opinionRow is an opinion that is on an issue.
type opinionRow struct {
	ID, Issue, Channel, Kind string
	Reporter                 *string
	Received, Linked         time.Time
}

type visitRow struct {
	ID      string
	Started time.Time
	Ended   *time.Time
}

type dayRow struct {
	Date   string
	Worked bool
}

type rows struct {
	regions    []regionRow
	categories []categoryRow
	issues     []issueRow
	events     []eventRow
	claims     []claimRow
	verdicts   []verdictRow
	calls      []callRow
	legs       []legRow
	opinions   []opinionRow
	visits     []visitRow
	held       []heldRow
	tours      []tourRow
	sites      []siteRow
	atSites    []atSiteRow
	notes      []noteRow
	cycles     []cycleRow
	turns      []turnRow
	traces     []traceRow
	persons    []personsRow
	touching   []touchRow
	places     []placeRow
	skills     []skillRow
	holdings   []holdingRow
	campaigns  []campaignRow
	rollouts   []rolloutRow
	roads      []roadRow
	calendar   []dayRow
}

func (r *rows) listed(worked bool) (days []string) {
	for _, d := range r.calendar {
		if d.Worked == worked {
			days = append(days, d.Date)
		}
	}
	return days
}

func (r *rows) daysOff() []string { return r.listed(false) }
func (r *rows) daysOn() []string  { return r.listed(true) }

// all are the issues as they were known at the moment of the question.
func (r *rows) all(q question) (known []issueRow) {
	if q.asOf == nil {
		return r.issues
	}
	last := map[string]eventRow{}
	for _, e := range r.events {
		if !e.KnownAt.After(*q.asOf) {
			last[e.Issue] = e
		}
	}
	for _, i := range r.issues {
		if e, has := last[i.ID]; has {
			i.State, i.progressRow = e.State, e.progressRow
			known = append(known, i)
		}
	}
	return known
}

// seen are those of them that the question looks at; merged ones follow their target.
func (r *rows) seen(q question) (seen []issueRow) {
	for _, i := range r.all(q) {
		if i.State != "MERGED" &&
			(q.region == "" || i.Region != nil && slices.Contains(strings.Split(r.regionOf(*i.Region).Path, "."), q.region)) &&
			(q.category == "" || i.Category != nil && r.under(*i.Category, q.category)) &&
			(q.channels == nil || slices.Contains(q.channels, i.Channel)) && (q.kinds == nil || slices.Contains(q.kinds, i.Kind)) &&
			(q.originFrom == nil || !i.Origin.Before(*q.originFrom) && i.Origin.Before(*q.originTo)) {
			seen = append(seen, i)
		}
	}
	return seen
}

func (r *rows) regionOf(id string) regionRow {
	return r.regions[slices.IndexFunc(r.regions, func(o regionRow) bool { return o.ID == id })]
}

func (r *rows) under(id, ancestor string) bool {
	c := r.categories[slices.IndexFunc(r.categories, func(c categoryRow) bool { return c.ID == id })]
	return id == ancestor || c.Parent != nil && r.under(*c.Parent, ancestor)
}

// cells gathers things by the cell of their issue and anchor, of those whose anchor lies in the window.
func cells[T any](r *rows, q question, all []T, of func(T) (issueRow, time.Time)) map[string][]T {
	found := map[string][]T{}
	for _, v := range all {
		issue, anchor := of(v)
		if q.windowFrom == nil || !anchor.Before(*q.windowFrom) && anchor.Before(*q.windowTo) {
			key := r.key(q, issue, anchor)
			found[key] = append(found[key], v)
		}
	}
	return found
}

func (r *rows) key(q question, i issueRow, anchor time.Time) string {
	var key []string
	for _, d := range q.by {
		switch d {
		case "REGION":
			key = append(key, r.regionCode(i, q.level))
		case "CATEGORY":
			code := ""
			if i.Category != nil {
				code = r.categories[slices.IndexFunc(r.categories, func(c categoryRow) bool { return c.ID == *i.Category })].Code
			}
			key = append(key, code)
		case "CHANNEL":
			key = append(key, i.Channel)
		case "KIND":
			key = append(key, i.Kind)
		case "URBAN_RURAL":
			side := ""
			if i.Region != nil {
				if of := r.regionOf(*i.Region).UrbanRural; of != nil {
					side = *of
				}
			}
			key = append(key, side)
		}
	}
	if q.grain == "MONTH" {
		key = append(key, anchor.In(shanghai).Format("2006-01"))
	}
	return strings.Join(key, "|")
}

var shanghai = time.FixedZone("UTC+8", 8*3600)

func (r *rows) regionCode(i issueRow, level string) string {
	if i.Region == nil {
		return ""
	}
	own := r.regionOf(*i.Region)
	if level == "" {
		return own.Code
	}
	for _, code := range strings.Split(own.Path, ".") {
		if above := r.regions[slices.IndexFunc(r.regions, func(o regionRow) bool { return o.Code == code })]; above.Level == level {
			return code
		}
	}
	return ""
}

func byOrigin(i issueRow) (issueRow, time.Time) { return i, i.Origin }

// An exit is how one issue leaves observation: after whole seconds, rounded up, by a cause; 0 = censored.
type exit struct {
	seconds int64
	cause   int
}

func exitAt(from, to time.Time, cause int) exit {
	return exit{int64(math.Ceil(float64(to.Sub(from).Microseconds()) / 1e6)), cause}
}

func (i issueRow) seenUntil(asOf time.Time) time.Time {
	if i.Observed != nil && i.Observed.Before(asOf) {
		return *i.Observed
	}
	return asOf
}

// incidence is the cumulative incidence of a cause by so many days (0 = any), with the mean time in the initial state until then. Both are NaN where
// observation ends earlier with somebody left.
func incidence(exits []exit, cause int, days float64) (share, mean float64) {
	exits = slices.Clone(exits)
	slices.SortFunc(exits, func(a, b exit) int { return int(a.seconds - b.seconds) })
	survival, before := 1.0, 0.0
	last := 0.0
	for at := 0; at < len(exits); {
		next, ended, of := at, 0.0, 0.0
		for ; next < len(exits) && exits[next].seconds == exits[at].seconds; next++ {
			if exits[next].cause > 0 {
				ended++
				if cause == 0 || exits[next].cause == cause {
					of++
				}
			}
		}
		last = float64(exits[at].seconds) / 86400
		if last > days {
			break
		}
		mean += survival * (last - before)
		before = last
		share += survival * of / float64(len(exits)-at)
		survival *= 1 - ended/float64(len(exits)-at)
		at = next
	}
	if last < days && survival > 1e-12 {
		return math.NaN(), math.NaN()
	}
	return share, mean + survival*(days-before)
}

// quantile is the first time by which a share p has ended; NaN if that was not reached.
func quantile(exits []exit, p float64) float64 {
	var times []float64
	for _, x := range exits {
		if x.cause > 0 {
			times = append(times, float64(x.seconds)/86400)
		}
	}
	slices.Sort(times)
	for _, t := range slices.Compact(times) {
		if share, _ := incidence(exits, 0, t); share >= p-1e-12 {
			return t
		}
	}
	return math.NaN()
}

// ratio is x of n; of nothing it is unknown, as 0/0 is.
func ratio(x, n float64) float64 {
	if n == 0 {
		return math.NaN()
	}
	return x / n
}

func reckonResponse(r *rows, q question, asOf time.Time) answer {
	got := answer{}
	for key, cell := range cells(r, q, r.seen(q), byOrigin) {
		var exits []exit
		f := figures{"n": float64(len(cell)), "responded": 0}
		for _, i := range cell {
			switch {
			case i.Response != nil:
				exits = append(exits, exitAt(i.Origin, *i.Response, 1))
				f["responded"]++
			case i.Closure != nil && *i.Closure == "WITHDRAWN":
				exits = append(exits, exitAt(i.Origin, *i.Closed, 0))
			default:
				exits = append(exits, exitAt(i.Origin, i.seenUntil(asOf), 0))
			}
		}
		f["responded24h"], _ = incidence(exits, 0, 1)
		f["responded7d"], _ = incidence(exits, 0, 7)
		f["responded30d"], _ = incidence(exits, 0, 30)
		f["medianDays"], f["p90Days"] = quantile(exits, 0.5), quantile(exits, 0.9)
		got[key] = f
	}
	return got
}

// ending is how and when an issue ended, and whether it is a claim that awaits the verdict.
func (i issueRow) ending(asOf time.Time) (x exit, awaiting bool) {
	causes := map[string]int{"CONFIRMED": 1, "EXPLAINED": 2, "REFERRED_OUT": 2, "UNCONFIRMED": 3, "WITHDRAWN": 4}
	switch {
	case i.Resolved != nil:
		return exitAt(i.Origin, *i.Resolved, 1), false
	case i.State == "CLOSED":
		return exitAt(i.Origin, *i.Closed, causes[*i.Closure]), false
	case i.State == "CLAIMED":
		return exitAt(i.Origin, *i.Claimed, 0), true
	}
	return exitAt(i.Origin, i.seenUntil(asOf), 0), false
}

func reckonResolution(r *rows, q question, asOf time.Time) answer {
	names := []string{"open", "confirmed", "explainedOrReferred", "unconfirmed", "withdrawn"}
	got := answer{}
	for key, cell := range cells(r, q, r.seen(q), byOrigin) {
		f := figures{"n": float64(len(cell)), "awaitingFeedback": 0}
		for _, name := range names {
			f[name] = 0
		}
		var exits, none, all []exit
		claimed, judged := false, false
		for _, i := range cell {
			x, awaiting := i.ending(asOf)
			lower, upper := x, x
			if awaiting {
				lower.cause, upper.cause = 3, 1
				f["awaitingFeedback"]++
			} else {
				f[names[x.cause]]++
			}
			exits, none, all = append(exits, x), append(none, lower), append(all, upper)
			claimed, judged = claimed || i.Claimed != nil, judged || i.Resolved != nil || i.Disputes > 0
		}
		for name, days := range map[string]float64{"confirmed30": 30, "confirmed60": 60, "confirmed90": 90} {
			f[name], _ = incidence(exits, 1, days)
			if claimed && !judged { // of what nobody was ever asked nothing is known, not 0
				f[name] = math.NaN()
			}
			f[name+"Lower"], _ = incidence(none, 1, days)
			f[name+"Upper"], _ = incidence(all, 1, days)
		}
		f["medianDays"], f["p90Days"] = quantile(exits, 0.5), quantile(exits, 0.9)
		_, f["rmst90Days"] = incidence(exits, 0, 90)
		got[key] = f
	}
	return got
}

func reckonOnTime(r *rows, q question, asOf time.Time) answer {
	var dated []issueRow
	for _, i := range r.seen(q) {
		if i.Due != nil {
			dated = append(dated, i)
		}
	}
	got := answer{}
	for key, cell := range cells(r, q, dated, func(i issueRow) (issueRow, time.Time) { return i, *i.Due }) {
		f := figures{"n": 0, "onTimeIssues": 0, "late": 0, "openOverdue": 0, "awaitingFeedback": 0, "notYetDue": 0}
		judged := false
		for _, i := range cell {
			closed := i.State == "CLOSED"
			inTime := i.Claimed != nil && !i.Claimed.After(*i.Due)
			held := i.Resolved != nil && !i.Resolved.After(*i.Due) || closed && *i.Closure == "EXPLAINED" && inTime
			switch {
			case i.Due.After(asOf):
				f["notYetDue"]++
				continue
			case closed && *i.Closure == "WITHDRAWN":
				continue
			case held:
				f["onTimeIssues"]++
			case closed:
				f["late"]++
			case i.State == "CLAIMED" && inTime:
				f["awaitingFeedback"]++
			default:
				f["openOverdue"]++
			}
			f["n"]++
			judged = judged || closed || i.Resolved != nil || i.Disputes > 0
		}
		f["onTime"] = ratio(f["onTimeIssues"], f["n"])
		f["onTimeUpper"] = ratio(f["onTimeIssues"]+f["awaitingFeedback"], f["n"])
		if f["awaitingFeedback"] > 0 && !judged {
			f["onTime"] = math.NaN()
		}
		got[key] = f
	}
	return got
}

func reckonBacklog(r *rows, q question, asOf time.Time) answer {
	got := answer{}
	for key, cell := range cells(r, q, r.seen(q), byOrigin) {
		f := figures{"n": 0, "awaitingFeedback": 0, "inflow28Days": 0, "outflow28Days": 0}
		since := asOf.Add(-28 * 24 * time.Hour)
		var ages []float64
		var over60, over90 float64
		for _, i := range cell {
			if i.Origin.After(since) {
				f["inflow28Days"]++
			}
			if i.State == "CLOSED" {
				if i.Closed.After(since) {
					f["outflow28Days"]++
				}
				continue
			}
			age := float64(exitAt(i.Origin, i.seenUntil(asOf), 0).seconds) / 86400
			ages = append(ages, age)
			if age > 60 {
				over60++
			}
			if age > 90 {
				over90++
			}
			if i.State == "CLAIMED" {
				f["awaitingFeedback"]++
			}
		}
		slices.Sort(ages)
		n := float64(len(ages))
		f["n"], f["open"] = n, n
		f["ageP50Days"], f["ageP90Days"] = math.NaN(), math.NaN()
		if n > 0 {
			f["ageP50Days"], f["ageP90Days"] = ages[int(math.Ceil(0.5*n-1e-9))-1], ages[int(math.Ceil(0.9*n-1e-9))-1]
		}
		f["shareOver60Days"], f["shareOver90Days"] = ratio(over60, n), ratio(over90, n)
		f["flowRatio"] = ratio(f["inflow28Days"], f["outflow28Days"])
		if n+f["inflow28Days"]+f["outflow28Days"] > 0 { // neither stock nor flow is no cell
			got[key] = f
		}
	}
	return got
}

func reckonClock(r *rows, q question, asOf time.Time) answer {
	legs := map[string][]legRow{}
	for _, l := range r.legs {
		if !l.Sent.After(asOf) {
			legs[l.Issue] = append(legs[l.Issue], l)
		}
	}
	got := answer{}
	for key, cell := range cells(r, q, r.seen(q), byOrigin) {
		f := figures{"n": float64(len(cell)), "legs": 0}
		var open, paused, returned, twice float64
		for _, i := range cell {
			until := i.seenUntil(asOf)
			if i.State == "CLOSED" {
				until = *i.Closed
			}
			gross := float64(exitAt(i.Origin, until, 0).seconds)
			still := float64(i.PausedSeconds)
			if i.PausedSince != nil {
				still += float64(exitAt(*i.PausedSince, i.seenUntil(asOf), 0).seconds)
			}
			open, paused = open+gross, paused+min(still, gross)
			for _, l := range legs[i.ID] {
				f["legs"]++
				if l.Returned != nil && !l.Returned.After(asOf) {
					returned++
				}
			}
			if i.Returns >= 2 {
				twice++
			}
		}
		f["pausedShare"], f["returnedLegs"], f["returnedTwice"] = ratio(paused, open), ratio(returned, f["legs"]), ratio(twice, f["n"])
		got[key] = f
	}
	return got
}

// asked is a claim and what became of the question whether it is true.
type asked struct {
	issue          issueRow
	at             time.Time
	tried, reached bool
	verdict        string // the latest that its handler did not collect; "" = none
	satisfaction   int    // with it; 0 = not said
	byHandler      bool
}

// due are the claims whose tenth working day is over.
func (r *rows) due(q question, asOf time.Time) (due []asked) {
	seen := map[string]issueRow{}
	for _, i := range r.seen(q) {
		seen[i.ID] = i
	}
	verdicts, calls := map[string][]verdictRow{}, map[string][]callRow{}
	for _, v := range r.verdicts {
		verdicts[v.Claim] = append(verdicts[v.Claim], v)
	}
	for _, c := range r.calls {
		calls[c.Claim] = append(calls[c.Claim], c)
	}
	for _, c := range r.claims {
		i, has := seen[c.Issue]
		if !has || i.Closure != nil && *i.Closure == "WITHDRAWN" || r.tenWorkingDays(c.At).After(asOf) {
			continue
		}
		a := asked{issue: i, at: c.At}
		for _, call := range calls[c.ID] {
			if !call.At.After(asOf) {
				a.tried, a.reached = true, a.reached || call.Outcome == "ANSWERED"
			}
		}
		for _, v := range verdicts[c.ID] { // in the order of time
			switch {
			case v.At.After(asOf):
			case v.By == "HANDLER":
				a.byHandler = true
			default:
				a.verdict, a.satisfaction = v.Resolved, 0
				if v.Satisfaction != nil {
					a.satisfaction = *v.Satisfaction
				}
			}
		}
		due = append(due, a)
	}
	return due
}

// tenWorkingDays is the end of the tenth working day after that of t.
func (r *rows) tenWorkingDays(t time.Time) time.Time {
	day := midnight(t)
	for worked := 0; worked < 10; {
		if day = day.AddDate(0, 0, 1); r.works(day) {
			worked++
		}
	}
	return day.AddDate(0, 0, 1)
}

func atClaim(a asked) (issueRow, time.Time) { return a.issue, a.at }

func reckonConfirmed(r *rows, q question, asOf time.Time) answer {
	got := answer{}
	for key, cell := range cells(r, q, r.due(q, asOf), atClaim) {
		n := float64(len(cell))
		var yes, partly, answered float64
		for _, a := range cell {
			switch a.verdict {
			case "YES":
				yes++
			case "PARTLY":
				partly++
			}
			if a.verdict != "" {
				answered++
			}
		}
		got[key] = figures{"n": n, "answered": answered, "resolved": ratio(yes, answered), "partly": ratio(partly, answered),
			"resolvedLower": yes / n, "resolvedUpper": (yes + n - answered) / n}
	}
	return got
}

func reckonSatisfaction(r *rows, q question, asOf time.Time) answer {
	seen := map[string]issueRow{}
	for _, i := range r.seen(q) {
		seen[i.ID] = i
	}
	var ratings []verdictRow
	for _, v := range r.verdicts {
		if _, has := seen[v.Issue]; has && v.By != "HANDLER" && v.Satisfaction != nil && !v.At.After(asOf) {
			ratings = append(ratings, v)
		}
	}
	claims := cells(r, q, r.due(q, asOf), atClaim)
	got := answer{}
	for key, cell := range cells(r, q, ratings, func(v verdictRow) (issueRow, time.Time) { return seen[v.Issue], v.At }) {
		n := float64(len(cell))
		var high, middle, solved, solvedHigh float64
		for _, v := range cell {
			yes := v.Resolved == "YES"
			if yes {
				solved++
			}
			switch {
			case *v.Satisfaction >= 4:
				high++
				if yes {
					solvedHigh++
				}
			case *v.Satisfaction == 3:
				middle++
			}
		}
		weighted, reach := byPropensity(claims[key])
		got[key] = figures{"n": n, "satisfied": high / n, "basically": middle / n, "satisfiedCompat": (high + middle) / n, "satisfiedResolved": ratio(solvedHigh, solved),
			"satisfiedUnresolved": ratio(high-solvedHigh, n-solved), "reach": reach, "satisfiedWeighted": weighted}
	}
	return got
}

// byPropensity is the share of satisfied with each channel and category weighted by its claims rather than its answers, and the share answered.
func byPropensity(claims []asked) (weighted, reach float64) {
	type stratum struct{ claims, rated, high float64 }
	strata := map[string]*stratum{}
	var answered float64
	for _, a := range claims {
		key := a.issue.Channel
		if a.issue.Category != nil {
			key += *a.issue.Category
		}
		if strata[key] == nil {
			strata[key] = &stratum{}
		}
		s := strata[key]
		s.claims++
		if a.verdict != "" {
			answered++
		}
		if a.satisfaction > 0 {
			s.rated++
		}
		if a.satisfaction >= 4 {
			s.high++
		}
	}
	var sum, weights float64
	for _, s := range strata {
		if s.rated > 0 {
			sum, weights = sum+s.claims*s.high/s.rated, weights+s.claims
		}
	}
	return ratio(sum, weights), ratio(answered, float64(len(claims)))
}

func reckonReach(r *rows, q question, asOf time.Time) answer {
	got := answer{}
	for key, cell := range cells(r, q, r.due(q, asOf), atClaim) {
		var tried, reached, answered, independent float64
		for _, a := range cell {
			own := a.verdict != ""
			for sum, is := range map[*float64]bool{&tried: a.tried || own || a.byHandler, &reached: a.reached || own || a.byHandler, &answered: own || a.byHandler, &independent: own} {
				if is {
					*sum++
				}
			}
		}
		n := float64(len(cell))
		got[key] = figures{"n": n, "attempted": tried / n, "reached": ratio(reached, tried), "answered": ratio(answered, reached), "independent": ratio(independent, answered)}
	}
	return got
}

// comeback is something that was over, and whether it came back.
type comeback struct {
	issue issueRow
	over  time.Time
	exit  exit
}

func atEnd(c comeback) (issueRow, time.Time) { return c.issue, c.over }

func exitsOf(all []comeback) (exits []exit) {
	for _, c := range all {
		exits = append(exits, c.exit)
	}
	return exits
}

func reckonReopening(r *rows, q question, asOf time.Time) answer {
	closings := []string{"CONFIRMED", "CLOSED", "WITHDRAWN"}
	first := map[string]map[bool]time.Time{} // by issue: of a closing, of a reopening
	for _, e := range r.events {
		if closing := slices.Contains(closings, e.Kind); (closing || e.Kind == "REOPENED") && !e.KnownAt.After(asOf) {
			if first[e.Issue] == nil {
				first[e.Issue] = map[bool]time.Time{}
			}
			if at, has := first[e.Issue][closing]; !has || e.At.Before(at) {
				first[e.Issue][closing] = e.At
			}
		}
	}
	known := r.all(q)
	var closed, confirmed []comeback
	for _, i := range r.seen(q) {
		if over, has := first[i.ID][true]; has {
			c := comeback{i, over, exitAt(over, i.seenUntil(asOf), 0)}
			if again, has := first[i.ID][false]; has {
				c.exit = exitAt(over, again, 1)
			}
			closed = append(closed, c)
		}
		if i.Closure != nil && *i.Closure == "CONFIRMED" && i.Site != nil && i.Category != nil {
			c := comeback{i, *i.Closed, exitAt(*i.Closed, i.seenUntil(asOf), 0)}
			for _, o := range known {
				if o.State != "MERGED" && o.Site != nil && o.Category != nil && *o.Site == *i.Site && *o.Category == *i.Category && o.Origin.After(*i.Closed) {
					if x := exitAt(*i.Closed, o.Origin, 1); c.exit.cause == 0 || x.seconds < c.exit.seconds {
						c.exit = x
					}
				}
			}
			confirmed = append(confirmed, c)
		}
	}
	recurring := cells(r, q, confirmed, atEnd)
	got := answer{}
	for key, cell := range cells(r, q, closed, atEnd) {
		exits := exitsOf(cell)
		f := figures{"n": float64(len(cell)), "reopened": 0, "recurred180": math.NaN()}
		for _, x := range exits {
			f["reopened"] += float64(x.cause)
		}
		f["reopened30"], _ = incidence(exits, 0, 30)
		f["reopened90"], _ = incidence(exits, 0, 90)
		if at := recurring[key]; at != nil {
			f["recurred180"], _ = incidence(exitsOf(at), 0, 180)
		}
		got[key] = f
	}
	return got
}

func reckonOnTheSpot(r *rows, q question, asOf time.Time) answer {
	over := map[string]time.Time{}
	for _, v := range r.visits {
		over[v.ID] = v.Started
		if v.Ended != nil {
			over[v.ID] = *v.Ended
		}
	}
	var raised []issueRow
	for _, i := range r.seen(q) {
		if i.Visit != nil && !over[*i.Visit].After(asOf.Add(-30*24*time.Hour)) {
			raised = append(raised, i)
		}
	}
	got := answer{}
	for key, cell := range cells(r, q, raised, func(i issueRow) (issueRow, time.Time) { return i, over[*i.Visit] }) {
		f := figures{"n": float64(len(cell)), "resolved": 0}
		month := 0.0
		for _, i := range cell {
			if i.Resolved != nil && !i.Resolved.After(over[*i.Visit].Add(24*time.Hour)) {
				f["resolved"]++
			}
			if i.Resolved != nil && !i.Resolved.After(i.Origin.Add(30*24*time.Hour)) {
				month++
			}
		}
		f["onTheSpot"], f["within30"] = f["resolved"]/f["n"], month/f["n"]
		got[key] = f
	}
	return got
}

// reckonEquity standardises the share confirmed within 60 days to the mix of categories of all regions together.
func reckonEquity(r *rows, q question, asOf time.Time) answer {
	type matters map[string][]exit // by category
	regions, mix, all := map[string]matters{}, map[string]float64{}, []exit{}
	total, judged := 0.0, false
	for key, cell := range cells(r, q, r.seen(q), byOrigin) {
		regions[key] = matters{}
		for _, i := range cell {
			category := i.matter()
			x, _ := i.ending(asOf)
			regions[key][category] = append(regions[key][category], x)
			all = append(all, x)
			mix[category]++
			total++
			judged = judged || i.Resolved != nil || i.Disputes > 0
		}
	}
	target, _ := incidence(all, 1, 60)
	got, variances := answer{}, map[string]float64{}
	for key, of := range regions {
		var own []exit
		var sum, there, variance float64
		for category, exits := range of {
			own = append(own, exits...)
			if share, _ := incidence(exits, 1, 60); !math.IsNaN(share) {
				sum, there = sum+mix[category]*share, there+mix[category]
				variance += mix[category] * mix[category] * uncertain(exits, 1, 60)
			}
		}
		if variance /= there * there; judged && variance > 1e-12 && !math.IsNaN(target) { // less is rounding: without a variance there are no limits
			variances[key] = variance
		}
		f := figures{"n": float64(len(own)), "target": target, "standardised": ratio(sum, there), "covered": there / total}
		f["crude"], _ = incidence(own, 1, 60)
		if !judged {
			f = figures{"n": f["n"], "target": math.NaN(), "standardised": math.NaN(), "covered": math.NaN(), "crude": math.NaN()}
		}
		got[key] = f
	}
	funnel(got, variances, target)
	return got
}
