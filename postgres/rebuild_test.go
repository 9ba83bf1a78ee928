package postgres_test

import (
	"testing"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"groundwork"
	"groundwork/postgres"
)

func (o *office) rebuild(options postgres.RebuildOptions) postgres.RebuildReport {
	o.t.Helper()
	report, err := o.Rebuild(o.t.Context(), options)
	require.NoError(o.t, err)
	return report
}

func TestRebuildSetsRightWhatDiffers(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	wrong := o.must(o.issue("Broken road"), o.dispatch(), o.accept())
	right := o.must(o.issue("No water"), o.dispatch())
	require.NoError(t, o.sql("UPDATE issue SET state = 'PLANNED', dispute_count = 3 WHERE id = $1", wrong.ID))

	checked := o.rebuild(postgres.RebuildOptions{})
	require.False(t, checked.Sound())
	require.Equal(t, int64(2), checked.Issues)
	require.Equal(t, int64(5), checked.Events)
	require.Equal(t, []uuid.UUID{wrong.ID}, checked.DifferingIDs)
	require.Zero(t, checked.Rewritten)

	require.Equal(t, int64(1), o.rebuild(postgres.RebuildOptions{Write: true, Workers: 3}).Rewritten)
	require.True(t, o.rebuild(postgres.RebuildOptions{}).Sound())
	found, err := o.IssuesByID(t.Context(), []uuid.UUID{wrong.ID, right.ID})
	require.NoError(t, err)
	require.Equal(t, wrong.Progress, found[wrong.ID].Progress)
	require.Equal(t, right.UpdatedAt, found[right.ID].UpdatedAt, "what is right is not touched")
}

func TestRebuildReportsEventsThatDoNotFollowAndLeavesThem(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	i := o.must(o.issue("Broken road"), o.dispatch(), o.accept())
	require.NoError(t, o.sql("ALTER TABLE issue_event DISABLE TRIGGER issue_event_forgets"))
	require.NoError(t, o.sql("UPDATE issue_event SET return_count = 1 WHERE issue_id = $1 AND seq = 2", i.ID))
	report := o.rebuild(postgres.RebuildOptions{Write: true})
	require.Equal(t, []uuid.UUID{i.ID}, report.BrokenIDs)
	require.Zero(t, report.Differing)
	require.Zero(t, report.Rewritten)
	require.Equal(t, int64(1), o.rebuild(postgres.RebuildOptions{}).BrokenLives)
	require.NoError(t, o.sql("UPDATE issue_event SET return_count = 0, from_state = 'PLANNED' WHERE issue_id = $1 AND seq = 2", i.ID))
	require.Equal(t, int64(1), o.rebuild(postgres.RebuildOptions{}).BrokenLives)
}

func TestRebuildOfNothing(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	report := o.rebuild(postgres.RebuildOptions{Progress: func(done, total int64) { t.Errorf("progress %d of %d", done, total) }})
	require.True(t, report.Sound())
	require.Zero(t, report.Issues)
}

// Visits and turns are read past their histories: a state that no event led to, an event that is missing or of no row of the life, and a time that is not that of its
// step are found.
func TestRebuildReadsVisitsAndTurnsPastTheirHistories(t *testing.T) {
	t.Parallel()
	r := newRounds(t)
	r.rota(groundwork.Monthly)
	v := r.goes(r.plan(), r.leader, groundwork.VisitBegun, nil)
	v = r.goes(v, r.leader, groundwork.VisitEnded, nil)
	v = r.goes(v, r.leader, groundwork.VisitNoted, func(s *groundwork.VisitStep) {
		s.NoteText, s.NoteUnitID = "Heard", &r.post.OrgUnitID
	})
	report := r.rebuild(postgres.RebuildOptions{})
	require.True(t, report.Sound(), "%v", report.BrokenHistoryIDs)
	require.Greater(t, report.Histories, int64(2), "the visit and the turns")
	require.Equal(t, report.Histories+4, report.HistoryEvents, "the visit has three more than its first, one turn one more")
	slot := r.turn(r.other).ID

	for name, c := range map[string]struct {
		spoil, mend string
		id          uuid.UUID
	}{
		"a state without an event":   {"UPDATE visit SET state = 'CLOSED_OUT' WHERE id = $1", "UPDATE visit SET state = 'RECORDED' WHERE id = $1", v.ID},
		"a version without an event": {"UPDATE rota_slot SET version = version + 1 WHERE id = $1", "UPDATE rota_slot SET version = version - 1 WHERE id = $1", slot},
		"another beginning":          {"UPDATE visit SET started_at = started_at - interval '1 s' WHERE id = $1", "UPDATE visit SET started_at = started_at + interval '1 s' WHERE id = $1", v.ID},
		"another end":                {"UPDATE visit SET ended_at = ended_at + interval '1 s' WHERE id = $1", "UPDATE visit SET ended_at = ended_at - interval '1 s' WHERE id = $1", v.ID},
		"a note of another time":     {"UPDATE visit SET note_created_at = note_created_at + interval '1 s' WHERE id = $1", "UPDATE visit SET note_created_at = note_created_at - interval '1 s' WHERE id = $1", v.ID},
		"a step of another role":     {"UPDATE entity_event SET actor_role = 'ANALYST' WHERE entity_id = $1 AND seq = 2", "UPDATE entity_event SET actor_role = 'LEADER' WHERE entity_id = $1 AND seq = 2", v.ID},
		"a gap":                      {"UPDATE entity_event SET seq = 9 WHERE entity_id = $1 AND seq = 3", "UPDATE entity_event SET seq = 3 WHERE entity_id = $1 AND seq = 9", v.ID},
		"a step from elsewhere":      {"UPDATE entity_event SET from_state = 'PLANNED' WHERE entity_id = $1 AND seq = 3", "UPDATE entity_event SET from_state = 'CHECKED_IN' WHERE entity_id = $1 AND seq = 3", v.ID},
		"no history at all":          {"UPDATE entity_event SET noun = 'lost' WHERE entity_id = $1", "UPDATE entity_event SET noun = 'rota_slot' WHERE entity_id = $1", slot},
	} {
		r.pastTriggers(c.spoil, c.id)
		report := r.rebuild(postgres.RebuildOptions{Write: true})
		require.False(t, report.Sound(), name)
		require.Equal(t, []uuid.UUID{c.id}, report.BrokenHistoryIDs, name)
		r.pastTriggers(c.mend, c.id)
		require.True(t, r.rebuild(postgres.RebuildOptions{}).Sound(), name)
	}
}

// pastTriggers does what triggers would refuse.
func (r *rounds) pastTriggers(sql string, id uuid.UUID) {
	r.t.Helper()
	ctx := r.t.Context()
	conn, err := pgx.Connect(ctx, r.dsn)
	require.NoError(r.t, err)
	defer conn.Close(ctx)
	_, err = conn.Exec(ctx, "SET session_replication_role = replica")
	require.NoError(r.t, err)
	tag, err := conn.Exec(ctx, sql, id)
	require.NoError(r.t, err)
	require.Positive(r.t, tag.RowsAffected())
}
