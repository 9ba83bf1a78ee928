package groundwork_test

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"groundwork"
)

// TestPermissionsAreDocumented keeps docs/permissions.md as the code has it: go test . -run TestPermissionsAreDocumented -update rewrites it.
func TestPermissionsAreDocumented(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	b.WriteString(`# Who may ask for what

Generated from the code (` + "`go test . -run TestPermissionsAreDocumented -update`" + `); the same table decides at run time, before anything is read, and a test asks
every field of the API in every role. What is not listed is refused to everybody.

A letter says how far a role reaches: **A** anywhere, **R** in its regions, **U** what its unit leads, takes part in or belongs to, **O** its own, **P** what is public.
The API holds that a role may ask at all; U and O of steps are held by the guards of the lives ([lives.md](lives.md)). R is not held yet: a role reaches all
regions with what it may ask for.

`)
	letters := map[groundwork.Scope]string{groundwork.Anywhere: "A", groundwork.InRegion: "R", groundwork.OfUnit: "U", groundwork.Own: "O", groundwork.Public: "P"}
	short := make([]string, len(groundwork.Roles))
	for i, r := range groundwork.Roles {
		short[i] = strings.ReplaceAll(string(r), "_", " ")
	}
	fmt.Fprintf(&b, "| field | %s |\n|---%s|\n", strings.Join(short, " | "), strings.Repeat("|:-:", len(short)))
	operations := slices.SortedFunc(slices.Values(groundwork.Operations), func(a, b groundwork.Operation) int { return strings.Compare(a.Name, b.Name) })
	for _, o := range operations {
		b.WriteString("| `" + o.Name + "` |")
		for _, r := range groundwork.Roles {
			cell := "·"
			if scope, ok := o.Grants[r]; ok {
				cell = letters[scope]
			}
			b.WriteString(" " + cell + " |")
		}
		b.WriteString("\n")
	}
	const page = "docs/permissions.md"
	if *update {
		require.NoError(t, os.WriteFile(page, []byte(b.String()), 0o644))
	}
	written, err := os.ReadFile(page)
	require.NoError(t, err, "run with -update to make it")
	require.Equal(t, b.String(), string(written), "stale; run with -update")
}
