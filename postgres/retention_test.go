package postgres_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"groundwork"
	"groundwork/files"
	"groundwork/postgres"
	"groundwork/postgres/pgtest"
)

// archive is a system of record with issues that rest since long ago.
type archive struct {
	*vault
	chores *postgres.DB
	asOf   time.Time
	shelf  *shelf
}

func newArchive(t *testing.T) *archive {
	a := &archive{vault: newVault(t), asOf: time.Now().Add(-time.Minute), shelf: &shelf{Disk: files.Disk{Dir: t.TempDir()}}}
	a.chores = pgtest.Open(t, a.dsn, postgres.Options{Role: postgres.RoleJobs, AuditKey: auditKey, Evidence: a.shelf})
	return a
}

// old records what account said so many months ago, with its issue, and returns the ids of both. The issue is closed then, or still in progress.
func (a *archive) old(account string, months int, closed bool) (opinion, issue uuid.UUID) {
	a.Helper()
	o, _, err := a.SubmitOpinion(a.Context(), groundwork.Actor{ID: account, Role: groundwork.RoleCitizen, Everywhere: true}, groundwork.Opinion{Channel: groundwork.ChannelApp,
		Kind: groundwork.Complaint, Subject: "My roof", Text: "I am " + account + " and my roof leaks.", Latitude: new(28.23456), Longitude: new(112.93456), Contact: herself})
	require.NoError(a, err)
	opinion, issue = o.ID, uuid.New()
	conn, err := pgx.Connect(a.Context(), a.dsn)
	require.NoError(a, err)
	defer conn.Close(context.WithoutCancel(a.Context()))
	typed := strings.NewReplacer("@at", "@at::timestamptz", "@opinion", "@opinion::uuid", "@issue", "@issue::uuid", "@account", "@account::text", "@closed", "@closed::bool")
	at := a.asOf.AddDate(0, -months, 0)
	for _, sql := range []string{
		"SET session_replication_role = replica",
		"UPDATE opinion SET received_at = @at, created_at = @at WHERE id = @opinion",
		"UPDATE vault.reporter SET created_at = @at WHERE external_key = @account",
		"UPDATE vault.identity SET created_at = @at WHERE pid = (SELECT reporter_pid FROM opinion WHERE id = @opinion)",
		`INSERT INTO issue (id, public_ref, kind, channel, title, seq, state, closure_type, origin_at, claimed_at, resolved_at, closed_at, recorded_by) VALUES (@issue, 'GW-' || @issue, 'COMPLAINT', 'APP', 'My roof', 2,
			CASE WHEN @closed THEN 'CLOSED' ELSE 'IN_PROGRESS' END, CASE WHEN @closed THEN 'CONFIRMED' END, @at, @at, @at, CASE WHEN @closed THEN @at END, @account)`,
		"INSERT INTO issue_opinion (issue_id, opinion_id, linked_at, linked_by) VALUES (@issue, @opinion, @at, @account)",
		`INSERT INTO issue_event (issue_id, seq, kind, from_state, to_state, at, known_at, actor, actor_role, reason, origin_at, payload) VALUES
			(@issue, 1, 'REGISTERED', NULL, 'REGISTERED', @at, @at, @account, 'CITIZEN', NULL, @at, jsonb_build_object('opinions', jsonb_build_array(@opinion), 'received_at', @at)),
			(@issue, 2, 'CONFIRMED', 'REGISTERED', 'CLOSED', @at, @at, @account, 'CITIZEN', 'Li Mei said so', @at, '{"comment": "Thanks, says Li Mei", "resolved": "YES"}')`,
		`INSERT INTO claim (id, issue_id, n, text, source, claimed_at, legal_basis, appeal_notice, receipt, evidence) VALUES (gen_random_uuid(), @issue, 1, 'Mended for Li Mei', 'x', @at,
			'As for Li Mei''s brother', 'Li Mei may appeal', 'File Li Mei', ARRAY['Photo of Li Mei', 'sha256:' || encode(sha256(convert_to(@account, 'UTF8')), 'hex')])`,
		`INSERT INTO feedback (id, claim_id, issue_id, reporter_pid, resolved, collected_by, comment, at, recorded_by) SELECT gen_random_uuid(), c.id, @issue, o.reporter_pid, 'YES', 'SELF', 'Li Mei is glad', @at, @account
			FROM claim c, opinion o WHERE c.issue_id = @issue AND o.id = @opinion`,
		"INSERT INTO mutation_receipt (actor, client_mutation_id, operation, sha256, entity_id) VALUES (@account, format('%s', @opinion), 'x', 'x', @opinion)",
	} {
		_, err := conn.Exec(a.Context(), typed.Replace(sql), pgx.NamedArgs{"at": at, "opinion": opinion, "issue": issue, "account": account, "closed": closed})
		require.NoError(a, err, sql)
	}
	return opinion, issue
}

