package warehouse_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"groundwork/warehouse"
	"groundwork/warehouse/stats"
)

type siteRow struct {
	ID        uuid.UUID  `ch:"id"`
	Region    uuid.UUID  `ch:"region_id"`
	Kind      string     `ch:"kind"`
	Latitude  *float64   `ch:"latitude"`
	Longitude *float64   `ch:"longitude"`
	From      *time.Time `ch:"eligible_from"`
}

type heldRow struct {
	ID       uuid.UUID  `ch:"id"`
	Activity string     `ch:"activity_kind"`
	Site     uuid.UUID  `ch:"site_id"`
	Lead     uuid.UUID  `ch:"lead_id"`
	Started  time.Time  `ch:"started_at"`
	Ended    *time.Time `ch:"ended_at"`
	NoteUnit *uuid.UUID `ch:"note_unit_id"`
	NoteAt   *time.Time `ch:"note_created_at"`
	State    string     `ch:"state"`
	Drawn    *bool      `ch:"drawn"`
}

type postOf struct {
	ID       uuid.UUID  `ch:"id"`
	Official uuid.UUID  `ch:"official_id"`
	Unit     uuid.UUID  `ch:"org_unit_id"`
	From     time.Time  `ch:"held_from"`
	To       *time.Time `ch:"held_to"`
}

// held is a visit of an hour with a note of the next day.
func held(site, post, unit uuid.UUID, at time.Time) heldRow {
	end, noted := at.Add(time.Hour), at.AddDate(0, 0, 1)
	return heldRow{id(), "RESEARCH", site, post, at, &end, &unit, &noted, "RECORDED", nil}
}

func (h *house) sites(region uuid.UUID, n int) []uuid.UUID {
	h.t.Helper()
	var rows []siteRow
	var ids []uuid.UUID
	for i := range n {
		lat, lon := 28+float64(i), 112.0 // 111 km apart
		rows = append(rows, siteRow{id(), region, "FACTORY", &lat, &lon, new(start.AddDate(-3, 0, 0))})
		ids = append(ids, rows[i].ID)
	}
	insert(h, "d_site", rows...)
	return ids
}

// One county, ten sites, visits of 12 months: 30 to one site and 10 to another are (40²)/(30²+10²) = 1.6 effective sites of 10; four to each of ten are 10.
func TestShowcaseRoutes(t *testing.T) {
	t.Parallel()
	h := open(t)
	now := start.AddDate(2, 0, 0)
	h.watermark(1, now)
	var want []float64
	for i, county := range []string{"110101000000", "110102000000"} {
		r := region{ID: id(), Code: county, Level: "COUNTY", Path: county, Name: county}
		insert(h, "d_region", r)
		sites, unit := h.sites(r.ID, 10), id()
		var visits []heldRow
		for v := range 40 {
			at := sites[v%10]
			if i == 0 {
				at = sites[b2i(v >= 30)]
			}
			visits = append(visits, held(at, id(), unit, now.AddDate(0, 0, -1-9*v)))
		}
		visits = append(visits, held(sites[9], id(), unit, now.AddDate(-1, -1, 0)), held(id(), id(), unit, now.AddDate(0, -1, 0))) // too long ago; at no eligible site
		insert(h, "f_visit", visits...)
		want = append(want, []float64{1.6, 10}[i])
	}
	table, err := h.Ask(t.Context(), "F6", warehouse.Question{Query: warehouse.Query{By: []warehouse.Dimension{warehouse.ByRegion}, RegionLevel: "COUNTY"}})
	require.NoError(t, err)
	require.Equal(t, []int64{40, 40}, table.N)
	require.EqualValues(t, 2, table.Excluded["siteNotEligible"])
	for row := range want {
		require.InDelta(t, want[row], value(t, table, "effectiveSites", row), 1e-9)
		require.InDelta(t, want[row]/10, value(t, table, "effectiveShare", row), 1e-9)
		require.Equal(t, 10.0, value(t, table, "eligibleSites", row))
	}
	require.Equal(t, 1.0, value(t, table, "top5Share", 0))
	require.Equal(t, 0.5, value(t, table, "top5Share", 1))
	require.InDelta(t, 0.001, value(t, table, "p", 0), 1e-12, "no permutation is so concentrated: 1/1000")
	require.Equal(t, 1.0, value(t, table, "p", 1), "nothing is less concentrated than equal")
	require.Equal(t, []bool{true, false}, table.Flags["showcase"])
	require.InDelta(t, 8.2, value(t, table, "chanceSites", 0), 0.4, "40 visits dealt over 10 sites: 40²/(40+40·39/10) ≈ 8.2")
	require.Equal(t, 1.0, value(t, table, "siteMonthP95", 1))
}

