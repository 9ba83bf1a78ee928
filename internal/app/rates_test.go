package app

import (
	"testing"

	"github.com/stretchr/testify/require"

	"groundwork"
)

// By default the API counts where others than this machine reach it, and nothing elsewhere.
func TestRatesByDefault(t *testing.T) {
	t.Parallel()
	asks := func(c Config, points int) error {
		meter, err := c.Rates.meter(c)
		require.NoError(t, err)
		require.NoError(t, meter.Admit(t.Context(), groundwork.Charge{Points: points}))
		return meter.Admit(t.Context(), groundwork.Charge{Points: points})
	}
	require.NoError(t, asks(Config{}, 10_000))
	require.Equal(t, groundwork.CodeRateLimited, groundwork.CodeOf(asks(Config{AllowUnauthenticated: true}, 10_000)))
	require.NoError(t, asks(Config{AllowUnauthenticated: true}, 1000))
	require.NoError(t, asks(Config{AllowUnauthenticated: true, Rates: RateConfig{Account: "off", Address: "off", Submissions: "off"}}, 10_000))
	require.Equal(t, groundwork.CodeRateLimited, groundwork.CodeOf(asks(Config{Rates: RateConfig{Address: "1/5"}}, 5)))
	_, err := RateConfig{Address: "fast", Account: "5"}.meter(Config{})
	require.ErrorContains(t, err, `--rate-address (GROUNDWORK_RATE_ADDRESS) "fast" is no rate`)
	require.ErrorContains(t, err, `--rate-account (GROUNDWORK_RATE_ACCOUNT) "5" is no rate`)
}
