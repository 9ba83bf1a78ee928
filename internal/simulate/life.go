package simulate

import (
	"fmt"
	"time"

	"github.com/google/uuid"

	"groundwork"
)

// life lives an issue from its registration to its end or to the present. Each step is planned by the rules of the domain, so
// nothing happens here that could not have been done through the API.
type life struct {
	s     *Simulation
	c     chance
	d     *draft
	topic *topic
	place *county
	unit  int // in charge
	out   *groundwork.Bulk

	issue  groundwork.Issue
	facts  groundwork.Facts
	actors *actors
	claims int
	ended  bool // its life is over, or has reached the present
	err    error
	due    time.Time
	repeat time.Time // when somebody raises the same again
	give   time.Time // when the reporter gives up, zero = never
	urged  bool      // and was urged to
	began  int       // index of the first event
}

// live appends the issue of a draft and all that belongs to it.
func (s *Simulation) live(d *draft, out *groundwork.Bulk) error {
	if d.registered.After(s.cfg.To) {
		d.registered = s.cfg.To
	}
	at := &s.world.counties[s.world.committees[d.committee].county]
	l := &life{s: s, c: chanceOf(s.cfg.Seed, streamLife, uint64(d.number)), d: d, topic: &topics[d.topic], place: at,
		unit: at.departments[topics[d.topic].department], out: out, actors: s.actorsOf(s.world.committees[d.committee].county)}
	l.facts.Calendar, l.began = s.world.Calendar, len(out.Events)
	l.register()
	l.course()
	l.passing(s.cfg.To)
	if l.err != nil {
		return fmt.Errorf("simulated issue %d: %w", d.number, l.err)
	}
	l.issue.UpdatedAt = l.facts.History[len(l.facts.History)-1].KnownAt
	out.Issues = append(out.Issues, groundwork.BulkIssue{Number: d.number, Issue: l.issue, Next: l.issue.NextDue(l.facts.Calendar, l.facts.History)})
	return nil
}

func (l *life) register() {
	d, s := l.d, l.s
	v := &s.world.committees[d.committee]
	region := &s.world.Regions[v.region]
	opinion := groundwork.Opinion{
		ID: d.opinion, Source: Source, Channel: d.channel, Kind: d.kind, ReceivedAt: d.received, ReceivedPrecision: groundwork.ToTheSecond,
		ReporterPID: &d.reporter, Subject: d.words.subject, Text: d.words.text, RegionID: &region.ID, SiteID: s.site(d),
		Latitude: new(*region.Latitude + 0.004*(l.c.Float64()-0.5)), Longitude: new(*region.Longitude + 0.004*(l.c.Float64()-0.5)),
		Confidentiality: d.confidentiality, Supported: int(l.c.ExpFloat64() * 2), CreatedAt: d.at,
	}
	by := l.actors.intake
	if d.visit != nil {
		opinion.VisitID = &d.visit.ID
		by = groundwork.Actor{ID: "sim-leader", Role: groundwork.RoleLeader}
	}
	r := groundwork.Registration{Actor: by, OpinionIDs: []uuid.UUID{d.opinion}, CategoryID: &s.world.topics[d.topic].category,
		Severity: d.severity, Difficulty: d.difficulty}
	issue, event, err := groundwork.PlanRegistration(r, d.id, groundwork.Opening{Opinions: []groundwork.Opinion{opinion}, At: d.registered, Now: d.registered, Calendar: s.world.Calendar,
		Target: s.world.target(d.topic, d.severity)})
	if err != nil {
		l.err, l.ended = err, true
		return
	}
	l.issue, l.due = *issue, *issue.DueAt
	l.facts.Promised = s.world.target(d.topic, d.severity)
	l.issue.CreatedAt = event.KnownAt
	l.facts.Reporters = append(l.facts.Reporters, d.reporter)
	l.out.Opinions = append(l.out.Opinions, opinion)
	l.link(d.opinion, event.At, by.ID)
	l.keep(event)
	l.foresee()
}

// foresee draws what happens to the issue besides what units do: others who raise the same, and reporters who give up.
func (l *life) foresee() {
	l.repeat = l.nextRepeat(l.d.at)
	h := l.s.world.units[l.unit].habits
	if l.urged = l.c.happens(h.pressure); l.urged || l.c.happens(0.015) {
		l.give = l.d.registered.Add(l.c.wait(6*24*time.Hour, 0.8)).Truncate(time.Microsecond)
	}
}

func (l *life) keep(e groundwork.Event) {
	e.RecordedAt = e.KnownAt
	l.issue.Progress = e.Progress
	l.out.Events = append(l.out.Events, e)
	l.facts.History = l.out.Events[l.began:]
}

