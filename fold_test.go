package groundwork

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// Any legal life folds from what was stored of its events to the progress that it had.
func TestFoldRebuildsAnyLife(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(r *rapid.T) {
		l := begin(t, rapid.SampledFrom([]OpinionKind{Inquiry, Complaint}).Draw(r, "kind"), SeverityNormal)
		l.Target = &Issue{ID: otherUnit, Progress: Progress{State: InProgress}}
		kinds := EventKinds()[1:]
		taken := 0
		for range rapid.IntRange(1, 40).Draw(r, "steps") {
			l.wait(time.Duration(rapid.IntRange(0, 30*24*60).Draw(r, "minutes")) * time.Minute)
			l.Opinion = &Opinion{ID: anOpinion, ReceivedAt: l.Now.Add(-time.Duration(rapid.IntRange(0, 1000).Draw(r, "age")) * time.Hour)}
			s := legal(rapid.SampledFrom(kinds).Draw(r, "step"), rapid.SampledFrom(Lifecycle).Draw(r, "row").Roles[0])
			s.Closure = rapid.SampledFrom([]Closure{Unconfirmed, Explained, ReferredOut}).Draw(r, "closure")
			s.TargetIssueID, s.OpinionID = &otherUnit, &anOpinion
			s.ReviewAt, s.TargetDate = l.Now.Add(days), l.Now.Add(days)
			before := l.Progress
			if err := l.try(s); err != nil {
				require.Equal(r, before, l.Progress, "a refusal changes nothing")
				require.NotEmpty(r, CodeOf(err))
				continue
			}
			taken++
			holds(r, l)
		}
		require.Equal(r, taken+1, l.Seq)
		text, err := json.Marshal(l.History)
		require.NoError(r, err)
		var stored []Event
		require.NoError(r, json.Unmarshal(text, &stored))
		for i := range stored {
			stored[i].Progress = Progress{} // the fold must not lean on it
		}
		require.True(r, Fold(stored).Equal(l.Progress), "fold %+v\nis    %+v", Fold(stored), l.Progress)
	})
}

// holds checks what is true of every issue at any time.
func holds(r *rapid.T, l *life) {
	require.Equal(r, l.State == Closed, l.ClosedAt != nil)
	require.Equal(r, l.State == Closed, l.ClosureType != nil)
	require.Equal(r, l.State == Merged, l.MergedIntoID != nil)
	require.Equal(r, l.State == AwaitingCitizen, l.PausedSince != nil)
	require.LessOrEqual(r, l.ReturnCount, maxReturns)
	require.False(r, l.OriginAt.After(atOpinion), "the clock never resets")
	last := l.History[len(l.History)-1]
	require.False(r, last.At.After(last.KnownAt))
	require.False(r, last.KnownAt.Before(l.History[len(l.History)-2].KnownAt))
}

func TestProgressEqualSeesEveryField(t *testing.T) {
	t.Parallel()
	base := Progress{State: Registered, OriginAt: monday}
	for _, change := range []func(*Progress){
		func(p *Progress) { p.Seq++ }, func(p *Progress) { p.State = Closed }, func(p *Progress) { p.ClosureType = new(Confirmed) },
		func(p *Progress) { p.OriginAt = monday.Add(1) }, func(p *Progress) { p.FirstResponseAt = &monday }, func(p *Progress) { p.ClaimedAt = &monday },
		func(p *Progress) { p.ResolvedAt = &monday }, func(p *Progress) { p.ClosedAt = &monday }, func(p *Progress) { p.MergedIntoID = &ourUnit },
		func(p *Progress) { p.LeadUnitID = &ourUnit }, func(p *Progress) { p.PausedSince = &monday }, func(p *Progress) { p.PausedSeconds++ },
		func(p *Progress) { p.ReturnCount++ }, func(p *Progress) { p.DisputeCount++ }, func(p *Progress) { p.ReopenCount++ },
		func(p *Progress) { p.EscalationLevel++ }, func(p *Progress) { p.OpinionCount++ },
	} {
		other := base
		change(&other)
		require.False(t, base.Equal(other), "%+v", other)
	}
	require.True(t, base.Equal(Progress{State: Registered, OriginAt: monday.UTC()}))
}
