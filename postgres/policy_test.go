package postgres_test

import (
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"groundwork"
)

// owner owns policies of the road bureau.
func (e *effort) owner() groundwork.Actor {
	return groundwork.Actor{ID: "owner", Role: groundwork.RolePolicyOwner, UnitID: &e.unit.ID}
}

func (e *effort) policy() *groundwork.Policy {
	e.t.Helper()
	p, _, err := e.CreatePolicy(e.t.Context(), e.owner(), groundwork.Policy{Title: "Road repairs", RegionID: &e.province.ID, OwnerUnitID: e.unit.ID},
		groundwork.PolicyVersion{Text: "Holes are filled within a month.", EffectiveFrom: day(2020, 1, 1)})
	require.NoError(e.t, err)
	return p
}

func (e *effort) propose(p *groundwork.Policy) *groundwork.PolicyChange {
	e.t.Helper()
	c, receipt, err := e.ProposePolicyChange(e.t.Context(), groundwork.PolicyProposal{Actor: e.owner(), PolicyID: p.ID, Summary: "Within a week",
		Evidence: []groundwork.EvidenceTarget{{IssueID: &e.issue("Hole").ID}}})
	require.NoError(e.t, err)
	require.NotZero(e.t, receipt.LSN)
	return c
}

// change is a step of a change with all that it asks for.
func (e *effort) change(kind string) groundwork.PolicyStep {
	s := groundwork.PolicyStep{Deed: groundwork.Deed{Actor: e.owner(), Reason: "as agreed"}, Kind: kind}
	today := day(e.clock.Now().Date())
	switch kind {
	case groundwork.PolicyConsulted:
		s.Persons, s.Summary = 40, "Most agree"
	case groundwork.PolicyRegistered:
		s.Outcome = groundwork.OutcomeMeasure{Measure: "H1", Direction: groundwork.AtMost, MinimalEffect: 0.5, WindowDays: 30, AnticipationDays: 7}
	case groundwork.PolicyPiloted:
		s.Rollouts = []groundwork.PolicyRollout{{RegionID: e.city.ID, EffectiveFrom: today.AddDate(0, 0, 1)}}
	case groundwork.PolicyRolledOut:
		s.Rollouts = []groundwork.PolicyRollout{{RegionID: e.other.ID, EffectiveFrom: today}}
	case groundwork.PolicyAdopted, groundwork.PolicyAmended:
		s.Actor, s.Text, s.EffectiveFrom = e.leader, "Holes are filled within a week.", today
	case groundwork.PolicyEvaluated:
		s.Actor = e.reviewer
		s.Evaluation = groundwork.PolicyEvaluation{Estimate: -1, CILow: -2, CIHigh: -0.1, TreatedRegions: 1, ControlRegions: 1, AsOf: e.clock.Now().UTC(), Text: "Fewer holes"}
	case groundwork.PolicyRetained:
		s.Actor = e.leader
	case groundwork.PolicyRepealed:
		s.Actor, s.EffectiveFrom = e.leader, today.AddDate(0, 0, 10)
	}
	return s
}

func (e *effort) takeChange(c *groundwork.PolicyChange, s groundwork.PolicyStep) (*groundwork.PolicyChange, error) {
	s.PolicyChangeID = c.ID
	after, _, err := e.StepPolicyChange(e.t.Context(), s)
	return after, err
}

func (e *effort) changes(c *groundwork.PolicyChange, kinds ...string) *groundwork.PolicyChange {
	e.t.Helper()
	for _, kind := range kinds {
		e.clock.advance(time.Minute)
		switch kind {
		case groundwork.PolicyAdopted:
			e.clock.advance(24 * time.Hour)
		case groundwork.PolicyEvaluated:
			e.clock.advance(31 * 24 * time.Hour)
		}
		after, err := e.takeChange(c, e.change(kind))
		require.NoError(e.t, err, kind)
		c = after
	}
	return c
}

var toEvaluation = []string{groundwork.PolicyConsulted, groundwork.PolicyRegistered, groundwork.PolicyPiloted, groundwork.PolicyAdopted, groundwork.PolicyEvaluated}

