package groundwork_test

import (
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"groundwork"
)

var (
	noon     = time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)
	ownCell  = uuid.MustParse("01900000-0000-7000-8000-000000000001")
	farCell  = uuid.MustParse("01900000-0000-7000-8000-000000000002")
	someUnit = uuid.MustParse("01900000-0000-7000-8000-000000000003")
)

// everyMove examines a life: each row lets its roles go from its states, every other role and state is refused. try takes the step
// of a kind from a state in a role, with all that guards ask for.
func everyMove(t *testing.T, m groundwork.Machine, states []string, try func(kind, from string, role groundwork.Role) error) {
	t.Helper()
	for _, kind := range kindsOf(m) {
		for _, from := range append([]string{""}, states...) {
			for _, role := range groundwork.Roles {
				legal := slices.ContainsFunc(m.Rows, func(r groundwork.MachineRow) bool {
					return r.Kind == kind && slices.Contains(r.Roles, role) && (len(r.From) == 0 && from == "" || slices.Contains(r.From, from))
				})
				err := try(kind, from, role)
				if legal {
					require.NoError(t, err, "%s from %q by %s", kind, from, role)
					continue
				}
				require.Contains(t, []groundwork.Code{groundwork.CodeForbidden, groundwork.CodeTransition}, groundwork.CodeOf(err), "%s from %q by %s", kind, from, role)
			}
		}
	}
}

func kindsOf(m groundwork.Machine) []string {
	var kinds []string
	for _, r := range m.Rows {
		if !slices.Contains(kinds, r.Kind) {
			kinds = append(kinds, r.Kind)
		}
	}
	return kinds
}

// campaignAttempt has all that any step of a campaign asks for.
func campaignAttempt(kind, from string, role groundwork.Role) (groundwork.Campaign, groundwork.CampaignStep, groundwork.CampaignFacts) {
	c := groundwork.Campaign{Topic: "Potholes", Origin: groundwork.FromScan, State: groundwork.CampaignState(from), Version: 3, PeriodTo: new(noon)}
	if role == groundwork.RoleLeader {
		c.Origin = groundwork.FromLeader
	}
	criterion := groundwork.ExitCriterion{N: 1, Measure: "H1", Direction: groundwork.AtMost, Threshold: 2, WindowDays: 30}
	s := groundwork.CampaignStep{
		Deed: groundwork.Deed{Actor: groundwork.Actor{ID: "a", Role: role, UnitID: &someUnit}, Reason: "because"}, Kind: kind,
		Evidence: groundwork.HotspotEvidence{DefinitionVersion: 1, From: noon.AddDate(-1, 0, 0), To: noon, AsOf: noon,
			Cells: []groundwork.HotspotCell{{RegionID: ownCell, Issues: 9, PersonYears: 1000, RawRate: 9, Rate: 6, Weight: 0.5, CommonRate: 3, Rank: 1}}},
		ComparisonIDs: []uuid.UUID{farCell}, Criteria: []groundwork.ExitCriterion{criterion},
		PeriodFrom: noon, PeriodTo: noon.AddDate(1, 0, 0), IssueIDs: []uuid.UUID{ownCell},
	}
	f := groundwork.CampaignFacts{Now: noon, Last: noon.Add(-time.Hour), Treated: []uuid.UUID{ownCell}, Outside: true}
	switch kind {
	case groundwork.CampaignStarted:
		f.OpenTasks = 1
	case groundwork.CampaignReviewOpened:
		f.DoneTasks, f.LastDone = 1, new(noon.Add(-groundwork.ReviewAfter))
	case groundwork.CampaignStepExited, groundwork.CampaignStepExtended, groundwork.CampaignStepFailed:
		f.Criteria, f.LastDone = s.Criteria, new(noon.AddDate(0, 0, -30))
		s.Results = []groundwork.CriterionResult{{N: 1, Value: 2, CILow: new(1.0), CIHigh: new(2.5), Cases: 7, AsOf: noon}}
	}
	return c, s, f
}

var campaignStates = []string{"CANDIDATE", "DECLINED", "SELECTED", "ACTIVE", "REVIEW", "EXTENDED", "EXITED", "FAILED"}

