package open311_test

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"
)

// Checklist row 27: readers are counted by their address, filings by the application.
func TestRow27RateLimits(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.file(nil)
	require.Equal(t, "open311:city-app", b.meter.charged)
	b.meter.exhaust("open311:city-app")
	response, body := b.post("/v2/requests.json", nil)
	require.Equal(t, http.StatusTooManyRequests, response.StatusCode, body)
	require.Equal(t, "2", response.Header.Get("Retry-After"), "whole seconds, rounded up")
	require.JSONEq(t, `[{"code": 429, "description": "too much"}]`, body)
	require.Len(t, b.requests(""), 1, "others read on, and nothing more was filed")
	b.meter.exhaust("anonymous")
	response, body = b.get("/v2/requests.xml")
	require.Equal(t, http.StatusTooManyRequests, response.StatusCode, body)
	require.Equal(t, "2", response.Header.Get("Retry-After"))
}
