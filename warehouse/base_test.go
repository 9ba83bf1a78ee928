package warehouse_test

import (
	"fmt"
	"log/slog"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"groundwork/warehouse"
)

// position is the watermark that says that all written so far is in.
func (h *house) position(at time.Time) { h.watermark(h.version, at) }

func (h *house) keeper() *warehouse.Keeper {
	return &warehouse.Keeper{DB: h.DB, Logger: slog.New(slog.DiscardHandler)}
}

func (h *house) keep() warehouse.Kept {
	h.t.Helper()
	kept, err := h.keeper().Once(h.t.Context())
	require.NoError(h.t, err)
	return kept
}

// based are the measures that read the base.
var based = []string{"T1", "T2", "T3", "T4", "H1", "H4", "E1"}

// sameAsExact asks random questions of the base and of the mirror, by second, and as is asked of many issues: the base in arrays, the mirror without; and as if there were
// many regions.
func (h *house) sameAsExact(w *world, questions int) {
	h.t.Helper()
	exact, coarse, coarseExact, older, coarseMany := warehouse.NewMeasures(h.DB), warehouse.NewMeasures(h.DB), warehouse.NewMeasures(h.DB), warehouse.NewMeasures(h.DB), warehouse.NewMeasures(h.DB)
	older.WithoutSums()
	older.Send(0)
	exact.WithoutBase()
	coarseExact.WithoutBase()
	coarseExact.Arrays(0)
	coarse.ByHour()
	coarseExact.ByHour()
	coarseMany.ByHour()
	coarseMany.Send(0)
	for k := range questions {
		q := warehouse.Question{Query: w.ask(2 * k)} // as of now
		q.Curves = len(q.By) == 0 || k%2 == 1 && slices.Equal(q.By, []warehouse.Dimension{warehouse.ByRegion})
		for _, code := range based {
			q := q
			switch code {
			case "H1":
				q.By, q.RegionLevel, q.Where.Regions = []warehouse.Dimension{warehouse.ByRegion}, "COUNTY", nil
			case "H4":
				q.By = []warehouse.Dimension{warehouse.ByCategory}
			case "E1":
				q.By = nil
			}
			want, err := exact.Ask(h.t.Context(), code, q)
			require.NoError(h.t, err)
			got, err := h.Ask(h.t.Context(), code, q)
			require.NoError(h.t, err)
			require.Equal(h.t, want, got, "%s %+v", code, q)
			if code == "H1" { // which reads the sums
				got, err = older.Ask(h.t.Context(), code, q)
				require.NoError(h.t, err)
				require.Equal(h.t, want, got, "without sums by place: %+v", q)
			}
			if want, err = coarseExact.Ask(h.t.Context(), code, q); err == nil {
				got, err = coarse.Ask(h.t.Context(), code, q)
			}
			require.NoError(h.t, err)
			require.Equal(h.t, want, got, "coarse %s %+v", code, q)
			got, err = coarseMany.Ask(h.t.Context(), code, q)
			require.NoError(h.t, err)
			require.Equal(h.t, want, got, "coarse %s, with more regions than go with a statement: %+v", code, q)
		}
	}
}

