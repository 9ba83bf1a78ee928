// Package edgetest checks a running GraphQL server for conformance with GraphQL over HTTP.
package edgetest

import (
	_ "embed"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

//go:embed audit.mjs
var script string

// NeedIntrospection are the audits that ask for __type, and so fail where introspection is off.
var NeedIntrospection = []string{"2EA1", "28B9", "D6D5", "6A70"}

// audits is how many audits graphql-http 1.23.1 has: 13 MUST, 23 SHOULD, 25 MAY.
const audits = 61

// Audit runs all audits of graphql-http against the server at url and fails the test for each that does not pass, save those
// whose ids are excused.
func Audit(t *testing.T, url string, excused ...string) {
	t.Helper()
	root := repositoryRoot(t)
	if _, err := os.Stat(filepath.Join(root, "node_modules", "graphql-http")); err != nil {
		t.Fatalf("the audits need the npm packages of the repository: run `npm ci --ignore-scripts` in its root (%v)", err)
	}
	cmd := exec.CommandContext(t.Context(), "node", "--input-type=module", "-", url)
	cmd.Dir = root // whence node resolves the imports of a script from standard input
	cmd.Stdin = strings.NewReader(script)
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	require.NoError(t, err, "run the audits with node: %s", stderr.String())

	var results []struct{ ID, Name, Status, Reason string }
	require.NoError(t, json.Unmarshal(out, &results))
	require.Len(t, results, audits)
	for _, r := range results {
		if r.Status != "ok" && !slices.Contains(excused, r.ID) {
			t.Errorf("audit %s (%s): %s: %s", r.ID, r.Name, r.Status, r.Reason)
		}
	}
}

// repositoryRoot is the nearest folder above the test's that holds go.mod.
func repositoryRoot(t *testing.T) string {
	t.Helper()
	dir, err := os.Getwd()
	require.NoError(t, err)
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir
		}
		parent := filepath.Dir(dir)
		require.NotEqual(t, parent, dir, "no go.mod above the test's folder")
		dir = parent
	}
}
