package graph_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"groundwork/warehouse"
)

// typedField is a field of the API that answers one measure in columns of its own.
type typedField struct {
	code   string
	n      string // a number of the measure that rests on all units of its row
	window string // its arguments for the window of the anchor, if it has any
	flags  []string
	by     []string // what it is split by instead of what the question says; nil = as the question says
}

var typedFields = map[string]typedField{
	"timeToResponse":   {code: "T1", n: "responded"},
	"timeToResolution": {code: "T2", n: "open"},
	"backlog":          {code: "T4", n: "open"},
	"satisfaction":     {code: "Q2", n: "satisfied", window: "range: $range"},
	"hotspots":         {code: "H1", n: "issues", window: "from: $from, to: $to", flags: []string{"noPopulation"}},
	"equityFunnel":     {code: "E1", n: "crude", flags: []string{"above", "below"}},
	"coverage":         {code: "I2", n: "visitedSites", by: []string{"REGION"}},
	"policyEffect":     {code: "P1", n: "treated", flags: []string{"descriptive", "preTrend"}, by: []string{"POLICY_CHANGE"}},
}

// admits: places are asked for by questions of the practice, and what compares regions by those that split by region.
func (f typedField) admits(q question) bool {
	if m, has := threeWays[f.code]; has {
		return m.admits(q)
	}
	return q.practice
}

// sameTyped compares what the typed fields answer with what measures answers to the same question, to those who see all and to those from whom small
// numbers are hidden, and returns how many numbers there were.
func (w *province) sameTyped(t *testing.T, q question) (compared int) {
	t.Helper()
	for _, role := range []string{"SUPERVISOR", "ANALYST"} {
		for _, name := range slices.Sorted(maps.Keys(typedFields)) {
			if f := typedFields[name]; f.admits(q) {
				compared += w.sameField(t, role, name, f, q)
			}
		}
		if q.practice {
			w.sameFormalism(t, role, q)
		}
	}
	return compared
}

func (w *province) sameField(t *testing.T, role, name string, f typedField, q question) int {
	t.Helper()
	if f.by != nil {
		q.by, q.grain = f.by, ""
	}
	if f.window == "" {
		q.windowFrom, q.windowTo = nil, nil
	}
	input := q.input()
	general := maps.Clone(input)
	general["measures"] = []string{f.code}
	asSplit(input)
	variables := map[string]any{"q": input, "range": between(q.windowFrom, q.windowTo), "from": q.windowFrom, "to": q.windowTo}
	declared := map[string]string{"": "", "range: $range": ", $range: DateTimeFilter", "from: $from, to: $to": ", $from: DateTime, $to: DateTime"}[f.window]

	var columns []string
	measure, _ := warehouse.MeasureByCode(f.code)
	for _, c := range measure.Columns {
		columns = append(columns, c.Name+" { unit values ciLow ciHigh suppressed }")
	}
	flags := append([]string{"unstable", "provisional", "suppressed"}, f.flags...)
	typed := fmt.Sprintf(`query($q: MeasureQuery!%s) { answer: %s(query: $q %s) { dimensions { dimension codes labels } n %s %s about `+aboutAnswer+` } }`,
		declared, name, f.window, strings.Join(columns, " "), strings.Join(flags, " "))
	const measures = `query($q: MeasuresQuery!) { answer: measures(query: $q) { dimensions { dimension codes labels } numbers { name unit n values ciLow ciHigh suppressed unstable provisional } flags { name values } about ` + aboutAnswer + ` } }`
	caller := w.as(t, role)
	asked, same := caller.get(typed, variables), caller.get(measures, map[string]any{"q": general})

	who := fmt.Sprintf("%s to %s: %s, seed %d", name, role, q, w.seed)
	require.Equal(t, same.at(t, "answer", "dimensions"), asked.at(t, "answer", "dimensions"), "%s", who)
	require.Equal(t, same.at(t, "answer", "about", 0), asked.at(t, "answer", "about"), "%s", who)
	require.Len(t, same.at(t, "answer", "numbers"), len(columns), "%s", who)
	known := 0
	for i := range columns {
		number := same.text(t, "answer", "numbers", i, "name")
		for _, part := range []string{"unit", "values", "ciLow", "ciHigh", "suppressed"} {
			require.Equal(t, same.at(t, "answer", "numbers", i, part), asked.at(t, "answer", number, part), "%s of %s, %s", part, number, who)
		}
		if number == f.n {
			for _, part := range []string{"unstable", "provisional"} {
				require.Equal(t, same.at(t, "answer", "numbers", i, part), asked.at(t, "answer", part), "%s of %s, %s", part, number, who)
			}
			for row := range asked.at(t, "answer", "suppressed").([]any) {
				whole, part := asked.at(t, "answer", "suppressed", row), same.at(t, "answer", "numbers", i, "suppressed", row)
				if whole == part {
					require.Equal(t, same.at(t, "answer", "numbers", i, "n", row), asked.at(t, "answer", "n", row), "n of %s, %s", number, who)
				} else { // a number can be hidden alone, and only so
					require.Equal(t, []any{true, nil}, []any{part, asked.at(t, "answer", number, "values", row)}, "suppressed of %s, %s", number, who)
				}
			}
		}
		for _, v := range asked.at(t, "answer", number, "values").([]any) {
			if v != nil {
				known++
			}
		}
	}
	found := map[string]any{}
	for i := range same.at(t, "answer", "flags").([]any) {
		found[same.text(t, "answer", "flags", i, "name")] = same.at(t, "answer", "flags", i, "values")
	}
	for _, flag := range f.flags {
		require.Equal(t, found[flag], asked.at(t, "answer", flag), "%s, %s", flag, who)
	}
	return known
}

// asSplit makes of the input of measures that of a typed field: a grain is a split like any other, and the window stands beside the query.
func asSplit(input map[string]any) {
	if grain, has := input["grain"].(string); has {
		input["by"] = append(slices.Clone(input["by"].([]string)), grain)
	}
	delete(input, "grain")
	delete(input, "range")
}

const aboutAnswer = "{ measure definitionVersion anchor method asOf notes rowCount excluded { reason count } }"

// sameFormalism asks for as many indicators as measures answers at once.
func (w *province) sameFormalism(t *testing.T, role string, q question) {
	t.Helper()
	indicators := []string{"F1", "F2", "F3", "F5", "F7"}
	if q.grain == "" {
		indicators = append(indicators, "F4", "F6")
	}
	w.rnd.Shuffle(len(indicators), func(i, j int) { indicators[i], indicators[j] = indicators[j], indicators[i] })
	indicators = indicators[:min(len(indicators), 6)]
	input := q.input()
	general := maps.Clone(input)
	general["measures"] = indicators
	asSplit(input)
	const answer = `{ rowCount truncated dimensions { dimension codes labels } numbers { measure name unit n values ciLow ciHigh suppressed unstable provisional } flags { measure name values } about ` + aboutAnswer + ` }`
	caller := w.as(t, role)
	asked := caller.get(`query($q: MeasureQuery!, $range: DateTimeFilter, $i: [MeasureCode!]!) { answer: formalism(query: $q, range: $range, indicators: $i) `+answer+" }",
		map[string]any{"q": input, "range": between(q.windowFrom, q.windowTo), "i": indicators})
	same := caller.get("query($q: MeasuresQuery!) { answer: measures(query: $q) "+answer+" }", map[string]any{"q": general})
	require.Equal(t, same.Data, asked.Data, "formalism to %s: %v %s, seed %d", role, indicators, q, w.seed)
}
