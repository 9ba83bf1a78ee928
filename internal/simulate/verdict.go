package simulate

import (
	"time"

	"groundwork"
)

// How claims are judged, where no habit of a unit says otherwise.
const (
	trulyFixed     = 0.84 // of claims that the matter is fixed
	instantlyFixed = 0.30 // of those made within minutes
	repaired       = 0.88 // of later claims about the same matter
	agreed         = 0.75 // with an explanation
	speaksUp       = 0.35 // reporters who give their verdict unasked
	answers        = 0.52 // of calls
	moreCalls      = 0.30 // of a fourth call
	reopens        = 0.03 // of confirmed closings
	reopensUnheard = 0.08 // of unconfirmed closings
	lastDispute    = 3    // after which the matter is explained
)

// verdict is what follows a claim: the reporter agrees, disputes or is not reached; a supervisor reviews explanations. It goes on
// until the issue is closed for good or the present is reached.
func (l *life) verdict() {
	for !l.ended && l.issue.State == groundwork.Claimed {
		fixed := l.c.happens(l.trulyDone())
		switch *l.facts.Claim.Kind {
		case groundwork.ClaimExplained:
			l.review(groundwork.Explained, !l.c.happens(agreed))
		case groundwork.ClaimReferredOut:
			l.review(groundwork.ReferredOut, false)
		default:
			l.judge(fixed)
		}
		if !l.ended && l.issue.State == groundwork.InProgress {
			l.again()
		} else if !l.ended {
			l.reopen()
		}
	}
	l.ended = true
}

func (l *life) trulyDone() float64 {
	switch {
	case l.claims > 1:
		return repaired
	case l.instant():
		return instantlyFixed
	default:
		return trulyFixed
	}
}

// instant reports whether the claim came within minutes of the event before it.
func (l *life) instant() bool {
	h := l.facts.History
	return len(h) > 1 && h[len(h)-1].At.Sub(h[len(h)-2].At) < 10*time.Minute
}

// review has a supervisor close what was explained or referred; a reporter who disagrees may dispute it first.
func (l *life) review(closure groundwork.Closure, disagrees bool) {
	if disagrees && l.issue.DisputeCount == 0 && l.c.happens(0.3) {
		l.say(l.now().Add(l.c.span(hour, 4*day)), l.citizen(), groundwork.BySelf, "NO")
		return
	}
	l.close(l.s.world.opened(l.now().Add(l.c.span(2*day, 9*day))), groundwork.Step{Actor: l.actors.supervisor, Closure: closure, CitizenDisagrees: disagrees})
}

func (l *life) close(at time.Time, step groundwork.Step) bool {
	step.Kind = groundwork.EventClosed
	claim := len(l.out.Claims) - 1
	if !l.take(at, step) {
		return false
	}
	if step.Closure != groundwork.Unconfirmed {
		l.out.Claims[claim].ReviewedBy = &step.Actor.ID
	}
	return true
}

// judge has the reporter say whether the matter is fixed: unasked, or called by people who did not handle it.
func (l *life) judge(fixed bool) {
	resolved := "YES"
	if !fixed {
		resolved = pick(l.c, []string{"NO", "NO", "PARTLY"})
	}
	if l.c.happens(l.s.world.units[l.unit].habits.verdicts) && l.issue.LeadUnitID != nil {
		l.judgedByHandler()
		return
	}
	if l.c.happens(speaksUp) {
		l.say(l.now().Add(l.c.span(2*hour, 5*day)), l.citizen(), groundwork.BySelf, resolved)
		return
	}
	if !l.callBack(answers, resolved) {
		l.unheard()
	}
}

// judgedByHandler is the habit of units that ask for the verdict themselves; the calls of others then find nobody.
func (l *life) judgedByHandler() {
	l.feedback(l.later(10*time.Minute, 6*hour), groundwork.Step{Kind: groundwork.EventFeedback, Actor: l.handler(), Resolved: "YES", Satisfaction: new(5)}, groundwork.ByHandler)
	l.callBack(0, "")
	l.unheard()
}

// callTimes are when the calls are made: days after the claim, and the hour.
var callTimes = []struct{ day, hour int }{{1, 10}, {2, 15}, {4, 19}, {7, 11}}