func TestLifeOfAPolicyChange(t *testing.T) {
	t.Parallel()
	e := newEffort(t)
	p := e.policy()
	c := e.propose(p)
	require.Equal(t, groundwork.ChangeProposed, c.State)
	require.Equal(t, e.unit.ID, c.OwnerUnitID)
	require.Nil(t, c.Outcome)
	c = e.changes(c, groundwork.PolicyConsulted)
	_, err := e.takeChange(c, e.change(groundwork.PolicyPiloted))
	require.ErrorContains(t, err, "register the outcome measure")
	c = e.changes(c, groundwork.PolicyRegistered)
	require.Equal(t, e.change(groundwork.PolicyRegistered).Outcome, *c.Outcome)
	s := e.change(groundwork.PolicyPiloted)
	s.Rollouts[0].EffectiveFrom = day(e.clock.Now().Date())
	_, err = e.takeChange(c, s)
	require.ErrorContains(t, err, "takes effect on a later day")
	c = e.changes(c, groundwork.PolicyPiloted)
	_, err = e.takeChange(c, e.change(groundwork.PolicyAdopted))
	require.ErrorContains(t, err, "has not begun anywhere")
	e.clock.advance(25 * time.Hour)
	s = e.change(groundwork.PolicyAdopted)
	s.EffectiveFrom = day(2020, 1, 1)
	_, err = e.takeChange(c, s)
	require.ErrorContains(t, err, "is over", "it would never hold, since the first version begins later")
	c = e.changes(c, groundwork.PolicyAdopted)

	versions, err := e.PolicyVersionsOf(t.Context(), []uuid.UUID{p.ID}, 10)
	require.NoError(t, err)
	require.Equal(t, *c.PolicyVersionID, versions[p.ID][0].ID, "the latest first")
	require.Equal(t, 2, versions[p.ID][0].N)
	require.Equal(t, c.ID, *versions[p.ID][0].PolicyChangeID)
	require.Nil(t, versions[p.ID][1].PolicyChangeID)

	s = e.change(groundwork.PolicyEvaluated)
	_, err = e.takeChange(c, s)
	require.ErrorContains(t, err, "window of 30 days ends on")
	e.clock.advance(31 * 24 * time.Hour)
	due := true
	page, err := e.PolicyChanges(t.Context(), groundwork.PolicyChangeFilter{ToEvaluate: &due}, groundwork.PageRequest{First: 5})
	require.NoError(t, err)
	require.Len(t, page.Items, 1)
	s = e.change(groundwork.PolicyEvaluated)
	s.Actor = e.insider
	_, err = e.takeChange(c, s)
	require.Equal(t, groundwork.CodeForbidden, groundwork.CodeOf(err), "a unit below the owner")
	c = e.changes(c, groundwork.PolicyEvaluated, groundwork.PolicyAmended)
	require.Equal(t, groundwork.ChangeAmended, c.State)
	page, err = e.PolicyChanges(t.Context(), groundwork.PolicyChangeFilter{ToEvaluate: &due}, groundwork.PageRequest{First: 5})
	require.NoError(t, err)
	require.Empty(t, page.Items)
	versions, err = e.PolicyVersionsOf(t.Context(), []uuid.UUID{p.ID}, 10)
	require.NoError(t, err)
	require.Len(t, versions[p.ID], 3)
	require.Equal(t, *c.PolicyVersionID, versions[p.ID][1].ID, "what was adopted stays known")
	found, err := e.EvaluationsOf(t.Context(), []uuid.UUID{c.ID})
	require.NoError(t, err)
	require.Equal(t, e.callers.ID, found[c.ID].EvaluatorUnitID)
	history, err := e.HistoryOf(t.Context(), "policy_change", []uuid.UUID{c.ID}, 20)
	require.NoError(t, err)
	require.Len(t, history[c.ID], c.Version)
}

