package etl

import (
	"testing"

	"github.com/stretchr/testify/require"

	"groundwork/warehouse"
)

const (
	unit   = "00000000-0000-7000-8000-000000000031"
	region = "00000000-0000-7000-8000-000000000001"
)

func TestSnapshotThenStreamAgreeRowByRow(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.seed()
	for _, m := range warehouse.Mirrors {
		require.Positive(t, r.pgCount("SELECT count(*) FROM "+m.Source), "the seed leaves %s empty", m.Source)
	}
	run := r.start()
	run.agree()
	require.Equal(t, 1, run.Status().Loads)

	r.exec(`INSERT INTO org_unit (id, name, kind) SELECT gen_random_uuid(), 'u' || i, 'PARTY' FROM generate_series(1, 500) i`)
	r.exec(`UPDATE org_unit SET parent_id = $1 WHERE name LIKE 'u%7'`, unit)
	r.exec(`DELETE FROM org_unit WHERE name LIKE 'u%3'`)
	r.exec(`UPDATE region SET name = name || '!' WHERE parent_id IS NOT NULL`)
	r.exec(`UPDATE category SET path = path || ARRAY['deeper'], audited_minimum_minutes = 45`)
	run.agree()
}

func TestEverySeedRowStreamsToo(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	run := r.start()
	run.catchUp() // the load finds nothing; all types come through the stream
	r.seed()
	run.agree()
	for _, m := range warehouse.Mirrors {
		require.Positive(t, r.chCount("SELECT count() FROM "+m.Table+" FINAL WHERE _deleted = 0"), m.Table)
	}
}

func TestKeyChangeMovesTheRow(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.seed()
	run := r.start()
	run.catchUp()
	r.exec(`UPDATE region_population SET year = year + 100, persons = 7`)
	run.agree()
	// Swapping two keys inside one transaction leaves both rows alive.
	r.exec(`BEGIN;
		UPDATE region_population SET year = 1 + 1900 WHERE year = 2119;
		UPDATE region_population SET year = 2119 WHERE year = 2120;
		UPDATE region_population SET year = 2120 WHERE year = 1901;
		COMMIT`)
	run.agree()
	require.EqualValues(t, 2, r.chCount("SELECT count() FROM d_population FINAL WHERE _deleted = 0"))
}

func TestDeleteAndInsertOfTheSameKey(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.seed()
	run := r.start()
	run.catchUp()
	r.exec(`BEGIN;
		DELETE FROM region_population WHERE year = 2020;
		INSERT INTO region_population (region_id, year, persons, source) VALUES ('` + region + `', 2020, 1, 'again');
		INSERT INTO region_population (region_id, year, persons, source) VALUES ('` + region + `', 2021, 1, 'short-lived');
		UPDATE region_population SET persons = 2 WHERE year = 2021;
		DELETE FROM region_population WHERE year = 2021;
		COMMIT`)
	run.agree()
}

func TestTruncateEndsTheRowsBeforeItOnly(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.seed()
	run := r.start()
	run.catchUp()
	r.exec(`BEGIN;
		INSERT INTO region_population (region_id, year, persons, source) VALUES ('` + region + `', 2030, 1, 'before');
		TRUNCATE region_population;
		INSERT INTO region_population (region_id, year, persons, source) VALUES ('` + region + `', 2031, 1, 'after'), ('` + region + `', 2020, 9, 'after');
		COMMIT`)
	run.agree()
	require.EqualValues(t, 2, r.chCount("SELECT count() FROM d_population FINAL WHERE _deleted = 0"))
}

func TestRolledBackWorkNeverArrives(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.seed()
	run := r.start()
	run.catchUp()
	r.exec(`BEGIN; INSERT INTO org_unit (id, name, kind) VALUES (gen_random_uuid(), 'never', 'PARTY'); ROLLBACK`)
	r.exec(`BEGIN;
		INSERT INTO org_unit (id, name, kind) VALUES (gen_random_uuid(), 'kept', 'PARTY');
		SAVEPOINT s;
		INSERT INTO org_unit (id, name, kind) VALUES (gen_random_uuid(), 'undone', 'PARTY');
		ROLLBACK TO s;
		COMMIT`)
	run.agree()
	require.EqualValues(t, 1, r.chCount("SELECT count() FROM d_org_unit WHERE name IN ('kept', 'undone', 'never')"))
}

func TestUnchangedLongValuesAreKept(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.seed()
	r.exec(`ALTER TABLE post_holding ALTER COLUMN title SET STORAGE EXTERNAL`)
	r.exec(`UPDATE post_holding SET title = repeat('long ', 20000)`)
	run := r.start()
	run.catchUp()
	r.exec(`UPDATE post_holding SET rank = 'TOWNSHIP'`)
	run.agree()
	r.exec(`BEGIN; UPDATE post_holding SET title = repeat('other ', 20000); UPDATE post_holding SET rank = 'SECTION'; COMMIT`)
	run.agree()
	// With the key, too, whoever refers to it.
	r.exec(`BEGIN; SET LOCAL session_replication_role = replica; UPDATE post_holding SET id = gen_random_uuid(); COMMIT`)
	run.agree()
	require.Empty(t, run.Status().LastGap)
}

func TestLongValueMissingInTheMirrorIsAGapThatHeals(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.seed()
	r.exec(`ALTER TABLE post_holding ALTER COLUMN title SET STORAGE EXTERNAL`)
	r.exec(`UPDATE post_holding SET title = repeat('long ', 20000)`)
	run := r.start()
	run.catchUp()
	r.chExec("TRUNCATE TABLE d_post_holding")
	r.exec(`UPDATE post_holding SET rank = 'TOWNSHIP'`)
	run.await(func(s Status) bool { return s.Loads == 2 })
	run.agree()
	require.Contains(t, run.Status().LastGap, "long value of title")
}

func TestValuesOutOfRangeAreParked(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.seed()
	r.exec(`UPDATE opinion SET occurred_at = 'infinity' WHERE id = '00000000-0000-7000-8000-000000000071'`)
	run := r.start()
	run.catchUp()
	require.EqualValues(t, 1, run.Status().DeadLetters, "found by the load")
	r.exec(`UPDATE opinion SET occurred_at = '-infinity' WHERE id = '00000000-0000-7000-8000-000000000072'`)
	r.exec(`UPDATE site SET eligible_from = '1899-12-31'`)
	run.catchUp()
	require.EqualValues(t, 3, run.Status().DeadLetters)
	require.Zero(t, r.chCount("SELECT count() FROM f_opinion FINAL WHERE _deleted = 0"), "a parked row shows no older state")
	require.Equal(t, 2, r.pgCount(`SELECT count(*) FROM etl.dead_letter WHERE column_name = 'occurred_at' AND reason LIKE 'infinity%' AND key ->> 'id' LIKE '00000000-%'`))
	r.exec(`UPDATE opinion SET occurred_at = NULL`)
	r.exec(`UPDATE site SET eligible_from = '1900-01-01'`)
	run.agree() // corrected, the rows come back
}

func TestLargeTransactionGoesInPieces(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	run := r.start(func(c *Config) { c.FlushRows = 1000; c.QueueBytes = 64 << 10 })
	run.catchUp()
	before := run.Status().Applied
	r.exec(`INSERT INTO org_unit (id, name, kind) SELECT gen_random_uuid(), 'u' || i, 'PARTY' FROM generate_series(1, 20500) i`)
	run.agree()
	require.Greater(t, run.Status().Applied, before)
	parts := r.chCount("SELECT uniqExact(_part) FROM d_org_unit")
	t.Logf("%d parts remain of the pieces", parts)
}
