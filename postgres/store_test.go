package postgres_test

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"groundwork"
	"groundwork/postgres"
	"groundwork/postgres/pgtest"
)

func TestMigrateIsRepeatable(t *testing.T) {
	t.Parallel()
	server := pgtest.Server(t)
	name := fmt.Sprintf("groundwork_fresh_%d", time.Now().UnixNano())
	require.NoError(t, postgres.CreateDatabase(t.Context(), server, name))
	require.NoError(t, postgres.CreateDatabase(t.Context(), server, name), "it is there already")
	u, err := url.Parse(server)
	require.NoError(t, err)
	u.Path = "/" + name
	db := pgtest.Open(t, u.String(), postgres.Options{})
	_, err = db.Officials(t.Context(), groundwork.PageRequest{First: 1})
	require.ErrorContains(t, err, "groundwork migrate")

	pending, err := postgres.Pending(t.Context(), u.String())
	require.NoError(t, err)
	require.Equal(t, []string{"00001_practice.sql", "00002_replication.sql"}, pending[:2])
	faults, applied := make(chan error, 2), make(chan int, 2)
	for range 2 { // two processes that start at once
		go func() {
			n, err := postgres.Migrate(t.Context(), u.String())
			faults <- err
			applied <- n
		}()
	}
	require.NoError(t, <-faults)
	require.NoError(t, <-faults)
	require.Equal(t, len(pending), <-applied+<-applied)
	pending, err = postgres.Pending(t.Context(), u.String())
	require.NoError(t, err)
	require.Empty(t, pending)
}

func TestOpenSaysWhatIsWrong(t *testing.T) {
	t.Parallel()
	server, err := url.Parse(pgtest.Server(t))
	require.NoError(t, err)
	for name, c := range map[string]struct{ dsn, says string }{
		"nobody there": {"postgres://postgres:secret@127.0.0.1:1/groundwork?connect_timeout=5", "cannot be reached"},
		"malformed":    {"postgres://[", "malformed"},
		"no database":  {fmt.Sprintf("%s://%s@%s/nowhere", server.Scheme, server.User, server.Host), "no such database"},
		"no such user": {fmt.Sprintf("%s://nobody:wrong@%s/postgres", server.Scheme, server.Host), "refuses the user or password"},
	} {
		for _, open := range []func() error{
			func() error { _, err := postgres.Open(t.Context(), c.dsn, postgres.Options{}); return err },
			func() error { _, err := postgres.Migrate(t.Context(), c.dsn); return err },
		} {
			err := open()
			require.ErrorContains(t, err, c.says, name)
			require.ErrorContains(t, err, "GROUNDWORK_POSTGRES", name)
			require.NotContains(t, shown(err).Message, "secret", name)
		}
	}
}

// shown is the part of an error that people see.
func shown(err error) groundwork.Error {
	if e, ok := errors.AsType[*groundwork.Error](err); ok {
		return *e
	}
	return groundwork.Error{}
}

// all reads a whole list page by page.
func all[T any](t *testing.T, size int, backward bool, list func(groundwork.PageRequest) (groundwork.Page[*T], error)) []*T {
	t.Helper()
	var items []*T
	p := groundwork.PageRequest{First: size}
	if backward {
		p = groundwork.PageRequest{Last: size}
	}
	for {
		page, err := list(p)
		require.NoError(t, err)
		require.Len(t, page.Cursors, len(page.Items))
		require.LessOrEqual(t, len(page.Items), size)
		if backward {
			items = slices.Concat(page.Items, items)
			require.Equal(t, p.Before != nil, page.HasNext)
			if !page.HasBefore {
				return items
			}
			p.Before = &page.Cursors[0]
			continue
		}
		items = append(items, page.Items...)
		require.Equal(t, p.After != nil, page.HasBefore)
		if !page.HasNext {
			return items
		}
		p.After = &page.Cursors[len(page.Cursors)-1]
	}
}

