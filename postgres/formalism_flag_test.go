package postgres_test

import (
	"context"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"groundwork"
)

// court are those who judge and are judged: the post and its unit (the call centre), reviewers of other units.
type court struct {
	*effort
	judge, second groundwork.Actor // of the road bureau and of no part of it
	insiderOfPost groundwork.Actor // of the unit of the post
	assessor      groundwork.Actor
	subject       groundwork.Subject
}

func newCourt(t testing.TB) *court {
	t.Helper()
	e := newEffort(t)
	return &court{effort: e,
		judge:         groundwork.Actor{ID: "judge", Role: groundwork.RoleSupervisor, UnitID: &e.unit.ID},
		second:        groundwork.Actor{ID: "second", Role: groundwork.RoleSupervisor, UnitID: e.insider.UnitID},
		insiderOfPost: e.reviewer,
		assessor:      groundwork.Actor{ID: "assessor", Role: groundwork.RoleAssessor, UnitID: &e.unit.ID},
		subject:       groundwork.Subject{SubjectPostID: &e.post.ID},
	}
}

func (c *court) flag() groundwork.FormalismFlag {
	return groundwork.FormalismFlag{Kind: "F1", Subject: c.subject, PeriodFrom: day(2025, 10, 1), PeriodTo: day(2026, 1, 1), Detector: "outlier", DetectorVersion: 1,
		Score: 0.8, Evidence: map[string]any{"n": 12.0}}
}

func (c *court) raised(f groundwork.FormalismFlag) *groundwork.FormalismFlag {
	c.t.Helper()
	made, _, err := c.RaiseFlag(context.Background(), groundwork.System, f)
	require.NoError(c.t, err)
	return made
}

func (c *court) stepFlag(f *groundwork.FormalismFlag, by groundwork.Actor, kind, reason string) (*groundwork.FormalismFlag, error) {
	made, _, err := c.StepFlag(context.Background(), groundwork.FlagStep{Deed: groundwork.Deed{Actor: by, Reason: reason}, FlagID: f.ID, Kind: kind})
	return made, err
}

func TestLifeOfAFlag(t *testing.T) {
	t.Parallel()
	c := newCourt(t)
	f := c.raised(c.flag())
	require.Equal(t, c.callers.ID, *f.SubjectUnitID)
	require.Equal(t, f, c.raised(c.flag()), "once for each subject, kind, period and version of the detector")
	next := c.flag()
	next.DetectorVersion = 2
	require.NotEqual(t, f.ID, c.raised(next).ID)
	for name, change := range map[string]func(*groundwork.FormalismFlag){
		"kind":     func(f *groundwork.FormalismFlag) { f.Kind = "T1" },
		"evidence": func(f *groundwork.FormalismFlag) { f.Evidence = nil },
		"detector": func(f *groundwork.FormalismFlag) { f.Detector = " " },
		"subject":  func(f *groundwork.FormalismFlag) { f.Subject = groundwork.Subject{} },
		"periodTo": func(f *groundwork.FormalismFlag) { f.PeriodTo = day(2026, 4, 1) },
	} {
		bad := c.flag()
		change(&bad)
		_, _, err := c.RaiseFlag(t.Context(), groundwork.System, bad)
		require.Equal(t, name, shown(err).Field)
	}
	_, _, err := c.RaiseFlag(t.Context(), c.judge, c.flag())
	require.Equal(t, groundwork.CodeForbidden, groundwork.CodeOf(err), "detectors raise flags")

	for _, refused := range []struct {
		by           groundwork.Actor
		kind, reason string
		code         groundwork.Code
	}{
		{c.insiderOfPost, groundwork.FlagTakenUp, "", groundwork.CodeForbidden},
		{groundwork.Actor{ID: "x", Role: groundwork.RoleSupervisor}, groundwork.FlagTakenUp, "", groundwork.CodeForbidden},
		{c.leader, groundwork.FlagTakenUp, "", groundwork.CodeForbidden},
		{c.handler, groundwork.FlagTakenUp, "", groundwork.CodeNotFound},
		{c.judge, groundwork.FlagStepConfirmed, "so it is", groundwork.CodeTransition},
		{c.leader, groundwork.FlagStepAppealed, "no", groundwork.CodeTransition},
	} {
		_, err := c.stepFlag(f, refused.by, refused.kind, refused.reason)
		require.Equal(t, refused.code, groundwork.CodeOf(err), "%s by %s: %v", refused.kind, refused.by.ID, err)
	}
	goOn := func(by groundwork.Actor, kind, reason string, state groundwork.FlagState) {
		t.Helper()
		c.clock.advance(time.Minute)
		f, err = c.stepFlag(f, by, kind, reason)
		require.NoError(t, err)
		require.Equal(t, state, f.State)
	}
	goOn(c.judge, groundwork.FlagTakenUp, "", groundwork.FlagUnderReview)
	_, err = c.stepFlag(f, c.judge, groundwork.FlagStepConfirmed, "")
	require.Equal(t, "reason", shown(err).Field)
	goOn(c.judge, groundwork.FlagStepConfirmed, "Nothing was heard at any visit", groundwork.FlagConfirmed)
	_, err = c.stepFlag(f, c.judge, groundwork.FlagStepAppealed, "x")
	require.Error(t, err, "a supervisor appeals against dismissals")
	goOn(c.leader, groundwork.FlagStepAppealed, "All was well there", groundwork.FlagAppealed)
	_, err = c.stepFlag(f, c.judge, groundwork.FlagStepDismissed, "x")
	require.ErrorContains(t, err, "another reviewer")
	goOn(c.second, groundwork.FlagStepDismissed, "So it was", groundwork.FlagDismissed)
	require.Equal(t, "So it was", *f.Finding)
	_, err = c.stepFlag(f, c.judge, groundwork.FlagStepAppealed, "x")
	require.ErrorContains(t, err, "appealed already")

	for _, by := range []struct {
		who  groundwork.Actor
		sees int
	}{{c.leader, 2}, {c.handler, 0}, {c.judge, 2}, {groundwork.Actor{ID: "h", Role: groundwork.RoleUnitHead, UnitID: &c.callers.ID}, 0}} {
		page, err := c.Flags(t.Context(), groundwork.FlagFilter{SubjectFilter: groundwork.SubjectFilter{SeenBy: &by.who}, Kinds: []string{"F1"},
			Period: groundwork.TimeRange{From: new(day(2025, 12, 1)), To: new(day(2026, 3, 1))}}, groundwork.PageRequest{First: 5})
		require.NoError(t, err)
		require.Len(t, page.Items, by.sees, by.who.ID)
	}
	g := c.raised(next)
	c.refused(t, g.ID, map[string]string{
		"UPDATE formalism_flag SET state = 'CONFIRMED', version = 2 WHERE id = $1":                                                                                                         "does not follow",
		"UPDATE formalism_flag SET state = 'UNDER_REVIEW', version = 2, score = 0, reviewer = 'x', reviewer_unit_id = (SELECT id FROM org_unit WHERE name = 'Road section') WHERE id = $1": "stays what it was",
		"UPDATE formalism_flag SET state = 'UNDER_REVIEW', version = 2, reviewer = 'x', reviewer_unit_id = subject_unit_id WHERE id = $1":                                                  "another unit reviews it",
		"UPDATE formalism_flag SET state = 'UNDER_REVIEW', version = 2 WHERE id = $1":                                                                                                      "violates check constraint",
		"DELETE FROM formalism_flag WHERE id = $1": "never changes",
	})
}

