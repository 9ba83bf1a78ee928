package etl

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"groundwork/warehouse"
)

// own publishes a table of the test's own beside the others, and has the replicator know its mirror.
func (r *rig) own(source, mirror string, m warehouse.Mirror) func(*Config) {
	r.t.Helper()
	r.exec("CREATE TABLE " + m.Source + " (" + source + ")")
	r.exec("ALTER PUBLICATION groundwork ADD TABLE " + m.Source)
	r.chExec("CREATE TABLE " + m.Table + " (" + mirror + ", _ver UInt128, _deleted UInt8) ENGINE = ReplacingMergeTree(_ver, _deleted) ORDER BY (" + m.Key[0] + ")")
	return func(c *Config) { c.mirrors = append([]warehouse.Mirror{m}, warehouse.Mirrors...) }
}

// identities are the replica identities under which a table can be mirrored.
var identities = map[string]string{
	"DEFAULT": "REPLICA IDENTITY DEFAULT",
	"INDEX":   "REPLICA IDENTITY USING INDEX note_again",
	"FULL":    "REPLICA IDENTITY FULL",
}

// A long value that an update leaves alone is kept over the edges of batches and over a restart, whatever of the old row Postgres sends;
// so is one in the key itself.
func TestUnchangedLongValuesUnderEveryReplicaIdentity(t *testing.T) {
	t.Parallel()
	for name, alter := range identities {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t)
			known := r.own("id text PRIMARY KEY, body text NOT NULL, n int NOT NULL", "id String, body String, n Int32", warehouse.Mirror{Source: "note", Table: "t_note", Key: []string{"id"}})
			r.exec("CREATE UNIQUE INDEX note_again ON note (id)")
			r.exec("ALTER TABLE note ALTER body SET STORAGE EXTERNAL, SET (toast_tuple_target = 128)") // the key's index takes it compressed, the table outside its rows
			r.exec("ALTER TABLE note " + alter)
			long := func(c string) string { return "repeat('" + c + "', 100000)" }
			r.exec("INSERT INTO note SELECT k, " + long("b") + ", 0 FROM unnest(ARRAY['short', " + long("k") + "]) k")
			differing := func() int {
				rows, err := r.ch.Query(context.Background(), "SELECT id, body, n FROM t_note FINAL WHERE _deleted = 0")
				require.NoError(t, err)
				defer rows.Close()
				wrong := r.pgCount("SELECT count(*) FROM note")
				for rows.Next() {
					var id, body string
					var n int32
					require.NoError(t, rows.Scan(&id, &body, &n))
					var same bool
					require.NoError(t, r.pg.QueryRow(context.Background(), "SELECT EXISTS (SELECT FROM note WHERE id = $1 AND body = $2 AND n = $3)", id, body, n).Scan(&same))
					if !same {
						return -1
					}
					wrong--
				}
				return wrong
			}
			small := func(c *Config) { known(c); c.FlushRows = 1 } // every change is a batch of its own
			first := r.start(small)
			first.catchUp()
			require.Zero(t, differing(), "loaded")
			require.Positive(t, r.pgCount("SELECT count(*) FROM note WHERE length(id) > 99999 AND pg_column_toast_chunk_id(id) IS NOT NULL"), "the key is toasted")
			r.exec("BEGIN; UPDATE note SET n = 1; UPDATE note SET n = 2; COMMIT")
			r.exec("UPDATE note SET n = 3")
			first.catchUp()
			require.Zero(t, differing(), "over the edges of batches")
			first.stop()
			r.exec("BEGIN; UPDATE note SET n = 4; UPDATE note SET body = " + long("c") + "; UPDATE note SET n = 5; COMMIT")
			r.exec("UPDATE note SET id = 'moved' WHERE id = 'short'")
			r.exec("DELETE FROM note WHERE id = " + long("k"))
			r.exec("INSERT INTO note VALUES (" + long("k") + ", 'new', 6); UPDATE note SET n = 7")
			second := r.start(known)
			second.catchUp()
			require.Zero(t, differing(), "over a restart")
			require.Zero(t, second.Status().Loads, second.Status().LastGap)
			require.Zero(t, second.Status().DeadLetters)
		})
	}
}

// An identity that is taken away while changes flow is noticed at the next change, and refused until it is back; then a load heals what may
// have been missed.
func TestReplicaIdentityTakenAwayWhileStreaming(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.seed()
	replicator, err := New(r.config())
	require.NoError(t, err)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	done := make(chan error, 1)
	go func() { done <- replicator.Run(ctx) }()
	require.NoError(t, replicator.Wait(ctx, r.position()))
	r.exec(`ALTER TABLE org_unit REPLICA IDENTITY NOTHING`)
	_, err = r.pg.Exec(ctx, `UPDATE org_unit SET name = name || '1'`)
	require.ErrorContains(t, err, "does not have a replica identity", "Postgres itself refuses updates and deletes")
	r.exec(`INSERT INTO org_unit (id, name, kind) VALUES (gen_random_uuid(), 'later', 'PARTY')`)
	err = <-done
	require.ErrorContains(t, err, "table org_unit: column id is the key of d_org_unit, but not part of the replica identity, which is NOTHING")
	require.ErrorContains(t, err, `ALTER TABLE "public"."org_unit" REPLICA IDENTITY`)
	r.exec(`ALTER TABLE org_unit REPLICA IDENTITY DEFAULT`)
	run := r.start()
	run.agree()
	require.Equal(t, 1, run.Status().Loads)
	require.True(t, r.log.contains("GAP"))
}
