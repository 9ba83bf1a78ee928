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
	Asks    string  // what When and the guards ask for, in the words of the docs
	Effect  string  // what follows beside the new state, in the words of the docs
	When    func(*Issue) error
	guards  []guard
}

var (
	unfinished  = []State{Registered, Dispatched, InProgress, AwaitingCitizen, Planned, Claimed}
	handled     = unfinished[1:]
	unmerged    = append(slices.Clone(unfinished), Closed)
	everywhere  = append(slices.Clone(unmerged), Merged)
	beyondReply = []State{Dispatched, InProgress, AwaitingCitizen, Planned, Closed, Merged}
)

// Lifecycle is the life of an issue as data, in the order of a usual life. docs/glossary.md explains the words.
var Lifecycle = []Transition{
	{Kind: EventRegistered, To: Registered, Roles: []Role{RoleIntake, RoleCitizen, RoleLeader},
		Asks: "at least one opinion that belongs to no issue yet", Effect: "all clocks run from the earliest opinion; the target in force then is kept"},
	{Kind: EventRegistered, To: Registered, Roles: []Role{RoleSystem}, Source: SourceOpinion,
		Asks: "a source shows an opinion", Effect: "the source's due time is kept"},
	{Kind: EventLinked, From: unmerged, Roles: []Role{RoleIntake, RoleDispatcher}, guards: []guard{namesOpinion},
		Asks: "an opinion that belongs to no issue yet", Effect: "the origin is that of the earliest opinion"},
	{Kind: EventLinked, From: everywhere, Roles: []Role{RoleSystem}, Source: SourceOpinion, guards: []guard{namesOpinion},
		Asks: "a source shows one more opinion on the matter", Effect: "the origin is that of the earliest opinion"},

	{Kind: EventDispatched, From: []State{Registered}, To: Dispatched, Roles: []Role{RoleDispatcher},
		When: returnsLeft, guards: []guard{namesUnit, inCatalogueOrOverride, setsAckDue},
		Asks:   "a unit of the catalogue for category and region on that day, or a reason for another; fewer than two returns",
		Effect: "a leg for the lead and for each unit beside it; silence until the target's time is acceptance"},
	{Kind: EventDispatched, From: []State{Registered}, To: Dispatched, Roles: []Role{RoleSupervisor},
		When: noReturnsLeft, guards: []guard{namesUnit, inCatalogueOrOverride, setsAckDue},
		Asks: "two returns; a unit of the catalogue, or a reason for another", Effect: "the unit is bound: it cannot return the issue"},
	// An issue that was answered on the spot, or by its source, and then disputed or reopened has nobody who is responsible yet.
	{Kind: EventDispatched, From: []State{InProgress}, To: Dispatched, Roles: []Role{RoleDispatcher, RoleSupervisor},
		When: withoutUnit, guards: []guard{namesUnit, inCatalogueOrOverride, setsAckDue},
		Asks: "no unit is in charge; a unit of the catalogue, or a reason for another", Effect: "a leg for each unit"},
	{Kind: EventAccepted, From: []State{Dispatched}, To: InProgress, Roles: []Role{RoleHandler}, guards: []guard{unitLeads},
		Asks: "the unit leads the issue", Effect: "its legs are accepted"},
	{Kind: EventAccepted, From: []State{Dispatched}, To: InProgress, Roles: []Role{RoleSystem}, guards: []guard{silenceIsOver},
		Asks: "the time to accept is over", Effect: "its legs are accepted"},
	{Kind: EventReturned, From: []State{Dispatched}, To: Registered, Roles: []Role{RoleHandler},
		When: returnsLeft, guards: []guard{unitLeads, returnIsGrounded, withinADayOfDispatch},
		Asks:   "the unit leads the issue; at most one working day since the dispatch; a coded reason and the entry of the duty list; fewer than two returns",
		Effect: "its legs are returned; all clocks run on"},
	{Kind: EventCarried, From: unfinished, Roles: []Role{RoleLeader, RoleSupervisor}, guards: []guard{namesPost},
		Asks: "a post held on that day; a LEADER names an own one", Effect: "its holder carries the case"},

	{Kind: EventAsked, From: []State{InProgress}, To: AwaitingCitizen, Roles: []Role{RoleHandler},
		guards: []guard{unitWorksOnIt, asksSomething, pauseBudgetLeft},
		Asks:   "the unit works on the issue; a concrete question; fewer than 20 working days of pause so far",
		Effect: "the net clock stands still for at most 10 working days; the gross clock runs on"},
	{Kind: EventResumed, From: []State{AwaitingCitizen}, To: InProgress, Roles: []Role{RoleCitizen, RoleHandler},
		guards: []guard{isReporter, unitWorksOnIt},
		Asks:   "the reporter, or a unit that works on the issue", Effect: "the net clock runs on"},
	{Kind: EventResumed, From: []State{AwaitingCitizen}, To: InProgress, Roles: []Role{RoleSystem}, guards: []guard{pauseIsOver},
		Asks: "the pause is over", Effect: "the net clock runs on from the end of the pause"},
	{Kind: EventProposed, From: []State{InProgress}, Roles: []Role{RoleUnitHead}, guards: []guard{unitLeads, planIsComplete},
		Asks: "the unit leads the issue; a public reason, a target date, a review within 90 days", Effect: "waits for a supervisor"},
	{Kind: EventPlanned, From: []State{InProgress}, To: Planned, Roles: []Role{RoleSupervisor}, guards: []guard{planWasProposed},
		Asks: "a plan that a unit head, another account, proposed and that nothing has overtaken", Effect: "no clock pauses; the issue stays open everywhere"},
	{Kind: EventUnplanned, From: []State{Planned}, To: InProgress, Roles: []Role{RoleUnitHead, RoleSupervisor}, guards: []guard{unitLeads},
		Asks: "the unit leads the issue, or a supervisor"},
	{Kind: EventUnplanned, From: []State{Planned}, To: InProgress, Roles: []Role{RoleSystem}, guards: []guard{reviewIsDue},
		Asks: "the review of the plan is due", Effect: "a plan that is not proposed anew has ended"},
	{Kind: EventResponded, From: unfinished, Roles: []Role{RoleIntake}, guards: []guard{saysSomething},
		Asks: "the text that reached the reporter", Effect: "the first one is the response"},
	{Kind: EventResponded, From: handled, Roles: []Role{RoleHandler}, guards: []guard{unitWorksOnIt, saysSomething},
		Asks: "the unit works on the issue; the text that reached the reporter", Effect: "the first one is the response"},
	{Kind: EventResponded, From: beyondReply, Roles: []Role{RoleSystem}, Source: SourceReply, Asks: "a source shows a reply"},

	{Kind: EventClaimed, From: []State{Registered}, To: Claimed, Roles: []Role{RoleIntake},
		When: isInquiry, guards: []guard{claimIsComplete, evidenceExists, claimIsSigned},
		Asks: "an INQUIRY of severity LOW or NORMAL; the answer, delivered, with all that its kind needs", Effect: "answered on the spot"},
	{Kind: EventClaimed, From: []State{InProgress}, To: Claimed, Roles: []Role{RoleHandler, RoleUnitHead},
		guards: []guard{unitLeads, claimIsComplete, evidenceExists, claimIsSigned},
		Asks:   "the unit leads the issue; the answer, delivered; FIXED: evidence; EXPLAINED: legal basis and appeal notice; REFERRED_OUT: the receiver's receipt; from severity HIGH on the UNIT_HEAD",
		Effect: "the reporter, or an independent caller, judges"},
	{Kind: EventClaimed, From: []State{Registered, Claimed}, To: Claimed, Roles: []Role{RoleSystem}, Source: SourceReply, Asks: "a source shows a reply"},
	{Kind: EventCalledBack, From: []State{Claimed}, Roles: []Role{RoleCaller}, guards: []guard{hasClaim, ofAnother, isIndependent, callIsComplete},
		Asks: "a unit that never had the issue, and not who made the claim; method and outcome", Effect: "counts towards closing without a verdict"},
	{Kind: EventFeedback, From: []State{Claimed}, Roles: []Role{RoleHandler}, guards: []guard{hasClaim, unitWorksOnIt, verdictOfHandler, verdictIsComplete},
		Asks: "a verdict that the handler collected", Effect: "kept; it confirms and disputes nothing"},

	{Kind: EventConfirmed, From: []State{Claimed}, To: Closed, Closure: Confirmed, Roles: []Role{RoleCitizen, RoleCaller},
		guards: []guard{hasClaim, ofAnother, verdictNotOfHandler, isReporter, isIndependent, verdictIsComplete, saysResolved},
		Asks:   "the verdict YES of a reporter, or collected by a unit that never had the issue; not by who made the claim", Effect: "resolved when it was claimed"},
	{Kind: EventDisputed, From: []State{Claimed}, To: InProgress, Roles: []Role{RoleCitizen, RoleCaller},
		guards: []guard{hasClaim, ofAnother, verdictNotOfHandler, isReporter, isIndependent, verdictIsComplete, saysUnresolved},
		Asks:   "the verdict NO or PARTLY of a reporter, or collected by a unit that never had the issue; not by who made the claim", Effect: "the clocks run on from the origin; the third dispute escalates"},
	{Kind: EventClosed, From: []State{Claimed}, To: Closed, Closure: Unconfirmed, Roles: []Role{RoleSystem},
		guards: []guard{hasClaim, calledOftenEnough, waitedLongEnough},
		Asks:   "three attempts on three days in two parts of the day; ten working days since the claim", Effect: "never counts as resolved"},
	{Kind: EventClosed, From: []State{Claimed}, To: Closed, Closure: Explained, Roles: []Role{RoleSupervisor},
		guards: []guard{claimIs(ClaimExplained), reviewedByAnother, opensAppeal},
		Asks:   "an EXPLAINED claim of another account; whether the reporter disagrees", Effect: "a review may be asked for within 30 days"},
	{Kind: EventClosed, From: []State{Claimed}, To: Closed, Closure: ReferredOut, Roles: []Role{RoleSupervisor},
		guards: []guard{claimIs(ClaimReferredOut), reviewedByAnother},
		Asks:   "a REFERRED_OUT claim of another account", Effect: "never counts as resolved"},
	{Kind: EventWithdrawn, From: unfinished, To: Closed, Closure: Withdrawn, Roles: []Role{RoleCitizen},
		guards: []guard{isReporter, givesReason, saysWhetherPressured},
		Asks:   "a reporter; a reason; whether somebody urged the reporter to withdraw", Effect: "if urged, the supervisors are told"},

	{Kind: EventMerged, From: unfinished, To: Merged, Roles: []Role{RoleDispatcher}, guards: []guard{targetStands},
		Asks: "another issue that is neither merged nor withdrawn", Effect: "each opinion keeps its origin and its verdict"},
	{Kind: EventUnmerged, From: []State{Merged}, Roles: []Role{RoleDispatcher}, guards: []guard{givesReason, returnsWhereItStood},
		Asks: "a reason", Effect: "the issue stands where it stood"},
	{Kind: EventReopened, From: []State{Closed}, To: InProgress, Roles: []Role{RoleCitizen},
		guards: []guard{isReporter, givesReason, closedRecently, resolutionAfterReopening},
		Asks:   "a reporter; a reason; at most 90 days since it was closed", Effect: "the origin stays; a resolution younger than 90 days was none; the second reopening escalates"},
	{Kind: EventReopened, From: []State{Closed}, To: InProgress, Roles: []Role{RoleSupervisor},
		guards: []guard{givesReason, resolutionAfterReopening},
		Asks:   "a reason", Effect: "the origin stays; a resolution younger than 90 days was none; the second reopening escalates"},
	{Kind: EventEscalated, From: unfinished, Roles: []Role{RoleSystem}, guards: []guard{escalationIsDue},
		Asks: "80, 100 or 150 % of the time to resolution without a claim, the third dispute, or the second reopening, each once", Effect: "the next rank is told"},
	{Kind: EventCorrected, From: everywhere, Roles: []Role{RoleSupervisor}, guards: []guard{givesReason},
		Asks: "a reason", Effect: "a note beside what was wrong; it changes no state"},
}

// LifecycleMachine is the life of an issue as it is shown. Rows for imports alone are left out.
func LifecycleMachine() Machine {
	m := Machine{Noun: "issue"}
	for _, t := range rows(Lifecycle, func(t Transition) bool { return t.Source == "" }) {
		kind := string(t.Kind)
		if t.Kind == EventClosed {
			kind += " as " + string(t.Closure)
		}
		m.Rows = append(m.Rows, MachineRow{Kind: kind, From: Texts(t.From), To: string(t.To), Roles: t.Roles, Asks: t.Asks, Effect: t.Effect})
	}
	return m
}

// Texts are values of a kind of text as plain texts.
func Texts[T ~string](values []T) []string {
	plain := make([]string, len(values))
	for n, v := range values {
		plain[n] = string(v)
	}
	return plain
}

// verbs name the steps in messages.
var verbs = map[EventKind]string{
	EventRegistered: "registration", EventLinked: "linking an opinion", EventDispatched: "dispatch", EventAccepted: "acceptance",
	EventReturned: "return", EventAsked: "asking the citizen", EventResumed: "resuming", EventProposed: "proposing a plan", EventPlanned: "planning", EventCarried: "carrying the case",
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
