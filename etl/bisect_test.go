package etl

import (
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"testing"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// A slice of a block is the block of these rows alone, and its key reads as Postgres sent it.
func TestSliceIsTheBlockOfItsRows(t *testing.T) {
	t.Parallel()
	p := samplePlan(t)
	bytesOf := func(t *rapid.T, b *block) []byte {
		all, err := io.ReadAll(b.reader())
		require.NoError(t, err)
		return all
	}
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 20).Draw(t, "rows")
		from := rapid.IntRange(0, n-1).Draw(t, "from")
		to := rapid.IntRange(from+1, n).Draw(t, "to")
		all, part := newBlock(p), newBlock(p)
		var first []byte
		for i := range n {
			row := []field{{kind: fieldBinary, data: rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(t, "id")}, {kind: fieldNull}, wireArray(rapid.SliceOfN(rapid.String(), 0, 3).Draw(t, "words")), {kind: fieldNull}}
			if rapid.Bool().Draw(t, "noted") {
				row[1] = field{kind: fieldBinary, data: []byte(rapid.String().Draw(t, "note"))}
				row[3] = field{kind: fieldBinary, data: binary.BigEndian.AppendUint32(nil, 5)}
			}
			v := version{7, uint64(i)}
			_, err := all.row(row, nil, v)
			require.NoError(t, err)
			if i >= from && i < to {
				_, err = part.row(row, nil, v)
				require.NoError(t, err)
			}
			if i == from {
				first = row[0].data
			}
		}
		require.Equal(t, bytesOf(t, part), bytesOf(t, all.slice(from, to)))
		one := all.slice(from, from+1)
		require.Equal(t, first, one.keyRow()[0].data)
		require.Equal(t, version{7, uint64(from)}, one.version())
	})
}

// wireArray is a text[] as Postgres sends it.
func wireArray(words []string) field {
	data := binary.BigEndian.AppendUint32(nil, uint32(min(1, len(words))))
	data = append(data, make([]byte, 8)...)
	if len(words) > 0 {
		data = binary.BigEndian.AppendUint32(data, uint32(len(words)))
		data = append(data, make([]byte, 4)...)
	}
	for _, w := range words {
		data = append(binary.BigEndian.AppendUint32(data, uint32(len(w))), w...)
	}
	return field{kind: fieldBinary, data: data}
}

// What speaks of the rows is not tried again, and what may pass, or speaks of the warehouse, is not bisected.
func TestRefusalsOfRowsAreToldFromOthers(t *testing.T) {
	t.Parallel()
	for _, code := range dataRefusals {
		err := fmt.Errorf("write: %w", &clickhouse.Exception{Code: code, Message: "why"})
		require.False(t, mayPass(err), code)
		reason, refused := refusesData(err)
		require.True(t, refused, code)
		require.Contains(t, reason, "why")
	}
	for _, code := range []int32{60, 159, 202, 209, 210, 241, 242, 243, 252, 497, 516} {
		_, refused := refusesData(&clickhouse.Exception{Code: code})
		require.False(t, refused, code)
	}
	_, refused := refusesData(io.ErrUnexpectedEOF)
	require.False(t, refused)
}

// refuse makes the warehouse take no unit with a name like pattern.
func (r *rig) refuse(pattern string) {
	r.t.Helper()
	r.chExec("ALTER TABLE d_org_unit ADD CONSTRAINT refused CHECK name NOT LIKE '" + pattern + "'")
}

func (r *rig) replay(table string) Replay {
	r.t.Helper()
	done, err := r.operator().Replay(context.Background(), []string{table}, false)
	require.NoError(r.t, err)
	require.Len(r.t, done, 1)
	return done[0]
}

// requireLetters waits for nothing: it counts the rows of org_unit that are set aside, and sees that all other rows agree.
func (r *rig) requireLetters(n int) {
	r.t.Helper()
	found := r.verify(VerifyOptions{Tables: []string{"org_unit"}})["org_unit"]
	require.Empty(r.t, found.Differing)
	require.Equal(r.t, n, found.Parked)
}

