package warehouse_test

import (
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/google/uuid"
)

// world is random data with histories, kept beside the warehouse as plain rows.
type world struct {
	rnd        *rand.Rand
	regions    []region
	categories []category
	issues     []issue
	histories  map[uuid.UUID][]event
	people     map[string]int64 // population of 2025 by region code; not of all
}

// sites are where issues arise again and again.
var sites = []uuid.UUID{uuid.New(), uuid.New(), uuid.New(), uuid.New()}

func newWorld(seed uint64, n int) *world {
	w := &world{rnd: rand.New(rand.NewPCG(seed, 1)), histories: map[uuid.UUID][]event{}, people: map[string]int64{}}
	w.plantRegions()
	for i := range 6 {
		c := category{ID: w.uuid(), Code: fmt.Sprintf("C%d", 9-i), Name: "matter", Path: []string{"matter"}}
		if i >= 2 {
			c.Parent, c.Path = &w.categories[i%2].ID, []string{"matter", fmt.Sprint(i)}
		}
		w.categories = append(w.categories, c)
	}
	for range n {
		w.live()
	}
	return w
}

func (w *world) uuid() (id uuid.UUID) {
	for i := range id {
		id[i] = byte(w.rnd.Uint32())
	}
	id[6], id[8] = id[6]&0x0f|0x40, id[8]&0x3f|0x80
	return id
}

func (w *world) region(code, level string, parent *region) *region {
	r := region{ID: w.uuid(), Code: code, Level: level, Path: code, Name: "R" + code}
	if parent != nil {
		r.Parent, r.Path = &parent.ID, parent.Path+"."+code
	}
	w.regions = append(w.regions, r)
	return &r
}

func (w *world) plantRegions() {
	province := w.region("350000000000", "PROVINCE", nil)
	for p := range 2 {
		prefecture := w.region(fmt.Sprintf("350%d00000000", p+1), "PREFECTURE", province)
		for c := range 3 {
			county := w.region(fmt.Sprintf("350%d%02d000000", p+1, c+1), "COUNTY", prefecture)
			for s := range 2 {
				town := w.region(fmt.Sprintf("350%d%02d%03d000", p+1, c+1, s+1), "TOWNSHIP", county)
				if c == 1 { // known by its parts alone
					w.people[town.Code] = int64(500 + w.rnd.IntN(5000))
				}
			}
			if c == 0 {
				w.people[county.Code] = int64(1000 + w.rnd.IntN(20000))
			}
		}
	}
	w.people["350203000000"] = 40000
}

// live adds an issue with a random life.
func (w *world) live() {
	i := someIssue()
	i.ID = w.uuid()
	i.Origin = start.Add(time.Duration(w.rnd.Int64N(int64(days(200))/1000)) * 1000)
	i.Channel = []string{"HOTLINE", "VISIT", "MESSAGE_BOARD"}[w.rnd.IntN(3)]
	i.Kind = []string{"HELP", "COMPLAINT"}[w.rnd.IntN(2)]
	i.Severity = []string{"LOW", "HIGH"}[w.rnd.IntN(2)]
	if w.rnd.IntN(8) > 0 {
		i.Region = &w.regions[w.rnd.IntN(len(w.regions))].ID
	}
	if w.rnd.IntN(8) > 0 {
		i.Category = &w.categories[w.rnd.IntN(len(w.categories))].ID
	}
	if k := int(i.ID[13] % 6); k < len(sites) {
		i.Site = &sites[k]
	}
	if i.ID[15]%4 > 0 {
		i.Due = new(i.Origin.Add(days(float64(i.ID[14]) / 4)))
	}
	if w.rnd.IntN(4) == 0 {
		i.ObservedUntil = new(i.Origin.Add(w.wait(60)))
	}
	at, known, kind := i.Origin, i.Origin, "REGISTERED"
	i.State = "REGISTERED"
	for kind != "" {
		known = latest(known, at.Add(time.Duration(w.rnd.IntN(2))*w.wait(2)))
		w.histories[i.ID] = append(w.histories[i.ID], event{i.ID, int32(len(w.histories[i.ID]) + 1), kind, i.State, at, known, i.progress})
		at = at.Add(w.wait(15))
		kind = w.step(&i, at)
	}
	w.issues = append(w.issues, i)
}

