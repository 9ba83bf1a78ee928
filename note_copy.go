package groundwork

import (
	"hash/fnv"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/google/uuid"
)

// How notes of visits are compared (measure F3; docs/decisions/0200-copied-notes.md).
const (
	NoteDetector     = 1    // version of all this; notes that an earlier one looked at are not looked at again
	shingleLength    = 5    // characters
	copiedFrom       = 0.8  // containment from which a note is a copy
	fewestShingles   = 80   // of a note that can be called one
	commonShare      = 0.02 // of notes that have a shingle, above which it is template text
	commonAuthors    = 5    // who have it at least
	sketchOne        = 8    // one shingle in so many stands in the sketch
	OwnNoteMonths    = 24   // how far back a note is compared with those of its author
	UnitNoteMonths   = 12   // and with those of its unit
	MaxNoteSources   = 20   // earlier notes that are compared in full
	NotesForTemplate = 2000 // earlier notes that say what is template text
)

// NoteText is what is compared of a note: its letters, each with where it stands in the text as written.
type NoteText struct {
	VisitID, OfficialID uuid.UUID
	UnitID              *uuid.UUID
	At                  time.Time

	letters []rune // lower case, 0 where something was masked
	place   []int
	hashes  []uint64 // of the shingle that begins at each letter; 0 = none
}

// NewNoteText reads a note: punctuation and blanks go, and digits and the names given, which differ between copies too, are masked.
func NewNoteText(text string, names []string) *NoteText {
	n := &NoteText{}
	for _, name := range names {
		if name != "" {
			text = strings.ReplaceAll(text, name, strings.Repeat("0", len([]rune(name)))) // as long, so that places stay
		}
	}
	at := -1
	for _, r := range text {
		at++
		if r >= '！' && r <= '～' { // the wide forms of ASCII
			r -= '！' - '!'
		}
		switch {
		case unicode.IsDigit(r):
			n.letters, n.place = append(n.letters, 0), append(n.place, at)
		case unicode.IsLetter(r):
			n.letters, n.place = append(n.letters, unicode.ToLower(r)), append(n.place, at)
		}
	}
	n.hashes = make([]uint64, len(n.letters))
	for i := 0; i+shingleLength <= len(n.letters); i++ {
		if shingle := n.letters[i : i+shingleLength]; !slices.Contains(shingle, 0) {
			n.hashes[i] = shingleHash(shingle)
		}
	}
	return n
}

func shingleHash(shingle []rune) uint64 {
	h := fnv.New64a()
	_, _ = h.Write([]byte(string(shingle)))
	v := h.Sum64()
	// FNV's low bits follow from its input's; the sketch takes the low ones.
	v ^= v >> 33
	v *= 0xff51afd7ed558ccd
	v ^= v >> 33
	return max(v, 1)
}

// Shingles are the distinct ones that are no template text.
func (n *NoteText) Shingles(template map[uint64]bool) map[uint64]bool {
	set := map[uint64]bool{}
	for _, h := range n.hashes {
		if h != 0 && !template[h] {
			set[h] = true
		}
	}
	return set
}

// Sketch samples shingles by their hash, so that what two notes share stands in both sketches or in neither: the sampling form of min-wise hashing, which
// finds a short note in a long one (Broder 1997). It only proposes.
func (n *NoteText) Sketch(template map[uint64]bool) []int64 {
	sketch := []int64{}
	for h := range n.Shingles(template) {
		if h%sketchOne == 0 {
			sketch = append(sketch, int64(h)) //nolint:gosec // any 64 bits
		}
	}
	slices.Sort(sketch)
	return sketch
}

// NoteTemplate is the text that many authors use: shingles found in more than 2 % of the notes, and with several authors, so that somebody who copies himself
// makes no template of it.
func NoteTemplate(notes []*NoteText) map[uint64]bool {
	type use struct {
		notes   int
		authors map[uuid.UUID]bool
	}
	uses := map[uint64]*use{}
	for _, n := range notes {
		for h := range n.Shingles(nil) {
			if uses[h] == nil {
				uses[h] = &use{authors: map[uuid.UUID]bool{}}
			}
			uses[h].notes++
			if len(uses[h].authors) < commonAuthors {
				uses[h].authors[n.OfficialID] = true
			}
		}
	}
	template := map[uint64]bool{}
	for h, u := range uses {
		if float64(u.notes) > commonShare*float64(len(notes)) && len(u.authors) >= commonAuthors {
			template[h] = true
		}
	}
	return template
}

