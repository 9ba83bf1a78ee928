package warehouse_test

import (
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"groundwork/warehouse"
)

type attempt struct {
	ID      uuid.UUID `ch:"id"`
	Claim   uuid.UUID `ch:"claim_id"`
	At      time.Time `ch:"at"`
	Outcome string    `ch:"outcome"`
}

// leg is of a dispatch.
type leg struct {
	Issue    uuid.UUID  `ch:"issue_id"`
	N        int32      `ch:"n"`
	Role     string     `ch:"role"`
	Sent     time.Time  `ch:"sent_at"`
	Accepted *time.Time `ch:"accepted_at"`
	Returned *time.Time `ch:"returned_at"`
}

// told are the claims of a world, what is told of them, to whom its issues were sent, and what was said of these.
type told struct {
	claims   []claimOf
	attempts []attempt
	verdicts []verdict
	legs     []leg
	opinions []opinion
	links    []issueOpinion
}

// What reads the base of claims, and that of histories.
var (
	ofClaims    = []string{"Q1", "Q2", "Q3"}
	ofHistories = []string{"C1", "F2", "F5", "H5", "Q4", "T5"}
)

// claim makes claims of an issue, with attempts and verdicts of all kinds, and legs.
func (w *world) claim(i issue) (t told) {
	for range w.rnd.IntN(3) {
		c := claimOf{w.uuid(), i.ID, []string{"groundwork", "import"}[w.rnd.IntN(2)], i.Origin.Add(w.wait(20)), nil}
		if w.rnd.IntN(3) > 0 {
			c.Kind = new("FIXED")
		}
		t.claims = append(t.claims, c)
		t.add(w.tell(c))
	}
	for n := range w.rnd.IntN(3) {
		t.legs = append(t.legs, w.leg(i, n))
	}
	for range 1 + w.rnd.IntN(4) {
		t.add(w.say(i))
	}
	return t
}

func (w *world) say(i issue) told {
	o := opinion{w.uuid(), new(w.uuid()), "HOTLINE", i.Origin.Add(w.wait(8))}
	return told{opinions: []opinion{o}, links: []issueOpinion{{i.ID, o.ID}}}
}

func (w *world) leg(i issue, n int) leg {
	l := leg{Issue: i.ID, N: int32(n), Role: []string{"LEAD", "LEAD", "ASSIST"}[w.rnd.IntN(3)], Sent: i.Origin.Add(w.wait(4))}
	switch w.rnd.IntN(3) {
	case 0:
		l.Returned = new(l.Sent.Add(w.wait(4)))
	case 1:
		l.Accepted = new(l.Sent.Add(w.wait(1)))
	}
	return l
}

func (t *told) add(more told) {
	t.claims, t.attempts, t.verdicts = append(t.claims, more.claims...), append(t.attempts, more.attempts...), append(t.verdicts, more.verdicts...)
	t.legs, t.opinions, t.links = append(t.legs, more.legs...), append(t.opinions, more.opinions...), append(t.links, more.links...)
}

func (w *world) tell(c claimOf) (t told) {
	for range w.rnd.IntN(3) {
		t.attempts = append(t.attempts, attempt{w.uuid(), c.ID, c.At.Add(w.wait(5)), []string{"ANSWERED", "NO_ANSWER"}[w.rnd.IntN(2)]})
	}
	for range w.rnd.IntN(3) {
		v := verdict{w.uuid(), c.ID, c.Issue, []string{"YES", "PARTLY", "NO"}[w.rnd.IntN(3)], nil, []string{"SELF", "INDEPENDENT", "HANDLER"}[w.rnd.IntN(3)], c.At.Add(w.wait(5))}
		if w.rnd.IntN(3) > 0 {
			v.Level = new(int32(1 + w.rnd.IntN(5)))
		}
		t.verdicts = append(t.verdicts, v)
	}
	return t
}

