package main

import (
	"encoding/json"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// What the API writes stands in the audit with who, why and from where; it is sealed by itself, and what is tampered with is named.
func TestAudit(t *testing.T) {
	t.Parallel()
	s := up(t, t.TempDir(), "--no-sample")
	system := map[string]string{"Groundwork-Actor": "office", "Groundwork-Role": "SYSTEM", "Groundwork-Purpose": "first set-up"}
	_, faults := s.ask(`mutation { createRegion(input: {code: "990000000000", level: PROVINCE, name: "Z省"}) { region { id } userErrors { message } } }`, nil, system)
	require.Empty(t, faults)

	out, code := s.run("audit", "list", "--actor", "office", "--json")
	require.Zero(t, code, out)
	var entry struct{ Actor, Role, Address, Purpose, Operation, Action, Noun, Request string }
	require.NoError(t, json.Unmarshal([]byte(out), &entry))
	require.NotEmpty(t, entry.Request)
	entry.Request = ""
	require.Equal(t, struct{ Actor, Role, Address, Purpose, Operation, Action, Noun, Request string }{
		Actor: "office", Role: "SYSTEM", Address: "127.0.0.1", Purpose: "first set-up", Operation: "create region", Action: "INSERT", Noun: "region"}, entry)
	out, code = s.run("audit", "list", "--noun", "region")
	require.Zero(t, code, out)
	require.Contains(t, out, "insert region")
	out, code = s.run("audit", "list", "--until", "2020-01-01T00:00:00Z")
	require.Zero(t, code, out)
	require.Len(t, strings.Split(strings.TrimSpace(out), "\n"), 1, "the heading alone")

	eventually(t, 2*time.Minute, "the seal", func() bool {
		out, code = s.run("audit", "verify")
		require.Zero(t, code, out)
		return strings.Contains(out, " 0 entries wait")
	})
	head := regexp.MustCompile(`\d+:[0-9a-f]{64}`).FindString(out)
	require.NotEmpty(t, head, out)
	out, code = s.run("audit", "verify", "--noted", head)
	require.Zero(t, code, out)
	out, code = s.run("audit", "verify", "--noted", "12:abc")
	require.NotZero(t, code)
	require.Contains(t, out, "is no head")
	out, code = s.run("audit", "verify", "--noted", "1000"+head)
	require.NotZero(t, code, "a seal that was noted and is gone")
	require.Contains(t, out, "SEAL_MISSING")

	s.psql("SET session_replication_role = replica; UPDATE audit.entry SET actor = 'nobody' WHERE actor = 'office'")
	out, code = s.run("audit", "verify")
	require.NotZero(t, code)
	require.Regexp(t, `entry \d+ \(seal \d+\): CHANGED`, out)
	require.Contains(t, out, "tampered")
	require.NoError(t, s.stop())
}