func TestRepealEndsTheVersion(t *testing.T) {
	t.Parallel()
	e := newEffort(t)
	p := e.policy()
	c := e.changes(e.propose(p), append(toEvaluation, groundwork.PolicyRepealed)...)
	versions, err := e.PolicyVersionsByID(t.Context(), []uuid.UUID{*c.PolicyVersionID})
	require.NoError(t, err)
	require.Equal(t, day(e.clock.Now().Date()).AddDate(0, 0, 10), *versions[*c.PolicyVersionID].RepealedFrom)

	kept := e.changes(e.propose(p), append(toEvaluation, groundwork.PolicyRetained)...)
	require.Equal(t, groundwork.ChangeRetained, kept.State)
	dropped := e.changes(e.propose(p), groundwork.PolicyConsulted, groundwork.PolicyDropped)
	require.Equal(t, groundwork.ChangeDropped, dropped.State)
}

func TestRolloutsDoNotOverlap(t *testing.T) {
	t.Parallel()
	e := newEffort(t)
	c := e.changes(e.propose(e.policy()), groundwork.PolicyConsulted, groundwork.PolicyRegistered)
	s := e.change(groundwork.PolicyPiloted)
	s.Rollouts = append(s.Rollouts, groundwork.PolicyRollout{RegionID: e.province.ID, EffectiveFrom: s.Rollouts[0].EffectiveFrom})
	_, err := e.takeChange(c, s)
	require.ErrorContains(t, err, "overlaps another")
	s.Rollouts = []groundwork.PolicyRollout{s.Rollouts[0], s.Rollouts[0]}
	_, err = e.takeChange(c, s)
	require.ErrorContains(t, err, "overlaps another", "twice the same")
	c = e.changes(c, groundwork.PolicyPiloted)
	s = e.change(groundwork.PolicyRolledOut)
	s.Rollouts[0].RegionID, s.Rollouts[0].EffectiveFrom = e.province.ID, s.Rollouts[0].EffectiveFrom.AddDate(0, 0, 5)
	_, err = e.takeChange(c, s)
	require.ErrorContains(t, err, "overlaps another")
	e.clock.advance(24 * time.Hour)
	c = e.changes(c, groundwork.PolicyRolledOut)
	rollouts, err := e.RolloutsOf(t.Context(), []uuid.UUID{c.ID})
	require.NoError(t, err)
	require.Len(t, rollouts[c.ID], 2)
}

func TestEvidenceOfAPolicyChange(t *testing.T) {
	t.Parallel()
	e := newEffort(t)
	p := e.policy()
	campaign := e.goOn(e.nominate(), e.selection())
	site, _, err := e.CreateSite(t.Context(), groundwork.System, groundwork.Site{RegionID: e.city.ID, Kind: groundwork.School, Name: "School 5"})
	require.NoError(t, err)
	visit, _, err := e.RecordVisit(t.Context(), e.leader, groundwork.Visit{ActivityKind: groundwork.Research, Notice: "UNANNOUNCED", SiteID: site.ID, LeadID: e.post.ID,
		StartedAt: e.clock.Now().Add(-2 * time.Hour), EndedAt: new(e.clock.Now().Add(-time.Hour)), State: groundwork.VisitHeld})
	require.NoError(t, err)
	planned, _, err := e.PlanVisit(t.Context(), groundwork.Deed{Actor: e.leader}, groundwork.Visit{ActivityKind: groundwork.Research, Notice: "UNANNOUNCED", SiteID: site.ID, LeadID: e.post.ID,
		StartedAt: e.clock.Now().Add(time.Hour), State: groundwork.VisitPlanned})
	require.NoError(t, err)
	c := e.propose(p)
	link := e.change(groundwork.PolicyEvidence)
	link.Actor = e.leader
	for says, target := range map[string]groundwork.EvidenceTarget{
		"does not exist":       {CampaignID: new(uuid.New())},
		"has not happened yet": {VisitID: &planned.ID},
	} {
		link.Evidence = []groundwork.EvidenceTarget{target}
		_, err = e.takeChange(c, link)
		require.ErrorContains(t, err, says)
	}
	link.Evidence = []groundwork.EvidenceTarget{{VisitID: &visit.ID}, {CampaignID: &campaign.ID}}
	c, err = e.takeChange(c, link)
	require.NoError(t, err)
	_, err = e.takeChange(c, link)
	require.ErrorContains(t, err, "evidence of the change already")
	links, err := e.EvidenceLinksOf(t.Context(), []uuid.UUID{c.ID}, 10)
	require.NoError(t, err)
	require.Len(t, links[c.ID], 3)
	require.Equal(t, visit.ID, *links[c.ID][0].VisitID, "the earliest first")
	require.Equal(t, visit.StartedAt, links[c.ID][0].EvidenceAt)
	for _, target := range []groundwork.EvidenceTarget{{VisitID: &visit.ID}, {CampaignID: &campaign.ID}} {
		page, err := e.PolicyChanges(t.Context(), groundwork.PolicyChangeFilter{Evidence: target}, groundwork.PageRequest{First: 5})
		require.NoError(t, err)
		require.Len(t, page.Items, 1)
	}
	page, err := e.PolicyChanges(t.Context(), groundwork.PolicyChangeFilter{Evidence: groundwork.EvidenceTarget{VisitID: &planned.ID}}, groundwork.PageRequest{First: 5})
	require.NoError(t, err)
	require.Empty(t, page.Items)
}