// callBack calls until somebody answers, three or four times; it reports whether there is a verdict, or no time left for one.
func (l *life) callBack(answered float64, resolved string) bool {
	from := startOfDay(l.now())
	for n, call := range callTimes {
		if n == 3 && !l.c.happens(moreCalls) {
			return false
		}
		at := from.AddDate(0, 0, call.day).Add(time.Duration(call.hour)*hour + l.c.span(0, 50*time.Minute))
		if l.c.happens(answered) {
			l.call(at, "ANSWERED")
			l.say(l.now().Add(3*time.Minute), l.actors.caller, groundwork.ByIndependent, resolved)
			return true
		}
		if !l.call(at, pick(l.c, []string{"NO_ANSWER", "NO_ANSWER", "NO_ANSWER", "REFUSED", "WRONG_NUMBER"})) {
			return true
		}
	}
	return false
}

func (l *life) call(at time.Time, outcome string) bool {
	step := groundwork.Step{Kind: groundwork.EventCalledBack, Actor: l.actors.caller, Method: "PHONE", Outcome: outcome}
	if !l.take(at, step) {
		return false
	}
	a := groundwork.CallbackAttempt{ID: l.c.id(l.now()), ClaimID: l.facts.Claim.ID, At: l.now(), Method: step.Method,
		AgentUnitID: step.Actor.UnitID, Outcome: outcome}
	l.facts.Attempts = append(l.facts.Attempts, a)
	l.out.Attempts = append(l.out.Attempts, a)
	return true
}

// unheard closes the issue when nobody could be reached and ten working days have passed.
func (l *life) unheard() {
	l.close(l.s.world.deadline(l.facts.Claim.ClaimedAt, 10).Add(time.Minute), groundwork.Step{Actor: groundwork.System, Closure: groundwork.Unconfirmed})
}

// say records the reporter's verdict: YES confirms, all else disputes.
func (l *life) say(at time.Time, by groundwork.Actor, collectedBy, resolved string) {
	step := groundwork.Step{Kind: groundwork.EventConfirmed, Actor: by, Resolved: resolved, Satisfaction: new(3 + l.c.IntN(3)), Pressured: "NO"}
	if resolved != "YES" {
		step.Kind, step.Satisfaction = groundwork.EventDisputed, new(1+l.c.IntN(3))
	}
	l.feedback(at, step, collectedBy)
}

func (l *life) feedback(at time.Time, step groundwork.Step, collectedBy string) {
	claim := l.facts.Claim.ID
	if !l.take(at, step) {
		return
	}
	f := groundwork.Feedback{ID: l.c.id(l.now()), ClaimID: claim, IssueID: l.d.id, Resolved: step.Resolved, Satisfaction: step.Satisfaction,
		Pressured: "UNSAID", CollectedBy: collectedBy, CollectedUnitID: step.Actor.UnitID, At: l.now(), CreatedAt: l.now()}
	if step.Pressured != "" {
		f.Pressured = step.Pressured
	}
	if step.Actor.Role == groundwork.RoleCitizen {
		f.ReporterPID = &l.d.reporter
	}
	l.out.Feedback = append(l.out.Feedback, f)
}

// again is the work after a dispute or a reopening, up to the next claim.
func (l *life) again() {
	if l.issue.LeadUnitID == nil { // it was answered on the spot
		if !l.dispatch() {
			return
		}
		l.take(l.later(hour, 6*hour), groundwork.Step{Kind: groundwork.EventAccepted, Actor: l.handler()})
	}
	kind := groundwork.ClaimFixed
	if l.issue.DisputeCount >= lastDispute {
		kind = groundwork.ClaimExplained
	}
	wait := l.c.wait(time.Duration(0.5*l.topic.days*l.place.pace*float64(day)), delaySpread)
	l.claim(l.s.world.opened(l.now().Add(wait)), kind, l.handler())
}

// reopen has some reporters find that nothing was solved after all.
func (l *life) reopen() {
	share := reopens
	if c := l.issue.ClosureType; c != nil && *c == groundwork.Unconfirmed {
		share = reopensUnheard
	}
	if l.issue.ReopenCount > 1 || !l.c.happens(share) {
		return
	}
	if l.take(l.now().Add(l.c.span(4*day, 85*day)), groundwork.Step{Kind: groundwork.EventReopened, Actor: l.citizen(), Reason: "问题再次出现"}) {
		l.again()
	}
}
