package postgres_test

import (
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"groundwork"
	"groundwork/postgres"
	"groundwork/postgres/pgtest"
)

func meaning(t testing.TB, code, text string) groundwork.MeasureDefinition {
	t.Helper()
	d, err := groundwork.NewMeasureDefinition(code, "1", map[string]string{"meaning": text})
	require.NoError(t, err)
	return d
}

// keep keeps definitions as the owner of the database.
func (e *effort) keep(ds ...groundwork.MeasureDefinition) []groundwork.MeasureDefinition {
	e.t.Helper()
	kept, err := e.KeepMeasureDefinitions(e.t.Context(), ds)
	require.NoError(e.t, err)
	return kept
}

// Definitions are kept once; one that changes becomes the next version, and what it was before stays.
func TestDefinitionsAreKept(t *testing.T) {
	t.Parallel()
	e := newEffort(t)
	first, other := meaning(t, "F1", "traces"), meaning(t, "E1C", "with E1")
	would, err := e.NewMeasureDefinitions(t.Context(), []groundwork.MeasureDefinition{first, other})
	require.NoError(t, err)
	require.Len(t, would, 2)
	require.Len(t, e.keep(first, other), 2)
	require.Empty(t, e.keep(first, other), "nothing changed")
	second := meaning(t, "F1", "traces of any kind")
	require.Equal(t, 2, e.keep(second, other)[0].Version)
	require.Equal(t, 3, e.keep(first)[0].Version, "a program that goes back says so too")
	found, err := e.MeasureDefinitions(t.Context(), []string{"F1"})
	require.NoError(t, err)
	require.Len(t, found, 3)
	require.Equal(t, []string{first.Fields, second.Fields, first.Fields}, []string{found[0].Fields, found[1].Fields, found[2].Fields})
	byID, err := e.MeasureDefinitionsByID(t.Context(), []uuid.UUID{found[1].ID})
	require.NoError(t, err)
	require.Equal(t, 2, byID[found[1].ID].Version)
	bad := first
	bad.Fields = `{"meaning":"forged"}`
	_, err = e.KeepMeasureDefinitions(t.Context(), []groundwork.MeasureDefinition{bad})
	require.Equal(t, groundwork.CodeInvalid, groundwork.CodeOf(err), "the hash is of other fields")
	e.refused(t, found[0].ID, map[string]string{
		"UPDATE measure_definition SET fields = '{}' WHERE id = $1": "never changes",
		"DELETE FROM measure_definition WHERE id = $1":              "never changes",
	})
	app := pgtest.Open(t, e.dsn, postgres.Options{Role: postgres.RoleApp})
	_, err = app.KeepMeasureDefinitions(t.Context(), []groundwork.MeasureDefinition{meaning(t, "F9", "x")})
	require.Error(t, err, "the API keeps no definitions")
}

func (e *effort) snapshot(subject groundwork.Subject, protected bool) groundwork.SnapshotRequest {
	s := groundwork.MeasureSnapshot{Measure: "F1", Subject: subject, Question: `{"measure":"F1"}`, Cells: `{"n":[12]}`, AsOf: groundwork.Moment(e.clock.Now()), RowCount: 1, Protected: protected}
	s.Seal()
	return groundwork.SnapshotRequest{Actor: e.reviewer, Asked: "{}", Snapshot: s, Version: meaning(e.t, "F1", "traces")}
}

func (e *effort) taken(r groundwork.SnapshotRequest) *groundwork.MeasureSnapshot {
	e.t.Helper()
	s, receipt, err := e.TakeSnapshot(e.t.Context(), r)
	require.NoError(e.t, err)
	require.NotZero(e.t, receipt.LSN)
	return s
}

