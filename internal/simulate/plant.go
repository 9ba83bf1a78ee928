package simulate

import (
	"math"
	"slices"
	"time"

	"groundwork"
)

// habits are what is wrong with the visits of a post; the zero value is as it should be.
type habits struct {
	copies       float64 // share of notes that are copied from an earlier note of the same post
	copiesOthers bool    // copied from a colleague of the unit instead
	bunched      float64 // share of visits that are made in the last days of the period
	traceless    float64 // share of visits on which nobody raises anything
	showcase     []int   // the only sites that are visited
	unnoted      float64 // share of visits whose note nobody writes in time, so that it is never taken
}

// unitHabits are what is wrong with how a unit handles issues.
type unitHabits struct {
	instant   float64 // share of claims made within minutes of acceptance
	onTheLine float64 // share of claims that are held back until the last working hours before they are due
	verdicts  float64 // share of claims whose verdict the handler collects
	pressure  float64 // share of issues whose reporters are urged to withdraw
	skips     float64 // share of the turns of the rota for which nobody goes down
	untrue    float64 // share of visits that are recorded and were not made
}

// hotspot is a place where a topic is raised more often than elsewhere for a time.
type hotspot struct {
	region     int // index into Regions
	level      groundwork.RegionLevel
	committees []int
	topic      int
	from, to   int // days since the beginning
	risk       float64
	expected   float64 // issues there and then if the risk were 1
	sums       []float64
}

// silence is a township that needs much and says little.
type silence struct {
	township     int
	need, report float64
}

// policy changes a topic in the counties of a cohort from a day on.
type policy struct {
	code     string
	title    string // as people call it
	summary  string // of the change that it is
	topic    int
	step     float64     // logarithm of the factor at once
	slope    float64     // and what is added to it each month
	onDelay  bool        // of the time to a claim; else of how often the topic is raised
	starts   map[int]int // cohort → day
	treated  []int       // counties
	cohortOf map[int]int // county → cohort
}

// plants are what is hidden in the data.
type plants struct {
	hotspots []hotspot
	silences []silence
	policies []policy
}

const (
	silentTownships = 4
	silentNeed      = 1.8
	silentReport    = 0.18
	month           = 365.25 / 12
)

func (w *world) plant() plants {
	c := chanceOf(w.cfg.Seed, streamPlants, 0)
	p := plants{silences: w.plantSilence(c), policies: w.plantPolicies(c)}
	w.plantUnits(c)
	w.plantPosts(c)
	w.plantSkips(c)
	w.plantUntrue(chanceOf(w.cfg.Seed, streamPlants, 2))
	return p
}

func (w *world) plantSilence(c chance) []silence {
	var silent []silence
	for _, t := range c.Perm(len(w.townships))[:min(silentTownships, len(w.townships))] {
		w.townships[t].silent = true
		for _, v := range w.townships[t].committees {
			at := &w.committees[v]
			at.report = silentReport
			at.weight = at.persons * silentNeed * silentReport
		}
		silent = append(silent, silence{t, silentNeed, silentReport})
	}
	return silent
}

// The policies that have a planted effect, as people call them.
const rarerTitle, fasterTitle = "异味扰民整治办法", "物业纠纷调处办法"

// plantPolicies treats two fifths of the counties in two cohorts: one policy lowers how often a topic is raised, the other how
// long another topic takes.
func (w *world) plantPolicies(c chance) []policy {
	order := c.Perm(len(w.counties))
	treated := max(2, len(order)*2/5)
	days := w.cfg.days()
	rare := policy{code: "SIM-POLICY-RARER", title: rarerTitle, summary: "分区试点：重点企业异味在线监测", topic: topicIndex("SIM-SMELL"), step: math.Log(0.65), slope: -0.015,
		starts: map[int]int{1: days * 5 / 12, 2: days * 7 / 12}, treated: slices.Sorted(slices.Values(order[:treated])), cohortOf: map[int]int{}}
	for n, at := range order[:treated] {
		w.counties[at].cohort = 1 + n%2
		rare.cohortOf[at] = 1 + n%2
	}
	fast := rare
	fast.code, fast.topic, fast.step, fast.slope, fast.onDelay = "SIM-POLICY-FASTER", topicIndex("SIM-PROPERTY"), math.Log(0.55), -0.01, true
	fast.title, fast.summary = fasterTitle, "分区试点：街道物业联席会议限时调处"
	return []policy{rare, fast}
}

