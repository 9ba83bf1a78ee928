package postgres_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"groundwork"
	"groundwork/postgres"
	"groundwork/postgres/pgtest"
)

var auditKey = []byte("a key of the tests")

// audited is an office and the same system of record in the roles of chores and auditor.
type audited struct {
	*office
	jobs, auditor *postgres.DB
}

func newAudited(t *testing.T) *audited {
	t.Helper()
	o := newOffice(t)
	return &audited{o,
		pgtest.Open(t, o.dsn, postgres.Options{Now: o.clock.Now, Role: postgres.RoleJobs, AuditKey: auditKey}),
		pgtest.Open(t, o.dsn, postgres.Options{Now: o.clock.Now, Role: postgres.RoleAuditor, AuditKey: auditKey})}
}

// sealed runs the chore until nothing is left, and says how many entries it sealed. What other tests do on the same server must have
// ended first, since a transaction that still runs keeps back all that are younger.
func (a *audited) sealed() (n int) {
	a.t.Helper()
	conn, err := pgx.Connect(a.t.Context(), a.dsn)
	require.NoError(a.t, err)
	defer conn.Close(context.WithoutCancel(a.t.Context()))
	var now int64
	require.NoError(a.t, conn.QueryRow(a.t.Context(), "SELECT pg_snapshot_xmax(pg_current_snapshot())::text::bigint").Scan(&now))
	require.Eventually(a.t, func() bool {
		var ended bool
		return conn.QueryRow(a.t.Context(), "SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint >= $1", now).Scan(&ended) == nil && ended
	}, time.Minute, 5*time.Millisecond)
	return a.seal()
}

func (a *audited) seal() (n int) {
	a.t.Helper()
	for {
		done, err := a.jobs.SealAudit(a.t.Context(), a.clock.Now())
		require.NoError(a.t, err)
		if done == 0 {
			return n
		}
		n += done
	}
}

func (a *audited) verified() groundwork.AuditReport {
	a.t.Helper()
	r, err := a.auditor.VerifyAudit(a.t.Context())
	require.NoError(a.t, err)
	return r
}

// forge changes the audit as only a superuser can.
func (a *audited) forge(statement string, args ...any) {
	a.t.Helper()
	conn, err := pgx.Connect(a.t.Context(), a.dsn)
	require.NoError(a.t, err)
	defer conn.Close(context.WithoutCancel(a.t.Context()))
	_, err = conn.Exec(a.t.Context(), "SET session_replication_role = replica")
	require.NoError(a.t, err)
	tag, err := conn.Exec(a.t.Context(), statement, args...)
	require.NoError(a.t, err)
	require.NotZero(a.t, tag.RowsAffected(), statement)
}

func TestEveryWriteIsAudited(t *testing.T) {
	t.Parallel()
	a := newAudited(t)
	i := a.issue("Broken road")
	by := a.dispatcher
	by.Via = groundwork.Request{ID: "r-1", Address: "192.0.2.7", Purpose: "duty"}
	step := a.dispatch()
	step.Actor = by
	a.must(i, step)
	entries, err := a.auditor.AuditEntries(t.Context(), groundwork.AuditFilter{Actor: "dispatcher"}, 0, 100)
	require.NoError(t, err)
	actions := map[string][]string{}
	for _, e := range entries {
		actions[e.Action+" "+e.Noun] = e.Keys
		require.Equal(t, "DISPATCHER", e.Role)
		require.Equal(t, []string{"r-1", "192.0.2.7", "duty"}, []string{e.Request, e.Address, e.Purpose})
		require.NotEmpty(t, e.Operation)
		require.Equal(t, "postgres", e.Login)
		require.EqualValues(t, 1, e.Affected)
	}
	require.Equal(t, map[string][]string{"INSERT issue_event": {i.ID.String() + "/2"}, "UPDATE issue": {i.ID.String()}}, actions)

	byKey, err := a.auditor.AuditEntries(t.Context(), groundwork.AuditFilter{Key: i.ID.String(), Noun: "issue"}, 0, 100)
	require.NoError(t, err)
	require.Len(t, byKey, 2, "made and dispatched")
	require.Equal(t, "UPDATE", byKey[0].Action, "the newest first")
	older, err := a.auditor.AuditEntries(t.Context(), groundwork.AuditFilter{Key: i.ID.String(), Noun: "issue"}, byKey[0].ID, 100)
	require.NoError(t, err)
	require.Equal(t, byKey[1:], older)
	_, err = a.auditor.AuditEntries(t.Context(), groundwork.AuditFilter{}, 0, 1001)
	require.Equal(t, groundwork.CodeInvalid, groundwork.CodeOf(err))
}

