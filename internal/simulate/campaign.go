package simulate

import (
	"cmp"
	"fmt"
	"math"
	"runtime"
	"slices"
	"time"

	"github.com/google/uuid"
	"golang.org/x/sync/errgroup"

	"groundwork"
	"groundwork/warehouse/stats"
)

// campaign is a concentrated effort on a topic in the counties whose shrunk rate was the highest in the year before it was selected. From the day on which it
// begins the topic is raised less often there.
type campaign struct {
	title             string
	topic             int
	tasks             []string
	step              float64 // logarithm of the factor
	selected          int     // day; it begins prepares days later
	evidence          groundwork.HotspotEvidence
	treated, compared []int // counties
}

// prepares is how many days lie between the selection of a campaign and its begin, judges how many between the earliest review and the judgement.
const prepares, judges = 14, 7

// campaignWindow is over how many days the outcome of a campaign is looked at.
const campaignWindow = 60

// h1Version is the version of the measure H1 in which the evidence of campaigns is given.
const h1Version = 1

// campaigned are the topics of campaigns: hot spots of others alone are planted, so that the effects do not mix.
var campaigned = []int{topicIndex("SIM-WASTE"), topicIndex("SIM-NOISE")}

// mostForCampaigns is how many issues a province with campaigns has at most: those of a year are looked at before any part can be made.
const mostForCampaigns = 20_000_000

// planCampaigns plans one campaign that is over and one that goes on at the present, each on the issues that were raised before it.
func (s *Simulation) planCampaigns() error {
	if s.cfg.Issues > mostForCampaigns {
		return nil
	}
	for _, c := range []campaign{
		{title: "垃圾清运集中治理", topic: campaigned[0], step: math.Log(0.5), selected: s.cfg.days() / 3,
			tasks: []string{"摸清垃圾堆积点位", "增加清运频次并公示", "建立日常保洁机制"}},
		{title: "施工噪音集中治理", topic: campaigned[1], step: math.Log(0.75), selected: s.cfg.days() - 75,
			tasks: []string{"核查夜间施工许可", "夜间联合巡查", "重点工地安装噪声监测"}},
	} {
		if err := s.choose(&c); err != nil {
			return fmt.Errorf("simulated campaign %s: %w", c.title, err)
		}
		s.campaigns = append(s.campaigns, c)
	}
	return nil
}

// choose looks at the rates of all counties as they were known, and takes the highest third of them; the next as many are those to compare with.
func (s *Simulation) choose(c *campaign) error {
	to := s.midnightOf(c.selected)
	from := later(s.cfg.From, to.AddDate(-1, 0, 0))
	e := groundwork.HotspotEvidence{DefinitionVersion: h1Version, From: from, To: to, AsOf: s.world.opened(to.Add(opens + hour))}
	issues, err := s.raised(c.topic, from, to, e.AsOf)
	if err != nil {
		return err
	}
	areas := make([]stats.Area, len(issues))
	order := make([]int, len(issues))
	for n := range areas {
		areas[n], order[n] = stats.Area{Issues: float64(issues[n]), PersonYears: s.world.personYears(n, from, to)}, n
	}
	rates, err := stats.Shrink(areas)
	if err != nil {
		return err
	}
	slices.SortStableFunc(order, func(a, b int) int {
		return cmp.Or(cmp.Compare(rates.Areas[b].Value, rates.Areas[a].Value), cmp.Compare(rates.Areas[b].Raw, rates.Areas[a].Raw))
	})
	for rank, n := range order {
		at, cell := rates.Areas[n], groundwork.HotspotCell{RegionID: s.world.countyRegion(n).ID, CategoryID: &s.world.topics[c.topic].category}
		cell.Issues, cell.PersonYears, cell.RawRate, cell.Rate, cell.Weight, cell.CommonRate = issues[n], at.PersonYears, perPersons*at.Raw, perPersons*at.Value, at.Weight, perPersons*rates.Mu
		if !rates.NoSignal {
			cell.Rank = rank + 1
		}
		e.Cells = append(e.Cells, cell)
	}
	third := max(2, len(order)/3)
	c.evidence, c.treated, c.compared = e, slices.Sorted(slices.Values(order[:third])), slices.Sorted(slices.Values(order[third:2*third]))
	return nil
}

// perPersons is the number of person-years that rates are given for.
const perPersons = 1000

