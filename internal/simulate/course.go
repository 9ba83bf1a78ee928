package simulate

import (
	"time"

	"groundwork"
)

const (
	hour = time.Hour
	day  = 24 * time.Hour
)

// What happens how often, where no habit of a unit says otherwise.
const (
	merges        = 0.5 // of issues that repeat another
	onTheSpot     = 0.6 // of inquiries
	returns       = 0.05
	carries       = 0.3  // of issues raised at visits
	silentAccepts = 0.12 // nobody accepts: the system does
	responses     = 0.65 // a word to the reporter, where it comes before the claim
	questions     = 0.07
	plans         = 0.5 // of issues that only a new policy or new money can solve
)

// soonest is how long after it took an issue a unit needs for a remedy at least, but by a habit.
const soonest = 20 * time.Minute

// course is the way to the first claim; what follows it is in verdict.go.
func (l *life) course() {
	if l.d.twin >= 0 && l.c.happens(merges) && l.merge() {
		return
	}
	if l.d.kind == groundwork.Inquiry && !l.grave() && l.c.happens(onTheSpot) && l.s.world.opened(l.now()).Equal(l.now()) {
		l.claim(l.now().Add(l.c.span(4*time.Minute, 25*time.Minute)), groundwork.ClaimExplained, l.actors.intake)
		l.verdict()
		return
	}
	if l.dispatch() {
		l.carry()
		l.work()
	}
}

// carry has the official who heard of the issue at a visit take it upon him- or herself, sometimes.
func (l *life) carry() {
	if l.d.visit == nil || !l.c.happens(carries) {
		return
	}
	w := l.s.world
	held := &w.Posts[w.posts[l.d.visit.post].holding]
	at := l.now().Add(l.c.span(time.Minute, hour))
	if held.HeldTo != nil && !at.Add(2*day).Before(*held.HeldTo) {
		return // somebody else holds the post by now
	}
	l.facts.Post = held
	if l.take(at, groundwork.Step{Kind: groundwork.EventCarried, PostID: &held.ID,
		Actor: groundwork.Actor{ID: "sim-leader", Role: groundwork.RoleLeader, OfficialID: &held.OfficialID}}) {
		l.issue.CarryingPostID = &held.ID
	}
}

// merge has the dispatcher find that the issue repeats another, if that one still stands then.
func (l *life) merge() bool {
	at := groundwork.Moment(l.later(30*time.Minute, 10*hour))
	if at.After(l.s.cfg.To) {
		return false
	}
	target, err := l.s.asOf(l.d.twin, at)
	if err != nil || target == nil || target.State == groundwork.Merged || target.State == groundwork.Closed {
		l.err = err
		return err != nil
	}
	l.facts.Target = target
	if l.take(at, groundwork.Step{Kind: groundwork.EventMerged, Actor: l.actors.dispatcher, TargetIssueID: &target.ID}) {
		l.ended = true
	}
	return true
}

// later is a working time, a while after the last event.
func (l *life) later(from, to time.Duration) time.Time {
	return l.s.world.opened(l.now().Add(l.c.span(from, to)))
}

// dispatch sends the issue to the unit of the catalogue, which may send it back; it reports whether somebody has it.
func (l *life) dispatch() bool {
	for l.take(l.later(10*time.Minute, 5*hour), l.dispatching()) {
		if l.issue.ReturnCount == 2 || !l.c.happens(returns*(1+float64(l.issue.ReturnCount))) {
			return true
		}
		at := l.later(hour, 5*hour)
		if end := l.s.world.deadline(l.now(), 1); !at.Before(end) {
			return true
		}
		if !l.take(at, groundwork.Step{Kind: groundwork.EventReturned, Actor: l.actors.handler[l.unit], DutyList: "模拟职责清单 " + l.topic.code,
			ReturnReason: pick(l.c, []string{"NOT_OUR_DUTY", "WRONG_REGION", "NEEDS_JOINT", "MISSING_FACTS"})}) {
			return false
		}
		l.unit = l.s.world.townships[l.s.world.committees[l.d.committee].township].government
	}
	return false
}

func (l *life) dispatching() groundwork.Step {
	step := groundwork.Step{Kind: groundwork.EventDispatched, Actor: l.actors.dispatcher, UnitID: &l.s.world.Units[l.unit].ID}
	if l.issue.ReturnCount == 2 {
		step.Actor = l.actors.supervisor
	}
	catalogued := l.place.departments[l.topic.department]
	if l.facts.InCatalogue = l.unit == catalogued; !l.facts.InCatalogue {
		step.OverrideReason = "职能部门退回，属地先行办理"
	}
	return step
}

