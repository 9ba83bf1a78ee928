package postgres_test

import (
	"context"
	"regexp"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"groundwork"
)

// The triggers hold the same ways from state to state as the lives in the code.
func TestTheDatabaseKnowsTheSameWays(t *testing.T) {
	t.Parallel()
	e := newEffort(t)
	conn, err := pgx.Connect(t.Context(), e.dsn)
	require.NoError(t, err)
	defer conn.Close(context.WithoutCancel(t.Context()))
	pair := regexp.MustCompile(`\('([A-Z_]+)', '([A-Z_]+)'\)`)
	for function, m := range map[string]groundwork.Machine{"campaign_keeps_its_word": groundwork.CampaignMachine(), "policy_change_keeps_its_word": groundwork.PolicyMachine(),
		"target_keeps_its_word": groundwork.SubjectTargetMachine(),
		"flag_keeps_its_word":   groundwork.FlagMachine(), "assessment_keeps_its_word": groundwork.AssessmentMachine()} {
		var source string
		require.NoError(t, conn.QueryRow(t.Context(), "SELECT prosrc FROM pg_proc WHERE proname = $1", function).Scan(&source))
		var inDatabase, inCode []string
		for _, found := range pair.FindAllStringSubmatch(source, -1) {
			inDatabase = append(inDatabase, found[1]+" to "+found[2])
		}
		for _, r := range m.Rows {
			for _, from := range r.From {
				if r.To != "" {
					inCode = append(inCode, from+" to "+r.To)
				}
			}
		}
		require.ElementsMatch(t, inCode, inDatabase, m.Noun)
	}
}

// policyModel is what a change should be, told without a database.
type policyModel struct {
	state      groundwork.PolicyChangeState
	version    int
	registered *time.Time
	first      time.Time // first rollout
	beside     bool      // rolled out in the other city, too
}

func (m *policyModel) in(states ...groundwork.PolicyChangeState) bool {
	return slices.Contains(states, m.state)
}

// legal says whether a step must be taken at now, and where it leads.
func (m *policyModel) legal(kind string, now time.Time) (to groundwork.PolicyChangeState, ok bool) {
	switch kind {
	case groundwork.PolicyConsulted:
		return "CONSULTED", m.in("PROPOSED")
	case groundwork.PolicyRegistered:
		return m.state, m.in("CONSULTED")
	case groundwork.PolicyPiloted:
		return "PILOT", m.in("CONSULTED") && m.registered != nil
	case groundwork.PolicyRolledOut:
		return m.state, m.in("PILOT", "ADOPTED") && !m.beside && now.Truncate(24*time.Hour).After(*m.registered)
	case groundwork.PolicyAdopted:
		return "ADOPTED", m.in("PILOT") && !now.Before(m.first)
	case groundwork.PolicyEvaluated:
		return "EVALUATED", m.in("ADOPTED") && !now.Before(m.first.AddDate(0, 0, 30))
	case groundwork.PolicyRetained, groundwork.PolicyAmended, groundwork.PolicyRepealed:
		return groundwork.PolicyChangeState(kind), m.in("EVALUATED")
	default:
		return "DROPPED", m.in("PROPOSED", "CONSULTED", "PILOT")
	}
}

func (m *policyModel) take(kind string, to groundwork.PolicyChangeState, now time.Time) {
	m.state = to
	m.version++
	switch kind {
	case groundwork.PolicyRegistered:
		m.registered = &now
	case groundwork.PolicyPiloted:
		m.first = now.Truncate(24*time.Hour).AddDate(0, 0, 1)
	case groundwork.PolicyRolledOut:
		m.beside = true
		if today := now.Truncate(24 * time.Hour); today.Before(m.first) {
			m.first = today
		}
	}
}

var onward = map[groundwork.PolicyChangeState][]string{"PROPOSED": {groundwork.PolicyConsulted},
	"CONSULTED": {groundwork.PolicyRegistered, groundwork.PolicyPiloted}, "PILOT": {groundwork.PolicyAdopted, groundwork.PolicyRolledOut},
	"ADOPTED": {groundwork.PolicyEvaluated, groundwork.PolicyRolledOut}}

