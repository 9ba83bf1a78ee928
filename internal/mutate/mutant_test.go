package main

import (
	"go/parser"
	"go/token"
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
	r := &rules{sources: map[string][]byte{}}
	require.NoError(t, r.read(name))
	var changes []string
	for n, m := range r.mutants {
		changes = append(changes, m.was+" -> "+m.text)
		require.Equal(t, n+1, m.n)
	}
	require.Equal(t, []string{
		"inTime -> nil", "first -> ", "second -> ", "n < 1 && n != 7 -> !(n < 1 && n != 7)", "n < 1 && n != 7 -> n < 1", "n < 1 && n != 7 -> n != 7",
		"n < 1 -> n <= 1", "n != 7 -> n == 7", "n > 9 -> !(n > 9)", "n > 9 -> n >= 9", "n == 3 -> !(n == 3)", "n == 3 -> n != 3",
	}, changes)
	changed := string(r.switchable(name))
	_, err := parser.ParseFile(token.NewFileSet(), name, changed, 0)
	require.NoError(t, err)
	require.Contains(t, changed, "When: mutantIsNil(1, inTime), guards: mutantLacks([]guard{first, second}, [2]int{2, 0}, [2]int{3, 1})}")
	require.Contains(t, changed, "(mutantIs(4) && (!(n < 1 && n != 7)) || mutantIs(5) && (n < 1) || mutantIs(6) && (n != 7) || !mutantIs(4) && !mutantIs(5) && !mutantIs(6) && "+
		"((mutantIs(7) && (n <= 1) || !mutantIs(7) && (n < 1)) && (mutantIs(8) && (n == 7) || !mutantIs(8) && (n != 7))))")
	require.Error(t, r.read(name+".gone"))
}

// Changes that the tests of their package notice, and one that they do not.
func TestTry(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
		return path
	}
	write("go.mod", "module rules\n\ngo 1.26\n")
	name := write("rules.go", "package rules\n\nfunc adult(age int) bool {\n\tif age < 18 {\n\t\treturn false\n\t}\n\treturn true\n}\n")
	write("rules_test.go", "package rules\n\nimport \"testing\"\n\nfunc TestAdult(t *testing.T) {\n\tif adult(3) || !adult(30) {\n\t\tt.Fail()\n\t}\n}\n")
	s, err := newSubject(t.Context(), t.TempDir(), []string{name})
	require.NoError(t, err)
	require.Len(t, s.mutants, 2, "negated, and the boundary moved")
	_, negated := s.try(t.Context(), s.mutants[0])
	_, moved := s.try(t.Context(), s.mutants[1])
	require.Equal(t, []bool{true, false}, []bool{negated, moved})
	missed, err := s.tryAll(t.Context())
	require.NoError(t, err)
	require.Equal(t, 1, missed)

	write("rules_test.go", "package rules\n\nimport \"testing\"\n\nfunc TestAdult(t *testing.T) { t.Fail() }\n")
	_, err = newSubject(t.Context(), t.TempDir(), []string{name})
	require.ErrorContains(t, err, "fail without any change")
	write("rules_test.go", "package rules?")
	_, err = newSubject(t.Context(), t.TempDir(), []string{name})
	require.ErrorContains(t, err, "build the tests")
	_, err = newSubject(t.Context(), t.TempDir(), nil)
	require.ErrorContains(t, err, "name the files")
}
