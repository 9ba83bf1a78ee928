package graph

import (
	"github.com/google/uuid"

	"groundwork"
	"groundwork/graph/model"
	"groundwork/warehouse/privacy"
	"groundwork/warehouse/stats"
)

func asWave(w *groundwork.SurveyWave) *model.SurveyWave { return (*model.SurveyWave)(w) }

// surveyLine is one published line of a wave's results: the total and its parts. What it tells beside its counts are places.
type surveyLine struct {
	grid   *privacy.Grid
	counts [4][]int64 // responses, then those content with gain, happiness and security; the total first
}

// lineOf adds the counts up by key, in the order in which keys occur.
func lineOf[K comparable](counts []groundwork.SurveyCount, key func(groundwork.SurveyCount) K) (surveyLine, []K, error) {
	var keys []K
	at := map[K]int{}
	for _, c := range counts {
		if _, seen := at[key(c)]; !seen {
			keys = append(keys, key(c))
			at[key(c)] = len(keys) // 0 is the total
		}
	}
	grid, err := privacy.NewGrid(privacy.Flat(make([]string, len(keys))...))
	l := surveyLine{grid: grid}
	for i := range l.counts {
		l.counts[i] = make([]int64, len(keys)+1)
	}
	for _, c := range counts {
		for i, n := range []int64{c.Responses, c.Gain, c.Happiness, c.Security} {
			l.counts[i][at[key(c)]] += n
			l.counts[i][0] += n
		}
	}
	return l, keys, err
}

// cells shows the line with small counts hidden, and what would give them away. totals are hidden that another line hides: 0 responses, 1 to 3 a
// scale.
func (l surveyLine) cells(totals [4]bool) []model.SurveyCell {
	hidden := l.hidden(totals)
	cells := make([]model.SurveyCell, l.grid.Size())
	for i := range cells {
		c := &cells[i]
		c.Suppressed = hidden[0][i]
		if !c.Suppressed {
			c.Responses = &l.counts[0][i]
		}
		for scale, share := range []*model.SurveyShare{&c.Gain, &c.Happiness, &c.Security} {
			*share = shareOf(l.counts[scale+1][i], l.counts[0][i], hidden[scale+1][i])
		}
	}
	return cells
}

func (l surveyLine) hidden(totals [4]bool) (hidden [4][]bool) {
	must := func(total bool) []bool {
		m := make([]bool, l.grid.Size())
		m[0] = total
		return m
	}
	hidden[0] = l.grid.Hide(l.counts[0], must(totals[0]))
	for scale := 1; scale < len(hidden); scale++ {
		var exposed []int
		hidden[scale], exposed = l.grid.HideParts(l.counts[scale], l.counts[0], hidden[0], must(totals[scale]))
		if len(exposed) > 0 { // nothing protects them while the others are shown: the scale is not told at all
			for i := range hidden[scale] {
				hidden[scale][i] = true
			}
		}
	}
	return hidden
}

func shareOf(content, responses int64, hidden bool) model.SurveyShare {
	if hidden {
		return model.SurveyShare{Suppressed: true}
	}
	e, err := stats.Wilson(float64(content), float64(responses))
	if err != nil || !e.Known {
		return model.SurveyShare{}
	}
	return model.SurveyShare{Share: &e.Value, CiLow: &e.Interval.Lo, CiHigh: &e.Interval.Hi}
}

// surveyResults shows what was said by region and by kind of site. Both lines have one total: what one hides of it the other hides too.
func surveyResults(counts []groundwork.SurveyCount) (*model.SurveyResults, error) {
	regions, regionIDs, err := lineOf(counts, func(c groundwork.SurveyCount) uuid.UUID { return c.RegionID })
	if err != nil {
		return nil, err
	}
	kinds, siteKinds, err := lineOf(counts, func(c groundwork.SurveyCount) groundwork.SiteKind { return c.SiteKind })
	if err != nil {
		return nil, err
	}
	var totals [4]bool
	byRegion, byKind := regions.hidden(totals), kinds.hidden(totals)
	for i := range totals {
		totals[i] = byRegion[i][0] || byKind[i][0]
	}
	regionCells, kindCells := regions.cells(totals), kinds.cells(totals)
	out := &model.SurveyResults{Total: regionCells[0], ByRegion: regionCells[1:], BySiteKind: kindCells[1:]}
	for i := range regionIDs {
		out.ByRegion[i].RegionID = &regionIDs[i]
	}
	for i := range siteKinds {
		if siteKinds[i] != "" {
			out.BySiteKind[i].SiteKind = &siteKinds[i]
		}
	}
	return out, nil
}