// TestRandomPolicyChanges compares random lives with the model. China's days are those of the model's times, which are in China.
func TestRandomPolicyChanges(t *testing.T) {
	t.Parallel()
	e := newEffort(t)
	var kinds []string
	for _, r := range groundwork.PolicyMachine().Rows {
		if r.Kind != groundwork.PolicyProposed && r.Kind != groundwork.PolicyEvidence {
			kinds = append(kinds, r.Kind)
		}
	}
	rapid.Check(t, func(rt *rapid.T) {
		c := e.propose(e.policy())
		m := &policyModel{state: c.State, version: 1}
		for range rapid.IntRange(5, 25).Draw(rt, "steps") {
			e.clock.advance(time.Duration(rapid.SampledFrom([]int{1, 1, 60 * 24, 32 * 60 * 24}).Draw(rt, "minutes")) * time.Minute)
			kind := rapid.SampledFrom(kinds).Draw(rt, "kind")
			if on, ok := onward[m.state]; ok && rapid.IntRange(0, 3).Draw(rt, "onward") > 0 {
				kind = rapid.SampledFrom(on).Draw(rt, "way")
			}
			s := e.change(kind)
			s.EffectiveFrom = s.EffectiveFrom.AddDate(0, 0, m.version) // no two versions begin on one day
			now := inChina(e.clock.Now())
			to, legal := m.legal(kind, now)
			_, err := e.takeChange(c, s)
			require.Equal(rt, legal, err == nil, "%s from %s at %s: %v", kind, m.state, now, err)
			if legal {
				m.take(kind, to, now)
			}
		}
		found, err := e.PolicyChangesByID(context.Background(), []uuid.UUID{c.ID})
		require.NoError(rt, err)
		require.Equal(rt, m.state, found[c.ID].State)
		require.Equal(rt, m.version, found[c.ID].Version)
		history, err := e.HistoryOf(context.Background(), "policy_change", []uuid.UUID{c.ID}, 100)
		require.NoError(rt, err)
		require.Len(rt, history[c.ID], m.version)
		require.Equal(rt, string(m.state), history[c.ID][m.version-1].ToState)
	})
	e.sound()
}

// inChina is the wall clock of China as if it were UTC's, so that days can be cut off.
func inChina(t time.Time) time.Time { return t.UTC().Add(8 * time.Hour) }

// Ten put the same issue to two campaigns at once: it becomes part of one, once.
func TestRaceForAnIssueToJoin(t *testing.T) {
	t.Parallel()
	e := newEffort(t)
	i := e.issue("Hole")
	first, _ := e.running()
	second, _ := e.running()
	var all sync.WaitGroup
	joined := make(chan error, 10)
	for n := range 10 {
		all.Go(func() {
			s := e.by(e.lead, groundwork.CampaignJoined)
			s.IssueIDs = []uuid.UUID{i.ID}
			s.CampaignID = map[bool]uuid.UUID{true: first.ID, false: second.ID}[n%2 == 0]
			_, _, err := e.StepCampaign(t.Context(), s)
			joined <- err
		})
	}
	all.Wait()
	close(joined)
	won := 0
	for err := range joined {
		if err == nil {
			won++
		} else {
			require.Contains(t, []groundwork.Code{groundwork.CodeInvalid, groundwork.CodeConflict}, groundwork.CodeOf(err), "%v", err)
		}
	}
	require.Equal(t, 1, won)
	links, err := e.CampaignIssuesOf(t.Context(), []uuid.UUID{first.ID, second.ID}, 10)
	require.NoError(t, err)
	require.Len(t, slices.Concat(links[first.ID], links[second.ID]), 1)
}

// Ten bring one campaign under review at once: one does, the others hear where it stands, and the history has no gap.
func TestRaceForAReview(t *testing.T) {
	t.Parallel()
	e := newEffort(t)
	c, task := e.running()
	_, err := e.takeTask(task, e.handler, groundwork.TaskCompleted)
	require.NoError(t, err)
	e.clock.advance(91 * 24 * time.Hour)
	faults := make(chan error, 10)
	for range 10 {
		go func() {
			_, err := e.take(c, e.by(e.lead, groundwork.CampaignReviewOpened))
			faults <- err
		}()
	}
	won := 0
	for range 10 {
		if err := <-faults; err == nil {
			won++
		} else {
			require.Equal(t, groundwork.CodeTransition, groundwork.CodeOf(err), "%v", err)
		}
	}
	require.Equal(t, 1, won)
	found, err := e.CampaignsByID(t.Context(), []uuid.UUID{c.ID})
	require.NoError(t, err)
	require.Equal(t, c.Version+1, found[c.ID].Version)
	require.Equal(t, 1, found[c.ID].Reviews)
}