func (l *life) link(opinion uuid.UUID, at time.Time, by string) {
	l.out.Links = append(l.out.Links, groundwork.BulkLink{IssueID: l.d.id, OpinionID: opinion, At: at, By: by})
}

// now is the time of the last event.
func (l *life) now() time.Time { return l.facts.History[len(l.facts.History)-1].At }

// take takes a step at a time, unless the life is over by then; what happens by itself before it happens first.
func (l *life) take(at time.Time, step groundwork.Step) bool {
	if l.ended {
		return false
	}
	at = groundwork.Moment(at)
	if at.Before(l.now()) {
		at = l.now()
	}
	if !l.give.IsZero() && at.After(l.give) && l.givesUp() {
		return false
	}
	if at.After(l.s.cfg.To) {
		l.ended = true
		return false
	}
	l.passing(at)
	if at.Before(l.now()) {
		at = l.now()
	}
	return l.plan(at, step)
}

func (l *life) plan(at time.Time, step groundwork.Step) bool {
	step.IssueID, step.At = l.d.id, at
	l.facts.Now = at
	event, err := l.issue.Plan(step, l.facts)
	if err != nil {
		l.err, l.ended = err, true
		return false
	}
	l.keep(event)
	return true
}

// givesUp withdraws the issue if nothing was claimed yet.
func (l *life) givesUp() bool {
	at := l.give
	l.give = time.Time{}
	if l.issue.ClaimedAt != nil || at.After(l.s.cfg.To) || at.Before(l.now()) {
		return false
	}
	pressured := "NO"
	if l.urged {
		pressured = "YES"
	}
	l.passing(at)
	l.plan(at, groundwork.Step{Kind: groundwork.EventWithdrawn, Actor: l.citizen(), Reason: "不再要求处理", Pressured: pressured})
	l.ended = true
	return true
}

func (l *life) citizen() groundwork.Actor {
	l.facts.ActorPID = &l.d.reporter
	return groundwork.Actor{ID: "sim-citizen", Role: groundwork.RoleCitizen}
}

// passing lets happen what happens by itself up to a moment: others raise the same, and time that is due escalates.
func (l *life) passing(until time.Time) {
	for l.err == nil && l.issue.State.Open() {
		alarm := l.nextAlarm()
		switch {
		case !l.repeat.IsZero() && !l.repeat.After(until) && (alarm == nil || l.repeat.Before(alarm.At)):
			l.raisedAgain()
		case alarm != nil && !alarm.At.After(until):
			l.plan(alarm.At, alarm.Step(&l.issue))
		default:
			return
		}
	}
}

// repeatDays is for how long after its origin a matter is raised again.
const repeatDays = 30

func (l *life) nextRepeat(after time.Time) time.Time {
	rate := l.topic.repeats * l.s.world.committees[l.d.committee].report
	next := after.Add(time.Duration(l.c.ExpFloat64() / rate * float64(24*time.Hour))).Truncate(time.Microsecond)
	if next.Sub(l.d.at) > repeatDays*24*time.Hour {
		return time.Time{}
	}
	return next
}

func (l *life) raisedAgain() {
	at := l.repeat
	l.repeat = l.nextRepeat(at)
	if l.issue.ClaimedAt != nil {
		l.repeat = time.Time{} // what is said to be done is not raised again as the same
		return
	}
	if at.Before(l.now()) {
		return
	}
	v := &l.s.world.committees[l.d.committee]
	said := l.d.words.again(l.c)
	o := l.out.Opinions[l.firstOpinion()]
	o.ID, o.ReceivedAt, o.CreatedAt, o.Subject, o.Text, o.VisitID = l.c.id(at), at, at, said.subject, said.text, nil
	o.Channel, o.ReporterPID = channels[weighted(l.c, channelOdds)], new(l.s.reporter(l.c, v))
	l.facts.Opinion = &o
	if l.plan(at, groundwork.Step{Kind: groundwork.EventLinked, Actor: l.actors.intake, OpinionID: &o.ID}) {
		l.out.Opinions = append(l.out.Opinions, o)
		l.facts.Reporters = append(l.facts.Reporters, *o.ReporterPID)
		l.link(o.ID, at, l.actors.intake.ID)
	}
}

// firstOpinion is the index of the opinion that opened the issue: as many before the end as the issue has.
func (l *life) firstOpinion() int { return len(l.out.Opinions) - l.issue.OpinionCount }

// nextAlarm is the escalation that time brings next, nil if something else comes before it.
func (l *life) nextAlarm() *groundwork.Due {
	due := l.issue.NextDue(l.facts.Calendar, l.facts.History)
	if due == nil || due.Kind != groundwork.DueEscalation {
		return nil
	}
	if due.At.Before(l.now()) {
		due.At = l.now()
	}
	return due
}