func (a *archive) ask(sql string, args ...any) any {
	a.Helper()
	value, err := a.sql(sql, args...)
	require.NoError(a, err, sql)
	return value
}

// sweep takes away all that is due, and says how much of each kind.
func (a *archive) sweep() map[groundwork.RetentionKind]int {
	a.Helper()
	done := map[groundwork.RetentionKind]int{}
	for _, kind := range groundwork.RetentionKinds {
		due, err := a.chores.RetentionDue(a.Context(), kind, a.asOf)
		require.NoError(a, err)
		for n := 1; n > 0; {
			n, err = a.chores.ApplyRetention(a.Context(), kind, a.asOf)
			require.NoError(a, err)
			if n > 0 {
				done[kind] += n
			}
		}
		require.EqualValues(a, due, done[kind], "a dry run counts what is done: %s", kind)
	}
	return done
}

// audited seals the audit as far as it can be, and compares all of it.
func (a *archive) audited() groundwork.AuditReport {
	a.Helper()
	for n := 1; n > 0; {
		var err error
		n, err = a.chores.SealAudit(a.Context(), a.asOf)
		require.NoError(a, err)
	}
	report, err := pgtest.Open(a, a.dsn, postgres.Options{Role: postgres.RoleAuditor, AuditKey: auditKey}).VerifyAudit(a.Context())
	require.NoError(a, err)
	return report
}

// published is a digest of all that leaves for the warehouse and is counted there.
const published = `SELECT md5(string_agg(row, ';' ORDER BY row)) FROM (
	SELECT 'o' || (o.id, source, channel, kind, received_at, received_precision, occurred_at, visit_id, reporter_pid, region_id, site_id, confidentiality, supported, opposed, created_at)::text AS row FROM opinion o
	UNION ALL SELECT 'i' || (id, public_ref, category_id, severity, difficulty, kind, channel, region_id, seq, state, closure_type, origin_at, claimed_at, resolved_at, closed_at, updated_at, created_at)::text FROM issue
	UNION ALL SELECT 'e' || (issue_id, seq, kind, from_state, to_state, at, known_at, actor_role, actor_unit_id, reason_code, closure_type, origin_at)::text FROM issue_event
	UNION ALL SELECT 'c' || (id, issue_id, n, kind, source, claimed_at, unit_id)::text FROM claim
	UNION ALL SELECT 'f' || (id, claim_id, issue_id, resolved, satisfaction, pressured, collected_by, at)::text FROM feedback) rows`

func TestRetentionForgetsWhatIsPersonalAndKeepsWhatIsCounted(t *testing.T) {
	t.Parallel()
	a := newArchive(t)
	opinion, issue := a.old("mei", 25, true)
	fresh, _ := a.old("wang", 23, true)
	open, _ := a.old("zhao", 60, false)
	twice, _ := a.old("chen", 25, true)
	a.old("chen", 3, true) // whoever said something since is still known
	before := a.ask(published)
	a.audited()
	require.Equal(t, map[groundwork.RetentionKind]int{groundwork.KeepReporterIdentity: 1, groundwork.KeepOpinionWords: 2, groundwork.KeepIssueWords: 2}, a.sweep())
	require.Equal(t, before, a.ask(published), "no figure changes")

	require.Equal(t, "||28.23|112.93|1000|erased|true", a.ask(`SELECT concat_ws('|', subject, text, latitude, longitude, precision_m, recorded_by, (redacted_at IS NOT NULL)::text) FROM opinion WHERE id = $1`, opinion))
	require.Equal(t, "|erased", a.ask(`SELECT title || '|' || recorded_by FROM issue WHERE id = $1`, issue))
	require.EqualValues(t, 0, a.ask(`SELECT count(*) FROM issue_event WHERE issue_id = $1 AND (actor <> 'erased' OR payload ? 'comment' OR reason IS NOT NULL)`, issue))
	require.Equal(t, "YES", a.ask(`SELECT payload ->> 'resolved' FROM issue_event WHERE issue_id = $1 AND seq = 2`, issue), "what was answered is counted")
	require.EqualValues(t, 0, a.ask(`SELECT count(*) FROM claim c JOIN feedback f USING (issue_id) WHERE issue_id = $1 AND (c.text <> '' OR f.comment IS NOT NULL OR f.recorded_by <> 'erased')`, issue))
	require.EqualValues(t, 0, a.ask(`SELECT (SELECT count(*) FROM vault.reporter WHERE external_key = 'mei') + (SELECT count(*) FROM mutation_receipt WHERE actor = 'mei')
		+ (SELECT count(*) FROM vault.identity v JOIN opinion o ON o.reporter_pid = v.pid WHERE o.id = $1)`, opinion))
	require.Equal(t, "", a.ask("SELECT text FROM opinion WHERE id = $1", twice))
	require.EqualValues(t, 3, a.ask("SELECT count(*) FROM vault.reporter"))
	for _, kept := range []uuid.UUID{fresh, open} {
		require.EqualValues(t, 1, a.ask(`SELECT count(*) FROM opinion o JOIN vault.identity v ON v.pid = o.reporter_pid WHERE o.id = $1 AND o.text LIKE 'I am %' AND redacted_at IS NULL`, kept))
	}
	// The audit says by which rule, as of when, and how many.
	require.EqualValues(t, 2, a.ask(`SELECT affected FROM audit.entry WHERE operation = 'retention' AND noun = 'opinion' AND purpose LIKE 'OPINION_WORDS: kept 24 months, as of %' AND actor = 'system'`))
	require.EqualValues(t, 1, a.ask(`SELECT affected FROM audit.entry WHERE operation = 'retention' AND noun = 'vault.identity' AND action = 'DELETE'`))

	entries := a.ask("SELECT count(*) FROM audit.entry")
	require.Empty(t, a.sweep(), "a second run finds nothing")
	require.Equal(t, entries, a.ask("SELECT count(*) FROM audit.entry"), "and changes nothing")

	require.Empty(t, a.audited().Faults, "the audit holds no words, so its seals stand")

	require.NoError(t, pgtest.Open(t, a.dsn, postgres.Options{}).SetRetention(t.Context(), groundwork.RetentionRule{Kind: groundwork.KeepOpinionWords, Months: 12}))
	require.Equal(t, 1, a.sweep()[groundwork.KeepOpinionWords], "the rule is data")
}

