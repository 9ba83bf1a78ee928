package simulate

import (
	"cmp"
	"fmt"
	"slices"
	"sort"
	"time"

	"github.com/google/uuid"

	"groundwork"
)

// visit is a going-down. All of them are kept in memory: their number follows from that of the posts, not of issues. What is drawn of it is when each of its steps is
// taken; zero = never, or not yet.
type visit struct {
	groundwork.Visit
	post      int
	township  int
	traceless bool   // nobody raises anything, if it is held at all
	pending   bool   // something is raised that nobody makes an issue of
	unnoted   bool   // nobody writes the note in time
	entered   bool   // afterwards: nobody had planned it here
	number    uint64 // of the random numbers
	copyOf    int    // the visit whose note was copied, -1 = none

	known                     time.Time // when it was entered that it was held
	closed, cancelled, voided time.Time
}

// raises reports whether somebody raises something on it.
func (v *visit) raises() bool { return v.EndedAt != nil && !v.traceless }

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
	sites := make([][]int, len(w.posts))
	for n := range w.posts {
		sites[n] = w.sitesOf(&w.posts[n])
	}
	for n := range w.seats {
		taken := map[int]bool{} // days on which there is a visit of the seat already: nobody leads two on one
		for _, t := range w.turns(n) {
			if v, made := w.makeVisit(n, t, sites, taken); made {
				v.number, v.township, v.copyOf = t.number, townshipOf[v.site], -1
				taken[w.day(v.StartedAt)] = true
				all = append(all, v.visit)
			}
		}
	}
	slices.SortFunc(all, func(a, b visit) int {
		return cmp.Or(a.StartedAt.Compare(b.StartedAt), slices.Compare(a.ID[:], b.ID[:]))
	})
	w.copyNotes(all)
	w.accompany(all)
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

// How often what happens to visits, where no habit says otherwise.
const (
	enteredVisits   = 0.08 // afterwards
	cancelledVisits = 0.03
	voidVisits      = 0.01
	unnotedVisits   = 0.02 // nobody writes the note within the seven days
	pendingVisits   = 0.15 // of those on which something is raised: a suggestion that nobody makes an issue of
)

type madeVisit struct {
	visit
	site int
}

// makeVisit makes the visit for a turn, unless there is none to tell of.
func (w *world) makeVisit(seat int, t turn, sites [][]int, taken map[int]bool) (madeVisit, bool) {
	c := chanceOf(w.cfg.Seed, streamVisit, t.number)
	what, _ := w.intends(t, w.unitOf(seat))
	if what != goes && what != goesLate {
		return madeVisit{}, false
	}
	from, to := t.from, t.to
	if what == goesLate {
		from, to = t.to, t.to.AddDate(0, 0, groundwork.SlotGrace)
	}
	post := w.holder(seat, from)
	start, made := w.start(c, post, from, to, taken)
	if successor := w.holder(seat, start); made && successor != post {
		post = successor
		start, made = w.start(c, post, w.posts[post].from, to, taken)
	}
	if !made {
		return madeVisit{}, false
	}
	v := madeVisit{visit: visit{post: post}, site: pick(c, sites[post])}
	if showcase := w.posts[post].habits.showcase; showcase != nil {
		v.site = pick(c, showcase)
	}
	v.Visit = groundwork.Visit{ActivityKind: t.plan.ActivityKind, Notice: "ANNOUNCED", SiteID: w.Sites[v.site].ID, LeadID: w.holding(post).ID, StartedAt: start}
	if c.happens(0.3) {
		v.Notice = "UNANNOUNCED"
	}
	w.live(c, &v.visit)
	v.ID = c.id(v.CreatedAt)
	return v, !v.CreatedAt.After(w.cfg.To)
}

