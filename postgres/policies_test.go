package postgres_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"groundwork"
	"groundwork/postgres"
	"groundwork/postgres/pgtest"
)

// manyIssues fills two prefectures of forty counties with n issues of one opinion each, one in a hundred confidential.
func manyIssues(t testing.TB, n int) (dsn string) {
	t.Helper()
	dsn = pgtest.New(t)
	conn, err := pgx.Connect(t.Context(), dsn)
	require.NoError(t, err)
	defer conn.Close(context.WithoutCancel(t.Context()))
	for _, sql := range []string{
		"SET session_replication_role = replica",
		"INSERT INTO region (id, code, level, path, name) VALUES (md5('province')::uuid, '990000000000', 'PROVINCE', '990000000000', 'Province')",
		`INSERT INTO region (id, code, level, parent_id, path, name) SELECT md5('region-' || p)::uuid, '990' || p || '00000000', 'PREFECTURE', md5('province')::uuid, ('990000000000.990' || p || '00000000')::ltree, 'P' || p
			FROM generate_series(1, 2) p`,
		`INSERT INTO region (id, code, level, parent_id, path, name) SELECT md5('county-' || c)::uuid, code, 'COUNTY', md5('region-' || p)::uuid, ('990000000000.990' || p || '00000000.' || code)::ltree, 'C' || c
			FROM generate_series(1, 40) c, LATERAL (SELECT 1 + c / 21 AS p) x, LATERAL (SELECT '990' || p || lpad(c::text, 2, '0') || '000000' AS code) y`,
		"INSERT INTO org_unit (id, name, kind) SELECT md5('unit-' || u)::uuid, 'U' || u, 'GOVT' FROM generate_series(1, 100) u",
		`INSERT INTO opinion (id, channel, kind, received_at, text, region_id, confidentiality, recorded_by)
			SELECT md5('opinion-' || i)::uuid, 'APP', 'HELP', '2026-01-01'::timestamptz - i * interval '1 minute', 'the road at place ' || md5(i::text) || CASE WHEN i % 1000 < 2 THEN '的路灯不亮' ELSE '' END, md5('county-' || 1 + i % 40)::uuid,
			CASE WHEN i % 100 = 7 THEN 'CONFIDENTIAL' ELSE 'PUBLIC' END, 'import' FROM generate_series(1, ` + fmt.Sprint(n) + `) i`,
		`INSERT INTO issue (id, public_ref, kind, channel, title, region_id, seq, state, origin_at, confidential, recorded_by, lead_unit_id)
			SELECT md5('issue-' || i)::uuid, 'GW-' || i, 'HELP', 'APP', 'the road ' || i || CASE WHEN i % 500 IN (7, 42) THEN ' 停水' ELSE '' END, md5('county-' || 1 + i % 40)::uuid, 1, CASE WHEN i % 5 = 0 THEN 'IN_PROGRESS' ELSE 'DISPATCHED' END,
			'2026-01-01'::timestamptz - i * interval '1 minute', i % 100 = 7, 'import', md5('unit-' || 1 + i % 100)::uuid FROM generate_series(1, ` + fmt.Sprint(n) + `) i`,
		"INSERT INTO issue_opinion (issue_id, opinion_id, linked_at, linked_by) SELECT md5('issue-' || i)::uuid, md5('opinion-' || i)::uuid, now(), 'x' FROM generate_series(1, " + fmt.Sprint(n) + ") i",
		`INSERT INTO issue_event (issue_id, seq, kind, from_state, to_state, at, known_at, actor, actor_role, origin_at) SELECT md5('issue-' || i)::uuid, s, CASE s WHEN 1 THEN 'REGISTERED' ELSE 'DISPATCHED' END,
			CASE s WHEN 1 THEN NULL ELSE 'REGISTERED' END, CASE s WHEN 1 THEN 'REGISTERED' ELSE 'DISPATCHED' END, now(), now(), 'x', 'INTAKE', now() FROM generate_series(1, ` + fmt.Sprint(n) + `) i, generate_series(1, 2) s`,
		"INSERT INTO dispatch_leg (issue_id, n, unit_id, role, sent_at) SELECT md5('issue-' || i)::uuid, 1, md5('unit-' || 1 + i % 100)::uuid, 'LEAD', now() FROM generate_series(1, " + fmt.Sprint(n) + ") i",
		"ANALYZE",
	} {
		_, err := conn.Exec(t.Context(), sql)
		require.NoError(t, err, sql)
	}
	return dsn
}

// dispatcher is bound to one county of forty.
var dispatcher = groundwork.Actor{ID: "d", Role: groundwork.RoleDispatcher, RegionIDs: []uuid.UUID{*md5ID("county-3")}}

