package graph_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestPages(t *testing.T) {
	t.Parallel()
	f := newOffice(t, options{})
	for i := range 5 {
		f.issue(fmt.Sprintf("Hole %d", i))
	}
	const page = `query($f: Int, $a: String, $l: Int, $b: String, $o: IssueOrder! = ORIGIN_ASC) {
		issues(first: $f, after: $a, last: $l, before: $b, orderBy: $o) {
			edges { cursor node { title } } nodes { title } pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
			totalCount(max: 3) { value capped } } }`
	walk := func(vars func(r *reply) map[string]any) []string {
		var titles []string
		var last *reply
		for {
			vs := vars(last)
			if vs == nil {
				return titles
			}
			r := f.as("CITIZEN").get(page, vs)
			edges, _ := r.at(t, "issues", "edges").([]any)
			for i := range edges {
				titles = append(titles, r.text(t, "issues", "edges", i, "node", "title"))
			}
			last = &r
		}
	}
	forward := walk(func(r *reply) map[string]any {
		if r == nil {
			return map[string]any{"f": 2}
		}
		if r.at(t, "issues", "pageInfo", "hasNextPage") == false {
			return nil
		}
		return map[string]any{"f": 2, "a": r.text(t, "issues", "pageInfo", "endCursor")}
	})
	require.ElementsMatch(t, []string{"Hole 0", "Hole 1", "Hole 2", "Hole 3", "Hole 4"}, forward)
	first := f.as("CITIZEN").get(page, map[string]any{"f": 2})
	require.Equal(t, map[string]any{"value": 3.0, "capped": true}, first.at(t, "issues", "totalCount"))
	last := f.as("CITIZEN").get(page, map[string]any{"l": 2})
	require.Equal(t, forward[3], last.text(t, "issues", "nodes", 0, "title"))
	require.Equal(t, forward[4], last.text(t, "issues", "nodes", 1, "title"))

	end := first.text(t, "issues", "pageInfo", "endCursor")
	for name, vars := range map[string]map[string]any{
		"neither first nor last": {},
		"both":                   {"f": 1, "l": 1},
		"none":                   {"f": 0},
		"too many":               {"f": 101},
		"negative":               {"l": -1},
		"no cursor":              {"f": 1, "a": "x"},
		"cursor of other order":  {"f": 1, "a": end, "o": "UPDATED_DESC"},
	} {
		t.Run(name, func(t *testing.T) {
			r := f.as("CITIZEN").ask(page, vars)
			require.Len(t, r.Errors, 1)
			require.Equal(t, "BAD_USER_INPUT", r.Errors[0].Extensions.Code, "%s", r.body)
			require.NotEmpty(t, r.Errors[0].Message)
		})
	}
}

func TestFilters(t *testing.T) {
	t.Parallel()
	f := newOffice(t, options{})
	road, school := f.issue("Road"), f.issue("School")
	dispatch(f, road)
	for filter, want := range map[string][]string{
		`{state: {in: [REGISTERED]}}`:    {school},
		`{state: {notIn: [REGISTERED]}}`: {road},
		`{open: true}`:                   {road, school},
		`{open: false}`:                  nil,
		`{text: {contains: "school"}}`:   {school},
		`{or: [{text: {contains: "road"}}, {text: {contains: "school"}}]}`:      {road, school},
		`{not: {text: {contains: "road"}}}`:                                     {school},
		`{and: [{not: {or: [{state: {in: [REGISTERED]}}]}}]}`:                   {road},
		`{leadUnit: {in: ["` + f.bureau + `"]}}`:                                {road},
		`{category: {in: ["` + f.category + `"]}}`:                              {road, school},
		`{category: {isNull: true}}`:                                            nil,
		`{region: {under: "` + f.province + `"}}`:                               {road, school},
		`{region: {isNull: true}}`:                                              nil,
		`{originAt: {gte: "2026-03-01T00:00:00Z", lt: "2026-03-03T00:00:00Z"}}`: {road, school},
		`{originAt: {gte: "2026-03-03T00:00:00Z"}}`:                             nil,
		`{id: {in: ["` + road + `"]}}`:                                          {road},
		`{severity: {in: [NORMAL], notIn: [HIGH]}, kind: {in: [COMPLAINT]}}`:    {road, school},
		`{channel: {notIn: [HOTLINE]}}`:                                         nil,
		`{text: {contains: "' or 100=100 --"}}`:                                 nil,
	} {
		r := f.as("CITIZEN").get(`{ issues(first: 10, filter: `+filter+`) { nodes { id } } }`, nil)
		var got []string
		nodes, _ := r.at(t, "issues", "nodes").([]any)
		for i := range nodes {
			got = append(got, r.text(t, "issues", "nodes", i, "id"))
		}
		require.ElementsMatch(t, want, got, "filter %s", filter)
	}
	for filter, field := range map[string]string{
		`{state: {in: [CLOSED], notIn: [CLOSED]}}`:  "filter.state",
		`{state: {in: []}}`:                         "filter.state.in",
		`{id: {in: ["` + f.city + `"]}}`:            "filter.id.in.0",
		`{not: {not: {not: {not: {open: true}}}}}`:  "filter.not.not.not.not",
		`{region: {under: "` + f.category + `"}}`:   "filter.region.under",
		`{or: [{text: {contains: "' or 1=1 --"}}]}`: "filter.text.contains",
	} {
		r := f.as("CITIZEN").ask(`{ issues(first: 10, filter: `+filter+`) { nodes { id } } }`, nil)
		require.Len(t, r.Errors, 1, "filter %s", filter)
		require.Equal(t, "BAD_USER_INPUT", r.Errors[0].Extensions.Code)
		require.Equal(t, field, r.Errors[0].Extensions.Field)
	}
}