// Pages put together are the whole list, in both directions, for every order, with equal keys and keys that are null.
func TestPagesMakeTheWholeList(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	rows := make([]groundwork.ImportRow, 23)
	for n := range rows {
		rows[n] = row(n / 2) // two of each time
		rows[n].ExternalID = fmt.Sprint("x", n)
		if n%3 == 0 {
			rows[n].DueAt = new(received.AddDate(0, 1, n%4))
		}
	}
	o.take(batch(rows...))
	for _, by := range []groundwork.IssueOrder{groundwork.OrderOriginDesc, groundwork.OrderOriginAsc, groundwork.OrderUpdatedDesc, groundwork.OrderDueAsc} {
		list := func(p groundwork.PageRequest) (groundwork.Page[*groundwork.Issue], error) {
			return o.Issues(t.Context(), groundwork.IssueFilter{}, by, p)
		}
		whole := all(t, 100, false, list)
		require.Len(t, whole, len(rows))
		for _, size := range []int{1, 4, 7, 23} {
			require.Equal(t, whole, all(t, size, false, list), "%s forward by %d", by, size)
			require.Equal(t, whole, all(t, size, true, list), "%s backward by %d", by, size)
		}
		sorted := slices.IsSortedFunc(whole, func(a, b *groundwork.Issue) int { return compareIssues(by, a, b) })
		require.True(t, sorted, by)
	}
	opinions := func(p groundwork.PageRequest) (groundwork.Page[*groundwork.Opinion], error) {
		return o.Opinions(t.Context(), groundwork.OpinionFilter{}, p)
	}
	require.Equal(t, all(t, 100, false, opinions), all(t, 5, false, opinions))
	require.Equal(t, all(t, 100, false, opinions), all(t, 5, true, opinions))
}

func compareIssues(by groundwork.IssueOrder, a, b *groundwork.Issue) int {
	switch by {
	case groundwork.OrderOriginAsc:
		return a.OriginAt.Compare(b.OriginAt)
	case groundwork.OrderOriginDesc:
		return b.OriginAt.Compare(a.OriginAt)
	case groundwork.OrderUpdatedDesc:
		return b.UpdatedAt.Compare(a.UpdatedAt)
	}
	switch { // due: those without come last
	case a.DueAt == nil && b.DueAt == nil:
		return 0
	case a.DueAt == nil:
		return 1
	case b.DueAt == nil:
		return -1
	}
	return a.DueAt.Compare(*b.DueAt)
}

func TestPageRequests(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	cursor := &groundwork.Cursor{Order: "ORIGIN_ASC", Key: "2026-01-01", ID: uuid.New()}
	for name, p := range map[string]groundwork.PageRequest{
		"neither": {}, "both": {First: 1, Last: 1}, "too many": {First: 101}, "negative": {Last: -1}, "first before": {First: 1, Before: cursor},
		"last after": {Last: 1, After: cursor}, "cursor of another order": {First: 1, After: cursor},
		"forged cursor": {First: 1, After: &groundwork.Cursor{Order: "ORIGIN_DESC", Key: "yesterday-ish"}},
	} {
		_, err := o.Issues(t.Context(), groundwork.IssueFilter{}, "", p)
		require.Equal(t, groundwork.CodeInvalid, groundwork.CodeOf(err), "%s: %v", name, err)
	}
	_, err := o.Issues(t.Context(), groundwork.IssueFilter{}, "BY_MOOD", groundwork.PageRequest{First: 1})
	require.ErrorContains(t, err, "BY_MOOD")
}

