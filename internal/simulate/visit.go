package simulate

import (
	"slices"
	"sort"
	"time"

	"groundwork"
)

// visit is a going-down that was made. All of them are kept in memory: their number follows from that of the posts, not of issues.
type visit struct {
	groundwork.Visit
	post      int
	township  int
	traceless bool
	number    uint64 // of the random numbers
	copyOf    int    // the visit whose note was copied, -1 = none
}

// sitesOf lists the sites that a post may visit.
func (w *world) sitesOf(p *post) []int {
	var townships []int
	switch {
	case p.township >= 0:
		townships = []int{p.township}
	case p.county >= 0:
		townships = w.counties[p.county].townships
	default:
		for _, n := range w.prefectures[p.prefecture].counties {
			townships = append(townships, w.counties[n].townships...)
		}
	}
	var sites []int
	for _, t := range townships {
		for _, kind := range []groundwork.SiteKind{groundwork.Factory, groundwork.Rural, groundwork.Community, groundwork.School, groundwork.Hospital, groundwork.GovtWindow} {
			sites = append(sites, w.townships[t].sites[kind]...)
		}
	}
	return sites
}

// makeVisits makes all visits, in the order of time, and then decides whose notes are copied from which earlier ones.
func (w *world) makeVisits() []visit {
	townshipOf := w.townshipOfSites()
	var all []visit
	for n := range w.posts {
		p := &w.posts[n]
		sites := w.sitesOf(p)
		cadence := p.cadence()
		for m, first := 0, w.cfg.From; first.Before(w.cfg.To); m, first = m+1, first.AddDate(0, cadence, 0) {
			number := uint64(n)<<16 | uint64(m)
			c := chanceOf(w.cfg.Seed, streamVisit, number)
			if v, made := w.makeVisit(c, p, sites, first, first.AddDate(0, cadence, 0)); made {
				v.post, v.number, v.township, v.copyOf = n, number, townshipOf[v.site], -1
				all = append(all, v.visit)
			}
		}
	}
	slices.SortFunc(all, func(a, b visit) int { return slices.Compare(a.ID[:], b.ID[:]) })
	w.copyNotes(all)
	return all
}

func (w *world) townshipOfSites() []int {
	of := make([]int, len(w.Sites))
	for n, t := range w.townships {
		for _, sites := range t.sites {
			for _, s := range sites {
				of[s] = n
			}
		}
	}
	return of
}

// usuallyTraceless is the share of visits on which nobody raises anything, where no habit says otherwise.
const usuallyTraceless = 0.06

// cadence is in how many months a post makes one visit.
func (p *post) cadence() int {
	if p.rank == groundwork.RankPrefecture {
		return monthsOfPrefecture
	}
	return 1
}

type madeVisit struct {
	visit
	site int
}

// makeVisit makes the visit of a post in the period [first, end), unless there is none to tell of.
func (w *world) makeVisit(c chance, p *post, sites []int, first, end time.Time) (madeVisit, bool) {
	days := w.workdays(first, end)
	if len(days) == 0 || c.happens(0.04) { // some are just not made
		return madeVisit{}, false
	}
	if lastDays := w.workdays(end.AddDate(0, 0, -7), end); len(lastDays) > 0 && c.happens(p.habits.bunched) {
		days = lastDays
	}
	start := pick(c, days).Add(opens + c.span(0, 7*time.Hour)).Truncate(time.Minute)
	length := c.span(40*time.Minute, 170*time.Minute).Truncate(time.Minute)
	if start.Before(p.from) || !start.Before(p.until) || start.Add(length).After(w.cfg.To) {
		return madeVisit{}, false
	}
	v := madeVisit{site: pick(c, sites)}
	if p.habits.showcase != nil {
		v.site = pick(c, p.habits.showcase)
	}
	v.Visit = groundwork.Visit{
		ID: c.id(start), ActivityKind: pick(c, []groundwork.ActivityKind{groundwork.Propagation, groundwork.Research, groundwork.Reception, groundwork.OnsiteOffice}),
		Notice: "ANNOUNCED", SiteID: w.Sites[v.site].ID, LeadID: w.Posts[p.holding].ID, StartedAt: start, CreatedAt: start, State: groundwork.VisitHeld,
	}
	if c.happens(0.3) {
		v.Notice = "UNANNOUNCED"
	}
	v.traceless = c.happens(max(p.habits.traceless, usuallyTraceless))
	if c.happens(0.03) {
		v.State, v.traceless = groundwork.VisitCancelled, true
		return v, true
	}
	v.EndedAt, v.CitizensMet = new(start.Add(length)), new(4+c.IntN(40))
	w.recordVisit(c, p, &v)
	return v, true
}

// recordVisit writes the note some days later, if that is past already.
func (w *world) recordVisit(c chance, p *post, v *madeVisit) {
	at := w.opened(v.EndedAt.Add(c.span(time.Hour, 96*time.Hour))).Truncate(time.Minute)
	if at.After(w.cfg.To) {
		return
	}
	v.State, v.NoteCreatedAt, v.NoteUnitID = groundwork.VisitRecorded, &at, &w.Units[p.unit].ID
	if !v.traceless && w.cfg.To.Sub(at) > 14*24*time.Hour {
		v.State = groundwork.VisitClosedOut
	}
}

func (w *world) workdays(from, to time.Time) []time.Time {
	var days []time.Time
	for day := startOfDay(from); day.Before(to); day = day.AddDate(0, 0, 1) {
		if w.workday(day) {
			days = append(days, day)
		}
	}
	return days
}

// copyNotes decides which notes are copied: from the latest earlier note of the post, or of another post of its unit.
func (w *world) copyNotes(all []visit) {
	own, ofUnit := map[int]int{}, map[int][]int{} // the latest original note
	for n := range all {
		v := &all[n]
		p := &w.posts[v.post]
		if v.NoteCreatedAt == nil {
			continue
		}
		source, known := own[v.post]
		if p.habits.copiesOthers {
			source, known = lastOther(ofUnit[p.unit], all, v.post)
		}
		c := chanceOf(w.cfg.Seed, streamText, v.number)
		if known && c.happens(p.habits.copies) {
			v.copyOf = source
			continue
		}
		own[v.post] = n
		ofUnit[p.unit] = append(ofUnit[p.unit], n)
	}
}

func lastOther(notes []int, all []visit, post int) (int, bool) {
	for n := len(notes) - 1; n >= 0; n-- {
		if all[notes[n]].post != post {
			return notes[n], true
		}
	}
	return 0, false
}

// agenda finds visits by township and time.
type agenda struct {
	visits     []visit
	byTownship [][]int
}

func newAgenda(w *world, visits []visit) *agenda {
	a := &agenda{visits, make([][]int, len(w.townships))}
	for n := range visits {
		if !visits[n].traceless {
			a.byTownship[visits[n].township] = append(a.byTownship[visits[n].township], n)
		}
	}
	return a
}

// lately finds the last visit in a township that ended in the three days before t and on which something was raised.
func (a *agenda) lately(township int, t time.Time) *visit {
	of := a.byTownship[township]
	n := sort.Search(len(of), func(i int) bool { return a.visits[of[i]].StartedAt.After(t) }) - 1
	if n < 0 {
		return nil
	}
	if v := &a.visits[of[n]]; v.EndedAt.Before(t) && t.Sub(*v.EndedAt) < 72*time.Hour {
		return v
	}
	return nil
}
