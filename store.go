package groundwork

import (
	"context"
	"time"

	"github.com/google/uuid"
)

// Store is the system of record as the API sees it. A look-up by id returns nil and no error for what does not exist; batch
// look-ups leave it out of the map. Lists are keyset-paged. Every write is one transaction, answers when it is durable, and
// fails with an *Error (CodeInvalid, CodeNotFound, CodeForbidden, CodeTransition, CodeConflict) when it is refused.
type Store interface {
	PlaceStore
	OfficeStore
	OpinionStore
	IssueStore
	TargetStore
	NotificationStore
	FeedStore
	SimilarStore
	TopicStore
	EvidenceStore
	CampaignStore
	PolicyStore
	RotaStore
	SkillStore
	ResearchStore
	SurveyStore
	DiscussionStore
	HistoryStore
	ReachStore
	MeasureRecordStore
	SubjectTargetStore
	FlagStore
	AssessmentStore
	VaultStore
	GlassStore
	Ping(ctx context.Context) error
}

// PlaceStore keeps regions, sites and categories.
type PlaceStore interface {
	Regions(ctx context.Context, f RegionFilter, p PageRequest) (Page[*Region], error) // ordered by code
	RegionsByID(ctx context.Context, ids []uuid.UUID) (map[uuid.UUID]*Region, error)
	RegionByCode(ctx context.Context, code string) (*Region, error)
	ChildrenOf(ctx context.Context, regionIDs []uuid.UUID, limit int) (map[uuid.UUID][]*Region, error) // by code, at most limit a region
	PopulationsOf(ctx context.Context, regionIDs []uuid.UUID) (map[uuid.UUID][]Population, error)
	BoundariesOf(ctx context.Context, regionIDs []uuid.UUID) (map[uuid.UUID]*Boundary, error)
	// NeighboursOf returns the regions that touch each one today, by code.
	NeighboursOf(ctx context.Context, regionIDs []uuid.UUID) (map[uuid.UUID][]*Region, error)
	CreateRegion(ctx context.Context, by Actor, r Region) (*Region, Receipt, error)
	SetPopulations(ctx context.Context, by Actor, ps []Population) (Receipt, error)

	Sites(ctx context.Context, f SiteFilter, p PageRequest) (Page[*Site], error) // ordered by name
	SitesByID(ctx context.Context, ids []uuid.UUID) (map[uuid.UUID]*Site, error)
	CreateSite(ctx context.Context, by Actor, s Site) (*Site, Receipt, error)

	Categories(ctx context.Context, f CategoryFilter, p PageRequest) (Page[*Category], error) // ordered by code, version
	CategoriesByID(ctx context.Context, ids []uuid.UUID) (map[uuid.UUID]*Category, error)
	CreateCategory(ctx context.Context, by Actor, c Category) (*Category, Receipt, error) // an existing code makes a new version
}

// OfficeStore keeps units, people in office and their visits.
type OfficeStore interface {
	OrgUnits(ctx context.Context, f OrgUnitFilter, p PageRequest) (Page[*OrgUnit], error) // ordered by name
	OrgUnitsByID(ctx context.Context, ids []uuid.UUID) (map[uuid.UUID]*OrgUnit, error)
	CreateOrgUnit(ctx context.Context, by Actor, u OrgUnit) (*OrgUnit, Receipt, error)
	CreateDispatchRule(ctx context.Context, by Actor, r DispatchRule) (*DispatchRule, Receipt, error)

	Officials(ctx context.Context, p PageRequest) (Page[*Official], error) // ordered by pseudonym
	OfficialsByID(ctx context.Context, ids []uuid.UUID) (map[uuid.UUID]*Official, error)
	CreateOfficial(ctx context.Context, by Actor, o Official) (*Official, Receipt, error)
	PostHoldingsByID(ctx context.Context, ids []uuid.UUID) (map[uuid.UUID]*PostHolding, error)
	PostHoldingsOf(ctx context.Context, officialIDs []uuid.UUID) (map[uuid.UUID][]*PostHolding, error)
	CreatePostHolding(ctx context.Context, by Actor, h PostHolding) (*PostHolding, Receipt, error)

	Visits(ctx context.Context, f VisitFilter, p PageRequest) (Page[*Visit], error) // ordered by started_at descending
	VisitsByID(ctx context.Context, ids []uuid.UUID) (map[uuid.UUID]*Visit, error)
	// RecordVisit enters a visit afterwards, HELD or, with its note, RECORDED.
	RecordVisit(ctx context.Context, by Actor, v Visit) (*Visit, Receipt, error)
}

// OpinionStore keeps what people said.
type OpinionStore interface {
	Opinions(ctx context.Context, f OpinionFilter, p PageRequest) (Page[*Opinion], error) // ordered by received_at descending
	// OpinionBySecret returns the opinion that the secret came with, nil if there is none.
	OpinionBySecret(ctx context.Context, secret string) (*Opinion, error)
	OpinionsByID(ctx context.Context, ids []uuid.UUID) (map[uuid.UUID]*Opinion, error)
	OpinionsOf(ctx context.Context, issueIDs []uuid.UUID, limit int) (map[uuid.UUID][]*Opinion, error) // earliest first, at most limit an issue
	SubmitOpinion(ctx context.Context, by Actor, o Opinion) (*Opinion, Receipt, error)
}

