package postgres_test

import (
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"groundwork"
	"groundwork/postgres"
	"groundwork/postgres/pgtest"
)

// A transaction that began before another and ends after it is told after it: by times or by sequences it would be missed.
func TestTheFeedMissesNoLateCommit(t *testing.T) {
	t.Parallel()
	dsn := pgtest.New(t)
	db := pgtest.Open(t, dsn, postgres.Options{})
	app := pgtest.Open(t, dsn, postgres.Options{Role: postgres.RoleApp})
	const tell = `INSERT INTO notification (id, kind, issue_id, issue_seq, to_role, at)
		SELECT gen_random_uuid(), 'ESCALATED', gen_random_uuid(), 1, 'SUPERVISOR', now() FROM generate_series(1, $1)`
	open := func() *pgx.Conn {
		conn := connectAs(t, dsn, "none")
		_, err := conn.Exec(t.Context(), "SET session_replication_role = replica") // their issues are of no matter here
		require.NoError(t, err)
		return conn
	}
	conn := open()
	begin, err := app.Changes(t.Context(), "")
	require.NoError(t, err)
	require.True(t, begin.None())

	early, err := conn.Begin(t.Context())
	require.NoError(t, err)
	_, err = early.Exec(t.Context(), tell, 1)
	require.NoError(t, err)
	_, err = open().Exec(t.Context(), tell, 1)
	require.NoError(t, err)

	first, err := app.Changes(t.Context(), begin.Position)
	require.NoError(t, err)
	require.Len(t, first.Notifications, 1, "the later transaction, which has ended")
	require.NoError(t, early.Commit(t.Context()))
	second, err := app.Changes(t.Context(), first.Position)
	require.NoError(t, err)
	require.Len(t, second.Notifications, 1, "the earlier one, which ended later; and not the other again")
	require.NotEqual(t, first.Notifications, second.Notifications)
	third, err := app.Changes(t.Context(), second.Position)
	require.NoError(t, err)
	require.True(t, third.None())

	_, err = conn.Exec(t.Context(), tell, groundwork.MaxChanges+1)
	require.NoError(t, err)
	_, err = app.Changes(t.Context(), third.Position)
	require.Equal(t, groundwork.CodeInvalid, groundwork.CodeOf(err))
	require.ErrorContains(t, err, "read anew")
	told, err := db.NotificationsByID(t.Context(), groundwork.Actor{ID: "s", Role: groundwork.RoleSupervisor, Everywhere: true}, second.Notifications)
	require.NoError(t, err)
	require.Len(t, told, 1)
}