func TestIssueFilters(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	lost := row(9)
	lost.Region, lost.CategoryCode, lost.CategoryPath = nil, "", nil
	due := row(8)
	due.DueAt = new(received.AddDate(0, 1, 0))
	o.take(batch(replied(row(0), time.Hour), due, lost))
	live := o.must(o.issue("100%_sure"), o.dispatch())
	gone := o.must(o.issue("Withdrawn"), groundwork.Step{Kind: groundwork.EventWithdrawn, Actor: o.citizen, Reason: "mended", Pressured: "NO"})
	id := map[string]uuid.UUID{"replied": o.imported("m0").ID, "due": o.imported("m8").ID, "lost": o.imported("m9").ID, "live": live.ID, "gone": gone.ID}
	county, err := o.RegionByCode(t.Context(), "430103000000")
	require.NoError(t, err)
	lighting := o.imported("m0").CategoryID
	above, err := o.CategoriesByID(t.Context(), []uuid.UUID{*lighting})
	require.NoError(t, err)
	type f = groundwork.IssueFilter
	for name, c := range map[string]struct {
		filter f
		want   []string
	}{
		"all":               {f{}, []string{"replied", "due", "lost", "live", "gone"}},
		"ids":               {f{IDs: []uuid.UUID{id["due"], uuid.New()}}, []string{"due"}},
		"states":            {f{States: []groundwork.State{groundwork.Claimed, groundwork.Closed}}, []string{"replied", "gone"}},
		"open":              {f{Open: new(true)}, []string{"replied", "due", "lost", "live"}},
		"not open":          {f{Open: new(false)}, []string{"gone"}},
		"closure":           {f{ClosureTypes: []groundwork.Closure{groundwork.Withdrawn}}, []string{"gone"}},
		"severity":          {f{Severities: []groundwork.Severity{groundwork.SeverityUrgent}}, nil},
		"difficulty":        {f{Difficulties: []groundwork.Difficulty{groundwork.Routine}, IDs: []uuid.UUID{id["gone"]}}, []string{"gone"}},
		"kind and channel":  {f{Kinds: []groundwork.OpinionKind{groundwork.Complaint}, Channels: []groundwork.Channel{groundwork.ChannelOnline}}, []string{"live", "gone"}},
		"category subtree":  {f{CategoryIDs: []uuid.UUID{*above[*lighting].ParentID}}, []string{"replied", "due"}},
		"category unknown":  {f{CategoryUnknown: new(true)}, []string{"lost"}},
		"region subtree":    {f{Under: &o.city.ID}, []string{"replied", "due", "live", "gone"}},
		"finest region":     {f{Under: &county.ID}, []string{"replied", "due"}},
		"region unknown":    {f{RegionUnknown: new(true)}, []string{"lost"}},
		"unit":              {f{LeadUnitIDs: []uuid.UUID{o.unit.ID}}, []string{"live"}},
		"origin":            {f{Origin: groundwork.TimeRange{From: new(received), To: new(received.AddDate(0, 0, 8))}}, []string{"replied"}},
		"claimed":           {f{Claimed: groundwork.TimeRange{To: new(received.AddDate(1, 0, 0))}}, []string{"replied"}},
		"closed":            {f{Closed: groundwork.TimeRange{From: new(received)}}, []string{"gone"}},
		"due":               {f{Due: groundwork.TimeRange{From: new(received)}}, []string{"due"}},
		"overdue":           {f{Overdue: new(true)}, []string{"due"}},
		"not overdue":       {f{Overdue: new(false)}, []string{"replied", "lost", "live", "gone"}},
		"text, literally":   {f{Text: "0%_sure"}, []string{"live"}},
		"text of opinions":  {f{Text: "ROAD IS"}, []string{"live", "gone"}},
		"or":                {f{Or: []f{{RegionUnknown: new(true)}, {LeadUnitIDs: []uuid.UUID{o.unit.ID}}}}, []string{"lost", "live"}},
		"and":               {f{And: []f{{Under: &o.city.ID}, {Open: new(true)}, {Overdue: new(false)}}}, []string{"replied", "live"}},
		"not, with unknown": {f{Not: &f{LeadUnitIDs: []uuid.UUID{o.unit.ID}}}, []string{"replied", "due", "lost", "gone"}},
		"nested":            {f{Open: new(true), Or: []f{{Not: &f{Under: &o.city.ID}}, {And: []f{{Overdue: new(true)}}}}}, []string{"lost", "due"}},
	} {
		page, err := o.Issues(t.Context(), c.filter, groundwork.OrderOriginAsc, groundwork.PageRequest{First: 100})
		require.NoError(t, err, name)
		var got, want []uuid.UUID
		for _, i := range page.Items {
			got = append(got, i.ID)
		}
		for _, w := range c.want {
			want = append(want, id[w])
		}
		require.ElementsMatch(t, want, got, name)
		count, err := o.CountIssues(t.Context(), c.filter, 3)
		require.NoError(t, err, name)
		require.Equal(t, groundwork.Count{Value: min(3, len(want)), Capped: len(want) > 3}, count, name)
	}
	deep := f{Not: &f{Not: &f{Not: &f{Not: &f{}}}}}
	_, err = o.CountIssues(t.Context(), deep, 1)
	require.ErrorContains(t, err, "deeper than 3")
	_, err = o.CountIssues(t.Context(), f{Or: make([]f, 100)}, 1)
	require.ErrorContains(t, err, "more than 100 parts")

	byRef, err := o.IssueByRef(t.Context(), live.PublicRef)
	require.NoError(t, err)
	require.Equal(t, live, byRef)
	byRef, err = o.IssueByRef(t.Context(), "GW-0")
	require.NoError(t, err)
	require.Nil(t, byRef)
}

