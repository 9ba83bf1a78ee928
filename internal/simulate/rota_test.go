package simulate

import (
	"cmp"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"groundwork"
)

// practice replays the histories of visits and turns beside each other, knowing nothing of how they were made.
type practice struct {
	t        *testing.T
	b        *groundwork.Bulk
	visits   map[uuid.UUID]*groundwork.Visit // as they were in the end
	slots    map[uuid.UUID]*groundwork.RotaSlot
	stood    map[uuid.UUID]*groundwork.Visit // as they stand at the moment of the replay
	turns    map[uuid.UUID]*groundwork.RotaSlot
	of       map[uuid.UUID][]*groundwork.RotaSlot // turns by post
	posts    map[uuid.UUID]*groundwork.PostHolding
	ranks    map[uuid.UUID]groundwork.Rank // of plans
	sites    map[uuid.UUID]uuid.UUID       // region
	parents  map[uuid.UUID]*uuid.UUID
	said     map[uuid.UUID][]*groundwork.Opinion // on visits
	linked   map[uuid.UUID]time.Time             // opinions
	last     map[uuid.UUID]time.Time
	expected map[uuid.UUID]uuid.UUID // slot → visit that is to fulfil it now
	kinds    map[string]int
}

func newPractice(t *testing.T, s *Simulation, b *groundwork.Bulk) *practice {
	p := &practice{t: t, b: b, visits: map[uuid.UUID]*groundwork.Visit{}, slots: map[uuid.UUID]*groundwork.RotaSlot{}, stood: map[uuid.UUID]*groundwork.Visit{},
		turns: map[uuid.UUID]*groundwork.RotaSlot{}, of: map[uuid.UUID][]*groundwork.RotaSlot{}, posts: map[uuid.UUID]*groundwork.PostHolding{},
		ranks: map[uuid.UUID]groundwork.Rank{}, sites: map[uuid.UUID]uuid.UUID{}, parents: map[uuid.UUID]*uuid.UUID{}, said: map[uuid.UUID][]*groundwork.Opinion{},
		linked: map[uuid.UUID]time.Time{}, last: map[uuid.UUID]time.Time{}, expected: map[uuid.UUID]uuid.UUID{}, kinds: map[string]int{}}
	f := s.Foundation()
	for i := range b.Visits {
		p.visits[b.Visits[i].ID] = &b.Visits[i]
	}
	for i := range b.Slots {
		p.slots[b.Slots[i].ID] = &b.Slots[i]
	}
	for i := range f.Posts {
		p.posts[f.Posts[i].ID] = &f.Posts[i]
	}
	for i := range f.Regions {
		p.parents[f.Regions[i].ID] = f.Regions[i].ParentID
	}
	for i := range f.Sites {
		p.sites[f.Sites[i].ID] = f.Sites[i].RegionID
	}
	for _, plan := range b.Plans {
		require.NoError(t, plan.Validate())
		p.ranks[plan.ID] = plan.Rank
	}
	for i := range b.Opinions {
		if v := b.Opinions[i].VisitID; v != nil {
			p.said[*v] = append(p.said[*v], &b.Opinions[i])
		}
	}
	for _, l := range b.Links {
		p.linked[l.OpinionID] = l.At
	}
	return p
}

func (p *practice) replay() {
	events := slices.Clone(p.b.Histories)
	slices.SortStableFunc(events, func(a, b groundwork.EntityEvent) int {
		return cmp.Or(a.At.Compare(b.At), -cmp.Compare(a.Noun, b.Noun)) // a visit, then what it brings about
	})
	for i := range events {
		e := &events[i]
		require.Equal(p.t, e.At, e.RecordedAt)
		p.kinds[e.Noun+" "+e.Kind]++
		switch e.Noun {
		case "visit":
			p.visit(e)
		case "rota_slot":
			p.slot(e)
		}
		p.last[e.EntityID] = e.At
	}
	require.Empty(p.t, p.expected, "every visit that was held fulfilled the turn that it was to")
}

