package detect_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"groundwork"
	"groundwork/internal/detect"
	"groundwork/internal/embedded/embeddedtest"
	"groundwork/postgres/pgtest"
	"groundwork/warehouse"
)

func TestMain(m *testing.M) { embeddedtest.Main(m) }

// answers are tables by measure: of all, and by subject.
type answers map[string][2]*warehouse.Table

func (a answers) Ask(_ context.Context, code string, q warehouse.Question) (*warehouse.Table, error) {
	if t, ok := a[code]; ok {
		return t[len(q.By)], nil
	}
	return &warehouse.Table{DefinitionVersion: "1", Dims: []warehouse.Dim{{}}}, nil
}

func table(n []int64, nums []warehouse.Num, keys ...string) *warehouse.Table {
	t := &warehouse.Table{DefinitionVersion: "2", N: n, Nums: nums, Dims: []warehouse.Dim{{}}}
	for _, k := range keys {
		t.Dims[0].Keys = append(t.Dims[0].Keys, warehouse.Key{ID: k})
	}
	return t
}

func column(name string, values ...float64) warehouse.Num {
	num := warehouse.Num{Name: name}
	for _, v := range values {
		num.Value, num.Lo, num.Hi = append(num.Value, new(v)), append(num.Lo, new(v-0.1)), append(num.Hi, new(v+0.1))
	}
	return num
}

func TestFlagsAreRaisedOnce(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	store := pgtest.NewDB(t)
	unit, _, err := store.CreateOrgUnit(ctx, groundwork.System, groundwork.OrgUnit{Name: "Bureau", Kind: groundwork.GovtUnit})
	require.NoError(t, err)
	var posts []string
	for _, name := range []string{"traceless", "usual", "few", "bunched"} {
		official, _, err := store.CreateOfficial(ctx, groundwork.System, groundwork.Official{Pseudonym: name})
		require.NoError(t, err)
		post, _, err := store.CreatePostHolding(ctx, groundwork.System, groundwork.PostHolding{OfficialID: official.ID, OrgUnitID: unit.ID, Rank: groundwork.RankCounty, Title: name, HeldFrom: time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC)})
		require.NoError(t, err)
		posts = append(posts, post.ID.String())
	}
	house := answers{
		"F1": {table([]int64{500}, []warehouse.Num{column("traceless", 0.2)}), table([]int64{40, 40, 5, 40, 40}, []warehouse.Num{column("traceless", 0.8, 0.3, 1, 0.2, 1)}, append(posts, "")...)},
		"F2": {table([]int64{900}, []warehouse.Num{column("withoutCitizen", 0.1)}), table([]int64{300}, []warehouse.Num{column("withoutCitizen", 0.5)}, unit.ID.String())},
		"F3": {table([]int64{500}, []warehouse.Num{column("copied", 0.02)}), table([]int64{12, 9, 12, 12}, []warehouse.Num{column("copied", 0.1, 0.9, 0.6, 0)}, posts...)},
		"F7": {table([]int64{900}, []warehouse.Num{column("implausible", 0.03), column("falseShare", 0.04), column("noteLate", 0.03)}),
			table([]int64{12, 12, 12, 12}, []warehouse.Num{column("implausible", 0.05, 0, 0.1, 0.6), column("falseShare", 0, 0, 0, 0), column("noteLate", 0.05, 0, 0.1, 0.6)}, posts...)},
		"F4": {table([]int64{160}, []warehouse.Num{column("ratio", 1), column("q", 1)}), table([]int64{40, 40, 5, 40}, []warehouse.Num{column("ratio", 1, 3, 9, 6), column("q", 0.9, 0.3, 0.01, 0.001)}, posts...)},
	}
	house["F6"] = [2]*warehouse.Table{table([]int64{500}, []warehouse.Num{column("effectiveSites", 200)}),
		table([]int64{12, 12, 9, 12}, []warehouse.Num{column("effectiveSites", 6, 2, 1, 2), column("chanceSites", 9, 9, 9, 3), column("q", 0.04, 0.01, 0.01, 0.01)}, posts...)}
	now := time.Date(2026, 4, 20, 0, 0, 0, 0, groundwork.China)
	from, to := detect.LastQuarter(now)
	require.Equal(t, [2]string{"2026-01-01", "2026-04-01"}, [2]string{from.Format(time.DateOnly), to.Format(time.DateOnly)})
	_, early := detect.LastQuarter(now.AddDate(0, 0, -7))
	require.Equal(t, "2026-01-01", early.Format(time.DateOnly), "a quarter ripens for 14 days")
	_, err = detect.Find(ctx, house, from, to, to)
	require.ErrorContains(t, err, "14 days later")

	found, err := detect.Find(ctx, house, from, to, now)
	require.NoError(t, err)
	seen := map[string]string{}
	for _, f := range found {
		subject := f.SubjectUnitID
		if f.SubjectPostID != nil {
			subject = f.SubjectPostID
		}
		seen[f.Kind] += subject.String()
	}
	require.Equal(t, map[string]string{"F1": posts[0], "F2": unit.ID.String(), "F3": posts[2], "F4": posts[3], "F6": posts[1], "F7": posts[3]}, seen, "neither the usual, nor the few, nor nobody")
	for _, f := range found {
		months := map[string]int{"F4": 24}[f.Kind]
		if months == 0 {
			months = 12
		}
		require.Equal(t, time.Date(2026, 4-time.Month(months), 1, 0, 0, 0, 0, time.UTC), f.PeriodFrom, "%s looks at more than a quarter", f.Kind)
		for _, text := range []string{"name", "nameChinese", "label", "labelChinese", "rule", "ruleChinese"} {
			require.NotEmpty(t, f.Evidence[text], "%s of %s", text, f.Kind)
		}
		if f.Kind == "F7" {
			require.Equal(t, 0.6, f.Evidence["beside"].(map[string]float64)["noteLate"], "what makes the visits implausible")
		}
	}

	would, err := detect.Raise(ctx, store, found, true)
	require.NoError(t, err)
	require.Len(t, would, 6)
	flags := func() []*groundwork.FormalismFlag {
		page, err := store.Flags(ctx, groundwork.FlagFilter{}, groundwork.PageRequest{First: 100})
		require.NoError(t, err)
		return page.Items
	}
	require.Empty(t, flags(), "a dry run raises nothing")
	raised, err := detect.Raise(ctx, store, found, false)
	require.NoError(t, err)
	require.Len(t, raised, 6)
	require.Len(t, flags(), 6)
	for _, f := range flags() {
		require.Equal(t, groundwork.FlagRaised, f.State, "for people to judge")
		require.Contains(t, f.Evidence, "rule")
		require.EqualValues(t, 2, f.Evidence["definitionVersion"])
	}
	later, err := detect.Find(ctx, house, from.AddDate(0, 3, 0), to.AddDate(0, 3, 0), now.AddDate(0, 3, 0))
	require.NoError(t, err)
	raised, err = detect.Raise(ctx, store, later, false)
	require.NoError(t, err)
	require.Empty(t, raised, "a quarter later most of the year is the same")
	for i := range found {
		found[i].DetectorVersion++
	}
	raised, err = detect.Raise(ctx, store, found, false)
	require.NoError(t, err)
	require.Empty(t, raised, "nothing is raised twice for the same matter, by whichever version")
	require.Len(t, flags(), 6)

	// The unit's head is no post: a flag of a post does not stand for its unit.
	f := found[0]
	f.SubjectPostID, f.SubjectUnitID = nil, new(unit.ID)
	standing, err := detect.Standing(ctx, store, f)
	require.NoError(t, err)
	require.False(t, standing)
}
