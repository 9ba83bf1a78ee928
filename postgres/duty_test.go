package postgres_test

import (
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/stretchr/testify/require"

	"groundwork"
	"groundwork/postgres"
	"groundwork/postgres/pgtest"
)

// newWorld is the world of TestRowsByRole with its triggers at work, and a connection of its owner.
func newWorld(t *testing.T) (dsn string, run func(sql string), owner *pgx.Conn) {
	t.Helper()
	dsn = pgtest.New(t)
	owner = connectAs(t, dsn, "postgres")
	run = func(sql string) {
		t.Helper()
		for statement := range strings.SplitSeq(sql, ";\n") {
			_, err := owner.Exec(t.Context(), statement)
			require.NoError(t, err, statement)
		}
	}
	run("SET session_replication_role = replica")
	run("INSERT INTO region (id, code, level, path, name) VALUES (md5('province')::uuid, '990000000000', 'PROVINCE', '990000000000', 'Province')")
	run(fill(world, "A", "", ""))
	run(fill(world, "B", "", ""))
	run("RESET session_replication_role")
	return dsn, run, owner
}

// Who may not judge what: refused by the database to whoever may write there otherwise, and let through for the right one.
func TestSeparationOfDuty(t *testing.T) {
	t.Parallel()
	dsn, run, owner := newWorld(t)
	run(fill(`INSERT INTO issue_event (issue_id, seq, kind, from_state, to_state, at, known_at, actor, actor_role, origin_at)
		VALUES ({issue}, 2, 'PLAN_PROPOSED', 'REGISTERED', 'REGISTERED', now(), now(), 'one', 'UNIT_HEAD', now())`, "A", "", ""))
	run("SET session_replication_role = replica")
	run(fill(`UPDATE policy_change SET state = 'ADOPTED', outcome_measure = 'T1', outcome_direction = 'AT_MOST', minimal_effect = 0, window_days = 1, anticipation_days = 0,
			pre_registered_at = '2025-12-01', consulted_at = now(), pilot_at = now(), adopted_at = now(), policy_version_id = {version} WHERE id = {change};
		DELETE FROM policy_evaluation WHERE policy_change_id = {change}`, "A", "", ""))
	run("RESET session_replication_role")
	as := func(role groundwork.Role) asker {
		return asker{t, connectAs(t, dsn, postgres.RoleApp), identityOf(role)}
	}
	plan := `INSERT INTO issue_event (issue_id, seq, kind, from_state, to_state, at, known_at, actor, actor_role, origin_at)
		VALUES ({issue}, 3, 'PLANNED', 'REGISTERED', 'PLANNED', now(), now(), '[actor]', 'SUPERVISOR', now())`
	evaluate := `INSERT INTO policy_evaluation (policy_change_id, evaluator_unit_id, estimate, ci_low, ci_high, treated_regions, control_regions, as_of, text)
		VALUES ({change}, UNIT, 1, 1, 1, 1, 1, '2026-02-01', 'x')`
	skill := `INSERT INTO skill_record (id, official_id, ability, level, evidence, assessor_unit_id, assessor_official_id, at)
		VALUES (gen_random_uuid(), {official}, 'REFORM', 3, 'x', UNIT, WHO, '2026-02-01')`
	for name, c := range map[string]struct {
		role         groundwork.Role
		wrong, right string
		rule         string
	}{
		"verdict":       {groundwork.RoleCaller, "INSERT INTO feedback (id, claim_id, issue_id, resolved, collected_by, collected_unit_id, at) VALUES (gen_random_uuid(), {claim}, {issue}, 'YES', 'INDEPENDENT', {unit}, now())", "{judge}", "another unit collects the verdict"},
		"call":          {groundwork.RoleCaller, "INSERT INTO callback_attempt (id, claim_id, at, method, agent_unit_id, outcome) VALUES (gen_random_uuid(), {claim}, now(), 'PHONE', {unit}, 'ANSWERED')", "{judge}", "another unit collects the verdict"},
		"verdict, own":  {groundwork.RoleCaller, "INSERT INTO feedback (id, claim_id, issue_id, resolved, collected_by, collected_unit_id, at, recorded_by) SELECT gen_random_uuid(), id, issue_id, 'YES', 'INDEPENDENT', {judge}, now(), recorded_by FROM claim WHERE id = {claim}", "", "somebody else collects the verdict"},
		"call, own":     {groundwork.RoleCaller, "INSERT INTO callback_attempt (id, claim_id, at, method, agent_unit_id, outcome, recorded_by) SELECT gen_random_uuid(), id, now(), 'PHONE', {judge}, 'ANSWERED', recorded_by FROM claim WHERE id = {claim}", "", "somebody else collects the verdict"},
		"attestation":   {groundwork.RoleSupervisor, "INSERT INTO attestation (id, visit_id, voice, says, at, official_id) VALUES (gen_random_uuid(), {visit}, 'HOST', 'UNSURE', now(), {official})", "NULL", "took part in visit"},
		"skill, inside": {groundwork.RoleAssessor, strings.NewReplacer("UNIT", "{unit}", "WHO", "NULL").Replace(skill), "{judge}", "from the official's unit"},
		"skill, own":    {groundwork.RoleAssessor, strings.NewReplacer("UNIT", "{judge}", "WHO", "{official}").Replace(skill), "", "from the official's unit"},
		"evaluation":    {groundwork.RoleSupervisor, strings.ReplaceAll(evaluate, "UNIT", "{unit}"), "{judge}", "owns the policy"},
		"review":        {groundwork.RoleSupervisor, "UPDATE claim SET reviewed_by = recorded_by WHERE id = {claim}", "", "claim_reviewed_by_another"},
	} {
		t.Run(name, func(t *testing.T) {
			a := as(c.role)
			a.t = t
			sql := fill(c.wrong, "A", a.actor.ID, "")
			a.in(func(tx pgx.Tx) {
				_, err := tx.Exec(t.Context(), sql)
				pg := new(pgconn.PgError)
				require.ErrorAs(t, err, &pg, sql)
				require.Equal(t, "23514", pg.Code, pg.Message)
				require.Contains(t, pg.Message, c.rule)
			})
			if c.right != "" {
				wrong := map[bool]string{true: "{official}", false: "{unit}"}[name == "attestation"]
				a.in(func(tx pgx.Tx) {
					_, err := tx.Exec(t.Context(), fill(strings.Replace(c.wrong, wrong, c.right, 1), "A", a.actor.ID, ""))
					require.NoError(t, err)
				})
			}
		})
	}
	t.Run("plan", func(t *testing.T) {
		for actor, ok := range map[string]bool{"one": false, "two": true} {
			a := as(groundwork.RoleSupervisor)
			a.t, a.actor.ID = t, actor
			a.in(func(tx pgx.Tx) {
				_, err := tx.Exec(t.Context(), fill(plan, "A", actor, ""))
				require.Equal(t, ok, err == nil, "%s: %v", actor, err)
			})
		}
	})
	t.Run("history", func(t *testing.T) {
		for _, sql := range []string{"UPDATE issue_event SET actor = 'x' WHERE issue_id = {issue}", "DELETE FROM issue_event WHERE issue_id = {issue}"} {
			for _, role := range groundwork.Roles {
				a := as(role)
				a.t = t
				_, let := a.let(fill(sql, "A", "", ""))
				require.False(t, let, "%s: %s", role, sql)
			}
			_, err := owner.Exec(t.Context(), fill(sql, "A", "", ""))
			require.ErrorContains(t, err, "append-only", "the owner too")
		}
	})
}

// The views for the search by words show what the policies show, to everybody.
func TestSearchShowsWhatThePoliciesShow(t *testing.T) {
	t.Parallel()
	dsn, _, _ := newWorld(t)
	for _, role := range groundwork.Roles {
		a := asker{t, connectAs(t, dsn, postgres.RoleApp), identityOf(role)}
		a.in(func(tx pgx.Tx) {
			list := func(sql string) []string {
				rows, err := tx.Query(t.Context(), sql)
				require.NoError(t, err)
				ids, err := pgx.CollectRows(rows, pgx.RowTo[string])
				require.NoError(t, err)
				return ids
			}
			require.Equal(t, list("SELECT id::text FROM opinion ORDER BY 1"), list("SELECT id::text FROM access.opinion_words ORDER BY 1"), role)
			require.Equal(t, list("SELECT id::text FROM issue ORDER BY 1"), list("SELECT id::text FROM access.issue_titles ORDER BY 1"), role)
			require.Subset(t, list("SELECT l.issue_id::text FROM issue_opinion l JOIN opinion o ON o.id = l.opinion_id"), list("SELECT issue_id::text FROM access.issue_words"), role)
		})
	}
}
