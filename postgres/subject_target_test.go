package postgres_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"groundwork"
)

var sprintf = fmt.Sprintf

func (e *effort) target(subject groundwork.Subject) groundwork.SubjectTarget {
	return groundwork.SubjectTarget{Subject: subject, PeriodFrom: day(2026, 1, 1), PeriodTo: day(2027, 1, 1), Measure: "F1", Direction: groundwork.AtMost, Value: 0.2}
}

func (e *effort) setTarget(by groundwork.Actor, target groundwork.SubjectTarget) (*groundwork.SubjectTarget, error) {
	made, _, err := e.SetSubjectTarget(e.t.Context(), groundwork.Deed{Actor: by}, target)
	return made, err
}

func TestTargetsOfSubjects(t *testing.T) {
	t.Parallel()
	e := newEffort(t)
	ofUnit, ofPost := groundwork.Subject{SubjectUnitID: &e.unit.ID}, groundwork.Subject{SubjectPostID: &e.post.ID}
	callersHead := groundwork.Actor{ID: "head", Role: groundwork.RoleUnitHead, UnitID: &e.callers.ID}
	unitHead := groundwork.Actor{ID: "road", Role: groundwork.RoleUnitHead, UnitID: &e.unit.ID}
	itself := callersHead
	itself.OfficialID = &e.post.OfficialID
	homeless := groundwork.Actor{ID: "s", Role: groundwork.RoleSupervisor}
	for name, c := range map[string]struct {
		by     groundwork.Actor
		target groundwork.SubjectTarget
		code   groundwork.Code
	}{
		"a leader":                  {e.leader, e.target(ofUnit), groundwork.CodeForbidden},
		"a supervisor of the unit":  {e.insider, e.target(ofUnit), groundwork.CodeForbidden},
		"a supervisor of no unit":   {homeless, e.target(ofUnit), groundwork.CodeForbidden},
		"a supervisor of the post":  {e.reviewer, e.target(ofPost), groundwork.CodeForbidden},
		"a head for the unit":       {unitHead, e.target(ofUnit), groundwork.CodeForbidden},
		"a head for another's post": {unitHead, e.target(ofPost), groundwork.CodeForbidden},
		"a head for the own post":   {itself, e.target(ofPost), groundwork.CodeForbidden},
		"nobody":                    {e.reviewer, e.target(groundwork.Subject{}), groundwork.CodeInvalid},
		"a post that is not there":  {e.reviewer, e.target(groundwork.Subject{SubjectPostID: &e.unit.ID}), groundwork.CodeInvalid},
		"a unit that is not there":  {e.reviewer, e.target(groundwork.Subject{SubjectUnitID: &e.post.ID}), groundwork.CodeInvalid},
	} {
		_, err := e.setTarget(c.by, c.target)
		require.Equal(t, c.code, groundwork.CodeOf(err), "%s: %v", name, err)
	}
	over := e.target(ofUnit)
	over.PeriodFrom, over.PeriodTo = day(2025, 1, 1), day(2026, 1, 1)
	_, err := e.setTarget(e.reviewer, over)
	require.ErrorContains(t, err, "looks ahead")
	backward := e.target(ofUnit)
	backward.PeriodTo = backward.PeriodFrom
	_, err = e.setTarget(e.reviewer, backward)
	require.Equal(t, "periodTo", shown(err).Field)

	unitTarget, err := e.setTarget(e.reviewer, e.target(ofUnit))
	require.NoError(t, err)
	_, err = e.setTarget(e.reviewer, e.target(ofUnit))
	require.ErrorContains(t, err, "stands already")
	postTarget, err := e.setTarget(callersHead, e.target(ofPost))
	require.NoError(t, err, "the head of the unit aims for its posts")
	require.True(t, postTarget.Met(0.2))
	require.False(t, postTarget.Met(0.21))

	for _, c := range []struct {
		by   groundwork.Actor
		sees []uuid.UUID
	}{
		{e.handler, nil}, {e.leader, []uuid.UUID{postTarget.ID}}, {callersHead, []uuid.UUID{postTarget.ID}}, {unitHead, []uuid.UUID{unitTarget.ID}},
		{e.reviewer, []uuid.UUID{postTarget.ID, unitTarget.ID}},
	} {
		page, err := e.SubjectTargets(t.Context(), groundwork.SubjectTargetFilter{SubjectFilter: groundwork.SubjectFilter{SeenBy: &c.by}, On: new(day(2026, 5, 1))}, groundwork.PageRequest{First: 5})
		require.NoError(t, err)
		var ids []uuid.UUID
		for _, found := range page.Items {
			ids = append(ids, found.ID)
			require.True(t, found.SeenBy(c.by))
		}
		require.ElementsMatch(t, c.sees, ids, "%s", c.by.ID)
	}
	_, _, err = e.StepSubjectTarget(t.Context(), groundwork.SubjectTargetStep{Deed: groundwork.Deed{Actor: unitHead, Reason: "x"}, SubjectTargetID: postTarget.ID, Kind: groundwork.SubjectTargetStepWithdrawn})
	require.Equal(t, groundwork.CodeNotFound, groundwork.CodeOf(err), "what one may not see is not there")
	e.refused(t, unitTarget.ID, map[string]string{
		"UPDATE target SET value = 0.9 WHERE id = $1":                                     "by its steps alone",
		"UPDATE target SET measure = 'H1', version = version + 1 WHERE id = $1":           "stay what they were",
		"UPDATE target SET period_to = '2028-01-01', version = version + 1 WHERE id = $1": "stay what they were",
		"UPDATE target SET value = 'NaN', version = version + 1 WHERE id = $1":            "violates check constraint",
		"DELETE FROM target WHERE id = $1":                                                "never changes",
	})
}