// Three rows of a hundred thousand that the warehouse refuses are found and set aside; all others land. One of them had an older state,
// which must not show.
func TestRefusedRowsAreFoundAndTheirNeighboursLand(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.seed()
	r.exec(`INSERT INTO org_unit (id, name, kind) SELECT gen_random_uuid(), 'u' || i, 'PARTY' FROM generate_series(1, 10) i`)
	run := r.start()
	run.catchUp()
	r.refuse("bad%")
	r.exec(`BEGIN;
		INSERT INTO org_unit (id, name, kind) SELECT gen_random_uuid(), CASE WHEN i IN (1, 70000) THEN 'bad' || i ELSE 'v' || i END, 'PARTY' FROM generate_series(1, 99999) i;
		UPDATE org_unit SET name = 'bad u7' WHERE name = 'u7';
		COMMIT`)
	run.catchUp()
	require.Equal(t, 3, r.pgCount(`SELECT count(*) FROM etl.dead_letter WHERE source = 'org_unit' AND column_name = '' AND value IS NULL AND reason LIKE 'the warehouse refused the row (code 469)%'`))
	require.EqualValues(t, 3, run.Status().DeadLetters)
	require.Zero(t, r.chCount("SELECT count() FROM d_org_unit FINAL WHERE _deleted = 0 AND name IN ('u7', 'bad u7')"), "no older state shows")
	require.EqualValues(t, 99_997, r.chCount("SELECT count() FROM d_org_unit FINAL WHERE _deleted = 0 AND startsWith(name, 'v')"))
	r.requireLetters(3)
	require.Equal(t, Replay{Table: "org_unit", Stuck: 3}, r.replay("org_unit"), "as long as the cause is there")
	r.chExec("ALTER TABLE d_org_unit DROP CONSTRAINT refused")
	require.Equal(t, Replay{Table: "org_unit", Settled: 3}, r.replay("org_unit"))
	run.agree()
	require.Equal(t, 1, run.Status().Loads)
	require.False(t, r.log.contains("interrupted"))
}

// A mirror that takes no row of defaults takes no tombstone either; deleted and refused rows go from it all the same.
func TestRefusedTombstonesEndTheirRows(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.seed()
	r.exec(`INSERT INTO org_unit (id, name, kind) SELECT gen_random_uuid(), 'u' || i, 'PARTY' FROM generate_series(1, 10) i`)
	run := r.start()
	run.catchUp()
	r.chExec("ALTER TABLE d_org_unit ADD CONSTRAINT named CHECK notEmpty(name) AND name NOT LIKE 'bad%'")
	r.exec(`DELETE FROM org_unit WHERE name IN ('u1', 'u2')`)
	r.exec(`UPDATE org_unit SET name = 'bad' WHERE name = 'u3'`)
	run.catchUp()
	r.requireLetters(1)
	require.EqualValues(t, 7, r.chCount("SELECT count() FROM d_org_unit FINAL WHERE _deleted = 0 AND match(name, '^u[0-9]+$')"))
}

// The first load meets rows that the warehouse refuses.
func TestRefusedRowsOfALoadAreSetAside(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.refuse("bad%")
	r.exec(`INSERT INTO org_unit (id, name, kind) SELECT gen_random_uuid(), CASE i WHEN 500 THEN 'bad' ELSE 'u' || i END, 'PARTY' FROM generate_series(1, 1000) i`)
	run := r.start()
	run.catchUp()
	r.requireLetters(1)
	require.EqualValues(t, 999, r.chCount("SELECT count() FROM d_org_unit FINAL WHERE _deleted = 0"))
	r.exec(`UPDATE org_unit SET name = 'good' WHERE name = 'bad'`)
	run.agree()
}

// A kill between two halves of a block leaves some rows stored, and some letters written, before the checkpoint. It all comes again.
func TestKilledInTheMiddleOfABisection(t *testing.T) {
	t.Parallel()
	for _, point := range []string{failMidBisect, failMidBisect + "@4", failMidBisect + "@9"} {
		t.Run(point, func(t *testing.T) {
			t.Parallel()
			r := newRig(t)
			r.seed()
			first := r.start()
			first.catchUp()
			first.stop()
			r.refuse("bad%")
			r.exec(`INSERT INTO org_unit (id, name, kind) SELECT gen_random_uuid(), CASE WHEN i % 30 = 7 THEN 'bad' ELSE 'u' END || i, 'PARTY' FROM generate_series(1, 90) i`)
			for range 2 {
				r.requireKilled(r.child(point))
				r.requireSlotBehindCheckpoint()
			}
			run := r.start()
			run.catchUp()
			r.requireLetters(3)
			require.Equal(t, 3, r.pgCount(fmt.Sprintf("SELECT count(*) FROM etl.dead_letter WHERE pipeline = 'main' AND source = '%s'", "org_unit")), "a letter that is written again is one")
			require.EqualValues(t, 87, r.chCount("SELECT count() FROM d_org_unit FINAL WHERE _deleted = 0 AND startsWith(name, 'u')"))
			r.chExec("ALTER TABLE d_org_unit DROP CONSTRAINT refused")
			require.Equal(t, 3, r.replay("org_unit").Settled)
			run.agree()
			require.Zero(t, run.Status().Loads, run.Status().LastGap)
		})
	}
}