// Whatever happens to the mirror, and however far the base is behind it, answers are those of the mirror.
func TestBaseAnswersAsTheMirror(t *testing.T) {
	t.Parallel()
	w := newWorld(11, 200)
	h := open(t)
	w.load(h, nil)
	end := w.end()
	h.position(end)
	require.True(t, h.keep().Built)
	h.sameAsExact(w, 2)
	require.Equal(t, warehouse.Kept{}, h.keep(), "nothing changed")

	for round := range 3 {
		// Some go on, some move, some vanish, some come; then all of it once more, as a replay does.
		var changed, gone, fresh []issue
		for k := range 40 {
			i := &w.issues[w.rnd.IntN(len(w.issues))]
			switch k % 4 {
			case 0:
				i.Category = &w.categories[w.rnd.IntN(len(w.categories))].ID
			case 1:
				i.State, i.Closure, i.Closed = "CLOSED", new("EXPLAINED"), new(end.Add(-days(w.rnd.Float64()*60)).Truncate(time.Microsecond))
				if i.Closed.Before(i.Origin) {
					i.Closed = &i.Origin
				}
			case 2:
				i.Origin = i.Origin.Add(-days(w.rnd.Float64() * 300)).Truncate(time.Microsecond) // an earlier opinion turned up
				if k < 8 {
					i.Origin = i.Origin.Add(-days(4000)) // longer ago than times are counted in arrays
				}
			case 3:
				i.Region = nil
			}
			changed = append(changed, *i)
		}
		gone, w.issues = w.issues[:7], w.issues[7:]
		before := len(w.issues)
		for range 9 {
			w.live()
		}
		fresh = w.issues[before:]
		insert(h, "f_issue", changed...)
		h.position(end)
		h.sameAsExact(w, 1)
		remove(h, "f_issue", gone...)
		insert(h, "f_issue", fresh...)
		h.version-- // a replay: the same rows with the same version
		insert(h, "f_issue", fresh...)
		h.position(end)
		h.sameAsExact(w, 1)
		if round == 0 {
			continue // let it lag
		}
		kept := h.keep()
		require.False(t, kept.Built)
		require.NotZero(t, kept.Folded)
	}
	h.sameAsExact(w, 1)
	require.Equal(t, uint64(1), h.count("SELECT uniqExact(gen) FROM f_issue_base"), "it was folded in, not built")
	require.Equal(t, h.count("SELECT count() FROM f_issue FINAL WHERE _deleted = 0"), h.count("SELECT toUInt64(sum(w)) FROM f_issue_base"))
	require.Equal(t, uint64(1), h.count("SELECT uniqExact(total) FROM f_issue_base WHERE id = toUUID('00000000-0000-0000-0000-000000000000')"), "each mark says with how many it was built")
}

func (h *house) count(sql string) (n uint64) {
	h.t.Helper()
	require.NoError(h.t, h.QueryRow(h.t.Context(), sql).Scan(&n))
	return n
}

// The first and the last moment of the data are those of issues that are left, however the issues that held them went: deleted, begun later
// or seen to an earlier day, in the tail or folded in.
func TestSpanIsOfIssuesThatAreLeft(t *testing.T) {
	t.Parallel()
	w := newWorld(15, 80)
	h := open(t)
	end := w.end()
	for k := range w.issues { // all imported, so that observation ends before as-of
		w.issues[k].ObservedUntil = new(w.issues[k].Origin.Add(w.wait(20)))
	}
	w.load(h, nil)
	h.position(end)
	h.keep()
	seen := func(i issue) time.Time {
		if i.ObservedUntil.Before(end) {
			return *i.ObservedUntil
		}
		return end
	}
	for round := range 24 {
		first := slices.IndexFunc(w.issues, func(i issue) bool {
			return !slices.ContainsFunc(w.issues, func(other issue) bool { return other.Origin.Before(i.Origin) })
		})
		last := slices.IndexFunc(w.issues, func(i issue) bool {
			return !slices.ContainsFunc(w.issues, func(other issue) bool { return seen(other).After(seen(i)) })
		})
		switch round % 4 {
		case 0:
			w.issues[first].Origin = w.issues[first].Origin.Add(days(w.rnd.Float64() * 3)).Truncate(time.Microsecond)
			insert(h, "f_issue", w.issues[first])
		case 1:
			w.issues[last].ObservedUntil = new(w.issues[last].ObservedUntil.Add(-days(w.rnd.Float64() * 3)).Truncate(time.Microsecond))
			insert(h, "f_issue", w.issues[last])
		case 2:
			gone := first
			if w.rnd.IntN(2) == 0 {
				gone = last
			}
			remove(h, "f_issue", w.issues[gone])
			w.issues = slices.Delete(w.issues, gone, gone+1)
		case 3: // two of the same moment, of which one goes
			twin := w.issues[first]
			twin.ID = w.uuid()
			insert(h, "f_issue", twin)
			h.position(end)
			h.keep()
			remove(h, "f_issue", w.issues[first])
			w.issues[first] = twin
		}
		h.position(end)
		from, to := w.issues[0].Origin, seen(w.issues[0])
		for _, i := range w.issues {
			if i.Origin.Before(from) {
				from = i.Origin
			}
			to = latest(to, seen(i))
		}
		got, err := h.Hotspots(t.Context(), warehouse.HotspotQuery{Query: warehouse.Query{Timezone: "UTC"}})
		require.NoError(t, err)
		require.Contains(t, got.Notes, fmt.Sprintf("window %s to %s (UTC)", from.Format(time.RFC3339), to.Format(time.RFC3339)), "round %d", round)
		h.sameAsExact(w, 1)
		if w.rnd.IntN(3) == 0 {
			require.False(t, h.keep().Built)
		}
	}
}