func (p *practice) visit(e *groundwork.EntityEvent) {
	end := p.visits[e.EntityID]
	v := p.stood[e.EntityID]
	if v == nil {
		first := *end
		first.State, first.Version, first.NoteText, first.NoteUnitID, first.NoteCreatedAt = "", 0, nil, nil, nil
		if e.Kind == groundwork.VisitArranged {
			first.EndedAt, first.CitizensMet = nil, nil
		}
		v = &first
		require.Equal(p.t, end.CreatedAt.UnixMicro(), e.At.UnixMicro())
	}
	lead := p.posts[v.LeadID]
	f := groundwork.VisitFacts{Now: e.At, Last: p.last[e.EntityID], Units: []uuid.UUID{lead.OrgUnitID}, Mine: e.Actor.OfficialID != nil && *e.Actor.OfficialID == lead.OfficialID}
	for _, o := range p.said[v.ID] {
		f.Opinions++
		if at, linked := p.linked[o.ID]; o.Kind != groundwork.Thanks && (!linked || at.After(e.At)) {
			f.Unlinked++
		}
	}
	step := groundwork.VisitStep{Deed: groundwork.Deed{Actor: e.Actor, At: e.At}, VisitID: v.ID, Kind: e.Kind, CitizensMet: end.CitizensMet, NoteUnitID: end.NoteUnitID}
	if e.Reason != nil {
		step.Reason = *e.Reason
	}
	if end.NoteText != nil {
		step.NoteText = *end.NoteText
	}
	step, move, err := v.Plan(step, f)
	require.NoError(p.t, err)
	after := v.After(step, move)
	p.stood[v.ID] = &after
	require.Equal(p.t, after.Version, e.Seq)
	require.Equal(p.t, string(after.State), e.ToState)
	if e.Kind == groundwork.VisitEnded || e.Kind == groundwork.VisitEntered {
		p.expectFulfilled(&after, e.At)
	}
}

// expectFulfilled finds the slot that a visit fulfils as docs/rota.md says: an open one of whoever led it that it is of the kind and place of, that in
// whose window it lies before the earliest that is overdue.
func (p *practice) expectFulfilled(v *groundwork.Visit, at time.Time) {
	var found *groundwork.RotaSlot
	foundInWindow := false
	held := groundwork.DayOf(*v.EndedAt)
	for _, s := range p.of[v.LeadID] {
		if s.State != groundwork.SlotOpen || s.ActivityKind != v.ActivityKind || held < s.WindowFrom.Format(time.DateOnly) ||
			held >= s.WindowTo.AddDate(0, 0, groundwork.SlotGrace).Format(time.DateOnly) || !p.within(p.sites[v.SiteID], s.RegionID) {
			continue
		}
		inWindow := held < s.WindowTo.Format(time.DateOnly)
		if found == nil || inWindow && !foundInWindow || inWindow == foundInWindow && s.WindowTo.Before(found.WindowTo) {
			found, foundInWindow = s, inWindow
		}
	}
	if found != nil {
		p.expected[found.ID] = v.ID
	}
}

func (p *practice) within(region, root uuid.UUID) bool {
	for at := &region; at != nil; at = p.parents[*at] {
		if *at == root {
			return true
		}
	}
	return false
}

func (p *practice) slot(e *groundwork.EntityEvent) {
	end := p.slots[e.EntityID]
	if e.Kind == groundwork.SlotMade {
		_, err := groundwork.SlotLife.Take(groundwork.SlotAttempt{}, e.Kind, "", e.Actor.Role, "the slot")
		require.NoError(p.t, err)
		require.Nil(p.t, e.FromState)
		made := *end
		made.State, made.Version, made.VisitID, made.SwappedForID = groundwork.SlotOpen, 1, nil, nil
		p.turns[e.EntityID] = &made
		p.of[end.PostID] = append(p.of[end.PostID], &made)
		require.True(p.t, p.holds(end, e.At), "a turn is for who holds the post")
		return
	}
	s := p.turns[e.EntityID]
	f := groundwork.SlotFacts{Now: e.At, Last: p.last[e.EntityID]}
	step := groundwork.SlotStep{Deed: groundwork.Deed{Actor: e.Actor, At: e.At}, SlotID: s.ID, Kind: e.Kind}
	if e.Reason != nil {
		step.Reason = *e.Reason
	}
	switch e.Kind {
	case groundwork.SlotDone, groundwork.SlotDoneLate:
		visit, expected := p.expected[s.ID]
		require.True(p.t, expected, "a turn is fulfilled when its visit was held")
		delete(p.expected, s.ID)
		step.VisitID, f.VisitEnd = &visit, *p.stood[visit].EndedAt
		require.Equal(p.t, s.StepFor(f.VisitEnd), e.Kind)
	case groundwork.SlotStepSwapped:
		taker := p.slots[*end.SwappedForID]
		require.Equal(p.t, e.At, taker.CreatedAt)
		require.Equal(p.t, s.WindowFrom, taker.WindowFrom)
		step.PostID, f.PostHeld = &taker.PostID, p.holds(taker, e.At)
		for _, other := range p.of[taker.PostID] {
			f.PostTaken = f.PostTaken || other.PlanID == s.PlanID && other.WindowFrom.Equal(s.WindowFrom) && other.ID != taker.ID
		}
	case groundwork.SlotReleased:
		require.Equal(p.t, groundwork.VisitVoid, p.stood[*s.VisitID].State)
	}
	step, move, err := s.Plan(step, f)
	require.NoError(p.t, err)
	require.Equal(p.t, string(s.State), *e.FromState)
	*s = s.After(step, move)
	require.Equal(p.t, s.Version, e.Seq)
	require.Equal(p.t, string(s.State), e.ToState)
}