func TestEveryMoveOfACampaign(t *testing.T) {
	t.Parallel()
	everyMove(t, groundwork.CampaignMachine(), campaignStates, func(kind, from string, role groundwork.Role) error {
		c, s, f := campaignAttempt(kind, from, role)
		_, _, err := c.Plan(s, f)
		return err
	})
}

// Each refusal spoils one thing that the step asks for.
func TestRefusalsOfACampaign(t *testing.T) {
	t.Parallel()
	type attempt struct {
		c *groundwork.Campaign
		s *groundwork.CampaignStep
		f *groundwork.CampaignFacts
	}
	lead, supervisor := groundwork.RoleCampaignLead, groundwork.RoleSupervisor
	for name, c := range map[string]struct {
		kind, from string
		role       groundwork.Role
		spoil      func(a attempt)
		says       string
	}{
		"stale":                      {"STARTED", "SELECTED", lead, func(a attempt) { a.s.ExpectedVersion = 2 }, "is at version 3, not 2"},
		"future":                     {"STARTED", "SELECTED", lead, func(a attempt) { a.s.At = noon.Add(time.Second) }, "lies in the future"},
		"before its last event":      {"STARTED", "SELECTED", lead, func(a attempt) { a.s.At = a.f.Last.Add(-time.Second) }, "before the last event"},
		"a lead speaks as a leader":  {"NOMINATED", "", lead, func(a attempt) { a.c.Origin = groundwork.FromLeader }, "only a leader"},
		"a leader as a detector":     {"NOMINATED", "", groundwork.RoleLeader, func(a attempt) { a.c.Origin = groundwork.FromScan }, "not as H3"},
		"a region without evidence":  {"SELECTED", "CANDIDATE", lead, func(a attempt) { a.f.Treated = append(a.f.Treated, farCell) }, "has no row of evidence"},
		"no version":                 {"SELECTED", "CANDIDATE", lead, func(a attempt) { a.s.Evidence.DefinitionVersion = 0 }, "version of the definition"},
		"an empty window":            {"SELECTED", "CANDIDATE", lead, func(a attempt) { a.s.Evidence.To = a.s.Evidence.From }, "ends after it begins"},
		"evidence of the future":     {"SELECTED", "CANDIDATE", lead, func(a attempt) { a.s.Evidence.AsOf = noon.Add(time.Second) }, "before the selection"},
		"evidence of no time":        {"SELECTED", "CANDIDATE", lead, func(a attempt) { a.s.Evidence.AsOf = time.Time{} }, "before the selection"},
		"negative issues":            {"SELECTED", "CANDIDATE", lead, func(a attempt) { a.s.Evidence.Cells[0].Issues = -1 }, "cannot be"},
		"negative person-years":      {"SELECTED", "CANDIDATE", lead, func(a attempt) { a.s.Evidence.Cells[0].PersonYears = -1 }, "cannot be"},
		"negative raw rate":          {"SELECTED", "CANDIDATE", lead, func(a attempt) { a.s.Evidence.Cells[0].RawRate = -1 }, "cannot be"},
		"negative rate":              {"SELECTED", "CANDIDATE", lead, func(a attempt) { a.s.Evidence.Cells[0].Rate = -1 }, "cannot be"},
		"negative common rate":       {"SELECTED", "CANDIDATE", lead, func(a attempt) { a.s.Evidence.Cells[0].CommonRate = -1 }, "cannot be"},
		"negative weight":            {"SELECTED", "CANDIDATE", lead, func(a attempt) { a.s.Evidence.Cells[0].Weight = -0.1 }, "cannot be"},
		"weight above one":           {"SELECTED", "CANDIDATE", lead, func(a attempt) { a.s.Evidence.Cells[0].Weight = 1.1 }, "cannot be"},
		"a negative rank":            {"SELECTED", "CANDIDATE", lead, func(a attempt) { a.s.Evidence.Cells[0].Rank = -1 }, "cannot be"},
		"a raw rate of other counts": {"SELECTED", "CANDIDATE", lead, func(a attempt) { a.s.Evidence.Cells[0].Issues = 8 }, "does not add up"},
		"a rate shrunk otherwise":    {"SELECTED", "CANDIDATE", lead, func(a attempt) { a.s.Evidence.Cells[0].Rate = 6.1 }, "does not add up"},
		"nothing to compare with":    {"SELECTED", "CANDIDATE", lead, func(a attempt) { a.s.ComparisonIDs = nil }, "regions to compare with"},
		"too many to compare with":   {"SELECTED", "CANDIDATE", lead, func(a attempt) { a.s.ComparisonIDs = make([]uuid.UUID, 501) }, "too many"},
		"compared twice":             {"SELECTED", "CANDIDATE", lead, func(a attempt) { a.s.ComparisonIDs = []uuid.UUID{farCell, farCell} }, "given twice"},
		"compared with itself":       {"SELECTED", "CANDIDATE", lead, func(a attempt) { a.f.Overlapping = []uuid.UUID{ownCell} }, "overlaps"},
		"no criterion":               {"SELECTED", "CANDIDATE", lead, func(a attempt) { a.s.Criteria = nil }, "1 to 10 exit criteria"},
		"eleven criteria":            {"SELECTED", "CANDIDATE", lead, func(a attempt) { a.s.Criteria = slices.Repeat(a.s.Criteria, 11) }, "1 to 10 exit criteria"},
		"no such measure":            {"SELECTED", "CANDIDATE", lead, func(a attempt) { a.s.Criteria[0].Measure = "rate" }, "no code such as H1"},
		"no direction":               {"SELECTED", "CANDIDATE", lead, func(a attempt) { a.s.Criteria[0].Direction = "DOWN" }, "give one of AT_MOST, AT_LEAST"},
		"no window":                  {"SELECTED", "CANDIDATE", lead, func(a attempt) { a.s.Criteria[0].WindowDays = 0 }, "window of 0 days"},
		"a window of years":          {"SELECTED", "CANDIDATE", lead, func(a attempt) { a.s.Criteria[0].WindowDays = 367 }, "window of 367 days"},
		"no first day":               {"SELECTED", "CANDIDATE", lead, func(a attempt) { a.s.PeriodFrom = time.Time{} }, "on which day the campaign begins"},
		"begun long ago":             {"SELECTED", "CANDIDATE", lead, func(a attempt) { a.s.PeriodFrom = noon.AddDate(0, 0, -1) }, "before the campaign begins"},
		"no last day":                {"SELECTED", "CANDIDATE", lead, func(a attempt) { a.s.PeriodTo = a.s.PeriodFrom }, "ends after it begins"},
		"declined without a reason":  {"DECLINED", "CANDIDATE", lead, func(a attempt) { a.s.Reason = "" }, "needs a reason"},
		"no task":                    {"STARTED", "SELECTED", lead, func(a attempt) { a.f.OpenTasks = 0 }, "at least one open task"},
		"no issue joins":             {"ISSUES_JOINED", "ACTIVE", lead, func(a attempt) { a.s.IssueIDs = nil }, "1 to 100 issues"},
		"too many issues join":       {"ISSUES_JOINED", "ACTIVE", lead, func(a attempt) { a.s.IssueIDs = make([]uuid.UUID, 101) }, "1 to 100 issues"},
		"an issue joins twice":       {"ISSUES_JOINED", "ACTIVE", lead, func(a attempt) { a.s.IssueIDs = []uuid.UUID{ownCell, ownCell} }, "given twice"},
		"a stranger joins":           {"ISSUES_JOINED", "ACTIVE", lead, func(a attempt) { a.f.Strangers = []uuid.UUID{farCell} }, "cannot join"},
		"no issue leaves":            {"ISSUES_LEFT", "ACTIVE", lead, func(a attempt) { a.s.IssueIDs = nil }, "1 to 100 issues"},
		"a stranger leaves":          {"ISSUES_LEFT", "ACTIVE", lead, func(a attempt) { a.f.Strangers = []uuid.UUID{farCell} }, "not part of this campaign"},
		"left without a reason":      {"ISSUES_LEFT", "ACTIVE", lead, func(a attempt) { a.s.Reason = "" }, "needs a reason"},
		"an open task":               {"REVIEW_OPENED", "ACTIVE", lead, func(a attempt) { a.f.OpenTasks = 1 }, "1 tasks are open"},
		"nothing done":               {"REVIEW_OPENED", "ACTIVE", lead, func(a attempt) { a.f.DoneTasks = 0 }, "no effect to review"},
		"too early":                  {"REVIEW_OPENED", "ACTIVE", lead, func(a attempt) { a.f.LastDone = new(a.f.LastDone.Add(time.Second)) }, "90 days after the last task"},
		"judged by nobody's unit":    {"EXITED", "REVIEW", supervisor, func(a attempt) { a.s.Actor.UnitID = nil }, "judged by a unit other"},
		"judged from inside":         {"EXITED", "REVIEW", supervisor, func(a attempt) { a.f.Outside = false }, "judged by a unit other"},
		"extended from inside":       {"EXTENDED", "REVIEW", supervisor, func(a attempt) { a.f.Outside = false }, "judged by a unit other"},
		"failed from inside":         {"FAILED", "REVIEW", supervisor, func(a attempt) { a.f.Outside = false }, "judged by a unit other"},
		"given up from inside":       {"FAILED", "ACTIVE", supervisor, func(a attempt) { a.f.Outside = false }, "judged by a unit other"},
		"not measured":               {"EXITED", "REVIEW", supervisor, func(a attempt) { a.s.Results = nil }, "0 results for 1 exit criteria"},
		"extended unmeasured":        {"EXTENDED", "REVIEW", supervisor, func(a attempt) { a.s.Results = nil }, "0 results for 1 exit criteria"},
		"failed unmeasured":          {"FAILED", "REVIEW", supervisor, func(a attempt) { a.s.Results = nil }, "0 results for 1 exit criteria"},
		"another criterion measured": {"EXITED", "REVIEW", supervisor, func(a attempt) { a.s.Results[0].N = 2 }, "criterion 1 (H1) has no result"},
		"negative cases":             {"EXITED", "REVIEW", supervisor, func(a attempt) { a.s.Results[0].Cases = -1 }, "cannot be negative"},
		"half an interval":           {"EXITED", "REVIEW", supervisor, func(a attempt) { a.s.Results[0].CILow = nil }, "both ends"},
		"below its interval":         {"EXITED", "REVIEW", supervisor, func(a attempt) { a.s.Results[0].CILow = new(2.1) }, "outside its interval"},
		"above its interval":         {"EXITED", "REVIEW", supervisor, func(a attempt) { a.s.Results[0].CIHigh = new(1.9) }, "outside its interval"},
		"measured in the future":     {"EXITED", "REVIEW", supervisor, func(a attempt) { a.s.Results[0].AsOf = noon.Add(time.Second) }, "lies after the decision"},
		"measured over the tasks":    {"EXITED", "REVIEW", supervisor, func(a attempt) { a.s.Results[0].AsOf = noon.Add(-time.Second) }, "before the last task was done"},
		"not met":                    {"EXITED", "REVIEW", supervisor, func(a attempt) { a.s.Results[0].Value = 2.1 }, "criterion 1 is not met"},
		"extended without a reason":  {"EXTENDED", "REVIEW", supervisor, func(a attempt) { a.s.Reason = "" }, "needs a reason"},
		"extended to an earlier end": {"EXTENDED", "REVIEW", supervisor, func(a attempt) { a.s.PeriodTo = noon }, "ends later"},
		"failed without a reason":    {"FAILED", "REVIEW", supervisor, func(a attempt) { a.s.Reason = "" }, "needs a reason"},
		"given up without a reason":  {"FAILED", "SELECTED", supervisor, func(a attempt) { a.s.Reason = "" }, "needs a reason"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			campaign, s, f := campaignAttempt(c.kind, c.from, c.role)
			_, _, err := campaign.Plan(s, f)
			require.NoError(t, err, "before it is spoilt")
			c.spoil(attempt{&campaign, &s, &f})
			_, _, err = campaign.Plan(s, f)
			require.ErrorContains(t, err, c.says)
		})
	}
}

