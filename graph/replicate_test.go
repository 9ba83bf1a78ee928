package graph_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"groundwork/etl"
	"groundwork/graph"
	"groundwork/internal/embedded/embeddedtest"
	"groundwork/postgres"
	"groundwork/postgres/pgtest"
	"groundwork/warehouse"
)

// replicate keeps a warehouse of the test's own in step with the system of record at dsn, and returns its measures.
func replicate(t testing.TB, dsn string) *warehouse.Measures {
	t.Helper()
	return replicateTo(t, dsn, embeddedtest.ClickHouse(t))
}

// replicateTo is replicate into a warehouse that others read too.
func replicateTo(t testing.TB, dsn, address string) *warehouse.Measures {
	t.Helper()
	db, err := warehouse.Open(t.Context(), address)
	require.NoError(t, err)
	t.Cleanup(func() { _ = db.Close() })
	_, err = warehouse.Migrate(t.Context(), db, warehouse.Layout{})
	require.NoError(t, err)
	slot := "graph_" + strings.ReplaceAll(uuid.NewString(), "-", "")
	t.Cleanup(func() { dropSlot(t, dsn, slot) })
	r, err := etl.New(etl.Config{Postgres: dsn, ClickHouse: db, Slot: slot})
	require.NoError(t, err)
	ctx, stop := context.WithCancel(context.WithoutCancel(t.Context()))
	ended := make(chan error, 1)
	go func() { ended <- r.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil && ctx.Err() == nil {
			t.Errorf("replication: %v", err)
		}
	})
	require.NoError(t, r.AwaitStreaming(t.Context()))
	return warehouse.NewMeasures(db)
}

func dropSlot(t testing.TB, dsn, slot string) {
	ctx := context.Background()
	conn, err := pgx.Connect(ctx, dsn)
	require.NoError(t, err)
	defer conn.Close(ctx)
	require.Eventually(t, func() bool { // the server notices a little later that the replicator has gone
		_, err = conn.Exec(ctx, "SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE slot_name = $1", slot)
		return err == nil
	}, 30*time.Second, 10*time.Millisecond, "drop the slot")
}

// keepDefinitions keeps what the measures mean, as `groundwork migrate` does.
func keepDefinitions(t testing.TB, dsn string) {
	t.Helper()
	all, err := graph.MeasureDefinitions()
	require.NoError(t, err)
	_, err = pgtest.Open(t, dsn, postgres.Options{}).KeepMeasureDefinitions(t.Context(), all)
	require.NoError(t, err)
}
