package etl

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/stretchr/testify/require"

	"groundwork/warehouse"
)

// smallRanges cuts tables of a few blocks.
const smallRanges = 64 << 10

func TestRangesAreTheWholeTable(t *testing.T) {
	t.Parallel()
	require.Equal(t, []string{"true"}, extent{}.ranges(100), "empty")
	require.Equal(t, []string{"true"}, extent{bytes: 8192, blocks: 1, heap: true}.ranges(100), "one block")
	require.Equal(t, []string{"true"}, extent{bytes: 1 << 30, blocks: 1 << 17}.ranges(100), "not a heap, such as a foreign partition")
	require.Equal(t, []string{"ctid < '(3,0)'", "ctid >= '(3,0)' AND ctid < '(6,0)'", "ctid >= '(6,0)'"}, extent{bytes: 10 * 8192, blocks: 10, heap: true}.ranges(4*8192))
	require.Equal(t, []string{"ctid < '(1,0)'", "ctid >= '(1,0)'"}, extent{bytes: 4 * 8192, blocks: 2, heap: true}.ranges(8192), "partitions: no more ranges than blocks")
}

func TestBatchesFollowTheWarehouse(t *testing.T) {
	t.Parallel()
	var b batchSize
	b.init(Config{}.withDefaults())
	require.False(t, b.full(1, firstBatch-1))
	require.True(t, b.full(1, firstBatch))
	b.took(firstBatch, quickInsert/2)
	require.EqualValues(t, 2*firstBatch, b.bytes.Load())
	b.took(2*firstBatch, quickInsert/2)
	require.EqualValues(t, 16<<20, b.bytes.Load(), "never more than half of a flush")
	for range 10 {
		b.took(1, slowInsert+1)
	}
	require.EqualValues(t, smallestBatch, b.bytes.Load())
	b.failed()
	require.EqualValues(t, smallestBatch, b.bytes.Load())
}

// grow gives the rig one table of many blocks beside small, empty and single-row ones.
func (r *rig) grow(rows int) {
	r.t.Helper()
	r.exec(fmt.Sprintf(`INSERT INTO org_unit (id, name, kind) SELECT gen_random_uuid(), 'u' || i || repeat('x', 200), 'PARTY' FROM generate_series(1, %d) i`, rows))
}

// Empty tables, tables of one row and one of two partitions, published as one, while rows are changed and deleted.
func TestLoadInRangesWhileRowsChange(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.seed()
	r.grow(3000)
	r.exec(`DO $$
		DECLARE published text := (SELECT string_agg(quote_ident(c), ', ') FROM pg_publication_tables, unnest(attnames) c WHERE pubname = 'groundwork' AND tablename = 'callback_attempt');
		BEGIN
			ALTER PUBLICATION groundwork DROP TABLE callback_attempt;
			ALTER TABLE callback_attempt RENAME TO before;
			CREATE TABLE callback_attempt (LIKE before INCLUDING DEFAULTS, PRIMARY KEY (id)) PARTITION BY HASH (id);
			CREATE TABLE callback_attempt_0 PARTITION OF callback_attempt FOR VALUES WITH (MODULUS 2, REMAINDER 0);
			CREATE TABLE callback_attempt_1 PARTITION OF callback_attempt FOR VALUES WITH (MODULUS 2, REMAINDER 1);
			INSERT INTO callback_attempt SELECT * FROM before;
			INSERT INTO callback_attempt SELECT (jsonb_populate_record(b, jsonb_build_object('id', gen_random_uuid()))).* FROM before b, generate_series(1, 3000);
			ALTER PUBLICATION groundwork SET (publish_via_partition_root = true);
			EXECUTE 'ALTER PUBLICATION groundwork ADD TABLE callback_attempt (' || published || ')';
		END $$`)
	run := r.start(func(c *Config) { c.rangeBytes = smallRanges })
	for i := 0; i < 40 && run.Status().State != StateStreaming; i++ {
		r.exec(`UPDATE org_unit SET kind = 'UTILITY' WHERE id IN (SELECT id FROM org_unit ORDER BY random() LIMIT 5)`)
		r.exec(`DELETE FROM org_unit WHERE id IN (SELECT id FROM org_unit WHERE name LIKE 'u%' ORDER BY random() LIMIT 5)`)
		r.exec(`DELETE FROM callback_attempt WHERE id IN (SELECT id FROM callback_attempt ORDER BY random() LIMIT 5)`)
		r.exec(`INSERT INTO org_unit (id, name, kind) VALUES (gen_random_uuid(), 'late' || $1::int, 'PARTY')`, i)
	}
	run.agree()
	// The stream describes the partitions, too, though it tells of their changes as those of the table.
	r.exec(`DELETE FROM callback_attempt WHERE id IN (SELECT id FROM callback_attempt ORDER BY id LIMIT 20)`)
	r.exec(`UPDATE callback_attempt SET at = at - interval '1 hour' WHERE id IN (SELECT id FROM callback_attempt ORDER BY id LIMIT 20)`)
	r.exec(`INSERT INTO callback_attempt SELECT (jsonb_populate_record(b, jsonb_build_object('id', gen_random_uuid()))).* FROM before b, generate_series(1, 20)`)
	run.agree()
	records, err := readLoads(t.Context(), r.ch, "main")
	require.NoError(t, err)
	for _, source := range []string{"org_unit", "callback_attempt"} {
		require.Greater(t, records[source].ranges, 3, source)
		require.Equal(t, records[source].ranges, records[source].done, source)
		require.Equal(t, loadDone, records[source].state, source)
	}
	require.Equal(t, 1, records["region"].ranges)
	require.Nil(t, run.Status().Load, "no load is under way")
	require.Equal(t, 1, run.Status().Loads)
}

