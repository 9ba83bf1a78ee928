package graph_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"groundwork/graph"
	"groundwork/internal/embedded/embeddedtest"
	"groundwork/internal/embedded/replicatetest"
	"groundwork/postgres"
	"groundwork/postgres/pgtest"
	"groundwork/warehouse"
)

// replicate keeps a warehouse of the test's own in step with the system of record at dsn, and returns its measures.
func replicate(t testing.TB, dsn string) *warehouse.Measures {
	t.Helper()
	return warehouse.NewMeasures(replicatetest.Start(t, dsn, embeddedtest.ClickHouse(t)))
}

// keepDefinitions keeps what the measures mean, as `groundwork migrate` does.
func keepDefinitions(t testing.TB, dsn string) {
	t.Helper()
	all, err := graph.MeasureDefinitions()
	require.NoError(t, err)
	_, err = pgtest.Open(t, dsn, postgres.Options{}).KeepMeasureDefinitions(t.Context(), all)
	require.NoError(t, err)
}
