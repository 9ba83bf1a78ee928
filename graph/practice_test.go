package graph_test

import (
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// walk is the practice as docs/practice.md tells it, while it is done.
type walk struct {
	*office
	as        caller
	variables map[string]any
	last      reply
}

var (
	asRole = regexp.MustCompile("As `([A-Z_]+)`(?: of `(\\w+)`)?(?: who is `(\\w+)`)?:")
	later  = regexp.MustCompile(`\*\*(\d+) days later\.\*\*`)
	alias  = regexp.MustCompile(`\b(\w+): (?:id|consistency)\b`)
	wanted = regexp.MustCompile(`\$(\w+): (?:ID|String)!`)
)

// TestThePractice runs docs/practice.md as it stands: every request is answered, nothing is refused, and the road leads where the page
// says.
func TestThePractice(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("../docs/practice.md")
	require.NoError(t, err)
	w := walk{office: newOffice(t, options{warehouse: true}), variables: map[string]any{}}
	requests := 0
	for i, part := range strings.Split(string(page), "```") {
		if request, ok := strings.CutPrefix(part, "graphql\n"); ok && i%2 == 1 {
			w.ask(request)
			requests++
			continue
		}
		require.Zero(t, i%2, "a block of the page is no request: %s", part)
		w.read(part)
	}
	require.Greater(t, requests, 20)

	road := w.last
	turns := w.office.as("SUPERVISOR").get(`query($plan: ID!) { rotaSlots(first: 5, filter: {plan: $plan}) { nodes { state visit { state attestations { voice } } } } }`, map[string]any{"plan": w.variables["plan"]})
	require.Equal(t, "FULFILLED", turns.at(t, "rotaSlots", "nodes", 0, "state"))
	require.Equal(t, "CLOSED_OUT", turns.at(t, "rotaSlots", "nodes", 0, "visit", "state"))
	require.Equal(t, "HOST", turns.at(t, "rotaSlots", "nodes", 0, "visit", "attestations", 0, "voice"))
	judged := w.office.as("ASSESSOR").get(`query($id: ID!) { assessment(id: $id) { state snapshots { measure } history { kind } } }`, map[string]any{"id": w.variables["assessment"]})
	require.Equal(t, "FINAL", judged.text(t, "assessment", "state"))
	require.Len(t, judged.at(t, "assessment", "snapshots"), 2)
	require.Equal(t, "Pumps are renewed every ten years.", road.text(t, "policy", "versions", 0, "text"))
	require.Equal(t, "RETAINED", road.text(t, "policy", "versions", 0, "policyChange", "state"))
	evidence := road.at(t, "policy", "versions", 0, "policyChange", "evidence").([]any)
	require.Len(t, evidence, 3)
	require.Equal(t, "Riverside", road.text(t, "policy", "versions", 0, "policyChange", "evidence", 0, "visit", "site", "name"), "the visit came first")
	require.Equal(t, "CONFIRMED", road.text(t, "policy", "versions", 0, "policyChange", "evidence", 1, "issue", "closureType"))
	require.Equal(t, "EXITED", road.text(t, "policy", "versions", 0, "policyChange", "evidence", 2, "campaign", "state"))
}

// read follows what the text between the requests says: time goes on, somebody else acts.
func (w *walk) read(text string) {
	w.t.Helper()
	for _, m := range later.FindAllStringSubmatch(text, -1) {
		days, err := strconv.Atoi(m[1])
		require.NoError(w.t, err)
		w.clock.advance(time.Duration(days) * 24 * time.Hour)
	}
	if m := asRole.FindStringSubmatch(text); m != nil {
		w.as = caller{w.office, map[string]string{"Groundwork-Actor": "the-" + m[1], "Groundwork-Role": m[1]}}
		if m[2] != "" {
			unit, ok := w.variables[m[2]].(string)
			require.True(w.t, ok, "unit %s was not made yet", m[2])
			w.as.headers["Groundwork-Unit"] = unit
		}
		if m[3] != "" {
			official, ok := w.variables[m[3]].(string)
			require.True(w.t, ok, "official %s was not made yet", m[3])
			w.as.headers["Groundwork-Official"] = official
		}
	}
}

// ask makes a request of the page and keeps the ids that it names.
func (w *walk) ask(request string) {
	w.t.Helper()
	w.clock.advance(time.Minute)
	given := map[string]any{}
	for _, m := range wanted.FindAllStringSubmatch(request, -1) {
		require.Contains(w.t, w.variables, m[1], "nothing before has named it: %s", request)
		given[m[1]] = w.variables[m[1]]
	}
	w.last = w.as.get(request, given)
	names := map[string]bool{}
	for _, m := range alias.FindAllStringSubmatch(request, -1) {
		names[m[1]] = true
	}
	w.keep(request, names, w.last.Data)
	require.Empty(w.t, names, "not answered: %s", w.last.body)
}

// keep walks through an answer: nothing may be refused, and named ids become variables.
func (w *walk) keep(request string, names map[string]bool, answer any) {
	w.t.Helper()
	switch v := answer.(type) {
	case []any:
		for _, element := range v {
			w.keep(request, names, element)
		}
	case map[string]any:
		for name, value := range v {
			if name == "userErrors" {
				require.Empty(w.t, value, "%s", request)
			}
			if text, ok := value.(string); ok && names[name] {
				w.variables[name] = text
				delete(names, name)
			}
			w.keep(request, names, value)
		}
	}
}