// Under the policies the main lists go by the indexes that they go by without them.
func TestPlansUnderPolicies(t *testing.T) {
	t.Parallel()
	dsn := manyIssues(t, 20_000)
	a := asker{t, connectAs(t, dsn, postgres.RoleApp), dispatcher}
	for sql, index := range map[string]string{
		"SELECT id FROM issue ORDER BY origin_at DESC, id DESC LIMIT 51":                                                        "issue_origin",
		"SELECT id FROM issue WHERE (origin_at, id) < ('2025-12-25', md5('x')::uuid) ORDER BY origin_at DESC, id DESC LIMIT 51": "issue_origin",
		"SELECT id FROM issue WHERE region_id = md5('county-3')::uuid ORDER BY origin_at DESC, id DESC LIMIT 51":                "issue_region",
		"SELECT id FROM issue WHERE lead_unit_id = md5('unit-9')::uuid AND state = 'IN_PROGRESS'":                               "issue_lead_unit",
		"SELECT id FROM issue WHERE id = ANY(ARRAY[md5('issue-1')::uuid, md5('issue-2')::uuid])":                                "issue_pkey",
		"SELECT kind FROM issue_event WHERE issue_id = md5('issue-7')::uuid ORDER BY seq LIMIT 20":                              "issue_event_pkey",
		"SELECT id FROM opinion WHERE region_id = md5('county-3')::uuid ORDER BY received_at DESC LIMIT 51":                     "opinion_region",
		"SELECT issue_id FROM dispatch_leg WHERE unit_id = md5('unit-9')::uuid AND issue_id = md5('issue-8')::uuid":             "dispatch_leg_",
	} {
		a.in(func(tx pgx.Tx) {
			rows, err := tx.Query(t.Context(), "EXPLAIN "+sql)
			require.NoError(t, err, sql)
			lines, err := pgx.CollectRows(rows, pgx.RowTo[string])
			require.NoError(t, err)
			plan := strings.Join(lines, "\n")
			require.Contains(t, plan, index, "%s\n%s", sql, plan)
			require.NotContains(t, plan, "Seq Scan on issue ", "%s\n%s", sql, plan)
			require.NotContains(t, plan, "Seq Scan on opinion ", "%s\n%s", sql, plan)
		})
	}
}

// planNode is what EXPLAIN (FORMAT JSON) says of a part of a plan.
type planNode struct {
	Type      string     `json:"Node Type"`
	Relation  string     `json:"Relation Name"`
	Index     string     `json:"Index Name"`
	Condition string     `json:"Index Cond"`
	Filter    string     `json:"Filter"`
	Plans     []planNode `json:"Plans"`
}

func (p planNode) all() []planNode {
	nodes := []planNode{p}
	for _, below := range p.Plans {
		nodes = append(nodes, below.all()...)
	}
	return nodes
}

// BenchmarkPolicies compares what the API asks most with and without row-level security, in turns, on 200,000 issues:
//
//	go test ./postgres -run '^$' -bench Policies -benchtime 200x
//
// The ratio is that of the medians: the role of the API, bound to one county of forty, over the owner of the tables.
func BenchmarkPolicies(b *testing.B) {
	dsn := manyIssues(b, 200_000)
	owner := pgtest.Open(b, dsn, postgres.Options{})
	app := pgtest.Open(b, dsn, postgres.Options{Role: postgres.RoleApp})
	ctx := groundwork.WithActor(b.Context(), dispatcher)
	var issues []uuid.UUID
	for i := range 50 {
		issues = append(issues, *md5ID(fmt.Sprint("issue-", i+1)))
	}
	yes, page := true, groundwork.PageRequest{First: 50}
	intake := groundwork.Actor{ID: "i", Role: groundwork.RoleIntake, RegionIDs: []uuid.UUID{*md5ID("county-3")}}
	for name, ask := range map[string]func(*postgres.DB) error{
		"latest": func(db *postgres.DB) error {
			_, err := db.Issues(ctx, groundwork.IssueFilter{}, "", page)
			return err
		},
		"open in county": func(db *postgres.DB) error {
			_, err := db.Issues(ctx, groundwork.IssueFilter{Under: md5ID("county-3"), Open: &yes}, "", page)
			return err
		},
		"worklist of unit": func(db *postgres.DB) error {
			_, err := db.Issues(ctx, groundwork.IssueFilter{WorkedOnBy: []uuid.UUID{*md5ID("unit-9")}}, groundwork.OrderDueAsc, page)
			return err
		},
		"count to 10,000": func(db *postgres.DB) error {
			_, err := db.CountIssues(ctx, groundwork.IssueFilter{Open: &yes}, 10_000)
			return err
		},
		"events of 50 issues": func(db *postgres.DB) error {
			_, err := db.EventsOf(ctx, issues, 20)
			return err
		},
		"opinions by a rare word": func(db *postgres.DB) error {
			_, err := db.Opinions(ctx, groundwork.OpinionFilter{Text: "c4ca4238a0b923820dcc"}, page)
			return err
		},
		"one issue": func(db *postgres.DB) error {
			_, err := db.IssuesByID(ctx, issues[:1])
			return err
		},
		"submit and register": func(db *postgres.DB) error {
			o, _, err := db.SubmitOpinion(ctx, intake, groundwork.Opinion{Channel: groundwork.ChannelHotline, Kind: groundwork.Help, Text: "x", RegionID: md5ID("county-3")})
			if err != nil {
				return err
			}
			_, _, err = db.RegisterIssue(ctx, groundwork.Registration{Actor: intake, OpinionIDs: []uuid.UUID{o.ID}, Title: "x"})
			return err
		},
	} {
		b.Run(name, func(b *testing.B) {
			var took [2][]time.Duration
			for i := range 2*b.N + 20 {
				db := []*postgres.DB{owner, app}[i%2]
				start := time.Now()
				if err := ask(db); err != nil {
					b.Fatal(err)
				}
				if i >= 20 { // the first of each prepare statements and warm caches
					took[i%2] = append(took[i%2], time.Since(start))
				}
			}
			medians := [2]float64{}
			for n := range took {
				slices.Sort(took[n])
				medians[n] = float64(took[n][len(took[n])/2].Microseconds())
			}
			b.ReportMetric(medians[0], "owner-µs")
			b.ReportMetric(medians[1], "app-µs")
			b.ReportMetric(medians[1]/medians[0], "ratio")
			b.ReportMetric(0, "ns/op")
		})
	}
}
