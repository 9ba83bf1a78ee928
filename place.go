package groundwork

import (
	"time"

	"github.com/google/uuid"
)

// RegionLevel is a rung of the administrative tree.
type RegionLevel string

// The rungs, from the top.
const (
	Province         RegionLevel = "PROVINCE"
	Prefecture       RegionLevel = "PREFECTURE"
	County           RegionLevel = "COUNTY"
	Township         RegionLevel = "TOWNSHIP"
	VillageCommittee RegionLevel = "VILLAGE_COMMITTEE"
)

// RegionLevels lists the rungs from the top.
var RegionLevels = []RegionLevel{Province, Prefecture, County, Township, VillageCommittee}

// Region is a node of the administrative tree. Code has 12 digits; Path holds the codes from the province down to this region.
type Region struct {
	ID         uuid.UUID
	Code       string
	Level      RegionLevel
	ParentID   *uuid.UUID
	Path       []string
	Name       string
	Latitude   *float64
	Longitude  *float64
	UrbanRural *string // URBAN or RURAL
	ValidFrom  *time.Time
	ValidTo    *time.Time
	CreatedAt  time.Time
}

// Population is how many people lived in a region in a year, and who says so.
type Population struct {
	RegionID uuid.UUID
	Year     int
	Persons  int64
	Source   string
}

// SiteKind is the kind of place that leading officials go down to.
type SiteKind string

// The kinds of sites.
const (
	Factory    SiteKind = "FACTORY"
	Rural      SiteKind = "RURAL"
	Community  SiteKind = "COMMUNITY"
	School     SiteKind = "SCHOOL"
	Hospital   SiteKind = "HOSPITAL"
	GovtWindow SiteKind = "GOVT_WINDOW"
	OtherSite  SiteKind = "OTHER"
)

// Site is a factory, village, community, school or another place that visits go to.
type Site struct {
	ID           uuid.UUID
	RegionID     uuid.UUID
	Kind         SiteKind
	Name         string
	Latitude     *float64
	Longitude    *float64
	EligibleFrom *time.Time
	EligibleTo   *time.Time
	CreatedAt    time.Time
}

// Category is a node of the versioned tree of matters. Path holds the names from the top down to this category. AuditedMinimumMinutes is the
// shortest time in which an audit found that such a matter can be done (measure F5); nil = that of the nearest category above that has one, else ten minutes.
type Category struct {
	ID                    uuid.UUID
	Code                  string
	Version               int
	ParentID              *uuid.UUID
	Name                  string
	Path                  []string
	AuditedMinimumMinutes *int
	ValidFrom             time.Time
	ValidTo               *time.Time
	CreatedAt             time.Time
}