func TestACriterionIsMetAtItsThreshold(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		direction groundwork.Direction
		value     float64
		met       bool
	}{{groundwork.AtMost, 2, true}, {groundwork.AtMost, 2.01, false}, {groundwork.AtLeast, 2, true}, {groundwork.AtLeast, 1.99, false}} {
		require.Equal(t, c.met, groundwork.ExitCriterion{Direction: c.direction, Threshold: 2}.Met(c.value), "%s %g", c.direction, c.value)
	}
}

func TestEvidenceIsSealed(t *testing.T) {
	t.Parallel()
	_, s, _ := campaignAttempt("SELECTED", "CANDIDATE", groundwork.RoleCampaignLead)
	_, hash, err := s.Evidence.Seal()
	require.NoError(t, err)
	s.Evidence.Cells[0].Rate += 1e-9
	_, other, err := s.Evidence.Seal()
	require.NoError(t, err)
	require.NotEqual(t, hash, other)
	require.InDelta(t, 3, s.Evidence.Cells[0].ExpectedFall(), 1e-9, "half of the distance from 9 to 3")
}

func TestNominations(t *testing.T) {
	t.Parallel()
	sound := func() groundwork.Nomination {
		return groundwork.Nomination{Topic: "Potholes", Origin: groundwork.FromScan, SelectionRule: "first ten", LeadUnitID: someUnit, RegionIDs: []uuid.UUID{ownCell}}
	}
	require.NoError(t, sound().Validate())
	for says, spoil := range map[string]func(n *groundwork.Nomination){
		"needs a topic":       func(n *groundwork.Nomination) { n.Topic = " " },
		`origin "H1"`:         func(n *groundwork.Nomination) { n.Origin = "H1" },
		"by which rule":       func(n *groundwork.Nomination) { n.SelectionRule = "" },
		"at least one region": func(n *groundwork.Nomination) { n.RegionIDs = nil },
		"too many":            func(n *groundwork.Nomination) { n.RegionIDs = make([]uuid.UUID, 501) },
		"given twice":         func(n *groundwork.Nomination) { n.RegionIDs = []uuid.UUID{ownCell, ownCell} },
	} {
		n := sound()
		spoil(&n)
		require.ErrorContains(t, n.Validate(), says)
	}
}