// Whoever writes past the API is noted by the login; a transaction that is undone leaves nothing; nor does a statement that changes nothing.
func TestWritesByHandAreAudited(t *testing.T) {
	t.Parallel()
	a := newAudited(t)
	a.sealed()
	require.NoError(t, a.sql("UPDATE org_unit SET name = name || '!' WHERE id = $1", a.unit.ID))
	require.NoError(t, a.sql("UPDATE org_unit SET name = 'x' WHERE false"))
	require.Error(t, a.sql("UPDATE org_unit SET name = ''"))
	entries, err := a.auditor.AuditEntries(t.Context(), groundwork.AuditFilter{}, 0, 1)
	require.NoError(t, err)
	require.Equal(t, []string{"postgres", "", "UPDATE", "org_unit"}, []string{entries[0].Actor, entries[0].Role, entries[0].Action, entries[0].Noun})
	require.Equal(t, 1, a.sealed())
	require.NoError(t, a.sql("TRUNCATE notification"))
	require.NoError(t, a.sql("DELETE FROM calendar_day"))
	require.Equal(t, 1, a.sealed(), "the truncation; nothing was there to delete")
}

func TestTamperingIsNamed(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		forgery string
		kind    groundwork.AuditFaultKind
	}{
		"changed":   {"UPDATE audit.entry SET actor = 'zhao' WHERE id = $1", groundwork.AuditChanged},
		"deleted":   {"DELETE FROM audit.entry WHERE id = $1", groundwork.AuditDeleted},
		"backdated": {"UPDATE audit.entry SET at = at - interval '1 microsecond' WHERE id = $1", groundwork.AuditChanged},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := newAudited(t)
			a.issue("Broken road")
			n := a.sealed()
			require.Positive(t, n)
			a.issue("Dark street")
			require.Positive(t, a.sealed())
			report := a.verified()
			require.Empty(t, report.Faults)
			require.EqualValues(t, 2, report.Seals)
			require.Zero(t, report.Unsealed)
			a.forge(c.forgery, int64(n-1))
			require.Equal(t, []groundwork.AuditFault{{Kind: c.kind, Seal: 1, Entry: int64(n - 1)}}, a.verified().Faults)
		})
	}
	t.Run("inserted", func(t *testing.T) {
		t.Parallel()
		a := newAudited(t)
		a.sealed()
		a.forge(`INSERT INTO audit.entry (id, xid, actor, role, unit, official, request, address, operation, purpose, action, noun, affected, keys) OVERRIDING SYSTEM VALUE
			SELECT 100000, xid, 'zhao', role, unit, official, request, address, operation, purpose, action, noun, affected, keys FROM audit.entry WHERE id = 1`)
		require.Equal(t, []groundwork.AuditFault{{Kind: groundwork.AuditInserted, Seal: 1, Entry: 100000}}, a.verified().Faults)
	})
	t.Run("the last seal and its entries taken away", func(t *testing.T) {
		t.Parallel()
		a := newAudited(t)
		a.sealed()
		a.issue("Broken road")
		a.sealed()
		head := a.verified().Head
		a.forge("DELETE FROM audit.entry e USING audit.seal s WHERE s.n = 2 AND e.id = ANY (s.entries)")
		a.forge("DELETE FROM audit.seal WHERE n = 2")
		require.Empty(t, a.verified().Faults)
		report, err := a.auditor.VerifyAudit(t.Context(), head)
		require.NoError(t, err)
		require.Equal(t, []groundwork.AuditFault{{Kind: groundwork.AuditSealMissing, Seal: 2}}, report.Faults)
	})
}

// An entry that is committed after its neighbours were sealed is neither missed nor taken for an intruder.
func TestSealsWaitForNobodyAndMissNothing(t *testing.T) {
	t.Parallel()
	a := newAudited(t)
	a.sealed()
	conn, err := pgx.Connect(t.Context(), a.dsn)
	require.NoError(t, err)
	defer conn.Close(context.WithoutCancel(t.Context()))
	slow, err := conn.Begin(t.Context())
	require.NoError(t, err)
	_, err = slow.Exec(t.Context(), "UPDATE org_unit SET name = name || '!' WHERE id = $1", a.unit.ID)
	require.NoError(t, err)
	a.issue("Meanwhile")
	require.Zero(t, a.seal(), "all of it is younger than the transaction that still runs")
	report := a.verified()
	require.Empty(t, report.Faults)
	require.Positive(t, report.Unsealed)
	require.NoError(t, slow.Commit(t.Context()))
	require.EqualValues(t, report.Unsealed+1, a.sealed())
	require.Empty(t, a.verified().Faults)
	require.Zero(t, a.verified().Unsealed)
}

