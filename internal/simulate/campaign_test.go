package simulate

import (
	"math"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"groundwork"
)

// Each planted campaign went by the rules, from a nomination on: its regions are those of the highest rates that were known, one campaign is over and was judged, the
// other goes on.
func TestCampaignsAreLived(t *testing.T) {
	t.Parallel()
	s, b := planted()
	truth := truthOf(t, s)
	require.Len(t, b.Campaigns, 2)
	require.Len(t, truth.Campaigns, 2)
	lives := map[string]groundwork.Machine{"campaign": groundwork.CampaignMachine(), "campaign_task": groundwork.TaskMachine()}
	for n, c := range b.Campaigns {
		last := c.Stood[len(c.Stood)-1]
		require.Equal(t, truth.Campaigns[n].Campaign, last.ID)
		require.Equal(t, truth.Campaigns[n].State, string(last.State))
		require.True(t, last.SelectedAt.Before(onDay(t, truth.Campaigns[n].Treated[0].From)))
		versions := map[uuid.UUID]int{last.ID: last.Version}
		for _, task := range c.Tasks {
			versions[task.ID] = task.Version
		}
		goesByItsLife(t, b.Histories, versions, lives)
		ranked(t, last.Evidence.Cells, c.Regions)
		require.Len(t, c.Tasks, truth.Campaigns[n].Tasks)
		require.NotEmpty(t, c.Issues)
	}
	over, on := b.Campaigns[0].Stood, b.Campaigns[1].Stood
	require.Equal(t, groundwork.CampaignExited, over[len(over)-1].State, "the effect is larger than what the criterion asks for")
	require.Len(t, b.Campaigns[0].Results, 1)
	require.Equal(t, groundwork.CampaignActive, on[len(on)-1].State)
	require.Equal(t, groundwork.TaskOpen, b.Campaigns[1].Tasks[2].State)
}

// goesByItsLife examines that each thing has events without gaps up to its version, by rows of its life.
func goesByItsLife(t *testing.T, events []groundwork.EntityEvent, versions map[uuid.UUID]int, lives map[string]groundwork.Machine) {
	t.Helper()
	seq, state := map[uuid.UUID]int{}, map[uuid.UUID]string{}
	for _, e := range events {
		if _, mine := versions[e.EntityID]; !mine {
			continue
		}
		from := state[e.EntityID]
		seq[e.EntityID]++
		require.Equal(t, seq[e.EntityID], e.Seq)
		require.True(t, slices.ContainsFunc(lives[e.Noun].Rows, func(r groundwork.MachineRow) bool {
			return r.Kind == e.Kind && slices.Contains(r.Roles, e.Actor.Role) && (from == "" && len(r.From) == 0 || slices.Contains(r.From, from)) &&
				(r.To == e.ToState || r.To == "" && e.ToState == from)
		}), "%s of a %s by %s from %q to %q", e.Kind, e.Noun, e.Actor.Role, from, e.ToState)
		state[e.EntityID] = e.ToState
	}
	require.Equal(t, versions, seq)
}

// ranked examines that no region treated has a lower shrunk rate than one to compare with, and none of these than the rest.
func ranked(t *testing.T, cells []groundwork.HotspotCell, regions []groundwork.CampaignRegion) {
	t.Helper()
	lowest, highest := map[groundwork.RegionRole]float64{}, map[groundwork.RegionRole]float64{}
	for _, c := range cells {
		role := groundwork.RegionRole("")
		if n := slices.IndexFunc(regions, func(r groundwork.CampaignRegion) bool { return r.RegionID == c.RegionID }); n >= 0 {
			role = regions[n].Role
		}
		if known, seen := lowest[role]; !seen || c.Rate < known {
			lowest[role] = c.Rate
		}
		highest[role] = max(highest[role], c.Rate)
	}
	require.GreaterOrEqual(t, lowest[groundwork.TreatedRegion], highest[groundwork.ComparisonRegion])
	require.GreaterOrEqual(t, lowest[groundwork.ComparisonRegion], highest[""])
}

// counties are those that villages lie in.
func (s *Simulation) countyOf() map[uuid.UUID]uuid.UUID {
	of := map[uuid.UUID]uuid.UUID{}
	for _, v := range s.world.committees {
		of[s.world.Regions[v.region].ID] = s.world.countyRegion(v.county).ID
	}
	return of
}

// The evidence counts the issues that were known when the campaign was selected, as a recount of all events does; and who joins is open then, of the matter, in its regions.
func TestCampaignsRestOnWhatWasKnown(t *testing.T) {
	t.Parallel()
	s, b := planted()
	county := s.countyOf()
	events := map[uuid.UUID][]groundwork.Event{}
	for _, e := range b.Events {
		events[e.IssueID] = append(events[e.IssueID], e)
	}
	stood := func(issue uuid.UUID, at time.Time) (p *groundwork.Progress) {
		for i, e := range events[issue] {
			if !e.KnownAt.After(at) {
				p = &events[issue][i].Progress
			}
		}
		return p
	}
	for _, c := range b.Campaigns {
		last := c.Stood[len(c.Stood)-1]
		e, found := last.Evidence, map[uuid.UUID]int{}
		byID := map[uuid.UUID]groundwork.BulkIssue{}
		for _, i := range b.Issues {
			byID[i.ID] = i
			p := stood(i.ID, e.AsOf)
			if p != nil && *i.CategoryID == *last.CategoryID && p.State != groundwork.Merged && !p.OriginAt.Before(e.From) && p.OriginAt.Before(e.To) {
				found[county[*i.RegionID]]++
			}
		}
		require.NotEmpty(t, found)
		for _, cell := range e.Cells {
			require.Equal(t, found[cell.RegionID], cell.Issues)
		}
		treated := map[uuid.UUID]bool{}
		for _, r := range c.Regions {
			treated[r.RegionID] = r.Role == groundwork.TreatedRegion
		}
		for _, link := range c.Issues {
			i := byID[link.IssueID]
			require.True(t, treated[county[*i.RegionID]] && *i.CategoryID == *last.CategoryID && stood(i.ID, link.JoinedAt).State.Open())
			require.Equal(t, last.EndedAt == nil, link.LeftAt == nil)
		}
	}
}

// From its first day on a campaign lowers how often its topic is raised in its counties by the factor of the truth.
func TestCampaignsHaveTheirEffect(t *testing.T) {
	t.Parallel()
	s, b := planted()
	truth, county := truthOf(t, s), s.countyOf()
	for _, c := range truth.Campaigns {
		treated := map[uuid.UUID]bool{}
		for _, r := range c.Treated {
			treated[r.Region] = true
		}
		begins, category := onDay(t, c.Treated[0].From), s.world.topics[topicIndex(c.Category)].category
		var n [2][2]float64 // treated or not, after or before
		for _, i := range b.Issues {
			if *i.CategoryID == category {
				n[one(treated[county[*i.RegionID]])][one(!i.CreatedAt.Before(begins))]++
			}
		}
		log := math.Log(n[1][1] * n[0][0] / (n[1][0] * n[0][1]))
		spread := math.Sqrt(1/n[0][0] + 1/n[0][1] + 1/n[1][0] + 1/n[1][1])
		require.InDelta(t, c.Step, log, 3.5*spread, "%s: a ratio of %.2f for %.2f", c.Topic, math.Exp(log), math.Exp(c.Step))
	}
}
