package postgres_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"groundwork"
	"groundwork/postgres"
	"groundwork/postgres/pgtest"
)

// Words are searched by their indexes, whoever asks: an operator that is not leakproof comes after a policy, and then no index serves it. What is
// planned are the statements that the API sends, with their values; no index serves ILIKE for a word of two characters.
func TestWordsAreSearchedByTheirIndexUnderPolicies(t *testing.T) {
	t.Parallel()
	dsn := manyIssues(t, 20_000)
	yes := true
	type statement struct {
		sql     string
		args    []any
		indexes map[string]string // and the operator that each is asked with
	}
	statements := map[string]statement{}
	for _, word := range []string{"c4ca4238a0b923820dcc", "路灯", "灯", "路灯不亮", "3号"} {
		opinions, issues := map[string]string{"opinion_text_trgm": "~~*"}, map[string]string{"opinion_text_trgm": "~~*", "issue_title_trgm": "~~*"}
		if word != "c4ca4238a0b923820dcc" {
			opinions, issues = map[string]string{"opinion_pairs": "@@"}, map[string]string{"opinion_pairs": "@@", "issue_title_pairs": "@@"}
		}
		for name, filter := range map[string]groundwork.OpinionFilter{"said": {}, "linked, of some channels": {Linked: &yes, Channels: []groundwork.Channel{"APP", "HOTLINE"}}} {
			filter.Text = word
			sql, args := postgres.OpinionsQuery(filter, groundwork.PageRequest{First: 50})
			statements[name+" "+word] = statement{sql, args, opinions}
		}
		sql, args := postgres.SayingQuery(word)
		statements["issues "+word] = statement{sql, args, issues}
	}
	for role, actor := range map[string]groundwork.Actor{"postgres": dispatcher, postgres.RoleApp: dispatcher, postgres.RoleJobs: groundwork.System} {
		a := asker{t, connectAs(t, dsn, role), actor}
		for name, s := range statements {
			// Whether a plan may use the index at all: for so few rows it is not always the cheapest.
			found := map[string]string{}
			for _, node := range a.plan("SET LOCAL enable_seqscan = off; SET LOCAL enable_indexscan = off", s.sql, s.args...) {
				for index, operator := range s.indexes {
					if node.Index == index && strings.Contains(node.Condition, operator) {
						found[index] = operator
					}
				}
			}
			require.Equal(t, s.indexes, found, "%s as %s", name, role)
		}
		// Of what many say, one issue after the other is looked at; no table is made of all that say it.
		sql, args, err := postgres.CommonQuery("road")
		require.NoError(t, err)
		plan := a.plan("", sql, args...)
		require.Condition(t, func() bool {
			for _, node := range plan {
				if strings.Contains(node.Filter, "hashed") || strings.Contains(node.Type, "Bitmap") {
					return false
				}
			}
			return true
		}, "%s: %+v", role, plan)
	}
}

// plan is what EXPLAIN says of a statement after some settings.
func (a asker) plan(settings, sql string, args ...any) []planNode {
	a.t.Helper()
	var plans []struct{ Plan planNode }
	a.in(func(tx pgx.Tx) {
		_, err := tx.Exec(a.t.Context(), settings)
		require.NoError(a.t, err)
		require.NoError(a.t, tx.QueryRow(a.t.Context(), "EXPLAIN (FORMAT JSON) "+sql, args...).Scan(&plans), sql)
	})
	return plans[0].Plan.all()
}

