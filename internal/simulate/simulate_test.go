package simulate

import (
	"encoding/json"
	"hash/fnv"
	"math"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"groundwork"
)

func config(issues int64, seed uint64) Config {
	return Config{Issues: issues, Seed: seed, From: Day(2023, time.January, 1), To: Day(2026, time.January, 1)}
}

func simulation(t testing.TB, cfg Config) *Simulation {
	t.Helper()
	s, err := New(cfg)
	require.NoError(t, err)
	return s
}

// all makes every part and puts them together.
func all(t testing.TB, s *Simulation) groundwork.Bulk {
	t.Helper()
	var sum groundwork.Bulk
	for n := range s.Job().Parts {
		b, err := s.Part(n)
		require.NoError(t, err)
		sum.Visits = append(sum.Visits, b.Visits...)
		sum.Plans = append(sum.Plans, b.Plans...)
		sum.Slots = append(sum.Slots, b.Slots...)
		sum.Histories = append(sum.Histories, b.Histories...)
		sum.PolicyChanges = append(sum.PolicyChanges, b.PolicyChanges...)
		sum.Evidence = append(sum.Evidence, b.Evidence...)
		sum.Rollouts = append(sum.Rollouts, b.Rollouts...)
		sum.Campaigns = append(sum.Campaigns, b.Campaigns...)
		sum.Opinions = append(sum.Opinions, b.Opinions...)
		sum.Issues = append(sum.Issues, b.Issues...)
		sum.Links = append(sum.Links, b.Links...)
		sum.Events = append(sum.Events, b.Events...)
		sum.Claims = append(sum.Claims, b.Claims...)
		sum.Attempts = append(sum.Attempts, b.Attempts...)
		sum.Feedback = append(sum.Feedback, b.Feedback...)
	}
	return sum
}

// planted is one simulation that several tests look at: large enough for what is planted to be seen.
var planted = sync.OnceValues(func() (*Simulation, groundwork.Bulk) {
	s, err := New(config(30_000, 7))
	if err != nil {
		panic(err)
	}
	var t testing.T
	return s, all(&t, s)
})

func truthOf(t *testing.T, s *Simulation) Truth {
	t.Helper()
	truth, err := s.Truth()
	require.NoError(t, err)
	return truth
}

func fingerprint(t *testing.T, v any) uint64 {
	t.Helper()
	text, err := json.Marshal(v)
	require.NoError(t, err)
	h := fnv.New64a()
	_, _ = h.Write(text)
	return h.Sum64()
}

// The same options give the same data, whoever makes which part and in which order; another seed gives others.
func TestPartsDependOnNothingButTheOptions(t *testing.T) {
	t.Parallel()
	const issues = 3000
	one := simulation(t, config(issues, 7))
	parts := make([]uint64, one.Job().Parts)
	for n := range parts {
		b, err := one.Part(n)
		require.NoError(t, err)
		parts[n] = fingerprint(t, b)
	}
	two := simulation(t, config(issues, 7))
	var wg sync.WaitGroup
	for n := len(parts) - 1; n >= 0; n-- {
		wg.Go(func() {
			b, err := two.Part(n)
			if err != nil || fingerprint(t, b) != parts[n] {
				t.Errorf("part %d, made beside others and from the end, is not the same: %v", n, err)
			}
		})
	}
	wg.Wait()
	require.Equal(t, fingerprint(t, one.Foundation()), fingerprint(t, two.Foundation()))
	require.Equal(t, fingerprint(t, truthOf(t, one)), fingerprint(t, truthOf(t, two)))
	other := simulation(t, config(issues, 8))
	b, err := other.Part(len(parts) - 1)
	require.NoError(t, err)
	require.NotEqual(t, parts[len(parts)-1], fingerprint(t, b))
}

// Every event goes by a row of the table of transitions, from where the one before it led, and says what the fold says.
func TestEveryEventGoesByTheTableOfTransitions(t *testing.T) {
	t.Parallel()
	s, b := planted()
	var stood groundwork.Progress
	kinds := map[groundwork.EventKind]int{}
	for i, e := range b.Events {
		if e.Seq == 1 {
			stood = groundwork.Progress{}
			require.Nil(t, e.FromState)
		} else {
			require.Equal(t, b.Events[i-1].IssueID, e.IssueID)
			require.Equal(t, stood.State, *e.FromState)
			require.False(t, e.KnownAt.Before(b.Events[i-1].KnownAt))
		}
		require.True(t, admitted(e, stood.State), "%s by %s from %q", e.Kind, e.Actor.Role, stood.State)
		require.False(t, e.At.After(s.cfg.To))
		stood = stood.After(e)
		require.True(t, stood.Equal(e.Progress), "event %d of issue %s", e.Seq, e.IssueID)
		kinds[e.Kind]++
	}
	for _, kind := range groundwork.EventKinds() {
		if kind != groundwork.EventUnmerged && kind != groundwork.EventCorrected {
			require.Positive(t, kinds[kind], "no %s", kind)
		}
	}
}