// A process that dies loses its snapshot. What it had finished stays; the rest comes from a later snapshot, and the slot's changes since the
// first one bring both to the same place.
func TestKilledLoadGoesOnWithWhatIsMissing(t *testing.T) {
	t.Parallel()
	for _, point := range []string{failBeforeRecord + "@25", failMidSnapshot + "@20"} {
		t.Run(point, func(t *testing.T) {
			t.Parallel()
			r := newRig(t)
			r.seed()
			r.grow(2000)
			r.requireKilled(r.child(point, "TEST_RANGE_BYTES=65536"))
			before, err := readLoads(t.Context(), r.ch, "main")
			require.NoError(t, err)
			require.Equal(t, loadOpen, before[""].state)
			r.exec(`UPDATE org_unit SET name = name || '!' WHERE name LIKE 'u%1x%'`)
			r.exec(`DELETE FROM org_unit WHERE name LIKE 'u%5x%'`)
			r.exec(`DELETE FROM feedback`)
			r.exec(`UPDATE region SET name = name || '!'`)
			run := r.start()
			run.agree()
			require.Equal(t, 1, run.Status().Loads)
			require.Empty(t, run.Status().LastGap)
			require.True(t, r.log.contains("tables that it had finished stay"))
			after, err := readLoads(t.Context(), r.ch, "main")
			require.NoError(t, err)
			kept := 0
			for source, was := range before {
				require.Equal(t, loadDone, after[source].state, source)
				if source != "" && was.state == loadDone {
					require.Equal(t, was.snapshot, after[source].snapshot, "%s was loaded again", source)
					kept++
				}
			}
			require.Positive(t, kept, "the kill came too early to show anything")
			run.stop()
			again := r.start()
			again.agree()
			require.Zero(t, again.Status().Loads)
		})
	}
}

// Merges are stopped while a load fills tables, and go on when the load is done, or when the next load finds what one that was killed has left.
func TestMergesAreStoppedDuringALoad(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.grow(2000)
	merge := func() error { return r.ch.Exec(context.Background(), "OPTIMIZE TABLE d_org_unit FINAL") }
	r.requireKilled(r.child(failMidSnapshot+"@5", "TEST_RANGE_BYTES=65536"))
	var refused *clickhouse.Exception
	require.ErrorAs(t, merge(), &refused)
	require.EqualValues(t, 236, refused.Code, "merges are stopped: %v", refused)
	run := r.start(func(c *Config) { c.rangeBytes = smallRanges })
	run.agree()
	require.NoError(t, merge())
}