func (h *house) hear(t told) {
	h.t.Helper()
	insert(h, "f_claim", t.claims...)
	insert(h, "f_callback_attempt", t.attempts...)
	insert(h, "f_feedback", t.verdicts...)
	insert(h, "f_dispatch_leg", t.legs...)
	insert(h, "f_opinion", t.opinions...)
	insert(h, "f_issue_opinion", t.links...)
}

// hears loads a world with claims of its issues, and has all known when it ends.
func (h *house) hears(w *world) (all told) {
	h.t.Helper()
	w.load(h, nil)
	for _, i := range w.issues {
		all.add(w.claim(i))
	}
	h.hear(all)
	h.position(w.end())
	return all
}

// toldAsExact asks random questions of what is told of a base, by all the ways in which it is read, and of the mirrors.
func (h *house) toldAsExact(w *world, questions int, codes []string) {
	h.t.Helper()
	exact, without, lookedUp, sampled, told, parted := warehouse.NewMeasures(h.DB), warehouse.NewMeasures(h.DB), warehouse.NewMeasures(h.DB), warehouse.NewMeasures(h.DB), warehouse.NewMeasures(h.DB), warehouse.NewMeasures(h.DB)
	exact.WithoutBase()
	without.WithoutSums()
	lookedUp.Send(0)
	sampled.Sample(1)
	told.Moved(0)
	parted.RowsRead(50)
	ways := map[string]*warehouse.Measures{"row by row": without, "looked up": lookedUp, "by a sample": sampled, "what changed is read by each statement": told,
		"in parts": parted}
	for k := range questions {
		q := warehouse.Question{Query: w.ask(2 * k)}
		if k == 0 || w.rnd.IntN(2) == 0 { // what sums can tell
			q.Where = warehouse.Filter{}
			q.By, q.RegionLevel = [][]warehouse.Dimension{{}, {warehouse.ByRegion}, {warehouse.ByCategory}, {warehouse.ByRegion, warehouse.ByChannel}}[w.rnd.IntN(4)], "COUNTY"
		}
		q.Protect, q.Curves = k > 0 && w.rnd.IntN(2) == 0, len(q.By) == 0
		if k > 0 && w.rnd.IntN(4) == 0 {
			q.From = new(start.Add(days(60)))
		}
		for _, code := range codes {
			q := q
			q.By = slices.DeleteFunc(slices.Clone(q.By), func(d warehouse.Dimension) bool {
				measure, _ := warehouse.MeasureByCode(code)
				return !slices.Contains(measure.Dimensions, d)
			})
			want, err := exact.Ask(h.t.Context(), code, q)
			require.NoError(h.t, err)
			got, err := h.Ask(h.t.Context(), code, q)
			require.NoError(h.t, err)
			require.Equal(h.t, want, got, "%s: %+v", code, q)
			way := slices.Sorted(maps.Keys(ways))[w.rnd.IntN(len(ways))]
			got, err = ways[way].Ask(h.t.Context(), code, q)
			require.NoError(h.t, err)
			require.Equal(h.t, want, got, "%s, %s: %+v", code, way, q)
		}
	}
}

