package postgres_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"groundwork"
	"groundwork/postgres"
	"groundwork/postgres/pgtest"
)

var received = time.Date(2019, 5, 1, 8, 30, 0, 0, time.UTC)

// row is a message of day n in A3区, on a matter of its own.
func row(n int) groundwork.ImportRow {
	return groundwork.ImportRow{
		Line: n + 2, ExternalID: fmt.Sprint("m", n), Matter: uuid.Must(uuid.NewV7()), ReporterKey: fmt.Sprint("user", n%7),
		Subject: fmt.Sprint("Broken lamp ", n), Text: "It is dark.", Channel: groundwork.ChannelMessageBoard, Kind: groundwork.Complaint,
		ReceivedAt: received.AddDate(0, 0, n), ReceivedPrecision: groundwork.ToTheSecond,
		Region: []groundwork.ImportRegion{
			{Code: "430000000000", Level: groundwork.Province, Name: "西地省"},
			{Code: "430100000000", Level: groundwork.Prefecture, Name: "A市"},
			{Code: "430103000000", Level: groundwork.County, Name: "A3区"},
		},
		CategoryCode: "lighting", CategoryPath: []string{"City", "Lighting"},
	}
}

func replied(r groundwork.ImportRow, after time.Duration) groundwork.ImportRow {
	r.Reply = &groundwork.ImportReply{Text: "Thank you, mended.", At: r.ReceivedAt.Add(after), Precision: groundwork.ToTheDay}
	return r
}

func batch(rows ...groundwork.ImportRow) groundwork.ImportBatch {
	return groundwork.ImportBatch{Source: "message_board", FileName: "board.csv", SHA256: "0", ObservedUntil: received.AddDate(1, 0, 0),
		RowsRead: len(rows), Rows: rows}
}

func (o *office) take(b groundwork.ImportBatch) groundwork.ImportResult {
	o.t.Helper()
	result, err := o.Import(o.t.Context(), b, nil)
	require.NoError(o.t, err)
	result.Receipt = groundwork.Receipt{}
	o.sound()
	return result
}

func (o *office) imported(externalID string) *groundwork.Issue {
	o.t.Helper()
	pool, err := pgxpool.New(o.t.Context(), o.dsn)
	require.NoError(o.t, err)
	defer pool.Close()
	var id uuid.UUID
	require.NoError(o.t, pool.QueryRow(o.t.Context(),
		"SELECT issue_id FROM issue_opinion JOIN opinion ON opinion.id = opinion_id WHERE external_id = $1", externalID).Scan(&id))
	found, err := o.IssuesByID(o.t.Context(), []uuid.UUID{id})
	require.NoError(o.t, err)
	return found[id]
}

// A reply becomes a claim of the reply's time, of no kind, and nothing is confirmed.
func TestImportKeepsRealTimes(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	result := o.take(batch(replied(row(0), 72*time.Hour), row(1)))
	require.Equal(t, groundwork.ImportResult{OpinionsAdded: 2, IssuesAdded: 2, ClaimsAdded: 1, RegionsAdded: 1, CategoriesAdded: 2}, result)

	i := o.imported("m0")
	require.Equal(t, groundwork.Claimed, i.State)
	require.Equal(t, received, i.OriginAt)
	require.Equal(t, received.Add(72*time.Hour), *i.ClaimedAt)
	require.Equal(t, received.Add(72*time.Hour), *i.FirstResponseAt)
	require.Nil(t, i.ResolvedAt)
	require.Nil(t, i.ClosedAt)
	require.Equal(t, received.AddDate(1, 0, 0), *i.ObservedUntil)
	require.Equal(t, "Broken lamp 0", i.Title)
	claims, err := o.ClaimsOf(t.Context(), []uuid.UUID{i.ID}, 5)
	require.NoError(t, err)
	require.Nil(t, claims[i.ID][0].Kind)
	require.Equal(t, groundwork.ToTheDay, claims[i.ID][0].ClaimedPrecision)
	events, err := o.EventsOf(t.Context(), []uuid.UUID{i.ID}, 5)
	require.NoError(t, err)
	require.Equal(t, received, events[i.ID][0].KnownAt, "known when the source knew it, not when it was imported")
	require.Equal(t, groundwork.Registered, o.imported("m1").State)

	region, err := o.RegionByCode(t.Context(), "430103000000")
	require.NoError(t, err)
	require.Equal(t, []string{"430000000000", "430100000000", "430103000000"}, region.Path)
	require.Equal(t, region.ID, *i.RegionID)
	categories, err := o.CategoriesByID(t.Context(), []uuid.UUID{*i.CategoryID})
	require.NoError(t, err)
	require.Equal(t, []string{"City", "Lighting"}, categories[*i.CategoryID].Path)
}

