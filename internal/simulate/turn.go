package simulate

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"

	"groundwork"
)

// seatLife lives the turns of a seat, beside the visits that were made for them: made with their plan, fulfilled by the earliest visit of their kind, missed when
// it is too late, excused, and swapped for the successor's when the seat changes hands.
type seatLife struct {
	s      *Simulation
	c      chance
	rota   *rota
	slots  []groundwork.RotaSlot
	events [][]groundwork.EntityEvent // of each slot
	err    error
}

// deed is something that happens to the turns of a seat.
type deed struct {
	at time.Time
	do func(at time.Time)
}

// liveTurns lives the turns of a seat up to the present.
func (s *Simulation) liveTurns(seat int) (*seatLife, error) {
	w := s.world
	l := &seatLife{s: s, c: chanceOf(s.cfg.Seed, streamPlan, 1<<63|uint64(seat)), rota: &w.rotas[w.seats[seat].rota]}
	for _, d := range l.deeds(seat) {
		if !d.at.After(s.cfg.To) {
			l.pass(d.at)
			d.do(d.at)
		}
	}
	l.pass(s.cfg.To)
	if l.err != nil {
		return nil, fmt.Errorf("simulated turns of seat %d: %w", seat, l.err)
	}
	return l, nil
}

// step takes a step of a slot, which the rules examine.
func (l *seatLife) step(n int, kind string, by groundwork.Actor, at time.Time, more groundwork.SlotStep, f groundwork.SlotFacts) {
	slot := &l.slots[n]
	f.Last = l.last(n)
	f.Now = groundwork.Moment(later(f.Last, at))
	more.Kind, more.SlotID, more.Deed = kind, slot.ID, groundwork.Deed{Actor: by, At: f.Now, Reason: more.Reason}
	step, move, err := slot.Plan(more, f)
	if err != nil {
		l.err = err
		return
	}
	from := slot.State
	*slot = slot.After(step, move)
	l.events[n] = append(l.events[n], entityEvent("rota_slot", slot.ID, slot.Version, string(from), string(slot.State), step.Kind, step.Deed))
}

// last is when a slot had its last event.
func (l *seatLife) last(n int) time.Time { return l.events[n][len(l.events[n])-1].At }

// entityEvent is an event that was recorded when it happened.
func entityEvent(noun string, id uuid.UUID, seq int, from, to, kind string, d groundwork.Deed) groundwork.EntityEvent {
	return groundwork.EntityEvent{Noun: noun, EntityID: id, Seq: seq, Kind: kind, FromState: said(from), ToState: to, At: d.At, RecordedAt: d.At, Actor: d.Actor, Reason: said(d.Reason)}
}

// add makes a slot for a post.
func (l *seatLife) add(slot groundwork.RotaSlot, at time.Time) *uuid.UUID {
	at = groundwork.Moment(at)
	if _, err := groundwork.SlotLife.Take(groundwork.SlotAttempt{}, groundwork.SlotMade, "", l.rota.by.Role, "the slot"); err != nil {
		l.err = err
	}
	slot.ID, slot.State, slot.Version, slot.CreatedAt = l.c.id(at), groundwork.SlotOpen, 1, at
	l.slots = append(l.slots, slot)
	l.events = append(l.events, []groundwork.EntityEvent{entityEvent("rota_slot", slot.ID, 1, "", string(slot.State), groundwork.SlotMade, groundwork.Deed{Actor: l.rota.by, At: at})})
	return &slot.ID
}

// pass lets the turns that nobody took be missed, up to a moment.
func (l *seatLife) pass(until time.Time) {
	for n := range l.slots {
		if l.slots[n].State != groundwork.SlotOpen {
			continue
		}
		at := later(midnight(l.slots[n].WindowTo).Add(groundwork.SlotGrace*day), l.last(n)).Add(5 * time.Minute)
		if !at.After(until) {
			l.step(n, groundwork.SlotRanOut, groundwork.System, at, groundwork.SlotStep{}, groundwork.SlotFacts{})
		}
	}
}

// deeds are all that happens to the turns of a seat, in the order of time.
func (l *seatLife) deeds(seat int) []deed {
	w := l.s.world
	var all []deed
	var planned *groundwork.RotaPlan
	for _, t := range w.turns(seat) {
		if t.plan != planned {
			planned = t.plan
			all = append(all, deed{planned.CreatedAt, func(at time.Time) { l.publish(seat, t.plan, at) }})
		}
		if what, c := w.intends(t, w.unitOf(seat)); what == isExcused {
			all = append(all, deed{w.excusedAt(c, t), func(at time.Time) { l.excuse(t, at) }})
		}
	}
	for n, p := range w.seats[seat].posts {
		if n > 0 {
			former := w.seats[seat].posts[n-1]
			all = append(all, deed{w.opened(w.posts[p].from).Add(10 * time.Minute), func(at time.Time) { l.handOver(former, p, at) }})
		}
		for _, i := range l.s.visitsOf[p] {
			v := &l.s.visits[i]
			if v.EndedAt == nil {
				continue
			}
			all = append(all, deed{v.known, func(at time.Time) { l.fulfil(v, at) }})
			if !v.voided.IsZero() {
				all = append(all, deed{v.voided, func(at time.Time) { l.release(v, at) }})
			}
		}
	}
	slices.SortStableFunc(all, func(a, b deed) int { return a.at.Compare(b.at) })
	return all
}