// A unit serves a county of two towns with ten sites each. One of its posts goes to the one site of one town over and over, the other all around: by the sites of the towns that
// they visit the first would look as chance has it, as long as each visits one town.
func TestShowcaseRoutesOfPosts(t *testing.T) {
	t.Parallel()
	h := open(t)
	now := start.AddDate(2, 0, 0)
	h.watermark(1, now)
	county := region{ID: id(), Code: "110101000000", Level: "COUNTY", Path: "110101000000", Name: "county"}
	insert(h, "d_region", county)
	var sites []uuid.UUID
	for _, n := range []int{1, 10, 9} {
		town := region{ID: id(), Code: fmt.Sprintf("1101010%02d000", n), Level: "TOWNSHIP", Path: fmt.Sprintf("110101000000.1101010%02d000", n), Name: "town"}
		insert(h, "d_region", town)
		sites = append(sites, h.sites(town.ID, n)...)
	}
	unit, stranger, showy, usual, unplaced := id(), id(), id(), id(), id()
	insert(h, "d_org_unit", servesRow{unit, &county.ID}, servesRow{stranger, nil})
	insert(h, "d_post_holding", postOf{showy, id(), unit, start, nil}, postOf{usual, id(), unit, start, nil}, postOf{unplaced, id(), stranger, start, nil})
	for v := range 10 {
		insert(h, "f_visit", held(sites[0], showy, unit, now.AddDate(0, 0, -1-30*v)), held(sites[2*v], usual, unit, now.AddDate(0, 0, -1-30*v)), held(sites[0], unplaced, unit, now.AddDate(0, 0, -1-30*v)))
	}
	q := warehouse.Question{Reviewer: true, Query: warehouse.Query{By: []warehouse.Dimension{warehouse.ByPost}}}
	at := func(table *warehouse.Table, post uuid.UUID) int {
		return slices.IndexFunc(table.Dims[0].Keys, func(k warehouse.Key) bool { return k.ID == post.String() })
	}
	table := h.answer("F6", q)
	row := at(table, showy)
	require.Equal(t, 20.0, value(t, table, "eligibleSites", row), "of the county, with everything below it")
	require.Equal(t, 1.0, value(t, table, "effectiveSites", row))
	require.Equal(t, 1.0/20, value(t, table, "effectiveShare", row))
	require.InDelta(t, 7, value(t, table, "chanceSites", row), 0.4, "10 visits dealt over 20 sites: about 10²/(10+10·9/20) ≈ 6.9")
	require.InDelta(t, 0.0001, value(t, table, "p", row), 1e-12, "none of 9,999 is so concentrated: also of hundreds of posts that is a finding")
	require.True(t, table.Flags["showcase"][row])
	require.Equal(t, 0.0, value(t, table, "siteMonthP95", row), "one site of 20 is visited in ten of twelve months")
	row = at(table, usual)
	require.Equal(t, 10.0, value(t, table, "effectiveSites", row))
	require.False(t, table.Flags["showcase"][row])
	row = at(table, unplaced)
	require.Equal(t, 1.0, value(t, table, "eligibleSites", row), "what the unit serves is not known: the town that it visits")
	require.Equal(t, 1.0, value(t, table, "p", row))

	q.Version = "1"
	former := h.answer("F6", q)
	row = at(former, showy)
	require.Equal(t, 1.0, value(t, former, "eligibleSites", row))
	require.Nil(t, num(t, former, "p", row), "fewer than 20 visits were not tested")
	q.Version, q.By = "", []warehouse.Dimension{warehouse.ByUnit}
	units := h.answer("F6", q)
	require.Equal(t, 20.0, value(t, units, "eligibleSites", at(units, unit)))
	require.InDelta(t, 400.0/(11*11+9), value(t, units, "effectiveSites", at(units, unit)), 1e-9)
}

