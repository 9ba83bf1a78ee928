package groundwork

import "github.com/google/uuid"

// Worklist is a list of open issues that somebody has to do something about.
type Worklist string

// The worklists.
const (
	WorkMine             Worklist = "MINE"              // what the actor's role works on: see WorklistFilter
	WorkOverdue          Worklist = "OVERDUE"           // due, and not claimed to be done
	WorkReturned         Worklist = "RETURNED"          // given back by a unit, waiting for another
	WorkAwaitingCallback Worklist = "AWAITING_CALLBACK" // claimed, and not judged yet
	WorkAwaitingReview   Worklist = "AWAITING_REVIEW"   // claimed as explained or referred out: a supervisor decides
	WorkCarried          Worklist = "CARRIED"           // cases that the actor carries as an official
)

// Worklists lists the worklists.
var Worklists = []Worklist{WorkMine, WorkOverdue, WorkReturned, WorkAwaitingCallback, WorkAwaitingReview, WorkCarried}

// WorklistFilter says which issues stand on a worklist of an actor. Who acts for a unit sees its own, who is bound to regions sees
// those; callers never see what their own unit had.
func WorklistFilter(list Worklist, by Actor) (IssueFilter, error) {
	f := IssueFilter{Open: new(true)}
	f.bindTo(by)
	switch list {
	case WorkMine:
		return f, f.mine(by)
	case WorkOverdue:
		f.Overdue = new(true)
	case WorkReturned:
		f.States, f.Returned = []State{Registered}, new(true)
	case WorkAwaitingCallback:
		f.States = []State{Claimed}
	case WorkAwaitingReview:
		f.States, f.ClaimKinds = []State{Claimed}, []ClaimKind{ClaimExplained, ClaimReferredOut}
	case WorkCarried:
		return f, f.carriedBy(by)
	default:
		return f, Invalid("kind", "worklist %q is unknown; give one of %s", list, join(Worklists))
	}
	return f, nil
}

// BackCheck narrows a list of visits to those of which the actor is to ask who was there whether they were held: drawn by lot, of the actor's regions, and
// with no answer but of hosts or of those who were not sure. Nobody asks about visits that are his own or of the unit that he acts for.
func (f VisitFilter) BackCheck(by Actor) VisitFilter {
	f.ToCheckBack = &by
	return f
}

// bindTo narrows to what the actor is bound to.
func (f *IssueFilter) bindTo(by Actor) {
	switch {
	case ofAUnit(by.Role) && by.UnitID != nil:
		f.WorkedOnBy = []uuid.UUID{*by.UnitID}
	case by.Role == RoleCaller && by.UnitID != nil:
		f.NeverWorkedOnBy = []uuid.UUID{*by.UnitID}
	}
	for _, region := range by.RegionIDs {
		f.Or = append(f.Or, IssueFilter{Under: &region})
	}
}

// mine narrows to what the role works on.
func (f *IssueFilter) mine(by Actor) error {
	switch by.Role {
	case RoleHandler, RoleUnitHead:
		if by.UnitID == nil {
			return Errorf(CodeForbidden, "role %s works on what its unit has; act with a unit", by.Role)
		}
		f.States = []State{Dispatched, InProgress, AwaitingCitizen, Planned}
	case RoleIntake, RoleDispatcher:
		f.States = []State{Registered}
	case RoleSupervisor:
		f.Escalated = new(true)
	case RoleCaller:
		f.States = []State{Claimed}
	case RoleLeader:
		return f.carriedBy(by)
	case RoleCitizen:
		if by.ID == Anonymous.ID {
			return Errorf(CodeForbidden, "the anonymous have no list of their own; follow an issue by its reference")
		}
		f.ReportedBy = by.ID
		f.Open = nil
	default:
		return Errorf(CodeForbidden, "role %s works on no issues of its own", by.Role)
	}
	return nil
}

func (f *IssueFilter) carriedBy(by Actor) error {
	if by.OfficialID == nil {
		return Errorf(CodeForbidden, "only an official carries cases; act with an account that is bound to one")
	}
	f.CarriedBy = by.OfficialID
	return nil
}