func TestImportTwiceChangesNothing(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	first, again := row(0), row(3)
	again.Matter, again.LinkScore = first.Matter, new(0.8)
	rows := []groundwork.ImportRow{replied(first, time.Hour), row(1), replied(again, time.Hour), row(4)}
	o.take(batch(rows...))
	before := o.imported("m0")
	require.Equal(t, 2, before.OpinionCount)
	for n := range rows {
		rows[n].Matter = uuid.Must(uuid.NewV7()) // a second reading of the file invents ids anew
	}
	require.Equal(t, groundwork.ImportResult{OpinionsKnown: 4}, o.take(batch(rows...)))
	require.Equal(t, before, o.imported("m0"))
}

func TestImportOfGrownFile(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	o.take(batch(row(0), row(1)))
	grown := batch(replied(row(0), 48*time.Hour), row(1), row(2))
	grown.ObservedUntil = received.AddDate(2, 0, 0)
	require.Equal(t, groundwork.ImportResult{OpinionsAdded: 1, OpinionsKnown: 1, OpinionsChanged: 1, IssuesAdded: 1, IssuesChanged: 2, ClaimsAdded: 1}, o.take(grown))
	require.Equal(t, groundwork.Claimed, o.imported("m0").State)
	require.Equal(t, received.AddDate(2, 0, 0), *o.imported("m1").ObservedUntil, "the file speaks of the unchanged row too, up to its end")

	older := batch(row(0))
	require.Equal(t, groundwork.ImportResult{OpinionsKnown: 1}, o.take(older), "an older file takes nothing back")
	require.Equal(t, received.AddDate(2, 0, 0), *o.imported("m0").ObservedUntil)
}

// A repeat that the file has before or after what is known joins the known issue, whatever matter it was given.
func TestImportLinksToKnownIssue(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	o.DB = pgtest.Open(t, o.dsn, postgres.Options{Now: o.clock.Now, SecretKey: []byte("key of the secrets")}) // without a key nobody is found again
	o.take(batch(replied(row(5), time.Hour)))
	known, earlier := replied(row(5), time.Hour), replied(row(2), 24*time.Hour)
	earlier.Matter, earlier.LinkScore = known.Matter, new(0.9)
	result := o.take(batch(known, earlier))
	require.Equal(t, groundwork.ImportResult{OpinionsAdded: 1, OpinionsKnown: 1, IssuesChanged: 1, ClaimsAdded: 1}, result)
	i := o.imported("m2")
	require.Equal(t, o.imported("m5").ID, i.ID)
	require.Equal(t, earlier.ReceivedAt, i.OriginAt, "the origin is the earliest opinion")
	require.Equal(t, earlier.Reply.At, *i.FirstResponseAt)
	require.Equal(t, known.Reply.At, *i.ClaimedAt, "the last claim by time, not by import")

	found, err := o.ImportedOpinions(t.Context(), "message_board", []string{"user5", "user2"})
	require.NoError(t, err)
	require.Len(t, found, 2)
	require.Equal(t, groundwork.ImportedOpinion{IssueID: i.ID, ExternalID: "m2", Reporter: "user2", Subject: "Broken lamp 2", Text: "It is dark.",
		ReceivedAt: earlier.ReceivedAt, Place: []string{"西地省", "A市", "A3区"}}, found[0])
}

// A clock of the source that puts the reply before the message does not break the order of events.
func TestImportOfReplyBeforeMessage(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	o.take(batch(replied(row(0), -8*time.Hour)))
	i := o.imported("m0")
	require.Equal(t, groundwork.Claimed, i.State)
	require.Equal(t, received.Add(-8*time.Hour), *i.ClaimedAt)
}

// An issue that was taken up here goes its own way: it is no longer censored, and a later reply of the source is a response.
func TestImportedIssueTakenUpHere(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	o.take(batch(row(0)))
	i := o.must(o.imported("m0"), groundwork.Step{Kind: groundwork.EventDispatched, Actor: o.dispatcher, UnitID: &o.unit.ID, OverrideReason: "no rule for lamps"})
	require.Nil(t, i.ObservedUntil)
	grown := batch(replied(row(0), 48*time.Hour))
	grown.ObservedUntil = received.AddDate(3, 0, 0)
	require.Equal(t, groundwork.ImportResult{OpinionsChanged: 1, IssuesChanged: 1}, o.take(grown))
	i = o.imported("m0")
	require.Equal(t, groundwork.Dispatched, i.State)
	require.Equal(t, received.Add(48*time.Hour), *i.FirstResponseAt)
	require.Nil(t, i.ObservedUntil)
	require.Equal(t, groundwork.ImportResult{OpinionsKnown: 1}, o.take(grown))
}

func TestImportOfSecondReply(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	o.take(batch(replied(row(0), time.Hour)))
	require.Equal(t, 1, o.take(batch(replied(row(0), 3*time.Hour))).ClaimsAdded)
	i := o.imported("m0")
	claims, err := o.ClaimsOf(t.Context(), []uuid.UUID{i.ID}, 5)
	require.NoError(t, err)
	require.Len(t, claims[i.ID], 2)
	require.Equal(t, received.Add(3*time.Hour), *i.ClaimedAt)
	require.Equal(t, received.Add(time.Hour), *i.FirstResponseAt)
}