// A county has 18 factories and 2 schools. Who is sent to schools goes to these two: by all sites that would be a showcase route. Who is sent to factories and goes to one of them has chosen it,
// and so has who goes to the schools of their own accord.
func TestShowcaseRoutesOfTurnsForAKindOfSite(t *testing.T) {
	t.Parallel()
	h := open(t)
	now := start.AddDate(2, 0, 0)
	h.watermark(1, now)
	county := region{ID: id(), Code: "110101000000", Level: "COUNTY", Path: "110101000000", Name: "county"}
	insert(h, "d_region", county)
	factories, schools := h.sites(county.ID, 18), []uuid.UUID{id(), id()}
	for _, school := range schools {
		insert(h, "d_site", siteRow{school, county.ID, "SCHOOL", nil, nil, new(start.AddDate(-3, 0, 0))})
	}
	unit, sent, showy, willing := id(), id(), id(), id()
	insert(h, "d_org_unit", servesRow{unit, &county.ID})
	for _, post := range []uuid.UUID{sent, showy, willing} {
		insert(h, "d_post_holding", postOf{post, id(), unit, start, nil})
	}
	for v := range 10 {
		at := now.AddDate(0, 0, -1-30*v)
		toSchool, toFactory, byChoice := held(schools[v%2], sent, unit, at), held(factories[0], showy, unit, at), held(schools[v%2], willing, unit, at)
		insert(h, "f_visit", toSchool, toFactory, byChoice)
		insert(h, "f_slot", turnRow{id(), sent, new("SCHOOL"), &toSchool.ID}, turnRow{id(), showy, new("FACTORY"), &toFactory.ID}, turnRow{id(), willing, nil, &byChoice.ID},
			turnRow{id(), sent, new("FACTORY"), &byChoice.ID}) // of another post
	}
	q := warehouse.Question{Reviewer: true, Query: warehouse.Query{By: []warehouse.Dimension{warehouse.ByPost}}}
	flagged := func(table *warehouse.Table) (flags []bool) {
		for _, post := range []uuid.UUID{sent, showy, willing} {
			flags = append(flags, table.Flags["showcase"][slices.IndexFunc(table.Dims[0].Keys, func(k warehouse.Key) bool { return k.ID == post.String() })])
		}
		return flags
	}
	table := h.answer("F6", q)
	require.Equal(t, []bool{false, true, true}, flagged(table))
	row := slices.IndexFunc(table.Dims[0].Keys, func(k warehouse.Key) bool { return k.ID == sent.String() })
	require.Equal(t, 2.0, value(t, table, "effectiveSites", row))
	require.Equal(t, 20.0, value(t, table, "eligibleSites", row))
	require.InDelta(t, 1.8, value(t, table, "chanceSites", row), 0.1, "10 visits dealt over 2 sites: about 10²/(10+10·9/2)")
	q.Version = "2"
	require.Equal(t, []bool{true, true, true}, flagged(h.answer("F6", q)))

	q.Version, q.By = "", []warehouse.Dimension{warehouse.ByRegion}
	q.RegionLevel = "COUNTY"
	table = h.answer("F6", q)
	require.Equal(t, []int64{30}, table.N)
	require.InDelta(t, 900.0/(10*10+10*10+10*10), value(t, table, "effectiveSites", 0), 1e-9)
	// E Σn² of ten to 2 schools, ten to 18 factories and ten to any: 2·(5.5² + 2.5 + 0.475) + 18·(1.056² + 0.525 + 0.475) = 104.5, and 30²/104.5 = 8.6.
	require.InDelta(t, 8.6, value(t, table, "chanceSites", 0), 0.3)
}

