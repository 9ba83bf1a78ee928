package groundwork

import (
	"slices"
	"time"

	"github.com/google/uuid"
)

// Nomination puts a campaign forward.
type Nomination struct {
	Actor         Actor
	Topic         string
	CategoryID    *uuid.UUID
	Origin        CampaignOrigin
	SelectionRule string
	LeadUnitID    uuid.UUID
	RegionIDs     []uuid.UUID // in which it would act
}

// CampaignStep asks to move a campaign along its life; the group of fields that belongs to the step carries what its guards ask for.
type CampaignStep struct {
	Deed
	CampaignID uuid.UUID
	Kind       string

	Evidence      HotspotEvidence // SELECTED
	ComparisonIDs []uuid.UUID     // SELECTED: the regions that it will be compared with
	Criteria      []ExitCriterion // SELECTED
	PeriodFrom    time.Time       // SELECTED: day
	PeriodTo      time.Time       // SELECTED, EXTENDED: day after the last

	IssueIDs []uuid.UUID // ISSUES_JOINED, ISSUES_LEFT

	Results []CriterionResult // EXITED, EXTENDED, FAILED after a review
}

// CampaignFacts are what the guards need to know beyond the campaign, as the store has it.
type CampaignFacts struct {
	Now         time.Time
	Last        time.Time // the campaign's last event
	Treated     []uuid.UUID
	Overlapping []uuid.UUID     // SELECTED: comparison regions that lie in a treated one, or the other way round
	Criteria    []ExitCriterion // by N
	OpenTasks   int
	DoneTasks   int         // since it was started or extended
	LastDone    *time.Time  // of all tasks
	Outside     bool        // the actor's unit is neither the lead unit nor below it
	Strangers   []uuid.UUID // ISSUES_JOINED: issues that do not exist, are over, lie elsewhere or are part of a campaign; ISSUES_LEFT: that are not part of this one
}

// CampaignAttempt is a step of a campaign under examination.
type CampaignAttempt struct {
	Campaign *Campaign
	Step     CampaignStep
	Facts    CampaignFacts
}

// The steps of a campaign.
const (
	CampaignNominated    = "NOMINATED"
	CampaignStepSelected = "SELECTED"
	CampaignStepDeclined = "DECLINED"
	CampaignStarted      = "STARTED"
	CampaignJoined       = "ISSUES_JOINED"
	CampaignLeft         = "ISSUES_LEFT"
	CampaignReviewOpened = "REVIEW_OPENED"
	CampaignStepExited   = "EXITED"
	CampaignStepExtended = "EXTENDED"
	CampaignStepFailed   = "FAILED"
)

// ReviewAfter is how long after the last task of a campaign its effect may be judged.
const ReviewAfter = 90 * 24 * time.Hour

var running = []string{"ACTIVE", "EXTENDED"}

