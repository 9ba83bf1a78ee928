package warehouse_test

import (
	"math/big"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"groundwork/internal/embedded/embeddedtest"
	"groundwork/warehouse"
)

// house is a warehouse of the test's own, filled straight into the mirrors.
type house struct {
	t *testing.T
	*warehouse.DB
	*warehouse.Measures
	version uint64
}

func open(t *testing.T) *house {
	t.Helper()
	db, err := warehouse.Open(t.Context(), embeddedtest.ClickHouse(t))
	require.NoError(t, err)
	t.Cleanup(func() { _ = db.Close() })
	_, err = warehouse.Migrate(t.Context(), db, warehouse.Layout{})
	require.NoError(t, err)
	return &house{t: t, DB: db, Measures: warehouse.NewMeasures(db)}
}

func named(name string, value any) any { return clickhouse.Named(name, value) }

// row columns, as the fields of a struct with tags.
type progress struct {
	Origin        time.Time  `ch:"origin_at"`
	FirstResponse *time.Time `ch:"first_response_at"`
	Claimed       *time.Time `ch:"claimed_at"`
	Resolved      *time.Time `ch:"resolved_at"`
	Closed        *time.Time `ch:"closed_at"`
	Closure       *string    `ch:"closure_type"`
	Disputes      int32      `ch:"dispute_count"`
	Reopenings    int32      `ch:"reopen_count"`
	Opinions      int32      `ch:"opinion_count"`
}

type issue struct {
	ID            uuid.UUID  `ch:"id"`
	Category      *uuid.UUID `ch:"category_id"`
	Region        *uuid.UUID `ch:"region_id"`
	Site          *uuid.UUID `ch:"site_id"`
	Channel       string     `ch:"channel"`
	Kind          string     `ch:"kind"`
	Severity      string     `ch:"severity"`
	Due           *time.Time `ch:"due_at"`
	ObservedUntil *time.Time `ch:"observed_until"`
	State         string     `ch:"state"`
	progress
}

type event struct {
	Issue   uuid.UUID `ch:"issue_id"`
	Seq     int32     `ch:"seq"`
	Kind    string    `ch:"kind"`
	State   string    `ch:"to_state"`
	At      time.Time `ch:"at"`
	KnownAt time.Time `ch:"known_at"`
	progress
}

type region struct {
	ID     uuid.UUID  `ch:"id"`
	Code   string     `ch:"code"`
	Level  string     `ch:"level"`
	Parent *uuid.UUID `ch:"parent_id"`
	Path   string     `ch:"path"`
	Name   string     `ch:"name"`
}

type category struct {
	ID     uuid.UUID  `ch:"id"`
	Code   string     `ch:"code"`
	Parent *uuid.UUID `ch:"parent_id"`
	Name   string     `ch:"name"`
	Path   []string   `ch:"path"`

	AuditedMinimum *int32 `ch:"audited_minimum_minutes"`
}

type population struct {
	Region  uuid.UUID `ch:"region_id"`
	Year    int32     `ch:"year"`
	Persons int64     `ch:"persons"`
}

// version is that of a row whose transaction was committed at lsn.
func version(lsn uint64) *big.Int { return new(big.Int).Lsh(new(big.Int).SetUint64(lsn), 64) }

// insert writes rows into a mirror, as the replication does: each call is a later version.
func insert[R any](h *house, table string, rows ...R) { put(h, table, 0, rows) }

// remove writes tombstones.
func remove[R any](h *house, table string, rows ...R) { put(h, table, 1, rows) }

func put[R any](h *house, table string, deleted uint8, rows []R) {
	h.t.Helper()
	if len(rows) == 0 {
		return
	}
	h.version++
	names, _ := fields(reflect.ValueOf(rows[0]))
	batch, err := h.PrepareBatch(h.t.Context(), "INSERT INTO "+table+" ("+strings.Join(names, ", ")+", _ver, _deleted)")
	require.NoError(h.t, err)
	for _, r := range rows {
		_, values := fields(reflect.ValueOf(r))
		require.NoError(h.t, batch.Append(append(values, version(h.version), deleted)...))
	}
	require.NoError(h.t, batch.Send())
}

func fields(v reflect.Value) (names []string, values []any) {
	for i := range v.NumField() {
		if f := v.Type().Field(i); f.Anonymous {
			n, w := fields(v.Field(i))
			names, values = append(names, n...), append(values, w...)
		} else {
			names, values = append(names, f.Tag.Get("ch")), append(values, v.Field(i).Interface())
		}
	}
	return names, values
}

// watermark says how far the mirrors are.
func (h *house) watermark(lsn uint64, at time.Time) {
	h.t.Helper()
	h.version++
	require.NoError(h.t, h.Exec(h.t.Context(), `INSERT INTO etl_checkpoint (pipeline, epoch, seq, applied_lsn, commit_time, system_id, timeline, slot, written_at)
		SELECT 'main', 1, {seq:UInt64}, {lsn:UInt64}, fromUnixTimestamp64Micro({at:Int64}, 'UTC'), 's', 1, 's', now64(6)`,
		named("seq", h.version), named("lsn", lsn), named("at", at.UnixMicro())))
}

// num returns row i of a number, nil where it is null.
func num(t *testing.T, table *warehouse.Table, name string, i int) *float64 {
	t.Helper()
	for _, n := range table.Nums {
		if n.Name == name {
			require.Len(t, n.Value, len(table.N), name)
			return n.Value[i]
		}
	}
	t.Fatalf("measure %s has no number %s", table.Measure, name)
	return nil
}

func value(t *testing.T, table *warehouse.Table, name string, i int) float64 {
	t.Helper()
	v := num(t, table, name, i)
	require.NotNil(t, v, "%s row %d", name, i)
	return *v
}

var start = time.Date(2025, 3, 1, 0, 0, 0, 0, time.UTC)

func days(d float64) time.Duration { return time.Duration(d * 24 * float64(time.Hour)) }

// someIssue is open, from start, without anything known of it.
func someIssue() issue {
	return issue{ID: uuid.New(), Channel: "HOTLINE", Kind: "HELP", Severity: "NORMAL", State: "IN_PROGRESS", progress: progress{Origin: start, Opinions: 1}}
}
