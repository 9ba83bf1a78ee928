package simulate

import (
	"encoding/json"
	"io"
	"slices"
	"time"

	"github.com/google/uuid"

	"groundwork"
)

// Truth is what was planted, and the parameters of everything else. docs/simulator.md explains the fields.
type Truth struct {
	Schema     int               `json:"schema"`
	Parameters map[string]string `json:"parameters"`
	Size       TruthSize         `json:"size"`
	Topics     []TruthTopic      `json:"topics"`
	Usual      TruthUsual        `json:"usual"`

	Hotspots      []TruthHotspot  `json:"hotspots"`
	Silent        []TruthSilence  `json:"silent_regions"`
	Policies      []TruthPolicy   `json:"policies"`
	Campaigns     []TruthCampaign `json:"campaigns"`
	CopiedNotes   []TruthPost     `json:"copied_notes"`
	BunchedVisits []TruthPost     `json:"bunched_visits"`
	Traceless     []TruthPost     `json:"traceless_visits"`
	Showcases     []TruthPost     `json:"showcase_routes"`
	Unnoted       []TruthPost     `json:"late_notes"`
	Skips         []TruthUnit     `json:"skipped_turns"`
	Untrue        []TruthUnit     `json:"untrue_visits"`
	Turns         []TruthTurns    `json:"turns"`
	VisitsHeld    []TruthVisits   `json:"visits_held"`
	Instant       []TruthUnit     `json:"instant_claims"`
	OnTheLine     []TruthUnit     `json:"claims_on_the_line"`
	Verdicts      []TruthUnit     `json:"handler_collected_verdicts"`
	Pressure      []TruthUnit     `json:"pressured_withdrawals"`
	Repeats       TruthDuplicates `json:"unlinked_repeats"`
}

// TruthSize is how much there is.
type TruthSize struct {
	Regions   int   `json:"regions"`
	Sites     int   `json:"sites"`
	Units     int   `json:"units"`
	Officials int   `json:"officials"`
	Posts     int   `json:"posts"`
	Visits    int   `json:"visits"`
	Turns     int   `json:"turns"`
	Issues    int64 `json:"issues"`
}

// TruthTopic is how often and how a category is raised and handled.
type TruthTopic struct {
	Code          string    `json:"category_code"`
	Category      uuid.UUID `json:"category_id"`
	Urban         float64   `json:"urban_weight"`
	Rural         float64   `json:"rural_weight"`
	Peak          int       `json:"peak_month"`
	Swing         float64   `json:"season_swing"`
	MedianDays    float64   `json:"median_days_to_claim"`
	TargetDays    int       `json:"target_working_days"`
	Explained     float64   `json:"share_explained"`
	Referred      float64   `json:"share_referred_out"`
	Inquiries     float64   `json:"share_inquiries"`
	RepeatsPerDay float64   `json:"repeats_per_open_day"`
}

// TruthUsual is what happens where nothing was planted.
type TruthUsual struct {
	Growth         float64    `json:"growth_per_year"`
	Weekdays       [7]float64 `json:"weekday_factors_from_sunday"`
	Holiday        float64    `json:"holiday_factor"`
	DelaySpread    float64    `json:"delay_log_sd"`
	TrulyFixed     float64    `json:"share_truly_fixed"`
	InstantlyFixed float64    `json:"share_truly_fixed_if_instant"`
	SpeaksUp       float64    `json:"share_verdicts_unasked"`
	Answers        float64    `json:"share_calls_answered"`
	Reopens        float64    `json:"share_reopened"`
	Returns        float64    `json:"share_returned"`
	Traceless      float64    `json:"share_traceless_visits"`
	Unnoted        float64    `json:"share_visits_without_note"`
	Skipped        float64    `json:"share_turns_skipped"`
	Excused        float64    `json:"share_turns_excused"`
	Late           float64    `json:"share_turns_late"`
}