// A fold is one part, so that it is there or not; and of two keepers that fold the same changes one is ignored.
func TestFoldsHaveTheirEffectOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(12, 60)
	h := open(t)
	w.load(h, nil)
	h.position(w.end())
	h.keep()
	require.NoError(t, h.Exec(t.Context(), "SYSTEM STOP MERGES "+"f_issue_base"))
	parts := h.count("SELECT count() FROM system.parts WHERE active AND database = currentDatabase() AND table = 'f_issue_base'")
	w.issues[3].State = "MERGED"
	insert(h, "f_issue", w.issues[3:9]...)
	h.position(w.end())

	errs := make(chan error, 4)
	for range cap(errs) {
		go func() {
			_, err := h.keeper().Once(t.Context())
			errs <- err
		}()
	}
	for range cap(errs) {
		require.NoError(t, <-errs)
	}
	require.Equal(t, parts+1, h.count("SELECT count() FROM system.parts WHERE active AND database = currentDatabase() AND table = 'f_issue_base'"))
	h.sameAsExact(w, 1)
}

// Rows with versions below the base's come in only by repairs, which make it void.
func TestVoidBaseIsNotRead(t *testing.T) {
	t.Parallel()
	w := newWorld(13, 60)
	h := open(t)
	w.load(h, nil)
	h.position(w.end())
	h.keep()
	require.NoError(t, h.Exec(t.Context(), "TRUNCATE TABLE f_issue"))
	require.NoError(t, warehouse.VoidBase(t.Context(), h.DB))
	got, err := h.Ask(t.Context(), "T4", warehouse.Question{})
	require.NoError(t, err)
	require.Empty(t, got.N)
	require.True(t, h.keep().Built)
	require.False(t, h.keep().Built)
	// A load puts another table in the mirror's place, without any of the rows.
	h.loadElsewhere(w.issues[:1])
	got, err = h.Ask(t.Context(), "T1", warehouse.Question{})
	require.NoError(t, err)
	require.Equal(t, []int64{1}, got.N)
	require.True(t, h.keep().Built)
	h.loadElsewhere(nil)
	got, err = h.Ask(t.Context(), "T4", warehouse.Question{})
	require.NoError(t, err)
	require.Empty(t, got.N)
}

// loadElsewhere makes a mirror anew beside the old one, and lets it take its place.
func (h *house) loadElsewhere(issues []issue) {
	h.t.Helper()
	require.NoError(h.t, h.Exec(h.t.Context(), "CREATE TABLE f_issue__new AS f_issue"))
	for _, i := range issues {
		if i.State == "MERGED" {
			i.State = "REGISTERED"
		}
		h.version = 0 // as a snapshot of another history
		insert(h, "f_issue__new", i)
	}
	require.NoError(h.t, h.Exec(h.t.Context(), "EXCHANGE TABLES f_issue AND f_issue__new"))
	require.NoError(h.t, h.Exec(h.t.Context(), "DROP TABLE f_issue__new"))
}