type turnRow struct {
	ID    uuid.UUID  `ch:"id"`
	Post  uuid.UUID  `ch:"post_id"`
	Kind  *string    `ch:"site_kind"`
	Visit *uuid.UUID `ch:"visit_id"`
}

type servesRow struct {
	ID     uuid.UUID  `ch:"id"`
	Region *uuid.UUID `ch:"region_id"`
}

func b2i(b bool) int {
	if b {
		return 1
	}
	return 0
}

// Ten visits of one official, an hour each, a day apart, at places 111 km apart; each of what F7 looks for is planted once.
func TestPlausibilityOfVisits(t *testing.T) {
	t.Parallel()
	h := open(t)
	now := start.AddDate(0, 3, 0)
	h.watermark(1, now)
	sites, unit, official := h.sites(id(), 3), id(), id()
	post, deputy, other := id(), id(), id()
	insert(h, "d_post_holding", postOf{post, official, unit, start.AddDate(-5, 0, 0), nil}, postOf{deputy, official, unit, start.AddDate(-5, 0, 0), nil},
		postOf{other, id(), unit, start.AddDate(-5, 0, 0), nil})
	var visits []heldRow
	for i := range 10 {
		visits = append(visits, held(sites[i%2], post, unit, start.AddDate(0, 0, i)))
	}
	overlap := held(visits[0].Site, deputy, unit, visits[0].Started.Add(30*time.Minute)) // of the same person in another post
	fast := held(sites[1-4%2], post, unit, visits[4].Started.Add(45*time.Minute))        // 111 km in 45 minutes, and at once
	short, late, missing, foreign := &visits[6], &visits[7], &visits[8], &visits[9]      // one fault each
	short.Ended = new(short.Started.Add(19*time.Minute + 59*time.Second))                // under 20 minutes
	late.NoteAt = new(late.Ended.AddDate(0, 0, 7).Add(time.Microsecond))                 // 7 days and a bit
	missing.NoteAt, missing.NoteUnit, missing.State = nil, nil, "HELD"                   // none
	foreign.NoteUnit = new(id())                                                         // of a unit that was not there
	fast.Started, fast.Ended = visits[4].Started.Add(50*time.Minute), new(visits[4].Started.Add(2*time.Hour))
	visits[4].Ended = new(visits[4].Started.Add(40 * time.Minute))
	elsewhere, young := held(sites[2], other, unit, visits[0].Started), held(sites[0], post, unit, now.AddDate(0, 0, -6))
	insert(h, "f_visit", append(visits, overlap, fast, elsewhere, young)...)
	table := h.answer("F7", warehouse.Question{})
	n := 13.0
	require.EqualValues(t, n, table.N[0], "the visit of six days ago is too young")
	for name, want := range map[string]float64{"overlapping": 2 / n, "tooShort": 1 / n, "noteLate": 2 / n, "noteByOthers": 1.0 / 12, "implausible": 8 / n} {
		require.InDelta(t, want, value(t, table, name, 0), 1e-12, name)
	}
	require.InDelta(t, 2.0/12, value(t, table, "tooFast", 0), 1e-12, "of those before or after which the person was elsewhere")
	require.Nil(t, num(t, table, "falseShare", 0))
	require.Contains(t, table.Notes[0], "falseShare is not computable")

	// Of the sample by lot, whatever it is: hosts are not heard, and who was heard last counts.
	var drawn []uuid.UUID
	var more []heldRow
	byHash := func(wanted bool) heldRow {
		for {
			v := held(sites[0], id(), unit, start.AddDate(0, 1, 0))
			var of bool
			require.NoError(t, h.QueryRow(t.Context(), "SELECT cityHash64({id:String}) % 10 = 0", named("id", v.ID.String())).Scan(&of))
			if of == wanted {
				return v
			}
		}
	}
	for len(drawn) < 20 {
		v := byHash(true)
		drawn, more = append(drawn, v.ID), append(more, v)
	}
	insert(h, "f_visit", more...)
	for i, visit := range drawn {
		says := "HELD_AS_RECORDED"
		if i < 3 {
			says = "NOT_HELD"
		}
		insert(h, "f_attestation", said{id(), visit, "CITIZEN", says, start.AddDate(0, 1, 3)}, said{id(), visit, "HOST", "HELD_AS_RECORDED", start.AddDate(0, 1, 4)})
	}
	table = h.answer("F7", warehouse.Question{})
	require.InDelta(t, 0.15, value(t, table, "falseShare", 0), 1e-12)
	require.InDelta(t, 0.032, *lo(t, table, "falseShare"), 0.001, "Clopper–Pearson of 3 in 20: 0.032 to 0.379")
	require.InDelta(t, 0.379, *hi(t, table, "falseShare"), 0.001)

	// Where the system of record drew the lot, that counts; earlier versions go on by the hash.
	in, out := byHash(false), more[0]
	in.Drawn, out.Drawn = new(true), new(false)
	insert(h, "f_visit", in, out)
	insert(h, "f_attestation", said{id(), in.ID, "CITIZEN", "NOT_HELD", start.AddDate(0, 1, 3)})
	table = h.answer("F7", warehouse.Question{})
	require.InDelta(t, 20, value(t, table, "answered", 0), 0)
	require.InDelta(t, 3.0/20, value(t, table, "falseShare", 0), 1e-12, "one of those who denied left the sample, another came")
	require.InDelta(t, 20, value(t, h.answer("F7", warehouse.Question{Version: "2"}), "answered", 0), 0)
}