func TestRegions(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	ctx, admin := t.Context(), groundwork.Actor{ID: "admin", Role: groundwork.RoleSystem}
	list := func(f groundwork.RegionFilter) (codes []string) {
		page, err := o.Regions(ctx, f, groundwork.PageRequest{First: 10})
		require.NoError(t, err)
		for _, r := range page.Items {
			codes = append(codes, r.Code)
		}
		return codes
	}
	require.Equal(t, []string{"430000000000", "430100000000"}, list(groundwork.RegionFilter{Under: &o.province.ID}))
	require.Equal(t, []string{"430100000000"}, list(groundwork.RegionFilter{ParentID: &o.province.ID, Name: "a", Levels: []groundwork.RegionLevel{groundwork.Prefecture}}))
	require.Equal(t, []string{"430000000000", "430100000000"}, o.city.Path)
	_, _, err := o.CreateRegion(ctx, admin, groundwork.Region{Code: "430100000000", Level: groundwork.Prefecture, Name: "A市", ParentID: &o.province.ID})
	require.ErrorContains(t, err, "exists already")
	require.Equal(t, groundwork.CodeConflict, groundwork.CodeOf(err))
	_, _, err = o.CreateRegion(ctx, admin, groundwork.Region{Code: "430101001000", Level: groundwork.Township, Name: "T", ParentID: &o.city.ID})
	require.ErrorContains(t, err, "directly below a COUNTY")
	_, err = o.SetPopulations(ctx, admin, []groundwork.Population{{RegionID: o.city.ID, Year: 2020, Persons: 7, Source: "a"}, {RegionID: o.city.ID, Year: 2020, Persons: 8, Source: "a"}})
	require.NoError(t, err)
	of, err := o.PopulationsOf(ctx, []uuid.UUID{o.city.ID})
	require.NoError(t, err)
	require.EqualValues(t, 8, of[o.city.ID][0].Persons)
	_, err = o.SetPopulations(ctx, admin, []groundwork.Population{{RegionID: uuid.New(), Year: 2020, Persons: 7, Source: "a"}})
	require.Equal(t, groundwork.CodeInvalid, groundwork.CodeOf(err))
	found, err := o.RegionsByID(ctx, []uuid.UUID{o.city.ID, uuid.New()})
	require.NoError(t, err)
	require.Equal(t, map[uuid.UUID]*groundwork.Region{o.city.ID: o.city}, found)
	require.NoError(t, o.sql("UPDATE region SET code = '440000000000' WHERE id = $1", o.province.ID))
	moved, err := o.RegionByCode(ctx, "430100000000")
	require.NoError(t, err)
	require.Equal(t, []string{"440000000000", "430100000000"}, moved.Path, "children follow")
}

func TestCategoryVersions(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	admin := groundwork.Actor{ID: "admin", Role: groundwork.RoleSystem}
	second, _, err := o.CreateCategory(t.Context(), admin, groundwork.Category{Code: "roads", Name: "Roads and bridges", ValidFrom: day(2026, 7, 1)})
	require.NoError(t, err)
	require.Equal(t, 2, second.Version)
	valid := func(on time.Time) []*groundwork.Category {
		page, err := o.Categories(t.Context(), groundwork.CategoryFilter{Code: "roads", ValidOn: &on, RootOnly: true}, groundwork.PageRequest{First: 10})
		require.NoError(t, err)
		return page.Items
	}
	require.Equal(t, o.category.ID, valid(day(2026, 6, 30))[0].ID)
	require.Equal(t, []*groundwork.Category{second}, valid(day(2026, 7, 1)))
	_, _, err = o.CreateCategory(t.Context(), admin, groundwork.Category{Code: "roads", Name: "Roads", ValidFrom: day(2026, 7, 1)})
	require.ErrorContains(t, err, "give the new version a later day")
	list := func(p groundwork.PageRequest) (groundwork.Page[*groundwork.Category], error) {
		return o.Categories(t.Context(), groundwork.CategoryFilter{}, p)
	}
	require.Equal(t, all(t, 100, false, list), all(t, 1, true, list))
}

