package detect

import (
	"groundwork/warehouse"
)

// Detector is a rule by which a measure of formalism is looked at. A rule that changes gets a higher Version.
type Detector struct {
	Measure string
	By      warehouse.Dimension // whom it speaks of
	Column  string              // the number that is looked at
	Version int
	Months  int // before the end of the period, that are looked at at least: who goes down once a month has a few visits a quarter
	Fewest  int // cases below which nothing is conspicuous
	Rule    Rule
}

// Rule is when a number is conspicuous, in words that are part of the evidence.
type Rule struct {
	English, Chinese string
	finds            func(row, all cell) bool
}

// cell is what a row of an answer says.
type cell struct {
	n             int64 // on how many cases the number rests
	value, lo, hi *float64
	q             *float64
	beside        map[string]float64 // its other numbers
}

const (
	year         = 12
	fewestVisits = 10 // of a post, as its shares are shown from 10 on
	fewestTested = 20 // on which bunching is tested
	fewestCases  = 10 // of a unit: that there are few is in the interval already
	fewestSaid   = 5  // answers of the back-check, and claims near the line: only a share far beyond that of all is conspicuous of so few
)

// Detectors lists the rules. F7 looks at posts by what is implausible of visits, and at units by what was said of those drawn by lot: of one post hardly any is drawn.
var Detectors = []Detector{
	{"F1", warehouse.ByPost, "traceless", 2, year, fewestVisits, twiceTheShare},
	{"F2", warehouse.ByUnit, "withoutCitizen", 3, year, fewestCases, twiceTheShare},
	{"F3", warehouse.ByPost, "copied", 1, year, fewestVisits, twiceTheShare},
	{"F4", warehouse.ByPost, "ratio", 3, 2 * year, fewestTested, bunched},
	{"F5", warehouse.ByUnit, "instant", 4, year, fewestCases, twiceTheShare},
	{"F5", warehouse.ByUnit, "lineShare", 1, year, fewestSaid, twiceTheShare},
	{"F6", warehouse.ByPost, "effectiveSites", 1, year, fewestVisits, showcased},
	{"F7", warehouse.ByPost, "implausible", 1, year, fewestVisits, twiceTheShare},
	{"F7", warehouse.ByUnit, "falseShare", 1, 2 * year, fewestSaid, twiceTheShare},
}

// Name is what flags call the detector.
func (d Detector) Name() string { return d.Measure + " " + d.Column + " by " + string(d.By) }

var (
	twiceTheShare = Rule{"the lower end of the 95 % interval of the share lies above twice the share among all", "占比95%置信区间的下限高于总体占比的两倍",
		func(row, all cell) bool { return row.lo != nil && all.value != nil && *row.lo > 2**all.value }}
	bunched = Rule{"at least twice as many visits a day on the last working days of the cycle as before, q at most 0.05", "周期末的工作日日均走访次数至少为此前的两倍，且校正p值不超过0.05",
		func(row, _ cell) bool { return row.value != nil && *row.value >= 2 && row.q != nil && *row.q <= 0.05 }}
	showcased = Rule{"at most half as many effective sites as chance gives among the sites that the unit serves, q at most 0.05", "有效点位数不超过在本单位服务范围内随机走访所得的一半，且校正p值不超过0.05",
		func(row, _ cell) bool {
			chance, known := row.beside["chanceSites"]
			return row.value != nil && known && *row.value <= chance/2 && row.q != nil && *row.q <= 0.05
		}}
)
