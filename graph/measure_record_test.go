package graph_test

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

const snapshotReply = ` { measureSnapshot { id measure sha256 document asOf rowCount protected takenByRole cells question definition { code version fields }
	subjectUnit { id } subjectPost { id } } userErrors { code message field } consistency clientMutationId } }`

// A figure is kept, cited and recomputed: whatever happens later, what was known then stays what it was, bit by bit.
func TestSnapshotsThroughTheAPI(t *testing.T) {
	t.Parallel()
	f := newOffice(t, options{warehouse: true})
	for range 3 {
		f.issue("A hole in the road")
		f.clock.advance(time.Hour)
	}
	dispatched := f.issue("Another")
	token := f.done("DISPATCHED", "DISPATCHER", "dispatchIssue", dispatched, `unitId: "`+f.bureau+`"`).text(t, "s", "consistency")
	f.clock.advance(time.Minute)
	supervisor := f.as("SUPERVISOR")
	supervisor.headers["Groundwork-Unit"] = f.callers
	take := func(c caller, input string) reply {
		return c.get(`mutation { s: takeSnapshot(input: {`+input+`})`+snapshotReply, nil)
	}
	taken := take(supervisor, `measure: T4, by: [REGION], consistency: "`+token+`"`)
	require.Empty(t, taken.at(t, "s", "userErrors"))
	id, hash := taken.text(t, "s", "measureSnapshot", "id"), taken.text(t, "s", "measureSnapshot", "sha256")
	sum := sha256.Sum256([]byte(taken.text(t, "s", "measureSnapshot", "document")))
	require.Equal(t, hex.EncodeToString(sum[:]), hash, "anybody can compute the hash")
	require.Equal(t, []any{float64(4)}, taken.at(t, "s", "measureSnapshot", "cells", "n"))
	require.Equal(t, "Backlog", taken.text(t, "s", "measureSnapshot", "definition", "fields", "name"))
	ofUnit := take(supervisor, `measure: T4, subject: {unitId: "`+f.bureau+`"}, consistency: "`+token+`"`)
	require.Equal(t, []any{float64(1)}, ofUnit.at(t, "s", "measureSnapshot", "cells", "n"))
	require.Equal(t, f.bureau, ofUnit.text(t, "s", "measureSnapshot", "subjectUnit", "id"))
	open := take(f.as("ANALYST"), `measure: T4, by: [REGION], consistency: "`+token+`", clientMutationId: "m"`)
	require.Equal(t, true, open.at(t, "s", "measureSnapshot", "protected"))
	require.Equal(t, []any{true}, open.at(t, "s", "measureSnapshot", "cells", "flags", "suppressed"), "four reporters are too few")
	require.Equal(t, open.text(t, "s", "measureSnapshot", "id"),
		take(f.as("ANALYST"), `measure: T4, by: [REGION], consistency: "`+token+`", clientMutationId: "m"`).text(t, "s", "measureSnapshot", "id"))

	f.clock.advance(48 * time.Hour) // life goes on
	f.issue("A third")
	later := f.done("IN_PROGRESS", "HANDLER", "acceptIssue", dispatched, ``).text(t, "s", "consistency")
	fresh := f.as("SUPERVISOR").get(fmt.Sprintf(`{ measures(query: {measures: [T4], consistency: %q}) { about { fresh } numbers { n } } }`, later), nil)
	require.Equal(t, true, fresh.at(t, "measures", "about", 0, "fresh"))
	require.Equal(t, []any{float64(5)}, fresh.at(t, "measures", "numbers", 0, "n"))
	for _, snapshot := range []string{id, ofUnit.text(t, "s", "measureSnapshot", "id"), open.text(t, "s", "measureSnapshot", "id")} {
		v := supervisor.get(`query($id: ID!) { verifySnapshot(id: $id) { outcome sha256 recomputedSha256 } }`, map[string]any{"id": snapshot})
		require.Equal(t, "SAME", v.text(t, "verifySnapshot", "outcome"), "%s", v.body)
		require.Equal(t, v.text(t, "verifySnapshot", "sha256"), v.text(t, "verifySnapshot", "recomputedSha256"))
	}

	t.Run("who sees it", func(t *testing.T) {
		ask := `query($id: ID!) { measureSnapshot(id: $id) { id } node(id: $id) { id } verifySnapshot(id: $id) { outcome } measureSnapshots(first: 5) { nodes { id } } }`
		for _, role := range []string{"CITIZEN", "ANALYST", "RESEARCHER"} {
			r := f.as(role).get(ask, map[string]any{"id": id})
			require.Nil(t, r.at(t, "measureSnapshot"), role)
			require.Nil(t, r.at(t, "node"), role)
			require.Nil(t, r.at(t, "verifySnapshot"), role)
			require.Len(t, r.at(t, "measureSnapshots", "nodes"), 1, "what small numbers are hidden in is for %s", role)
		}
		require.NotNil(t, f.as("HANDLER").get(ask, map[string]any{"id": id}).at(t, "node"))
		require.Nil(t, f.as("HANDLER").get(ask, map[string]any{"id": ofUnit.text(t, "s", "measureSnapshot", "id")}).at(t, "node"))
		require.NotNil(t, f.as("UNIT_HEAD").get(ask, map[string]any{"id": ofUnit.text(t, "s", "measureSnapshot", "id")}).at(t, "node"), "the head of the unit")
	})
	t.Run("refusals", func(t *testing.T) {
		for input, want := range map[string][2]string{
			`measure: T4, asOf: "2036-01-01T00:00:00Z"`:          {"BAD_USER_INPUT", "asOf"},
			`measure: T4, limit: 0`:                              {"BAD_USER_INPUT", "limit"},
			`measure: T4, where: {region: {codeIn: ["x"]}}`:      {"BAD_USER_INPUT", "where.region"},
			`measure: T4, subject: {}`:                           {"BAD_USER_INPUT", "subject"},
			`measure: T4, subject: {unitId: "` + f.city + `"}`:   {"BAD_USER_INPUT", "subject.unitId"},
			`measure: I2, subject: {unitId: "` + f.bureau + `"}`: {"BAD_USER_INPUT", "where"},
		} {
			r := take(supervisor, input)
			require.Equal(t, want[0], r.text(t, "s", "userErrors", 0, "code"), "%s: %s", input, r.body)
			require.Equal(t, want[1], r.text(t, "s", "userErrors", 0, "field"), input)
		}
		r := take(f.as("UNIT_HEAD"), `measure: T4, subject: {unitId: "`+f.callers+`"}`)
		require.Equal(t, "FORBIDDEN", r.text(t, "s", "userErrors", 0, "code"), "another's unit")
	})
	versions := f.as("CITIZEN").get(`{ measureDefinitionVersions(codes: [T4, F1]) { id code version definitionVersion sha256 fields } }`, nil)
	require.Len(t, versions.at(t, "measureDefinitionVersions"), 2)
	require.Equal(t, "F1", versions.text(t, "measureDefinitionVersions", 0, "code"))
}