func TestRetentionRespectsHoldsAndGlasses(t *testing.T) {
	t.Parallel()
	a := newArchive(t)
	owner := pgtest.Open(t, a.dsn, postgres.Options{})
	opinion, issue := a.old("mei", 25, true)
	ref := "GW-" + issue.String()
	require.ErrorContains(t, owner.PlaceHold(t.Context(), groundwork.LegalHold{PublicRef: ref, Reason: "suit"}), "say why")
	require.ErrorContains(t, owner.PlaceHold(t.Context(), groundwork.LegalHold{PublicRef: "GW-0", Reason: "suit 2026-118"}), "does not exist")
	require.NoError(t, owner.PlaceHold(t.Context(), groundwork.LegalHold{PublicRef: ref, Reason: "suit 2026-118"}))
	require.ErrorContains(t, owner.PlaceHold(t.Context(), groundwork.LegalHold{PublicRef: ref, Reason: "suit 2026-118"}), "held already")
	require.Empty(t, a.sweep())

	// One that was merged into the issue is held with it.
	other, merged := a.old("wang", 25, true)
	_, err := a.sql(`WITH off AS MATERIALIZED (SELECT set_config('session_replication_role', 'replica', false))
		UPDATE issue SET state = 'MERGED', closure_type = NULL, closed_at = NULL, merged_into_id = $2 FROM off WHERE id = $1 RETURNING 1`, merged, issue)
	require.NoError(t, err)
	require.Empty(t, a.sweep())
	holds, err := owner.LegalHolds(t.Context())
	require.NoError(t, err)
	require.Len(t, holds, 1)
	require.NoError(t, owner.LiftHold(t.Context(), ref))
	require.ErrorContains(t, owner.LiftHold(t.Context(), ref), "is not held")

	// Nor is taken away what somebody reads by a broken glass.
	for _, id := range []uuid.UUID{opinion, other} {
		_, err = a.sql(`INSERT INTO glass (id, opinion_id, account, role, reason, opened_at, expires_at) VALUES (gen_random_uuid(), $1, 'x', 'ANALYST', 'an inquiry', now(), now() + interval '1 hour') RETURNING 1`, id)
		require.NoError(t, err)
	}
	require.Equal(t, 2, a.sweep()[groundwork.KeepIssueWords])
	require.EqualValues(t, 0, a.ask("SELECT count(*) FROM opinion WHERE redacted_at IS NOT NULL"))
	a.ask("UPDATE glass SET revoked_at = now(), revoked_by = 'x' RETURNING 1")
	require.Equal(t, 2, a.sweep()[groundwork.KeepOpinionWords])
}