type said struct {
	ID    uuid.UUID `ch:"id"`
	Visit uuid.UUID `ch:"visit_id"`
	Voice string    `ch:"voice"`
	Says  string    `ch:"says"`
	At    time.Time `ch:"at"`
}

func lo(t *testing.T, table *warehouse.Table, name string) *float64 { return end(t, table, name, true) }
func hi(t *testing.T, table *warehouse.Table, name string) *float64 {
	return end(t, table, name, false)
}

func end(t *testing.T, table *warehouse.Table, name string, low bool) *float64 {
	t.Helper()
	for _, n := range table.Nums {
		if n.Name == name && low {
			return n.Lo[0]
		}
		if n.Name == name {
			return n.Hi[0]
		}
	}
	t.Fatalf("no number %s", name)
	return nil
}

type noteRow struct {
	Visit   uuid.UUID `ch:"visit_id"`
	Whose   *string   `ch:"whose"`
	Copied  bool      `ch:"copied"`
	Checked time.Time `ch:"checked_at"`
}

func TestCopiedNotes(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.watermark(1, start.AddDate(1, 0, 0))
	table := h.answer("F3", warehouse.Question{})
	require.Contains(t, table.Notes[0], "not computable: no note")
	unit := id()
	var visits []heldRow
	var checks []noteRow
	for i := range 50 {
		v := held(id(), id(), unit, start.AddDate(0, 0, i))
		visits = append(visits, v)
		if i < 40 {
			whose := new([]string{"OWN", "OTHER"}[b2i(i >= 6)])
			checks = append(checks, noteRow{v.ID, whose, i < 10, start})
		}
	}
	insert(h, "f_visit", visits...)
	insert(h, "f_note_check", checks...)
	table = h.answer("F3", warehouse.Question{})
	require.EqualValues(t, 40, table.N[0])
	require.EqualValues(t, 10, table.Excluded["notComparedYet"])
	require.Equal(t, []bool{true}, table.Flags["provisional"])
	for name, want := range map[string]float64{"copied": 0.25, "ownCopies": 0.15, "othersCopies": 0.1} {
		require.InDelta(t, want, value(t, table, name, 0), 1e-12, name)
	}
}