// TruthHotspot is a place where a category is raised more often for a time.
type TruthHotspot struct {
	Region   uuid.UUID `json:"region_id"`
	Code     string    `json:"region_code"`
	Level    string    `json:"level"`
	Category string    `json:"category_code"`
	From     string    `json:"from"`
	To       string    `json:"to"` // the day after the last
	Risk     float64   `json:"relative_risk"`
	Expected float64   `json:"expected_issues_without"`
	With     float64   `json:"expected_issues"`
}

// TruthSilence is a township that needs much and says little.
type TruthSilence struct {
	Region uuid.UUID `json:"region_id"`
	Code   string    `json:"region_code"`
	Need   float64   `json:"need"`
	Report float64   `json:"reporting"`
}

// TruthPolicy is a policy with its effect: the factor is exp(log_step + log_slope_per_month × months since the start).
type TruthPolicy struct {
	Code     string         `json:"code"`
	Change   uuid.UUID      `json:"policy_change_id"`
	Category string         `json:"category_code"`
	On       string         `json:"effect_on"` // INCIDENCE or DELAY
	Step     float64        `json:"log_step"`
	Slope    float64        `json:"log_slope_per_month"`
	Treated  []TruthTreated `json:"treated"`
}

// TruthCampaign is a campaign with its effect on how often a category is raised: the factor is exp(log_step) from its first day on. What is said of its end is empty
// while it goes on.
type TruthCampaign struct {
	Campaign uuid.UUID      `json:"campaign_id"`
	Topic    string         `json:"topic"`
	Category string         `json:"category_code"`
	Step     float64        `json:"log_step"`
	Treated  []TruthTreated `json:"treated"`
	Compared []uuid.UUID    `json:"comparison_region_ids"`
	Ended    string         `json:"ended,omitempty"`
	State    string         `json:"state"`
	Tasks    int            `json:"tasks"`
}

// TruthTreated is a county with the first day of a policy or campaign.
type TruthTreated struct {
	Region uuid.UUID `json:"region_id"`
	Code   string    `json:"region_code"`
	From   string    `json:"from"`
}

// TruthPost is a post with a bad habit.
type TruthPost struct {
	Post       uuid.UUID   `json:"post_holding_id"`
	Official   uuid.UUID   `json:"official_id"`
	Share      float64     `json:"share"`
	FromOthers bool        `json:"copied_from_colleagues,omitempty"`
	Visits     []uuid.UUID `json:"visit_ids,omitempty"` // the visits that show it
	Sites      []uuid.UUID `json:"site_ids,omitempty"`
}

// TruthUnit is a unit with a bad habit.
type TruthUnit struct {
	Unit  uuid.UUID `json:"unit_id"`
	Name  string    `json:"name"`
	Share float64   `json:"share"`
}

// TruthTurns is what became of the turns of a unit whose window is over: what I1 should answer at the present of the province. A turn that was swapped counts for whoever
// took it.
type TruthTurns struct {
	Unit      uuid.UUID `json:"unit_id"`
	Region    uuid.UUID `json:"region_id"` // of the plan
	Rank      string    `json:"rank"`
	Planned   int       `json:"planned"`
	Fulfilled int       `json:"fulfilled"`
	Late      int       `json:"late"`
	Missed    int       `json:"missed"`
	Excused   int       `json:"excused"`
	Open      int       `json:"open"` // for up to two weeks after the window
}

// TruthVisits is what came of the visits that were held by the leaders of a unit: what F1 and F7 should answer at the present of the province.
type TruthVisits struct {
	Unit      uuid.UUID `json:"unit_id"`
	Held      int       `json:"held_for_14_days"`
	Traceless int       `json:"traceless"` // of these
	HeldAWeek int       `json:"held_for_7_days"`
	Unnoted   int       `json:"without_note"` // of these
	Untrue    int       `json:"untrue"`       // of these: recorded, and not made

	BackCheck []TruthCheck `json:"back_check"` // of these, by kind of activity
}