func topicIndex(code string) int {
	return slices.IndexFunc(topics, func(t topic) bool { return t.code == code })
}

// factor is the effect of the policy in a cohort on a day.
func (p policy) factor(cohort, day int) float64 {
	start, treated := p.starts[cohort]
	if !treated || day < start {
		return 1
	}
	return math.Exp(p.step + p.slope*float64(day-start)/month)
}

// plantUnits gives one department in fifteen a bad habit of its own, so that each can be told apart.
func (w *world) plantUnits(c chance) {
	bad := []unitHabits{{instant: 0.5}, {onTheLine: 0.6}, {verdicts: 0.7}, {pressure: 0.3}}
	var handling []int
	for n := range w.counties {
		handling = append(handling, w.counties[n].departments...)
	}
	c.Shuffle(len(handling), func(i, j int) { handling[i], handling[j] = handling[j], handling[i] })
	for n, u := range handling[:max(len(bad), len(handling)/15)] {
		w.units[u].habits = bad[n%len(bad)]
	}
}

// plantPosts gives one post in ten a bad habit of its own.
func (w *world) plantPosts(c chance) {
	bad := []habits{{copies: 0.7}, {copies: 0.7, copiesOthers: true}, {bunched: 0.8}, {traceless: 0.85}, {showcase: []int{}}, {unnoted: 0.6}}
	for n, at := range c.Perm(len(w.posts))[:max(len(bad), len(w.posts)/10)] {
		h := bad[n%len(bad)]
		if h.showcase != nil {
			sites := w.sitesOf(&w.posts[at])
			for range 2 {
				h.showcase = append(h.showcase, pick(c, sites))
			}
		}
		w.posts[at].habits = h
	}
}

// skippedByHabit is the share of its turns that a careless unit skips.
const skippedByHabit = 0.45

// plantSkips makes one in twelve of the units whose leaders go down careless of its turns.
func (w *world) plantSkips(c chance) {
	var visiting []int
	for _, p := range w.posts {
		if !slices.Contains(visiting, p.unit) {
			visiting = append(visiting, p.unit)
		}
	}
	for _, n := range c.Perm(len(visiting))[:max(1, len(visiting)/12)] {
		w.units[visiting[n]].habits.skips = skippedByHabit
	}
}

// minExpected is how many issues a hot spot would have at no added risk: fewer could not be seen in the noise.
const minExpected, hotspots = 6, 8

// plantHotspots draws places, topics and periods until each is large enough to be seen.
func (w *world) plantHotspots(s *season) []hotspot {
	c := chanceOf(w.cfg.Seed, streamPlants, 1)
	var found []hotspot
	for try := 0; try < 4000 && len(found) < hotspots; try++ {
		h := hotspot{topic: c.IntN(len(topics)), risk: 3 + 3*c.Float64()}
		if slices.Contains(campaigned, h.topic) {
			continue
		}
		weeks := 5 + c.IntN(9)
		h.from = c.IntN(w.cfg.days() - weeks*7)
		h.to = h.from + weeks*7
		if t := c.IntN(len(w.townships)); try%4 == 0 || len(found) < hotspots/2 && try < 1000 {
			h.level, h.region, h.committees = groundwork.Township, w.townships[t].region, w.townships[t].committees
		} else {
			in := &w.counties[w.townships[t].county]
			h.level, h.region = groundwork.County, in.region
			for _, t := range in.townships {
				h.committees = append(h.committees, w.townships[t].committees...)
			}
		}
		if h.expected = s.expected(h); h.expected < minExpected || slices.ContainsFunc(found, h.overlaps) {
			continue
		}
		h.sums = runningSums(s.weights(h.committees, h.topic))
		found = append(found, h)
	}
	return found
}

func (h hotspot) overlaps(other hotspot) bool {
	return h.topic == other.topic && h.from < other.to && other.from < h.to &&
		slices.ContainsFunc(h.committees, func(v int) bool { return slices.Contains(other.committees, v) })
}

func (w *world) day(t time.Time) int { return int(t.Sub(w.cfg.From) / (24 * time.Hour)) }