// Whatever is told of claims, and however far the base is behind, answers about verdicts are those of the mirrors.
func TestBaseOfClaimsAnswersAsTheMirrors(t *testing.T) {
	t.Parallel()
	w := newWorld(31, 150)
	h := open(t)
	all, end := h.hears(w), w.end()
	require.True(t, h.keep().Built)
	h.toldAsExact(w, 4, ofClaims)
	require.Equal(t, warehouse.Kept{}, h.keep(), "nothing changed")
	const rows = "SELECT count() FROM f_claim_base WHERE w = 1"
	require.NotZero(t, h.count(rows+" AND record = 'CLAIM'"))
	require.NotZero(t, h.count(rows+" AND record = 'RATING'"))

	changes := map[string]func(){
		"more is told of claims": func() {
			var more told
			for range 8 {
				more.add(w.tell(all.claims[w.rnd.IntN(len(all.claims))]))
			}
			h.hear(more)
		},
		"only attempts": func() {
			insert(h, "f_callback_attempt", attempt{w.uuid(), all.claims[3].ID, end.Add(-days(1)), "ANSWERED"}, attempt{w.uuid(), all.claims[4].ID, end.Add(-days(1)), "NO_ANSWER"})
		},
		"a verdict is told anew": func() {
			again := all.verdicts[w.rnd.IntN(len(all.verdicts))]
			again.Resolved, again.Level = "NO", new(int32(1))
			insert(h, "f_feedback", again)
		},
		"later than now": func() {
			c := all.claims[w.rnd.IntN(len(all.claims))]
			insert(h, "f_feedback", verdict{w.uuid(), c.ID, c.Issue, "NO", new(int32(1)), "SELF", end.Add(days(2))})
			insert(h, "f_callback_attempt", attempt{w.uuid(), all.claims[5].ID, end.Add(days(3)), "ANSWERED"})
		},
		"new claims": func() {
			for range 5 {
				h.hear(w.claim(w.issues[w.rnd.IntN(len(w.issues))]))
			}
		},
		"issues go on": func() {
			for k := range 12 {
				i := &w.issues[w.rnd.IntN(len(w.issues))]
				switch k % 4 {
				case 0:
					i.State = "MERGED"
				case 1:
					i.State, i.Closure, i.Closed = "CLOSED", new("WITHDRAWN"), &end
				case 2:
					i.Region, i.Category = &w.regions[w.rnd.IntN(len(w.regions))].ID, nil
				case 3:
					i.Severity, i.Channel = "LOW", "HOTLINE"
				}
				insert(h, "f_issue", *i)
			}
		},
		"issues come": func() {
			before := len(w.issues)
			for range 6 {
				w.live()
			}
			insert(h, "f_issue", w.issues[before:]...)
			for _, i := range w.issues[before:] {
				h.hear(w.claim(i))
			}
		},
		"a replay": func() {
			h.version--
			insert(h, "f_feedback", all.verdicts[:5]...)
		},
	}
	h.changesAsExact(w, 2, ofClaims, changes)

	// Each claim is there once, as it would be if the base was built now.
	const columns = "record, id, claim_id, at, told_until, marks, category_id, region_id, area_id, severity, kind, channel, state, origin_at"
	h.foldedAsBuilt("f_claim_base", columns)
}

// changesAsExact makes changes of a world one after the other, lets the base lag behind a third of them, and asks after each; in the end all is known that was told of what is later.
func (h *house) changesAsExact(w *world, questions int, codes []string, changes map[string]func()) {
	h.t.Helper()
	end := w.end()
	changes["an issue goes"] = func() {
		remove(h, "f_issue", w.issues[0])
		w.issues = w.issues[1:]
	}
	for round, change := range slices.Sorted(maps.Keys(changes)) {
		h.t.Log(change)
		changes[change]()
		h.position(end)
		h.toldAsExact(w, questions, codes)
		if round%3 > 0 { // and else let it lag
			require.False(h.t, h.keep().Built, change)
			h.toldAsExact(w, questions, codes)
		}
	}
	h.keep()
	h.position(end.Add(days(4)))
	h.toldAsExact(w, 2, codes)
}

// foldedAsBuilt requires that a base into which all was folded has the rows that one has which is built anew.
func (h *house) foldedAsBuilt(base, columns string) {
	h.t.Helper()
	digest := "SELECT groupBitXor(cityHash64(toString(tuple(" + columns + ")))) FROM (SELECT " + columns + " FROM " + base + " WHERE w != 0 AND gen = (SELECT max(gen) FROM " + base + ") GROUP BY " + columns + " HAVING sum(" + base + ".w) = 1)"
	h.keep()
	require.EqualValues(h.t, 1, h.count("SELECT uniqExact(gen) FROM "+base), "it was folded in, not built")
	folded := h.count(digest)
	require.NoError(h.t, warehouse.VoidBase(h.t.Context(), h.DB))
	require.True(h.t, h.keep().Built)
	require.Equal(h.t, h.count(digest), folded)
}

