package groundwork_test

import (
	"flag"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"groundwork"
)

var update = flag.Bool("update", false, "rewrite the generated docs")

// TestLivesAreDocumented keeps docs/lives.md as the code has it: go test . -run TestLivesAreDocumented -update rewrites it.
func TestLivesAreDocumented(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	b.WriteString("# Lives\n\nWhere a thing may go from where it stands, who asks for it, and what that needs. Generated from the code\n" +
		"(`go test . -run TestLivesAreDocumented -update`); the same tables decide at run time.\n")
	for _, m := range groundwork.Machines() {
		b.WriteString("\n## " + m.Noun + "\n\n```mermaid\n" + m.Diagram() + "```\n\n" + m.Table())
	}
	const page = "docs/lives.md"
	if *update {
		require.NoError(t, os.WriteFile(page, []byte(b.String()), 0o644))
	}
	written, err := os.ReadFile(page)
	require.NoError(t, err, "run with -update to make it")
	require.Equal(t, b.String(), string(written), "stale; run with -update")
}

// Every life is whole: its rows lead from states that some row leads to, and are for somebody.
func TestLivesAreWhole(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, m := range groundwork.Machines() {
		require.False(t, seen[m.Noun], "%s is listed twice", m.Noun)
		seen[m.Noun] = true
		reached := map[string]bool{}
		for _, r := range m.Rows {
			reached[r.To] = true
		}
		for _, r := range m.Rows {
			require.NotEmpty(t, r.Roles, "%s: nobody may take %s", m.Noun, r.Kind)
			for _, role := range r.Roles {
				require.Contains(t, groundwork.Roles, role, "%s: %s", m.Noun, r.Kind)
			}
			for _, from := range r.From {
				require.True(t, reached[from], "%s: %s starts from %s, which nothing leads to", m.Noun, r.Kind, from)
			}
		}
	}
}
