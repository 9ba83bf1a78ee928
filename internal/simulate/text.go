package simulate

import (
	"strconv"
	"strings"
)

// words are what an opinion says.
type words struct{ subject, text string }

func (t *topic) fill(c chance, template, place, spot string) string {
	if !strings.Contains(template, "%") {
		return template
	}
	var b strings.Builder
	for {
		before, after, found := strings.Cut(template, "%")
		b.WriteString(before)
		if !found {
			return b.String()
		}
		switch after[0] {
		case 'P':
			b.WriteString(place)
		case 'S':
			b.WriteString(spot)
		case 'N':
			b.WriteString(strconv.Itoa(2 + c.IntN(38)))
		case 'W':
			b.WriteString(pick(c, spans))
		}
		template = after[1:]
	}
}

// opinion writes an opinion on a topic at a place.
func (t *topic) opinion(c chance, place string) words {
	spot := pick(c, spots)
	facts := c.Perm(len(t.facts))[:1+c.IntN(len(t.facts))]
	var b strings.Builder
	for _, f := range facts {
		b.WriteString(t.fill(c, t.facts[f], place, spot))
	}
	b.WriteString(pick(c, t.asks))
	return words{t.fill(c, pick(c, t.subjects), place, spot), b.String()}
}

var additions = []string{"我也遇到同样的问题。", "邻居们都有意见。", "再次反映，盼重视。", "至今没有改善。", "情况属实，请尽快处理。"}

// again says the same in almost the same words.
func (o words) again(c chance) words {
	return words{o.subject, o.text + pick(c, additions)}
}
