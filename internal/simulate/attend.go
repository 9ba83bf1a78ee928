package simulate

import (
	"time"

	"github.com/go-faster/city"

	"groundwork"
)

// What comes with visits, where no habit says otherwise.
const (
	answeredVisits = 0.6  // somebody but the host says how it was
	hostsAnswer    = 0.2  // the host does
	untrueVisits   = 0.01 // recorded, and not held
	untrueByHabit  = 0.4
	doubted        = 0.01 // of visits that were held, NOT_HELD all the same
	shortened      = 0.05
	unsure         = 0.04
)

// plantUntrue makes one in twelve of the units whose leaders go down record visits that were never made; none that skips turns, so that each can be told apart.
func (w *world) plantUntrue(c chance) {
	seen := map[int]bool{}
	var honest []int
	for _, p := range w.posts {
		if !seen[p.unit] && w.units[p.unit].habits.skips == 0 {
			seen[p.unit], honest = true, append(honest, p.unit)
		}
	}
	for _, n := range c.Perm(len(honest))[:min(len(honest), max(1, len(honest)/12))] {
		w.units[honest[n]].habits.untrue = untrueByHabit
	}
}

// untrue reports whether a visit was recorded and not made.
func (w *world) untrue(v *visit) bool {
	return chanceOf(w.cfg.Seed, streamCheck, v.number).happens(max(untrueVisits, w.units[w.posts[v.post].unit].habits.untrue))
}

// accompany draws who else of the unit takes part in visits: nobody who is at another visit that day.
func (w *world) accompany(all []visit) {
	type postDay struct{ post, day int }
	away, colleagues := map[postDay]bool{}, map[int][]int{}
	for n, p := range w.posts {
		colleagues[p.unit] = append(colleagues[p.unit], n)
	}
	for n := range all {
		away[postDay{all[n].post, w.day(all[n].StartedAt)}] = true
	}
	for n := range all {
		v := &all[n]
		c, day := chanceOf(w.cfg.Seed, streamCompany, v.number), w.day(v.StartedAt)
		for range c.IntN(3) {
			other := pick(c, colleagues[w.posts[v.post].unit])
			in := !v.StartedAt.Before(w.posts[other].from) && v.StartedAt.Before(w.posts[other].until)
			if in && !away[postDay{other, day}] {
				away[postDay{other, day}] = true
				v.TakePartIDs = append(v.TakePartIDs, w.holding(other).ID)
			}
		}
	}
}

// attestations are what those who were there say of a visit, some days after it. Nobody asks about one that was declared void.
func (s *Simulation) attestations(v *visit) []groundwork.Attestation {
	if v.EndedAt == nil || v.State == groundwork.VisitVoid {
		return nil
	}
	c := chanceOf(s.cfg.Seed, streamCheck, v.number^1<<62)
	var all []groundwork.Attestation
	answer := func(voice, says string) {
		if at := s.world.opened(v.known.Add(c.span(2*day, 20*day))).Truncate(time.Minute); !at.After(s.cfg.To) {
			all = append(all, groundwork.Attestation{ID: c.id(at), VisitID: v.ID, Voice: voice, Says: says, At: at})
		}
	}
	if c.happens(answeredVisits) {
		voice := groundwork.ByCitizen
		if c.happens(0.25) {
			voice = groundwork.ByInspector
		}
		answer(voice, testimony(c, s.world.untrue(v)))
	}
	if c.happens(hostsAnswer) { // who received the visitors, or should have, says that all was well
		answer(groundwork.ByHost, groundwork.HeldAsRecorded)
	}
	return all
}

// testimony is what somebody who was there says of a visit.
func testimony(c chance, untrue bool) string {
	switch x := c.Float64(); {
	case x < unsure:
		return groundwork.HeldUnsure
	case untrue || x < unsure+doubted:
		return groundwork.NotHeld
	case x < unsure+doubted+shortened:
		return groundwork.HeldShorter
	}
	return groundwork.HeldAsRecorded
}

// drawnByLot reports whether a visit is of the sample that F7 checks back: one in ten, by the hash of its id.
func drawnByLot(v *visit) bool { return city.CH64([]byte(v.ID.String()))%10 == 0 }

// addPolicies sets up what is talked of on visits, the policies with a planted effect among them.
func (w *world) addPolicies(c chance) {
	for _, title := range []string{"城乡居民医疗保险办法", "老旧小区改造办法", "耕地保护补贴办法", rarerTitle, fasterTitle} {
		p := groundwork.Policy{ID: c.id(w.founded()), Title: title, OwnerUnitID: w.Units[0].ID, CreatedAt: w.founded()}
		w.Policies = append(w.Policies, p)
		w.PolicyVersions = append(w.PolicyVersions, groundwork.PolicyVersion{ID: c.id(w.founded()), PolicyID: p.ID, N: 1, Text: title + "全文（模拟）",
			EffectiveFrom: startOfDay(w.founded()), CreatedAt: w.founded()})
	}
}

// policyItems are what policies were talked of on a visit that propagates them, and how many of the questions were answered.
func (s *Simulation) policyItems(v *visit) []groundwork.VisitPolicyItem {
	if v.EndedAt == nil || v.State == groundwork.VisitVoid || v.ActivityKind != groundwork.Propagation {
		return nil
	}
	c := chanceOf(s.cfg.Seed, streamPolicy, v.number)
	var items []groundwork.VisitPolicyItem
	for _, n := range c.Perm(len(s.world.PolicyVersions))[:1+c.IntN(2)] {
		asked := c.IntN(13)
		if v.traceless { // nobody has a question either
			asked = 0
		}
		items = append(items, groundwork.VisitPolicyItem{ID: c.id(v.known), VisitID: v.ID, PolicyVersionID: s.world.PolicyVersions[n].ID,
			QuestionsAsked: asked, Answered: asked - min(asked, c.IntN(4)), CreatedAt: v.known})
	}
	return items
}