// TruthCheck is what the visits of a kind that are drawn by lot are said to have been, at the present of the province: of what F7 makes falseShare.
type TruthCheck struct {
	Activity groundwork.ActivityKind `json:"activity_kind"`
	Held     int                     `json:"held_for_7_days"`
	Answered int                     `json:"drawn_and_answered"`
	Denied   int                     `json:"said_not_held"` // of these
}

// TruthDuplicates is how often one matter became two issues.
type TruthDuplicates struct {
	Share  float64       `json:"share"`
	Merged float64       `json:"share_merged_of_these"`
	Pairs  [][]uuid.UUID `json:"first_pairs"` // repeat, and the issue that it repeats
}

// truthPairs is how many repeats are listed; all of them would be too many.
const truthPairs = 1000

// Truth tells what was planted, and what came of it.
func (s *Simulation) Truth() (Truth, error) {
	w := s.world
	t := Truth{
		Schema: 1, Parameters: s.cfg.Parameters(),
		Size: s.Size(),
		Usual: TruthUsual{growth, weekday, holiday, delaySpread, trulyFixed, instantlyFixed, speaksUp, answers, reopens, returns,
			usuallyTraceless, unnotedVisits, skippedTurns, excusedTurns, lateTurns},
		Instant: s.unitsThat(func(h unitHabits) float64 { return h.instant }), OnTheLine: s.unitsThat(func(h unitHabits) float64 { return h.onTheLine }),
		Verdicts: s.unitsThat(func(h unitHabits) float64 { return h.verdicts }), Pressure: s.unitsThat(func(h unitHabits) float64 { return h.pressure }),
		Skips: s.unitsThat(func(h unitHabits) float64 { return h.skips }), Untrue: s.unitsThat(func(h unitHabits) float64 { return h.untrue }), VisitsHeld: s.visitsHeld(),
	}
	for n, k := range topics {
		t.Topics = append(t.Topics, TruthTopic{k.code, w.topics[n].category, k.urban, k.rural, k.peak, k.swing, k.days, k.target, k.explained, k.referred, k.inquiry, k.repeats})
	}
	for _, h := range s.plants.hotspots {
		r := w.Regions[h.region]
		t.Hotspots = append(t.Hotspots, TruthHotspot{r.ID, r.Code, string(h.level), topics[h.topic].code, s.date(h.from), s.date(h.to),
			h.risk, h.expected * s.dilution(), h.expected * s.dilution() * h.risk})
	}
	for _, q := range s.plants.silences {
		r := w.Regions[w.townships[q.township].region]
		t.Silent = append(t.Silent, TruthSilence{r.ID, r.Code, q.need, q.report})
	}
	for n, p := range s.plants.policies {
		pilot, err := s.livePilot(n)
		if err != nil {
			return t, err
		}
		t.Policies = append(t.Policies, s.truthOf(p, pilot.change.ID))
	}
	for n, p := range s.campaigns {
		l, err := s.liveCampaign(n)
		if err != nil {
			return t, err
		}
		t.Campaigns = append(t.Campaigns, s.truthOfCampaign(p, l))
	}
	s.tellPosts(&t)
	s.tellRepeats(&t)
	return t, s.tellTurns(&t)
}

// Size is how much there is.
func (s *Simulation) Size() TruthSize {
	w := s.world
	return TruthSize{len(w.Regions), len(w.Sites), len(w.Units), len(w.Officials), len(w.posts), len(s.visits), s.turnCount(), s.cfg.Issues}
}

// turnCount is how many turns there are, those that were swapped once.
func (s *Simulation) turnCount() (n int) {
	for seat := range s.world.seats {
		n += len(s.world.turns(seat))
	}
	return n
}

// midnightOf is when a day begins, date how it is written.
func (s *Simulation) midnightOf(day int) time.Time { return s.cfg.From.AddDate(0, 0, day) }
func (s *Simulation) date(day int) string          { return groundwork.DayOf(s.midnightOf(day)) }