// CampaignLife is the life of a campaign.
var CampaignLife = Life[CampaignAttempt]{Noun: "campaign", Moves: []Move[CampaignAttempt]{
	{Kind: CampaignNominated, To: "CANDIDATE", Roles: []Role{RoleSystem, RoleLeader, RoleCampaignLead},
		Asks:   "topic, rule of selection, regions; a leader's own proposal comes from a leader",
		Guards: []func(CampaignAttempt) error{originFits}},
	{Kind: CampaignStepSelected, From: []string{"CANDIDATE"}, To: "SELECTED", Roles: []Role{RoleCampaignLead},
		Asks:   "evidence of every region, regions to compare with, exit criteria, a period that begins today or later",
		Effect: "all of them are frozen, the evidence under its hash",
		Guards: []func(CampaignAttempt) error{evidenced, comparedFairly, measurable, timely}},
	{Kind: CampaignStepDeclined, From: []string{"CANDIDATE"}, To: "DECLINED", Roles: []Role{RoleCampaignLead},
		Asks: "a reason", Effect: "stays on record: regions not selected are the natural comparison",
		Guards: []func(CampaignAttempt) error{campaignReasoned}},
	{Kind: CampaignStarted, From: []string{"SELECTED"}, To: "ACTIVE", Roles: []Role{RoleCampaignLead},
		Asks: "at least one open task", Guards: []func(CampaignAttempt) error{hasOpenTask}},
	{Kind: CampaignJoined, From: []string{"SELECTED", "ACTIVE", "EXTENDED"}, Roles: []Role{RoleCampaignLead, RoleDispatcher},
		Asks:   "open issues in the campaign's regions that are part of no campaign",
		Guards: []func(CampaignAttempt) error{namesIssues, issuesMayJoin}},
	{Kind: CampaignLeft, From: []string{"SELECTED", "ACTIVE", "EXTENDED", "REVIEW"}, Roles: []Role{RoleCampaignLead, RoleDispatcher},
		Asks: "issues of this campaign, a reason", Effect: "the time that they were part of it stays on record",
		Guards: []func(CampaignAttempt) error{namesIssues, issuesMayLeave, campaignReasoned}},
	{Kind: CampaignReviewOpened, From: running, To: "REVIEW", Roles: []Role{RoleCampaignLead, RoleSupervisor, RoleSystem},
		Asks:   "no open task, one done since it was started or extended, 90 days since the last was done",
		Guards: []func(CampaignAttempt) error{noOpenTask, restedLongEnough}},
	{Kind: CampaignStepExited, From: []string{"REVIEW"}, To: "EXITED", Roles: []Role{RoleSupervisor},
		Asks: "a unit outside the lead unit; each exit criterion measured after the last task, and met", Effect: "its issues are part of it no longer",
		Guards: []func(CampaignAttempt) error{judgedFromOutside, everyCriterionMeasured, everyCriterionMet}},
	{Kind: CampaignStepExtended, From: []string{"REVIEW"}, To: "EXTENDED", Roles: []Role{RoleSupervisor},
		Asks: "a unit outside the lead unit; each exit criterion measured; a reason and a later end", Effect: "new tasks, then another review",
		Guards: []func(CampaignAttempt) error{judgedFromOutside, everyCriterionMeasured, campaignReasoned, laterEnd}},
	{Kind: CampaignStepFailed, From: []string{"REVIEW"}, To: "FAILED", Roles: []Role{RoleSupervisor},
		Asks: "a unit outside the lead unit; each exit criterion measured; a reason", Effect: "its issues are part of it no longer",
		Guards: []func(CampaignAttempt) error{judgedFromOutside, everyCriterionMeasured, campaignReasoned}},
	{Kind: CampaignStepFailed, From: []string{"SELECTED", "ACTIVE", "EXTENDED"}, To: "FAILED", Roles: []Role{RoleSupervisor},
		Asks: "a unit outside the lead unit; a reason", Effect: "a campaign given up counts as failed; its issues are part of it no longer",
		Guards: []func(CampaignAttempt) error{judgedFromOutside, campaignReasoned}},
}}

// CampaignMachine shows the life of a campaign.
func CampaignMachine() Machine { return CampaignLife.Machine() }

// Plan examines a step of a campaign. It returns the step with its time, and the row of the life by which it goes.
func (c *Campaign) Plan(s CampaignStep, f CampaignFacts) (CampaignStep, Move[CampaignAttempt], error) {
	name := "campaign " + c.Topic
	deed, err := s.Settle(name, c.Version, f.Last, f.Now)
	if err != nil {
		return s, Move[CampaignAttempt]{}, err
	}
	s.Deed = deed
	move, err := CampaignLife.Take(CampaignAttempt{c, s, f}, s.Kind, string(c.State), s.Actor.Role, name)
	return s, move, err
}

func originFits(a CampaignAttempt) error {
	leader := a.Step.Actor.Role == RoleLeader
	return firstError(
		check(a.Campaign.Origin != FromLeader || leader, "origin", "only a leader proposes a campaign as LEADER; name the detector that found it"),
		check(a.Campaign.Origin == FromLeader || !leader, "origin", "a leader proposes a campaign as LEADER, not as %s", a.Campaign.Origin),
	)
}

func evidenced(a CampaignAttempt) error {
	e := a.Step.Evidence
	for _, region := range a.Facts.Treated {
		if !slices.ContainsFunc(e.Cells, func(c HotspotCell) bool { return c.RegionID == region }) {
			return Invalid("evidence.cells", "region %s has no row of evidence; give its row of hotspots (a region without issues or without a known population has none)", region)
		}
	}
	return firstError(
		check(e.DefinitionVersion > 0, "evidence.definitionVersion", "name the version of the definition of H1"),
		check(e.To.After(e.From), "evidence.to", "the window of the evidence ends after it begins"),
		check(!e.AsOf.IsZero() && !e.AsOf.After(a.Step.At), "evidence.asOf", "the evidence was seen before the selection, not after"),
		eachCell(e.Cells),
	)
}

