package postgres_test

import (
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

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