// dilution is by how much the hot spots lower all else, since the number of issues is given.
func (s *Simulation) dilution() float64 { return s.season.scale / s.season.plain }

func (s *Simulation) truthOf(p policy, change uuid.UUID) TruthPolicy {
	t := TruthPolicy{Code: p.code, Change: change, Category: topics[p.topic].code, On: "INCIDENCE", Step: p.step, Slope: p.slope}
	if p.onDelay {
		t.On = "DELAY"
	}
	for _, n := range p.treated {
		r := s.world.Regions[s.world.counties[n].region]
		t.Treated = append(t.Treated, TruthTreated{r.ID, r.Code, s.date(p.starts[p.cohortOf[n]])})
	}
	return t
}

func (s *Simulation) truthOfCampaign(p campaign, l *campaignLife) TruthCampaign {
	t := TruthCampaign{Campaign: l.now.ID, Topic: p.title, Category: topics[p.topic].code, Step: p.step, State: string(l.now.State), Tasks: len(l.rows.Tasks)}
	for _, n := range p.treated {
		r := s.world.countyRegion(n)
		t.Treated = append(t.Treated, TruthTreated{r.ID, r.Code, s.date(p.selected + prepares)})
	}
	for _, n := range p.compared {
		t.Compared = append(t.Compared, s.world.countyRegion(n).ID)
	}
	if l.now.EndedAt != nil {
		t.Ended = groundwork.DayOf(*l.now.EndedAt)
	}
	return t
}

func (s *Simulation) unitsThat(do func(unitHabits) float64) []TruthUnit {
	var found []TruthUnit
	for n, u := range s.world.units {
		if share := do(u.habits); share > 0 {
			found = append(found, TruthUnit{s.world.Units[n].ID, s.world.Units[n].Name, share})
		}
	}
	return found
}

// tellTurns counts the turns that are due, by unit.
func (s *Simulation) tellTurns(t *Truth) error {
	w := s.world
	at := map[int]int{} // unit → row
	for n := range w.seats {
		unit, plans := w.unitOf(n), w.rotas[w.seats[n].rota].plans
		if _, known := at[unit]; !known {
			at[unit] = len(t.Turns)
			t.Turns = append(t.Turns, TruthTurns{Unit: w.Units[unit].ID, Region: plans[0].RegionID, Rank: string(plans[0].Rank)})
		}
		l, err := s.liveTurns(n)
		if err != nil {
			return err
		}
		for i := range l.slots {
			if !midnight(l.slots[i].WindowTo).After(s.cfg.To) {
				t.Turns[at[unit]].add(l.slots[i].State)
			}
		}
	}
	return nil
}

func (t *TruthTurns) add(state groundwork.SlotState) {
	count := map[groundwork.SlotState]*int{groundwork.SlotFulfilled: &t.Fulfilled, groundwork.SlotLate: &t.Late, groundwork.SlotMissed: &t.Missed,
		groundwork.SlotExcused: &t.Excused, groundwork.SlotOpen: &t.Open}[state]
	if count != nil { // else it was swapped
		*count++
		t.Planned++
	}
}

// visitsHeld counts what came of visits, by unit.
func (s *Simulation) visitsHeld() (all []TruthVisits) {
	at := map[int]int{} // unit → row
	for i := range s.visits {
		v := &s.visits[i]
		unit := s.world.posts[v.post].unit
		if _, known := at[unit]; !known {
			at[unit] = len(all)
			all = append(all, TruthVisits{Unit: s.world.Units[unit].ID})
		}
		if v.EndedAt == nil || v.State == groundwork.VisitVoid {
			continue
		}
		row := &all[at[unit]]
		if !v.EndedAt.After(s.cfg.To.Add(-14 * day)) {
			row.Held++
			row.Traceless += one(v.traceless)
		}
		if !v.EndedAt.After(s.cfg.To.Add(-groundwork.NoteDays * day)) {
			row.HeldAWeek++
			row.Unnoted += one(v.NoteCreatedAt == nil)
			row.Untrue += one(s.world.untrue(v))
			row.check(v, s.attestations(v))
		}
	}
	return all
}

