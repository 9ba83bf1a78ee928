package postgres

import (
	"context"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"groundwork"
)

// rebuildChunk is how many issues are folded at once.
const rebuildChunk = 1000

// RebuildCheck folds the events of every issue again and returns the issues whose stored progress, in the issue or in one of its events,
// differs from the fold. It reads only; a sound store returns none.
func (db *DB) RebuildCheck(ctx context.Context) (differ []uuid.UUID, err error) {
	tx, err := db.pool.BeginTx(ctx, pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly})
	if err != nil {
		return nil, unreachable(err)
	}
	defer func() { _ = tx.Rollback(context.WithoutCancel(ctx)) }() // nothing was written
	ids, err := scalars[uuid.UUID](ctx, tx, "list issues", "SELECT id FROM issue ORDER BY id", pgx.NamedArgs{})
	for len(ids) > 0 && err == nil {
		var found []uuid.UUID
		n := min(len(ids), rebuildChunk)
		found, err = rebuildDiffers(ctx, tx, ids[:n])
		differ, ids = append(differ, found...), ids[n:]
	}
	return differ, err
}

func rebuildDiffers(ctx context.Context, tx pgx.Tx, ids []uuid.UUID) (differ []uuid.UUID, err error) {
	issues, err := collect[groundwork.Issue](ctx, tx, "read issues", "SELECT "+issueColumns+" FROM issue WHERE id = ANY(@ids)", pgx.NamedArgs{"ids": ids})
	if err != nil {
		return nil, err
	}
	rows, err := collect[eventRow](ctx, tx, "read events",
		"SELECT "+eventColumns+" FROM issue_event WHERE issue_id = ANY(@ids) ORDER BY issue_id, issue_event.seq", pgx.NamedArgs{"ids": ids})
	if err != nil {
		return nil, err
	}
	of := grouped(events(rows), func(e *groundwork.Event) uuid.UUID { return e.IssueID })
	for _, i := range issues {
		var p groundwork.Progress
		same := true
		for _, e := range of[i.ID] {
			p = p.After(*e)
			same = same && p.Equal(e.Progress)
		}
		if !same || !p.Equal(i.Progress) {
			differ = append(differ, i.ID)
		}
	}
	return differ, nil
}
