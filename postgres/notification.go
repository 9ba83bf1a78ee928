package postgres

import (
	"context"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"groundwork"
)

const notificationColumns = "id, kind, issue_id, issue_seq, glass_id, region_id, to_role, to_unit_id, to_rank, reason, at, read_at, read_by"

// tell keeps whom an event is told, in the transaction of the event: nothing is told that did not happen, and nothing that happened
// is left untold.
func tell(ctx context.Context, tx pgx.Tx, i *groundwork.Issue, e groundwork.Event) error {
	n := groundwork.NotificationOf(i, e)
	if n == nil {
		return nil
	}
	return add(ctx, tx, "notification", pgx.NamedArgs{"id": newID(uuid.Nil), "kind": n.Kind, "issue_id": n.IssueID, "issue_seq": n.IssueSeq,
		"region_id": n.RegionID, "to_role": n.ToRole, "to_unit_id": n.ToUnitID, "to_rank": n.ToRank, "reason": n.Reason, "at": n.At})
}

// addressedTo narrows notifications to those for the actor: role, unit, region and rank must all be the actor's. Who is bound to no
// region, or holds no post here, is not narrowed by it.
func addressedTo(c *conditions, to groundwork.Actor) {
	c.add("to_role = %s", to.Role)
	c.add("(to_unit_id IS NULL OR to_unit_id = %s)", to.UnitID)
	if len(to.RegionIDs) > 0 {
		c.add(`(region_id IS NULL OR region_id IN (
			SELECT below.id FROM region root JOIN region below ON below.path <@ root.path WHERE root.id = ANY(%s)))`, to.RegionIDs)
	}
	if to.OfficialID != nil {
		c.add(`(to_rank IS NULL OR to_unit_id IS NOT NULL OR to_rank IN (
			SELECT held.rank FROM post_holding held WHERE held.official_id = %s AND held.held_from <= current_date AND coalesce(held.held_to > current_date, TRUE)))`,
			to.OfficialID)
	}
}

// Notifications implements groundwork.NotificationStore.
func (db *DB) Notifications(ctx context.Context, to groundwork.Actor, unreadOnly bool, p groundwork.PageRequest) (groundwork.Page[*groundwork.Notification], error) {
	c := where()
	addressedTo(c, to)
	if unreadOnly {
		c.add("read_at IS NULL")
	}
	latest := order[groundwork.Notification]{name: "AT_DESC", expression: "at", cast: "timestamptz", descending: true,
		position: func(n *groundwork.Notification) (string, uuid.UUID) { return moment(n.At), n.ID }}
	return page(ctx, db, notificationColumns, "notification", c, latest, p)
}

// ReadNotifications implements groundwork.NotificationStore. Reading again changes nothing.
func (db *DB) ReadNotifications(ctx context.Context, by groundwork.Actor, ids []uuid.UUID) (read []*groundwork.Notification, receipt groundwork.Receipt, err error) {
	now := groundwork.Moment(db.now())
	receipt, err = db.write(ctx, by, "read notifications", func(tx pgx.Tx) error {
		c := where()
		addressedTo(c, by)
		c.add("id = ANY(%s)", ids)
		items, err := collect[groundwork.Notification](ctx, tx, "read notifications", `
			UPDATE notification SET read_at = coalesce(read_at, greatest(at, `+c.arg(now)+`)), read_by = coalesce(read_by, `+c.arg(by.ID)+`)
			WHERE `+c.sql()+" RETURNING "+notificationColumns, c.args)
		read = make([]*groundwork.Notification, len(items))
		for i := range items {
			read[i] = &items[i]
		}
		return err
	})
	return read, receipt, err
}
