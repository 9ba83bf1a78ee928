package groundwork

import (
	"slices"
	"strings"
)

// Coded reasons of the steps that an import takes in the name of a source.
const (
	SourceOpinion = "SOURCE_OPINION" // the source shows an opinion
	SourceReply   = "SOURCE_REPLY"   // the source shows a reply or a closing
)

// Transition is one row of the life of an issue: a step of Kind leads from any of From to To, if one of Roles asks for it, the
// issue meets When and the guards find in order what they ask for.
type Transition struct {
	Kind    EventKind
	From    []State // nil = the beginning
	To      State   // empty = the state stays, or is that before the merger
	Roles   []Role
	Closure Closure // of a step that closes
	Source  string  // coded reason that only an import gives; such a row is for imports alone
	When    func(*Issue) error
	guards  []guard
}

var (
	unfinished  = []State{Registered, Dispatched, InProgress, AwaitingCitizen, Planned, Claimed}
	unmerged    = append(slices.Clone(unfinished), Closed)
	everywhere  = append(slices.Clone(unmerged), Merged)
	beyondReply = []State{Dispatched, InProgress, AwaitingCitizen, Planned, Closed, Merged}
)

// Lifecycle is the life of an issue as data, in the order of a usual life. docs/glossary.md explains the words.
var Lifecycle = []Transition{
	{Kind: EventRegistered, To: Registered, Roles: []Role{RoleIntake, RoleCitizen, RoleLeader}},
	{Kind: EventRegistered, To: Registered, Roles: []Role{RoleSystem}, Source: SourceOpinion},
	{Kind: EventLinked, From: unmerged, Roles: []Role{RoleIntake, RoleDispatcher}, guards: []guard{namesOpinion}},
	{Kind: EventLinked, From: everywhere, Roles: []Role{RoleSystem}, Source: SourceOpinion, guards: []guard{namesOpinion}},

	{Kind: EventDispatched, From: []State{Registered}, To: Dispatched, Roles: []Role{RoleDispatcher},
		When: returnsLeft, guards: []guard{namesUnit, inCatalogueOrOverride}},
	{Kind: EventDispatched, From: []State{Registered}, To: Dispatched, Roles: []Role{RoleSupervisor},
		When: noReturnsLeft, guards: []guard{namesUnit, inCatalogueOrOverride}},
	// An issue that was answered on the spot, or by its source, and then disputed or reopened has nobody who is responsible yet.
	{Kind: EventDispatched, From: []State{InProgress}, To: Dispatched, Roles: []Role{RoleDispatcher, RoleSupervisor},
		When: withoutUnit, guards: []guard{namesUnit, inCatalogueOrOverride}},
	{Kind: EventAccepted, From: []State{Dispatched}, To: InProgress, Roles: []Role{RoleHandler, RoleSystem}},
	{Kind: EventReturned, From: []State{Dispatched}, To: Registered, Roles: []Role{RoleHandler},
		When: returnsLeft, guards: []guard{returnIsGrounded, withinADayOfDispatch}},

	{Kind: EventAsked, From: []State{InProgress}, To: AwaitingCitizen, Roles: []Role{RoleHandler},
		guards: []guard{asksSomething, pauseBudgetLeft}},
	{Kind: EventResumed, From: []State{AwaitingCitizen}, To: InProgress, Roles: []Role{RoleCitizen, RoleHandler},
		guards: []guard{isReporter}},
	{Kind: EventResumed, From: []State{AwaitingCitizen}, To: InProgress, Roles: []Role{RoleSystem}, guards: []guard{pauseIsOver}},
	{Kind: EventPlanned, From: []State{InProgress}, To: Planned, Roles: []Role{RoleUnitHead}, guards: []guard{planIsComplete}},
	{Kind: EventUnplanned, From: []State{Planned}, To: InProgress, Roles: []Role{RoleUnitHead, RoleSupervisor}},
	{Kind: EventResponded, From: unfinished, Roles: []Role{RoleHandler, RoleIntake}, guards: []guard{saysSomething}},
	{Kind: EventResponded, From: beyondReply, Roles: []Role{RoleSystem}, Source: SourceReply},

	{Kind: EventClaimed, From: []State{Registered}, To: Claimed, Roles: []Role{RoleIntake},
		When: isInquiry, guards: []guard{claimIsComplete, claimIsSigned}},
	{Kind: EventClaimed, From: []State{InProgress}, To: Claimed, Roles: []Role{RoleHandler, RoleUnitHead},
		guards: []guard{claimIsComplete, claimIsSigned}},
	{Kind: EventClaimed, From: []State{Registered, Claimed}, To: Claimed, Roles: []Role{RoleSystem}, Source: SourceReply},
	{Kind: EventCalledBack, From: []State{Claimed}, Roles: []Role{RoleCaller}, guards: []guard{hasClaim, isIndependent, callIsComplete}},
	{Kind: EventFeedback, From: []State{Claimed}, Roles: []Role{RoleHandler}, guards: []guard{hasClaim, verdictOfHandler, verdictIsComplete}},

	{Kind: EventConfirmed, From: []State{Claimed}, To: Closed, Closure: Confirmed, Roles: []Role{RoleCitizen, RoleCaller},
		guards: []guard{hasClaim, verdictNotOfHandler, isReporter, isIndependent, verdictIsComplete, saysResolved}},
	{Kind: EventDisputed, From: []State{Claimed}, To: InProgress, Roles: []Role{RoleCitizen, RoleCaller},
		guards: []guard{hasClaim, verdictNotOfHandler, isReporter, isIndependent, verdictIsComplete, saysUnresolved}},
	{Kind: EventClosed, From: []State{Claimed}, To: Closed, Closure: Unconfirmed, Roles: []Role{RoleSystem},
		guards: []guard{hasClaim, calledOftenEnough, waitedLongEnough}},
	{Kind: EventClosed, From: []State{Claimed}, To: Closed, Closure: Explained, Roles: []Role{RoleSupervisor},
		guards: []guard{claimIs(ClaimExplained), reviewedByAnother, opensAppeal}},
	{Kind: EventClosed, From: []State{Claimed}, To: Closed, Closure: ReferredOut, Roles: []Role{RoleSupervisor},
		guards: []guard{claimIs(ClaimReferredOut)}},
	{Kind: EventWithdrawn, From: unfinished, To: Closed, Closure: Withdrawn, Roles: []Role{RoleCitizen},
		guards: []guard{isReporter, givesReason, saysWhetherPressured}},

	{Kind: EventMerged, From: unfinished, To: Merged, Roles: []Role{RoleDispatcher}, guards: []guard{targetStands}},
	{Kind: EventUnmerged, From: []State{Merged}, Roles: []Role{RoleDispatcher}, guards: []guard{givesReason, returnsWhereItStood}},
	{Kind: EventReopened, From: []State{Closed}, To: InProgress, Roles: []Role{RoleCitizen},
		guards: []guard{isReporter, givesReason, closedRecently, resolutionAfterReopening}},
	{Kind: EventReopened, From: []State{Closed}, To: InProgress, Roles: []Role{RoleSupervisor},
		guards: []guard{givesReason, resolutionAfterReopening}},
	{Kind: EventEscalated, From: unfinished, Roles: []Role{RoleSystem}, guards: []guard{givesReason}},
	{Kind: EventCorrected, From: everywhere, Roles: []Role{RoleSupervisor}, guards: []guard{givesReason}},
}

