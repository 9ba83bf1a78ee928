package postgres

import (
	"context"
	"regexp"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"groundwork"
)

// snapshotForm is how Postgres writes a snapshot: the oldest transaction under way, the next one, and those between that are under way.
var snapshotForm = regexp.MustCompile(`^\d{1,19}:\d{1,19}:(\d{1,19}(,\d{1,19})*)?$`)

// feedRow is what changed, and the snapshot in which that was seen.
type feedRow struct {
	Position      groundwork.FeedPosition
	Ahead         bool
	Issues        []uuid.UUID
	Notifications []uuid.UUID
}

// Changes implements groundwork.FeedStore. A position is a snapshot: what it did not see, and this statement sees, is what changed.
func (db *DB) Changes(ctx context.Context, since groundwork.FeedPosition) (groundwork.Changes, error) {
	if since == "" {
		now, err := scalars[groundwork.FeedPosition](ctx, db.reads(), "read the position of the feed", "SELECT pg_current_snapshot()::text", nil)
		if err != nil {
			return groundwork.Changes{}, err
		}
		return groundwork.Changes{Position: now[0]}, nil
	}
	if !snapshotForm.MatchString(string(since)) {
		return groundwork.Changes{}, groundwork.Invalid("after", "position %q is none of this feed; give the cursor of something that it told", since)
	}
	row, err := one[feedRow](ctx, db.reads(), "read what changed", `
		SELECT pg_current_snapshot()::text AS position, pg_snapshot_xmax(@since::pg_snapshot) > pg_snapshot_xmax(pg_current_snapshot()) AS ahead,
			ARRAY(SELECT access.changed_issues(@since, @limit)) AS issues, ARRAY(SELECT access.new_notifications(@since, @limit)) AS notifications`,
		pgx.NamedArgs{"since": string(since), "limit": groundwork.MaxChanges + 1})
	switch {
	case err != nil:
		return groundwork.Changes{}, err
	case row.Ahead:
		return groundwork.Changes{}, groundwork.Invalid("after", "the cursor lies ahead of the system of record, which was restored since; read anew and follow without a cursor")
	case max(len(row.Issues), len(row.Notifications)) > groundwork.MaxChanges:
		return groundwork.Changes{}, groundwork.Invalid("after", "more than %d issues changed since; read anew and follow without a cursor", groundwork.MaxChanges)
	}
	return groundwork.Changes{Issues: row.Issues, Notifications: row.Notifications, Position: row.Position}, nil
}

// NotificationsByID implements groundwork.FeedStore.
func (db *DB) NotificationsByID(ctx context.Context, to groundwork.Actor, ids []uuid.UUID) ([]*groundwork.Notification, error) {
	c := where()
	addressedTo(c, to)
	c.add("id = ANY(%s)", ids)
	items, err := collect[groundwork.Notification](ctx, db.reads(), "read notifications", "SELECT "+notificationColumns+" FROM notification WHERE "+c.sql()+" ORDER BY at, id", c.args)
	if err != nil {
		return nil, err
	}
	told := make([]*groundwork.Notification, len(items))
	for i := range items {
		told[i] = &items[i]
	}
	return told, nil
}
