package app

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"groundwork"
)

// A moment is a time, or the end of a day in China.
func TestMomentOfAnExport(t *testing.T) {
	t.Parallel()
	for value, want := range map[string]time.Time{
		"2026-01-31":                time.Date(2026, 2, 1, 0, 0, 0, 0, groundwork.China),
		"2026-01-31T18:00:00+08:00": time.Date(2026, 1, 31, 18, 0, 0, 0, groundwork.China),
	} {
		got, err := momentOption("--as-of", value)
		require.NoError(t, err)
		require.True(t, got.Equal(want), "%s is %s", value, got)
	}
	got, err := momentOption("--as-of", "")
	require.NoError(t, err)
	require.Nil(t, got)
	_, err = momentOption("--as-of", "2026-02-30")
	require.ErrorContains(t, err, `--as-of "2026-02-30" is no time: write it like 2026-01-31T18:00:00+08:00, or 2026-01-31`)
}
