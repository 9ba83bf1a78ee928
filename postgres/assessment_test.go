package postgres_test

import (
	"context"
	"encoding/json"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"groundwork"
)

func (c *court) cycle(name string) *groundwork.AssessmentCycle {
	c.t.Helper()
	made, _, err := c.OpenAssessmentCycle(context.Background(), c.assessor, groundwork.AssessmentCycle{Name: name, PeriodFrom: day(2025, 1, 1), PeriodTo: day(2026, 1, 1)}, []string{"F1"})
	require.NoError(c.t, err)
	return made
}

func (c *court) open(cycle *groundwork.AssessmentCycle) *groundwork.Assessment {
	c.t.Helper()
	made, _, err := c.OpenAssessment(context.Background(), groundwork.Deed{Actor: c.assessor}, groundwork.Assessment{CycleID: cycle.ID, Subject: c.subject})
	require.NoError(c.t, err)
	return made
}

func (c *court) assess(a *groundwork.Assessment, by groundwork.Actor, kind, says string) (*groundwork.Assessment, error) {
	s := groundwork.AssessmentStep{Deed: groundwork.Deed{Actor: by, Reason: says}, AssessmentID: a.ID, Kind: kind}
	if kind == groundwork.AssessmentStepFrozen {
		s.Snapshots = []groundwork.SnapshotRequest{c.snapshot(c.subject, false)}
	}
	made, _, err := c.StepAssessment(context.Background(), s)
	return made, err
}

