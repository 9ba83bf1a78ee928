package postgres_test

import (
	"context"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"groundwork"
	"groundwork/postgres"
)

// What is said of units and officials, asked by SQL in the role of the API: seen by the subject, and by those who assess in their regions.
func TestWhoSeesWhatIsSaidOfSubjects(t *testing.T) {
	t.Parallel()
	c := newCourt(t)
	c.keep(meaning(t, "F1", "traces"))
	here, _, err := c.CreateOrgUnit(t.Context(), groundwork.System, groundwork.OrgUnit{Name: "City office", Kind: groundwork.GovtUnit, RegionID: &c.city.ID})
	require.NoError(t, err)
	post, _, err := c.CreatePostHolding(t.Context(), groundwork.System, groundwork.PostHolding{OfficialID: c.post.OfficialID, OrgUnitID: here.ID, Rank: groundwork.RankCounty, Title: "Mayor", HeldFrom: day(2025, 1, 1)})
	require.NoError(t, err)
	c.subject = groundwork.Subject{SubjectPostID: &post.ID}
	c.raised(c.flag())
	a, err := c.assess(c.open(c.cycle("2025")), c.assessor, groundwork.AssessmentStepFrozen, "")
	require.NoError(t, err)
	_, err = c.setTarget(c.judge, c.target(c.subject))
	require.NoError(t, err)

	conn := connectAs(t, c.dsn, postgres.RoleApp)
	count := func(by groundwork.Actor, table string) (n int) {
		tx, err := conn.Begin(t.Context())
		require.NoError(t, err)
		defer func() { require.NoError(t, tx.Rollback(context.WithoutCancel(t.Context()))) }()
		require.NoError(t, postgres.Identify(t.Context(), tx, by, "test"))
		require.NoError(t, tx.QueryRow(t.Context(), "SELECT count(*) FROM "+table).Scan(&n))
		return n
	}
	inside, outside := c.judge, c.judge
	inside.RegionIDs, outside.RegionIDs = append(inside.RegionIDs, c.city.ID), append(outside.RegionIDs, c.other.ID)
	head := groundwork.Actor{ID: "h", Role: groundwork.RoleUnitHead, UnitID: &here.ID}
	for _, by := range []struct {
		who            groundwork.Actor
		said, targeted int
	}{{groundwork.Anonymous, 0, 0}, {c.handler, 0, 0}, {head, 0, 1}, {c.leader, 1, 1}, {inside, 1, 1}, {outside, 0, 0}} {
		for table, want := range map[string]int{"measure_snapshot": by.said, "formalism_flag": by.said, "assessment": by.said, "assessment_snapshot": by.said,
			"assessment_flag": 0, "target": by.targeted, "measure_definition": 1, "assessment_cycle": 1, "assessment_cycle_definition": 1} {
			require.Equal(t, want, count(by.who, table), "%s by %s", table, by.who.ID)
		}
		require.Equal(t, by.said*(1+2)+by.targeted, count(by.who, "entity_event WHERE noun IN ('formalism_flag', 'assessment', 'target')"), by.who.ID)
	}
	tx, err := conn.Begin(t.Context())
	require.NoError(t, err)
	require.NoError(t, postgres.Identify(t.Context(), tx, outside, "test"))
	tag, err := tx.Exec(t.Context(), "UPDATE assessment SET state = 'REVIEWED' WHERE id = @id", pgx.NamedArgs{"id": a.ID})
	require.NoError(t, err)
	require.Zero(t, tag.RowsAffected(), "what one does not see one does not change")
	_, err = tx.Exec(t.Context(), `INSERT INTO target (id, subject_unit_id, period_from, period_to, measure, direction, value, state, version, set_at)
		VALUES (gen_random_uuid(), @unit, '2026-01-01', '2027-01-01', 'F1', 'AT_MOST', 1, 'SET', 1, now())`, pgx.NamedArgs{"unit": here.ID})
	require.ErrorContains(t, err, "row-level security")
	require.NoError(t, tx.Rollback(t.Context()))
}
