package simulate

import (
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"groundwork"
)

// Each planted policy is a change in its pilot: proposed on visits that were made before, by steps that the rules allow, its outcome registered before it takes effect in
// the counties, and on the days, of the truth.
func TestPoliciesArePiloted(t *testing.T) {
	t.Parallel()
	s, b := planted()
	truth := truthOf(t, s)
	require.Len(t, b.PolicyChanges, len(truth.Policies))
	visits := map[uuid.UUID]*groundwork.Visit{}
	for i := range b.Visits {
		visits[b.Visits[i].ID] = &b.Visits[i]
	}
	for n, c := range b.PolicyChanges {
		require.Equal(t, truth.Policies[n].Change, c.ID)
		require.Equal(t, groundwork.ChangePilot, c.State)
		from := map[string]string{}
		for _, r := range b.Rollouts {
			if r.PolicyChangeID == c.ID {
				from[r.RegionID.String()] = groundwork.DayOf(r.EffectiveFrom)
				require.True(t, c.PreRegisteredAt.Before(r.EffectiveFrom) && c.PilotAt.Before(r.EffectiveFrom))
			}
		}
		require.Len(t, from, len(truth.Policies[n].Treated))
		for _, county := range truth.Policies[n].Treated {
			require.Equal(t, county.From, from[county.Region.String()])
		}
		speak := 0
		for _, e := range b.Evidence {
			if e.PolicyChangeID == c.ID {
				speak++
				v := visits[*e.VisitID]
				require.True(t, v.EndedAt.Before(c.ProposedAt))
				require.True(t, v.StartedAt.Equal(e.EvidenceAt))
			}
		}
		require.Equal(t, evidenceVisits, speak)
		goesByItsLife(t, b.Histories, map[uuid.UUID]int{c.ID: c.Version}, map[string]groundwork.Machine{"policy_change": groundwork.PolicyMachine()})
	}
}