// raised counts the issues on a topic that originated in [from, to), by county, as H1 counts them: as they were known at a moment, without those that were merged by then.
func (s *Simulation) raised(topic int, from, to, asOf time.Time) ([]int, error) {
	first, last := s.season.number(s.world.day(from)), s.season.number(s.world.day(asOf)+1)
	counts := make([][]int, runtime.NumCPU())
	var group errgroup.Group
	for part := range counts {
		counts[part] = make([]int, len(s.world.counties))
		group.Go(func() error {
			for n := first + int64(part); n < last; n += int64(len(counts)) {
				if !s.mayBeOn(n, topic) {
					continue
				}
				d := s.draft(n)
				if d.topic != topic || d.received.Before(from) || !d.received.Before(to) || d.registered.After(asOf) {
					continue
				}
				merged, err := s.mergedBy(&d, asOf)
				if err != nil {
					return err
				}
				if !merged {
					counts[part][s.world.committees[d.committee].county]++
				}
			}
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	for _, more := range counts[1:] {
		for n := range more {
			counts[0][n] += more[n]
		}
	}
	return counts[0], nil
}

// mergedBy reports whether an issue was merged by a moment, which happens to those alone that repeat another.
func (s *Simulation) mergedBy(d *draft, at time.Time) (bool, error) {
	if d.twin < 0 {
		return false, nil
	}
	issue, err := s.stood(d, at)
	return issue != nil && issue.State == groundwork.Merged, err
}

// personYears are those of a county between two midnights.
func (w *world) personYears(county int, from, to time.Time) float64 {
	persons := 0.0
	for _, t := range w.counties[county].townships {
		for _, v := range w.townships[t].committees {
			persons += w.committees[v].persons
		}
	}
	return persons * stats.Years(from, to)
}

func (w *world) countyRegion(n int) *groundwork.Region { return &w.Regions[w.counties[n].region] }

// averted reports whether an issue is one that a campaign averts.
func (s *Simulation) averted(c chance, committee, topic, day int) bool {
	for i := range s.campaigns {
		p := &s.campaigns[i]
		if p.topic == topic && day >= p.selected+prepares && slices.Contains(p.treated, s.world.committees[committee].county) {
			return c.happens(1 - math.Exp(p.step))
		}
	}
	return false
}

// campaignLife lives a campaign as the offices see it, by steps that the rules examine.
type campaignLife struct {
	s      *Simulation
	plan   *campaign
	c      chance
	lead   groundwork.Actor
	rows   groundwork.BulkCampaign
	now    groundwork.Campaign
	events []groundwork.EntityEvent
	err    error
}

// liveCampaign lives the n-th campaign up to the present: nominated by a leader, selected on the evidence, begun with its tasks and the issues that are open, and once
// all are done reviewed and judged by whether the rate came down.
func (s *Simulation) liveCampaign(n int) (*campaignLife, error) {
	p, w := &s.campaigns[n], s.world
	l := &campaignLife{s: s, plan: p, c: chanceOf(s.cfg.Seed, streamCampaign, 1<<62|uint64(n)),
		lead: groundwork.Actor{ID: "sim-campaign-lead", Role: groundwork.RoleCampaignLead, UnitID: &w.Units[w.lead].ID}}
	nominated := s.working(p.selected-10, l.c.span(opens, closes))
	l.now = groundwork.Campaign{ID: l.c.id(nominated), Topic: p.title, CategoryID: &w.topics[p.topic].category, Origin: groundwork.FromLeader, LeadUnitID: w.Units[w.lead].ID,
		SelectionRule: "前12个月收缩后诉求率最高的三分之一县（区），其后同样多的县（区）作对照", NominatedAt: nominated, CreatedAt: nominated}
	l.step(groundwork.Actor{ID: "sim-leader", Role: groundwork.RoleLeader}, nominated, groundwork.CampaignStep{Kind: groundwork.CampaignNominated}, groundwork.CampaignFacts{})
	l.choose()
	begins := s.working(p.selected+prepares, l.c.span(opens, opens+hour))
	done := l.work(begins)
	if !done.IsZero() {
		l.judge(done)
	}
	if l.err != nil {
		return nil, fmt.Errorf("simulated campaign %s: %w", p.title, l.err)
	}
	return l, nil
}

// working is the first moment of a day, and after, in which offices work.
func (s *Simulation) working(day int, since time.Duration) time.Time {
	return groundwork.Moment(s.world.opened(s.midnightOf(day).Add(since)).Truncate(time.Minute))
}

// step takes a step of the campaign, which the rules examine; the first makes it.
func (l *campaignLife) step(by groundwork.Actor, at time.Time, s groundwork.CampaignStep, f groundwork.CampaignFacts) {
	if l.err != nil || at.After(l.s.cfg.To) {
		return
	}
	s.CampaignID, s.Deed, f.Now = l.now.ID, groundwork.Deed{Actor: by, At: at, Reason: s.Reason}, at
	if len(l.events) > 0 {
		f.Last = l.events[len(l.events)-1].At
	}
	step, move, err := l.now.Plan(s, f)
	if err != nil {
		l.err = err
		return
	}
	from := l.now.State
	l.now = l.now.After(step, move)
	l.rows.Stood = append(l.rows.Stood, l.now)
	e := entityEvent("campaign", l.now.ID, l.now.Version, string(from), string(l.now.State), step.Kind, step.Deed)
	if len(s.IssueIDs) > 0 {
		e.Payload = map[string]any{"issues": s.IssueIDs}
	}
	l.events = append(l.events, e)
}

func (l *campaignLife) choose() {
	p, w := l.plan, l.s.world
	ids := func(counties []int, role groundwork.RegionRole) (all []uuid.UUID) {
		for _, n := range counties {
			all = append(all, w.countyRegion(n).ID)
			l.rows.Regions = append(l.rows.Regions, groundwork.CampaignRegion{CampaignID: l.now.ID, RegionID: all[len(all)-1], Role: role})
		}
		return all
	}
	treated := ids(p.treated, groundwork.TreatedRegion)
	l.rows.Criteria = []groundwork.ExitCriterion{{CampaignID: l.now.ID, N: 1, Measure: "H1", Direction: groundwork.AtMost, Threshold: p.threshold(treated), WindowDays: campaignWindow}}
	l.step(l.lead, p.evidence.AsOf, groundwork.CampaignStep{Kind: groundwork.CampaignStepSelected, Evidence: p.evidence, ComparisonIDs: ids(p.compared, groundwork.ComparisonRegion),
		Criteria: l.rows.Criteria, PeriodFrom: l.s.midnightOf(p.selected + prepares), PeriodTo: l.s.midnightOf(p.selected + prepares + 3*l.s.taskDays())}, groundwork.CampaignFacts{Treated: treated})
}

// threshold is 85 % of what the regions of a campaign would have without it, by the evidence.
func (p *campaign) threshold(treated []uuid.UUID) float64 {
	var rate, persons float64
	for _, c := range p.evidence.Cells {
		if slices.Contains(treated, c.RegionID) {
			rate, persons = rate+c.Rate*c.PersonYears, persons+c.PersonYears
		}
	}
	return math.Round(85*rate/persons) / 100
}

// taskDays is how long a task of a campaign takes.
func (s *Simulation) taskDays() int { return min(30, s.cfg.days()/24) }

// work begins the campaign and does its tasks, one after the other. It returns when the last was done, or zero where some are still open.
func (l *campaignLife) work(begins time.Time) (done time.Time) {
	w, days := l.s.world, l.s.taskDays()
	for n, title := range l.plan.tasks {
		owner := w.Units[w.counties[l.plan.treated[n%len(l.plan.treated)]].departments[topics[l.plan.topic].department]].ID
		due := l.s.midnightOf(l.plan.selected + prepares + (n+1)*days).Add(closes)
		at := begins.Add(-day + time.Duration(n)*time.Minute)
		l.task(groundwork.CampaignTask{ID: l.c.id(at), CampaignID: l.now.ID, Title: title, OwnerUnitID: &owner, DueAt: due, CreatedAt: at})
	}
	l.step(l.lead, begins, groundwork.CampaignStep{Kind: groundwork.CampaignStarted}, groundwork.CampaignFacts{OpenTasks: len(l.rows.Tasks)})
	l.gather(begins.Add(2 * hour))
	for n := range l.rows.Tasks {
		done = l.finish(&l.rows.Tasks[n], l.s.working(l.plan.selected+prepares+(n+1)*days-3, l.c.span(opens, closes)))
	}
	return done
}

// task adds a task.
func (l *campaignLife) task(t groundwork.CampaignTask) {
	l.taskStep(&t, l.lead, t.CreatedAt, groundwork.TaskStep{Kind: groundwork.TaskAdded}, groundwork.TaskFacts{})
	l.rows.Tasks = append(l.rows.Tasks, t)
}

// finish has a task done at a time, unless that lies beyond the present. It returns when it was done.
func (l *campaignLife) finish(t *groundwork.CampaignTask, at time.Time) time.Time {
	if at.After(l.s.cfg.To) {
		return time.Time{}
	}
	by := groundwork.Actor{ID: "sim-handler", Role: groundwork.RoleHandler, UnitID: t.OwnerUnitID}
	l.taskStep(t, by, at, groundwork.TaskStep{Kind: groundwork.TaskCompleted, Evidence: []string{"模拟台账：" + t.Title}}, groundwork.TaskFacts{Last: t.CreatedAt, Mine: true})
	return at
}

func (l *campaignLife) taskStep(t *groundwork.CampaignTask, by groundwork.Actor, at time.Time, s groundwork.TaskStep, f groundwork.TaskFacts) {
	if l.err != nil {
		return
	}
	s.TaskID, s.Deed, f.Now, f.Campaign = t.ID, groundwork.Deed{Actor: by, At: at}, at, l.now.State
	step, move, err := t.Plan(s, f)
	if err != nil {
		l.err = err
		return
	}
	from := t.State
	*t = t.After(step, move)
	l.events = append(l.events, entityEvent("campaign_task", t.ID, t.Version, string(from), string(t.State), step.Kind, step.Deed))
}

// gathered is how many issues join a campaign at most: those that have been open for the longest, of the last gatherDays.
const gathered, gatherDays = 100, 60

// gather has the issues join that are open at a time.
func (l *campaignLife) gather(at time.Time) {
	today := l.s.world.day(at)
	var joining []uuid.UUID
	for n := l.s.season.number(today - gatherDays); n < l.s.season.number(today) && len(joining) < gathered; n++ {
		if !l.s.mayBeOn(n, l.plan.topic) {
			continue
		}
		d := l.s.draft(n)
		if d.topic != l.plan.topic || !slices.Contains(l.plan.treated, l.s.world.committees[d.committee].county) {
			continue
		}
		issue, err := l.s.stood(&d, at)
		if err != nil {
			l.err = err
		}
		if err == nil && issue != nil && issue.State.Open() {
			joining = append(joining, issue.ID)
			l.rows.Issues = append(l.rows.Issues, groundwork.CampaignIssue{ID: l.c.id(at), CampaignID: l.now.ID, IssueID: issue.ID, JoinedAt: at})
		}
	}
	if len(joining) > 0 {
		l.step(l.lead, at, groundwork.CampaignStep{Kind: groundwork.CampaignJoined, IssueIDs: joining}, groundwork.CampaignFacts{})
	}
}

// judge reviews the campaign 90 days after its last task, and looks whether the rate of its regions came down.
func (l *campaignLife) judge(done time.Time) {
	p, w := l.plan, l.s.world
	facts := groundwork.CampaignFacts{DoneTasks: len(l.rows.Tasks), LastDone: &done, Criteria: l.rows.Criteria, Outside: true}
	reviewed := l.s.working(w.day(done.Add(groundwork.ReviewAfter))+1, opens)
	judged := l.s.working(w.day(reviewed)+judges, opens+hour)
	if judged.After(l.s.cfg.To) {
		return
	}
	l.step(l.lead, reviewed, groundwork.CampaignStep{Kind: groundwork.CampaignReviewOpened}, facts)
	to := startOfDay(judged)
	from := to.AddDate(0, 0, -campaignWindow)
	issues, err := l.s.raised(p.topic, from, to, judged)
	if err != nil {
		l.err = err
		return
	}
	cases, exposure := 0, 0.0
	for _, n := range p.treated {
		cases, exposure = cases+issues[n], exposure+w.personYears(n, from, to)
	}
	rate, err := stats.GarwoodRate(float64(cases), exposure)
	if err != nil {
		l.err = err
		return
	}
	result := groundwork.CriterionResult{CampaignID: l.now.ID, Review: l.now.Reviews, N: 1, Value: perPersons * rate.Value, CILow: new(perPersons * rate.Interval.Lo),
		CIHigh: new(perPersons * rate.Interval.Hi), Cases: cases, AsOf: to}
	verdict := groundwork.CampaignStep{Kind: groundwork.CampaignStepExited, Results: []groundwork.CriterionResult{result}}
	if !l.rows.Criteria[0].Met(result.Value) {
		verdict.Kind, verdict.Reason = groundwork.CampaignStepFailed, "出口指标未达到"
	}
	l.rows.Results = verdict.Results
	l.step(groundwork.Actor{ID: "sim-supervisor", Role: groundwork.RoleSupervisor, UnitID: &w.Units[w.reviewer].ID}, judged, verdict, facts)
	for i := range l.rows.Issues {
		l.rows.Issues[i].LeftAt = &judged
	}
}

// campaignPart has the campaigns, which gather issues of all other parts.
func (s *Simulation) campaignPart() (*groundwork.Bulk, error) {
	out := &groundwork.Bulk{}
	for n := range s.campaigns {
		l, err := s.liveCampaign(n)
		if err != nil {
			return nil, err
		}
		out.Campaigns, out.Histories = append(out.Campaigns, l.rows), append(out.Histories, l.events...)
	}
	return out, nil
}