func TestOfficeAndVisits(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	ctx, admin := t.Context(), groundwork.Actor{ID: "admin", Role: groundwork.RoleSystem}
	first := groundwork.PageRequest{First: 10}
	person, _, err := o.CreateOfficial(ctx, admin, groundwork.Official{Pseudonym: "o-17"})
	require.NoError(t, err)
	post, receipt, err := o.CreatePostHolding(ctx, admin, groundwork.PostHolding{OfficialID: person.ID, OrgUnitID: o.unit.ID, Rank: groundwork.RankCounty, Title: "Director", HeldFrom: day(2024, 1, 1)})
	require.NoError(t, err)
	require.NotZero(t, receipt.LSN)
	posts, err := o.PostHoldingsOf(ctx, []uuid.UUID{person.ID})
	require.NoError(t, err)
	require.Equal(t, []*groundwork.PostHolding{post}, posts[person.ID])
	postsByID, err := o.PostHoldingsByID(ctx, []uuid.UUID{post.ID})
	require.NoError(t, err)
	require.Equal(t, post, postsByID[post.ID])
	officials, err := o.Officials(ctx, first)
	require.NoError(t, err)
	require.Contains(t, officials.Items, person)
	people, err := o.OfficialsByID(ctx, []uuid.UUID{person.ID})
	require.NoError(t, err)
	require.Len(t, people, 1)
	units, err := o.OrgUnits(ctx, groundwork.OrgUnitFilter{Under: &o.province.ID, Kinds: []groundwork.UnitKind{groundwork.GovtUnit}, Name: "ROAD"}, first)
	require.NoError(t, err)
	require.Equal(t, []*groundwork.OrgUnit{o.unit}, units.Items)
	unitsByID, err := o.OrgUnitsByID(ctx, []uuid.UUID{o.callers.ID})
	require.NoError(t, err)
	require.Equal(t, o.callers, unitsByID[o.callers.ID])

	site, _, err := o.CreateSite(ctx, admin, groundwork.Site{RegionID: o.city.ID, Kind: groundwork.School, Name: "No. 1 School", Latitude: new(28.2), Longitude: new(112.9), EligibleFrom: new(day(2020, 1, 1))})
	require.NoError(t, err)
	_, _, err = o.CreateSite(ctx, admin, groundwork.Site{RegionID: uuid.New(), Kind: groundwork.School, Name: "Nowhere"})
	require.Equal(t, "regionId", shown(err).Field)
	sites, err := o.Sites(ctx, groundwork.SiteFilter{Under: &o.city.ID, Kinds: []groundwork.SiteKind{groundwork.School}, Name: "school"}, first)
	require.NoError(t, err)
	require.Equal(t, []*groundwork.Site{site}, sites.Items)
	sitesByID, err := o.SitesByID(ctx, []uuid.UUID{site.ID})
	require.NoError(t, err)
	require.Equal(t, site, sitesByID[site.ID])

	started := o.clock.Now().Add(-2 * time.Hour).UTC()
	visit, _, err := o.RecordVisit(ctx, admin, groundwork.Visit{ActivityKind: groundwork.Research, Notice: "UNANNOUNCED", SiteID: site.ID, LeadID: post.ID, StartedAt: started,
		EndedAt: new(started.Add(time.Hour)), CitizensMet: new(12), NoteText: new("Met the teachers."), NoteUnitID: &o.unit.ID, State: groundwork.VisitRecorded})
	require.NoError(t, err)
	require.Equal(t, o.clock.Now().UTC(), *visit.NoteCreatedAt)
	visits, err := o.Visits(ctx, groundwork.VisitFilter{Under: &o.city.ID, SiteIDs: []uuid.UUID{site.ID}, ActivityKinds: []groundwork.ActivityKind{groundwork.Research},
		States: []groundwork.VisitState{groundwork.VisitRecorded}, Started: groundwork.TimeRange{From: &started}}, first)
	require.NoError(t, err)
	require.Equal(t, []*groundwork.Visit{visit}, visits.Items)
	visitsByID, err := o.VisitsByID(ctx, []uuid.UUID{visit.ID})
	require.NoError(t, err)
	require.Equal(t, visit, visitsByID[visit.ID])

	said, _, err := o.SubmitOpinion(ctx, o.intake, groundwork.Opinion{Channel: groundwork.ChannelVisit, Kind: groundwork.Help, Text: "Fix the roof.", VisitID: &visit.ID, SiteID: &site.ID, Latitude: new(28.2), Longitude: new(112.9), PrecisionM: new(50)})
	require.NoError(t, err)
	require.Nil(t, said.ReporterPID)
	i, _, err := o.RegisterIssue(ctx, groundwork.Registration{Actor: groundwork.Actor{ID: "leader", Role: groundwork.RoleLeader}, OpinionIDs: []uuid.UUID{said.ID}, Title: "Roof", Severity: groundwork.SeverityHigh})
	require.NoError(t, err)
	require.Equal(t, visit.ID, *i.SourceVisitID)
	require.Equal(t, site.ID, *i.SiteID)
}