// Of posts no share is told that a few visits made: it is drawn towards that of all posts, whichever are asked about, and is null below ten.
func TestSharesOfPostsAreDrawnTowardsAll(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.watermark(1, start.AddDate(1, 0, 0))
	unit, posts := id(), []uuid.UUID{id(), id(), id()}
	copied := map[uuid.UUID][2]int{posts[0]: {30, 40}, posts[1]: {4, 12}, posts[2]: {5, 5}}
	var seen []stats.Counted
	for _, post := range posts {
		var visits []heldRow
		var checks []noteRow
		for i := range copied[post][1] {
			v := held(id(), post, unit, start.AddDate(0, 0, i))
			visits, checks = append(visits, v), append(checks, noteRow{v.ID, new("OWN"), i < copied[post][0], start})
		}
		insert(h, "f_visit", visits...)
		insert(h, "f_note_check", checks...)
		seen = append(seen, stats.Counted{X: float64(copied[post][0]), N: float64(copied[post][1])})
	}
	insert(h, "d_post_holding", postOf{posts[0], id(), unit, start.AddDate(-5, 0, 0), nil}, postOf{posts[1], id(), unit, start.AddDate(-5, 0, 0), nil})
	prior, err := stats.SharesOf(seen)
	require.NoError(t, err)
	want := map[string]*float64{posts[0].String(): &[]float64{prior.Shrink(seen[0]).Value}[0], posts[1].String(): &[]float64{prior.Shrink(seen[1]).Value}[0], posts[2].String(): nil}
	require.Less(t, *want[posts[0].String()], 0.75)
	require.Greater(t, *want[posts[1].String()], 4./12)

	byPost := warehouse.Question{Reviewer: true, Query: warehouse.Query{By: []warehouse.Dimension{warehouse.ByPost}}}
	table := h.answer("F3", byPost)
	require.Len(t, table.N, 3)
	for row, key := range table.Dims[0].Keys {
		require.EqualValues(t, copied[uuid.MustParse(key.ID)][1], table.N[row])
		if want[key.ID] == nil {
			require.Nil(t, table.Nums[0].Value[row], "five notes say nothing of anybody")
			continue
		}
		require.InDelta(t, *want[key.ID], value(t, table, "copied", row), 1e-12)
	}
	alone := h.answer("F3", warehouse.Question{Reviewer: true, Query: warehouse.Query{Where: warehouse.Filter{Posts: []string{posts[1].String()}}}})
	require.InDelta(t, *want[posts[1].String()], value(t, alone, "copied", 0), 1e-12, "the same, though nobody else is asked about")
	byPost.Version = "1"
	former := h.answer("F3", byPost)
	require.Equal(t, "1", former.DefinitionVersion)
	for row, key := range former.Dims[0].Keys {
		of := copied[uuid.MustParse(key.ID)]
		require.InDelta(t, float64(of[0])/float64(of[1]), value(t, former, "copied", row), 1e-12, "figures of the past can be computed as they were")
	}
	byPost.Version = "7"
	_, err = h.Ask(t.Context(), "F3", byPost)
	require.ErrorContains(t, err, `by version "7" of its definition`)
}

type skillRow struct {
	ID       uuid.UUID `ch:"id"`
	Official uuid.UUID `ch:"official_id"`
	Ability  string    `ch:"ability"`
	Level    int32     `ch:"level"`
	At       time.Time `ch:"at"`
}