func eachCell(cells []HotspotCell) error {
	for _, c := range cells {
		if c.Issues < 0 || c.PersonYears < 0 || c.RawRate < 0 || c.Rate < 0 || c.CommonRate < 0 || c.Weight < 0 || c.Weight > 1 || c.Rank < 0 {
			return Invalid("evidence.cells", "the row of region %s cannot be: counts and rates are not negative, the weight lies between 0 and 1, ranks begin with 1, or 0 for none", c.RegionID)
		}
		if !c.addsUp() {
			return Invalid("evidence.cells", "the row of region %s does not add up; give it as hotspots answered it", c.RegionID)
		}
	}
	return nil
}

func comparedFairly(a CampaignAttempt) error {
	s := a.Step
	if err := firstError(
		check(len(s.ComparisonIDs) > 0, "comparisonRegionIds", "name the regions to compare with: the next in rank that are not selected"),
		check(len(s.ComparisonIDs) <= maxCampaignRegions, "comparisonRegionIds", "%d regions are too many; give at most %d", len(s.ComparisonIDs), maxCampaignRegions),
		distinctIDs("comparisonRegionIds", "region", s.ComparisonIDs),
	); err != nil {
		return err
	}
	if len(a.Facts.Overlapping) > 0 {
		return Invalid("comparisonRegionIds", "region %s overlaps the campaign's own; compare with regions where it does not act", a.Facts.Overlapping[0])
	}
	return nil
}

func measurable(a CampaignAttempt) error {
	criteria := a.Step.Criteria
	if len(criteria) == 0 || len(criteria) > maxCriteria {
		return Invalid("exitCriteria", "give 1 to %d exit criteria", maxCriteria)
	}
	for _, c := range criteria {
		if err := c.Validate(); err != nil {
			return err
		}
	}
	return nil
}

// Validate examines an exit criterion.
func (c ExitCriterion) Validate() error {
	return firstError(
		check(measureCode.MatchString(c.Measure), "exitCriteria", "measure %q is no code such as H1", c.Measure),
		oneOf("exitCriteria", c.Direction, AtMost, AtLeast),
		check(c.WindowDays >= 1 && c.WindowDays <= 366, "exitCriteria", "a window of %d days cannot be; give 1 to 366", c.WindowDays),
	)
}

func timely(a CampaignAttempt) error {
	return firstError(
		check(!a.Step.PeriodFrom.IsZero(), "periodFrom", "say on which day the campaign begins"),
		check(a.Step.PeriodFrom.Format(time.DateOnly) >= DayOf(a.Step.At), "periodFrom",
			"%s is over: the evidence is frozen before the campaign begins; give %s or a later day", a.Step.PeriodFrom.Format(time.DateOnly), DayOf(a.Step.At)),
		check(a.Step.PeriodTo.After(a.Step.PeriodFrom), "periodTo", "%s: the campaign ends after it begins", a.Step.PeriodTo.Format(time.DateOnly)),
	)
}

func campaignReasoned(a CampaignAttempt) error {
	return a.Step.reasoned(a.Step.Kind + " of a campaign")
}

func hasOpenTask(a CampaignAttempt) error {
	if a.Facts.OpenTasks == 0 {
		return Errorf(CodeTransition, "a campaign starts with at least one open task; add one")
	}
	return nil
}

func namesIssues(a CampaignAttempt) error {
	ids := a.Step.IssueIDs
	return firstError(
		check(len(ids) > 0 && len(ids) <= maxJoining, "issueIds", "give 1 to %d issues", maxJoining),
		distinctIDs("issueIds", "issue", ids),
	)
}

func issuesMayJoin(a CampaignAttempt) error {
	if len(a.Facts.Strangers) > 0 {
		return Invalid("issueIds", "issue %s cannot join: it must exist, be open, lie in a region of the campaign and be part of no campaign", a.Facts.Strangers[0])
	}
	return nil
}

func issuesMayLeave(a CampaignAttempt) error {
	if len(a.Facts.Strangers) > 0 {
		return Invalid("issueIds", "issue %s is not part of this campaign", a.Facts.Strangers[0])
	}
	return nil
}

func noOpenTask(a CampaignAttempt) error {
	if a.Facts.OpenTasks > 0 {
		return Errorf(CodeTransition, "%d tasks are open; complete or drop them before the review", a.Facts.OpenTasks)
	}
	return nil
}

