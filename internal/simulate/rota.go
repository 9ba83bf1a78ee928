package simulate

import (
	"fmt"
	"time"

	"groundwork"
)

// rota is whose turn it is among the leaders of a rank in a region: a plan each quarter, of one activity, which turns with the quarters.
type rota struct {
	by    groundwork.Actor // who publishes, excuses and swaps
	plans []groundwork.RotaPlan
}

// seat is an office to which turns fall, whoever holds it.
type seat struct {
	rota  int
	posts []int // those who hold it, one after another
}

// turn is a window of a seat.
type turn struct {
	plan     *groundwork.RotaPlan
	window   groundwork.Window
	from, to time.Time // its midnights, from the day after the plan was published on
	number   uint64    // of the random numbers
}

var activityKinds = []groundwork.ActivityKind{groundwork.Propagation, groundwork.Research, groundwork.Reception, groundwork.OnsiteOffice}

var leaders = map[groundwork.Rank]string{groundwork.RankPrefecture: "市级领导", groundwork.RankCounty: "县级领导", groundwork.RankTownship: "乡镇领导"}

// addRota publishes a plan some days before each quarter, and one for the quarter that has begun already.
func (w *world) addRota(region int, rank groundwork.Rank, unit int) {
	n := len(w.rotas)
	place := w.Regions[region]
	r := rota{by: groundwork.Actor{ID: "sim-supervisor-" + place.Code[:6], Role: groundwork.RoleSupervisor, UnitID: &w.Units[unit].ID}}
	for q := 0; ; q++ {
		c := chanceOf(w.cfg.Seed, streamPlan, uint64(n)<<16|uint64(q))
		first := w.quarter(q)
		published := w.opened(later(w.cfg.From, midnight(first).Add(-c.span(5*day, 10*day)))).Truncate(time.Minute)
		if published.After(w.cfg.To) {
			break
		}
		p := groundwork.RotaPlan{ID: c.id(published), Name: fmt.Sprintf("%s%s%d年第%d季度", place.Name, leaders[rank], first.Year(), int(first.Month())/3+1), Version: 1,
			RegionID: place.ID, Rank: rank, ActivityKind: activityKinds[(n+q)%len(activityKinds)], Cadence: groundwork.Monthly,
			PeriodFrom: first, PeriodTo: w.quarter(q + 1), CreatedAt: published}
		if rank == groundwork.RankPrefecture {
			p.Cadence = groundwork.Quarterly
		}
		r.plans = append(r.plans, p)
	}
	w.rotas = append(w.rotas, r)
}

// quarter is the first day of a quarter, counted from the one in which the simulation begins, as dates are kept.
func (w *world) quarter(n int) time.Time {
	year, month, _ := w.cfg.From.Date()
	return time.Date(year, (month-1)/3*3+1+time.Month(3*n), 1, 0, 0, 0, 0, time.UTC)
}

// midnight is the beginning of a day that is kept as a date.
func midnight(date time.Time) time.Time { return Day(date.Year(), date.Month(), date.Day()) }

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// turns are those of a seat in the order of time: a window that was over when its plan was published is none.
func (w *world) turns(n int) []turn {
	var all []turn
	plans := w.rotas[w.seats[n].rota].plans
	for q := range plans {
		for k, window := range plans[q].Windows() {
			t := turn{plan: &plans[q], window: window, from: later(midnight(window.From), startOfDay(plans[q].CreatedAt).Add(day)), to: midnight(window.To),
				number: uint64(n)<<16 | uint64(3*q+k)}
			if groundwork.DayOf(plans[q].CreatedAt) < window.To.Format(time.DateOnly) {
				all = append(all, t)
			}
		}
	}
	return all
}

// holder is the post whose holder has a seat at a time.
func (w *world) holder(n int, at time.Time) int {
	posts := w.seats[n].posts
	for _, p := range posts[:len(posts)-1] {
		if at.Before(w.posts[p].until) {
			return p
		}
	}
	return posts[len(posts)-1]
}

// holding is the office of a post.
func (w *world) holding(post int) *groundwork.PostHolding { return &w.Posts[w.posts[post].holding] }

// leader is who holds a post.
func (w *world) leader(post int) groundwork.Actor {
	held := w.holding(post)
	return groundwork.Actor{ID: "sim-leader", Role: groundwork.RoleLeader, UnitID: &held.OrgUnitID, OfficialID: &held.OfficialID}
}

// What becomes of turns where no habit of a unit says otherwise.
const (
	skippedTurns = 0.04
	excusedTurns = 0.02 // nobody goes down, for a reason that the supervision accepts
	lateTurns    = 0.05 // somebody does within two weeks of the window
)

// intent is what becomes of a turn, as far as it depends on who has it.
type intent int

const (
	goes intent = iota
	goesLate
	skips
	isExcused
)

// intends draws what becomes of a turn, and returns what else is drawn for it.
func (w *world) intends(t turn, unit int) (intent, chance) {
	c := chanceOf(w.cfg.Seed, streamTurn, t.number)
	skipped := max(skippedTurns, w.units[unit].habits.skips)
	switch x := c.Float64(); {
	case x < skipped:
		return skips, c
	case x < skipped+excusedTurns:
		return isExcused, c
	case x < skipped+excusedTurns+lateTurns:
		return goesLate, c
	default:
		return goes, c
	}
}

// unitOf is the unit of a seat's posts.
func (w *world) unitOf(seat int) int { return w.posts[w.seats[seat].posts[0]].unit }