// TestRandomFlags compares random lives with a model: who may do what from where, told apart from the table of the life.
func TestRandomFlags(t *testing.T) {
	t.Parallel()
	c := newCourt(t)
	kinds := []string{groundwork.FlagTakenUp, groundwork.FlagStepConfirmed, groundwork.FlagStepDismissed, groundwork.FlagStepAppealed}
	actors := []groundwork.Actor{c.judge, c.second, c.assessor, c.insiderOfPost, c.leader}
	n := 10
	rapid.Check(t, func(rt *rapid.T) {
		n++
		f := c.flag()
		f.DetectorVersion = n
		made := c.raised(f)
		state, judge, appeals, version := "RAISED", "", 0, 1
		for range rapid.IntRange(3, 14).Draw(rt, "steps") {
			c.clock.advance(time.Minute)
			kind, by := rapid.SampledFrom(kinds).Draw(rt, "kind"), rapid.SampledFrom(actors).Draw(rt, "by")
			outside := by.ID != c.insiderOfPost.ID && by.ID != c.leader.ID
			to := ""
			switch {
			case kind == groundwork.FlagTakenUp && state == "RAISED" && outside:
				to = "UNDER_REVIEW"
			case (kind == "CONFIRMED" || kind == "DISMISSED") && outside && (state == "UNDER_REVIEW" || state == "APPEALED" && by.ID != judge):
				to = kind
			case kind == "APPEALED" && appeals == 0 && (state == "CONFIRMED" && by.ID == c.leader.ID || state == "DISMISSED" && outside && by.Role == groundwork.RoleSupervisor && by.ID != judge):
				to = kind
			}
			_, err := c.stepFlag(made, by, kind, "as found")
			require.Equal(rt, to != "", err == nil, "%s by %s from %s: %v", kind, by.ID, state, err)
			if to == "" {
				continue
			}
			state, version = to, version+1
			if kind == "APPEALED" {
				appeals++
			} else {
				judge = by.ID
			}
		}
		found, err := c.FlagsByID(context.Background(), []uuid.UUID{made.ID})
		require.NoError(rt, err)
		require.Equal(rt, state, string(found[made.ID].State))
		require.Equal(rt, version, found[made.ID].Version)
		history, err := c.HistoryOf(context.Background(), "formalism_flag", []uuid.UUID{made.ID}, 100)
		require.NoError(rt, err)
		require.Len(rt, history[made.ID], version)
	})
}
