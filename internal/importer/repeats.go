package importer

import (
	"cmp"
	"slices"
	"strings"
	"time"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// The rule of repeats, for humans: two messages are about the same matter if the same user of the same source wrote
// both, within 180 days of each other, about the same place or one that contains the other (an unnamed place contains
// all), and they say the same: the subjects are equal, or the texts are, or at least half of all three-character
// sequences of subject and text together occur in both (punctuation, spaces, case and character width aside). A message
// that repeats another joins its issue; one that repeats messages of several issues joins the issue that began first.
// Issues are never merged or split by an import: a link, once made, stays.
//
// The half is deliberately cautious. Among messages of one user on the real board, unrelated pairs share under 0.25
// (usually under 0.1) of their sequences, even those of a prolific writer with a fixed opening; from 0.5 upwards every
// pair read was the same matter. Between them lie both, so they stay apart: a missed repeat is a second issue that an
// official can merge, a false one would hide a citizen's matter behind another.
const (
	repeatDays       = 180
	repeatSimilarity = 0.5
	// Under this many characters, equality ("咨询", "Help") and similarity say nothing about the matter.
	repeatMinLength = 8
)

// Linked is an opinion that already belongs to an issue.
type Linked struct {
	Issue  string // the store's key of the issue
	Record Record
}

// Assignment tells which issue a fresh record belongs to.
type Assignment struct {
	// Issue is the key of the existing issue that the record joins; empty if it opens one or joins one that an other
	// fresh record opens.
	Issue string
	// Lead is the index of the fresh record that opens the issue (the record's own index if it does). -1 with Issue.
	Lead int
	// Known: an existing opinion has the same Source and ExternalID, so this is not a new opinion.
	Known bool
	// Score is the similarity, 0 to 1, to the most similar message of the issue; 0 for a record that opens one.
	Score float64
}

// GroupRepeats partitions records into issues by the rule above: each index occurs once, members and groups in order of
// time. The grouping depends on the set of records, not on their order.
func GroupRepeats(records []Record) [][]int {
	byLead := map[int][]int{}
	for i, a := range Link(nil, records) {
		byLead[a.Lead] = append(byLead[a.Lead], i)
	}
	order := func(a, b int) int { return compareRecords(&records[a], &records[b]) }
	groups := make([][]int, 0, len(byLead))
	for _, group := range byLead {
		slices.SortStableFunc(group, order)
		groups = append(groups, group)
	}
	slices.SortFunc(groups, func(a, b []int) int { return cmp.Or(order(a[0], b[0]), a[0]-b[0]) })
	return groups
}

// Link assigns fresh records to issues; the result is parallel to fresh. Existing links are kept as they are. Pass all
// opinions that the store holds of the fresh records' reporters: others cannot match. Fresh records are taken in order
// of time, so that importing a file that grew at its end links as importing the whole at once would.
func Link(existing []Linked, fresh []Record) []Assignment {
	authors := map[string]*author{}
	known := map[[2]string]string{}
	for i := range existing {
		r := &existing[i].Record
		known[[2]string{r.Source, r.ExternalID}] = existing[i].Issue
		if key := authorKey(r); key != "" {
			authorOf(authors, key).remember(existing[i].Issue, r)
		}
	}
	order := make([]int, len(fresh))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return compareRecords(&fresh[a], &fresh[b]) })

	out := make([]Assignment, len(fresh))
	for _, i := range order {
		if issue, ok := known[[2]string{fresh[i].Source, fresh[i].ExternalID}]; ok {
			out[i] = Assignment{Issue: issue, Lead: -1, Known: true, Score: 1}
			continue
		}
		out[i] = Assignment{Lead: i}
		if key := authorKey(&fresh[i]); key != "" {
			out[i] = authorOf(authors, key).link(i, &fresh[i])
		}
	}
	return out
}

func compareRecords(a, b *Record) int {
	return cmp.Or(a.ReceivedAt.Compare(b.ReceivedAt), cmp.Compare(a.Source, b.Source), cmp.Compare(a.ExternalID, b.ExternalID))
}

