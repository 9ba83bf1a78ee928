package app

import (
	"crypto/tls"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"
)

// Whom a request comes from: only what trusted proxies say is believed, the nearest word first.
func TestWhomARequestComesFrom(t *testing.T) {
	t.Parallel()
	trusted, err := parseProxies([]string{"10.0.0.0/8", "::1"})
	require.NoError(t, err)
	for _, c := range []struct {
		name, remote string
		forwarded    []string
		want         string
	}{
		{"directly", "203.0.113.7:4711", nil, "203.0.113.7"},
		{"made up by the client", "203.0.113.7:4711", []string{"198.51.100.1"}, "203.0.113.7"},
		{"through a proxy", "10.0.0.1:80", []string{"203.0.113.7"}, "203.0.113.7"},
		{"through a proxy, with more made up before", "10.0.0.1:80", []string{"198.51.100.1, 203.0.113.7"}, "203.0.113.7"},
		{"in two headers", "10.0.0.1:80", []string{"198.51.100.1", "203.0.113.7"}, "203.0.113.7"},
		{"through two proxies", "[::1]:80", []string{"203.0.113.7, 10.2.3.4"}, "203.0.113.7"},
		{"written as IPv6", "[::ffff:10.0.0.1]:80", []string{"::ffff:203.0.113.7"}, "203.0.113.7"},
		{"from the proxy itself", "10.0.0.1:80", nil, "10.0.0.1"},
		{"no address", "10.0.0.1:80", []string{"203.0.113.7, unknown"}, "10.0.0.1"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil)
			r.RemoteAddr = c.remote
			r.Header["X-Forwarded-For"] = c.forwarded
			require.Equal(t, c.want, trusted.client(r))
		})
	}
	_, err = parseProxies([]string{"proxy.example.org"})
	require.ErrorContains(t, err, "neither an address nor a range")
}

// Checklist row 33: what every answer carries, and HSTS where the client came over TLS.
func TestRow33HeadersOfEveryAnswer(t *testing.T) {
	t.Parallel()
	trusted, err := parseProxies([]string{"10.0.0.1"})
	require.NoError(t, err)
	ask := func(remote, proto string, over *tls.ConnectionState) http.Header {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil)
		r.RemoteAddr, r.TLS = remote, over
		r.Header.Set("X-Forwarded-Proto", proto)
		w := httptest.NewRecorder()
		trusted.hardened(http.NotFoundHandler()).ServeHTTP(w, r)
		return w.Header()
	}
	plain := ask("203.0.113.7:1", "https", nil)
	require.Equal(t, "nosniff", plain.Get("X-Content-Type-Options"))
	require.Equal(t, "no-referrer", plain.Get("Referrer-Policy"))
	require.Contains(t, plain.Get("Content-Security-Policy"), "frame-ancestors 'none'")
	require.Empty(t, plain.Get("Strict-Transport-Security"), "what anybody says of itself")
	require.Empty(t, ask("10.0.0.1:1", "http", nil).Get("Strict-Transport-Security"))
	for _, h := range []http.Header{ask("10.0.0.1:1", "https", nil), ask("10.0.0.1:1", "HTTPS, http", nil), ask("203.0.113.7:1", "", &tls.ConnectionState{})} {
		require.Contains(t, h.Get("Strict-Transport-Security"), "max-age=31536000")
	}
}
