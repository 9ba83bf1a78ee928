package graph_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func (f *office) project(account string) caller {
	return caller{f, map[string]string{"Groundwork-Actor": account, "Groundwork-Role": "RESEARCHER"}}
}

// What the answers of a researcher's project, put side by side, may tell.
func TestResearchersCannotTakeAnswersFromEachOther(t *testing.T) {
	t.Parallel()
	f := newOffice(t, options{warehouse: true})
	var last reply
	for i := range 15 {
		kind := "COMPLAINT"
		if i < 2 {
			kind = "HELP"
		}
		last = f.as("INTAKE").get(`mutation($text: String!, $r: ID!, $kind: OpinionKind!) {
			submitOpinion(input: {channel: HOTLINE, kind: $kind, text: $text, subject: $text, regionId: $r}) { opinion { id } userErrors { message } } }`,
			map[string]any{"text": fmt.Sprintf("A hole, number %d", i), "r": f.city, "kind": kind})
		last = f.as("INTAKE").get(`mutation($o: ID!, $c: ID!) { registerIssue(input: {opinionIds: [$o], categoryId: $c, title: "A hole"}) { issue { id } consistency userErrors { message } } }`,
			map[string]any{"o": last.text(t, "submitOpinion", "opinion", "id"), "c": f.category})
	}
	token := last.text(t, "registerIssue", "consistency")
	f.as("SUPERVISOR").get(`query($t: String!) { backlog(query: {consistency: $t}) { n } }`, map[string]any{"t": token})

	ask := func(project, where string) reply {
		return f.project(project).ask(`{ backlog(query: {`+where+`}) { n about { asOf } } }`, nil)
	}
	refused := func(r reply, code string) {
		require.Len(t, r.Errors, 1)
		require.Equal(t, code, r.Errors[0].Extensions.Code, "%s", r.Errors[0].Message)
	}
	all := ask("roads", "")
	require.Empty(t, all.Errors)
	require.EqualValues(t, 15, all.at(t, "backlog", "n", 0))
	asOf, err := time.Parse(time.RFC3339, all.text(t, "backlog", "about", "asOf"))
	require.NoError(t, err)
	require.Equal(t, time.Monday, asOf.Add(8*time.Hour).Weekday())

	r := ask("roads", "where: {kind: {in: [COMPLAINT]}}")
	refused(r, "FORBIDDEN")
	require.NotContains(t, r.Errors[0].Message, " 2 ", "the refusal must not tell the number itself")
	require.Empty(t, ask("roads", "by: [KIND]").Errors, "the same issues, whose small cells are hidden anyway")
	require.Empty(t, ask("roads", "").Errors, "the same again tells nothing new")
	refused(ask("roads", "by: [DAY]"), "BAD_USER_INPUT")

	require.Empty(t, ask("parks", "where: {kind: {in: [COMPLAINT]}}").Errors, "another project has not seen the rest")
	refused(ask("parks", ""), "FORBIDDEN")
	require.Empty(t, f.as("ANALYST").ask(`{ backlog(query: {by: [DAY]}) { n } }`, nil).Errors, "the guard is for research")
}