// holds reports whether the post of a slot is held then, and of the rank of its plan.
func (p *practice) holds(s *groundwork.RotaSlot, at time.Time) bool {
	post := p.posts[s.PostID]
	return !at.Before(post.HeldFrom) && (post.HeldTo == nil || at.Before(*post.HeldTo)) && post.Rank == p.ranks[s.PlanID]
}

// Every step of every visit and turn is one that the rules allow, with what is known of notes, opinions and issues at that moment; a visit that was held fulfils
// the turn that it is to, and no other; and all stand in the end as their histories say.
func TestVisitsAndTurnsLiveByTheirRules(t *testing.T) {
	t.Parallel()
	s, b := planted()
	p := newPractice(t, s, &b)
	p.replay()
	require.Len(t, p.stood, len(b.Visits))
	require.Len(t, p.turns, len(b.Slots))
	type postDay struct {
		post uuid.UUID
		day  string
	}
	at, company := map[postDay]bool{}, 0
	for i := range b.Visits {
		there := postDay{b.Visits[i].LeadID, groundwork.DayOf(b.Visits[i].StartedAt)}
		require.False(t, at[there], "nobody leads two visits on one day")
		require.False(t, b.Visits[i].StartedAt.Before(s.cfg.From), "none before the province begins")
		at[there] = true
	}
	for i := range b.Visits {
		for _, post := range b.Visits[i].TakePartIDs {
			company++
			there := postDay{post, groundwork.DayOf(b.Visits[i].StartedAt)}
			require.False(t, at[there], "who takes part is at no other visit that day")
			require.Equal(t, p.posts[b.Visits[i].LeadID].OrgUnitID, p.posts[post].OrgUnitID)
			at[there] = true
		}
	}
	require.Greater(t, company, len(b.Visits)/4)
	for id, v := range p.stood {
		require.Equal(t, p.visits[id], v)
	}
	for id, turn := range p.turns {
		turn.SwappedForID = p.slots[id].SwappedForID
		require.Equal(t, p.slots[id], turn)
		require.False(t, turn.State == groundwork.SlotOpen && midnight(turn.WindowTo).AddDate(0, 0, groundwork.SlotGrace).Before(s.cfg.To), "a turn that nobody took is missed")
	}
	for _, m := range []groundwork.Machine{groundwork.VisitMachine(), groundwork.SlotMachine()} {
		for _, r := range m.Rows {
			require.Positive(t, p.kinds[m.Noun+" "+r.Kind], "%s %s", m.Noun, r.Kind)
		}
	}
	states := map[groundwork.VisitState]int{}
	for _, v := range b.Visits {
		states[v.State]++
	}
	require.Greater(t, states[groundwork.VisitClosedOut], len(b.Visits)/2)
	require.Positive(t, states[groundwork.VisitPlanned], "visits to come")
}

// What was planted of turns shows in what became of them, and the truth counts every turn that is due.
func TestTruthOfTurns(t *testing.T) {
	t.Parallel()
	s, b := planted()
	truth := truthOf(t, s)
	careless := map[uuid.UUID]bool{}
	require.NotEmpty(t, truth.Skips)
	for _, u := range truth.Skips {
		careless[u.Unit] = true
	}
	var usual, bad TruthTurns
	sum, missed := 0, 0
	for _, row := range truth.Turns {
		into := &usual
		if careless[row.Unit] {
			into = &bad
		}
		into.Planned, into.Fulfilled = into.Planned+row.Planned, into.Fulfilled+row.Fulfilled
		sum, missed = sum+row.Planned, missed+row.Missed
	}
	require.InDelta(t, 0.84, float64(usual.Fulfilled)/float64(usual.Planned), 0.03)
	require.Less(t, float64(bad.Fulfilled)/float64(bad.Planned), 0.55)
	due, gone := 0, 0
	for _, slot := range b.Slots {
		if !midnight(slot.WindowTo).After(s.cfg.To) && slot.State != groundwork.SlotSwapped {
			due++
		}
		if slot.State == groundwork.SlotMissed {
			gone++
		}
	}
	require.Equal(t, due, sum)
	require.Equal(t, gone, missed)
}