func TestPoliciesAndTheirVersions(t *testing.T) {
	t.Parallel()
	e := newEffort(t)
	p := e.policy()
	stranger := groundwork.Actor{ID: "stranger", Role: groundwork.RolePolicyOwner, UnitID: &e.callers.ID}
	_, _, err := e.CreatePolicy(t.Context(), stranger, groundwork.Policy{Title: "x", OwnerUnitID: e.unit.ID}, groundwork.PolicyVersion{Text: "x", EffectiveFrom: day(2020, 1, 1)})
	require.Equal(t, groundwork.CodeForbidden, groundwork.CodeOf(err))
	_, _, err = e.ProposePolicyChange(t.Context(), groundwork.PolicyProposal{Actor: e.owner(), PolicyID: uuid.New(), Summary: "x"})
	require.Equal(t, groundwork.CodeNotFound, groundwork.CodeOf(err))

	later, _, err := e.CreatePolicy(t.Context(), e.owner(), groundwork.Policy{Title: "Road lamps", OwnerUnitID: e.unit.ID},
		groundwork.PolicyVersion{Text: "Lamps burn.", EffectiveFrom: day(2100, 1, 1)})
	require.NoError(t, err)
	versions, err := e.PolicyVersionsOf(t.Context(), []uuid.UUID{p.ID, later.ID}, 1)
	require.NoError(t, err)
	draft := *versions[later.ID][0]
	draft.Text, draft.EffectiveFrom = "Lamps burn all night.", day(2100, 2, 1)
	_, _, err = e.RevisePolicyVersion(t.Context(), stranger, draft)
	require.Equal(t, groundwork.CodeForbidden, groundwork.CodeOf(err))
	revised, _, err := e.RevisePolicyVersion(t.Context(), e.owner(), draft)
	require.NoError(t, err)
	require.Equal(t, draft, *revised)
	inEffect := *versions[p.ID][0]
	_, _, err = e.RevisePolicyVersion(t.Context(), e.owner(), inEffect)
	require.ErrorContains(t, err, "never changes")
	inEffect.ID = uuid.New()
	_, _, err = e.RevisePolicyVersion(t.Context(), e.owner(), inEffect)
	require.Equal(t, groundwork.CodeNotFound, groundwork.CodeOf(err))

	for name, f := range map[string]struct {
		filter groundwork.PolicyFilter
		want   []uuid.UUID
	}{
		"all by title": {groundwork.PolicyFilter{}, []uuid.UUID{later.ID, p.ID}},
		"title":        {groundwork.PolicyFilter{Title: "REPAIRS"}, []uuid.UUID{p.ID}},
		"under":        {groundwork.PolicyFilter{Under: &e.province.ID}, []uuid.UUID{p.ID}},
		"owner":        {groundwork.PolicyFilter{OwnerUnitIDs: []uuid.UUID{e.callers.ID}}, nil},
	} {
		page, err := e.Policies(t.Context(), f.filter, groundwork.PageRequest{First: 10})
		require.NoError(t, err, name)
		var got []uuid.UUID
		for _, item := range page.Items {
			got = append(got, item.ID)
		}
		require.Equal(t, f.want, got, name)
	}
}
