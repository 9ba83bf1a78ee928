package simulate

import (
	"time"

	"groundwork"
)

// Source is the source of everything simulated.
const Source = "simulated"

// ownSource is the source of claims made here: they are held to the rules for claims.
const ownSource = "groundwork"

// Simulation is a province with known truth. Its parts can be made in any order, by any number of workers at once.
type Simulation struct {
	cfg    Config
	world  *world
	plants plants
	season *season
	visits []visit
	agenda *agenda
	actors []*actors // by county

	campaigns []campaign

	visitsOf [][]int // of each post
}

// New prepares a simulation: the province, what is planted in it, and its visits.
func New(cfg Config) (*Simulation, error) {
	cfg.From, cfg.To = startOfDay(cfg.From), startOfDay(cfg.To)
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	w := newWorld(cfg)
	s := &Simulation{cfg: cfg, world: w, plants: w.plant()}
	s.season = newSeason(w, s.plants)
	s.plants.hotspots = w.plantHotspots(s.season)
	s.season.add(s.plants.hotspots)
	s.visits = w.makeVisits()
	s.agenda, s.visitsOf = newAgenda(w, s.visits), make([][]int, len(w.posts))
	for i := range s.visits {
		s.visitsOf[s.visits[i].post] = append(s.visitsOf[s.visits[i].post], i)
	}
	for n := range w.counties {
		s.actors = append(s.actors, w.makeActors(n))
	}
	return s, s.planCampaigns()
}

// Foundation is what stands before anything happens.
func (s *Simulation) Foundation() groundwork.Foundation { return s.world.Foundation }

// Job describes the simulation as a load.
func (s *Simulation) Job() groundwork.BulkJob {
	return groundwork.BulkJob{Source: Source, Parameters: s.cfg.Parameters(), Issues: s.cfg.Issues, Parts: s.campaignsPart() + min(1, len(s.campaigns))}
}

// How many visits, seats of the rota, or issues a part has.
const visitsInPart, seatsInPart, issuesInPart = 5000, 100, 2500

func (s *Simulation) visitParts() int { return parts(int64(len(s.visits)), visitsInPart) }

// firstIssues is the first part with issues.
func (s *Simulation) firstIssues() int {
	return s.visitParts() + parts(int64(len(s.world.seats)), seatsInPart)
}

// campaignsPart is the part after all issues, if there are campaigns.
func (s *Simulation) campaignsPart() int { return s.firstIssues() + parts(s.cfg.Issues, issuesInPart) }

func parts(n, size int64) int { return int((n + size - 1) / size) }

// IssuesIn is how many issues part n has.
func (s *Simulation) IssuesIn(n int) int {
	if n < s.firstIssues() || n >= s.campaignsPart() {
		return 0
	}
	return int(min(issuesInPart, s.cfg.Issues-int64(n-s.firstIssues())*issuesInPart))
}

// Part makes part n: visits first, then the turns that they fulfil, then issues in the order of time, then campaigns. A part refers only to itself, to the foundation and to earlier
// parts.
func (s *Simulation) Part(n int) (*groundwork.Bulk, error) {
	switch {
	case n < s.visitParts():
		return s.visitPart(n)
	case n < s.firstIssues():
		return s.turnPart(n - s.visitParts())
	case n == s.campaignsPart():
		return s.campaignPart()
	}
	first := int64(n-s.firstIssues()) * issuesInPart
	count := int64(s.IssuesIn(n))
	out := &groundwork.Bulk{Issues: make([]groundwork.BulkIssue, 0, count), Events: make([]groundwork.Event, 0, 9*count)}
	for issue := first; issue < first+count; issue++ {
		d := s.draft(issue)
		if err := s.live(&d, out); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// visitPart makes visits with their lives, and for most of those on which something was raised a word that needs no issue. The first one has the plans of the rota,
// too.
func (s *Simulation) visitPart(n int) (*groundwork.Bulk, error) {
	out := &groundwork.Bulk{}
	if n == 0 {
		for i := range s.world.rotas {
			out.Plans = append(out.Plans, s.world.rotas[i].plans...)
		}
	}
	first := n * visitsInPart
	for i := first; i < min(first+visitsInPart, len(s.visits)); i++ {
		v, events, err := s.history(i)
		if err != nil {
			return nil, err
		}
		v.TakePartIDs, v.Drawn = s.visits[i].TakePartIDs, new(drawnByLot(&s.visits[i]))
		out.Visits, out.Histories = append(out.Visits, v), append(out.Histories, events...)
		out.Attestations = append(out.Attestations, s.attestations(&s.visits[i])...)
		out.PolicyItems = append(out.PolicyItems, s.policyItems(&s.visits[i])...)
		if s.visits[i].raises() {
			out.Opinions = append(out.Opinions, s.spoken(&s.visits[i]))
		}
	}
	return out, nil
}

// turnPart makes the turns of some seats. The first one has the pilots of the planted policies, too, which rest on what was seen on visits.
func (s *Simulation) turnPart(n int) (*groundwork.Bulk, error) {
	out := &groundwork.Bulk{}
	if n == 0 {
		if err := s.addPilots(out); err != nil {
			return nil, err
		}
	}
	first := n * seatsInPart
	for seat := first; seat < min(first+seatsInPart, len(s.world.seats)); seat++ {
		l, err := s.liveTurns(seat)
		if err != nil {
			return nil, err
		}
		out.Slots = append(out.Slots, l.slots...)
		for _, events := range l.events {
			out.Histories = append(out.Histories, events...)
		}
	}
	return out, nil
}

// spoken is what was said on a visit and is on no issue: thanks, or a suggestion that keeps the visit from being closed out.
func (s *Simulation) spoken(v *visit) groundwork.Opinion {
	c := chanceOf(s.cfg.Seed, streamLife, v.number^1<<62)
	t := &s.world.townships[v.township]
	at := &s.world.committees[pick(c, t.committees)]
	region := &s.world.Regions[at.region]
	received := v.StartedAt.Add(c.span(0, v.EndedAt.Sub(v.StartedAt))).Truncate(time.Second)
	said := topics[c.IntN(len(topics))].opinion(c, at.name)
	kind := groundwork.Thanks
	if v.pending {
		kind = groundwork.Suggestion
	}
	return groundwork.Opinion{ID: c.id(received), Source: Source, Channel: groundwork.ChannelVisit,
		Kind: kind, ReceivedAt: received, ReceivedPrecision: groundwork.ToTheSecond,
		VisitID: &v.ID, ReporterPID: new(s.reporter(c, at)), Subject: said.subject, Text: said.text, RegionID: &region.ID, SiteID: &v.SiteID,
		Latitude: region.Latitude, Longitude: region.Longitude, Confidentiality: "NAME_HIDDEN", CreatedAt: received}
}