func TestOpinions(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	one, two := o.opinion("Loud 100%"), o.opinion("Dusty")
	require.Equal(t, one.ReporterPID, two.ReporterPID, "one account, one pseudonym")
	require.NotNil(t, one.ReporterPID)
	followed, err := o.OpinionBySecret(t.Context(), one.Secret)
	require.NoError(t, err)
	require.Equal(t, one.ID, followed.ID)
	one.Secret, two.Secret = "", "" // shown once
	_, _, err = o.RegisterIssue(t.Context(), groundwork.Registration{Actor: o.citizen, OpinionIDs: []uuid.UUID{two.ID}})
	require.NoError(t, err)
	list := func(f groundwork.OpinionFilter) []*groundwork.Opinion {
		page, err := o.Opinions(t.Context(), f, groundwork.PageRequest{First: 10})
		require.NoError(t, err)
		return page.Items
	}
	require.Equal(t, []*groundwork.Opinion{one}, list(groundwork.OpinionFilter{Linked: new(false), Under: &o.province.ID}))
	require.Equal(t, []*groundwork.Opinion{two}, list(groundwork.OpinionFilter{Linked: new(true), Channels: []groundwork.Channel{groundwork.ChannelOnline},
		Kinds: []groundwork.OpinionKind{groundwork.Complaint}, Sources: []string{"groundwork"}, Received: groundwork.TimeRange{From: new(one.ReceivedAt)}}))
	require.Equal(t, []*groundwork.Opinion{one}, list(groundwork.OpinionFilter{Text: "loud 100%"}))
	require.Empty(t, list(groundwork.OpinionFilter{RegionUnknown: true}))
	require.Empty(t, list(groundwork.OpinionFilter{VisitID: new(uuid.New())}))
	found, err := o.OpinionsByID(t.Context(), []uuid.UUID{one.ID})
	require.NoError(t, err)
	require.Equal(t, one, found[one.ID])
	_, _, err = o.SubmitOpinion(t.Context(), o.citizen, groundwork.Opinion{Channel: groundwork.ChannelOnline, Kind: groundwork.Help, Text: "x", RegionID: new(uuid.New())})
	require.Equal(t, "regionId", shown(err).Field)
	require.NotContains(t, shown(err).Message, "violates")
}

func TestRebuildCheckSeesADifference(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	i := o.issue("Broken road")
	o.sound()
	require.NoError(t, o.sql("UPDATE issue SET dispute_count = 3 WHERE id = $1", i.ID))
	differ, err := o.RebuildCheck(t.Context())
	require.NoError(t, err)
	require.Equal(t, []uuid.UUID{i.ID}, differ)
}

func TestCancelledRequest(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := o.Officials(ctx, groundwork.PageRequest{First: 1})
	require.ErrorIs(t, err, context.Canceled)
}
