package groundwork

import (
	"context"
	"fmt"
	"strings"
	"time"
)

// ReferenceImporter takes in reference data from files: what exists independently of any opinion. Each method is one transaction, finds
// what is there by its natural key, adds what is new, changes what differs and leaves the rest alone; empty cells keep what is there.
// Rows that cannot be taken are named in the result and do not keep the others out.
type ReferenceImporter interface {
	ImportRegions(ctx context.Context, by Actor, rows []RegionRow, o ReferenceOptions) (ReferenceResult, error)
	// ImportBoundaries takes in the outlines of regions that are there. A region without a place gets the centroid.
	ImportBoundaries(ctx context.Context, by Actor, rows []BoundaryRow, o ReferenceOptions) (ReferenceResult, error)
	// ImportNeighbours takes in pairs of regions that touch. With Replace, other pairs of the same source at the levels of the rows go.
	ImportNeighbours(ctx context.Context, by Actor, rows []NeighbourRow, o ReferenceOptions) (ReferenceResult, error)
	ImportSites(ctx context.Context, by Actor, rows []SiteRow, o ReferenceOptions) (ReferenceResult, error)
	ImportUnits(ctx context.Context, by Actor, rows []UnitRow, o ReferenceOptions) (ReferenceResult, error)
	ImportOfficials(ctx context.Context, by Actor, rows []OfficialRow, o ReferenceOptions) (ReferenceResult, error)
	// ImportCategories takes in a tree of categories; those above a row's category come with it.
	ImportCategories(ctx context.Context, by Actor, rows []CategoryRow, o ReferenceOptions) (ReferenceResult, error)
	ImportDispatchRules(ctx context.Context, by Actor, rows []DispatchRuleRow, o ReferenceOptions) (ReferenceResult, error)
	// ImportTargets takes in what is promised; a version that is there never changes.
	ImportTargets(ctx context.Context, by Actor, rows []TargetRow, o ReferenceOptions) (ReferenceResult, error)
	ImportHolidays(ctx context.Context, by Actor, rows []HolidayRow, o ReferenceOptions) (ReferenceResult, error)
}

// ReferenceOptions steer an import of reference data. The zero value takes everything in.
type ReferenceOptions struct {
	DryRun   bool
	Replace  bool           // holidays: days of the file's years that it does not name become ordinary again; neighbours: pairs that are not given go
	Progress func(done int) // told how many rows are done; may be nil
}

// ReferenceResult counts what an import of reference data did.
type ReferenceResult struct {
	Added, Changed, Known, Removed int
	Refused                        []RefusedRow
	Receipt                        Receipt
}

// RefusedRow is a row that could not be taken in, with what an operator needs to repair it.
type RefusedRow struct {
	Line   int
	Field  string
	Value  string
	Reason string
}

// RegionRow is a line of a file of regions; its natural key is the code.
type RegionRow struct {
	Line       int
	Region     Region // without ids
	ParentCode string // empty = the one that the code shows
}

// SiteRow is a line of a file of sites; its natural key is region, kind and name.
type SiteRow struct {
	Line       int
	Site       Site // without ids
	RegionCode string
}

// UnitRef names a unit: by its name and the code of its region, which may be empty if only one unit has the name.
type UnitRef struct{ Name, RegionCode string }

// UnitRow is a line of a file of units; its natural key is name and region.
type UnitRow struct {
	Line       int
	Unit       OrgUnit // without ids
	RegionCode string  // empty = a unit of no region
	Parent     UnitRef // an empty name = none
}

// OfficialRow is a line of a file of officials: one post that one of them holds or held. Its natural key is pseudonym, unit, title and
// first day.
type OfficialRow struct {
	Line      int
	Pseudonym string
	Post      PostHolding // without ids
	Unit      UnitRef
}

// CategoryRow is a line of a file of categories; its natural key is the path.
type CategoryRow struct {
	Line                  int
	Path                  []string // names from the top of the tree down
	Code                  string   // empty = the code of the one above and the next free number of two digits
	AuditedMinimumMinutes *int     // nil = what is there
}

// DispatchRuleRow is a line of a file of the dispatch catalogue; its natural key is category, level, unit and first day.
type DispatchRuleRow struct {
	Line         int
	Rule         DispatchRule // without ids
	CategoryCode string
	Unit         UnitRef
}

// TargetRow is a line of a file of targets; its natural key is category, severity and the moment from which it holds.
type TargetRow struct {
	Line         int
	CategoryCode string        // empty = all categories that have none of their own
	Target       TargetVersion // without ids
}

// HolidayRow is a line of a file of holidays: a day that is worked or not against the rule of Monday to Friday.
type HolidayRow struct {
	Line   int
	Day    time.Time // midnight UTC of the day
	Worked bool
	Note   string
}

// LevelOfCode reads the level of a region off its code (GB/T 2260 and its continuation below the county): two digits each for
// province, prefecture and county, three each for township and village committee; zeros where the code ends.
func LevelOfCode(code string) RegionLevel {
	switch {
	case strings.HasSuffix(code, "0000000000"):
		return Province
	case strings.HasSuffix(code, "00000000"):
		return Prefecture
	case strings.HasSuffix(code, "000000"):
		return County
	case strings.HasSuffix(code, "000"):
		return Township
	}
	return VillageCommittee
}

// digitsAbove is how many digits of a code name the region above one of the level.
var digitsAbove = map[RegionLevel]int{Prefecture: 2, County: 4, Township: 6, VillageCommittee: 9}

// ParentCode is the code of the region above one of the code and level; empty for a province.
func ParentCode(code string, l RegionLevel) string {
	digits := digitsAbove[l]
	if digits == 0 || len(code) != 12 {
		return ""
	}
	return fmt.Sprintf("%s%0*d", code[:digits], 12-digits, 0)
}