// NoteCopy is what was found of a note: the earlier one that holds most of it.
type NoteCopy struct {
	Shingles    int
	Source      *NoteText // nil = nothing of it stands in an earlier note
	Own         bool      // of the same author
	Containment float64
	Copied      bool
	Span        *NoteSpan // the longest passage that stands in both; nil without
}

// NoteCheck is what was found of a visit's note, as it is kept (measure F3). The official who led the visit, assessors and supervisors see it.
type NoteCheck struct {
	VisitID     uuid.UUID
	SourceID    *uuid.UUID // the visit whose note holds most of it; nil = nothing of it stands in an earlier note
	Own         bool       // that note is of the same author
	Containment float64    // share of the note's shingles that stand in the source
	Shingles    int
	Copied      bool
	Passage     *string // the longest that stands in both, as the note has it; nil without, and once the note was taken away
	PassageFrom *int    // where it begins in the note, in characters
	SourceFrom  *int    // and where in the source
	CheckedAt   time.Time
}

// NoteSpan is a passage of a note and where it stands in its source, in characters of the texts as written.
type NoteSpan struct{ From, Length, SourceFrom int }

// Compare finds among earlier notes the one that holds most of this one; of equals the earliest. Those are compared that Reaches admits.
func (n *NoteText) Compare(earlier []*NoteText, template map[uint64]bool) NoteCopy {
	own := n.Shingles(template)
	c := NoteCopy{Shingles: len(own)}
	if len(own) == 0 {
		return c
	}
	for _, e := range earlier {
		if !n.Reaches(e) {
			continue
		}
		shared := 0
		for h := range e.Shingles(template) {
			if own[h] {
				shared++
			}
		}
		containment := float64(shared) / float64(len(own))
		if containment > c.Containment || containment == c.Containment && c.Source != nil && e.before(c.Source) {
			c.Source, c.Containment = e, containment
		}
	}
	if c.Source != nil {
		c.Own = c.Source.OfficialID == n.OfficialID
		c.Copied = c.Containment >= copiedFrom && c.Shingles >= fewestShingles
		c.Span = n.span(c.Source)
	}
	return c
}

// Reaches reports whether a note is compared with an earlier one: of its author during 24 months, of its unit during 12.
func (n *NoteText) Reaches(e *NoteText) bool {
	if !e.before(n) {
		return false
	}
	if e.OfficialID == n.OfficialID && e.At.After(n.At.AddDate(0, -OwnNoteMonths, 0)) {
		return true
	}
	return e.UnitID != nil && n.UnitID != nil && *e.UnitID == *n.UnitID && e.At.After(n.At.AddDate(0, -UnitNoteMonths, 0))
}

func (n *NoteText) before(other *NoteText) bool {
	if n.At.Equal(other.At) {
		return n.VisitID.String() < other.VisitID.String()
	}
	return n.At.Before(other.At)
}

// span is the longest run of letters that stands in both, masked ones left out.
func (n *NoteText) span(source *NoteText) *NoteSpan {
	starts := map[uint64][]int{}
	for i, h := range source.hashes {
		if h != 0 {
			starts[h] = append(starts[h], i)
		}
	}
	best, at, from := 0, 0, 0
	for i := 0; i < len(n.hashes)-best; i++ {
		for _, j := range starts[n.hashes[i]] {
			length := 0
			for i+length < len(n.letters) && j+length < len(source.letters) && n.letters[i+length] != 0 && n.letters[i+length] == source.letters[j+length] {
				length++
			}
			if length > best {
				best, at, from = length, i, j
			}
		}
	}
	if best == 0 {
		return nil
	}
	return &NoteSpan{From: n.place[at], Length: n.place[at+best-1] - n.place[at] + 1, SourceFrom: source.place[from]}
}