func admitted(e groundwork.Event, from groundwork.State) bool {
	return slices.ContainsFunc(groundwork.Lifecycle, func(r groundwork.Transition) bool {
		to := r.To
		if to == "" {
			to = from
		}
		return r.Kind == e.Kind && slices.Contains(r.Roles, e.Actor.Role) && r.Source == "" && to == e.State &&
			(from == "" && r.From == nil || slices.Contains(r.From, from)) && (r.Closure == "" || e.ClosureType != nil && *e.ClosureType == r.Closure)
	})
}

// within counts the issues of a hot spot's place, topic and period.
func (s *Simulation) within(b groundwork.Bulk, region uuid.UUID, topic int, from, to time.Time) int {
	inside := map[uuid.UUID]bool{}
	for _, v := range s.world.committees {
		for _, r := range []int{v.region, s.world.townships[v.township].region, s.world.counties[v.county].region} {
			if s.world.Regions[r].ID == region {
				inside[s.world.Regions[v.region].ID] = true
			}
		}
	}
	count := 0
	for _, i := range b.Issues {
		if *i.CategoryID == s.world.topics[topic].category && inside[*i.RegionID] && !i.CreatedAt.Before(from) && i.CreatedAt.Before(to) {
			count++
		}
	}
	return count
}

func onDay(t *testing.T, text string) time.Time {
	t.Helper()
	at, err := ParseDay(text)
	require.NoError(t, err)
	return at
}

// A hot spot has as many issues as its relative risk says, within what chance allows.
func TestHotspotsAreThere(t *testing.T) {
	t.Parallel()
	s, b := planted()
	truth := truthOf(t, s)
	require.Len(t, truth.Hotspots, hotspots)
	for _, h := range truth.Hotspots {
		observed := float64(s.within(b, h.Region, topicIndex(h.Category), onDay(t, h.From), onDay(t, h.To)))
		require.InDelta(t, h.With, observed, 4*math.Sqrt(h.With)+1, "%s in %s", h.Category, h.Code)
		require.Greater(t, observed, 1.5*h.Expected)
	}
}

// Silent townships have less than half of the issues a person of others, and their open issues are repeated less.
func TestSilentRegionsSayLittle(t *testing.T) {
	t.Parallel()
	s, b := planted()
	township := map[uuid.UUID]*township{}
	for _, v := range s.world.committees {
		township[s.world.Regions[v.region].ID] = &s.world.townships[v.township]
	}
	var issues, repeats, persons [2]float64
	side := func(silent bool) int {
		if silent {
			return 1
		}
		return 0
	}
	for _, v := range s.world.committees {
		persons[side(s.world.townships[v.township].silent)] += v.persons
	}
	for _, i := range b.Issues {
		at := side(township[*i.RegionID].silent)
		issues[at]++
		repeats[at] += float64(i.OpinionCount - 1)
	}
	require.Less(t, issues[1]/persons[1], 0.5*issues[0]/persons[0])
	require.Less(t, repeats[1]/issues[1], 0.5*repeats[0]/issues[0])
	require.Len(t, truthOf(t, s).Silent, silentTownships)
}

// In treated counties the policy's topic is raised less after its start than before, compared with untreated ones, by the factor
// that was planted; and the other policy's topic is done faster.
func TestPoliciesHaveTheirEffect(t *testing.T) {
	t.Parallel()
	s, b := planted()
	countyOf := map[uuid.UUID]*county{}
	for _, v := range s.world.committees {
		countyOf[s.world.Regions[v.region].ID] = &s.world.counties[v.county]
	}
	rare, fast := s.plants.policies[0], s.plants.policies[1]
	var count [2][2]float64 // treated, after
	var delays [2][2][]float64
	half := s.world.day(s.cfg.From.AddDate(0, 0, rare.starts[2]))
	for _, i := range b.Issues {
		treated, after := 0, 0
		if countyOf[*i.RegionID].cohort > 0 {
			treated = 1
		}
		switch on := s.world.day(i.CreatedAt); {
		case on >= half:
			after = 1
		case on >= rare.starts[1]:
			continue // the cohorts differ
		}
		if *i.CategoryID == s.world.topics[rare.topic].category {
			count[treated][after]++
		}
		if *i.CategoryID == s.world.topics[fast.topic].category && i.LeadUnitID != nil && i.ClaimedAt != nil && i.DisputeCount+i.ReopenCount == 0 {
			delays[treated][after] = append(delays[treated][after], math.Log(i.ClaimedAt.Sub(i.OriginAt).Hours()))
		}
	}
	rarer, faster, days := 0.0, 0.0, 0.0
	for on := half; on < s.cfg.days(); on++ {
		rarer += (rare.factor(1, on) + rare.factor(2, on)) / 2
		faster += math.Log(fast.factor(1, on)*fast.factor(2, on)) / 2
		days++
	}
	effect := math.Log(count[1][1] / count[1][0] * count[0][0] / count[0][1])
	noise := math.Sqrt(1/count[1][1] + 1/count[1][0] + 1/count[0][0] + 1/count[0][1])
	require.InDelta(t, math.Log(rarer/days), effect, 3.5*noise)
	require.Less(t, effect, -0.2)
	// Minutes of dispatch and nights without office hours add to every delay, so a little of the effect is lost.
	require.InDelta(t, 0.9*faster/days, mean(delays[1][1])-mean(delays[1][0])-mean(delays[0][1])+mean(delays[0][0]), 0.3)
}

