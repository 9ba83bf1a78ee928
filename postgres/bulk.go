package postgres

import (
	"bytes"
	"context"
	"fmt"
	"runtime"
	"slices"
	"strings"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"golang.org/x/sync/errgroup"

	"groundwork"
)

// BulkLoad is a load in progress: its parts may be loaded in any order by several goroutines, each once. Part, place in the
// table of parts, and rows are one transaction, so a load that was killed goes on with the parts that are missing. Into an empty
// system of record it loads with triggers and foreign keys put aside, and proves at the end what they would have held.
type BulkLoad struct {
	db       *DB
	lock     *pgxpool.Conn // holds the advisory lock
	id       uuid.UUID
	job      groundwork.BulkJob
	firstRef int64
	done     map[int]bool
	indexes  []putAside
}

// bulkLock is the key of the advisory lock: one load at a time.
const bulkLock = 0x67726f756e64

// OpenBulk begins a load, or takes up the one that the same job began. It refuses with CodeConflict when another load is at work,
// when another one is unfinished, and, unless the job appends, when there are issues, opinions or visits already.
func (db *DB) OpenBulk(ctx context.Context, job groundwork.BulkJob, f groundwork.Foundation) (*BulkLoad, error) {
	conn, err := db.pool.Acquire(ctx)
	if err != nil {
		return nil, unreachable(err)
	}
	b := &BulkLoad{db: db, lock: conn, job: job, done: map[int]bool{}}
	if err := b.open(ctx, f); err != nil {
		b.Close(ctx)
		return nil, translate("begin the load", err)
	}
	return b, nil
}

func (b *BulkLoad) open(ctx context.Context, f groundwork.Foundation) error {
	var free bool
	if err := b.lock.QueryRow(ctx, "SELECT pg_try_advisory_lock($1)", int64(bulkLock)).Scan(&free); err != nil {
		return err
	}
	if !free {
		return groundwork.Errorf(groundwork.CodeConflict, "another load is at work here; wait for it, or end it")
	}
	resumed, err := b.resume(ctx)
	if err != nil || resumed {
		return err
	}
	return pgx.BeginFunc(ctx, b.lock, func(tx pgx.Tx) error {
		if err := b.admit(ctx, tx); err != nil {
			return err
		}
		return b.begin(ctx, tx, f)
	})
}

// Close ends the load, finished or not.
func (b *BulkLoad) Close(ctx context.Context) {
	_, _ = b.lock.Exec(context.WithoutCancel(ctx), "SELECT pg_advisory_unlock($1)", int64(bulkLock)) // the end of the connection does it too
	b.lock.Release()
}

// UnfinishedBulk returns the parameters of the load that was begun and not finished, nil if there is none.
func (db *DB) UnfinishedBulk(ctx context.Context) (map[string]string, error) {
	found, err := scalars[map[string]string](ctx, db.reads(), "look for an unfinished load", "SELECT parameters FROM bulk_load WHERE finished_at IS NULL", pgx.NamedArgs{})
	if err != nil || len(found) == 0 {
		return nil, err
	}
	return found[0], nil
}

// Done reports whether a part was loaded before.
func (b *BulkLoad) Done(part int) bool { return b.done[part] }

// DoneParts is how many parts were loaded before.
func (b *BulkLoad) DoneParts() int { return len(b.done) }

// bulkRow is the row of a load that is not finished.
type bulkRow struct {
	ID         uuid.UUID
	Source     string
	Parameters map[string]string
	FirstRef   int64
	Appends    bool
	IndexNames []string
	IndexDefs  []string
}

// resume takes up the unfinished load, if there is one.
func (b *BulkLoad) resume(ctx context.Context) (bool, error) {
	row, err := one[bulkRow](ctx, b.lock, "read the unfinished load",
		"SELECT id, source, parameters, first_ref, appends, index_names, index_defs FROM bulk_load WHERE finished_at IS NULL", pgx.NamedArgs{})
	if err != nil || row == nil {
		return false, err
	}
	var same bool
	err = b.lock.QueryRow(ctx, "SELECT parameters = $1 AND source = $2 AND appends = $3 FROM bulk_load WHERE id = $4",
		b.job.Parameters, b.job.Source, b.job.Append, row.ID).Scan(&same)
	if err != nil {
		return false, err
	}
	if !same {
		return false, groundwork.Errorf(groundwork.CodeConflict,
			"a load of %s with %s is unfinished; repeat its options to finish it, or start with an empty database", row.Source, describe(row))
	}
	b.id, b.firstRef = row.ID, row.FirstRef
	for i := range row.IndexNames {
		b.indexes = append(b.indexes, putAside{row.IndexNames[i], row.IndexDefs[i]})
	}
	parts, err := scalars[int](ctx, b.lock, "read loaded parts", "SELECT part FROM bulk_load_part WHERE bulk_load_id = @id", pgx.NamedArgs{"id": b.id})
	for _, part := range parts {
		b.done[part] = true
	}
	return true, err
}

func describe(row *bulkRow) string {
	words := make([]string, 0, len(row.Parameters))
	for name, value := range row.Parameters {
		words = append(words, name+" "+value)
	}
	slices.Sort(words)
	if row.Appends {
		words = append(words, "appending")
	}
	return strings.Join(words, ", ")
}