func restedLongEnough(a CampaignAttempt) error {
	if a.Facts.DoneTasks == 0 || a.Facts.LastDone == nil {
		return Errorf(CodeTransition, "no task was done since the campaign was started or extended: there is no effect to review")
	}
	if from := a.Facts.LastDone.Add(ReviewAfter); a.Step.At.Before(from) {
		return Errorf(CodeTransition, "the effect can be reviewed from %s, 90 days after the last task", from.Format(time.RFC3339))
	}
	return nil
}

func judgedFromOutside(a CampaignAttempt) error {
	if a.Step.Actor.UnitID == nil || !a.Facts.Outside {
		return Errorf(CodeForbidden, "a campaign is judged by a unit other than its lead unit and those below that")
	}
	return nil
}

func everyCriterionMeasured(a CampaignAttempt) error {
	if len(a.Step.Results) != len(a.Facts.Criteria) {
		return Invalid("results", "%d results for %d exit criteria; give one for each", len(a.Step.Results), len(a.Facts.Criteria))
	}
	for _, c := range a.Facts.Criteria {
		r := resultOf(a.Step.Results, c)
		if r == nil {
			return Invalid("results", "exit criterion %d (%s) has no result", c.N, c.Measure)
		}
		if err := examine(*r, c, a); err != nil {
			return err
		}
	}
	return nil
}

func resultOf(results []CriterionResult, c ExitCriterion) *CriterionResult {
	i := slices.IndexFunc(results, func(r CriterionResult) bool { return r.N == c.N })
	if i < 0 {
		return nil
	}
	return &results[i]
}

// examine asks that a result speaks of after the campaign: its window begins no earlier than the last task was done.
func examine(r CriterionResult, c ExitCriterion, a CampaignAttempt) error {
	begins := r.AsOf.AddDate(0, 0, -c.WindowDays)
	return firstError(
		check(r.Cases >= 0, "results", "exit criterion %d: the number of cases cannot be negative", c.N),
		check((r.CILow == nil) == (r.CIHigh == nil), "results", "exit criterion %d: both ends of the interval go together", c.N),
		check(r.CILow == nil || *r.CILow <= r.Value && r.Value <= *r.CIHigh, "results", "exit criterion %d: the value lies outside its interval", c.N),
		check(!r.AsOf.After(a.Step.At), "results", "exit criterion %d: as of %s lies after the decision", c.N, r.AsOf.Format(time.RFC3339)),
		check(a.Facts.LastDone == nil || !begins.Before(*a.Facts.LastDone), "results",
			"exit criterion %d: its window of %d days begins before the last task was done; measure later", c.N, c.WindowDays),
	)
}

func everyCriterionMet(a CampaignAttempt) error {
	for _, c := range a.Facts.Criteria {
		if r := resultOf(a.Step.Results, c); !c.Met(r.Value) {
			return Errorf(CodeTransition, "exit criterion %d is not met: %s is %g, not %s %g; extend the campaign or say that it failed", c.N, c.Measure, r.Value, c.Direction, c.Threshold)
		}
	}
	return nil
}

func laterEnd(a CampaignAttempt) error {
	end := a.Campaign.PeriodTo
	return check(end != nil && a.Step.PeriodTo.After(*end), "periodTo", "an extension ends later than the campaign did so far")
}

// After returns the campaign as it stands after a planned step.
func (c Campaign) After(s CampaignStep, m Move[CampaignAttempt]) Campaign {
	c.Version++
	if m.To != "" {
		c.State = CampaignState(m.To)
	}
	switch s.Kind {
	case CampaignStepSelected:
		c.SelectedAt, c.Evidence, c.PeriodFrom, c.PeriodTo = &s.At, &s.Evidence, &s.PeriodFrom, &s.PeriodTo
	case CampaignStarted:
		c.StartedAt = &s.At
	case CampaignReviewOpened:
		c.ReviewAt = &s.At
		c.Reviews++
	case CampaignStepExtended:
		c.ExtendedAt, c.PeriodTo, c.ReviewerUnitID = &s.At, &s.PeriodTo, s.Actor.UnitID
	case CampaignStepExited, CampaignStepFailed:
		c.EndedAt, c.ReviewerUnitID = &s.At, s.Actor.UnitID
	case CampaignStepDeclined:
		c.EndedAt = &s.At
	}
	return c
}
