package simulate

import (
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"

	"groundwork"
)

// pilotLife lives a planted policy as the offices see it: a change proposed on what visits showed, consulted on, with its outcome registered before it takes effect
// anywhere, and piloted in the counties of its cohorts. Whether it is adopted is not simulated.
type pilotLife struct {
	change   groundwork.PolicyChange
	evidence []groundwork.EvidenceLink
	rollouts []groundwork.PolicyRollout
	events   []groundwork.EntityEvent
	last     time.Time
	err      error
}

// How many visits a proposal rests on, and for how long a pilot is looked at.
const evidenceVisits, pilotWindow = 5, 365

// livePilot lives the n-th policy until its pilot begins.
func (s *Simulation) livePilot(n int) (*pilotLife, error) {
	p, w := &s.plants.policies[n], s.world
	c := chanceOf(s.cfg.Seed, streamPolicy, 1<<62|uint64(n))
	owner := w.policy(p.title)
	first := p.starts[1]
	at := func(share float64) time.Time { // before the first day of the pilot
		return groundwork.Moment(w.opened(s.cfg.From.AddDate(0, 0, int(share*float64(first))).Add(c.span(opens, closes))).Truncate(time.Minute))
	}
	proposed := at(0.6)
	l := &pilotLife{last: proposed, change: groundwork.PolicyChange{ID: c.id(proposed), PolicyID: owner.ID, OwnerUnitID: owner.OwnerUnitID, Summary: p.summary, ProposedAt: proposed, CreatedAt: proposed}}
	l.rollouts = s.rollouts(p, l.change.ID)
	by := groundwork.Actor{ID: "sim-policy-owner", Role: groundwork.RolePolicyOwner, UnitID: &owner.OwnerUnitID}
	proposal := groundwork.PolicyStep{Kind: groundwork.PolicyProposed, Evidence: s.speakFor(c, l, proposed)}
	l.step(by, proposed, proposal, groundwork.PolicyFacts{})
	l.step(by, at(0.7), groundwork.PolicyStep{Kind: groundwork.PolicyConsulted, Persons: 40 + c.IntN(400), Summary: "多数人赞成先行试点（模拟）"}, groundwork.PolicyFacts{})
	l.step(by, at(0.8), groundwork.PolicyStep{Kind: groundwork.PolicyRegistered, Outcome: p.outcome()}, groundwork.PolicyFacts{})
	l.step(by, at(0.9), groundwork.PolicyStep{Kind: groundwork.PolicyPiloted, Rollouts: l.rollouts}, groundwork.PolicyFacts{})
	if l.err != nil {
		return nil, fmt.Errorf("simulated policy %s: %w", p.code, l.err)
	}
	return l, nil
}

// addPilots adds the planted policies.
func (s *Simulation) addPilots(out *groundwork.Bulk) error {
	for n := range s.plants.policies {
		l, err := s.livePilot(n)
		if err != nil {
			return err
		}
		out.PolicyChanges, out.Evidence, out.Rollouts = append(out.PolicyChanges, l.change), append(out.Evidence, l.evidence...), append(out.Rollouts, l.rollouts...)
		out.Histories = append(out.Histories, l.events...)
	}
	return nil
}

// step takes a step of the change, which the rules examine; the first makes it.
func (l *pilotLife) step(by groundwork.Actor, at time.Time, s groundwork.PolicyStep, f groundwork.PolicyFacts) {
	if l.err != nil {
		return
	}
	from := l.change.State
	s.PolicyChangeID, s.Deed, f.Last, f.Now = l.change.ID, groundwork.Deed{Actor: by, At: at}, l.last, at
	step, move, err := l.change.Plan(s, f)
	if err != nil {
		l.err = err
		return
	}
	l.change, l.last = l.change.After(step, move), step.At
	l.events = append(l.events, entityEvent("policy_change", l.change.ID, l.change.Version, string(from), string(l.change.State), step.Kind, step.Deed))
}

// outcome is by what the policy will be judged.
func (p *policy) outcome() groundwork.OutcomeMeasure {
	if p.onDelay {
		return groundwork.OutcomeMeasure{Measure: "T2", Direction: groundwork.AtLeast, MinimalEffect: 0.05, WindowDays: pilotWindow}
	}
	return groundwork.OutcomeMeasure{Measure: "H1", Direction: groundwork.AtMost, MinimalEffect: 0.1, WindowDays: pilotWindow}
}

// rollouts are the days from which the policy takes effect in its counties.
func (s *Simulation) rollouts(p *policy, change uuid.UUID) (all []groundwork.PolicyRollout) {
	for _, n := range p.treated {
		all = append(all, groundwork.PolicyRollout{PolicyChangeID: change, RegionID: s.world.Regions[s.world.counties[n].region].ID,
			EffectiveFrom: s.cfg.From.AddDate(0, 0, p.starts[p.cohortOf[n]])})
	}
	return all
}

// speakFor links visits that were made before the proposal in the counties where the policy will take effect.
func (s *Simulation) speakFor(c chance, l *pilotLife, proposed time.Time) (evidence []groundwork.EvidenceTarget) {
	var made []int
	for i := range s.visits {
		v := &s.visits[i]
		if v.EndedAt != nil && v.EndedAt.Before(proposed) && v.State != groundwork.VisitVoid && s.world.counties[s.world.townships[v.township].county].cohort > 0 {
			made = append(made, i)
		}
	}
	c.Shuffle(len(made), func(i, j int) { made[i], made[j] = made[j], made[i] })
	for _, i := range made[:min(len(made), evidenceVisits)] {
		v := &s.visits[i]
		l.evidence = append(l.evidence, groundwork.EvidenceLink{ID: c.id(proposed), PolicyChangeID: l.change.ID, EvidenceTarget: groundwork.EvidenceTarget{VisitID: &v.ID},
			EvidenceAt: v.StartedAt, LinkedAt: proposed})
		evidence = append(evidence, groundwork.EvidenceTarget{VisitID: &v.ID})
	}
	return evidence
}

// policy is the one of a title.
func (w *world) policy(title string) *groundwork.Policy {
	return &w.Policies[slices.IndexFunc(w.Policies, func(p groundwork.Policy) bool { return p.Title == title })]
}