// What lies exactly at a limit is allowed.
func TestLimitsOfACampaignAreAllowed(t *testing.T) {
	t.Parallel()
	many := func(n int) []uuid.UUID {
		ids := make([]uuid.UUID, n)
		for i := range ids {
			ids[i] = uuid.New()
		}
		return ids
	}
	n := groundwork.Nomination{Topic: "Potholes", Origin: groundwork.FromScan, SelectionRule: "x", RegionIDs: many(500)}
	require.NoError(t, n.Validate())
	for name, c := range map[string]struct {
		kind, from string
		role       groundwork.Role
		change     func(s *groundwork.CampaignStep, f *groundwork.CampaignFacts)
	}{
		"nothing counted": {"SELECTED", "CANDIDATE", groundwork.RoleCampaignLead, func(s *groundwork.CampaignStep, _ *groundwork.CampaignFacts) {
			s.Evidence.Cells[0] = groundwork.HotspotCell{RegionID: ownCell}
		}},
		"all weight": {"SELECTED", "CANDIDATE", groundwork.RoleCampaignLead, func(s *groundwork.CampaignStep, _ *groundwork.CampaignFacts) {
			s.Evidence.Cells[0].Weight, s.Evidence.Cells[0].Rate = 1, 9.05 // within rounding
		}},
		"a window of a day and one of a leap year, ten criteria": {"SELECTED", "CANDIDATE", groundwork.RoleCampaignLead, func(s *groundwork.CampaignStep, _ *groundwork.CampaignFacts) {
			s.Criteria = slices.Repeat(s.Criteria, 10)
			s.Criteria[0].WindowDays, s.Criteria[1].WindowDays = 1, 366
		}},
		"five hundred to compare with": {"SELECTED", "CANDIDATE", groundwork.RoleCampaignLead, func(s *groundwork.CampaignStep, _ *groundwork.CampaignFacts) {
			s.ComparisonIDs = many(500)
		}},
		"a hundred issues": {"ISSUES_JOINED", "ACTIVE", groundwork.RoleDispatcher, func(s *groundwork.CampaignStep, _ *groundwork.CampaignFacts) {
			s.IssueIDs = many(100)
		}},
		"no case, no width": {"EXITED", "REVIEW", groundwork.RoleSupervisor, func(s *groundwork.CampaignStep, _ *groundwork.CampaignFacts) {
			s.Results[0].Cases, s.Results[0].CILow, s.Results[0].CIHigh = 0, new(2.0), new(2.0)
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			campaign, s, f := campaignAttempt(c.kind, c.from, c.role)
			c.change(&s, &f)
			_, _, err := campaign.Plan(s, f)
			require.NoError(t, err)
		})
	}
}

