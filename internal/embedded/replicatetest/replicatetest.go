// Package replicatetest keeps a warehouse of a test's own in step with its system of record. It stands beside embeddedtest, which has the engines.
package replicatetest

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"groundwork/etl"
	"groundwork/warehouse"
)

// AtRest is for tests that ask twice and want one watermark: it stands where the last transaction left it, as nobody makes an idle source speak.
func AtRest(c *etl.Config) { c.HeartbeatInterval = 24 * time.Hour }

// Start migrates the warehouse at address, has it follow the system of record at dsn, and returns it when it has caught up. The replication ends with
// the test, and its slot is dropped.
func Start(t testing.TB, dsn, address string, options ...func(*etl.Config)) *warehouse.DB {
	t.Helper()
	db, err := warehouse.Open(t.Context(), address)
	require.NoError(t, err)
	t.Cleanup(func() { _ = db.Close() })
	_, err = warehouse.Migrate(t.Context(), db, warehouse.Layout{})
	require.NoError(t, err)
	slot := "test_" + strings.ReplaceAll(uuid.NewString(), "-", "")
	t.Cleanup(func() { dropSlot(t, dsn, slot) })
	cfg := etl.Config{Postgres: dsn, ClickHouse: db, Slot: slot}
	for _, set := range options {
		set(&cfg)
	}
	r, err := etl.New(cfg)
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
	return db
}

func dropSlot(t testing.TB, dsn, slot string) {
	ctx := context.Background()
	conn, err := pgx.Connect(ctx, dsn)
	require.NoError(t, err)
	defer conn.Close(ctx)
	require.Eventually(t, func() bool { // the server notices a little later that the replicator has gone
		_, err = conn.Exec(ctx, "SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE slot_name = $1", slot)
		return err == nil
	}, time.Minute, 10*time.Millisecond, "drop the slot")
}