func TestLifeOfAnAssessment(t *testing.T) {
	t.Parallel()
	c := newCourt(t)
	_, _, err := c.OpenAssessmentCycle(t.Context(), c.assessor, groundwork.AssessmentCycle{Name: "2025", PeriodFrom: day(2025, 1, 1), PeriodTo: day(2026, 1, 1)}, []string{"F1"})
	require.ErrorContains(t, err, "groundwork migrate", "nothing is on record yet")
	c.keep(meaning(t, "F1", "traces"), meaning(t, "F2", "closings"))
	cycle := c.cycle("2025")
	require.Len(t, cycle.DefinitionIDs, 1)
	_, _, err = c.OpenAssessmentCycle(t.Context(), c.assessor, groundwork.AssessmentCycle{Name: "2025", PeriodFrom: day(2025, 1, 1), PeriodTo: day(2026, 1, 1)}, []string{"F1"})
	require.Equal(t, "name", shown(err).Field)
	_, _, err = c.OpenAssessmentCycle(t.Context(), c.assessor, groundwork.AssessmentCycle{Name: "x", PeriodFrom: day(2025, 1, 1), PeriodTo: day(2026, 1, 1)}, []string{"F1", "F1"})
	require.Equal(t, "measures", shown(err).Field)

	insider := groundwork.Actor{ID: "in", Role: groundwork.RoleAssessor, UnitID: &c.callers.ID}
	_, _, err = c.OpenAssessment(t.Context(), groundwork.Deed{Actor: insider}, groundwork.Assessment{CycleID: cycle.ID, Subject: c.subject})
	require.Equal(t, groundwork.CodeForbidden, groundwork.CodeOf(err))
	a := c.open(cycle)
	_, _, err = c.OpenAssessment(t.Context(), groundwork.Deed{Actor: c.assessor}, groundwork.Assessment{CycleID: cycle.ID, Subject: c.subject})
	require.ErrorContains(t, err, "already")

	confirmed, dismissed, raised := c.raised(c.flag()), c.flag(), c.flag()
	dismissed.DetectorVersion, raised.DetectorVersion = 2, 3
	no, open := c.raised(dismissed), c.raised(raised)
	for _, f := range []*groundwork.FormalismFlag{confirmed, no} {
		_, err := c.stepFlag(f, c.judge, groundwork.FlagTakenUp, "")
		require.NoError(t, err)
	}
	_, err = c.stepFlag(confirmed, c.judge, groundwork.FlagStepConfirmed, "So it is")
	require.NoError(t, err)
	_, err = c.stepFlag(no, c.judge, groundwork.FlagStepDismissed, "Not so")
	require.NoError(t, err)
	late := c.target(c.subject)
	late.PeriodFrom, late.PeriodTo = day(2025, 6, 1), day(2026, 6, 1)
	target, err := c.setTarget(c.judge, late)
	require.NoError(t, err)

	_, err = c.assess(a, insider, groundwork.AssessmentStepFrozen, "")
	require.Equal(t, groundwork.CodeForbidden, groundwork.CodeOf(err))
	_, _, err = c.StepAssessment(t.Context(), groundwork.AssessmentStep{Deed: groundwork.Deed{Actor: c.assessor}, AssessmentID: a.ID, Kind: groundwork.AssessmentStepFrozen})
	require.ErrorContains(t, err, "no measure of the cycle")
	stranger := groundwork.AssessmentStep{Deed: groundwork.Deed{Actor: c.assessor}, AssessmentID: a.ID, Kind: groundwork.AssessmentStepFrozen, Snapshots: []groundwork.SnapshotRequest{c.snapshot(c.subject, false)}}
	stranger.Snapshots[0].Version = meaning(t, "F2", "closings")
	_, _, err = c.StepAssessment(t.Context(), stranger)
	require.ErrorContains(t, err, "mean something else")
	other := groundwork.AssessmentStep{Deed: groundwork.Deed{Actor: c.assessor}, AssessmentID: a.ID, Kind: groundwork.AssessmentStepFrozen, Snapshots: []groundwork.SnapshotRequest{c.snapshot(groundwork.Subject{SubjectUnitID: &c.unit.ID}, false)}}
	_, _, err = c.StepAssessment(t.Context(), other)
	require.Error(t, err, "figures of another subject")

	c.refused(t, a.ID, map[string]string{
		"UPDATE assessment SET state = 'FINAL', version = 2 WHERE id = $1":                                                                                                "does not follow",
		`UPDATE assessment SET state = 'FROZEN', version = 2, frozen = '{}', frozen_sha256 = encode(sha256('{}'), 'hex'), as_of = now(), frozen_at = now() WHERE id = $1`: "rests on snapshots",
		"INSERT INTO assessment_flag (assessment_id, flag_id) SELECT $1, '" + no.ID.String() + "'":                                                                        "confirmed flags",
		"INSERT INTO assessment_flag (assessment_id, flag_id) SELECT $1, '" + open.ID.String() + "'":                                                                      "confirmed flags",
		"UPDATE assessment SET reviewer_unit_id = subject_unit_id, version = 2 WHERE id = $1":                                                                             "from outside",
	})
	step := func(by groundwork.Actor, kind, says string, state groundwork.AssessmentState) {
		t.Helper()
		c.clock.advance(time.Minute)
		a, err = c.assess(a, by, kind, says)
		require.NoError(t, err)
		require.Equal(t, state, a.State)
	}
	step(c.assessor, groundwork.AssessmentStepFrozen, "", groundwork.AssessmentFrozen)
	var grounds groundwork.Grounds
	require.NoError(t, json.Unmarshal([]byte(*a.Frozen), &grounds))
	require.Len(t, grounds.Snapshots, 1)
	require.Equal(t, []groundwork.GroundFlag{{ID: confirmed.ID, Kind: "F1", Version: 3, Finding: "So it is"}}, grounds.Flags, "only what was confirmed")
	require.Equal(t, target.ID, grounds.Targets[0].ID)
	flags, err := c.FlagsOfAssessments(t.Context(), []uuid.UUID{a.ID})
	require.NoError(t, err)
	require.Len(t, flags[a.ID], 1)
	figures, err := c.SnapshotsOfAssessments(t.Context(), []uuid.UUID{a.ID})
	require.NoError(t, err)
	require.Equal(t, grounds.Snapshots[0].SHA256, figures[a.ID][0].SHA256)
	c.refused(t, a.ID, map[string]string{
		`UPDATE assessment SET state = 'REVIEWED', version = 3, comment = 'x', reviewed_at = now(), frozen = '{}', frozen_sha256 = encode(sha256('{}'), 'hex') WHERE id = $1`: "is frozen",
		"INSERT INTO assessment_flag (assessment_id, flag_id) SELECT $1, '" + confirmed.ID.String() + "'":                                                                     "is frozen",
		"DELETE FROM assessment_flag WHERE assessment_id = $1":                                                                                                                "never changes",
		"DELETE FROM assessment_snapshot WHERE assessment_id = $1":                                                                                                            "never changes",
		"DELETE FROM assessment WHERE id = $1":                                                                                                                                "never changes",
	})
	_, err = c.assess(a, c.assessor, groundwork.AssessmentStepReviewed, "")
	require.Equal(t, "comment", shown(err).Field)
	step(c.assessor, groundwork.AssessmentStepReviewed, "Few traces", groundwork.AssessmentReviewed)
	_, err = c.assess(a, c.assessor, groundwork.AssessmentFinalized, "x")
	require.ErrorContains(t, err, "may reply until")
	_, err = c.assess(a, c.assessor, groundwork.AssessmentStepReplied, "x")
	require.Equal(t, groundwork.CodeForbidden, groundwork.CodeOf(err))
	_, err = c.assess(a, groundwork.Actor{ID: "other", Role: groundwork.RoleLeader}, groundwork.AssessmentStepReplied, "x")
	require.Equal(t, groundwork.CodeNotFound, groundwork.CodeOf(err))
	step(c.leader, groundwork.AssessmentStepReplied, "All was well there", groundwork.AssessmentReplied)
	step(c.assessor, groundwork.AssessmentFinalized, "More traces next year", groundwork.AssessmentFinal)
	step(c.leader, groundwork.AssessmentStepAppealed, "The year was short", groundwork.AssessmentAppealed)
	same := c.assessor
	same.Role = groundwork.RoleSupervisor
	_, err = c.assess(a, same, groundwork.AssessmentDecided, "x")
	require.ErrorContains(t, err, "another decides")
	step(c.judge, groundwork.AssessmentDecided, "It stands", groundwork.AssessmentFinal)
	_, err = c.assess(a, c.leader, groundwork.AssessmentStepAppealed, "again")
	require.ErrorContains(t, err, "appealed already")
	history, err := c.HistoryOf(t.Context(), "assessment", []uuid.UUID{a.ID}, 100)
	require.NoError(t, err)
	require.Len(t, history[a.ID], 7)

	for _, by := range []struct {
		who  groundwork.Actor
		sees int
	}{{c.leader, 1}, {c.handler, 0}, {c.judge, 1}} {
		page, err := c.Assessments(t.Context(), groundwork.AssessmentFilter{SubjectFilter: groundwork.SubjectFilter{SeenBy: &by.who}, CycleIDs: []uuid.UUID{cycle.ID}}, groundwork.PageRequest{First: 5})
		require.NoError(t, err)
		require.Len(t, page.Items, by.sees, by.who.ID)
	}
	page, err := c.AssessmentCycles(t.Context(), groundwork.PageRequest{First: 5})
	require.NoError(t, err)
	require.Equal(t, cycle.DefinitionIDs, page.Items[0].DefinitionIDs)

	t.Run("a period that lasts, and silence", func(t *testing.T) {
		running, _, err := c.OpenAssessmentCycle(t.Context(), c.assessor, groundwork.AssessmentCycle{Name: "2026", PeriodFrom: day(2026, 1, 1), PeriodTo: day(2027, 1, 1)}, []string{"F1"})
		require.NoError(t, err)
		a := c.open(running)
		_, err = c.assess(a, c.assessor, groundwork.AssessmentStepFrozen, "")
		require.ErrorContains(t, err, "lasts until 2027-01-01")
		b := c.open(c.cycle("silence"))
		for _, kind := range []string{groundwork.AssessmentStepFrozen, groundwork.AssessmentStepReviewed} {
			c.clock.advance(time.Minute)
			_, err = c.assess(b, c.assessor, kind, "said")
			require.NoError(t, err)
		}
		c.clock.advance(groundwork.ReplyWithin)
		_, err = c.assess(b, c.assessor, groundwork.AssessmentFinalized, "No reply came")
		require.NoError(t, err)
		c.clock.advance(groundwork.AppealWithin + time.Minute)
		_, err = c.assess(b, c.leader, groundwork.AssessmentStepAppealed, "late")
		require.ErrorContains(t, err, "could be appealed until")
	})
}