// TestRandomTargets compares random lives with a model told in a few words: what stands may be given another value or be taken back while
// its period lasts; what was taken back is gone for good; every value stays in the history.
func TestRandomTargets(t *testing.T) {
	t.Parallel()
	e := newEffort(t)
	year := 2030
	rapid.Check(t, func(rt *rapid.T) {
		year++
		target := e.target(groundwork.Subject{SubjectUnitID: &e.unit.ID})
		target.PeriodFrom, target.PeriodTo = day(2026, 1, 1), day(year, 1, 1)
		for target.PeriodTo.After(target.PeriodFrom.AddDate(5, 0, 0)) {
			target.PeriodFrom = target.PeriodFrom.AddDate(1, 0, 0)
		}
		made, err := e.setTarget(e.reviewer, target)
		require.NoError(rt, err)
		stands, values := true, []float64{0.2}
		for range rapid.IntRange(1, 8).Draw(rt, "steps") {
			e.clock.advance(time.Minute)
			s := groundwork.SubjectTargetStep{Deed: groundwork.Deed{Actor: e.reviewer, Reason: rapid.SampledFrom([]string{"", "as agreed", "as agreed"}).Draw(rt, "reason")}, SubjectTargetID: made.ID}
			s.Kind = rapid.SampledFrom([]string{groundwork.SubjectTargetRevised, groundwork.SubjectTargetRevised, groundwork.SubjectTargetStepWithdrawn}).Draw(rt, "kind")
			if rapid.IntRange(0, 4).Draw(rt, "insider") == 0 {
				s.Actor = e.insider
			}
			s.Direction, s.Value = groundwork.AtMost, float64(rapid.IntRange(1, 3).Draw(rt, "value"))/10
			legal := stands && s.Reason != "" && s.Actor.ID == e.reviewer.ID && (s.Kind != groundwork.SubjectTargetRevised || s.Value != values[len(values)-1])
			_, _, err := e.StepSubjectTarget(context.Background(), s)
			require.Equal(rt, legal, err == nil, "%s: %v", s.Kind, err)
			if legal && s.Kind == groundwork.SubjectTargetRevised {
				values = append(values, s.Value)
			}
			stands = stands && (!legal || s.Kind == groundwork.SubjectTargetRevised)
		}
		found, err := e.SubjectTargetsByID(context.Background(), []uuid.UUID{made.ID})
		require.NoError(rt, err)
		require.Equal(rt, stands, found[made.ID].State == groundwork.SubjectTargetStanding)
		require.Equal(rt, values[len(values)-1], found[made.ID].Value)
		history, err := e.HistoryOf(context.Background(), "target", []uuid.UUID{made.ID}, 100)
		require.NoError(rt, err)
		require.Len(rt, history[made.ID], found[made.ID].Version)
		var kept []float64
		for _, event := range history[made.ID] {
			if event.Kind != groundwork.SubjectTargetStepWithdrawn {
				kept = append(kept, event.Payload["value"].(float64))
			}
		}
		require.Equal(rt, values, kept)
	})
}
