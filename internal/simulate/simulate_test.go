package simulate

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func small(t testing.TB, issues int64) *Simulation {
	s, err := New(Config{Issues: issues, Seed: 7, From: Day(2023, time.January, 1), To: Day(2026, time.January, 1)})
	require.NoError(t, err)
	return s
}

func TestQuick(t *testing.T) {
	s := small(t, 20000)
	start := time.Now()
	events, ops := 0, 0
	kinds := map[string]int{}
	for n := range s.Job().Parts {
		b, err := s.Part(n)
		require.NoError(t, err)
		events += len(b.Events)
		ops += len(b.Opinions)
		for _, i := range b.Issues {
			k := string(i.State)
			if i.ClosureType != nil {
				k += string(*i.ClosureType)
			}
			kinds[k]++
		}
		for _, e := range b.Events {
			kinds["e."+string(e.Kind)]++
		}
	}
	t.Log(events, ops, len(s.visits), time.Since(start), kinds)
	for _, h := range s.plants.hotspots {
		t.Log(h.level, topics[h.topic].code, h.from, h.to, h.risk, h.expected)
	}
	b, _ := s.Part(0)
	t.Log(*b.Visits[0].NoteText)
	t.Log(b.Opinions[3].Subject, b.Opinions[3].Text)
}