func mean(x []float64) float64 {
	sum := 0.0
	for _, v := range x {
		sum += v
	}
	return sum / float64(len(x))
}

// shingles are the runs of five characters of a text.
func shingles(text string) map[string]bool {
	runes, set := []rune(text), map[string]bool{}
	for i := range len(runes) - 4 {
		set[string(runes[i:i+5])] = true
	}
	return set
}

func containment(a, b map[string]bool) float64 {
	n := 0
	for s := range a {
		if b[s] {
			n++
		}
	}
	return float64(n) / float64(len(a))
}

// Copied notes are nearly their sources; notes that were not copied are nothing like each other.
func TestCopiedNotesAreCopies(t *testing.T) {
	t.Parallel()
	s, b := planted()
	text := map[uuid.UUID]map[string]bool{}
	for _, v := range b.Visits {
		if v.NoteText != nil {
			text[v.ID] = shingles(*v.NoteText)
			require.GreaterOrEqual(t, len(text[v.ID]), 80)
		}
	}
	copies, originals := 0, 0
	lastOf := map[int]uuid.UUID{}
	for n := range s.visits {
		v := &s.visits[n]
		if text[v.ID] == nil {
			continue
		}
		if v.copyOf >= 0 {
			copies++
			require.GreaterOrEqual(t, containment(text[v.ID], text[s.visits[v.copyOf].ID]), 0.8)
			continue
		}
		if last, ok := lastOf[v.post]; ok {
			originals++
			require.Less(t, containment(text[v.ID], text[last]), 0.6)
		}
		lastOf[v.post] = v.ID
	}
	require.Greater(t, copies, 100)
	require.Greater(t, originals, 1000)
	told := 0
	for _, p := range truthOf(t, s).CopiedNotes {
		told += len(p.Visits)
	}
	require.Equal(t, copies, told)
}

func TestBadHabitsOfPostsShow(t *testing.T) {
	t.Parallel()
	s, b := planted()
	truth := truthOf(t, s)
	raised := map[uuid.UUID]bool{}
	for _, o := range b.Opinions {
		if o.VisitID != nil {
			raised[*o.VisitID] = true
		}
	}
	visits, late, traceless, unnoted := map[uuid.UUID]float64{}, map[uuid.UUID]float64{}, map[uuid.UUID]float64{}, map[uuid.UUID]float64{}
	sites := map[uuid.UUID]map[uuid.UUID]bool{}
	for i := range s.visits {
		v := &s.visits[i]
		if v.EndedAt == nil || v.State == groundwork.VisitVoid {
			continue
		}
		visits[v.LeadID]++
		if v.NoteCreatedAt == nil {
			unnoted[v.LeadID]++
		}
		if inLastDays(v.StartedAt, s.world.posts[v.post].rank) {
			late[v.LeadID]++
		}
		if !raised[v.ID] {
			traceless[v.LeadID]++
		}
		if sites[v.LeadID] == nil {
			sites[v.LeadID] = map[uuid.UUID]bool{}
		}
		sites[v.LeadID][v.SiteID] = true
	}
	require.NotEmpty(t, truth.BunchedVisits)
	require.NotEmpty(t, truth.Traceless)
	require.NotEmpty(t, truth.Showcases)
	share := func(of []TruthPost, hits map[uuid.UUID]float64) float64 {
		n, k := 0.0, 0.0
		for _, p := range of {
			n, k = n+visits[p.Post], k+hits[p.Post]
		}
		return k / n
	}
	require.Greater(t, share(truth.BunchedVisits, late), 0.7)
	require.Less(t, share(truth.Traceless, late), 0.4)
	require.Greater(t, share(truth.Traceless, traceless), 0.7)
	require.Less(t, share(truth.BunchedVisits, traceless), 0.2)
	require.Greater(t, share(truth.Unnoted, unnoted), 0.45)
	require.Less(t, share(truth.Traceless, unnoted), 0.1)
	for _, p := range truth.Showcases {
		require.LessOrEqual(t, len(sites[p.Post]), 2)
	}
}