// admit refuses to mix a load with what is there, unless that was asked for, and to do what the user of the database may not.
func (b *BulkLoad) admit(ctx context.Context, tx pgx.Tx) error {
	if b.job.Append {
		return nil
	}
	var used, mayPutAside bool
	err := tx.QueryRow(ctx, `SELECT EXISTS (SELECT FROM issue) OR EXISTS (SELECT FROM opinion) OR EXISTS (SELECT FROM visit),
		has_parameter_privilege('session_replication_role', 'SET')`).Scan(&used, &mayPutAside)
	switch {
	case err != nil:
		return err
	case used:
		return groundwork.Errorf(groundwork.CodeConflict, "the system of record is not empty; load into an empty one, or say --append to add to what is there")
	case !mayPutAside:
		return groundwork.Errorf(groundwork.CodeForbidden,
			"this user of Postgres may not put triggers aside; connect as a superuser, GRANT SET ON PARAMETER session_replication_role, or say --append to load row by row")
	}
	return nil
}

func (b *BulkLoad) begin(ctx context.Context, tx pgx.Tx, f groundwork.Foundation) error {
	b.id = uuid.Must(uuid.NewV7())
	if err := loadFoundation(ctx, tx, f, b.job.Source); err != nil {
		return err
	}
	if b.job.Issues > 0 {
		err := tx.QueryRow(ctx, "SELECT setval('issue_public_ref', nextval('issue_public_ref') + $1::bigint - 1) - $1::bigint + 1", b.job.Issues).Scan(&b.firstRef)
		if err != nil {
			return err
		}
	}
	if !b.job.Append {
		if err := b.putIndexesAside(ctx, tx); err != nil {
			return err
		}
	}
	names, defs := make([]string, len(b.indexes)), make([]string, len(b.indexes))
	for i, index := range b.indexes {
		names[i], defs[i] = index.name, index.def
	}
	return add(ctx, tx, "bulk_load", pgx.NamedArgs{"id": b.id, "source": b.job.Source, "parameters": b.job.Parameters, "parts": b.job.Parts,
		"first_ref": b.firstRef, "appends": b.job.Append, "index_names": names, "index_defs": defs, "recorded_by": b.job.Source})
}

// Load loads one part in one transaction. What is lost with the machine's power before it reaches the disk is loaded again, so the
// commit does not wait for the disk.
func (b *BulkLoad) Load(ctx context.Context, part int, rows *groundwork.Bulk) error {
	err := pgx.BeginFunc(ctx, b.db.pool, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, "SET LOCAL statement_timeout = 0; SET LOCAL synchronous_commit = off"); err != nil {
			return err
		}
		if err := loadCampaigns(ctx, tx, rows.Campaigns, b.job.Source); err != nil {
			return err
		}
		if !b.job.Append {
			if _, err := tx.Exec(ctx, "SET LOCAL session_replication_role = replica"); err != nil {
				return err
			}
		}
		for _, t := range bulkTables(rows, b.job.Source, b.firstRef) {
			if err := copyTable(ctx, tx, t); err != nil {
				return err
			}
		}
		_, err := tx.Exec(ctx, "INSERT INTO bulk_load_part (bulk_load_id, part) VALUES ($1, $2)", b.id, part)
		return err
	})
	if err != nil {
		return translate(fmt.Sprintf("load part %d", part), err)
	}
	return nil
}

func copyTable(ctx context.Context, tx pgx.Tx, t bulkTable) error {
	if t.rows == 0 {
		return nil
	}
	c := newCopyRows()
	for i := range t.rows {
		c.row(len(t.columns))
		t.write(c, i)
	}
	data, err := c.end()
	if err != nil {
		return err
	}
	_, err = tx.Conn().PgConn().CopyFrom(ctx, bytes.NewReader(data), "COPY "+t.name+" ("+strings.Join(t.columns, ", ")+") FROM STDIN (FORMAT binary)")
	return err
}

// Finish makes the indexes again that were put aside, proves that every rule holds that was put aside, and ends the load. report
// hears what was done, from several goroutines. Interrupted, it can be done again.
func (b *BulkLoad) Finish(ctx context.Context, report func(string)) error {
	if err := severally(ctx, b.indexes, func(ctx context.Context, index putAside) error { return b.makeIndex(ctx, index, report) }); err != nil {
		return err
	}
	report("statistics of the tables")
	if err := b.untimed(ctx, func(tx pgx.Tx) error {
		_, err := tx.Exec(ctx, "ANALYZE "+strings.Join(bulkTableNames, ", "))
		return err
	}); err != nil {
		return translate("analyze", err)
	}
	if !b.job.Append {
		if err := b.prove(ctx, report); err != nil {
			return err
		}
	}
	_, err := b.lock.Exec(ctx, "UPDATE bulk_load SET finished_at = now() WHERE id = $1", b.id)
	if err != nil {
		return translate("finish the load", err)
	}
	return nil
}

// severally does things, as many at a time as there are processors.
func severally[T any](ctx context.Context, things []T, do func(context.Context, T) error) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(runtime.NumCPU())
	for _, thing := range things {
		group.Go(func() error { return do(ctx, thing) })
	}
	return group.Wait()
}

// untimed runs a transaction that may take long.
func (b *BulkLoad) untimed(ctx context.Context, f func(pgx.Tx) error) error {
	return pgx.BeginFunc(ctx, b.db.pool, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, "SET LOCAL statement_timeout = 0; SET LOCAL work_mem = '128MB'; SET LOCAL maintenance_work_mem = '512MB'"); err != nil {
			return err
		}
		return f(tx)
	})
}
