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
The API holds that a role may ask at all. How far it reaches is held twice: by the guards of the lives ([lives.md](lives.md)), and by row-level security of the
database (**Rows** below). Reading beyond that shows what is public and nothing else; writing beyond it is refused with the region and the remedy.

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
	b.WriteString(rowsByRole(letters, short))
	const page = "docs/permissions.md"
	if *update {
		require.NoError(t, os.WriteFile(page, []byte(b.String()), 0o644))
	}
	written, err := os.ReadFile(page)
	require.NoError(t, err, "run with -update to make it")
	require.Equal(t, b.String(), string(written), "stale; run with -update")
}

// rowsByRole tells who reads, adds and changes which rows, as the database holds it.
func rowsByRole(letters map[groundwork.Scope]string, short []string) string {
	var b strings.Builder
	b.WriteString(`
## Rows

What the database lets each role do with the rows of its tables, however it is asked: read / add / change. The same letters; a row that is not reached is not there
for reading, and refused for writing. Nothing is ever deleted. A test asks all of it by SQL, inside and outside of what each role reaches.

`)
	fmt.Fprintf(&b, "| rows | %s |\n|---%s|\n", strings.Join(short, " | "), strings.Repeat("|:-:", len(short)))
	for _, rule := range groundwork.RowRules {
		name := "`" + rule.Table + "`"
		if rule.What != "" {
			name += ", " + rule.What
		}
		b.WriteString("| " + name + " |")
		for _, r := range groundwork.Roles {
			cells := make([]string, 3)
			for i, grants := range []map[groundwork.Role]groundwork.Scope{rule.Read, rule.Add, rule.Change} {
				cells[i] = "·"
				if scope, ok := grants[r]; ok {
					cells[i] = letters[scope]
				}
			}
			b.WriteString(" " + strings.Join(cells, "/") + " |")
		}
		b.WriteString("\n")
	}
	return b.String()
}