// verbs name the steps in messages.
var verbs = map[EventKind]string{
	EventRegistered: "registration", EventLinked: "linking an opinion", EventDispatched: "dispatch", EventAccepted: "acceptance",
	EventReturned: "return", EventAsked: "asking the citizen", EventResumed: "resuming", EventPlanned: "planning",
	EventUnplanned: "taking up from the plan", EventResponded: "a response", EventClaimed: "a claim",
	EventCalledBack: "a call-back attempt", EventFeedback: "feedback collected by the handler", EventConfirmed: "confirmation",
	EventDisputed: "dispute", EventClosed: "closing", EventWithdrawn: "withdrawal", EventMerged: "merging",
	EventUnmerged: "undoing a merger", EventReopened: "reopening", EventEscalated: "escalation", EventCorrected: "a correction",
}

// EventKinds lists the kinds of events in the order of Lifecycle.
func EventKinds() []EventKind {
	var kinds []EventKind
	for _, t := range Lifecycle {
		if !slices.Contains(kinds, t.Kind) {
			kinds = append(kinds, t.Kind)
		}
	}
	return kinds
}

// PermittedSteps lists what the role may ask for where the issue stands. The guards decide when it asks.
func PermittedSteps(i *Issue, role Role) []EventKind {
	var kinds []EventKind
	for _, t := range Lifecycle {
		possible := t.Source == "" && slices.Contains(t.Roles, role) && slices.Contains(t.From, i.State)
		if possible && (t.When == nil || t.When(i) == nil) && !slices.Contains(kinds, t.Kind) {
			kinds = append(kinds, t.Kind)
		}
	}
	return kinds
}

