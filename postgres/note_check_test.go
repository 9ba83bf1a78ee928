package postgres_test

import (
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"groundwork"
	"groundwork/postgres"
)

// Notes are compared in the order in which they were written, once; the passage that was copied can be shown.
func TestNotesAreCompared(t *testing.T) {
	t.Parallel()
	r := newRounds(t)
	const text = "今天到学校座谈，教师反映食堂采购由校长一人说了算，账目两个学期没有公布，家长要求公开食材来源和价格，并请教育局派人驻点核查；" +
		"宿舍热水只在晚上供应一个小时，低年级学生来不及洗漱，后勤答应下周起分两批延长供应，由年级组长逐日登记并在公告栏公示结果，逾期由分管副局长到校说明情况。"
	var visits []*groundwork.Visit
	for _, note := range []string{text, "与家长谈校门口停车。", strings.Replace(text, "教师反映", "家长反映", 1)} {
		v := r.goes(r.held(), r.leader, groundwork.VisitNoted, func(s *groundwork.VisitStep) { s.NoteText, s.NoteUnitID = note, &r.post.OrgUnitID })
		visits = append(visits, v)
	}
	run := func() int {
		done, err := r.chore("note_check").Run(t.Context(), r.clock.Now())
		require.NoError(t, err)
		return done
	}
	require.Equal(t, 3, run())
	require.Zero(t, run(), "a note is compared once")
	found, err := r.NoteChecksOf(t.Context(), []uuid.UUID{visits[0].ID, visits[1].ID, visits[2].ID})
	require.NoError(t, err)
	for _, v := range visits[:2] {
		c := found[v.ID]
		require.Nil(t, c.SourceID)
		require.Nil(t, c.Passage)
		require.False(t, c.Copied)
		require.Zero(t, c.Containment)
	}
	c := found[visits[2].ID]
	require.Equal(t, visits[0].ID, *c.SourceID)
	require.True(t, c.Own)
	require.True(t, c.Copied)
	require.Greater(t, c.Containment, 0.9)
	require.True(t, strings.HasPrefix(*c.Passage, "反映食堂"), *c.Passage)
	require.True(t, strings.HasSuffix(*c.Passage, "说明情况"), *c.Passage)
	require.Equal(t, []rune(*c.Passage), []rune(*visits[2].NoteText)[*c.PassageFrom:][:len([]rune(*c.Passage))])

	// The official, assessors and supervisors see it, and nobody writes it but the chore.
	count := func(role, official string) (n int) {
		t.Helper()
		app := connectAs(t, r.dsn, postgres.RoleApp)
		tx, err := app.Begin(t.Context())
		require.NoError(t, err)
		defer func() { _ = tx.Rollback(t.Context()) }()
		_, err = tx.Exec(t.Context(), "SELECT set_config('groundwork.role', $1, true), set_config('groundwork.official', $2, true)", role, official)
		require.NoError(t, err)
		require.NoError(t, tx.QueryRow(t.Context(), "SELECT count(*) FROM note_check").Scan(&n))
		return n
	}
	require.Equal(t, 3, count("LEADER", r.leader.OfficialID.String()))
	require.Equal(t, 3, count("SUPERVISOR", ""))
	require.Equal(t, 0, count("LEADER", r.colleague.OfficialID.String()))
	require.Equal(t, 0, count("ANALYST", ""))
}