// TestRandomAssessments compares random lives with a model told without the table of the life.
func TestRandomAssessments(t *testing.T) {
	t.Parallel()
	c := newCourt(t)
	c.keep(meaning(t, "F1", "traces"))
	onward := map[string]string{"OPEN": "FROZEN", "FROZEN": "REVIEWED", "REVIEWED": "REPLIED", "REPLIED": "FINALIZED", "FINAL": "APPEALED", "APPEALED": "DECIDED"}
	kinds := []string{"FROZEN", "REVIEWED", "REPLIED", "FINALIZED", "APPEALED", "DECIDED"}
	who := map[string]string{"FROZEN": "assessor", "REVIEWED": "assessor", "REPLIED": "leader", "FINALIZED": "assessor", "APPEALED": "leader", "DECIDED": "judge"}
	n := 0
	rapid.Check(t, func(rt *rapid.T) {
		n++
		a := c.open(c.cycle(sprintf("cycle %d", n)))
		state, version, silent, appealed := "OPEN", 1, false, false
		for range rapid.IntRange(3, 12).Draw(rt, "steps") {
			c.clock.advance(time.Minute)
			if state == "REVIEWED" && rapid.IntRange(0, 3).Draw(rt, "wait") == 0 {
				c.clock.advance(groundwork.ReplyWithin)
				silent = true
			}
			kind := rapid.SampledFrom(kinds).Draw(rt, "kind")
			if rapid.IntRange(0, 2).Draw(rt, "onward") > 0 {
				kind = onward[state]
			}
			by := rapid.SampledFrom([]groundwork.Actor{c.assessor, c.leader, c.judge}).Draw(rt, "by")
			if rapid.IntRange(0, 2).Draw(rt, "right") > 0 {
				by = map[string]groundwork.Actor{"assessor": c.assessor, "leader": c.leader, "judge": c.judge}[who[kind]]
			}
			legal := by.ID == who[kind] && (onward[state] == kind || state == "REVIEWED" && kind == "FINALIZED" && silent) && (kind != "APPEALED" || !appealed)
			_, err := c.assess(a, by, kind, "said")
			require.Equal(rt, legal, err == nil, "%s by %s from %s: %v", kind, by.ID, state, err)
			if !legal {
				continue
			}
			version++
			appealed = appealed || kind == "APPEALED"
			switch kind {
			case "FINALIZED", "DECIDED":
				state = "FINAL"
			default:
				state = kind
			}
		}
		found, err := c.AssessmentsByID(context.Background(), []uuid.UUID{a.ID})
		require.NoError(rt, err)
		require.Equal(rt, state, string(found[a.ID].State))
		require.Equal(rt, version, found[a.ID].Version)
	})
}