// authorKey is empty for messages whose author cannot be told from others.
func authorKey(r *Record) string {
	switch strings.ToLower(r.ReporterKey) {
	case "", "匿名", "匿名用户", "匿名网友", "游客", "网友", "anonymous", "guest":
		return ""
	}
	return r.Source + "\x00" + r.ReporterKey
}

// author is one reporter's matters.
type author struct{ matters []*matter }

// matter is one issue with the messages that one reporter wrote on it.
type matter struct {
	issue    string // of an existing issue
	lead     int    // of a new one
	first    *Record
	messages []*message
}

func authorOf(authors map[string]*author, key string) *author {
	if authors[key] == nil {
		authors[key] = &author{}
	}
	return authors[key]
}

func (a *author) remember(issue string, r *Record) {
	for _, m := range a.matters {
		if m.issue == issue {
			m.add(newMessage(r))
			return
		}
	}
	a.matters = append(a.matters, &matter{issue: issue, lead: -1, first: r, messages: []*message{newMessage(r)}})
}

// link puts a fresh record into the matter it repeats that began first, or opens one.
func (a *author) link(index int, r *Record) Assignment {
	fresh := newMessage(r)
	var best *matter
	var score float64
	for _, m := range a.matters {
		if s := m.similarity(fresh); s > 0 && (best == nil || compareRecords(m.first, best.first) < 0) {
			best, score = m, s
		}
	}
	if best == nil {
		a.matters = append(a.matters, &matter{lead: index, first: r, messages: []*message{fresh}})
		return Assignment{Lead: index}
	}
	best.add(fresh)
	return Assignment{Issue: best.issue, Lead: best.lead, Score: score}
}

func (m *matter) add(msg *message) {
	m.messages = append(m.messages, msg)
	if compareRecords(msg.record, m.first) < 0 {
		m.first = msg.record
	}
}

// similarity to the most similar message that the fresh one repeats; 0 if it repeats none.
func (m *matter) similarity(fresh *message) float64 {
	best := 0.0
	for _, msg := range m.messages {
		best = max(best, repeats(msg, fresh))
	}
	return best
}

// message is a record made comparable.
type message struct {
	record        *Record
	subject, text string
	shingles      []uint64 // sorted, distinct; built when first needed
}

func newMessage(r *Record) *message {
	return &message{record: r, subject: essence(r.Subject), text: essence(r.Text)}
}

// repeats is the rule: the similarity of two messages on the same matter, 0 if they are not.
func repeats(a, b *message) float64 {
	if a.record.ReceivedAt.Sub(b.record.ReceivedAt).Abs() > repeatDays*24*time.Hour {
		return 0
	}
	if !a.record.Place.Contains(b.record.Place) && !b.record.Place.Contains(a.record.Place) {
		return 0
	}
	if same(a.subject, b.subject) || same(a.text, b.text) {
		return 1
	}
	if s := jaccard(a.sequences(), b.sequences()); s >= repeatSimilarity {
		return s
	}
	return 0
}

func same(a, b string) bool { return a == b && len([]rune(a)) >= repeatMinLength }

// essence keeps letters and digits, in one case and width.
func essence(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			return unicode.ToLower(r)
		}
		return -1
	}, norm.NFKC.String(s))
}

// sequences are the distinct three-character sequences of subject and text, each packed into 63 bits.
func (m *message) sequences() []uint64 {
	runes := []rune(m.subject + m.text)
	if m.shingles != nil || len(runes) < repeatMinLength {
		return m.shingles
	}
	for i := 0; i+2 < len(runes); i++ {
		m.shingles = append(m.shingles, uint64(runes[i])<<42|uint64(runes[i+1])<<21|uint64(runes[i+2]))
	}
	slices.Sort(m.shingles)
	m.shingles = slices.Compact(m.shingles)
	return m.shingles
}

// jaccard is the share of common elements of two sorted sets; 0 if one is empty.
func jaccard(a, b []uint64) float64 {
	if len(a) == 0 || len(b) == 0 {
		return 0
	}
	common, i, j := 0, 0, 0
	for i < len(a) && j < len(b) {
		switch {
		case a[i] < b[j]:
			i++
		case a[i] > b[j]:
			j++
		default:
			common, i, j = common+1, i+1, j+1
		}
	}
	return float64(common) / float64(len(a)+len(b)-common)
}
