package groundwork

import (
	"time"

	"github.com/google/uuid"
)

// State is where an issue stands in its life.
type State string

// The states of an issue.
const (
	Registered      State = "REGISTERED"
	Dispatched      State = "DISPATCHED"
	InProgress      State = "IN_PROGRESS"
	AwaitingCitizen State = "AWAITING_CITIZEN"
	Planned         State = "PLANNED"
	Claimed         State = "CLAIMED"
	Closed          State = "CLOSED"
	Merged          State = "MERGED"
)

// Open reports whether the issue still waits for an end: neither closed nor merged into another.
func (s State) Open() bool { return s != Closed && s != Merged }

// Closure is how a closed issue ended.
type Closure string

// The closures.
const (
	Confirmed   Closure = "CONFIRMED"
	Unconfirmed Closure = "UNCONFIRMED"
	Explained   Closure = "EXPLAINED"
	ReferredOut Closure = "REFERRED_OUT"
	Withdrawn   Closure = "WITHDRAWN"
)

// Severity of an issue.
type Severity string

// The severities, from the lowest.
const (
	SeverityLow    Severity = "LOW"
	SeverityNormal Severity = "NORMAL"
	SeverityHigh   Severity = "HIGH"
	SeverityUrgent Severity = "URGENT"
)

// Severities lists the severities, the least first.
var Severities = []Severity{SeverityLow, SeverityNormal, SeverityHigh, SeverityUrgent}

// Difficulty of an issue.
type Difficulty string

// The difficulties.
const (
	Routine   Difficulty = "ROUTINE"
	CrossUnit Difficulty = "CROSS_UNIT"
	Legacy    Difficulty = "LEGACY"
	PolicyGap Difficulty = "POLICY_GAP"
)

// Progress is all that is derived from an issue's events: where it stands and its milestones. Every event carries the Progress
// after it; the issue carries that of its last event.
type Progress struct {
	Seq             int // number of the last event; the version for optimistic locking
	State           State
	ClosureType     *Closure
	OriginAt        time.Time // earliest opinion received
	FirstResponseAt *time.Time
	ClaimedAt       *time.Time // last claim
	ResolvedAt      *time.Time // claimed_at of the last claim confirmed and not reopened within 90 days
	ClosedAt        *time.Time
	MergedIntoID    *uuid.UUID
	LeadUnitID      *uuid.UUID
	PausedSince     *time.Time
	PausedSeconds   int64
	ReturnCount     int
	DisputeCount    int
	ReopenCount     int
	EscalationLevel int
	OpinionCount    int
}

// Issue is a problem to be solved: one or more opinions on the same matter.
type Issue struct {
	ID            uuid.UUID
	PublicRef     string
	CategoryID    *uuid.UUID
	Severity      Severity
	Difficulty    Difficulty
	Kind          OpinionKind // of its first opinion
	Channel       Channel     // of its first opinion
	Title         string
	RegionID      *uuid.UUID
	SiteID        *uuid.UUID
	SourceVisitID *uuid.UUID
	ObservedUntil *time.Time // nil = observed here, continuously
	Progress
	Promise
	CarryingPostID *uuid.UUID // the post whose holder carries the case
	UpdatedAt      time.Time
	CreatedAt      time.Time
	RedactedAt     *time.Time `json:",omitempty"` // when the words of its course were taken away, as the rules of retention say; nil = they stand
}

// Promise is what was promised for an issue when it was registered. Only an import gives a due time without a target.
type Promise struct {
	TargetVersionID *uuid.UUID // the version in force at the origin
	ResponseDueAt   *time.Time
	DueAt           *time.Time // of the resolution
}

// EventKind is what happened to an issue.
type EventKind string

// The kinds of events.
const (
	EventRegistered EventKind = "REGISTERED"
	EventLinked     EventKind = "LINKED" // one more opinion
	EventDispatched EventKind = "DISPATCHED"
	EventAccepted   EventKind = "ACCEPTED"
	EventReturned   EventKind = "RETURNED"
	EventAsked      EventKind = "ASKED" // a question to the citizen: the net clock pauses
	EventResumed    EventKind = "RESUMED"
	EventProposed   EventKind = "PLAN_PROPOSED" // the unit head proposes to put it off; a supervisor decides
	EventPlanned    EventKind = "PLANNED"
	EventUnplanned  EventKind = "UNPLANNED"
	EventCarried    EventKind = "CARRIED"   // a leading official takes the case upon him- or herself
	EventResponded  EventKind = "RESPONDED" // a human contact that reached the reporter, no change of state
	EventClaimed    EventKind = "CLAIMED"
	EventCalledBack EventKind = "CALLED_BACK" // a call-back attempt, no change of state
	EventFeedback   EventKind = "FEEDBACK"    // a verdict that the handler collected: kept, changes nothing
	EventConfirmed  EventKind = "CONFIRMED"
	EventDisputed   EventKind = "DISPUTED"
	EventClosed     EventKind = "CLOSED" // unconfirmed, explained or referred out
	EventWithdrawn  EventKind = "WITHDRAWN"
	EventMerged     EventKind = "MERGED"
	EventUnmerged   EventKind = "UNMERGED"
	EventReopened   EventKind = "REOPENED"
	EventEscalated  EventKind = "ESCALATED"
	EventCorrected  EventKind = "CORRECTED"
)

// Event is one entry of an issue's append-only history, with the issue's Progress after it.
type Event struct {
	IssueID    uuid.UUID
	Kind       EventKind
	FromState  *State
	At         time.Time // when it happened
	KnownAt    time.Time // when it was known; never decreases
	RecordedAt time.Time
	Actor      Actor
	ReasonCode *string // why: a code of the system, or the words of whoever did it
	Payload    map[string]any
	Progress   // after the event; Progress.Seq is the event's number, Progress.State its to_state
}
