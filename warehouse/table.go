package warehouse

import "time"

// Dimension is what the cells of a measure can be split by.
type Dimension string

// The dimensions. Those of time are of the measure's anchor, in the query's time zone; a week is its Monday.
const (
	ByRegion   Dimension = "REGION"
	ByCategory Dimension = "CATEGORY"
	ByDay      Dimension = "DAY"
	ByWeek     Dimension = "WEEK"
	ByMonth    Dimension = "MONTH"
	ByQuarter  Dimension = "QUARTER"
	ByYear     Dimension = "YEAR"
	ByChannel  Dimension = "CHANNEL"
	ByKind     Dimension = "KIND"
	BySeverity Dimension = "SEVERITY"

	ByPolicyChange Dimension = "POLICY_CHANGE"
	ByEventMonth   Dimension = "EVENT_MONTH" // months since a policy took effect in a region
)

// Query asks for a measure.
type Query struct {
	By          []Dimension
	RegionLevel string // "" = the issue's own finest region; else its region of this level (PROVINCE, PREFECTURE, COUNTY, TOWNSHIP)
	Where       Filter
	Protect     bool          // the answer will be published: count the reporters behind what is not counted by origin
	AsOf        *time.Time    // what was known at this moment; nil = the watermark
	Timezone    string        // "" = Asia/Shanghai
	MinLSN      uint64        // wait until the warehouse has the system of record up to here; 0 = do not wait
	Wait        time.Duration // at most so long
	Limit       int           // cells, 0 = 1000
	Curves      bool          `json:",omitempty"` // of the measures that have some
}

// Filter narrows the issues that a measure looks at; zero fields do not narrow.
type Filter struct {
	Regions       []string // region codes, each with everything below
	RegionUnknown bool     // only issues of unknown region
	Categories    []string // category ids, each with everything below
	Channels      []string
	Kinds         []string
	Severities    []string
	OriginFrom    *time.Time // issues that originated in [OriginFrom, OriginTo)
	OriginTo      *time.Time
	Segments      []Segment // all of them must hold
	Units         []string  // ids of units, each with everything below; only in questions of reviewers
	Posts         []string  // ids of posts; only in questions of reviewers
}

// Segment is a set of issues that people often look at.
type Segment string

// The segments.
const (
	Grave      Segment = "GRAVE" // of severity HIGH or URGENT
	FromVisits Segment = "RAISED_AT_VISIT"
	Repeated   Segment = "REPEATED" // with several opinions
	Disputed   Segment = "DISPUTED" // of which a claim was disputed
	Overdue    Segment = "OVERDUE"  // open beyond their due time
)

// HotspotQuery asks for H1: issues per person-year, by region and, where asked, by category, over a window.
type HotspotQuery struct {
	Query
	From, To time.Time // the window of origins; zero = the span of the data
	version  string    // of the definition; "" = the latest
}

// Key is one value of a dimension. An empty ID is "unknown".
type Key struct{ ID, Code, Label string }

// Dim is the column of one dimension's values.
type Dim struct {
	Dimension Dimension
	Keys      []Key
}

// Num is a column of numbers. A nil value is not zero: it is not reached or cannot be computed. Lo and Hi, the ends of the 95 %
// interval, are nil slices where the number has none.
type Num struct {
	Name   string
	Unit   string
	Value  []*float64
	Lo, Hi []*float64
	Of     []int64 // what a share is of, where that is not n
}

// Table is the answer of a measure in columns, one row a cell: the dimensions, n, the numbers, the flags. It never comes without
// the moment that it speaks of.
type Table struct {
	Measure           string // code, such as T2
	DefinitionVersion string
	Anchor            string
	Method            string
	AsOf              time.Time
	Watermark         Watermark
	Fresh             bool // false: MinLSN was not reached within Wait
	Dims              []Dim
	N                 []int64
	Nums              []Num
	Curves            []Curve           // where they were asked for
	Flags             map[string][]bool // "unstable", "provisional", "suppressed"
	Notes             []string
	Excluded          map[string]int64 // what was left out, counted
	Truncated         bool

	inputs     map[string][][]int // of a number, the rows that each row's value is made of, where these are not the row alone
	derived    []string           // flags that follow from these numbers
	withCurves bool               // are asked for
	counts     *Table             // units and reporters of the same cells, for Protect, where the units are not issues by origin
}

// Watermark says how far the warehouse has the system of record: all that was committed up to LSN, at CommittedAt.
type Watermark struct {
	LSN         uint64
	CommittedAt time.Time
}
