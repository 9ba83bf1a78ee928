package warehouse_test

import (
	"flag"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"groundwork/warehouse"
)

var update = flag.Bool("update", false, "rewrite docs/measures.md")

const measuresDoc = "../docs/measures.md"

func TestMeasuresAreDocumented(t *testing.T) {
	t.Parallel()
	want := document(warehouse.Registry())
	if *update {
		require.NoError(t, os.WriteFile(measuresDoc, []byte(want), 0o644))
	}
	got, err := os.ReadFile(measuresDoc)
	require.NoError(t, err)
	require.Equal(t, want, string(got), "run `go generate ./warehouse`")
}

func document(measures []warehouse.Measure) string {
	var b strings.Builder
	b.WriteString("# The measures\n\nGenerated from the registry (warehouse/define_*.go) by `go generate ./warehouse`.\n\n" +
		"A figure never comes alone: beside it stand n, its 95 % interval, the version of its definition, its anchor, and the moment it speaks of.\n" +
		"Null is not zero: it is not reached, or cannot be computed. `unstable` means n < 30. A day is 86,400 seconds; times are rounded up\n" +
		"to whole seconds (where there are very many, minutes or hours, which the answer then says). Why some things are defined as they are:\n" +
		"decisions/0005-measures.md.\n")
	for _, d := range measures {
		fmt.Fprintf(&b, "\n## %s %s · %s\n\nVersion %s. %s\n\n", d.Code, d.Name, d.ChineseName, d.Version, d.Meaning)
		for _, line := range [][2]string{
			{"Numerator", d.Numerator}, {"Denominator", d.Denominator}, {"Anchor", d.Anchor}, {"Censoring", d.Censoring}, {"Interval", d.Interval}, {"Source", d.Source}, {"Method", d.Method},
		} {
			fmt.Fprintf(&b, "- **%s**: %s\n", line[0], line[1])
		}
		dims := make([]string, len(d.Dimensions))
		for i, dim := range d.Dimensions {
			dims[i] = string(dim)
		}
		fmt.Fprintf(&b, "- **Split by**: %s\n\n| number | unit | English | 中文 |\n|---|---|---|---|\n", strings.Join(dims, ", "))
		for _, c := range d.Columns {
			fmt.Fprintf(&b, "| `%s` | %s | %s | %s |\n", c.Name, c.Unit, c.English, c.Chinese)
		}
		if len(d.Curves) > 0 {
			b.WriteString("\n| curve | unit | English | 中文 |\n|---|---|---|---|\n")
			for _, c := range d.Curves {
				fmt.Fprintf(&b, "| `%s` | %s | %s | %s |\n", c.Name, c.Unit, c.English, c.Chinese)
			}
		}
		b.WriteString("\nTo bear in mind:\n\n")
		for _, c := range d.Caveats {
			fmt.Fprintf(&b, "- %s\n", c)
		}
		for _, f := range d.Former {
			fmt.Fprintf(&b, "- Version %s can still be computed (snapshots of it are verified by it): %s\n", f.Version, f.Differs)
		}
	}
	return b.String()
}

func TestACluster(t *testing.T) {
	t.Parallel()
	files, err := warehouse.Layout{Cluster: "main"}.Render()
	require.NoError(t, err)
	names, err := fs.Glob(files, "*.sql")
	require.NoError(t, err)
	require.NotEmpty(t, names)
	for _, name := range names {
		text, err := fs.ReadFile(files, name)
		require.NoError(t, err)
		for line := range strings.Lines(string(text)) {
			if strings.HasPrefix(line, "CREATE ") {
				require.Contains(t, line, " ON CLUSTER main (", name)
			}
		}
		require.NotContains(t, string(text), "{{", name)
		require.NotContains(t, string(text), "= ReplacingMergeTree", name)
		require.NotContains(t, string(text), "= MergeTree", name)
	}
	_, err = warehouse.Layout{Cluster: "main; DROP"}.Render()
	require.ErrorContains(t, err, "letters, digits and underscores")
}
