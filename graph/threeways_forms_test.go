package graph_test

import (
	"cmp"
	"math"
	"slices"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
)

// Measures of formality, twice more: F3 of notes, F4 of visits in their cycles, F5 of claims of a remedy.

// noteRow is the note of a visit that is recorded, and what the comparison with earlier ones said of it.
type noteRow struct {
	Region string
	At     time.Time
	Copied *bool // nil = not compared
	Whose  *string
}

// cycleRow is a turn: the days [From, To) of a post's activity.
type cycleRow struct {
	Post, Activity string
	From, To       time.Time
	Visit          *string
}

const (
	notes = `SELECT s.region_id::text, v.note_created_at, c.copied, c.whose FROM visit v JOIN site s ON s.id = v.site_id LEFT JOIN note_check c ON c.visit_id = v.id
		WHERE v.state IN ('RECORDED', 'CLOSED_OUT') AND v.note_created_at IS NOT NULL`
	cycles = `SELECT post_id::text, activity_kind, window_from::timestamp AT TIME ZONE 'Asia/Shanghai', window_to::timestamp AT TIME ZONE 'Asia/Shanghai', visit_id::text FROM rota_slot WHERE state <> 'SWAPPED'`
)

// reckonCopies counts what the comparison found, whose own tests hold it against the texts.
func reckonCopies(r *rows, q question, asOf time.Time) answer {
	var known []noteRow
	for _, n := range r.notes {
		if r.inRegion(q, n.Region) && !n.At.After(asOf) && n.Copied != nil {
			known = append(known, n)
		}
	}
	got := answer{}
	for key, cell := range cells(r, q, known, func(n noteRow) (issueRow, time.Time) { return issueRow{Region: &n.Region}, n.At }) {
		var own, others float64
		for _, n := range cell {
			switch {
			case !*n.Copied:
			case *n.Whose == "OWN":
				own++
			default:
				others++
			}
		}
		n := float64(len(cell))
		got[key] = figures{"n": n, "copied": (own + others) / n, "ownCopies": own / n, "othersCopies": others / n}
	}
	return got
}

func midnight(t time.Time) time.Time {
	y, m, d := t.In(shanghai).Date()
	return time.Date(y, m, d, 0, 0, 0, 0, shanghai)
}

// works reports whether a day is worked.
func (r *rows) works(day time.Time) bool {
	date, weekend := day.Format(time.DateOnly), day.Weekday() == time.Saturday || day.Weekday() == time.Sunday
	return slices.Contains(r.daysOn(), date) || !weekend && !slices.Contains(r.daysOff(), date)
}

// cycleOf is the days [from, to) in which a visit could have been held.
func (r *rows) cycleOf(v heldRow) (from, to time.Time) {
	day := midnight(v.end())
	var around []cycleRow
	for _, c := range r.cycles {
		switch in := !day.Before(c.From) && day.Before(c.To); {
		case in && c.Visit != nil && *c.Visit == v.ID:
			return c.From, c.To
		case in && c.Post == v.Lead && c.Activity == v.Activity:
			around = append(around, c)
		}
	}
	if len(around) > 0 {
		shortest := slices.MinFunc(around, func(a, b cycleRow) int {
			return cmp.Or(cmp.Compare(a.To.Sub(a.From), b.To.Sub(b.From)), a.From.Compare(b.From))
		})
		return shortest.From, shortest.To
	}
	from = time.Date(day.Year(), day.Month(), 1, 0, 0, 0, 0, shanghai)
	return from, from.AddDate(0, 1, 0)
}

func reckonBunching(r *rows, q question, asOf time.Time) answer {
	type placed struct {
		heldRow
		last   bool
		chance float64 // of lying in the last days
	}
	var worked []placed
	for _, v := range r.held {
		from, to := r.cycleOf(v)
		if !r.inRegion(q, v.Region) || v.end().After(asOf) || to.After(midnight(asOf)) || q.windowFrom != nil && (from.Before(midnight(*q.windowFrom)) || to.After(midnight(*q.windowTo))) {
			continue
		}
		var days []time.Time
		for day := midnight(from); day.Before(to); day = day.AddDate(0, 0, 1) {
			if r.works(day) {
				days = append(days, day)
			}
		}
		if day := midnight(v.end()); len(days) >= 4 && r.works(day) {
			last := min(7, len(days)/4)
			worked = append(worked, placed{v, !day.Before(days[len(days)-last]), float64(last) / float64(len(days))})
		}
	}
	left := r.left()
	got := answer{}
	for key, cell := range cells(r, q, worked, func(v placed) (issueRow, time.Time) { return issueRow{Region: &v.Region}, v.end() }) {
		type part struct{ visits, issues, ripe, traceless float64 }
		parts := map[bool]*part{true: {}, false: {}}
		var chance float64
		for _, v := range cell {
			p := parts[v.last]
			p.visits++
			chance += v.chance
			for _, trace := range r.traces {
				if trace.Visit == v.ID && trace.Kind == "ISSUE" && !trace.At.After(v.end().Add(fortnight)) {
					p.issues++
				}
			}
			if !v.end().After(asOf.Add(-fortnight)) {
				p.ripe++
				if left.nothing(v.heldRow) {
					p.traceless++
				}
			}
		}
		in, out, n := parts[true], parts[false], float64(len(cell))
		f := figures{"n": n, "inWindow": in.visits, "issuesInside": ratio(in.issues, in.visits), "issuesOutside": ratio(out.issues, out.visits),
			"tracelessInside": ratio(in.traceless, in.ripe), "tracelessOutside": ratio(out.traceless, out.ripe), "expected": math.NaN(), "ratio": math.NaN(), "excessShare": math.NaN(), "p": math.NaN()}
		if n >= 20 && chance < n {
			f["expected"], f["p"] = chance, binomialTail(int(in.visits), int(n), chance/n)
			f["excessShare"] = (in.visits - out.visits/(n-chance)*chance) / n
			if out.visits > 0 {
				f["ratio"] = in.visits / chance / (out.visits / (n - chance))
			}
		}
		got[key] = f
	}
	return got
}