// work is what the unit does until it says that the matter is done.
func (l *life) work() {
	if l.c.happens(silentAccepts) {
		l.take(l.s.world.deadline(l.now(), 1), groundwork.Step{Kind: groundwork.EventAccepted, Actor: groundwork.System})
	} else {
		l.take(l.s.world.opened(l.now().Add(l.c.wait(3*hour, 0.8))), groundwork.Step{Kind: groundwork.EventAccepted, Actor: l.handler()})
	}
	h := l.s.world.units[l.unit].habits
	if l.c.happens(h.instant) {
		l.claim(l.now().Add(l.c.span(2*time.Minute, 9*time.Minute)), groundwork.ClaimFixed, l.handler())
		l.verdict()
		return
	}
	done := later(l.done(), l.later(soonest, 3*hour))
	if at := l.s.world.opened(l.now().Add(l.c.wait(18*hour, 0.9))); at.Before(done.Add(-hour)) && l.c.happens(responses) {
		l.take(at, groundwork.Step{Kind: groundwork.EventResponded, Actor: l.handler(), Text: "您反映的问题已受理，正在核实。"})
	}
	if l.c.happens(questions) {
		l.ask()
	}
	if l.d.difficulty == groundwork.PolicyGap && l.c.happens(plans) {
		l.planAhead()
	}
	if l.c.happens(h.onTheLine) && done.Before(l.due) {
		done = later(done, l.lastHours())
	}
	l.claim(done, l.claimKind(), l.handler())
	l.verdict()
}

func (l *life) handler() groundwork.Actor { return l.actors.handler[l.unit] }

// done draws when the unit is ready, counted from the origin.
func (l *life) done() time.Time {
	median := l.topic.days * l.place.pace * severityDelay[l.d.severity] * difficultyDelay[l.d.difficulty]
	for _, p := range l.s.plants.policies {
		if p.onDelay && p.topic == l.d.topic {
			median *= p.factor(l.place.cohort, l.s.world.day(l.issue.OriginAt))
		}
	}
	return l.s.world.opened(l.issue.OriginAt.Add(l.c.wait(time.Duration(median*float64(day)), delaySpread)))
}

// delaySpread is the spread of the logarithm of delays.
const delaySpread = 0.75

// lastHours is a moment in the last four working hours before the issue is due.
func (l *life) lastHours() time.Time {
	left := l.c.span(10*time.Minute, 4*hour)
	for from := l.due.Add(-4 * hour); ; from = from.Add(-4 * hour) {
		if worked := l.s.world.Calendar.WorkingTime(from, l.due); worked >= left {
			return l.s.world.Calendar.AddWorking(from, worked-left)
		}
	}
}

func (l *life) claimKind() groundwork.ClaimKind {
	switch x := l.c.Float64(); {
	case x < l.topic.explained:
		return groundwork.ClaimExplained
	case x < l.topic.explained+l.topic.referred:
		return groundwork.ClaimReferredOut
	default:
		return groundwork.ClaimFixed
	}
}

// ask pauses the net clock until the citizen answers, or until ten working days have passed.
func (l *life) ask() {
	if !l.take(l.later(hour, 20*hour), groundwork.Step{Kind: groundwork.EventAsked, Actor: l.handler(), Question: "请补充具体位置和联系时间。"}) {
		return
	}
	if l.c.happens(0.2) {
		l.take(l.s.world.deadline(l.now(), 10), groundwork.Step{Kind: groundwork.EventResumed, Actor: groundwork.System})
		return
	}
	l.take(l.now().Add(l.c.span(2*hour, 6*day)), groundwork.Step{Kind: groundwork.EventResumed, Actor: l.citizen()})
}

// planAhead puts the issue on the list of what waits for money or a new policy.
func (l *life) planAhead() {
	at := l.later(hour, 3*day)
	ready := l.s.world.opened(at.Add(l.c.span(30*day, 65*day)))
	if !l.take(at, groundwork.Step{Kind: groundwork.EventProposed, Actor: l.actors.head[l.unit], Reason: "列入下一年度计划",
		TargetDate: ready, ReviewAt: at.Add(80 * day)}) || !l.take(l.later(hour, 5*hour), groundwork.Step{Kind: groundwork.EventPlanned, Actor: l.actors.supervisor}) {
		return
	}
	l.take(ready, groundwork.Step{Kind: groundwork.EventUnplanned, Actor: l.actors.head[l.unit]})
}

