package warehouse_test

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"groundwork/warehouse"
)

type claimOf struct {
	ID     uuid.UUID `ch:"id"`
	Issue  uuid.UUID `ch:"issue_id"`
	Source string    `ch:"source"`
	At     time.Time `ch:"claimed_at"`
	Kind   *string   `ch:"kind"`
}

// However many issues a cell has, and whoever spoke first in it, its reporters are counted up to eleven; with the base, without it, and with the base behind.
func TestReportersAreCountedAsFarAsTheyMatter(t *testing.T) {
	t.Parallel()
	h := open(t)
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 1))
	type cell struct{ channel, severity string }
	cells := map[cell][]issue{}
	voices := map[cell]map[uuid.UUID]bool{}
	add := func(of cell, n, reporters int, silent bool) {
		pool := make([]uuid.UUID, reporters)
		for i := range pool {
			pool[i] = uuid.New()
		}
		if voices[of] == nil {
			voices[of] = map[uuid.UUID]bool{}
		}
		var issues []issue
		var claims []claimOf
		var opinions []opinion
		var links []issueOpinion
		for i := range n {
			one := someIssue()
			one.Channel, one.Severity = of.channel, of.severity
			issues = append(issues, one)
			for range 1 + r.IntN(3) {
				o := opinion{ID: uuid.New(), Channel: of.channel, Received: start}
				if silent {
					break
				}
				if reporters > 0 {
					o.Reporter = &pool[(i+r.IntN(2))%reporters]
					voices[of][*o.Reporter] = true
				} else {
					voices[of][o.ID] = true
				}
				opinions, links = append(opinions, o), append(links, issueOpinion{one.ID, o.ID})
			}
		}
		if silent {
			voices[of][uuid.Nil] = true
		}
		insert(h, "f_issue", issues...)
		for _, one := range issues {
			claims = append(claims, claimOf{uuid.New(), one.ID, "groundwork", start.AddDate(0, 0, -30), nil})
		}
		insert(h, "f_claim", claims...)
		if len(opinions) > 0 {
			insert(h, "f_opinion", opinions...)
			insert(h, "f_issue_opinion", links...)
		}
		cells[of] = append(cells[of], issues...)
	}
	checkBy := func(m *warehouse.Measures, when string) {
		t.Helper()
		for _, by := range [][]warehouse.Dimension{{warehouse.ByChannel, warehouse.BySeverity}, {warehouse.ByChannel}, {}} {
			issues, reporters := map[string]int64{}, map[string]map[uuid.UUID]bool{}
			for of, all := range cells {
				key := fmt.Sprint([]string{of.channel, of.severity}[:len(by)])
				issues[key] += int64(len(all))
				if reporters[key] == nil {
					reporters[key] = map[uuid.UUID]bool{}
				}
				for voice := range voices[of] {
					reporters[key][voice] = true
				}
			}
			table, err := m.Counts(t.Context(), warehouse.Query{By: by})
			require.NoError(t, err, when)
			verdicts, err := m.Ask(t.Context(), "Q1", warehouse.Question{Query: warehouse.Query{By: by, Protect: true}})
			require.NoError(t, err, when)
			for what, table := range map[string]*warehouse.Table{"issues": table, "claims": verdicts.Voices()} {
				require.Len(t, table.N, len(issues))
				for row, n := range table.N {
					var names []string
					for _, d := range table.Dims {
						names = append(names, d.Keys[row].ID)
					}
					key := fmt.Sprint(names)
					require.Equal(t, issues[key], n, "%s: %s of %s", when, what, key)
					require.Equal(t, float64(min(11, len(reporters[key]))), value(t, table, "reporters", row), "%s: reporters of %s of %s", when, what, key)
				}
			}
		}
	}
	sampled, asking := warehouse.NewMeasures(h.DB), warehouse.NewMeasures(h.DB)
	sampled.Sample(1)
	asking.Send(20)
	check := func(when string) {
		t.Helper()
		checkBy(h.Measures, when)
		checkBy(sampled, when+", by a sample")
		checkBy(asking, when+", of issues that are looked up")
	}
	add(cell{"HOTLINE", "LOW"}, 300, 1, false)
	add(cell{"HOTLINE", "LOW"}, 9, 9, false) // ten in all, of whom one spoke first and most
	add(cell{"LETTER", "LOW"}, 300, 1, false)
	add(cell{"LETTER", "LOW"}, 10, 10, false) // eleven
	add(cell{"LETTER", "HIGH"}, 200, 0, false)
	add(cell{"WEB", "HIGH"}, 150, 0, true)
	add(cell{"WEB", "NORMAL"}, 20, 7, false)
	for _, severity := range []string{"LOW", "NORMAL", "HIGH", "URGENT"} {
		add(cell{"MESSAGE_BOARD", severity}, 1+r.IntN(200), r.IntN(20), false)
	}
	h.position(start.Add(time.Hour))
	check("without the base")
	h.keep()
	check("with the base")
	add(cell{"WEB", "NORMAL"}, 30, 4, false)
	of := cell{"LETTER", "HIGH"}
	remove(h, "f_issue", cells[of][:100]...) // who is gone does not count
	cells[of] = cells[of][100:]
	merged := cells[cell{"HOTLINE", "LOW"}]
	merged[0].State = "MERGED"
	insert(h, "f_issue", merged[0])
	cells[cell{"HOTLINE", "LOW"}] = merged[1:]
	h.position(start.Add(2 * time.Hour))
	check("with the base behind")
}
