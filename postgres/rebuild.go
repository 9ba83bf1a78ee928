package postgres

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"sync"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"golang.org/x/sync/errgroup"

	"groundwork"
)

// RebuildOptions tune a rebuild. The zero value checks and changes nothing.
type RebuildOptions struct {
	Write    bool                    // set the issues that differ to what their events say
	Workers  int                     // ranges of issues read at once; default: the number of processors
	Progress func(done, total int64) // called now and then, from several goroutines
}

// RebuildReport says what a rebuild found. The lists hold the first maxListed; the counts count all.
type RebuildReport struct {
	Issues, Events int64 // read
	Differing      int64 // issues whose stored progress is not what their events say
	BrokenLives    int64 // issues with an event that does not follow from those before it; only people can set that right
	Rewritten      int64
	DifferingIDs   []uuid.UUID
	BrokenIDs      []uuid.UUID

	Histories, HistoryEvents int64 // of all other things that have a life: visits, turns, campaigns, tasks, changes of policy, flags, assessments …
	BrokenHistories          int64 // of these, things that do not stand as their events say, or with an event that does not follow
	BrokenHistoryIDs         []uuid.UUID
}

// Sound reports whether everything that is stored is what the events say.
func (r RebuildReport) Sound() bool {
	return r.Differing == 0 && r.BrokenLives == 0 && r.BrokenHistories == 0
}

// maxListed bounds the lists of a report, whatever is wrong.
const maxListed = 1000

// rebuildRange is how many issues are folded at once.
const rebuildRange = 2000

// Rebuild folds the events of every issue again and compares: the issue has to stand as its last event says, and every event has to
// carry what follows from those before it. It reads one snapshot, in ranges of issues, several at a time, in memory that does
// not grow with their number. Before that it reads all other things that have a life past their histories, and compares in the same way. Events are append-only: what is wrong in them is reported, never rewritten.
func (db *DB) Rebuild(ctx context.Context, o RebuildOptions) (RebuildReport, error) {
	if o.Workers < 1 {
		o.Workers = runtime.NumCPU()
	}
	if o.Progress == nil {
		o.Progress = func(int64, int64) {}
	}
	r := &rebuild{db: db, o: o}
	err := r.run(ctx)
	slices.SortFunc(r.report.DifferingIDs, compareIDs)
	slices.SortFunc(r.report.BrokenIDs, compareIDs)
	return r.report, err
}

// RebuildCheck returns the first things, by id, that are not what their events say: issues whose stored progress (in the issue or in one of its events), legs or
// clock spells differ, and all else that has a life. A sound store has none.
func (db *DB) RebuildCheck(ctx context.Context) (differ []uuid.UUID, err error) {
	report, err := db.Rebuild(ctx, RebuildOptions{Workers: 1})
	differ = slices.Concat(report.DifferingIDs, report.BrokenIDs, report.BrokenHistoryIDs)
	slices.SortFunc(differ, compareIDs)
	return slices.Compact(differ), err
}

func compareIDs(a, b uuid.UUID) int { return slices.Compare(a[:], b[:]) }

// rebuild is one run.
type rebuild struct {
	db     *DB
	o      RebuildOptions
	total  int64
	mu     sync.Mutex
	report RebuildReport
}

// idRange is the issues behind one id, up to and including another.
type idRange struct{ behind, upTo uuid.UUID }

func (r *rebuild) run(ctx context.Context) error {
	return r.reading(ctx, "", func(tx pgx.Tx) error {
		var snapshot string
		if err := tx.QueryRow(ctx, "SELECT pg_export_snapshot(), count(*) FROM issue").Scan(&snapshot, &r.total); err != nil {
			return translate("begin the rebuild", err)
		}
		if err := r.checkHistories(ctx, tx); err != nil {
			return err
		}
		ranges := make(chan idRange)
		group, ctx := errgroup.WithContext(ctx)
		group.Go(func() error {
			defer close(ranges)
			return cutRanges(ctx, tx, ranges)
		})
		for range r.o.Workers {
			group.Go(func() error {
				return r.reading(ctx, snapshot, func(tx pgx.Tx) error { return r.work(ctx, tx, ranges) })
			})
		}
		return group.Wait()
	})
}