// A log much longer than what it holds is built anew, and generations that nobody reads are dropped.
// Built in slices, the base holds each issue once, whatever its id.
func TestBaseIsBuiltInSlices(t *testing.T) {
	t.Parallel()
	w := newWorld(21, 150)
	for k, id := range []string{"00000000-0000-0000-0000-000000000001", "ffffffff-ffff-ffff-ffff-ffffffffffff", "ffffffff-ffff-ffff-7fff-ffffffffffff", "00000000-0000-0000-8000-000000000000"} {
		w.issues[k].ID = uuid.MustParse(id)
	}
	h := open(t)
	w.load(h, nil)
	h.position(w.end())
	keeper := h.keeper()
	keeper.Slice(10)
	_, err := keeper.Once(t.Context())
	require.NoError(t, err)
	require.Equal(t, h.count("SELECT count() FROM f_issue FINAL WHERE _deleted = 0"), h.count("SELECT count() FROM f_issue_base WHERE w != 0"))
	require.Equal(t, h.count("SELECT count() FROM f_issue FINAL WHERE _deleted = 0"), h.count("SELECT uniqExact(id) FROM f_issue_base WHERE w != 0"))
	require.Greater(t, h.count("SELECT toUInt64(max(max_block_number)) FROM system.parts WHERE active AND database = currentDatabase() AND table = 'f_issue_base'"), uint64(5), "slices that were inserted")
	h.sameAsExact(w, 1)
}

func TestLongBaseIsBuiltAnew(t *testing.T) {
	t.Parallel()
	w := newWorld(14, 30)
	h := open(t)
	w.load(h, nil)
	h.position(w.end())
	h.keep()
	require.NoError(t, h.Exec(t.Context(), fmt.Sprintf(`INSERT INTO f_issue_base (gen, batch, w, id) SELECT (SELECT max(gen) FROM f_issue_base), 1, if(number %% 2, 1, -1), toUUID('00000000-0000-0000-0000-000000000001') FROM numbers(%d)`, 200_000)))
	insert(h, "f_issue", w.issues[:2]...)
	h.position(w.end())
	require.True(t, h.keep().Built)
	h.sameAsExact(w, 1)
}

// The points of the grid of hours have numbers without gaps, and a time stands at the first point that is not before it.
func TestNumbersOfHours(t *testing.T) {
	t.Parallel()
	h := open(t)
	number, hours := warehouse.HourOf()
	var units, numbers []int64
	require.NoError(t, h.QueryRow(t.Context(), "SELECT groupArray(units), groupArray(toInt64("+number+")) FROM (SELECT toInt64(number) AS units FROM numbers(200000))").Scan(&units, &numbers))
	for i, unit := range units {
		point := unit
		switch {
		case unit > 400*24:
			point = (unit + 167) / 168 * 168
		case unit > 30*24:
			point = (unit + 23) / 24 * 24
		}
		require.Equal(t, point, hours(numbers[i]), "%d hours", unit)
		if i > 0 {
			require.LessOrEqual(t, numbers[i]-numbers[i-1], int64(1), "%d hours", unit)
		}
	}
}

