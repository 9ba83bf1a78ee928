package importer

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestReadPopulation(t *testing.T) {
	t.Parallel()
	const header = "persons,name,code,year,source\n"
	p, err := ReadPopulation([]byte(header+"1000,A3区,990103000000,2025,census\n"), "p.csv")
	require.NoError(t, err)
	require.Empty(t, p.Rejects)
	require.Equal(t, []Persons{{2, "990103000000", "A3区", 2025, 1000, "census"}}, p.Rows)

	for row, field := range map[string]string{
		"1000,x,99,2025,c":             "code",
		"1000,x,990103000000,25,c":     "year",
		"0,x,990103000000,2025,c":      "persons",
		"1 000,x,990103000000,2025,c":  "persons",
		"1000,x,990103000000,2025,":    "source",
		"1000,x,990103000000,2025,a,b": "",
		"999,x,990101000000,2025,c":    "code", // a second figure for the year
	} {
		p, err := ReadPopulation([]byte(header+"1000,A1区,990101000000,2025,c\n"+row+"\n"), "p.csv")
		require.NoError(t, err)
		require.Len(t, p.Rows, 1, row)
		require.Len(t, p.Rejects, 1, row)
		require.Equal(t, field, p.Rejects[0].Field, row)
	}
	for csv, want := range map[string]string{"": "empty", "code,name,year,source\n": "missing column persons"} {
		_, err := ReadPopulation([]byte(csv), "p.csv")
		require.ErrorContains(t, err, want)
	}
}