// Six officials in post, one of them for a month only: assessed higher, as high, lower, for the first time, two years ago.
func TestSkillGrowth(t *testing.T) {
	t.Parallel()
	h := open(t)
	now := start.AddDate(3, 0, 0)
	h.watermark(1, now)
	var posts []postOf
	var skills []skillRow
	record := func(of uuid.UUID, level int32, months int) {
		skills = append(skills, skillRow{id(), of, "REFORM", level, now.AddDate(0, -months, 0)})
	}
	for i := range 6 {
		since := now.AddDate(-2, 0, 0)
		if i == 5 {
			since = now.AddDate(0, -1, 0)
		}
		posts = append(posts, postOf{id(), id(), id(), since, nil})
	}
	insert(h, "d_post_holding", posts...)
	table := h.answer("L1", warehouse.Question{})
	require.EqualValues(t, 5, table.N[0])
	require.Nil(t, num(t, table, "kept", 0), "nobody was assessed: unknown, not 0")
	require.Contains(t, table.Notes[0], "not computable: no assessment")
	for i, levels := range [][2]int32{{2, 3}, {3, 3}, {4, 3}} {
		record(posts[i].Official, levels[0], 20)
		record(posts[i].Official, levels[1], 2)
	}
	record(posts[3].Official, 3, 11)
	record(posts[4].Official, 3, 24)
	record(posts[5].Official, 3, 1)
	insert(h, "f_skill_record", skills...)
	for _, by := range [][]warehouse.Dimension{nil, {warehouse.ByAbility}} {
		table = h.answer("L1", warehouse.Question{Query: warehouse.Query{By: by}})
		row := 0
		if by != nil {
			require.Len(t, table.N, 7)
			row = rowOf(table, "REFORM")
		}
		require.EqualValues(t, 5, table.N[row])
		for name, want := range map[string]float64{"kept": 3.0 / 5, "assessed": 4.0 / 5, "raised": 1.0 / 5, "firstTime": 1} {
			require.InDelta(t, want, value(t, table, name, row), 1e-12, "%s by %v", name, by)
		}
	}
}

// Two categories, quick and slow. Rural places have three times as many of the slow ones, and each matter takes as long as in town: crude they are slower,
// standardised they are not. A third, of which matters take twice as long in the country, makes a gap.
func TestGapOfTimeOpen(t *testing.T) {
	t.Parallel()
	h := open(t)
	now := start.AddDate(1, 0, 0)
	h.watermark(1, now)
	type placed struct {
		region
		Setting string `ch:"urban_rural"`
	}
	town, country := placed{region{ID: id(), Code: "1", Level: "COUNTY", Path: "1"}, "URBAN"}, placed{region{ID: id(), Code: "2", Level: "COUNTY", Path: "2"}, "RURAL"}
	insert(h, "d_region", town, country)
	quick, slow, third := id(), id(), id()
	ended := func(region, category uuid.UUID, days float64, n int) (all []issue) {
		for range n {
			i := resolved(days, 1)
			i.Region, i.Category = &region, &category
			all = append(all, i)
		}
		return all
	}
	none := h.answer("E1B", warehouse.Question{})
	require.Contains(t, none.Notes[0], "not computable")
	insert(h, "f_issue", ended(town.ID, quick, 10, 30)...)
	insert(h, "f_issue", ended(town.ID, slow, 50, 10)...)
	insert(h, "f_issue", ended(country.ID, quick, 10, 10)...)
	insert(h, "f_issue", ended(country.ID, slow, 50, 30)...)
	table := h.answer("E1B", warehouse.Question{})
	rural, urban := rowOf(table, "RURAL"), rowOf(table, "URBAN")
	require.InDelta(t, 40, value(t, table, "crudeDays", rural), 1e-9)
	require.InDelta(t, 20, value(t, table, "crudeDays", urban), 1e-9)
	require.InDelta(t, 30, value(t, table, "rmst90Days", rural), 1e-9)
	require.InDelta(t, 0, value(t, table, "gapDays", rural), 1e-9)
	require.Nil(t, num(t, table, "gapDays", urban), "urban places are what the others are compared with")

	insert(h, "f_issue", append(ended(country.ID, third, 20, 20), ended(country.ID, third, 60, 20)...)...)
	insert(h, "f_issue", append(ended(town.ID, third, 10, 20), ended(town.ID, third, 30, 20)...)...)
	table = h.answer("E1B", warehouse.Question{})
	require.InDelta(t, 10, value(t, table, "gapDays", rural), 1e-9, "half of all issues take 20 days longer")
	require.Less(t, *table.Nums[1].Lo[rural], 10.0)
	require.Greater(t, *table.Nums[1].Lo[rural], 5.0)
	sites := h.answer("E1B", warehouse.Question{Query: warehouse.Query{By: []warehouse.Dimension{warehouse.BySiteKind}}})
	require.Len(t, sites.N, 1, "no issue here has a site")
}