// What a step leaves behind.
func TestACampaignAfterItsSteps(t *testing.T) {
	t.Parallel()
	after := func(kind, from string, role groundwork.Role) (groundwork.Campaign, groundwork.Campaign, groundwork.CampaignStep) {
		c, s, f := campaignAttempt(kind, from, role)
		s, move, err := c.Plan(s, f)
		require.NoError(t, err)
		return c, c.After(s, move), s
	}
	before, c, s := after("SELECTED", "CANDIDATE", groundwork.RoleCampaignLead)
	require.Equal(t, groundwork.CampaignSelected, c.State)
	require.Equal(t, before.Version+1, c.Version)
	require.Equal(t, []any{&noon, &s.Evidence, &s.PeriodFrom, &s.PeriodTo}, []any{c.SelectedAt, c.Evidence, c.PeriodFrom, c.PeriodTo})
	_, c, _ = after("STARTED", "SELECTED", groundwork.RoleCampaignLead)
	require.Equal(t, &noon, c.StartedAt)
	_, c, _ = after("ISSUES_JOINED", "EXTENDED", groundwork.RoleCampaignLead)
	require.Equal(t, groundwork.CampaignExtended, c.State, "it stays")
	_, c, _ = after("REVIEW_OPENED", "ACTIVE", groundwork.RoleSystem)
	require.Equal(t, 1, c.Reviews)
	require.Equal(t, &noon, c.ReviewAt)
	_, c, s = after("EXTENDED", "REVIEW", groundwork.RoleSupervisor)
	require.Equal(t, []any{&noon, &s.PeriodTo, &someUnit}, []any{c.ExtendedAt, c.PeriodTo, c.ReviewerUnitID})
	require.Nil(t, c.EndedAt)
	_, c, _ = after("EXITED", "REVIEW", groundwork.RoleSupervisor)
	require.Equal(t, []any{&noon, &someUnit}, []any{c.EndedAt, c.ReviewerUnitID})
	_, c, _ = after("FAILED", "ACTIVE", groundwork.RoleSupervisor)
	require.Equal(t, []any{&noon, &someUnit}, []any{c.EndedAt, c.ReviewerUnitID})
	_, c, _ = after("DECLINED", "CANDIDATE", groundwork.RoleCampaignLead)
	require.Equal(t, &noon, c.EndedAt)
	require.Nil(t, c.ReviewerUnitID)

	task := func(kind, from string, role groundwork.Role) groundwork.CampaignTask {
		before, s, f := taskAttempt(kind, from, role)
		before.DoneAt = new(noon)
		s, move, err := before.Plan(s, f)
		require.NoError(t, err)
		return before.After(s, move)
	}
	done := task("COMPLETED", "OPEN", groundwork.RoleHandler)
	require.Equal(t, []any{groundwork.TaskDone, 3, &noon, []string{"photo-1"}}, []any{done.State, done.Version, done.DoneAt, done.Evidence})
	require.Nil(t, task("REOPENED", "DONE", groundwork.RoleSupervisor).DoneAt)
	overdue := task("OVERDUE", "OPEN", groundwork.RoleSystem)
	require.Equal(t, []any{groundwork.TaskOpen, &noon}, []any{overdue.State, overdue.OverdueAt})
}