// IssueStore keeps issues and their lives.
type IssueStore interface {
	Issues(ctx context.Context, f IssueFilter, o IssueOrder, p PageRequest) (Page[*Issue], error)
	CountIssues(ctx context.Context, f IssueFilter, limit int) (Count, error)
	IssuesByID(ctx context.Context, ids []uuid.UUID) (map[uuid.UUID]*Issue, error)
	IssueByRef(ctx context.Context, publicRef string) (*Issue, error)
	IssuesOfOpinions(ctx context.Context, opinionIDs []uuid.UUID) (map[uuid.UUID]*Issue, error)
	EventsOf(ctx context.Context, issueIDs []uuid.UUID, limit int) (map[uuid.UUID][]*Event, error) // by seq, at most limit an issue
	ClaimsOf(ctx context.Context, issueIDs []uuid.UUID, limit int) (map[uuid.UUID][]*Claim, error) // by n
	FeedbackOf(ctx context.Context, claimIDs []uuid.UUID, limit int) (map[uuid.UUID][]*Feedback, error)
	CallbackAttemptsOf(ctx context.Context, claimIDs []uuid.UUID, limit int) (map[uuid.UUID][]*CallbackAttempt, error)

	LegsOf(ctx context.Context, issueIDs []uuid.UUID, limit int) (map[uuid.UUID][]*Leg, error)     // by n
	SpellsOf(ctx context.Context, issueIDs []uuid.UUID, limit int) (map[uuid.UUID][]*Spell, error) // by clock, n

	// RegisterIssue opens an issue on one or more opinions that belong to none yet.
	RegisterIssue(ctx context.Context, r Registration) (*Issue, Receipt, error)
	// Step moves an issue along its life: guards, event, derived state and what belongs to it (claim, feedback, call-back
	// attempt, link) in one transaction.
	Step(ctx context.Context, s Step) (*Issue, Receipt, error)
}

// Registration opens an issue.
type Registration struct {
	Actor      Actor
	OpinionIDs []uuid.UUID
	Title      string // empty = the first opinion's subject
	CategoryID *uuid.UUID
	Severity   Severity   // empty = NORMAL
	Difficulty Difficulty // empty = ROUTINE
	RegionID   *uuid.UUID // nil = that of the first opinion
	SiteID     *uuid.UUID
	DueAt      *time.Time
}

// TimeRange is half-open: [From, To); a nil end is open.
type TimeRange struct{ From, To *time.Time }

// RegionFilter narrows a list of regions; zero fields do not narrow.
type RegionFilter struct {
	Levels   []RegionLevel
	ParentID *uuid.UUID
	Under    *uuid.UUID // the subtree below and including
	Name     string     // part of the name
}

// SiteFilter narrows a list of sites.
type SiteFilter struct {
	Under *uuid.UUID // region subtree
	Kinds []SiteKind
	Name  string
}

// CategoryFilter narrows a list of categories.
type CategoryFilter struct {
	ParentID *uuid.UUID
	RootOnly bool
	Code     string
	ValidOn  *time.Time
}

// OrgUnitFilter narrows a list of units.
type OrgUnitFilter struct {
	Under *uuid.UUID // region subtree
	Kinds []UnitKind
	Name  string
}

// VisitFilter narrows a list of visits.
type VisitFilter struct {
	Under         *uuid.UUID // region subtree
	SiteIDs       []uuid.UUID
	ActivityKinds []ActivityKind
	States        []VisitState
	Started       TimeRange
	ToCheckBack   *Actor // drawn by lot, held, and still to be asked about by this actor: see BackCheck
}

// OpinionFilter narrows a list of opinions.
type OpinionFilter struct {
	Under         *uuid.UUID // region subtree
	RegionUnknown bool
	Channels      []Channel
	Kinds         []OpinionKind
	Sources       []string
	VisitID       *uuid.UUID // raised at it
	Received      TimeRange
	Text          string // part of subject or text
	Linked        *bool  // belongs to an issue
}

// IssueFilter narrows a list of issues. And, Or and Not combine, at most three deep and 100 in all.
type IssueFilter struct {
	IDs             []uuid.UUID
	States          []State
	Open            *bool
	ClosureTypes    []Closure
	Severities      []Severity
	Difficulties    []Difficulty
	Kinds           []OpinionKind
	Channels        []Channel
	CategoryIDs     []uuid.UUID // with everything below
	CategoryUnknown *bool
	Under           *uuid.UUID // region subtree
	RegionUnknown   *bool
	LeadUnitIDs     []uuid.UUID
	Origin          TimeRange
	Claimed         TimeRange
	Closed          TimeRange
	Due             TimeRange
	Overdue         *bool       // due_at passed and neither claimed nor closed
	WorkedOnBy      []uuid.UUID // units that have it, as lead or beside the lead, and did not give it back
	NeverWorkedOnBy []uuid.UUID // units that never had it
	CarriedBy       *uuid.UUID  // the official who carries the case
	ReportedBy      string      // the account that reported it
	ClaimKinds      []ClaimKind // of its last claim
	Returned        *bool       // given back at least once
	Escalated       *bool       // raised at least once
	Text            string
	And, Or         []IssueFilter
	Not             *IssueFilter
}

// IssueOrder orders a list of issues; ties go by id.
type IssueOrder string

// The orders.
const (
	OrderOriginDesc  IssueOrder = "ORIGIN_DESC"
	OrderOriginAsc   IssueOrder = "ORIGIN_ASC"
	OrderUpdatedDesc IssueOrder = "UPDATED_DESC"
	OrderDueAsc      IssueOrder = "DUE_ASC" // issues without a due time come last
)

// HistoryStore keeps the histories of the nouns other than issues.
type HistoryStore interface {
	// HistoryOf returns the first events of things of a noun (its table's name), by seq, at most limit a thing.
	HistoryOf(ctx context.Context, noun string, ids []uuid.UUID, limit int) (map[uuid.UUID][]*EntityEvent, error)
}