// A table of which the warehouse refuses too much stops, in the stream as in a load; the others go on, and a rebuild brings it back.
func TestTooManyRefusedRowsStopTheirTable(t *testing.T) {
	t.Parallel()
	for name, before := range map[string]bool{"in a load": true, "in the stream": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t)
			r.seed()
			fill := func() {
				r.refuse("bad%")
				r.exec(`INSERT INTO org_unit (id, name, kind) SELECT gen_random_uuid(), 'bad' || i, 'PARTY' FROM generate_series(1, 300) i`)
			}
			if before {
				fill()
			}
			run := r.start(func(c *Config) { c.DeadBudget, c.ControlInterval = 5, 20*time.Millisecond })
			run.catchUp()
			if !before {
				fill()
			}
			run.await(func(s Status) bool { return len(s.Stopped) == 1 })
			require.Equal(t, []string{"org_unit"}, run.Status().Stopped)
			r.exec(`UPDATE region SET name = name || '!'`)
			r.requireOthersGoOn(run, "org_unit")
			require.Equal(t, 6, r.pgCount("SELECT count(*) FROM etl.dead_letter WHERE source = 'org_unit'"))
			r.requireStillStopped("org_unit")
			r.chExec("ALTER TABLE d_org_unit DROP CONSTRAINT refused")
			r.requireRebuilt("org_unit")
			run.agree()
			require.Empty(t, run.Status().Stopped)
			require.Equal(t, 1, run.Status().Loads)
		})
	}
}

// requireStillStopped asks for a rebuild while the cause is there: it fails with the reason, and the table stays stopped.
func (r *rig) requireStillStopped(table string) {
	r.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	_, err := r.operator().Rebuild(ctx, []string{table}, nil)
	require.ErrorContains(r.t, err, "rows of table "+table+" were set aside")
	report, err := r.operator().Report(ctx, time.Millisecond)
	require.NoError(r.t, err)
	require.Equal(r.t, []string{table}, report.Stopped)
}

// A load that has stopped a table is killed: the next one goes on without the table. Killed on the way back, the table comes all the same.
func TestStoppedTableOverKills(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.seed()
	r.refuse("bad%")
	r.exec(`INSERT INTO org_unit (id, name, kind) SELECT gen_random_uuid(), 'bad' || i, 'PARTY' FROM generate_series(1, 3000) i`) // the largest table, hence the first
	frugal := []string{"TEST_DEAD_BUDGET=5", "TEST_LOAD_WORKERS=1"}
	r.requireKilled(r.child(failBeforeRecord+"@3", frugal...))
	run := r.start(func(c *Config) { c.DeadBudget = 5 })
	run.catchUp()
	require.True(t, r.log.contains("tables that it had finished stay"))
	require.Equal(t, []string{"org_unit"}, run.Status().Stopped)
	require.Equal(t, 6, r.pgCount("SELECT count(*) FROM etl.dead_letter WHERE source = 'org_unit'"), "the second load did not try it again")
	r.requireOthersGoOn(run, "org_unit")
	run.stop()
	r.chExec("ALTER TABLE d_org_unit DROP CONSTRAINT refused")
	r.exec(`INSERT INTO etl.rebuild (pipeline, source) VALUES ('main', 'org_unit')`)
	r.exec(`DELETE FROM org_unit WHERE name LIKE 'bad%5'`)
	for _, point := range []string{failBeforeRecord, failBeforeRecord} {
		r.requireKilled(r.child(point, frugal...))
		r.requireSlotBehindCheckpoint()
		r.exec(`UPDATE org_unit SET name = name || '!'`)
	}
	again := r.start()
	require.Eventually(t, func() bool {
		return r.pgCount("SELECT count(*) FROM etl.rebuild WHERE finished_at IS NOT NULL AND fault IS NULL") == 1
	}, patience, 20*time.Millisecond)
	again.agree()
	require.Empty(t, again.Status().Stopped)
	require.Zero(t, again.Status().Loads, again.Status().LastGap)
}