// publish makes the slots of a plan for who holds the seat then: of all windows that are not over.
func (l *seatLife) publish(seat int, p *groundwork.RotaPlan, at time.Time) {
	post := l.s.world.holding(l.s.world.holder(seat, at)).ID
	for _, window := range p.Windows() {
		if window.To.Format(time.DateOnly) > groundwork.DayOf(at) {
			l.add(groundwork.RotaSlot{PlanID: p.ID, PostID: post, ActivityKind: p.ActivityKind, SiteKind: p.SiteKind, RegionID: p.RegionID,
				WindowFrom: window.From, WindowTo: window.To}, at)
		}
	}
}

// fulfil has a visit that was held fulfil an open slot of whoever led it that it is of the kind of, if there is one: that in whose window it lies, else the earliest
// that is overdue. It lies within the region of the slot, as all sites of a post do.
func (l *seatLife) fulfil(v *visit, at time.Time) {
	held, found := groundwork.DayOf(*v.EndedAt), -1
	overdue := func(s groundwork.RotaSlot) int { return one(s.WindowTo.Format(time.DateOnly) <= held) }
	for n, s := range l.slots {
		if s.PostID == v.LeadID && s.State == groundwork.SlotOpen && s.ActivityKind == v.ActivityKind && s.WindowFrom.Format(time.DateOnly) <= held &&
			s.WindowTo.AddDate(0, 0, groundwork.SlotGrace).Format(time.DateOnly) > held && (found < 0 || cmp.Or(overdue(s)-overdue(l.slots[found]), s.WindowTo.Compare(l.slots[found].WindowTo)) < 0) {
			found = n
		}
	}
	if found >= 0 {
		l.step(found, l.slots[found].StepFor(*v.EndedAt), groundwork.System, at, groundwork.SlotStep{VisitID: &v.ID}, groundwork.SlotFacts{VisitEnd: *v.EndedAt})
	}
}

// release opens the slot of a visit that was declared void again.
func (l *seatLife) release(v *visit, at time.Time) {
	for n := range l.slots {
		if id := l.slots[n].VisitID; id != nil && *id == v.ID {
			l.step(n, groundwork.SlotReleased, groundwork.System, at, groundwork.SlotStep{}, groundwork.SlotFacts{})
		}
	}
}

// excusedAt is when a turn is excused: within its window, or when it has been missed.
func (w *world) excusedAt(c chance, t turn) time.Time {
	if c.happens(0.5) {
		return w.opened(t.from.Add(c.span(0, t.to.Sub(t.from)))).Truncate(time.Minute)
	}
	return w.opened(t.to.Add(c.span((groundwork.SlotGrace+1)*day, (groundwork.SlotGrace+10)*day))).Truncate(time.Minute)
}

func (l *seatLife) excuse(t turn, at time.Time) {
	for n := range l.slots {
		if s := &l.slots[n]; s.PlanID == t.plan.ID && s.WindowFrom.Equal(t.window.From) && (s.State == groundwork.SlotOpen || s.State == groundwork.SlotMissed) {
			l.step(n, groundwork.SlotStepExcused, l.rota.by, at, groundwork.SlotStep{Deed: groundwork.Deed{Reason: "抽调参加防汛值守"}}, groundwork.SlotFacts{})
		}
	}
}

// handOver swaps the turns that the former holder of a seat has not taken for those of the successor.
func (l *seatLife) handOver(former, successor int, at time.Time) {
	from, to := l.s.world.holding(former), l.s.world.holding(successor)
	for n := range l.slots {
		s := l.slots[n]
		if s.PostID != from.ID || s.State != groundwork.SlotOpen || s.WindowTo.Format(time.DateOnly) <= groundwork.DayOf(at) {
			continue
		}
		taken := slices.ContainsFunc(l.slots, func(o groundwork.RotaSlot) bool {
			return o.PlanID == s.PlanID && o.PostID == to.ID && o.WindowFrom.Equal(s.WindowFrom)
		})
		l.step(n, groundwork.SlotStepSwapped, l.rota.by, at, groundwork.SlotStep{Deed: groundwork.Deed{Reason: "岗位交接"}, PostID: &to.ID},
			groundwork.SlotFacts{PostHeld: !at.Before(to.HeldFrom) && (to.HeldTo == nil || at.Before(*to.HeldTo)), PostTaken: taken})
		s.PostID = to.ID
		l.slots[n].SwappedForID = l.add(s, at)
	}
}