// A load whose slot is gone cannot go on: it starts over, and says so.
func TestKilledLoadWithoutItsSlotStartsOver(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.seed()
	r.requireKilled(r.child(failBeforeRecord + "@25"))
	dropSlot(t, r.dsn, r.slot)
	r.exec(`DELETE FROM feedback`)
	run := r.start()
	run.agree()
	require.False(t, r.log.contains("tables that it had finished stay"))
	require.True(t, r.log.contains("tables_done=0"))
}

// An upgrade brings a table that has rows already. It is loaded by itself while changes flow; the others are left alone.
func TestTableAddedLaterIsLoadedByItself(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.seed()
	var columns string
	require.NoError(t, r.pg.QueryRow(t.Context(), `SELECT string_agg(quote_ident(c), ', ') FROM pg_publication_tables, unnest(attnames) c
		WHERE pubname = 'groundwork' AND tablename = 'org_unit'`).Scan(&columns))
	r.exec(`ALTER PUBLICATION groundwork DROP TABLE org_unit`)
	var fewer []warehouse.Mirror
	for _, m := range warehouse.Mirrors {
		if m.Source != "org_unit" {
			fewer = append(fewer, m)
		}
	}
	old := r.start(func(c *Config) { c.mirrors = fewer })
	old.catchUp()
	old.stop()
	before, err := readLoads(t.Context(), r.ch, "main")
	require.NoError(t, err)
	r.grow(1500)
	r.exec(`ALTER PUBLICATION groundwork ADD TABLE org_unit (` + columns + `)`)
	r.exec(`UPDATE region SET name = name || '!'`)
	r.requireKilled(r.child(failMidSnapshot+"@3", "TEST_RANGE_BYTES=65536")) // half of it is in
	require.Positive(t, r.chCount("SELECT count() FROM d_org_unit"))
	r.exec(`DELETE FROM org_unit WHERE name LIKE 'u%5x%'`)
	run := r.start(func(c *Config) { c.rangeBytes, c.FlushRows = smallRanges, 50 })
	for range 20 {
		r.exec(`UPDATE org_unit SET kind = 'UTILITY' WHERE id IN (SELECT id FROM org_unit ORDER BY random() LIMIT 20)`)
		r.exec(`DELETE FROM org_unit WHERE id IN (SELECT id FROM org_unit WHERE name LIKE 'u%' ORDER BY random() LIMIT 5)`)
		r.exec(`UPDATE region SET name = name || '?'`)
	}
	require.Eventually(t, func() bool {
		records, err := readLoads(context.Background(), r.ch, "main")
		return err == nil && records["org_unit"].state == loadDone
	}, patience, 10*time.Millisecond)
	run.agree()
	require.Zero(t, run.Status().Loads, "no full load")
	require.Empty(t, run.Status().LastGap)
	after, err := readLoads(t.Context(), r.ch, "main")
	require.NoError(t, err)
	delete(after, "org_unit")
	require.Equal(t, before, after, "the other tables were left alone")
}

// watchReaders asks all the time until stop is called, which returns what went wrong for a reader: an error, or rows that were
// there before and are not now. Only for tables to which rows are added.
func (r *rig) watchReaders(queries ...string) (stop func() []string) {
	ctx, cancel := context.WithCancel(context.Background())
	wrong := make(chan []string, 1)
	go func() {
		var faults []string
		most := make([]uint64, len(queries))
		for ctx.Err() == nil {
			for i, q := range queries {
				var n uint64
				err := r.ch.QueryRow(ctx, q).Scan(&n)
				switch {
				case ctx.Err() != nil:
				case err != nil:
					faults = append(faults, err.Error())
				case n < most[i]:
					faults = append(faults, fmt.Sprintf("%s: %d after %d", q, n, most[i]))
				default:
					most[i] = n
				}
			}
		}
		wrong <- faults
	}()
	return func() []string { cancel(); return <-wrong }
}

