package simulate

import (
	"math"
	"time"

	"github.com/google/uuid"

	"groundwork"
)

// draft is an issue as it comes in.
type draft struct {
	number           int64
	id, opinion      uuid.UUID
	at               time.Time // when it is raised, and the moment in its id
	received         time.Time // at that time, or on the visit before it
	registered       time.Time
	committee, topic int
	hot              int   // the hot spot that it belongs to, -1 = none
	twin             int64 // the issue on the same matter that nobody linked it with, -1 = none
	severity         groundwork.Severity
	difficulty       groundwork.Difficulty
	kind             groundwork.OpinionKind
	channel          groundwork.Channel
	visit            *visit
	words            words
	reporter         uuid.UUID
	confidentiality  string
	onSite           bool
}

var (
	severities    = []groundwork.Severity{groundwork.SeverityLow, groundwork.SeverityNormal, groundwork.SeverityHigh, groundwork.SeverityUrgent}
	severityOdds  = runningSums([]float64{15, 70, 12, 3})
	severityDelay = map[groundwork.Severity]float64{groundwork.SeverityLow: 1.2, groundwork.SeverityNormal: 1, groundwork.SeverityHigh: 0.7, groundwork.SeverityUrgent: 0.4}

	difficulties    = []groundwork.Difficulty{groundwork.Routine, groundwork.CrossUnit, groundwork.Legacy, groundwork.PolicyGap}
	difficultyOdds  = runningSums([]float64{80, 13, 4, 3})
	difficultyDelay = map[groundwork.Difficulty]float64{groundwork.Routine: 1, groundwork.CrossUnit: 1.6, groundwork.Legacy: 3.5, groundwork.PolicyGap: 2.5}

	channels = []groundwork.Channel{groundwork.ChannelHotline, groundwork.ChannelOnline, groundwork.ChannelApp, groundwork.ChannelMessageBoard,
		groundwork.ChannelReception, groundwork.ChannelLetter}
	channelOdds = runningSums([]float64{46, 22, 14, 9, 6, 3})

	kinds    = []groundwork.OpinionKind{groundwork.Complaint, groundwork.Help, groundwork.Report, groundwork.Suggestion}
	kindOdds = runningSums([]float64{50, 32, 12, 6})
)

const (
	twinShare  = 0.012 // of issues that repeat another nobody linked them with
	visitShare = 0.4   // of issues raised on a visit, where there was one lately
)

// draft makes issue n as it comes in. It is a function of n alone.
func (s *Simulation) draft(n int64) draft {
	d, twin := s.first(n)
	if !twin {
		return d
	}
	back := s.back(n)
	source, itself := s.first(n - back)
	if n < back || itself {
		return d
	}
	c := chanceOf(s.cfg.Seed, streamText, uint64(n))
	d.twin, d.hot = source.number, -1
	d.committee, d.topic, d.kind, d.severity, d.difficulty = source.committee, source.topic, source.kind, source.severity, source.difficulty
	d.words, d.onSite = source.words.again(c), source.onSite
	if d.visit != nil {
		d.visit, d.channel, d.received = nil, groundwork.ChannelOnline, d.at
	}
	return d
}

// twinReach is how many issues are raised in three days.
func (s *Simulation) twinReach() float64 {
	return max(1, 3*float64(s.cfg.Issues)/float64(s.cfg.days()))
}

// back is how many issues before the n-th the one lies that it repeats, if it repeats one.
func (s *Simulation) back(n int64) int64 {
	return 1 + int64(chanceOf(s.cfg.Seed, streamText, uint64(n)).Float64()*s.twinReach())
}

// mayBeOn reports whether issue n can be on a topic, by much less than a draft of it: its own, or that of the issue that it may repeat.
func (s *Simulation) mayBeOn(n int64, topic int) bool {
	if _, d := s.begin(n); d.topic == topic {
		return true
	}
	source := n - s.back(n)
	if source < 0 {
		return false
	}
	_, d := s.begin(source)
	return d.topic == topic
}

// begin draws when and where issue n is raised, and about what, and returns what else is drawn for it.
func (s *Simulation) begin(n int64) (c chance, d draft) {
	c = chanceOf(s.cfg.Seed, streamIssue, uint64(n))
	day, at := s.season.moment((float64(n) + c.Float64()) / float64(s.cfg.Issues))
	d = draft{number: n, at: at, received: at, id: c.id(at), opinion: c.id(at), twin: -1, confidentiality: "NAME_HIDDEN"}
	d.committee, d.topic, d.hot = s.season.place(c, day)
	for other := chanceOf(s.cfg.Seed, streamCampaign, uint64(n)); s.averted(other, d.committee, d.topic, day); {
		d.committee, d.topic, d.hot = s.season.place(other, day) // as many are raised in all
	}
	return c, d
}

// first makes issue n as if it were the first on its matter, and says whether it is not.
func (s *Simulation) first(n int64) (d draft, twin bool) {
	c, d := s.begin(n)
	at := d.at
	t, v := &topics[d.topic], &s.world.committees[d.committee]
	d.severity, d.difficulty = severities[weighted(c, severityOdds)], difficulties[weighted(c, difficultyOdds)]
	d.channel, d.kind = channels[weighted(c, channelOdds)], kinds[weighted(c, kindOdds)]
	if c.happens(t.inquiry) {
		d.kind = groundwork.Inquiry
	}
	d.onSite = c.happens(0.5)
	if visit := s.agenda.lately(v.township, at); visit != nil && c.happens(visitShare) {
		d.visit, d.channel = visit, groundwork.ChannelVisit
		d.received = visit.StartedAt.Add(c.span(0, visit.EndedAt.Sub(visit.StartedAt))).Truncate(time.Second)
	}
	d.registered = s.registered(c, d)
	if c.happens(0.05) {
		d.confidentiality = groundwork.Confidential
	}
	d.reporter = s.reporter(c, v)
	d.words = t.opinion(c, v.name)
	return d, c.happens(twinShare)
}

// registered is when intake opens the issue: the hotline at once, others when the office works.
func (s *Simulation) registered(c chance, d draft) time.Time {
	if d.channel == groundwork.ChannelHotline {
		return d.at.Add(c.span(2*time.Minute, 12*time.Minute))
	}
	return s.world.opened(d.at.Add(c.span(5*time.Minute, 2*time.Hour)))
}

// reporter draws the pseudonym of one who lives there; some report again and again.
func (s *Simulation) reporter(c chance, v *committee) uuid.UUID {
	number := uint64(c.Float64() * v.persons)
	if c.happens(0.1) {
		number = uint64(math.Sqrt(float64(number))) // the frequent ones
	}
	person := mix(s.cfg.Seed ^ mix(uint64(v.region)<<32|number))
	var id uuid.UUID
	for i := range 8 {
		id[i], id[8+i] = byte(person>>(8*i)), byte(mix(person)>>(8*i))
	}
	id[6], id[8] = id[6]&0x0F|0x40, id[8]&0x3F|0x80
	return id
}

// site is where the matter lies: a site of the topic's kind in the township, or nowhere in particular.
func (s *Simulation) site(d *draft) *uuid.UUID {
	v := &s.world.committees[d.committee]
	if d.visit != nil {
		return &d.visit.SiteID
	}
	if !d.onSite {
		return nil
	}
	if topics[d.topic].site == groundwork.Community || topics[d.topic].site == groundwork.Rural {
		return &s.world.Sites[v.site].ID
	}
	sites := s.world.townships[v.township].sites[topics[d.topic].site]
	return &s.world.Sites[sites[d.number%int64(len(sites))]].ID
}