func TestConcurrentWritersAndSealersLeaveASoundAudit(t *testing.T) {
	t.Parallel()
	a := newAudited(t)
	faults := make(chan error, 6)
	for w := range 4 {
		go func() {
			var err error
			for n := range 15 {
				if _, _, e := a.CreateOfficial(t.Context(), a.system, groundwork.Official{Pseudonym: fmt.Sprintf("o-%d-%d", w, n)}); e != nil {
					err = e
				}
			}
			faults <- err
		}()
	}
	for range 2 {
		go func() {
			var err error
			for range 20 {
				if _, e := a.jobs.SealAudit(t.Context(), a.clock.Now()); e != nil {
					err = e
				}
			}
			faults <- err
		}()
	}
	for range 6 {
		require.NoError(t, <-faults)
	}
	a.sealed()
	report := a.verified()
	require.Empty(t, report.Faults)
	require.Zero(t, report.Unsealed)
	made, err := a.auditor.AuditEntries(t.Context(), groundwork.AuditFilter{Noun: "official"}, 0, 100)
	require.NoError(t, err)
	require.Len(t, made, 61)
}

// Restored from a dump on a server that has counted fewer transactions, what is sealed stays sealed and the rest is sealed next.
func TestSealsGoOnAfterARestore(t *testing.T) {
	t.Parallel()
	a := newAudited(t)
	before := a.sealed()
	a.forge("UPDATE audit.seal SET cluster = 1, upto = '18000000'") // as if made elsewhere, long ago
	a.issue("Here")
	after := a.sealed()
	require.Positive(t, after)
	a.issue("And on")
	after += a.sealed()
	report := a.verified()
	require.EqualValues(t, before+after, report.Entries)
	require.Equal(t, []groundwork.AuditFault{{Kind: groundwork.AuditSealForged, Seal: 1}}, report.Faults, "what this test did to the seal itself, and nothing else")
	require.Zero(t, report.Unsealed)
}

func TestTheAuditIsAppendOnly(t *testing.T) {
	t.Parallel()
	a := newAudited(t)
	a.sealed()
	for _, statement := range []string{"UPDATE audit.entry SET actor = 'x'", "DELETE FROM audit.entry", "TRUNCATE audit.entry",
		"UPDATE audit.seal SET upto = '1'", "DELETE FROM audit.seal", "TRUNCATE audit.seal"} {
		require.ErrorContains(t, a.sql(statement), "append-only", statement)
	}
}

func TestWithoutAKeyNothingIsSealed(t *testing.T) {
	t.Parallel()
	db := pgtest.NewDB(t)
	_, err := db.SealAudit(t.Context(), day(2026, 3, 2))
	require.ErrorContains(t, err, "--security-key")
	_, err = db.VerifyAudit(t.Context())
	require.ErrorContains(t, err, "--security-key")
	for _, c := range db.Chores() {
		require.NotEqual(t, "audit_seal", c.Name)
	}
}

// A new table is audited, or stands here with the reason why not.
func TestEveryTableIsAudited(t *testing.T) {
	t.Parallel()
	a := newAudited(t)
	conn, err := pgx.Connect(t.Context(), a.dsn)
	require.NoError(t, err)
	defer conn.Close(context.WithoutCancel(t.Context()))
	rows, err := conn.Query(t.Context(), `SELECT n.nspname || '.' || c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
		WHERE c.relkind IN ('r', 'p') AND n.nspname IN ('public', 'vault', 'etl')
		AND (SELECT count(*) FROM pg_trigger t WHERE t.tgrelid = c.oid AND t.tgname LIKE 'audit\_%') <> 4`)
	require.NoError(t, err)
	unwatched, err := pgx.CollectRows(rows, pgx.RowTo[string])
	require.NoError(t, err)
	require.ElementsMatch(t, []string{
		"public.dispatch_leg", "public.clock_spell", // derived from issue_event
		"public.opinion_unread", "public.opinion_terms", // derived from opinion
		"public.survey_token", "public.survey_response", // an entry would tell who answered
		"public.mutation_receipt", // says that a write was done that is audited itself
		"public.bulk_load_part",   // parts of what bulk_load says
		"public.goose_db_version", // migrations
		"etl.dead_letter",         // what the replication could not carry, beside the rows
	}, unwatched, "say SELECT audit.watch(…) in the migration that makes the table")
}