// reading runs f in a transaction that sees one snapshot: its own, or that of another transaction.
func (r *rebuild) reading(ctx context.Context, snapshot string, f func(pgx.Tx) error) error {
	tx, err := r.db.pool.BeginTx(ctx, pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly})
	if err != nil {
		return unreachable(err)
	}
	defer func() { _ = tx.Rollback(context.WithoutCancel(ctx)) }() // nothing was written
	if snapshot != "" {
		if _, err := tx.Exec(ctx, "SET TRANSACTION SNAPSHOT '"+snapshot+"'"); err != nil {
			return translate("share the snapshot", err)
		}
	}
	if _, err := tx.Exec(ctx, "SET LOCAL statement_timeout = 0"); err != nil {
		return translate("begin the rebuild", err)
	}
	return f(tx)
}

// cutRanges sends ranges of about rebuildRange issues each, by the primary key.
func cutRanges(ctx context.Context, tx pgx.Tx, ranges chan<- idRange) error {
	behind := uuid.Nil
	for {
		ids, err := scalars[uuid.UUID](ctx, tx, "cut ranges", `
			SELECT id FROM (SELECT id, row_number() OVER (ORDER BY id) AS place FROM issue WHERE id > @behind ORDER BY id LIMIT @size) part
			ORDER BY place DESC LIMIT 1`, pgx.NamedArgs{"behind": behind, "size": rebuildRange})
		if err != nil || len(ids) == 0 {
			return err
		}
		select {
		case ranges <- idRange{behind, ids[0]}:
			behind = ids[0]
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func (r *rebuild) work(ctx context.Context, tx pgx.Tx, ranges <-chan idRange) error {
	for part := range ranges {
		found, err := readProgress(ctx, tx, part)
		if err != nil {
			return fmt.Errorf("rebuild: %w", err)
		}
		if err := r.count(ctx, found); err != nil {
			return err
		}
	}
	return nil
}

// count adds what was found in a range to the report, and rewrites what differs if that was asked for.
func (r *rebuild) count(ctx context.Context, found rangeReport) error {
	var rewritten int64
	for _, id := range found.differing {
		if !r.o.Write {
			break
		}
		changed, err := r.db.rewrite(ctx, id)
		if err != nil {
			return err
		}
		if changed {
			rewritten++
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.report.Issues += found.issues
	r.report.Events += found.events
	r.report.Differing += int64(len(found.differing))
	r.report.BrokenLives += int64(len(found.broken))
	r.report.Rewritten += rewritten
	r.report.DifferingIDs = listed(r.report.DifferingIDs, found.differing)
	r.report.BrokenIDs = listed(r.report.BrokenIDs, found.broken)
	r.o.Progress(r.report.Issues, r.total)
	return nil
}

func listed(list, more []uuid.UUID) []uuid.UUID {
	return append(list, more[:min(len(more), maxListed-len(list))]...)
}

// rewrite sets one issue to what its events say, unless it does by now.
func (db *DB) rewrite(ctx context.Context, id uuid.UUID) (changed bool, err error) {
	_, err = db.write(ctx, groundwork.System, "rebuild issue "+id.String(), func(tx pgx.Tx) error {
		changed = false
		locked, err := lockIDs(ctx, tx, []uuid.UUID{id})
		if err != nil || locked[id] == nil {
			return err
		}
		rows, err := collect[eventRow](ctx, tx, "read events",
			"SELECT "+eventColumns+" FROM issue_event WHERE issue_id = @id ORDER BY issue_event.seq", pgx.NamedArgs{"id": id})
		if err != nil {
			return err
		}
		issue, life := locked[id], events(rows)
		folded := groundwork.Fold(life)
		if folded.Seq == 0 {
			return nil
		}
		changed, issue.Progress = true, folded
		c, err := calendar(ctx, tx, folded.OriginAt)
		if err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, progressUpdate, progressArgs(issue, issue.NextDue(c, life))); err != nil {
			return err
		}
		for _, table := range []string{"dispatch_leg", "clock_spell"} {
			if _, err := tx.Exec(ctx, "DELETE FROM "+table+" WHERE issue_id = @id", pgx.NamedArgs{"id": id}); err != nil {
				return err
			}
		}
		return keepDerived(ctx, tx, derivation{issue: issue, after: life})
	})
	return changed, err
}
