package main

import (
	"encoding/csv"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// wait is one row of a file: how many days until the reply, or until the file ends without one.
type wait struct {
	days    float64
	replied bool
}

// The measures say of an imported file what a plain computation over its rows says.
func TestMeasuresAgreeWithTheFile(t *testing.T) {
	t.Parallel()
	file := writeMessages(t, 900)
	waits := readWaits(t, file)
	s := up(t, t.TempDir(), "--no-sample")
	out, code := s.run("import", "messages", "-q", file)
	require.Zero(t, code, out)

	type column struct{ Values []*float64 }
	var answer struct {
		TimeToResponse struct {
			N                                              []int
			Responded24h, Responded7d, MedianDays, P90Days column
		}
		TimeToResolution struct {
			N                                                                 []int
			Confirmed30, Confirmed30Lower, Confirmed30Upper, Confirmed90Upper column
			AwaitingFeedback                                                  column
		}
	}
	eventually(t, time.Minute, "the import in the warehouse", func() bool {
		s.query(&answer, `{
			timeToResponse { n responded24h { values } responded7d { values } medianDays { values } p90Days { values } }
			timeToResolution { n confirmed30 { values } confirmed30Lower { values } confirmed30Upper { values } confirmed90Upper { values } awaitingFeedback { values } } }`, nil)
		// Each measure is a question of its own, asked while rows still arrive.
		return slices.Equal(answer.TimeToResponse.N, []int{len(waits)}) && slices.Equal(answer.TimeToResolution.N, []int{len(waits)})
	})
	same := func(want float64, got column) {
		t.Helper()
		require.Len(t, got.Values, 1)
		require.NotNil(t, got.Values[0])
		require.InDelta(t, want, *got.Values[0], 1e-6)
	}
	same(1-surviving(waits, 1), answer.TimeToResponse.Responded24h)
	same(1-surviving(waits, 7), answer.TimeToResponse.Responded7d)
	same(reached(waits, 0.5), answer.TimeToResponse.MedianDays)
	// Nine of ten were never answered: not reached is no number.
	require.Equal(t, []*float64{nil}, answer.TimeToResponse.P90Days.Values)
	same(0, answer.TimeToResolution.Confirmed30Lower)
	same(1-surviving(waits, 30), answer.TimeToResolution.Confirmed30Upper)
	same(1-surviving(waits, 90), answer.TimeToResolution.Confirmed90Upper)
	same(600, answer.TimeToResolution.AwaitingFeedback)
	require.Equal(t, []*float64{nil}, answer.TimeToResolution.Confirmed30.Values, "replies are no confirmations")
}

func readWaits(t *testing.T, name string) []wait {
	file, err := os.Open(name)
	require.NoError(t, err)
	defer file.Close()
	rows, err := csv.NewReader(file).ReadAll()
	require.NoError(t, err)
	parse := func(text string) time.Time {
		at, err := time.Parse("2006/1/2 15:04:05", text)
		require.NoError(t, err)
		return at
	}
	var end time.Time // the file speaks up to its latest time
	for _, row := range rows[1:] {
		for _, text := range []string{row[3], row[6]} {
			if text != "" && parse(text).After(end) {
				end = parse(text)
			}
		}
	}
	var waits []wait
	for _, row := range rows[1:] {
		until := end
		if row[6] != "" {
			until = parse(row[6])
		}
		waits = append(waits, wait{until.Sub(parse(row[3])).Hours() / 24, row[6] != ""})
	}
	return waits
}

// surviving is the product-limit estimate, row by row: at every time of a reply, the share of those still waiting that got none.
func surviving(waits []wait, days float64) float64 {
	share := 1.0
	var times []float64
	for _, w := range waits {
		if w.replied && w.days <= days {
			times = append(times, w.days)
		}
	}
	slices.Sort(times)
	for _, at := range slices.Compact(times) {
		waiting, replies := 0.0, 0.0
		for _, w := range waits {
			if w.days >= at {
				waiting++
			}
			if w.replied && w.days == at {
				replies++
			}
		}
		share *= 1 - replies/waiting
	}
	return share
}

// reached is the first day by which the share p has been answered.
func reached(waits []wait, p float64) float64 {
	var times []float64
	for _, w := range waits {
		if w.replied {
			times = append(times, w.days)
		}
	}
	slices.Sort(times)
	for _, at := range times {
		if surviving(waits, at) <= 1-p+1e-9 { // the product of many shares is not exact
			return at
		}
	}
	return -1
}