// A verdict that goes without a trace leaves the base void, as does a mirror that is made anew.
func TestVoidBaseOfClaimsIsNotRead(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(h *house, all told){
		"a verdict goes":  func(h *house, all told) { remove(h, "f_feedback", verdict{ID: all.verdicts[0].ID}) },
		"an attempt goes": func(h *house, all told) { remove(h, "f_callback_attempt", attempt{ID: all.attempts[0].ID}) },
		"a claim goes":    func(h *house, all told) { remove(h, "f_claim", claimOf{ID: all.claims[0].ID}) },
		"a mirror is made anew": func(h *house, all told) {
			require.NoError(h.t, h.Exec(h.t.Context(), "CREATE TABLE f_feedback__new AS f_feedback"))
			h.version = 0
			insert(h, "f_feedback__new", all.verdicts[1:]...)
			require.NoError(h.t, h.Exec(h.t.Context(), "EXCHANGE TABLES f_feedback AND f_feedback__new"))
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(32, 60)
			h := open(t)
			all := h.hears(w)
			h.keep()
			before := h.version
			change(h, all)
			h.version = max(h.version, before)
			h.position(w.end())
			h.toldAsExact(w, 2, ofClaims)
			require.True(t, h.keep().Built)
			require.Equal(t, warehouse.Kept{}, h.keep())
			h.toldAsExact(w, 2, ofClaims)
		})
	}
}

// The base of claims is built in slices as that of the issues is.
func TestBaseOfClaimsIsBuiltInSlices(t *testing.T) {
	t.Parallel()
	w := newWorld(33, 80)
	h := open(t)
	h.hears(w)
	keeper := h.keeper()
	keeper.Slice(10)
	_, err := keeper.Once(t.Context())
	require.NoError(t, err)
	const issues = " IN (SELECT id FROM f_issue FINAL WHERE _deleted = 0)"
	require.Equal(t, h.count("SELECT count() FROM f_claim FINAL WHERE _deleted = 0 AND issue_id"+issues), h.count("SELECT count() FROM f_claim_base WHERE record = 'CLAIM'"))
	require.Equal(t, h.count("SELECT count() FROM f_feedback FINAL WHERE _deleted = 0 AND collected_by != 'HANDLER' AND satisfaction IS NOT NULL AND issue_id"+issues),
		h.count("SELECT count() FROM f_claim_base WHERE record = 'RATING'"))
	h.toldAsExact(w, 2, ofClaims)
}

// Rows of the base of claims of given issues are found by their place in it, and times by the index of times: neither reads all.
func TestBaseOfClaimsIsReadByKey(t *testing.T) {
	t.Parallel()
	h := open(t)
	for query, uses := range map[string]string{
		"SELECT count() FROM f_claim_base WHERE gen = 1 AND record = 'CLAIM' AND " + warehouse.InBase("SELECT arrayJoin([generateUUIDv4()]) AS id"): "toUInt128(id)",
		"SELECT count() FROM f_claim WHERE issue_id IN (SELECT id FROM f_issue WHERE id = toUUID('00000000-0000-0000-8000-000000000000'))":          "of_issue",
		"SELECT count() FROM f_feedback WHERE _ver >= toUInt128(7)":                                                                                 "changed",
	} {
		require.NoError(t, h.Exec(t.Context(), "INSERT INTO f_claim_base (gen, batch, w, record, id) SELECT 1, 1, 1, 'CLAIM', generateUUIDv4() FROM numbers(3000)"))
		insert(h, "f_claim", claimOf{uuid.New(), uuid.New(), "groundwork", start, nil})
		insert(h, "f_feedback", verdict{ID: uuid.New(), At: start})
		require.Contains(t, h.plan(query), uses, query)
	}
}

// plan is how the engine finds what a query reads.
func (h *house) plan(query string, values ...any) (plan string) {
	h.t.Helper()
	rows, err := h.Query(h.t.Context(), "EXPLAIN indexes = 1 "+query, values...)
	require.NoError(h.t, err)
	for rows.Next() {
		var line string
		require.NoError(h.t, rows.Scan(&line))
		plan += line + "\n"
	}
	require.NoError(h.t, rows.Err())
	return plan
}