func (w *world) wait(mean float64) time.Duration {
	return time.Duration(w.rnd.ExpFloat64() * mean * 24 * float64(time.Hour)).Truncate(time.Microsecond)
}

// step does something random to the issue; "" ends its life.
func (w *world) step(i *issue, at time.Time) (kind string) {
	respond := func() {
		if i.FirstResponse == nil {
			i.FirstResponse = &at
		}
	}
	end := func(closure string) { i.State, i.Closure, i.Closed = "CLOSED", &closure, &at }
	dice := w.rnd.IntN(10)
	switch {
	case i.State == "MERGED" || dice == 0:
		return ""
	case i.State == "CLOSED":
		if dice < 8 {
			return ""
		}
		if i.Claimed == nil || at.Sub(*i.Claimed) < days(90) {
			i.Resolved = nil
		}
		i.State, i.Closure, i.Closed = "IN_PROGRESS", nil, nil
		i.Reopenings++
		return "REOPENED"
	case i.State == "CLAIMED" && dice < 5:
		end("CONFIRMED")
		i.Resolved = i.Claimed
		return "CONFIRMED"
	case i.State == "CLAIMED" && dice < 7:
		i.State = "IN_PROGRESS"
		i.Disputes++
		return "DISPUTED"
	case i.State == "CLAIMED":
		end([]string{"EXPLAINED", "REFERRED_OUT", "UNCONFIRMED"}[dice-7])
		return "CLOSED"
	case dice < 3:
		respond()
		return "RESPONDED"
	case dice < 7:
		respond()
		i.State, i.Claimed = "CLAIMED", &at
		return "CLAIMED"
	case dice == 7:
		i.Opinions++
		return "LINKED"
	case dice == 8:
		end("WITHDRAWN")
		return "WITHDRAWN"
	}
	i.State = "MERGED"
	return "MERGED"
}

func latest(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// asKnown returns the issues as they were known at a moment; nil = as they are.
func (w *world) asKnown(at *time.Time) (known []issue) {
	for _, i := range w.issues {
		if at == nil {
			known = append(known, i)
			continue
		}
		seen := false
		for _, e := range w.histories[i.ID] {
			if !e.KnownAt.After(*at) {
				i.State, i.progress, seen = e.State, e.progress, true
			}
		}
		if seen {
			known = append(known, i)
		}
	}
	return known
}

// end is a moment after which nothing happens.
func (w *world) end() (last time.Time) {
	for _, history := range w.histories {
		last = latest(last, history[len(history)-1].KnownAt)
	}
	return last
}

// load fills a warehouse with what was known at the moment (nil = everything), in several versions, with rows that were deleted.
func (w *world) load(h *house, at *time.Time) {
	insert(h, "d_region", w.regions...)
	insert(h, "d_category", w.categories...)
	for _, r := range w.regions {
		if persons, ok := w.people[r.Code]; ok {
			insert(h, "d_population", population{r.ID, 2025, persons})
		}
	}
	issues := w.asKnown(at)
	stale, deleted, lost := make([]issue, len(issues)), make([]issue, 20), []event{}
	for k, i := range issues {
		i.State, i.FirstResponse, i.Claimed, i.Resolved, i.Closed, i.Channel = "REGISTERED", nil, nil, nil, nil, "LETTER"
		stale[k] = i
	}
	for k := range deleted {
		deleted[k] = someIssue()
		lost = append(lost, event{deleted[k].ID, 1, "REGISTERED", "REGISTERED", start, start, deleted[k].progress})
	}
	insert(h, "f_issue", append(stale, deleted...)...)
	insert(h, "f_issue_event", lost...)
	insert(h, "f_issue", issues...)
	var events []event
	for _, i := range issues {
		for _, e := range w.histories[i.ID] {
			if at == nil || !e.KnownAt.After(*at) {
				events = append(events, e)
			}
		}
	}
	insert(h, "f_issue_event", events...)
	remove(h, "f_issue", deleted...)
	remove(h, "f_issue_event", lost...)
	mark := w.end()
	if at != nil {
		mark = *at
	}
	h.watermark(7, mark)
}