// A search finds what reading every text under the policies finds, be it said by few or by more than are looked up.
func TestSearchFindsWhatReadingFinds(t *testing.T) {
	t.Parallel()
	dsn := manyIssues(t, postgres.MaxFound+100)
	db := pgtest.Open(t, dsn, postgres.Options{Role: postgres.RoleApp})
	ctx := groundwork.WithActor(t.Context(), dispatcher)
	a := asker{t, connectAs(t, dsn, postgres.RoleApp), dispatcher}
	read := func(sql, text string) (ids []uuid.UUID) {
		a.in(func(tx pgx.Tx) {
			rows, err := tx.Query(t.Context(), sql, text)
			require.NoError(t, err)
			ids, err = pgx.CollectRows(rows, pgx.RowTo[uuid.UUID])
			require.NoError(t, err)
		})
		return ids
	}
	for text, least := range map[string]int{
		"路灯": 40, "灯": 40, "亮": 40, "路灯不亮": 40, "的路": 40, "不亮灯": 0, "停水": 1, "水": 1, "停": 1, "42 停": 1, "ROAD": 100, "place": 100, "c4ca4238a0b923820dcc": 1,
		"b923820dcc509a6f75849b的路灯": 0, "路灯'; --": 0, `灯\`: 0, "%灯": 0, "灯:*": 0,
	} {
		said := read("SELECT id FROM opinion WHERE strpos(lower(subject || ' ' || text), lower($1)) > 0 ORDER BY received_at DESC, id DESC LIMIT 100", text)
		opinions, err := db.Opinions(ctx, groundwork.OpinionFilter{Text: text}, groundwork.PageRequest{First: 100})
		require.NoError(t, err, text)
		require.Equal(t, said, keys(opinions.Items, func(o *groundwork.Opinion) uuid.UUID { return o.ID }), text)

		matter := read(`SELECT i.id FROM issue i WHERE strpos(lower(i.title), lower($1)) > 0 OR EXISTS (SELECT FROM issue_opinion l JOIN opinion o ON o.id = l.opinion_id
			WHERE l.issue_id = i.id AND strpos(lower(o.subject || ' ' || o.text), lower($1)) > 0) ORDER BY origin_at DESC, id DESC LIMIT 100`, text)
		require.GreaterOrEqual(t, len(matter), least, text)
		issues, err := db.Issues(ctx, groundwork.IssueFilter{Text: text}, "", groundwork.PageRequest{First: 100})
		require.NoError(t, err, text)
		require.Equal(t, matter, keys(issues.Items, func(i *groundwork.Issue) uuid.UUID { return i.ID }), text)

		others, err := db.Issues(ctx, groundwork.IssueFilter{Not: &groundwork.IssueFilter{Text: text}}, "", groundwork.PageRequest{First: 100})
		require.NoError(t, err, text)
		for _, i := range others.Items {
			require.NotContains(t, matter, i.ID, text)
		}
		require.Equal(t, text != "ROAD" && text != "place", len(others.Items) > 0, text) // which all say
	}
}

// What no index serves is refused, and so are searches for many texts at once.
func TestTextsThatCannotBeSearched(t *testing.T) {
	t.Parallel()
	db := pgtest.NewDB(t)
	for _, text := range []string{"ab", "-", "!?", "a-b c d", "é1"} {
		for _, err := range []error{
			second(db.Issues(t.Context(), groundwork.IssueFilter{Or: []groundwork.IssueFilter{{Text: text}}}, "", groundwork.PageRequest{First: 1})),
			second(db.CountIssues(t.Context(), groundwork.IssueFilter{Text: text}, 10)),
			second(db.Opinions(t.Context(), groundwork.OpinionFilter{Text: text}, groundwork.PageRequest{First: 1})),
		} {
			var fault *groundwork.Error
			require.ErrorAs(t, err, &fault, text)
			require.Equal(t, "filter.text.contains", fault.Field)
			require.Contains(t, fault.Message, fmt.Sprintf("%q is too short", text))
		}
	}
	var many []groundwork.IssueFilter
	for i := range 6 {
		many = append(many, groundwork.IssueFilter{Not: &groundwork.IssueFilter{Text: fmt.Sprint("text", i)}})
	}
	_, err := db.Issues(t.Context(), groundwork.IssueFilter{And: many}, "", groundwork.PageRequest{First: 1})
	require.ErrorContains(t, err, `more than 5 texts, "text5" among them`)
	_, err = db.Issues(t.Context(), groundwork.IssueFilter{And: many[:5]}, "", groundwork.PageRequest{First: 1})
	require.NoError(t, err)
}

func keys[T any](items []T, key func(T) uuid.UUID) []uuid.UUID {
	ids := []uuid.UUID{}
	for _, i := range items {
		ids = append(ids, key(i))
	}
	return ids
}

func second[T any](_ T, err error) error { return err }
