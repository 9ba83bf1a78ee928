package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// Keys, grants and tokens as an administrator without a provider uses them, against the running program.
func TestAccountsAndTokens(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	keys := filepath.Join(dir, "keys.json")
	set, code := groundwork(t, "token", "key")
	require.Zero(t, code, set)
	require.NoError(t, os.WriteFile(keys, []byte(set), 0o600))
	public, code := groundwork(t, "token", "public", "--auth-keys", keys)
	require.Zero(t, code, public)
	verifying := filepath.Join(dir, "public.json") // the server needs nothing that signs
	require.NoError(t, os.WriteFile(verifying, []byte(public), 0o600))
	s := up(t, filepath.Join(dir, "data"), "--no-sample", "--auth-keys", verifying)

	token := func(account string) map[string]string {
		text, code := groundwork(t, "token", "sign", account, "--auth-keys", keys)
		require.Zero(t, code, text)
		return map[string]string{"Authorization": "Bearer " + strings.TrimSpace(text)}
	}
	role := func(headers map[string]string) string {
		data, faults := s.ask("{ viewer { role } }", nil, headers)
		if len(faults) > 0 {
			return faults[0]["extensions"].(map[string]any)["code"].(string)
		}
		return string(data)
	}
	run := func(says string, args ...string) string {
		t.Helper()
		out, code := s.run(args...)
		require.Zero(t, code, out)
		require.Contains(t, out, says)
		return out
	}
	units := filepath.Join(dir, "units.csv")
	require.NoError(t, os.WriteFile(units, []byte("name,kind\n城管局,政府\n"), 0o600))
	run("units: 1 new", "import", "units", "-q", units)

	require.Contains(t, role(nil), "CITIZEN")
	require.Equal(t, "UNAUTHENTICATED", role(map[string]string{"Groundwork-Actor": "li", "Groundwork-Role": "SUPERVISOR"}), "headers alone prove nothing")
	require.Contains(t, role(token("li")), "CITIZEN")
	out := run("li may act as HANDLER, until revoked", "account", "grant", "li", "--role", "handler", "--unit", "城管局")
	eventually(t, time.Minute, "the grant to be noticed", func() bool { return strings.Contains(role(token("li")), "HANDLER") })
	run("HANDLER", "account", "list", "li")
	id := regexp.MustCompile(`[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}`).FindString(out)
	run("li may no longer act as HANDLER: ended", "account", "revoke", id)
	eventually(t, time.Minute, "the revocation to be noticed", func() bool { return strings.Contains(role(token("li")), "CITIZEN") })

	for want, args := range map[string][]string{
		"acts for a unit":         {"account", "grant", "li", "--role", "HANDLER"},
		`unit "消防局" is unknown`:   {"account", "grant", "li", "--role", "HANDLER", "--unit", "消防局"},
		"is no id of a grant":     {"account", "revoke", "x"},
		"there is no role bindin": {"account", "revoke", "0199a000-0000-7000-8000-000000000000"},
	} {
		out, code := s.run(args...)
		require.NotZero(t, code)
		require.Contains(t, out, want)
	}
	out, code = groundwork(t, "token", "sign", "li", "--auth-keys", verifying)
	require.NotZero(t, code)
	require.Contains(t, out, "public keys alone")
	out, code = groundwork(t, "up", "--auth-keys", keys, "--auth-oidc", "https://login.example.org")
	require.NotZero(t, code)
	require.Contains(t, out, "leave one out")
}