func TestTargetsThroughTheAPI(t *testing.T) {
	t.Parallel()
	g := newGoesDown(t)
	supervisor := g.as("SUPERVISOR")
	supervisor.headers["Groundwork-Unit"] = g.callers
	ask := func(c caller, mutation, input string) reply {
		return c.get(`mutation { s: `+mutation+`(input: {`+input+`}) { target { id version value state permittedTransitions } userErrors { code field } consistency clientMutationId } }`, nil)
	}
	const year = `periodFrom: "2026-01-01", periodTo: "2027-01-01", measure: F1, direction: AT_MOST`
	made := ask(supervisor, "setTarget", `subject: {postId: "`+g.post+`"}, value: 0.3, clientMutationId: "m", `+year)
	require.Empty(t, made.at(t, "s", "userErrors"))
	id := made.text(t, "s", "target", "id")
	require.Equal(t, id, ask(supervisor, "setTarget", `subject: {postId: "`+g.post+`"}, value: 0.3, clientMutationId: "m", `+year).text(t, "s", "target", "id"))
	require.Equal(t, "CONFLICT", ask(supervisor, "setTarget", `subject: {postId: "`+g.post+`"}, value: 0.1, `+year).text(t, "s", "userErrors", 0, "code"))
	require.Equal(t, "subject", ask(supervisor, "setTarget", `subject: {}, value: 0.1, `+year).text(t, "s", "userErrors", 0, "field"))
	require.Equal(t, "CONFLICT", ask(supervisor, "reviseTarget", `targetId: "`+id+`", direction: AT_MOST, value: 0.2, reason: "x", expectedVersion: 7`).text(t, "s", "userErrors", 0, "code"))
	require.Equal(t, "reason", ask(supervisor, "withdrawTarget", `targetId: "`+id+`", reason: ""`).text(t, "s", "userErrors", 0, "field"))
	g.clock.advance(time.Minute)
	require.EqualValues(t, 0.2, ask(supervisor, "reviseTarget", `targetId: "`+id+`", direction: AT_MOST, value: 0.2, reason: "Better means", expectedVersion: 1`).at(t, "s", "target", "value"))

	read := `query($id: ID!) { target(id: $id) { measure number periodTo subjectPost { id } subjectUnit { id } history { kind detail } }
		targets(first: 5, filter: {measures: [F1], states: [SET], on: "2026-06-01"}) { nodes { id } } node(id: $id) { id } }`
	mine := g.leader().get(read, map[string]any{"id": id})
	require.Equal(t, g.post, mine.text(t, "target", "subjectPost", "id"))
	require.EqualValues(t, 0.3, mine.at(t, "target", "history", 0, "detail", "value"), "what it was stays in the history")
	require.Len(t, mine.at(t, "targets", "nodes"), 1)
	stranger := g.as("LEADER").get(read, map[string]any{"id": id})
	require.Nil(t, stranger.at(t, "target"))
	require.Nil(t, stranger.at(t, "node"))
	require.Empty(t, stranger.at(t, "targets", "nodes"))
	g.clock.advance(time.Minute)
	require.Equal(t, "WITHDRAWN", ask(supervisor, "withdrawTarget", `targetId: "`+id+`", reason: "Another measure"`).text(t, "s", "target", "state"))
}
