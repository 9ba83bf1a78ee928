package groundwork

import (
	"time"

	"github.com/google/uuid"
)

// Step asks to move an issue along its life. Kind names the transition; the group of fields that belongs to it carries what its
// guard asks for, all else stays zero. At is when it happened, zero = now; it may lie in the past, never in the future.
type Step struct {
	IssueID     uuid.UUID
	Kind        EventKind
	Actor       Actor
	At          time.Time
	ExpectedSeq int    // optimistic locking: the issue's Seq as the caller saw it, 0 = do not check
	Reason      string // public reason or coded reason, as the transition asks
	Secret      string // of an opinion on the issue: proves that a CITIZEN gave it

	UnitID         *uuid.UUID  // DISPATCHED: the unit that leads
	CoUnitIDs      []uuid.UUID // DISPATCHED: units that work on it beside the lead
	OverrideReason string      // DISPATCHED outside the catalogue

	ReturnReason string // RETURNED: NOT_OUR_DUTY, WRONG_REGION, NEEDS_JOINT or MISSING_FACTS
	DutyList     string // RETURNED: the entry of the duty list that is cited

	Question string // ASKED

	TargetDate time.Time // PLAN_PROPOSED
	ReviewAt   time.Time // PLAN_PROPOSED: at most 90 days on

	PostID *uuid.UUID // CARRIED: the post_holding of the official who carries the case

	Text            string    // RESPONDED, CLAIMED
	ClaimKind       ClaimKind // CLAIMED
	LegalBasis      string    // CLAIMED as EXPLAINED
	AppealNotice    string    // CLAIMED as EXPLAINED
	Receipt         string    // CLAIMED as REFERRED_OUT
	Evidence        []string  // CLAIMED as FIXED
	AnswerDelivered bool      // CLAIMED

	Method  string // CALLED_BACK
	Outcome string // CALLED_BACK

	Resolved     string // CONFIRMED, DISPUTED, FEEDBACK: YES, PARTLY or NO
	Satisfaction *int
	Pressured    string // also WITHDRAWN
	CollectedBy  string
	Comment      string

	Closure          Closure // CLOSED: UNCONFIRMED, EXPLAINED or REFERRED_OUT
	CitizenDisagrees bool    // CLOSED as EXPLAINED

	TargetIssueID *uuid.UUID // MERGED

	OpinionID *uuid.UUID // LINKED
}