// The composite of known parts: 6 of 10 were answered within a day, 3 of 4 verdicts were YES, 2 of 4 ratings were high.
func TestCompositeOfThreeRates(t *testing.T) {
	t.Parallel()
	h := open(t)
	now := start.AddDate(1, 0, 0)
	h.watermark(1, now)
	var issues []issue
	for n := range 10 {
		i := someIssue()
		i.FirstResponse = new(start.Add(time.Duration(1+n/6*48) * time.Hour))
		i.Claimed = new(start.AddDate(0, 0, 3))
		issues = append(issues, i)
	}
	insert(h, "f_issue", issues...)
	table := h.answer("C1", warehouse.Question{})
	require.Nil(t, num(t, table, "composite", 0))
	require.InDelta(t, 0.6, value(t, table, "responded24h", 0), 1e-12)
	require.Contains(t, table.Notes[0], "not computable in 1 of 1 cells")
	for n := range 4 {
		claim := id()
		insert(h, "f_claim", claimed{claim, issues[n].ID, "groundwork", *issues[n].Claimed})
		insert(h, "f_feedback", verdict{id(), claim, issues[n].ID, []string{"YES", "YES", "YES", "NO"}[n], new([]int32{5, 4, 3, 1}[n]), "INDEPENDENT", start.AddDate(0, 0, 5)})
	}
	table = h.answer("C1", warehouse.Question{})
	require.InDelta(t, 0.2*0.6+0.4*0.75+0.4*0.5, value(t, table, "composite", 0), 1e-12)
	require.Less(t, *lo(t, table, "composite"), 0.5)
	require.Greater(t, *hi(t, table, "composite"), 0.8)
	for range 10 {
		require.Equal(t, table.Nums, h.answer("C1", warehouse.Question{}).Nums, "seeds are fixed, and the parts are added up in one order")
	}
	for code, column := range map[string]string{"T1": "responded24h", "Q1": "resolved", "Q2": "satisfied"} {
		part := h.answer(code, warehouse.Question{})
		require.InDelta(t, value(t, part, column, 0), value(t, table, column, 0), 1e-12, code)
	}
}

type claimed struct {
	ID     uuid.UUID `ch:"id"`
	Issue  uuid.UUID `ch:"issue_id"`
	Source string    `ch:"source"`
	At     time.Time `ch:"claimed_at"`
}

type verdict struct {
	ID       uuid.UUID `ch:"id"`
	Claim    uuid.UUID `ch:"claim_id"`
	Issue    uuid.UUID `ch:"issue_id"`
	Resolved string    `ch:"resolved"`
	Level    *int32    `ch:"satisfaction"`
	By       string    `ch:"collected_by"`
	At       time.Time `ch:"at"`
}

type offDay struct {
	Day    int32 `ch:"day"`
	Worked bool  `ch:"is_workday"`
}

// A claim of Monday, 3 March 2025, is due at the end of Monday, 17 March; with a day off in between, of Tuesday.
func TestVerdictsAreDueByTheWorkingCalendar(t *testing.T) {
	t.Parallel()
	h := open(t)
	i := someIssue()
	insert(h, "f_issue", i)
	insert(h, "f_claim", claimed{id(), i.ID, "groundwork", time.Date(2025, 3, 3, 15, 0, 0, 0, time.UTC)}) // 23:00 in China
	at := func(day int, early time.Duration) int {
		h.watermark(uint64(day), time.Date(2025, 3, day, 16, 0, 0, 0, time.UTC).Add(-early)) // the end of the day in China
		return len(h.answer("Q1", warehouse.Question{}).N)
	}
	require.Equal(t, 0, at(17, time.Microsecond))
	require.Equal(t, 1, at(17, 0))
	insert(h, "d_calendar_day", offDay{20250310, false})
	require.Equal(t, 0, at(17, 0))
	require.Equal(t, 1, at(18, 0))
	insert(h, "d_calendar_day", offDay{20250308, true}) // a Saturday that is worked
	require.Equal(t, 1, at(17, 0))
}