// claim says that the matter is done.
func (l *life) claim(at time.Time, kind groundwork.ClaimKind, by groundwork.Actor) bool {
	place := l.s.world.committees[l.d.committee].name
	step := groundwork.Step{Kind: groundwork.EventClaimed, Actor: by, ClaimKind: kind, AnswerDelivered: true,
		Text: l.topic.fill(l.c, pick(l.c, l.topic.replies), place, place)}
	switch kind {
	case groundwork.ClaimFixed:
		step.Evidence = []string{"sim:photo"}
	case groundwork.ClaimExplained:
		step.LegalBasis, step.AppealNotice = "模拟条例 第"+l.topic.code+"条", "如有异议，可自收到之日起三十日内申请复查。"
	case groundwork.ClaimReferredOut:
		step.Receipt = "模拟回执"
	}
	if l.grave() && by.Role == groundwork.RoleHandler {
		by = l.actors.head[l.unit] // whose account is the signature
		step.Actor = by
	}
	if !l.take(at, step) {
		return false
	}
	l.claims++
	l.out.Claims = append(l.out.Claims, groundwork.Claim{
		ID: l.c.id(l.now()), IssueID: l.d.id, N: l.claims, Kind: &kind, Source: ownSource, Text: step.Text, LegalBasis: said(step.LegalBasis),
		AppealNotice: said(step.AppealNotice), Receipt: said(step.Receipt), Evidence: step.Evidence, ClaimedAt: l.now(),
		ClaimedPrecision: groundwork.ToTheSecond, UnitID: by.UnitID, SignedBy: signature(by), CreatedAt: l.now(),
	})
	l.facts.Claim, l.facts.Attempts = &l.out.Claims[len(l.out.Claims)-1], nil
	return true
}

// grave reports whether claims are for the head of the unit.
func (l *life) grave() bool {
	return l.d.severity == groundwork.SeverityHigh || l.d.severity == groundwork.SeverityUrgent
}

// signature is the account of a unit head who makes a claim.
func signature(by groundwork.Actor) *string {
	if by.Role != groundwork.RoleUnitHead {
		return nil
	}
	return &by.ID
}

func said(text string) *string {
	if text == "" {
		return nil
	}
	return &text
}

// actors are who acts for the units of a county. They are accounts, not people.
type actors struct {
	intake, dispatcher, supervisor, caller groundwork.Actor
	handler, head                          map[int]groundwork.Actor // by unit
}

func (w *world) makeActors(n int) *actors {
	c := &w.counties[n]
	of := func(role groundwork.Role, name string, unit int) groundwork.Actor {
		return groundwork.Actor{ID: "sim-" + name + "-" + w.Regions[c.region].Code[:6], Role: role, UnitID: &w.Units[unit].ID}
	}
	a := &actors{
		intake: of(groundwork.RoleIntake, "intake", c.hall), dispatcher: of(groundwork.RoleDispatcher, "dispatcher", c.hall),
		supervisor: of(groundwork.RoleSupervisor, "supervisor", c.supervision), caller: of(groundwork.RoleCaller, "caller", w.prefectures[c.prefecture].callers),
		handler: map[int]groundwork.Actor{}, head: map[int]groundwork.Actor{},
	}
	units := append([]int{c.hall}, c.departments...)
	for _, t := range c.townships {
		units = append(units, w.townships[t].government)
	}
	for _, u := range units {
		a.handler[u], a.head[u] = of(groundwork.RoleHandler, "handler", u), of(groundwork.RoleUnitHead, "head", u)
	}
	return a
}

func (s *Simulation) actorsOf(county int) *actors { return s.actors[county] }

// asOf is issue n as it stood at a moment, nil if it was not registered yet.
func (s *Simulation) asOf(n int64, at time.Time) (*groundwork.Issue, error) {
	d := s.draft(n)
	return s.stood(&d, at)
}

// stood is the issue of a draft as it stood at a time, nil if it was not there.
func (s *Simulation) stood(d *draft, at time.Time) (*groundwork.Issue, error) {
	var out groundwork.Bulk
	if d.registered.After(at) {
		return nil, nil
	}
	if err := s.live(d, &out); err != nil {
		return nil, err
	}
	issue := out.Issues[0].Issue
	for _, e := range out.Events {
		if !e.At.After(at) {
			issue.Progress = e.Progress
		}
	}
	return &issue, nil
}
