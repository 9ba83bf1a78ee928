package groundwork

import (
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func TestSimilarity(t *testing.T) {
	t.Parallel()
	require.Equal(t, 1.0, Similarity("道路破损，请维修!", "道路破损 请维修"), "punctuation says nothing")
	require.Equal(t, 1.0, Similarity("Broken ROAD", "broken road"))
	require.Zero(t, Similarity("道路破损", "停水三天"))
	require.Zero(t, Similarity("", ""))
	require.InDelta(t, 2.0*3/(3+4), Similarity("道路破损", "大道路破损"), 1e-9)
	rapid.Check(t, func(t *rapid.T) {
		a, b := rapid.String().Draw(t, "a"), rapid.String().Draw(t, "b")
		s := Similarity(a, b)
		require.Equal(t, s, Similarity(b, a))
		require.True(t, 0 <= s && s <= 1)
	})
}

func TestRank(t *testing.T) {
	t.Parallel()
	village, roads, school := uuid.New(), uuid.New(), uuid.New()
	issue := func(title string, region, category, site *uuid.UUID) Candidate {
		return Candidate{Issue: &Issue{ID: uuid.New(), Title: title, RegionID: region, CategoryID: category, SiteID: site}, Text: title}
	}
	same := issue("村口道路破损严重", &village, &roads, nil)
	elsewhere := issue("村口道路破损严重", nil, &roads, nil)
	other := issue("自来水停了三天", &village, &roads, nil)
	atSchool := issue("村口道路", nil, nil, &school)
	point := issue("村口道路破损", &village, nil, nil)
	point.Latitude, point.Longitude = new(30.0), new(110.0)

	l := Likeness{Text: "村口道路破损", RegionID: &village, CategoryID: &roads}
	found := l.Rank([]Candidate{other, elsewhere, same}, 5)
	require.Len(t, found, 2, "what says something else is no repeat, however near")
	require.Equal(t, same.Issue, found[0].Issue)
	require.InDelta(t, textWeight*found[0].Text+placeWeight+categoryWeight, found[0].Score, 1e-9)
	require.False(t, found[1].Near)
	require.Len(t, l.Rank([]Candidate{other, elsewhere, same}, 1), 1)
	require.True(t, Likeness{Text: "村口道路", SiteID: &school}.Rank([]Candidate{atSchool}, 1)[0].Near)
	for kilometres, near := range map[float64]bool{0.5: true, 2: false} {
		l := Likeness{Text: "村口道路破损", RegionID: &village, Latitude: new(30.0), Longitude: new(110 + kilometres/96.5)}
		require.Equal(t, near, l.Rank([]Candidate{point}, 1)[0].Near, "%v km", kilometres)
	}
}