func TestSnapshots(t *testing.T) {
	t.Parallel()
	e := newEffort(t)
	_, _, err := e.TakeSnapshot(t.Context(), e.snapshot(groundwork.Subject{}, true))
	require.ErrorContains(t, err, "groundwork migrate", "nothing is on record yet")
	e.keep(meaning(t, "F1", "traces"))
	open := e.taken(e.snapshot(groundwork.Subject{}, true))
	inner := e.taken(e.snapshot(groundwork.Subject{}, false))
	ofUnit := e.taken(e.snapshot(groundwork.Subject{SubjectUnitID: &e.unit.ID}, false))
	ofPost := e.taken(e.snapshot(groundwork.Subject{SubjectPostID: &e.post.ID}, false))
	require.Equal(t, e.callers.ID, *ofPost.SubjectUnitID, "the unit of the post")
	require.Equal(t, e.post.OfficialID, *ofPost.SubjectOfficialID)
	require.Equal(t, groundwork.RoleSupervisor, open.TakenByRole)

	head := groundwork.Actor{ID: "head", Role: groundwork.RoleUnitHead, UnitID: &e.unit.ID}
	for _, c := range []struct {
		by   groundwork.Actor
		sees []*groundwork.MeasureSnapshot
	}{
		{groundwork.Anonymous, []*groundwork.MeasureSnapshot{open}},
		{groundwork.Actor{ID: "a", Role: groundwork.RoleAnalyst}, []*groundwork.MeasureSnapshot{open}},
		{e.handler, []*groundwork.MeasureSnapshot{open, inner}},
		{head, []*groundwork.MeasureSnapshot{open, inner, ofUnit}},
		{e.leader, []*groundwork.MeasureSnapshot{open, inner, ofPost}},
		{e.reviewer, []*groundwork.MeasureSnapshot{open, inner, ofUnit, ofPost}},
	} {
		page, err := e.MeasureSnapshots(t.Context(), groundwork.SnapshotFilter{SubjectFilter: groundwork.SubjectFilter{SeenBy: &c.by}}, groundwork.PageRequest{First: 10})
		require.NoError(t, err)
		require.ElementsMatch(t, c.sees, page.Items, "%s", c.by.Role)
		for _, s := range []*groundwork.MeasureSnapshot{open, inner, ofUnit, ofPost} {
			listed := false
			for _, seen := range c.sees {
				listed = listed || seen.ID == s.ID
			}
			require.Equal(t, listed, s.SeenBy(c.by), "the list and the rule agree: %s", c.by.Role)
		}
	}
	page, err := e.MeasureSnapshots(t.Context(), groundwork.SnapshotFilter{Measures: []string{"F1"}, SubjectFilter: groundwork.SubjectFilter{PostIDs: []uuid.UUID{e.post.ID}}}, groundwork.PageRequest{First: 10})
	require.NoError(t, err)
	require.Equal(t, []*groundwork.MeasureSnapshot{ofPost}, page.Items)

	e.refused(t, open.ID, map[string]string{
		"UPDATE measure_snapshot SET cells = '{}' WHERE id = $1":  "never changes",
		"UPDATE measure_snapshot SET as_of = now() WHERE id = $1": "never changes",
		"DELETE FROM measure_snapshot WHERE id = $1":              "never changes",
	})
	const copied = `INSERT INTO measure_snapshot (id, measure_definition_id, measure, question, cells, sha256, as_of, row_count, protected, taken_at, taken_by_role%s)
		SELECT gen_random_uuid(), measure_definition_id, measure, question, %s, sha256, as_of, row_count, protected, taken_at, taken_by_role%s FROM measure_snapshot WHERE id = $1`
	require.ErrorContains(t, e.sql(sprintf(copied, "", "'{}'", ""), open.ID), "measure_snapshot_hash")
	require.ErrorContains(t, e.sql(sprintf(copied, ", subject_unit_id, subject_post_id, subject_official_id", "cells",
		", (SELECT id FROM org_unit WHERE name = 'Road section'), '"+e.post.ID.String()+"', '"+e.post.OfficialID.String()+"'"), open.ID), "those of the post")

	for name, c := range map[string]struct {
		change func(*groundwork.SnapshotRequest)
		field  string
	}{
		"future":     {func(r *groundwork.SnapshotRequest) { r.Snapshot.AsOf = r.Snapshot.AsOf.Add(time.Hour) }, "asOf"},
		"other hash": {func(r *groundwork.SnapshotRequest) { r.Snapshot.Cells = `{"n":[13]}` }, "sha256"},
		"no measure": {func(r *groundwork.SnapshotRequest) { r.Snapshot.Measure = "nothing" }, "measure"},
		"both subjects": {func(r *groundwork.SnapshotRequest) {
			r.Snapshot.SubjectUnitID, r.Snapshot.SubjectPostID = &e.unit.ID, &e.post.ID
		}, "subject"},
		"no such post": {func(r *groundwork.SnapshotRequest) { r.Snapshot.SubjectPostID = &e.unit.ID }, "subject.postId"},
	} {
		r := e.snapshot(groundwork.Subject{}, true)
		c.change(&r)
		_, _, err := e.TakeSnapshot(t.Context(), r)
		require.Equal(t, c.field, shown(err).Field, name)
	}
	changed := e.snapshot(groundwork.Subject{}, true)
	changed.Version = meaning(t, "F1", "another")
	_, _, err = e.TakeSnapshot(t.Context(), changed)
	require.Equal(t, groundwork.CodeConflict, groundwork.CodeOf(err))

	again := e.snapshot(groundwork.Subject{}, true)
	again.Actor.Via.ClientMutationID = "m"
	made := e.taken(again)
	e.clock.advance(time.Hour)
	later := e.snapshot(groundwork.Subject{}, true)
	later.Actor.Via.ClientMutationID = "m"
	require.Equal(t, made.ID, e.taken(later).ID, "the same question under the same id is answered again")

	c, _, err := e.ProposePolicyChange(t.Context(), groundwork.PolicyProposal{Actor: e.owner(), PolicyID: e.policy().ID, Summary: "s", Evidence: []groundwork.EvidenceTarget{{MeasureSnapshotID: &open.ID}}})
	require.NoError(t, err, "a snapshot is evidence of a policy change")
	links, err := e.EvidenceLinksOf(t.Context(), []uuid.UUID{c.ID}, 5)
	require.NoError(t, err)
	require.True(t, open.AsOf.Equal(links[c.ID][0].EvidenceAt))
}
