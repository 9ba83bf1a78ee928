// Package generate makes the bundled sample from a seed: the same files on every machine.
package generate

import (
	"bytes"
	"cmp"
	"encoding/csv"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"time"

	"groundwork/internal/importer"
)

const messages = 420

var (
	zone     = time.FixedZone("Asia/Shanghai", 8*60*60) // no summer time in 2025
	firstDay = time.Date(2025, 1, 6, 0, 0, 0, 0, zone)
	horizon  = time.Date(2025, 12, 15, 18, 0, 0, 0, zone)
)

// region is a county with its persons in thousands (2025), how eagerly its people write, and how fast it answers
// (1 = as its topics do).
type region struct {
	name          string
	thousands     int
	writing, pace float64
}

var counties = []region{
	{"X1区", 612, 1.2, 0.8}, {"X2区", 548, 1.0, 1.0}, {"X3区", 735, 1.9, 1.3}, {"X5县", 884, 0.8, 1.1}, {"X9市", 423, 0.6, 1.2},
	{"Y1区", 391, 1.0, 0.9}, {"Y2区", 356, 1.5, 1.6}, {"Y4县", 667, 0.4, 1.4}, {"Y6市", 502, 0.7, 1.0},
	{"Z1区", 288, 0.9, 0.7}, {"Z2县", 455, 0.3, 1.8}, {"Z10县", 319, 0.3, 1.5},
}

type message struct {
	id, user, subject, text string
	posted                  time.Time
	postedDay               bool
	reply                   string
	replied                 time.Time
	repliedDay              bool
	supported, opposed      int
	english                 bool
}

// Files returns the sample's files by name.
func Files() map[string][]byte {
	r := rand.New(rand.NewPCG(2025, 12))
	all := drawAll(r)
	answered := [][]string{{"id", "user", "subject", "posted_at", "text", "reply", "replied_at"}}
	open := [][]string{{"id", "user", "subject", "posted_at", "text", "opposed", "supported"}}
	for _, m := range all {
		head := []string{m.id, m.user, m.subject, stamp(m.posted, m.postedDay), m.text}
		if m.reply != "" {
			answered = append(answered, append(head, m.reply, stamp(m.replied, m.repliedDay)))
		} else {
			open = append(open, append(head, strconv.Itoa(m.opposed), strconv.Itoa(m.supported)))
		}
	}
	return map[string][]byte{"answered.csv": encode(answered), "open.csv": encode(open), "population.csv": encode(population())}
}

func drawAll(r *rand.Rand) []message {
	var all []message
	for n := range messages {
		m := draw(r, n)
		all = append(all, m)
		if r.Float64() < 0.12 {
			if again, ok := repeat(r, m); ok {
				all = append(all, again)
			}
		}
	}
	slices.SortStableFunc(all, func(a, b message) int { return cmp.Or(a.posted.Compare(b.posted), cmp.Compare(a.user, b.user)) })
	for i := range all {
		all[i].id = fmt.Sprintf("S%05d", 1001+i)
	}
	return all
}

func draw(r *rand.Rand, n int) message {
	place, subject := pickRegion(r), pickTopic(r)
	m := message{user: fmt.Sprintf("U%06d", 100000+n*17), posted: postedAt(r)}
	words, spots := subject.zh, spotsZh
	if r.Float64() < 0.3 {
		words, spots, m.english = subject.en, spotsEn, true
	}
	fill := strings.NewReplacer("%P", place.name, "%S", pick(r, spots)).Replace
	m.subject = fill(pick(r, words.subjects))
	if r.Float64() < 0.06 { // some name no place at all
		m.subject = strings.TrimSpace(strings.NewReplacer(", "+place.name, "", " in "+place.name, "", place.name, "").Replace(m.subject))
	}
	facts := slices.Clone(words.facts)
	r.Shuffle(len(facts), func(i, j int) { facts[i], facts[j] = facts[j], facts[i] })
	separator := pick(r, []string{" ", " ", "\n"})
	m.text = fill(strings.Join(append(facts[:1+r.IntN(len(facts))], pick(r, words.asks)), separator))
	m.supported, m.opposed = int(r.ExpFloat64()*3), int(r.ExpFloat64()*0.3)
	m.postedDay = r.Float64() < 0.02
	answer(r, &m, subject.days*place.pace, fill(pick(r, words.replies)))
	return m
}

