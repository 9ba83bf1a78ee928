package groundwork

import (
	"time"

	"github.com/google/uuid"
)

// ClaimKind is what the handler claims about the problem.
type ClaimKind string

// The kinds of claims.
const (
	ClaimFixed       ClaimKind = "FIXED"
	ClaimExplained   ClaimKind = "EXPLAINED"
	ClaimReferredOut ClaimKind = "REFERRED_OUT"
)

// Claim is the handler's word that the issue is done. Only the citizen's word makes it a resolution.
type Claim struct {
	ID               uuid.UUID
	IssueID          uuid.UUID
	N                int
	Kind             *ClaimKind // nil = the source of an imported reply does not say
	Source           string
	OpinionID        *uuid.UUID // the opinion that an imported reply answers
	Text             string
	LegalBasis       *string
	AppealNotice     *string
	Receipt          *string
	Evidence         []string
	ClaimedAt        time.Time
	ClaimedPrecision Precision
	UnitID           *uuid.UUID
	SignedBy         *string // the unit head whose own account made the claim
	ReviewedBy       *string
	CreatedAt        time.Time
}

// CallbackAttempt is one try of an independent caller to reach the reporter about a claim.
type CallbackAttempt struct {
	ID          uuid.UUID
	ClaimID     uuid.UUID
	At          time.Time
	Method      string // PHONE, MESSAGE, VISIT or LETTER
	AgentUnitID *uuid.UUID
	Outcome     string // ANSWERED, NO_ANSWER, REFUSED or WRONG_NUMBER
}

// Feedback is the reporter's verdict on a claim.
type Feedback struct {
	ID              uuid.UUID
	ClaimID         uuid.UUID
	IssueID         uuid.UUID
	ReporterPID     *uuid.UUID
	Resolved        string // YES, PARTLY or NO
	Satisfaction    *int   // 1 to 5
	Pressured       string // YES, NO or UNSAID
	CollectedBy     string // SELF, INDEPENDENT or HANDLER
	CollectedUnitID *uuid.UUID
	Comment         *string
	At              time.Time
	CreatedAt       time.Time
}
