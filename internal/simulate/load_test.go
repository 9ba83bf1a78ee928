package simulate_test

import (
	"bytes"
	"context"
	"io"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"groundwork/internal/app"
	"groundwork/internal/embedded/embeddedtest"
	"groundwork/internal/simulate"
	"groundwork/postgres/pgtest"
)

func TestMain(m *testing.M) { embeddedtest.Main(m) }

// job simulates three years into a database.
func job(dsn string, issues int64) app.SimulateJob {
	return app.SimulateJob{
		Config:     app.Config{Postgres: dsn},
		Simulation: simulate.Config{Issues: issues, Seed: 7, From: simulate.Day(2023, time.January, 1), To: simulate.Day(2026, time.January, 1)},
		Workers:    2, Quiet: true, Out: io.Discard, ErrOut: io.Discard,
	}
}

func connect(t *testing.T, dsn string) *pgx.Conn {
	conn, err := pgx.Connect(t.Context(), dsn)
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close(context.Background()) })
	return conn
}

func TestLoad(t *testing.T) {
	t.Parallel()
	dsn := pgtest.New(t)
	j := job(dsn, 3000)
	var out bytes.Buffer
	j.Out = &out
	require.NoError(t, j.Run(t.Context()))
	t.Log(out.String())
}

func TestAppend(t *testing.T) {
	t.Parallel()
	dsn := pgtest.New(t)
	j := job(dsn, 1500)
	j.Append = true
	require.NoError(t, j.Run(t.Context()))
}