// answer draws the time to a reply: log-normal around its median, one matter in six never answered. A reply after the
// horizon is not known yet, so the message is open.
func answer(r *rand.Rand, m *message, median float64, text string) {
	never := r.Float64() < 1.0/6
	at := officeHour(r, m.posted.Add(time.Duration(median*1.6*math.Exp(r.NormFloat64()*0.9)*24*float64(time.Hour))))
	if never || at.After(horizon) || r.Float64() < 0.2 {
		return
	}
	m.reply, m.replied, m.repliedDay = text, at, r.Float64() < 0.03
}

// repeat lets the same user write again on the same matter, some days to weeks later.
func repeat(r *rand.Rand, first message) (message, bool) {
	again := first
	again.posted = first.posted.Add(time.Duration((2 + r.ExpFloat64()*18) * 24 * float64(time.Hour))).Round(time.Second)
	if again.posted.After(horizon) {
		return message{}, false
	}
	again.postedDay, again.reply = false, ""
	if r.Float64() < 0.5 {
		again.text += map[bool]string{true: "\nNothing has changed since I wrote.", false: "\n至今没有变化。"}[again.english]
	}
	return again, true
}

func pickRegion(r *rand.Rand) region {
	total := 0.0
	for _, c := range counties {
		total += float64(c.thousands) * c.writing
	}
	x := r.Float64() * total
	for _, c := range counties {
		if x -= float64(c.thousands) * c.writing; x < 0 {
			return c
		}
	}
	return counties[0]
}

func pickTopic(r *rand.Rand) topic {
	total := 0
	for _, t := range topics {
		total += t.weight
	}
	x := r.IntN(total)
	for _, t := range topics {
		if x -= t.weight; x < 0 {
			return t
		}
	}
	return topics[0]
}

func pick(r *rand.Rand, list []string) string { return list[r.IntN(len(list))] }

// postedAt: any day up to the horizon, most of all at noon and in the evening.
func postedAt(r *rand.Rand) time.Time {
	days := int(horizon.Sub(firstDay).Hours() / 24)
	hour := []float64{9.5, 12.5, 20.5}[r.IntN(3)] + r.NormFloat64()*1.6
	seconds := max(0, min(hour, 23.9)) * 3600
	return firstDay.AddDate(0, 0, r.IntN(days)).Add(time.Duration(seconds) * time.Second)
}

// officeHour moves a time to office hours of a weekday, not earlier.
func officeHour(r *rand.Rand, t time.Time) time.Time {
	if t.Hour() >= 17 {
		t = t.AddDate(0, 0, 1)
	}
	for t.Weekday() == time.Saturday || t.Weekday() == time.Sunday {
		t = t.AddDate(0, 0, 1)
	}
	y, m, d := t.Date()
	office := time.Date(y, m, d, 9, 0, 0, 0, zone).Add(time.Duration(r.IntN(8*3600)) * time.Second)
	if office.Before(t) {
		return t.Round(time.Second)
	}
	return office
}

func stamp(t time.Time, dayOnly bool) string {
	if dayOnly {
		return t.Format("2006/1/2")
	}
	return t.Format("2006/1/2 15:04:05")
}

// population gives every county, and its prefecture the sum, for two years.
func population() [][]string {
	const source = "invented for the bundled sample"
	rows := [][]string{{"code", "name", "year", "persons", "source"}}
	for year, factor := range map[int]float64{2024: 0.993, 2025: 1} {
		persons := map[string]int{}
		names := map[string]string{}
		for _, c := range counties {
			path := importer.Place{importer.DefaultProvince, c.name[:1] + "市", c.name}
			n := int(float64(c.thousands)*factor*1000) + len(c.name)*37
			for depth := 2; depth <= len(path); depth++ {
				persons[path[:depth].Code()] += n
				names[path[:depth].Code()] = path[depth-1]
			}
		}
		for code, n := range persons {
			rows = append(rows, []string{code, names[code], strconv.Itoa(year), strconv.Itoa(n), source})
		}
	}
	slices.SortFunc(rows[1:], func(a, b []string) int { return cmp.Or(cmp.Compare(a[0], b[0]), cmp.Compare(a[2], b[2])) })
	return rows
}

func encode(rows [][]string) []byte {
	var b bytes.Buffer
	if err := csv.NewWriter(&b).WriteAll(rows); err != nil {
		panic(fmt.Sprintf("generate: csv into memory: %v", err))
	}
	return b.Bytes()
}