func TestDryRunKeepsNothing(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	b := batch(row(0), replied(row(1), time.Hour))
	b.DryRun = true
	require.Equal(t, 2, o.take(b).OpinionsAdded)
	b.DryRun = false
	require.Equal(t, 2, o.take(b).OpinionsAdded, "the dry run kept something")
}

func TestImportRefusals(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	nameless, gap, gone := row(0), row(0), row(0)
	nameless.ExternalID = ""
	gap.Region = gap.Region[1:]
	gap.Region[0].Code = "990100000000"
	gone.MatterExists = true
	for name, c := range map[string]struct {
		batch groundwork.ImportBatch
		says  string
	}{
		"no external id":  {batch(nameless), "line 2 has no external id"},
		"twice":           {batch(row(0), row(0)), "the same external id"},
		"no source":       {groundwork.ImportBatch{ObservedUntil: received}, "name the system"},
		"no end":          {groundwork.ImportBatch{Source: "x"}, "up to when"},
		"orphan region":   {batch(gap), "needs its parent's id"},
		"vanished matter": {batch(gone), "does not exist any more"},
	} {
		_, err := o.Import(t.Context(), c.batch, nil)
		require.ErrorContains(t, err, c.says, name)
		require.Equal(t, groundwork.CodeInvalid, groundwork.CodeOf(err), name)
	}
	page, err := o.Opinions(t.Context(), groundwork.OpinionFilter{}, groundwork.PageRequest{First: 1})
	require.NoError(t, err)
	require.Empty(t, page.Items, "a refused chunk leaves nothing")
}

// Two imports of one file at once: the second waits, and finds all known.
func TestImportsDoNotRace(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	rows := make([]groundwork.ImportRow, 700)
	for n := range rows {
		rows[n] = replied(row(n), time.Hour)
	}
	results := make(chan groundwork.ImportResult, 3)
	faults := make(chan error, 3)
	for range 3 {
		go func() {
			result, err := o.Import(t.Context(), batch(rows...), nil)
			results <- result
			faults <- err
		}()
	}
	added := 0
	for range 3 {
		require.NoError(t, <-faults)
		added += (<-results).OpinionsAdded
	}
	require.Equal(t, len(rows), added)
	o.sound()
}

// Several chunks: progress grows to the number of rows, and a matter is never torn.
func TestImportInChunks(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	rows := make([]groundwork.ImportRow, 1300)
	for n := range rows {
		rows[n] = row(n)
		if n%3 > 0 {
			rows[n].Matter = rows[n-n%3].Matter
		}
	}
	var told []int
	started := time.Now()
	result, err := o.Import(t.Context(), batch(rows...), func(done int) { told = append(told, done) })
	require.NoError(t, err)
	t.Logf("%d rows in %s", len(rows), time.Since(started))
	require.Equal(t, 434, result.IssuesAdded)
	require.Greater(t, len(told), 1)
	require.IsIncreasing(t, told)
	require.Equal(t, len(rows), told[len(told)-1])
	require.Equal(t, 3, o.imported("m900").OpinionCount)
	o.sound()
}

func TestImportPopulations(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	by := groundwork.Actor{ID: "import", Role: groundwork.RoleSystem}
	rows := []groundwork.PopulationRow{
		{Line: 2, Code: "430100000000", Year: 2020, Persons: 8_000_000, Source: "census"},
		{Line: 3, Code: "430102000000", Name: "A2区", Level: groundwork.County, Year: 2020, Persons: 500_000, Source: "census"},
	}
	changed, err := o.ImportPopulations(t.Context(), by, rows, true)
	require.NoError(t, err)
	require.Equal(t, 2, changed)
	changed, err = o.ImportPopulations(t.Context(), by, rows, false)
	require.NoError(t, err)
	require.Equal(t, 2, changed, "the dry run kept something")
	changed, err = o.ImportPopulations(t.Context(), by, rows, false)
	require.NoError(t, err)
	require.Zero(t, changed)
	of, err := o.PopulationsOf(t.Context(), []uuid.UUID{o.city.ID})
	require.NoError(t, err)
	require.Equal(t, []groundwork.Population{{RegionID: o.city.ID, Year: 2020, Persons: 8_000_000, Source: "census"}}, of[o.city.ID])

	_, err = o.ImportPopulations(t.Context(), by, []groundwork.PopulationRow{{Line: 7, Code: "999999000000", Year: 2020, Persons: 1, Source: "x"}}, false)
	require.ErrorContains(t, err, `line 7: region code "999999000000" is unknown`)
	_, err = o.ImportPopulations(t.Context(), by, []groundwork.PopulationRow{{Line: 8, Code: "430104001000", Name: "T", Level: groundwork.Township, Year: 2020, Persons: 1, Source: "x"}}, false)
	require.ErrorContains(t, err, "430104000000, is unknown; list it before")
}
