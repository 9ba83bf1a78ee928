package simulate

import (
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"

	"groundwork"
)

func (w *world) addUnit(c chance, parent *uuid.UUID, region int, county int, name string, kind groundwork.UnitKind) int {
	w.Units = append(w.Units, groundwork.OrgUnit{ID: c.id(w.founded()), ParentID: parent, RegionID: &w.Regions[region].ID, Name: name, Kind: kind})
	w.units = append(w.units, unit{county: county})
	return len(w.Units) - 1
}

// addUnits gives the province a unit that leads campaigns and one that judges them, each prefecture a call centre that handles nothing itself, each county its departments and each township a
// government, and writes the catalogue: the county's department handles its topics wherever in the county they arise.
func (w *world) addUnits(c chance) {
	w.lead = w.addUnit(c, nil, 0, -1, w.Regions[0].Name+"民生实事专班", groundwork.GovtUnit)
	w.reviewer = w.addUnit(c, nil, 0, -1, w.Regions[0].Name+"督查室", groundwork.PartyUnit)
	for p := range w.prefectures {
		at := &w.prefectures[p]
		at.callers = w.addUnit(c, nil, at.region, -1, prefectureNames[p]+"民意回访中心", groundwork.GovtUnit)
	}
	for n := range w.counties {
		at := &w.counties[n]
		at.hall = w.addUnit(c, nil, at.region, n, at.name+"受理中心", groundwork.GovtUnit)
		at.supervision = w.addUnit(c, nil, at.region, n, at.name+"督查室", groundwork.PartyUnit)
		for _, d := range departments {
			at.departments = append(at.departments, w.addUnit(c, &w.Units[at.hall].ID, at.region, n, at.name+d.name, d.kind))
		}
		w.addRules(c, at)
		for _, t := range at.townships {
			name := w.Regions[w.townships[t].region].Name + "政府"
			w.townships[t].government = w.addUnit(c, &w.Units[at.hall].ID, w.townships[t].region, n, name, groundwork.GovtUnit)
		}
	}
}

func (w *world) addRules(c chance, of *county) {
	for n, t := range topics {
		w.Rules = append(w.Rules, groundwork.DispatchRule{ID: c.id(w.founded()), CategoryID: w.topics[n].category,
			RegionLevel: groundwork.VillageCommittee, OrgUnitID: w.Units[of.departments[t.department]].ID,
			Basis: "模拟职责清单 " + t.code, ValidFrom: w.founded()})
	}
}

// How many posts make visits at each level: those of prefectures once a quarter, all others once a month.
const (
	postsOfPrefecture = 3
	postsOfCounty     = 5
	postsOfTownship   = 2
)

func (w *world) addPosts(c chance) {
	for p := range w.prefectures {
		w.addRota(w.prefectures[p].region, groundwork.RankPrefecture, w.prefectures[p].callers)
		for range postsOfPrefecture {
			w.addPost(c, post{rank: groundwork.RankPrefecture, prefecture: p, county: -1, township: -1, unit: w.prefectures[p].callers})
		}
	}
	for n, at := range w.counties {
		w.addRota(at.region, groundwork.RankCounty, at.supervision)
		for range postsOfCounty {
			w.addPost(c, post{rank: groundwork.RankCounty, prefecture: at.prefecture, county: n, township: -1, unit: at.supervision})
		}
		w.addRota(at.region, groundwork.RankTownship, at.supervision)
		for _, t := range at.townships {
			for range postsOfTownship {
				w.addPost(c, post{rank: groundwork.RankTownship, prefecture: at.prefecture, county: n, township: t, unit: w.townships[t].government})
			}
		}
	}
}

// addPost adds a post, whose turns are of the rota that was added last; one in eight changes hands once.
func (w *world) addPost(c chance, p post) {
	p.from, p.until, p.seat = w.founded(), w.cfg.To, len(w.seats)
	w.seats = append(w.seats, seat{rota: len(w.rotas) - 1})
	if c.happens(1.0 / 8) {
		handover := w.cfg.From.AddDate(0, 0, 60+c.IntN(w.cfg.days()-120))
		first, second := p, p
		first.until, second.from = handover, handover
		w.addHolder(c, first)
		w.addHolder(c, second)
		return
	}
	w.addHolder(c, p)
}

