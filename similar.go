package groundwork

import (
	"cmp"
	"context"
	"math"
	"slices"
	"unicode"

	"github.com/google/uuid"
)

// Likeness describes a matter, to find open issues that it may repeat.
type Likeness struct {
	Text                string // subject and text
	RegionID            *uuid.UUID
	SiteID              *uuid.UUID
	CategoryID          *uuid.UUID
	Latitude, Longitude *float64
}

// SimilarIssue is an open issue that a matter may repeat. It is a hint: people link.
type SimilarIssue struct {
	Issue *Issue
	Score float64 // 0 to 1: text, place and category together
	Text  float64 // how alike the words are, 0 to 1
	Near  bool    // the same site, within a kilometre, or the same region
}

// SimilarStore finds issues that an opinion may repeat.
type SimilarStore interface {
	// SimilarIssues returns the most similar open issues of the place (of the category, where no place is known), the best first.
	SimilarIssues(ctx context.Context, l Likeness, limit int) ([]SimilarIssue, error)
}

// How much each thing weighs, and below what an issue is not worth a look. Words weigh most: two matters of one village are many.
const (
	textWeight     = 0.6
	placeWeight    = 0.25
	categoryWeight = 0.15
	leastText      = 0.2
)

// Candidate is an open issue with the words and the place of its first opinion.
type Candidate struct {
	Issue               *Issue
	Text                string
	Latitude, Longitude *float64
}

// Rank scores candidates and returns the best of those that are worth a look.
func (l Likeness) Rank(candidates []Candidate, limit int) []SimilarIssue {
	words := pairs(l.Text)
	var found []SimilarIssue
	for _, c := range candidates {
		s := SimilarIssue{Issue: c.Issue, Text: max(dice(words, pairs(c.Text)), dice(words, pairs(c.Issue.Title))), Near: l.near(c)}
		if s.Text < leastText {
			continue
		}
		s.Score = textWeight * s.Text
		if s.Near {
			s.Score += placeWeight
		}
		if l.CategoryID != nil && same(l.CategoryID, c.Issue.CategoryID) {
			s.Score += categoryWeight
		}
		found = append(found, s)
	}
	slices.SortStableFunc(found, func(a, b SimilarIssue) int { return cmp.Compare(b.Score, a.Score) })
	return found[:min(limit, len(found))]
}

// nearBy is how far apart two points of one matter may lie, in degrees of latitude: about a kilometre.
const nearBy = 0.009

func (l Likeness) near(c Candidate) bool {
	if l.SiteID != nil && same(l.SiteID, c.Issue.SiteID) {
		return true
	}
	if l.Latitude != nil && l.Longitude != nil && c.Latitude != nil && c.Longitude != nil {
		east := (*l.Longitude - *c.Longitude) * math.Cos(*l.Latitude*math.Pi/180)
		return math.Hypot(*l.Latitude-*c.Latitude, east) <= nearBy
	}
	return l.RegionID != nil && same(l.RegionID, c.Issue.RegionID)
}

// Similarity is how alike two texts are, 0 to 1: the share of neighbouring pairs of letters that they have in common. It needs no
// dictionary and so does for Chinese as for English.
func Similarity(a, b string) float64 { return dice(pairs(a), pairs(b)) }

type pair [2]rune

func pairs(text string) map[pair]int {
	found := map[pair]int{}
	var before rune
	for _, r := range text {
		if !unicode.IsLetter(r) && !unicode.IsDigit(r) {
			continue
		}
		r = unicode.ToLower(r)
		if before != 0 {
			found[pair{before, r}]++
		}
		before = r
	}
	return found
}

func dice(a, b map[pair]int) float64 {
	common, all := 0, 0
	for p, n := range a {
		common += min(n, b[p])
		all += n
	}
	for _, n := range b {
		all += n
	}
	if all == 0 {
		return 0
	}
	return 2 * float64(common) / float64(all)
}