// start draws when a visit begins, on a working day of a time in which the post's holder is bound to go down, and that is not taken.
func (w *world) start(c chance, post int, from, to time.Time, taken map[int]bool) (time.Time, bool) {
	days := w.workdays(from, to, taken)
	if lastDays := w.workdays(later(from, to.AddDate(0, 0, -7)), to, taken); len(lastDays) > 0 && c.happens(w.posts[post].habits.bunched) {
		days = lastDays
	}
	if len(days) == 0 {
		return time.Time{}, false
	}
	return pick(c, days).Add(opens + c.span(0, 7*time.Hour)).Truncate(time.Minute), true
}

// live draws the life of a visit: planned some days before, or entered afterwards; held, or called off; noted and closed out, if that is past already, or declared
// void.
func (w *world) live(c chance, v *visit) {
	habits := &w.posts[v.post].habits
	end := v.StartedAt.Add(c.span(40*time.Minute, 170*time.Minute)).Truncate(time.Minute)
	met := 4 + c.IntN(40)
	v.CreatedAt = w.opened(later(v.StartedAt.Add(-c.span(2*day, 12*day)), later(w.posts[v.post].from, w.cfg.From))).Truncate(time.Minute)
	v.entered = c.happens(enteredVisits) || !v.CreatedAt.Before(v.StartedAt)
	called := c.happens(cancelledVisits) && !v.entered
	v.known, v.State = end, groundwork.VisitPlanned
	switch at := v.CreatedAt.Add(c.span(0, v.StartedAt.Sub(v.CreatedAt))).Truncate(time.Minute); {
	case v.entered:
		v.known = w.soon(end, c.span(time.Hour, 20*time.Hour), 2*day)
		v.CreatedAt = v.known
	case called && !at.After(w.cfg.To):
		v.State, v.cancelled = groundwork.VisitCancelled, at
	}
	v.traceless = c.happens(max(habits.traceless, usuallyTraceless))
	v.pending, v.unnoted = c.happens(pendingVisits), c.happens(max(habits.unnoted, unnotedVisits))
	if called || v.known.After(w.cfg.To) {
		v.traceless = true
		return
	}
	v.State, v.EndedAt, v.CitizensMet = groundwork.VisitHeld, &end, &met
	w.follow(c, v)
}

// soon is when something is done a while after the end of a visit: while offices work, if that is before a limit, or else the same evening.
func (w *world) soon(end time.Time, wait, limit time.Duration) time.Time {
	at := w.opened(end.Add(wait)).Truncate(time.Minute)
	if at.Sub(end) > limit {
		at = end.Add(time.Hour)
	}
	return at
}

// points is within what time what was raised on a visit is on its issues: it is brought in within three days, and registered when the office works.
const points = 72*time.Hour + 2*time.Hour

// follow draws what comes after a visit that was held.
func (w *world) follow(c chance, v *visit) {
	noted := later(v.known, w.soon(*v.EndedAt, c.span(time.Hour, 96*time.Hour), groundwork.NoteDays*day))
	closed := w.opened(later(noted, w.opened(v.EndedAt.Add(points)))).Add(c.span(time.Hour, 6*day))
	if c.happens(voidVisits) {
		v.traceless = true
		if at := w.opened(v.EndedAt.Add(c.span(8*day, 40*day))).Truncate(time.Minute); !at.After(w.cfg.To) {
			v.voided = at
		}
	}
	if !v.unnoted && !noted.After(w.cfg.To) {
		v.State, v.NoteCreatedAt, v.NoteUnitID = groundwork.VisitRecorded, &noted, &w.Units[w.posts[v.post].unit].ID
	}
	if closed = w.opened(closed).Truncate(time.Minute); v.State == groundwork.VisitRecorded && !v.traceless && !v.pending && !closed.After(w.cfg.To) {
		v.State, v.closed = groundwork.VisitClosedOut, closed
	}
	if !v.voided.IsZero() {
		v.State = groundwork.VisitVoid
	}
}

