package main

import (
	"crypto/sha256"
	"encoding/csv"
	"encoding/hex"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// Figures of the bundled sample leave the system as files: nothing small is in them, and what is hidden says so.
func TestExport(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := up(t, filepath.Join(dir, "data"))
	eventually(t, time.Minute, "the sample in the warehouse", func() bool {
		out, code := s.run("export", "table", "--out", filepath.Join(dir, "probe.csv"))
		return code == 0 && strings.Contains(out, "1 rows")
	})
	export := func(name string, args ...string) (table [][]string, sheet string) {
		t.Helper()
		name = filepath.Join(dir, name)
		out, code := s.run(append(append([]string{"export"}, args...), "--out", name)...)
		require.Zero(t, code, out)
		data, err := os.ReadFile(name)
		require.NoError(t, err)
		text, err := os.ReadFile(name + ".md")
		require.NoError(t, err)
		digest := sha256.Sum256(data)
		require.Contains(t, string(text), hex.EncodeToString(digest[:]))
		if strings.HasSuffix(name, ".csv") {
			table, err = csv.NewReader(strings.NewReader(string(data))).ReadAll()
			require.NoError(t, err)
		}
		return table, string(text)
	}
	column := func(table [][]string, name string) (values []string) {
		for i, head := range table[0] {
			if head == name {
				for _, row := range table[1:] {
					values = append(values, row[i])
				}
			}
		}
		return values
	}

	cells, sheet := export("t1.csv", "cells", "--measure", "T1", "--by", "region,month")
	n, why := column(cells, "n"), column(cells, "suppressed")
	require.Contains(t, why, "CELL")
	for i := range n {
		require.Equal(t, why[i] == "CELL", n[i] == "", "row %d", i)
		if n[i] != "" {
			count, err := strconv.Atoi(n[i])
			require.NoError(t, err)
			require.GreaterOrEqual(t, count, 11)
		}
	}
	require.Contains(t, sheet, "definition version 1")
	require.Contains(t, sheet, "`groundwork export cells --measure T1 --by region,month --region-level county --as-of 20")

	counts, _ := export("issues.csv", "table", "--by", "region,kind", "--region-level", "prefecture")
	require.Equal(t, []string{"TOTAL", "Total", "TOTAL"}, counts[1][:3])
	for i, count := range column(counts, "issues") {
		if count == "" {
			require.Equal(t, "CELL", column(counts, "suppressed")[i])
			continue
		}
		rounded, err := strconv.Atoi(count)
		require.NoError(t, err)
		require.Zero(t, rounded%5)
		require.GreaterOrEqual(t, rounded, 10)
	}
	export("t2.parquet", "cells", "--measure", "t2", "--by", "category")
	export("t2.arrow", "cells", "--measure", "t2", "--by", "category")

	keys := map[string]string{}
	for project, secret := range map[string]string{"roads": strings.Repeat("r", 32), "parks": strings.Repeat("p", 32)} {
		keys[project] = filepath.Join(dir, project+".key")
		require.NoError(t, os.WriteFile(keys[project], []byte(secret), 0o600))
	}
	extract := func(project, name string) [][]string {
		rows, sheet := export(name, "extract", "--project-key", keys[project], "--region-level", "prefecture")
		require.Contains(t, sheet, "Not for publication")
		require.Equal(t, []string{"reporter", "region_code", "month", "category_code", "channel", "kind"}, rows[0])
		require.Greater(t, len(rows), 10)
		return rows
	}
	roads, again, parks := extract("roads", "roads.csv"), extract("roads", "again.csv"), extract("parks", "parks.csv")
	require.Equal(t, roads, again, "a project's pseudonyms are the same in each of its extracts")
	require.Len(t, parks, len(roads))
	theirs := column(parks, "reporter")
	for _, reporter := range column(roads, "reporter") {
		if reporter != "" {
			require.NotContains(t, theirs, reporter, "and different in every other")
		}
	}
	export("t4.csv", "cells", "--measure", "T4", "--by", "channel")
	export("h1.csv", "cells", "--measure", "H1", "--by", "region", "--from", "2019-01-01", "--to", "2019-12-31")

	out, code := s.run("export", "cells", "--measure", "T1", "--by", "region", "--from", "2025-01-06", "--to", "2025-01-12", "--out", filepath.Join(dir, "few.csv"))
	require.Zero(t, code, out)
	require.Contains(t, out, "every row is hidden, since too few people stand behind each: split by less")

	for says, args := range map[string][]string{
		"--measure \"T9\"":              {"cells", "--measure", "T9", "--out", "x.csv"},
		".csv, .parquet or .arrow":      {"table", "--out", "x.xlsx"},
		"township; nothing finer":       {"table", "--region-level", "village_committee", "--out", "x.csv"},
		"fewer than 7 days":             {"table", "--from", "2019-01-01", "--to", "2019-01-06", "--out", "x.csv"},
		"--to 2019-01-06 lies before":   {"table", "--from", "2019-02-01", "--to", "2019-01-06", "--out", "x.csv"},
		"--severity \"FOO\" is unknown": {"table", "--severity", "foo", "--out", "x.csv"},
		"give one of visit, reception":  {"cells", "--measure", "T4", "--channel", "fax", "--out", "x.csv"},
		"\"HOPE\" is unknown":           {"table", "--kind", "hope", "--out", "x.csv"},
		"at most 3":                     {"table", "--by", "region,month,kind,channel", "--out", "x.csv"},
		"--by: \"REPORTER\" is no dim":  {"table", "--by", "reporter", "--out", "x.csv"},
		"--from \"soon\" is no day":     {"table", "--from", "soon", "--out", "x.csv"},
		"--as-of \"soon\" is no time":   {"table", "--as-of", "soon", "--out", "x.csv"},
	} {
		out, code := s.run(append([]string{"export"}, args...)...)
		require.NotZero(t, code, out)
		require.Contains(t, out, says)
	}
	require.NoError(t, s.stop(), s.output)
}
