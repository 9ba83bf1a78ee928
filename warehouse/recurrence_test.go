package warehouse_test

import (
	"testing"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"groundwork/warehouse"
)

var ofRecurrences = []string{"Q4"}

// Whatever happens to issues of a matter, and however far the base is behind it, their recurrence is that of the mirror.
func TestBaseOfRecurrencesAnswersAsTheMirror(t *testing.T) {
	t.Parallel()
	w := newWorld(51, 300)
	h := open(t)
	end := w.end()
	w.load(h, nil)
	h.position(end)
	require.True(t, h.keep().Built)
	h.toldAsExact(w, 4, ofRecurrences)
	require.NotZero(t, h.count("SELECT countIf(again_at > closed_at) FROM f_recurrence_base WHERE w = 1"), "some come back")
	require.NotZero(t, h.count("SELECT countIf(confirmed AND again_at < closed_at) FROM f_recurrence_base WHERE w = 1"), "and some do not")
	some := func(n int, change func(i *issue)) {
		for range n {
			i := &w.issues[w.rnd.IntN(len(w.issues))]
			change(i)
			insert(h, "f_issue", *i)
		}
	}
	confirm := func(i *issue) {
		i.State, i.Closure, i.Closed = "CLOSED", new("CONFIRMED"), new(i.Origin.Add(w.wait(20)))
	}
	changes := map[string]func(){
		"a site turns out to be another": func() { some(6, func(i *issue) { i.Site = &sites[w.rnd.IntN(len(sites))] }) },
		"a site turns out unknown":       func() { some(3, func(i *issue) { i.Site = nil }) },
		"another category":               func() { some(6, func(i *issue) { i.Category = &w.categories[w.rnd.IntN(len(w.categories))].ID }) },
		"no category":                    func() { some(3, func(i *issue) { i.Category = nil }) },
		"confirmed":                      func() { some(6, confirm) },
		"open again":                     func() { some(6, func(i *issue) { i.State, i.Closure, i.Closed = "IN_PROGRESS", nil, nil }) },
		"confirmed at another moment": func() {
			some(6, func(i *issue) {
				confirm(i)
				i.Closed = new(i.Closed.Add(w.wait(5)))
			})
		},
		"merged":                 func() { some(6, func(i *issue) { i.State = "MERGED" }) },
		"earlier opinions":       func() { some(6, func(i *issue) { i.Origin = i.Origin.Add(-w.wait(30)) }) },
		"the first opinion goes": func() { some(6, func(i *issue) { i.Origin = i.Origin.Add(w.wait(30)) }) },
		"of days to come":        func() { some(4, func(i *issue) { i.Origin = end.Add(w.wait(1)) }) },
		"of one moment": func() {
			first, second := &w.issues[40], &w.issues[41]
			confirm(first)
			second.Site, second.Category, second.State, second.Origin = first.Site, first.Category, "IN_PROGRESS", *first.Closed
			insert(h, "f_issue", *first, *second)
		},
		"issues come": func() {
			before := len(w.issues)
			for range 9 {
				w.live()
			}
			insert(h, "f_issue", w.issues[before:]...)
		},
		"issues go": func() {
			remove(h, "f_issue", w.issues[:5]...)
			w.issues = w.issues[5:]
		},
		"a replay": func() {
			h.version--
			insert(h, "f_issue", w.issues[len(w.issues)-5:]...)
		},
	}
	h.changesAsExact(w, 1, ofRecurrences, changes)

	const columns = "id, matter, confirmed, closed_at, again_at, category_id, region_id, area_id, severity, kind, channel, source_visit_id, due_at, observed_until, state, origin_at, dispute_count, opinion_count"
	h.foldedAsBuilt("f_recurrence_base", columns)
	require.Equal(t, h.count("SELECT count() FROM f_issue FINAL WHERE _deleted = 0 AND site_id IS NOT NULL AND category_id IS NOT NULL"),
		h.count("SELECT toUInt64(sum(w)) FROM f_recurrence_base WHERE gen = (SELECT max(gen) FROM f_recurrence_base)"))
}

// A change of one issue of a matter with many moves them all: too many for one part of the log, they are built anew.
func TestMatterOfManyIsBuiltAnew(t *testing.T) {
	t.Parallel()
	h := open(t)
	all := make([]issue, 9)
	for k := range all {
		all[k] = someIssue()
		all[k].Site, all[k].Category = &sites[0], &sites[1]
	}
	insert(h, "f_issue", all...)
	h.position(start.AddDate(0, 1, 0))
	require.True(t, h.keep().Built)
	for most, built := range map[uint64]bool{8: true, 9: false} {
		insert(h, "f_issue", all[0])
		h.position(start.AddDate(0, 1, 0))
		keeper := h.keeper()
		keeper.Most(most)
		kept, err := keeper.Once(t.Context())
		require.NoError(t, err)
		require.Equal(t, built, kept.Built, most)
	}
}

// Recurrences are built in slices each of which has whole matters.
func TestBaseOfRecurrencesIsBuiltInSlices(t *testing.T) {
	t.Parallel()
	w := newWorld(52, 60)
	h := open(t)
	w.load(h, nil)
	for k := range w.issues[:20] { // whose versions lie in different slices
		w.issues[k].Site = &sites[k%len(sites)]
	}
	insert(h, "f_issue", w.issues[:20]...)
	h.position(w.end())
	keeper := h.keeper()
	keeper.Slice(10)
	_, err := keeper.Once(t.Context())
	require.NoError(t, err)
	require.Equal(t, h.count("SELECT count() FROM f_issue FINAL WHERE _deleted = 0 AND site_id IS NOT NULL AND category_id IS NOT NULL"), h.count("SELECT count() FROM f_recurrence_base WHERE w = 1"))
	require.Equal(t, h.count("SELECT count() FROM f_recurrence_base WHERE w = 1"), h.count("SELECT uniqExact(id) FROM f_recurrence_base WHERE w = 1"))
	require.Greater(t, h.count("SELECT toUInt64(max(max_block_number)) FROM system.parts WHERE active AND database = currentDatabase() AND table = 'f_recurrence_base'"), uint64(5), "slices that were inserted")
	h.toldAsExact(w, 3, ofRecurrences)
}

// The issues of a matter are found by the rows in the order of matters, and those of an id by key: neither reads all.
func TestBaseOfRecurrencesIsReadByMatter(t *testing.T) {
	t.Parallel()
	h := open(t)
	for range 3 {
		require.NoError(t, h.Exec(t.Context(), "INSERT INTO f_recurrence_base (gen, batch, w, id, matter) SELECT 1, 1, 1, generateUUIDv4(), sipHash64(number) FROM numbers(9000)"))
	}
	insert(h, "f_issue", issue{ID: uuid.New(), Site: &sites[0], Category: &sites[1], State: "CLOSED"})
	at := []any{clickhouse.Named("base_gen", uint64(1)), clickhouse.Named("base_position", uint64(0))}
	require.Contains(t, h.plan("SELECT id FROM ("+warehouse.MovedRecurrences()+")", at...), "by_matter")
	require.Contains(t, h.plan("SELECT closed_at FROM f_recurrence_base WHERE gen = 1 AND "+warehouse.InBase("SELECT id FROM f_issue")), "toUInt128(id)")
}