// workdays are those of a time that are not taken.
func (w *world) workdays(from, to time.Time, taken map[int]bool) []time.Time {
	var days []time.Time
	for day := startOfDay(from); day.Before(to); day = day.AddDate(0, 0, 1) {
		if w.workday(day) && !taken[w.day(day)] {
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
		if visits[n].raises() {
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
	if v := &a.visits[of[n]]; v.known.Before(t) && t.Sub(*v.EndedAt) < 72*time.Hour {
		return v
	}
	return nil
}

// visitStep is a step in the life of a visit.
type visitStep struct {
	kind   string
	at     time.Time
	by     groundwork.Actor
	reason string
}

// stepsOf are the steps that a visit takes.
func (w *world) stepsOf(v *visit) []visitStep {
	by := w.leader(v.post)
	if v.State == groundwork.VisitPlanned || v.State == groundwork.VisitCancelled {
		steps := []visitStep{{groundwork.VisitArranged, v.CreatedAt, by, ""}}
		if !v.cancelled.IsZero() {
			steps = append(steps, visitStep{groundwork.VisitCalledOff, v.cancelled, by, "临时会议"})
		}
		return steps
	}
	steps := []visitStep{{groundwork.VisitEntered, v.known, by, ""}}
	if !v.entered {
		steps = []visitStep{{groundwork.VisitArranged, v.CreatedAt, by, ""}, {groundwork.VisitBegun, v.StartedAt, by, ""}, {groundwork.VisitEnded, *v.EndedAt, by, ""}}
	}
	if v.NoteCreatedAt != nil {
		steps = append(steps, visitStep{groundwork.VisitNoted, *v.NoteCreatedAt, by, ""})
	}
	if !v.closed.IsZero() {
		steps = append(steps, visitStep{groundwork.VisitDone, v.closed, by, ""})
	}
	if !v.voided.IsZero() {
		steps = append(steps, visitStep{groundwork.VisitVoided, v.voided, w.rotas[w.seats[w.posts[v.post].seat].rota].by, "群众反映该次走访未到现场"})
	}
	return steps
}

// history takes the steps of a visit, which the rules examine, and returns the visit as it stands after them.
func (s *Simulation) history(i int) (groundwork.Visit, []groundwork.EntityEvent, error) {
	v := &s.visits[i]
	stood := v.Visit
	stood.TakePartIDs = nil // known when it is loaded, not by the steps
	stood.State, stood.Version, stood.NoteCreatedAt, stood.NoteUnitID = "", 0, nil, nil
	if !v.entered {
		stood.EndedAt, stood.CitizensMet = nil, nil
	}
	steps := s.world.stepsOf(v)
	events := make([]groundwork.EntityEvent, 0, len(steps))
	facts := groundwork.VisitFacts{Mine: true, Units: []uuid.UUID{s.world.holding(v.post).OrgUnitID}}
	if !v.traceless {
		facts.Opinions = 1
	}
	if v.pending {
		facts.Unlinked = facts.Opinions
	}
	for _, step := range steps {
		facts.Now = groundwork.Moment(step.at)
		taken := groundwork.VisitStep{Deed: groundwork.Deed{Actor: step.by, At: facts.Now, Reason: step.reason}, VisitID: v.ID, Kind: step.kind}
		switch step.kind {
		case groundwork.VisitEnded:
			taken.CitizensMet = v.CitizensMet
		case groundwork.VisitNoted:
			taken.NoteText, taken.NoteUnitID = s.world.note(s.visits, i), v.NoteUnitID
		}
		from := stood.State
		taken, move, err := stood.Plan(taken, facts)
		if err != nil {
			return stood, nil, fmt.Errorf("simulated visit %s: %w", v.ID, err)
		}
		stood = stood.After(taken, move)
		events = append(events, entityEvent("visit", v.ID, stood.Version, string(from), string(stood.State), taken.Kind, taken.Deed))
		facts.Last = taken.At
	}
	return stood, events, nil
}