// binomialTail is P(X ≥ x), a term at a time.
func binomialTail(x, n int, p float64) (tail float64) {
	for k := x; k <= n; k++ {
		term := 1.0
		for i := range k {
			term *= p * float64(n-i) / float64(k-i)
		}
		tail += term * math.Pow(1-p, float64(n-k))
	}
	return tail
}

// workedSeconds is the working time between two moments, by the clock of whole seconds.
func (r *rows) workedSeconds(from, to time.Time) (seconds int64) {
	for day := midnight(from); day.Before(to); day = day.AddDate(0, 0, 1) {
		if r.works(day) {
			at := func(t time.Time) int64 { return min(max(t.Unix()-day.Unix()-9*3600, 0), 8*3600+1800) }
			seconds += at(to) - at(from)
		}
	}
	return seconds
}

// audit has found how long every second field takes at least, hours, and every third of the categories below, whose own counts: minutes.
func audit(t *testing.T, dsn string) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), dsn)
	require.NoError(t, err)
	defer conn.Close(t.Context())
	_, err = conn.Exec(t.Context(), `UPDATE category SET audited_minimum_minutes = CASE WHEN parent_id IS NULL AND n % 2 = 0 THEN 300 WHEN parent_id IS NOT NULL AND n % 3 = 0 THEN 5 END
		FROM (SELECT id AS of, row_number() OVER (PARTITION BY parent_id IS NULL ORDER BY code) AS n FROM category) AS numbered WHERE of = id`)
	require.NoError(t, err)
}

// minimum is what an audit found for the category, or the nearest above it of which it found anything.
func (r *rows) minimum(category *string) time.Duration {
	for category != nil {
		c := r.categories[slices.IndexFunc(r.categories, func(c categoryRow) bool { return c.ID == *category })]
		if c.Minimum != nil {
			return time.Duration(*c.Minimum) * time.Minute
		}
		category = c.Parent
	}
	return 10 * time.Minute
}

func reckonInstant(r *rows, q question, asOf time.Time) answer {
	seen, inHand := map[string]issueRow{}, map[string][]time.Time{}
	for _, i := range r.seen(q) {
		seen[i.ID] = i
	}
	for _, l := range r.legs {
		if l.Role == "LEAD" {
			at := l.Sent
			if l.Accepted != nil {
				at = *l.Accepted
			}
			inHand[l.Issue] = append(inHand[l.Issue], at)
		}
	}
	var fixed []claimRow
	for _, c := range r.claims {
		if _, has := seen[c.Issue]; has && c.Kind != nil && *c.Kind == "FIXED" && c.Source == "groundwork" && !c.At.After(asOf) {
			fixed = append(fixed, c)
		}
	}
	got := answer{}
	for key, cell := range cells(r, q, fixed, func(c claimRow) (issueRow, time.Time) { return seen[c.Issue], c.At }) {
		var instant, last, before float64
		for _, c := range cell {
			since, known := seen[c.Issue].Origin, false
			for _, at := range inHand[c.Issue] {
				if !at.After(c.At) && (!known || at.After(since)) {
					since, known = at, true
				}
			}
			if c.At.Before(since.Add(r.minimum(seen[c.Issue].Category))) {
				instant++
			}
			if due := seen[c.Issue].Due; due != nil && !c.At.After(*due) {
				switch r.workedSeconds(c.At, *due) / (4 * 3600) {
				case 0:
					last++
				case 1, 2:
					before++
				}
			}
		}
		n := float64(len(cell))
		got[key] = figures{"n": n, "instant": instant / n, "instantClaims": instant, "onTheLine": last, "before": before / 2, "lineRatio": ratio(last, before/2), "lineShare": ratio(last, last+before)}
	}
	return got
}

// instantInViews: the views do not tell of legs, so when a unit had an issue in hand is left out.
func instantInViews(q question) string {
	worked := func(t string) string {
		day := "toDate(" + t + ", 'Asia/Shanghai')"
		return "(30600 * arrayCount(d -> d < " + day + ", working_days) + has(working_days, " + day + ") * least(greatest(dateDiff('second', toDateTime(" + day + ", 'Asia/Shanghai'), " + t + ") - 32400, 0), 30600))"
	}
	return `WITH ` + workingDays + ` AS working_days,
		fixed AS (` + q.cells(`SELECT s.*, c.at AS made_at FROM (SELECT issue_id, claimed_at AS at FROM pub_claim WHERE kind = 'FIXED' AND claimed_at <= `+moment+`) AS c
			INNER JOIN (`+q.seenIssues()+`) AS s ON s.id = c.issue_id`, "made_at") + `),
		early AS (SELECT key, if(made_at <= due_at, intDiv(` + worked("assumeNotNull(due_at)") + " - " + worked("made_at") + `, 14400), -1) AS bin FROM fixed)
		SELECT key, count() AS n, countIf(bin = 0) AS onTheLine, countIf(bin IN (1, 2)) / 2 AS before, onTheLine / before AS lineRatio, onTheLine / (onTheLine + 2 * before) AS lineShare FROM early GROUP BY key`
}
