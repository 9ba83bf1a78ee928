package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestMutants(t *testing.T) {
	t.Parallel()
	name := filepath.Join(t.TempDir(), "rules.go")
	require.NoError(t, os.WriteFile(name, []byte(`package rules

var row = transition{When: inTime, guards: []guard{first, second}}

func first(n int) error {
	if n < 1 && n != 7 {
		return fault
	}
	switch {
	case n > 9:
		return fault
	}
	return check(n == 3, "three")
}
`), 0o600))
	mutants, err := mutantsOf(name)
	require.NoError(t, err)
	var changes []string
	for _, m := range mutants {
		changes = append(changes, string(m.source[m.from:m.to])+" -> "+m.text)
		require.NotEqual(t, m.source, m.apply())
	}
	require.Equal(t, []string{
		"inTime -> nil", "first,  -> ", "second -> ", "n < 1 && n != 7 -> !(n < 1 && n != 7)", "n < 1 && n != 7 -> n < 1", "n < 1 && n != 7 -> n != 7",
		"n < 1 -> n <= 1", "n != 7 -> n == 7", "n > 9 -> !(n > 9)", "n > 9 -> n >= 9", "n == 3 -> !(n == 3)", "n == 3 -> n != 3",
	}, changes)
	_, err = mutantsOf(name + ".gone")
	require.Error(t, err)
}

// A change that the tests of its package notice, one that they do not, and one that does not compile.
func TestTry(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for name, text := range map[string]string{
		"go.mod":        "module rules\n\ngo 1.26\n",
		"rules.go":      "package rules\n\nfunc adult(age int) bool {\n\tif age < 18 {\n\t\treturn false\n\t}\n\treturn true\n}\n",
		"rules_test.go": "package rules\n\nimport \"testing\"\n\nfunc TestAdult(t *testing.T) {\n\tif adult(3) || !adult(30) {\n\t\tt.Fail()\n\t}\n}\n",
	} {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600))
	}
	mutants, err := mutantsOf(filepath.Join(dir, "rules.go"))
	require.NoError(t, err)
	require.Len(t, mutants, 2, "negated, and the boundary moved")
	wrong := mutants[0]
	wrong.text = "?"
	require.Equal(t, []outcome{noticed, survived, broken}, []outcome{tryIn(dir, mutants[0]), tryIn(dir, mutants[1]), tryIn(dir, wrong)})
}
