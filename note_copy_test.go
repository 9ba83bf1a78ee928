package groundwork_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"groundwork"
)

func note(text string, official uuid.UUID, at time.Time, names ...string) *groundwork.NoteText {
	n := groundwork.NewNoteText(text, names)
	n.VisitID, n.OfficialID, n.At = uuid.New(), official, at
	return n
}

// The golden example: the name of the village was swapped; and a note of another matter.
func TestHowMuchOfANoteIsCopied(t *testing.T) {
	t.Parallel()
	author, day := uuid.New(), time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	b := note("今天到东风社区走访群众，了解供水问题，并现场协调水务公司三日内修复。", author, day)
	c := note("在双河村座谈时，村民提出灌渠淤塞，影响秋灌，建议先清淤再硬化。", author, day)
	a := note("今天到红旗社区走访群众，了解供水问题，并现场协调水务公司三日内修复。", author, day.AddDate(0, 1, 0))
	found := a.Compare([]*groundwork.NoteText{b, c}, nil)
	require.Equal(t, 27, found.Shingles)
	require.InDelta(t, 0.8148148148148148, found.Containment, 1e-12)
	require.Same(t, b, found.Source)
	require.True(t, found.Own)
	require.False(t, found.Copied, "fewer than 80 shingles are too few to say so")
	require.Equal(t, &groundwork.NoteSpan{From: 5, Length: 28, SourceFrom: 5}, found.Span, "社区走访 … 三日内修复")
	require.Zero(t, a.Compare([]*groundwork.NoteText{c}, nil).Containment)
	require.Nil(t, a.Compare([]*groundwork.NoteText{c}, nil).Source)

	masked := note("今天到红旗社区走访群众，了解供水问题，并现场协调水务公司三日内修复。", author, day.AddDate(0, 1, 0), "红旗")
	whole := masked.Compare([]*groundwork.NoteText{note("今天到东风社区走访群众，了解供水问题，并现场协调水务公司三日内修复。", author, day, "东风")}, nil)
	require.InDelta(t, 1.0, whole.Containment, 1e-12, "with the names of their places masked, it is the same note")
}

func TestCopiedNotes(t *testing.T) {
	t.Parallel()
	author, colleague, unit, day := uuid.New(), uuid.New(), uuid.New(), time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	const text = "We met the workers of the rolling mill at the gate and heard that the bus no longer stops there after nine in the evening, " +
		"so that the late shift walks along the road without lamps; the depot promised a stop until the end of the month."
	at := func(months int) time.Time { return day.AddDate(0, months, 0) }
	later := note(strings.ToUpper(text)+" Three more spoke of wages.", author, at(0))
	later.UnitID = &unit
	own, others := note(text, author, at(-20)), note(text, colleague, at(-20))
	others.UnitID = &unit
	for name, c := range map[string]struct {
		earlier     []*groundwork.NoteText
		copied, own bool
	}{
		"of the author, 20 months ago":     {[]*groundwork.NoteText{own}, true, true},
		"of the unit, 20 months ago":       {[]*groundwork.NoteText{others}, false, false},
		"of the author, 25 months ago":     {[]*groundwork.NoteText{note(text, author, at(-25))}, false, false},
		"later":                            {[]*groundwork.NoteText{note(text, author, at(1))}, false, false},
		"the earliest of several is it":    {[]*groundwork.NoteText{note(text, author, at(-3)), own}, true, true},
		"in a note of many times its size": {[]*groundwork.NoteText{note(strings.Repeat("Something else altogether was the matter on that day. ", 40)+text, author, at(-2))}, true, true},
	} {
		found := later.Compare(c.earlier, nil)
		require.Equal(t, c.copied, found.Copied, name)
		require.Equal(t, c.own, found.Own, name)
		if name == "the earliest of several is it" {
			require.Same(t, own, found.Source)
		}
	}
	require.NotEmpty(t, intersection(own.Sketch(nil), later.Sketch(nil)), "the sketches propose what the comparison finds")
}

func intersection(a, b []int64) (both []int64) {
	for _, x := range a {
		for _, y := range b {
			if x == y {
				both = append(both, x)
			}
		}
	}
	return both
}

// What is found in more than 2 % of notes, and with several authors, is template text; what one author copies often is not.
func TestTemplateText(t *testing.T) {
	t.Parallel()
	day := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	const form, copied = "the following was noted in accordance with the rules", "children cross the busy road by themselves"
	var notes []*groundwork.NoteText
	copier := uuid.New()
	for i := range 300 {
		author, text := uuid.New(), strings.Repeat(string(rune('a'+i%26)), 4)+strings.Repeat(string(rune('a'+i/26)), 7)
		if i%20 == 0 {
			text += form
		}
		if i%20 == 1 {
			author, text = copier, text+copied
		}
		notes = append(notes, note(text, author, day))
	}
	template := groundwork.NoteTemplate(notes)
	require.Empty(t, note(form, copier, day).Shingles(template))
	require.Len(t, note(copied, copier, day).Shingles(template), len(note(copied, copier, day).Shingles(nil)))
}