var titles = map[groundwork.Rank]string{groundwork.RankPrefecture: "市级领导", groundwork.RankCounty: "县级领导", groundwork.RankTownship: "乡镇领导"}

func (w *world) addHolder(c chance, p post) {
	official := groundwork.Official{ID: c.id(w.founded()), Pseudonym: fmt.Sprintf("sim-official-%05d", len(w.Officials)+1)}
	w.Officials = append(w.Officials, official)
	holding := groundwork.PostHolding{ID: c.id(w.founded()), OfficialID: official.ID, OrgUnitID: w.Units[p.unit].ID, Rank: p.rank,
		Title: titles[p.rank], HeldFrom: p.from}
	if p.until.Before(w.cfg.To) {
		holding.HeldTo = new(p.until)
	}
	w.Posts = append(w.Posts, holding)
	p.holding = len(w.Posts) - 1
	w.posts = append(w.posts, p)
	w.seats[p.seat].posts = append(w.seats[p.seat].posts, len(w.posts)-1)
}

// Working hours of offices.
const opens, closes = 8*time.Hour + 30*time.Minute, 17*time.Hour + 30*time.Minute

// opened is the first moment from t on in which offices work.
func (w *world) opened(t time.Time) time.Time {
	for {
		midnight := startOfDay(t)
		switch since := t.Sub(midnight); {
		case !w.workday(t) || since >= closes:
			t = midnight.Add(24*time.Hour + opens)
		case since < opens:
			return midnight.Add(opens)
		default:
			return t
		}
	}
}

func startOfDay(t time.Time) time.Time {
	const day, east = 24 * 60 * 60, 8 * 60 * 60
	s := t.Unix() + east
	return time.Unix(s-s%day-east, 0).In(groundwork.China)
}

// rememberWorkdays looks every day up in the calendar once: it is asked for a hundred times an issue.
func (w *world) rememberWorkdays() {
	w.first = w.founded()
	for day := w.first; day.Before(w.cfg.To.AddDate(1, 0, 0)); day = day.AddDate(0, 0, 1) {
		w.worked = append(w.worked, w.Calendar.Workday(day))
	}
}

// workday reports whether offices work on the day of t.
func (w *world) workday(t time.Time) bool {
	n := int(t.Sub(w.first) / (24 * time.Hour))
	if n < 0 || n >= len(w.worked) {
		return w.Calendar.Workday(t)
	}
	return w.worked[n]
}

// deadline is that of the calendar: the end of the n-th working day after the day of t.
func (w *world) deadline(t time.Time, n int) time.Time {
	day := startOfDay(t)
	for range n {
		for day = day.Add(24 * time.Hour); !w.workday(day); {
			day = day.Add(24 * time.Hour)
		}
	}
	return day.Add(24 * time.Hour)
}

// addTargets promises for a topic, at every severity, a word within two working days and an end within so many.
func (w *world) addTargets(c chance, topic, days int) {
	const dayMinutes = int(groundwork.WorkingDay / time.Minute)
	for _, severity := range severities {
		w.Targets = append(w.Targets, groundwork.TargetVersion{ID: c.id(w.founded()), CategoryID: &w.topics[topic].category, Severity: severity,
			AckMinutes: dayMinutes, ResponseMinutes: min(2, days) * dayMinutes, ResolutionMinutes: days * dayMinutes,
			TimeBase: groundwork.WorkingTime, PublishedAt: w.founded(), ValidFrom: w.founded()})
	}
}

// target is what is promised for an issue.
func (w *world) target(topic int, severity groundwork.Severity) *groundwork.TargetVersion {
	return &w.Targets[topic*len(severities)+slices.Index(severities, severity)]
}
