package groundwork

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"math"
	"strings"
	"time"

	"github.com/google/uuid"
)

// CampaignState is where a campaign stands in its life.
type CampaignState string

// The states of a campaign.
const (
	CampaignCandidate CampaignState = "CANDIDATE"
	CampaignDeclined  CampaignState = "DECLINED"
	CampaignSelected  CampaignState = "SELECTED"
	CampaignActive    CampaignState = "ACTIVE"
	CampaignReview    CampaignState = "REVIEW"
	CampaignExtended  CampaignState = "EXTENDED"
	CampaignExited    CampaignState = "EXITED"
	CampaignFailed    CampaignState = "FAILED"
)

// CampaignOrigin says what put a campaign forward: a detector of hotspots, or a leader.
type CampaignOrigin string

// The origins of campaigns.
const (
	FromClusters CampaignOrigin = "H2"
	FromScan     CampaignOrigin = "H3"
	FromSurprise CampaignOrigin = "H4"
	FromLeader   CampaignOrigin = "LEADER"
)

// Campaign is a concentrated effort on a hot or difficult problem in some regions. What it was selected for, by what it will be
// judged and with which regions it will be compared are frozen when it is selected, so that its effect can be told afterwards from
// regression to the mean.
type Campaign struct {
	ID             uuid.UUID
	Topic          string
	CategoryID     *uuid.UUID // the matter; nil = all matters
	Origin         CampaignOrigin
	SelectionRule  string // how regions came to be chosen, in words
	LeadUnitID     uuid.UUID
	Evidence       *HotspotEvidence // nil until it is selected
	EvidenceSHA256 *string          // of the evidence as stored
	PeriodFrom     *time.Time       // day
	PeriodTo       *time.Time       // day after the last
	State          CampaignState
	Version        int
	Reviews        int        // how often it was reviewed
	ReviewerUnitID *uuid.UUID // the unit of who judged it last
	NominatedAt    time.Time
	SelectedAt     *time.Time
	StartedAt      *time.Time
	ReviewAt       *time.Time // of the last review
	ExtendedAt     *time.Time
	EndedAt        *time.Time
	CreatedAt      time.Time
}

// HotspotEvidence is what the regions of a campaign looked like when they were selected: measure H1 with the version of its
// definition, over issues that originated in [From, To), as of a moment.
type HotspotEvidence struct {
	DefinitionVersion int           `json:"definition_version"`
	From              time.Time     `json:"from"`
	To                time.Time     `json:"to"`
	AsOf              time.Time     `json:"as_of"`
	Cells             []HotspotCell `json:"cells"`
}

// HotspotCell is a row of the evidence. Rate, weight and common rate give the fall that is expected without any campaign:
// (1 - Weight) * (RawRate - CommonRate).
type HotspotCell struct {
	RegionID    uuid.UUID  `json:"region_id"`
	CategoryID  *uuid.UUID `json:"category_id,omitempty"`
	Issues      int        `json:"issues"`
	PersonYears float64    `json:"person_years"`
	RawRate     float64    `json:"raw_rate"`          // per 1,000 person-years
	Rate        float64    `json:"rate"`              // shrunk
	Weight      float64    `json:"weight"`            // how much the cell itself counts in its shrunk rate, 0 to 1
	CommonRate  float64    `json:"common_rate"`       // towards which it is shrunk
	Rank        int        `json:"rank"`              // 0 = the regions differ no more than chance explains
	PValue      *float64   `json:"p_value,omitempty"` // of the detector that put it forward
}

// ExpectedFall is the fall of the raw rate, per 1,000 person-years, that regression to the mean brings by itself.
func (c HotspotCell) ExpectedFall() float64 { return (1 - c.Weight) * (c.RawRate - c.CommonRate) }

// addsUp examines that the row is one of H1, but for rounding: the raw rate follows from the counts, and the shrunk rate from the raw
// one, the common one and the weight.
func (c HotspotCell) addsUp() bool {
	raw := c.PersonYears == 0 || near(c.RawRate, 1000*float64(c.Issues)/c.PersonYears)
	return raw && near(c.Rate, c.Weight*c.RawRate+(1-c.Weight)*c.CommonRate)
}

func near(a, b float64) bool { return math.Abs(a-b) <= 0.01*max(a, b) }

// Seal returns the evidence as it is stored, and the hash that proves it unchanged.
func (e HotspotEvidence) Seal() (text, hash string, err error) {
	raw, err := json.Marshal(e)
	if err != nil {
		return "", "", err
	}
	sum := sha256.Sum256(raw)
	return string(raw), hex.EncodeToString(sum[:]), nil
}

// RegionRole is what a region is to a campaign.
type RegionRole string

// The roles of regions.
const (
	TreatedRegion    RegionRole = "TREATED"    // the campaign acts there
	ComparisonRegion RegionRole = "COMPARISON" // it does not: the next in rank that was not selected
)

// CampaignRegion says what a region is to a campaign.
type CampaignRegion struct {
	CampaignID uuid.UUID
	RegionID   uuid.UUID
	Role       RegionRole
}

// Direction says on which side of a threshold the good values lie; the threshold itself is good.
type Direction string

// The directions.
const (
	AtMost  Direction = "AT_MOST"
	AtLeast Direction = "AT_LEAST"
)

// ExitCriterion is what must hold for a campaign to be exited: a measure over the treated regions, in a window of days.
type ExitCriterion struct {
	CampaignID uuid.UUID
	N          int // 1 for the first
	Measure    string
	Direction  Direction
	Threshold  float64
	WindowDays int
}

// Met reports whether a value meets the criterion.
func (c ExitCriterion) Met(value float64) bool {
	if c.Direction == AtMost {
		return value <= c.Threshold
	}
	return value >= c.Threshold
}

// CriterionResult is what a criterion's measure was found to be at a review.
type CriterionResult struct {
	CampaignID uuid.UUID
	Review     int // 1 for the first review
	N          int // of the criterion
	Value      float64
	CILow      *float64
	CIHigh     *float64
	Cases      int // on which the value rests
	AsOf       time.Time
	Met        bool
}

// CampaignIssue says that an issue was part of a campaign over [JoinedAt, LeftAt). The issue keeps a life of its own.
type CampaignIssue struct {
	ID         uuid.UUID
	CampaignID uuid.UUID
	IssueID    uuid.UUID
	JoinedAt   time.Time
	LeftAt     *time.Time
}

// Validate examines a nomination.
func (n Nomination) Validate() error {
	return firstError(
		check(strings.TrimSpace(n.Topic) != "", "topic", "a campaign needs a topic"),
		oneOf("origin", n.Origin, FromClusters, FromScan, FromSurprise, FromLeader),
		check(strings.TrimSpace(n.SelectionRule) != "", "selectionRule", "say by which rule the regions were chosen: the effect is judged by it"),
		check(len(n.RegionIDs) > 0, "regionIds", "a campaign acts in at least one region"),
		check(len(n.RegionIDs) <= maxCampaignRegions, "regionIds", "%d regions are too many; give at most %d", len(n.RegionIDs), maxCampaignRegions),
		distinctIDs("regionIds", "region", n.RegionIDs),
	)
}

const (
	maxCampaignRegions = 500
	maxCriteria        = 10
	maxJoining         = 100 // issues in one step
)

func distinctIDs(field, noun string, ids []uuid.UUID) error {
	seen := make(map[uuid.UUID]bool, len(ids))
	for _, id := range ids {
		if seen[id] {
			return Invalid(field, "%s %s is given twice", noun, id)
		}
		seen[id] = true
	}
	return nil
}