func TestBadHabitsOfUnitsShow(t *testing.T) {
	t.Parallel()
	s, b := planted()
	truth := truthOf(t, s)
	claims, instant, line, verdicts, issues, pressed := map[uuid.UUID]float64{}, map[uuid.UUID]float64{}, map[uuid.UUID]float64{}, map[uuid.UUID]float64{}, map[uuid.UUID]float64{}, map[uuid.UUID]float64{}
	due := map[uuid.UUID]time.Time{}
	for _, i := range b.Issues {
		due[i.ID] = *i.DueAt
		if i.LeadUnitID != nil {
			issues[*i.LeadUnitID]++
		}
	}
	for n, e := range b.Events {
		if e.LeadUnitID == nil {
			continue
		}
		unit := *e.LeadUnitID
		switch e.Kind {
		case groundwork.EventClaimed:
			claims[unit]++
			if b.Events[n-1].Kind == groundwork.EventAccepted && e.At.Sub(b.Events[n-1].At) < 10*time.Minute {
				instant[unit]++
			}
			if left := due[e.IssueID].Sub(e.At); left > 0 && left < 11*time.Hour { // the due time is the midnight after closing
				line[unit]++
			}
		case groundwork.EventFeedback:
			verdicts[unit]++
		case groundwork.EventWithdrawn:
			if strings.Contains(e.Payload["pressured"].(string), "YES") {
				pressed[unit]++
			}
		}
	}
	apart := func(of []TruthUnit, hits, base map[uuid.UUID]float64, factor float64) {
		t.Helper()
		require.NotEmpty(t, of)
		planted := map[uuid.UUID]bool{}
		for _, u := range of {
			planted[u.Unit] = true
		}
		var n, k [2]float64
		for unit, count := range base {
			side := 0
			if planted[unit] {
				side = 1
			}
			n[side], k[side] = n[side]+count, k[side]+hits[unit]
		}
		require.Greater(t, k[1]/n[1], factor*(k[0]+1)/n[0])
	}
	apart(truth.Instant, instant, claims, 50)
	apart(truth.OnTheLine, line, claims, 3)
	apart(truth.Verdicts, verdicts, claims, 10)
	apart(truth.Pressure, pressed, issues, 10)
}

func TestConfigRefusesWhatCannotBeSimulated(t *testing.T) {
	t.Parallel()
	for name, cfg := range map[string]Config{
		"no issues":    {Issues: 0, From: Day(2023, 1, 1), To: Day(2026, 1, 1)},
		"too short":    {Issues: 10, From: Day(2025, 6, 1), To: Day(2026, 1, 1)},
		"backwards":    {Issues: 10, From: Day(2026, 1, 1), To: Day(2023, 1, 1)},
		"far too long": {Issues: 10, From: Day(1990, 1, 1), To: Day(2026, 1, 1)},
	} {
		_, err := New(cfg)
		require.Error(t, err, name)
	}
}

// A larger province has more regions, and its first issue does not wait for its last: any part can be made alone.
func TestAnyPartOfAVeryLargeProvinceCanBeMadeAlone(t *testing.T) {
	t.Parallel()
	s := simulation(t, config(100_000_000, 3))
	b, err := s.Part(s.Job().Parts - 1)
	require.NoError(t, err)
	require.Len(t, b.Issues, issuesInPart)
	require.Greater(t, len(s.world.committees), 5000)
	require.Equal(t, int64(99_999_999), b.Issues[len(b.Issues)-1].Number)
}

// The province has an outline for every region, and its neighbours are those of its tiles.
func TestTheProvinceHasAMap(t *testing.T) {
	t.Parallel()
	s, err := New(config(1000, 3))
	require.NoError(t, err)
	f := s.Foundation()
	require.Len(t, f.Boundaries, len(f.Regions))
	degree := map[uuid.UUID]int{}
	for _, n := range f.Neighbours {
		require.NoError(t, n.Validate())
		degree[n.RegionID]++
		degree[n.NeighbourID]++
	}
	for i, b := range f.Boundaries {
		require.NoError(t, b.Validate())
		require.InDelta(t, *f.Regions[i].Latitude, b.Latitude, 1e-5)
		if f.Regions[i].Level == groundwork.County {
			require.Positive(t, degree[f.Regions[i].ID], f.Regions[i].Code)
		}
	}
}