const (
	readUnits   = "SELECT count() FROM d_org_unit FINAL WHERE _deleted = 0"
	readRegions = "SELECT count() FROM pub_region"
)

func TestRebuildDisturbsNoReader(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.seed()
	r.grow(1000)
	run := r.start(func(c *Config) { c.rangeBytes, c.FlushRows, c.ControlInterval = smallRanges, 50, 10*time.Millisecond })
	run.catchUp()
	o := r.operator()
	stop := r.watchReaders(readUnits, readRegions)
	// What verify would find, and no change of Postgres would ever mend.
	r.chExec(`INSERT INTO d_org_unit (id, name, kind, _ver, _deleted) SELECT id, 'wrong', kind, bitShiftLeft(toUInt128(1), 120), 0 FROM d_org_unit FINAL LIMIT 7`)
	planned, err := o.PlanRebuild(t.Context(), []string{"org_unit"})
	require.NoError(t, err)
	require.Len(t, planned, 1)
	require.Positive(t, planned[0].Bytes)
	require.EqualValues(t, 7, r.chCount("SELECT count() FROM d_org_unit FINAL WHERE name = 'wrong'"), "a plan changes nothing")

	writing, written := make(chan struct{}), make(chan error, 1)
	go func() {
		for {
			if _, err := r.pg.Exec(context.Background(), `WITH made AS (INSERT INTO org_unit (id, name, kind) SELECT id, 'w' || id, 'PARTY' FROM gen_random_uuid() id)
				UPDATE org_unit SET kind = 'UTILITY' WHERE id IN (SELECT id FROM org_unit ORDER BY random() LIMIT 3)`); err != nil {
				written <- err
				return
			}
			select {
			case <-writing:
				written <- nil
				return
			default:
			}
		}
	}()
	looks := 0
	done, err := o.Rebuild(t.Context(), []string{"org_unit", "region"}, func([]RebuildTable) { looks++ })
	require.NoError(t, err)
	require.Positive(t, looks)
	require.Len(t, done, 2)
	require.Equal(t, "done", done[0].State)
	require.Greater(t, done[0].Rows, int64(1000))
	close(writing)
	require.NoError(t, <-written)
	run.agree()
	require.Empty(t, stop())
	require.Equal(t, 2, run.Status().Rebuilt)
	require.Equal(t, 1, run.Status().Loads, "the first one")
	r.requireNoShadows()
}

func (r *rig) requireNoShadows() {
	r.t.Helper()
	require.Eventually(r.t, func() bool {
		names, err := shadows(context.Background(), r.ch, warehouse.Mirrors)
		return err == nil && len(names) == 0
	}, patience, 10*time.Millisecond)
}

func TestRebuildKilledAnywhere(t *testing.T) {
	t.Parallel()
	for _, point := range []string{failMidSnapshot, failBeforeSwap, failAfterSwap, failBeforeDrop} {
		t.Run(point, func(t *testing.T) {
			t.Parallel()
			r := newRig(t)
			r.seed()
			r.grow(500)
			first := r.start()
			first.catchUp()
			first.stop()
			r.chExec(`INSERT INTO d_org_unit (id, name, kind, _ver, _deleted) SELECT id, 'wrong', kind, bitShiftLeft(toUInt128(1), 120), 0 FROM d_org_unit FINAL LIMIT 7`)
			r.exec(`INSERT INTO etl.rebuild (pipeline, source) VALUES ('main', 'org_unit'), ('main', 'nonsense')`)
			stop := r.watchReaders(readUnits)
			r.requireKilled(r.child(point))
			r.exec(`INSERT INTO org_unit (id, name, kind) VALUES (gen_random_uuid(), 'later', 'PARTY')`)
			run := r.start(func(c *Config) { c.ControlInterval = 10 * time.Millisecond })
			require.Eventually(t, func() bool {
				return r.pgCount("SELECT count(*) FROM etl.rebuild WHERE finished_at IS NULL") == 0
			}, patience, 10*time.Millisecond)
			run.agree()
			require.Empty(t, stop())
			require.Zero(t, run.Status().Loads)
			require.Empty(t, run.Status().LastGap)
			require.Equal(t, 1, r.pgCount("SELECT count(*) FROM etl.rebuild WHERE source = 'nonsense' AND fault = 'the publication has no such table'"))
			r.requireNoShadows()
		})
	}
}

