package etl

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
)

// TestRandomScheduleAgrees writes at random from two sessions while the replicator is stopped, cut off and fed in random pieces,
// and requires equality after each round. A failure prints its seed; GROUNDWORK_ETL_SEED repeats it.
func TestRandomScheduleAgrees(t *testing.T) {
	t.Parallel()
	seed := uint64(time.Now().UnixNano())
	if text := os.Getenv("GROUNDWORK_ETL_SEED"); text != "" {
		var err error
		seed, err = strconv.ParseUint(text, 10, 64)
		require.NoError(t, err)
	}
	t.Logf("GROUNDWORK_ETL_SEED=%d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	r := newRig(t)
	r.seed()
	r.exec(`ALTER TABLE post_holding ALTER COLUMN title SET STORAGE EXTERNAL`)
	r.exec(`UPDATE post_holding SET title = repeat('long ', 1000)`)
	network := newProxy(t, r.chURL) // delivers some requests twice and loses some answers
	ch := r.openThrough(network)
	start := func() *running {
		return r.start(func(c *Config) {
			c.ClickHouse = ch
			c.FlushRows = 4 + random.IntN(80)
			c.QueueBytes = 1 + random.IntN(4096)
		})
	}
	run := start()
	for round := range 6 {
		var writers sync.WaitGroup
		for w := range 2 {
			s := schedule{rig: r, random: rand.New(rand.NewPCG(seed, uint64(1+10*round+w)))}
			writers.Go(s.run)
		}
		network.set(func() { network.again = random.IntN(6); network.lose = random.IntN(2) })
		switch random.IntN(3) {
		case 0:
			run.stop()
			run = start()
		case 1:
			r.exec(`SELECT pg_terminate_backend(active_pid) FROM pg_replication_slots WHERE slot_name = $1 AND active`, r.slot)
		}
		writers.Wait()
		run.agree()
	}
	require.Empty(t, run.Status().LastGap)
}

// schedule is one writer's round of transactions.
type schedule struct {
	rig    *rig
	random *rand.Rand
}

func (s schedule) run() {
	for range 25 {
		ctx := context.Background()
		tx, err := s.rig.pg.Begin(ctx)
		if err != nil {
			s.rig.t.Error(err)
			return
		}
		for range 1 + s.random.IntN(6) {
			if err = s.step(ctx, tx); err != nil {
				break // keys that collide and deadlocks are part of the game: the transaction is rolled back
			}
		}
		if err != nil || s.random.IntN(8) == 0 {
			_ = tx.Rollback(ctx)
		} else {
			_ = tx.Commit(ctx)
		}
	}
}

// step does something to few keys, so that they are met again and again.
func (s schedule) step(ctx context.Context, tx pgx.Tx) error {
	year, other, n := 1900+s.random.IntN(12), 1900+s.random.IntN(12), s.random.IntN(1000)
	var sql string
	switch s.random.IntN(15) {
	case 0, 1, 2:
		sql = fmt.Sprintf(`INSERT INTO region_population VALUES ('%s', %d, %d, 'x') ON CONFLICT (region_id, year) DO UPDATE SET persons = excluded.persons`, region, year, n)
	case 3, 4:
		sql = fmt.Sprintf(`UPDATE region_population SET persons = persons + 1 WHERE year >= %d`, year)
	case 5:
		sql = fmt.Sprintf(`UPDATE region_population SET year = %d WHERE year = %d`, other, year)
	case 6:
		sql = fmt.Sprintf(`DELETE FROM region_population WHERE year = %d`, year)
	case 7:
		sql = fmt.Sprintf(`WITH gone AS (DELETE FROM region_population WHERE year = %d) SELECT`, year)
		if _, err := tx.Exec(ctx, sql); err != nil {
			return err
		}
		sql = fmt.Sprintf(`INSERT INTO region_population VALUES ('%s', %d, %d, 'reborn')`, region, year, n)
	case 8:
		sql = fmt.Sprintf(`SAVEPOINT s; UPDATE region_population SET persons = -0 WHERE year = %d; ROLLBACK TO s`, year)
	case 9:
		sql = fmt.Sprintf(`INSERT INTO org_unit (id, name, kind) SELECT gen_random_uuid(), 'p' || random(), 'PARTY' FROM generate_series(1, %d)`, 1+n/100)
	case 10:
		sql = fmt.Sprintf(`DELETE FROM org_unit WHERE name LIKE 'p0.%d%%'`, n%10)
	case 11: // two keys swap
		sql = fmt.Sprintf(`UPDATE region_population SET year = 2199 WHERE year = %[1]d; UPDATE region_population SET year = %[1]d WHERE year = %[2]d; UPDATE region_population SET year = %[2]d WHERE year = 2199`, year, other)
	case 12: // born, changed and gone at once
		sql = fmt.Sprintf(`INSERT INTO region_population VALUES ('%s', 2198, %d, 'short'); UPDATE region_population SET persons = persons + 1 WHERE year = 2198; DELETE FROM region_population WHERE year = 2198`, region, n)
	case 13: // long values left alone, changed, and moved with their key
		sql = []string{`UPDATE post_holding SET rank = CASE rank WHEN 'TOWNSHIP' THEN 'SECTION' ELSE 'TOWNSHIP' END`,
			fmt.Sprintf(`UPDATE post_holding SET title = repeat('%d ', 2000)`, n),
			`SET LOCAL session_replication_role = replica; UPDATE post_holding SET id = gen_random_uuid(); SET LOCAL session_replication_role = origin`}[n%3]
	default:
		if n > 200 {
			return nil
		}
		sql = `TRUNCATE region_population`
	}
	_, err := tx.Exec(ctx, sql)
	return err
}

// The insert's WAL record lies before the commit of the delete it waited for: only the order of commits tells who is right.
func TestInsertThatWaitedForADelete(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.seed()
	run := r.start()
	run.catchUp()
	ctx := t.Context()
	for i := range 5 {
		first, err := r.pg.Begin(ctx)
		require.NoError(t, err)
		_, err = first.Exec(ctx, `DELETE FROM region_population WHERE year = 2020`)
		require.NoError(t, err)
		second, err := r.pg.Acquire(ctx)
		require.NoError(t, err)
		var pid int
		require.NoError(t, second.QueryRow(ctx, "SELECT pg_backend_pid()").Scan(&pid))
		done := make(chan error, 1)
		go func() {
			_, err := second.Exec(ctx, `INSERT INTO region_population VALUES ($1, 2020, $2, 'second')`, region, i)
			done <- err
		}()
		require.Eventually(t, func() bool {
			return r.pgCount(fmt.Sprintf("SELECT count(*) FROM pg_stat_activity WHERE pid = %d AND wait_event_type = 'Lock'", pid)) == 1
		}, patience, time.Millisecond)
		require.NoError(t, first.Commit(ctx))
		require.NoError(t, <-done)
		second.Release()
	}
	run.agree()
	require.EqualValues(t, 1, r.chCount("SELECT count() FROM d_population FINAL WHERE year = 2020 AND _deleted = 0"))
}