// The base tells the area of an issue for as long as the tree of regions is as it was: a county, or where there is none above a region, the region itself.
func TestBaseTellsAreasUntilRegionsMove(t *testing.T) {
	t.Parallel()
	w := newWorld(18, 150)
	apart := w.region("350900000000", "PREFECTURE", &w.regions[0]) // has townships right below it
	w.region("350900001000", "TOWNSHIP", apart)
	w.region("350900002000", "TOWNSHIP", apart)
	for range 60 {
		w.live()
	}
	for k := range 30 { // some due on the day of as-of, before and after it
		w.issues[k].Due = new(w.end().Add(time.Duration(k-15) * 2 * time.Hour))
	}
	h := open(t)
	w.load(h, nil)
	h.position(w.end())
	require.True(t, h.keep().Built)
	same := func() {
		t.Helper()
		exact, coarseExact, coarse := warehouse.NewMeasures(h.DB), warehouse.NewMeasures(h.DB), warehouse.NewMeasures(h.DB)
		exact.WithoutBase()
		coarseExact.WithoutBase()
		coarseExact.ByHour()
		coarse.ByHour() // as is asked of many issues: by the sums of areas
		for _, code := range []string{"T1", "T2", "T3", "T4", "H1", "H4", "E1"} {
			for _, level := range []string{"", "PROVINCE", "PREFECTURE", "COUNTY", "TOWNSHIP"} {
				q := warehouse.Question{Query: warehouse.Query{By: []warehouse.Dimension{warehouse.ByRegion}, RegionLevel: level}}
				for _, pair := range [][2]*warehouse.Measures{{exact, h.Measures}, {coarseExact, coarse}} {
					want, err := pair[0].Ask(t.Context(), code, q)
					require.NoError(t, err)
					got, err := pair[1].Ask(t.Context(), code, q)
					require.NoError(t, err)
					require.Equal(t, want, got, "%s by %s", code, level)
				}
			}
			want, err := coarseExact.Ask(t.Context(), code, warehouse.Question{})
			require.NoError(t, err)
			got, err := coarse.Ask(t.Context(), code, warehouse.Question{})
			require.NoError(t, err)
			require.Equal(t, want, got, "%s of all", code)
		}
	}
	same()
	levels := func() uint64 {
		return h.count(`SELECT uniqExact(r.level) FROM f_issue_base AS b INNER JOIN (SELECT toString(id) AS area, level FROM d_region FINAL) AS r ON r.area = b.area_id
			WHERE b.gen = (SELECT max(gen) FROM f_issue_base)`)
	}
	require.Equal(t, uint64(4), levels(), "a province, prefectures, counties, and townships without a county above")

	var town, elsewhere *region
	for k := range w.regions {
		r := &w.regions[k]
		switch {
		case r.Level == "TOWNSHIP" && r.Parent != nil && *r.Parent != apart.ID && town == nil:
			town = r
		case r.Level == "COUNTY" && (town == nil || *town.Parent != r.ID):
			elsewhere = r
		}
	}
	require.NotNil(t, town)
	require.NotNil(t, elsewhere)
	insert(h, "f_issue", w.issues[:9]...) // what changed since has its area too
	h.position(w.end())
	same()
	require.NotZero(t, h.keep().Folded)
	same()
	moved := *town
	moved.Parent, moved.Path = &elsewhere.ID, elsewhere.Path+"."+moved.Code
	insert(h, "d_region", moved)
	same()
	require.True(t, h.keep().Built)
	same()
	require.Equal(t, warehouse.Kept{}, h.keep())
	moved.Name = "renamed"
	insert(h, "d_region", moved)
	require.Equal(t, warehouse.Kept{}, h.keep())
	same()
}

// Sums are handed over as they are, and how many is what the guard bounds: nothing here goes on, so that no other statement counts anything.
func TestSumsOfTimesAreBounded(t *testing.T) {
	t.Parallel()
	h := open(t)
	county := region{ID: uuid.New(), Code: "350101000000", Level: "COUNTY", Path: "350101000000"}
	insert(h, "d_region", county)
	for hours := range 20 {
		i := someIssue()
		i.Region, i.FirstResponse = &county.ID, new(i.Origin.Add(time.Duration(hours)*time.Hour))
		insert(h, "f_issue", i)
	}
	h.position(start.AddDate(0, 1, 0))
	require.True(t, h.keep().Built)
	h.ByHour()
	q := warehouse.Query{By: []warehouse.Dimension{warehouse.ByRegion}, RegionLevel: "COUNTY"}
	h.HandOver(19)
	h.Arrays(19)
	_, err := h.TimeToResponse(t.Context(), q)
	require.ErrorContains(t, err, "split by less")
	h.Arrays(20)
	table, err := h.TimeToResponse(t.Context(), q)
	require.NoError(t, err)
	require.Equal(t, []int64{20}, table.N)
}