// transition finds the row by which the step may go, or says why there is none: no such step, not this role, not from here.
func (i *Issue) transition(s Step) (Transition, error) {
	for n := range Lifecycle {
		if t := &Lifecycle[n]; t.admits(s, i.State) && (t.When == nil || t.When(i) == nil) {
			return *t, nil
		}
	}
	return Transition{}, i.whyNot(s)
}

// admits reports whether the row is for the step, its role, and the state.
func (t *Transition) admits(s Step, from State) bool {
	return t.Kind == s.Kind && (s.Kind != EventClosed || t.Closure == s.Closure) && (t.Source == "" || t.Source == s.Reason) &&
		slices.Contains(t.From, from) && slices.Contains(t.Roles, s.Actor.Role)
}

// whyNot says why no row admits the step: the first of kind, closure, role, state and condition that none of the rows left meets.
func (i *Issue) whyNot(s Step) error {
	ofKind := rows(Lifecycle, func(t Transition) bool { return t.Kind == s.Kind && t.From != nil })
	if len(ofKind) == 0 {
		return Invalid("kind", "there is no step %q; the steps are %s", s.Kind, join(EventKinds()[1:]))
	}
	if s.Kind == EventClosed {
		ofKind = rows(ofKind, func(t Transition) bool { return t.Closure == s.Closure })
		if len(ofKind) == 0 {
			return Invalid("closure", "closure %q is not for this step; give UNCONFIRMED, EXPLAINED or REFERRED_OUT", s.Closure)
		}
	}
	ofRole := rows(ofKind, func(t Transition) bool {
		return slices.Contains(t.Roles, s.Actor.Role) && (t.Source == "" || t.Source == s.Reason)
	})
	if len(ofRole) == 0 {
		return Errorf(CodeForbidden, "%s is not for role %s; it is for %s", verbs[s.Kind], s.Actor.Role, join(rolesOf(ofKind)))
	}
	fromHere := rows(ofRole, func(t Transition) bool { return slices.Contains(t.From, i.State) })
	if len(fromHere) == 0 {
		return Errorf(CodeTransition, "issue %s stands at %s; %s by %s is possible from %s",
			i.PublicRef, i.State, verbs[s.Kind], s.Actor.Role, join(statesOf(ofRole)))
	}
	return fromHere[len(fromHere)-1].When(i)
}

func rows(from []Transition, keep func(Transition) bool) []Transition {
	return slices.DeleteFunc(slices.Clone(from), func(t Transition) bool { return !keep(t) })
}

func rolesOf(rows []Transition) []Role {
	var roles []Role
	for _, t := range rows {
		for _, r := range t.Roles {
			if t.Source == "" && !slices.Contains(roles, r) {
				roles = append(roles, r)
			}
		}
	}
	return roles
}

func statesOf(rows []Transition) []State {
	var states []State
	for _, t := range rows {
		for _, s := range t.From {
			if !slices.Contains(states, s) {
				states = append(states, s)
			}
		}
	}
	return states
}

// join lists values in a message.
func join[T ~string](values []T) string {
	texts := make([]string, len(values))
	for i, v := range values {
		texts[i] = string(v)
	}
	return strings.Join(texts, ", ")
}

func isInquiry(i *Issue) error {
	if i.Kind == Inquiry {
		return nil
	}
	return Errorf(CodeTransition, "issue %s is of kind %s; only an INQUIRY can be answered on the spot: dispatch it first", i.PublicRef, i.Kind)
}

// maxReturns is how often an issue may be sent back; after that a supervisor binds a unit.
const maxReturns = 2

func returnsLeft(i *Issue) error {
	if i.ReturnCount < maxReturns {
		return nil
	}
	return Errorf(CodeTransition, "issue %s was returned %d times; no further return is possible and only a SUPERVISOR dispatches it, bindingly", i.PublicRef, i.ReturnCount)
}

func noReturnsLeft(i *Issue) error {
	if i.ReturnCount >= maxReturns {
		return nil
	}
	return Errorf(CodeTransition, "issue %s was returned %d times; a DISPATCHER dispatches it until it was returned %d times", i.PublicRef, i.ReturnCount, maxReturns)
}

func withoutUnit(i *Issue) error {
	if i.LeadUnitID == nil {
		return nil
	}
	return Errorf(CodeTransition, "issue %s stands at %s with a unit in charge; dispatch is possible from REGISTERED", i.PublicRef, i.State)
}
