package groundwork_test

import (
	"io/fs"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// Each of the 37 points of the checklist in docs/security.md names tests that are there, or says why none is.
func TestTheChecklistNamesTests(t *testing.T) {
	t.Parallel()
	var tests strings.Builder
	require.NoError(t, fs.WalkDir(os.DirFS("."), ".", func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && (d.Name() == "node_modules" || path != "." && strings.HasPrefix(d.Name(), ".")):
			return fs.SkipDir
		case strings.HasSuffix(path, "_test.go"):
			text, err := os.ReadFile(path)
			tests.Write(text)
			return err
		}
		return nil
	}))
	page, err := os.ReadFile("docs/security.md")
	require.NoError(t, err)
	points := regexp.MustCompile(`(?m)^\| (\d+) \| .+ \| (.+) \|$`).FindAllStringSubmatch(string(page), -1)
	require.Len(t, points, 37)
	for _, point := range points {
		named := regexp.MustCompile("`(Test\\w+)`").FindAllStringSubmatch(point[2], -1)
		require.True(t, len(named) > 0 || strings.Contains(point[2], "does not apply"), point[0])
		for _, name := range named {
			require.Contains(t, tests.String(), "func "+name[1]+"(t *testing.T)", "point %s", point[1])
		}
	}
}