// A run that is killed leaves nothing half done, and the next does it once.
func TestRetentionIsKilledInTheMiddle(t *testing.T) {
	t.Parallel()
	a := newArchive(t)
	opinion, _ := a.old("mei", 25, true)
	conn := connectAs(t, a.dsn, postgres.RoleJobs)
	tx, err := conn.Begin(t.Context())
	require.NoError(t, err)
	var n int
	require.NoError(t, tx.QueryRow(t.Context(), "SELECT retention.apply('REPORTER_IDENTITY', $1, 10) + retention.apply('OPINION_WORDS', $1, 10)", a.asOf).Scan(&n))
	require.Equal(t, 2, n)
	require.Equal(t, true, a.ask("SELECT pg_terminate_backend($1)", int64(conn.PgConn().PID())))
	require.Error(t, tx.Commit(t.Context()))
	require.EqualValues(t, 1, a.ask("SELECT count(*) FROM opinion o JOIN vault.identity v ON v.pid = o.reporter_pid WHERE o.id = $1 AND text <> '' AND recorded_by = 'mei'", opinion))
	require.EqualValues(t, 0, a.ask("SELECT count(*) FROM audit.entry WHERE operation = 'retention'"), "and says nothing of what it did not do")
	done, err := a.chores.RetentionChore().Run(t.Context(), a.asOf)
	require.NoError(t, err)
	require.Equal(t, 3, done, "the identity, and the words of the opinion and of the issue")
	done, err = a.chores.RetentionChore().Run(t.Context(), a.asOf)
	require.NoError(t, err)
	require.Zero(t, done)
}

func TestOnlyTheChoresTakeAway(t *testing.T) {
	t.Parallel()
	a := newArchive(t)
	a.old("mei", 25, true)
	for _, role := range []string{postgres.RoleApp, postgres.RoleETL, postgres.RoleAuditor, postgres.RoleVault} {
		conn := connectAs(t, a.dsn, role)
		for _, sql := range []string{"SELECT retention.apply('OPINION_WORDS', now(), 1)", "SELECT retention.count('OPINION_WORDS', now())", "SELECT retention.forget('{}')",
			"UPDATE retention.rule SET months = 1", "DELETE FROM retention.hold"} {
			require.True(t, refused(t, conn, sql), "%s: %s", role, sql)
		}
	}
	chores := connectAs(t, a.dsn, postgres.RoleJobs)
	for _, sql := range []string{"UPDATE retention.rule SET months = 1", "DELETE FROM retention.hold", "SELECT retention.forget('{}')", "DELETE FROM vault.identity", "UPDATE opinion SET text = ''",
		"UPDATE issue_event SET payload = '{}'"} {
		require.True(t, refused(t, chores, sql), sql)
	}
	_, err := a.chores.ApplyRetention(t.Context(), groundwork.KeepOpinionWords, time.Now().Add(time.Hour))
	require.ErrorContains(t, err, "future")
	for _, sql := range []string{"UPDATE issue_event SET payload = '{}' RETURNING 1", "UPDATE issue_event SET actor = 'li' RETURNING 1", "UPDATE issue_event SET payload = payload || '{\"comment\": \"x\"}' RETURNING 1",
		"UPDATE issue_event SET at = at - interval '1 day' RETURNING 1"} {
		_, err := a.sql(sql)
		require.ErrorContains(t, err, "append-only", sql)
	}
	require.ErrorContains(t, pgtest.Open(t, a.dsn, postgres.Options{}).SetRetention(t.Context(), groundwork.RetentionRule{Kind: "EVERYTHING", Months: 1}), `"EVERYTHING" is no kind of retention`)
}

// Who an official is goes five years after the last post ended.
func TestRetentionOfOfficials(t *testing.T) {
	t.Parallel()
	a := newArchive(t)
	for name, held := range map[string]string{"gone": "'2001-01-01', '2002-01-01'", "there": "'2001-01-01', NULL", "lately": "'2001-01-01', current_date - 100"} {
		id := *md5ID(name)
		a.ask("INSERT INTO official (id, pseudonym) VALUES ($1, $2) RETURNING 1", id, name)
		a.ask("INSERT INTO org_unit (id, name, kind) VALUES ($1, $2, 'GOVT') RETURNING 1", id, name)
		a.ask("INSERT INTO post_holding (id, official_id, org_unit_id, rank, title, held_from, held_to) VALUES ($1, $1, $1, 'COUNTY', 'x', "+held+") RETURNING 1", id)
		_, err := a.NameOfficial(t.Context(), groundwork.System, groundwork.OfficialName{OfficialID: id, Name: "王"})
		require.NoError(t, err)
	}
	require.Equal(t, 1, a.sweep()[groundwork.KeepOfficialName])
	require.EqualValues(t, 0, a.ask("SELECT count(*) FROM vault.official_identity WHERE official_id = $1", md5ID("gone")))
}
