package importer

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/text/unicode/norm"
)

// DefaultProvince is the province whose places the message board anonymises.
const DefaultProvince = "西地省"

// Place is a path of region names from the top, finest last: 西地省, A市, A3区. Empty: unknown.
type Place []string

// Region is one node of the tree of places, as the system of record wants it.
type Region struct{ Code, ParentCode, Level, Name string }

var levels = []string{"PROVINCE", "PREFECTURE", "COUNTY"}

// Level is the administrative level of the finest name; empty for an unknown place.
func (p Place) Level() string {
	if len(p) == 0 || len(p) > len(levels) {
		return ""
	}
	return levels[len(p)-1]
}

// Contains reports whether q is p or lies in p. An unknown place contains every place.
func (p Place) Contains(q Place) bool {
	return len(p) <= len(q) && slices.Equal(p, q[:len(p)])
}

// The board writes a prefecture as one letter and a county as letter and number. Numbers go to 19 (the largest in use
// is 14), which the codes rely on. A letter and 区 without a number ("B区") is not matched: on this board it is always
// a part of a housing estate or a plan, never a district.
var (
	prefectureName = regexp.MustCompile(`^([A-Z])市$`)
	countyName     = regexp.MustCompile(`^([A-Z])(1[0-9]|[1-9])([区县州市])$`)
	named          = regexp.MustCompile(`[A-Z](?:1[0-9]|[1-9])[区县州市]|[A-Z]市`)
)

// countyBase spreads the kinds of county over the two digits of a county as GB/T 2260 does: districts from 01, counties
// from 21, county-level cities from 81; 州 takes the free range from 61. E5区 and E5县 both exist and must not collide.
var countyBase = map[string]int{"区": 0, "县": 20, "州": 60, "市": 80}

// RegionCode is the 12-digit code of a made-up place: 99 (never assigned to a real province) for the province,
// 01 to 26 for the letter of the prefecture, two digits for the county (countyBase + its number), six zeros. A3区 is
// 990103000000. There is one such province in an installation, whatever its name. Empty for an unknown place or for
// names of another form.
func RegionCode(path []string) string {
	if len(path) == 0 || len(path) > len(levels) {
		return ""
	}
	prefecture, county := 0, 0
	if len(path) > 1 {
		m := prefectureName.FindStringSubmatch(path[1])
		if m == nil {
			return ""
		}
		prefecture = int(m[1][0]-'A') + 1
	}
	if len(path) > 2 {
		m := countyName.FindStringSubmatch(path[2])
		if m == nil || m[1] != path[1][:1] {
			return ""
		}
		number, _ := strconv.Atoi(m[2]) // the pattern admits 1 to 19 only
		county = countyBase[m[3]] + number
	}
	return fmt.Sprintf("99%02d%02d000000", prefecture, county)
}

// Code is RegionCode of the place.
func (p Place) Code() string { return RegionCode(p) }

// Regions returns every region that the records name, and those above it, once each, parents before children, by code.
func Regions(records []Record) []Region {
	byCode := map[string]Region{}
	for i := range records {
		path := records[i].Place
		for n := len(path); n > 0; n-- {
			p := path[:n]
			if code := p.Code(); code != "" {
				byCode[code] = Region{Code: code, ParentCode: path[:n-1].Code(), Level: p.Level(), Name: p[n-1]}
			}
		}
	}
	out := make([]Region, 0, len(byCode))
	for _, r := range byCode {
		out = append(out, r)
	}
	slices.SortFunc(out, func(a, b Region) int { return strings.Compare(a.Code, b.Code) })
	return out
}

type placeFinder struct{ province string }

func newPlaceFinder(province string) *placeFinder {
	return &placeFinder{province: norm.NFKC.String(province)}
}

// FindPlace returns the place of a message: the finest place that its subject or text names. Finest is a county (A3区,
// A7县, C4市), then a prefecture (A市), then the province. Of several equally fine ones, those in the subject go before
// those in the text, then the one named most often there, then the one named first. Towns, streets and villages are not
// read: the board names them with no mark that tells them from other words. The rule is taken at its word: where the
// subject names only A市 and the text a county elsewhere (the writer's home, a road called after it), that county is the
// place; on the real board this is one message in seventy. Full-width letters and digits count as
// plain ones. Empty if no place is named.
func FindPlace(subject, text, province string) Place {
	return newPlaceFinder(province).find(subject, text)
}

func (f *placeFinder) find(subject, text string) Place {
	parts := []string{norm.NFKC.String(subject), norm.NFKC.String(text)}
	for _, wantCounty := range []bool{true, false} {
		for _, part := range parts {
			if name := mostNamed(part, wantCounty); name != "" {
				return f.path(name)
			}
		}
	}
	if strings.Contains(parts[0], f.province) || strings.Contains(parts[1], f.province) {
		return Place{f.province}
	}
	return nil
}

func (f *placeFinder) path(name string) Place {
	prefecture := name[:1] + "市"
	if name == prefecture {
		return Place{f.province, name}
	}
	return Place{f.province, prefecture, name}
}

// mostNamed returns the county, or prefecture, that s names most often; of equals the first.
func mostNamed(s string, wantCounty bool) string {
	best, counts := "", map[string]int{}
	var order []string
	for _, at := range named.FindAllStringIndex(s, -1) {
		name := s[at[0]:at[1]]
		if countyName.MatchString(name) != wantCounty || partOfWord(s, at[0], at[1]) {
			continue
		}
		if counts[name]++; counts[name] == 1 {
			order = append(order, name)
		}
	}
	for _, name := range order {
		if best == "" || counts[name] > counts[best] {
			best = name
		}
	}
	return best
}

// partOfWord tells a place from the tail of a Latin word ("IT市场" is a market, not T市). A digit before the letter is
// no such sign: road and telephone numbers and years stand right before places ("2018L3县").
func partOfWord(s string, start, end int) bool {
	if start > 0 {
		before := s[start-1]
		if before >= 'A' && before <= 'Z' || before >= 'a' && before <= 'z' {
			return true
		}
	}
	return strings.HasSuffix(s[start:end], "市") && !countyName.MatchString(s[start:end]) && strings.HasPrefix(s[end:], "场")
}
