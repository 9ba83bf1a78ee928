package warehouse_test

import (
	"os"
	"regexp"
	"testing"

	"github.com/stretchr/testify/require"

	"groundwork/warehouse"
)

var sqlBlock = regexp.MustCompile("(?ms)^## ([0-9]+)\\. .*?^```sql\n(.*?)^```$")

// research returns the queries of docs/research.md by their number.
func research(t *testing.T) map[string]string {
	t.Helper()
	text, err := os.ReadFile("../docs/research.md")
	require.NoError(t, err)
	queries := map[string]string{}
	for _, found := range sqlBlock.FindAllStringSubmatch(string(text), -1) {
		queries[found[1]] = found[2]
	}
	require.Len(t, queries, 10, "ten questions")
	return queries
}

func TestResearchQuestionsRun(t *testing.T) {
	t.Parallel()
	h := open(t)
	newWorld(3, 400).load(h, nil)
	for number, query := range research(t) {
		require.NoError(t, h.Exec(t.Context(), query), "question %s", number)
	}
}

// Who works it out from the views has to come to what the API answers.
func TestResearchAgreesWithTheMeasures(t *testing.T) {
	t.Parallel()
	h := open(t)
	newWorld(4, 600).load(h, nil)
	queries := research(t)

	answered := map[string]float64{}
	rows, err := h.Query(t.Context(), queries["1"])
	require.NoError(t, err)
	defer rows.Close()
	for rows.Next() {
		var code *string
		var issues uint64
		var share float64
		require.NoError(t, rows.Scan(&code, &issues, &share))
		if code != nil {
			answered[*code] = share
		}
	}
	require.NoError(t, rows.Err())
	require.NotEmpty(t, answered)
	table, err := h.Ask(t.Context(), "T1", warehouse.Question{Query: warehouse.Query{By: []warehouse.Dimension{warehouse.ByRegion}, RegionLevel: "PREFECTURE"}})
	require.NoError(t, err)
	compared := 0
	for row, key := range table.Dims[0].Keys {
		if share, ok := answered[key.Code]; ok {
			same(t, table, "responded30d", row, share, true)
			compared++
		}
	}
	require.Equal(t, len(answered), compared)

	var issues uint64
	var confirmed float64
	require.NoError(t, h.QueryRow(t.Context(), queries["2"]).Scan(&issues, &confirmed))
	table, err = h.Ask(t.Context(), "T2", warehouse.Question{})
	require.NoError(t, err)
	require.EqualValues(t, table.N[0], issues)
	require.Positive(t, confirmed)
	same(t, table, "confirmed90", 0, confirmed, true)
}