// A rebuild that fails leaves the old mirror and the stream as they were, and the operator hears why.
func TestRebuildThatFailsLeavesTheOldMirror(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.seed()
	run := r.start(func(c *Config) { c.ControlInterval = 10 * time.Millisecond })
	run.catchUp()
	c, err := readCheckpoint(t.Context(), r.ch, "main")
	require.NoError(t, err)
	shadow := fmt.Sprintf("d_org_unit%s%d", shadowMark, c.epoch)
	r.chExec("CREATE DICTIONARY " + shadow + " (id UInt64, name String) PRIMARY KEY id SOURCE(NULL()) LIFETIME(0) LAYOUT(FLAT())") // in the way: DROP TABLE refuses it
	_, err = r.operator().Rebuild(t.Context(), []string{"org_unit"}, nil)
	require.ErrorContains(t, err, "the old mirror stands")
	r.exec(`UPDATE org_unit SET name = name || '!'`)
	run.agree()
	require.Equal(t, 1, run.Status().Loads, "the first one")
}

func TestRebuildNeedsAReplicator(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	_, err := r.operator().Rebuild(t.Context(), nil, nil)
	require.ErrorContains(t, err, "no replicator is active")
	require.Zero(t, r.pgCount("SELECT count(*) FROM etl.rebuild"))
}

// On a cluster every statement about a table goes to all hosts.
func TestShadowsOnACluster(t *testing.T) {
	t.Parallel()
	l := warehouse.Layout{Cluster: "main"}
	require.Equal(t, "CREATE TABLE `m__new_1` ON CLUSTER main AS `m`", makeSQL(l, "m", "m__new_1"))
	require.Equal(t, "EXCHANGE TABLES `m` AND `m__new_1` ON CLUSTER main", exchangeSQL(l, "m", "m__new_1"))
	require.Equal(t, "DROP TABLE IF EXISTS `m__new_1` ON CLUSTER main", dropSQL(l, "m__new_1"))
	require.Equal(t, "SYSTEM STOP MERGES ON CLUSTER main `m`", mergesSQL(l, "STOP", "m"))
	require.Equal(t, "EXCHANGE TABLES `m` AND `m__new_1`", exchangeSQL(warehouse.Layout{}, "m", "m__new_1"))
}

// A warehouse that stands still in the middle of a load leaves Postgres with full sockets. Nothing is copied twice for it.
func TestSlowWarehouseKeepsTheLoad(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.exec(`INSERT INTO org_unit (id, name, kind) SELECT gen_random_uuid(), repeat(i::text, 200), 'PARTY' FROM generate_series(1, 25000) i`)
	proxy := newProxy(t, r.chURL)
	ch := r.openThrough(proxy)
	reached, release := proxy.stallAt("INSERT+INTO+%60d_org_unit%60")
	defer release()
	run := r.start(func(c *Config) { c.ClickHouse, c.FlushBytes, c.LoadWorkers = ch, 2<<20, 1 })
	<-reached
	var began time.Time
	require.NoError(t, r.pg.QueryRow(t.Context(), "SELECT clock_timestamp()").Scan(&began))
	copying := fmt.Sprintf(`SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND query LIKE 'COPY %%org_unit%%' AND wait_event = 'ClientWrite'
		AND clock_timestamp() > timestamptz '%s' + interval '15 s'`, began.Format(time.RFC3339Nano))
	require.Eventually(t, func() bool { return r.pgCount(copying) == 1 }, patience, 50*time.Millisecond, "the copy waits for us")
	release()
	run.agree()
	require.False(t, r.log.contains("copied again"))
}