// check counts what is said of a visit.
func (t *TruthVisits) check(v *visit, answers []groundwork.Attestation) {
	at := slices.IndexFunc(t.BackCheck, func(c TruthCheck) bool { return c.Activity == v.ActivityKind })
	if at < 0 {
		at, t.BackCheck = len(t.BackCheck), append(t.BackCheck, TruthCheck{Activity: v.ActivityKind})
	}
	row := &t.BackCheck[at]
	row.Held++
	if !drawnByLot(v) {
		return
	}
	for _, a := range answers {
		if a.Voice != groundwork.ByHost && a.Says != groundwork.HeldUnsure {
			row.Answered++
			row.Denied += one(a.Says == groundwork.NotHeld)
		}
	}
}

func one(counts bool) int {
	if counts {
		return 1
	}
	return 0
}

func (s *Simulation) tellPosts(t *Truth) {
	w := s.world
	copies, bunched, unnoted := map[int][]uuid.UUID{}, map[int][]uuid.UUID{}, map[int][]uuid.UUID{}
	for i := range s.visits {
		v := &s.visits[i]
		if v.copyOf >= 0 {
			copies[v.post] = append(copies[v.post], v.ID)
		}
		if w.posts[v.post].habits.bunched > 0 && v.EndedAt != nil && inLastDays(v.StartedAt, w.posts[v.post].rank) {
			bunched[v.post] = append(bunched[v.post], v.ID)
		}
		if v.unnoted && v.State == groundwork.VisitHeld && s.cfg.To.Sub(*v.EndedAt) > groundwork.NoteDays*day {
			unnoted[v.post] = append(unnoted[v.post], v.ID)
		}
	}
	for n, p := range w.posts {
		post := TruthPost{Post: w.Posts[p.holding].ID, Official: w.Posts[p.holding].OfficialID}
		switch h := p.habits; {
		case h.copies > 0:
			post.Share, post.FromOthers, post.Visits = h.copies, h.copiesOthers, copies[n]
			t.CopiedNotes = append(t.CopiedNotes, post)
		case h.bunched > 0:
			post.Share, post.Visits = h.bunched, bunched[n]
			t.BunchedVisits = append(t.BunchedVisits, post)
		case h.traceless > 0:
			post.Share = h.traceless
			t.Traceless = append(t.Traceless, post)
		case h.unnoted > 0:
			post.Share, post.Visits = h.unnoted, unnoted[n]
			t.Unnoted = append(t.Unnoted, post)
		case h.showcase != nil:
			post.Share = 1
			for _, site := range h.showcase {
				post.Sites = append(post.Sites, w.Sites[site].ID)
			}
			t.Showcases = append(t.Showcases, post)
		}
	}
}

// inLastDays reports whether a moment lies in the last seven days of a window: a month, or for the posts of prefectures a quarter.
func inLastDays(at time.Time, rank groundwork.Rank) bool {
	soon := at.AddDate(0, 0, 7)
	return soon.Month() != at.Month() && (rank != groundwork.RankPrefecture || soon.Month()%3 == 1)
}

func (s *Simulation) tellRepeats(t *Truth) {
	t.Repeats = TruthDuplicates{Share: twinShare, Merged: merges}
	for n := int64(0); n < s.cfg.Issues && len(t.Repeats.Pairs) < truthPairs && n < truthPairs*1000; n++ {
		if d := s.draft(n); d.twin >= 0 {
			first := s.draft(d.twin)
			t.Repeats.Pairs = append(t.Repeats.Pairs, []uuid.UUID{d.id, first.id})
		}
	}
}

// Write writes the truth as JSON.
func (t Truth) Write(w io.Writer) error {
	encoder := json.NewEncoder(w)
	encoder.SetIndent("", "  ")
	encoder.SetEscapeHTML(false)
	return encoder.Encode(t)
}
