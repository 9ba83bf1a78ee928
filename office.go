package groundwork

import (
	"time"

	"github.com/google/uuid"
)

// UnitKind is the kind of an organisation that can be made responsible.
type UnitKind string

// The kinds of units.
const (
	PartyUnit      UnitKind = "PARTY"
	GovtUnit       UnitKind = "GOVT"
	UtilityUnit    UnitKind = "UTILITY"
	EnterpriseUnit UnitKind = "ENTERPRISE"
)

// OrgUnit is an organisation that issues are dispatched to and officials hold posts in.
type OrgUnit struct {
	ID        uuid.UUID
	ParentID  *uuid.UUID
	RegionID  *uuid.UUID
	Name      string
	Kind      UnitKind
	CreatedAt time.Time
}

// DispatchRule is an entry of the catalogue: the unit handles the category at a level of region, on the stated basis.
type DispatchRule struct {
	ID          uuid.UUID
	CategoryID  uuid.UUID
	RegionLevel RegionLevel
	OrgUnitID   uuid.UUID
	Basis       string
	ValidFrom   time.Time
	ValidTo     *time.Time
}

// Official is a person in office under a pseudonymous key; the name belongs in the vault.
type Official struct {
	ID        uuid.UUID
	Pseudonym string
	CreatedAt time.Time
}

// Rank is the rank of a post.
type Rank string

// The ranks, from the top.
const (
	RankProvincial Rank = "PROVINCIAL"
	RankPrefecture Rank = "PREFECTURE"
	RankCounty     Rank = "COUNTY"
	RankTownship   Rank = "TOWNSHIP"
	RankSection    Rank = "SECTION"
)

// PostHolding says that an official held a post in a unit over the days [HeldFrom, HeldTo).
type PostHolding struct {
	ID         uuid.UUID
	OfficialID uuid.UUID
	OrgUnitID  uuid.UUID
	Rank       Rank
	Title      string
	HeldFrom   time.Time
	HeldTo     *time.Time
	CreatedAt  time.Time
}

// heldOn reports whether the post was held on the day of t.
func (h PostHolding) heldOn(t time.Time) bool {
	day := DayOf(t)
	return h.HeldFrom.Format(time.DateOnly) <= day && (h.HeldTo == nil || day < h.HeldTo.Format(time.DateOnly))
}

// ActivityKind is one of the four activities of the practice.
type ActivityKind string

// The four activities.
const (
	Propagation  ActivityKind = "PROPAGATION"
	Research     ActivityKind = "RESEARCH"
	Reception    ActivityKind = "RECEPTION"
	OnsiteOffice ActivityKind = "ONSITE_OFFICE"
)

// VisitState is where a visit stands in its life.
type VisitState string

// The states of a visit.
const (
	VisitPlanned   VisitState = "PLANNED"
	VisitCheckedIn VisitState = "CHECKED_IN"
	VisitHeld      VisitState = "HELD"
	VisitRecorded  VisitState = "RECORDED"
	VisitClosedOut VisitState = "CLOSED_OUT"
	VisitCancelled VisitState = "CANCELLED"
	VisitVoid      VisitState = "VOID"
)

// Visit is one going-down of a leading official to a site.
type Visit struct {
	ID            uuid.UUID
	ActivityKind  ActivityKind
	Notice        string // ANNOUNCED or UNANNOUNCED
	SiteID        uuid.UUID
	LeadID        uuid.UUID   // the post_holding that leads
	TakePartIDs   []uuid.UUID `db:"-"` // further posts that take part, as asked for; ParticipantsOf reads them
	StartedAt     time.Time
	EndedAt       *time.Time
	CitizensMet   *int
	NoteText      *string
	NoteUnitID    *uuid.UUID
	NoteCreatedAt *time.Time
	State         VisitState
	Version       int
	CreatedAt     time.Time
	RedactedAt    *time.Time `json:",omitempty"` // when its note was taken away, as the rules of retention say; nil = it stands
	Drawn         *bool      `json:"-" db:"-"`   // by lot for the back-check, of bulk loads; the database draws those that are entered one by one, and tells nobody but who is to ask
}
