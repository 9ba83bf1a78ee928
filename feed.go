package groundwork

import (
	"context"

	"github.com/google/uuid"
)

// FeedPosition is up to where somebody knows what changed, as the store writes it; empty = nothing is known yet.
type FeedPosition string

// MaxChanges is how many issues, and how many notifications, are told at once. Who missed more reads anew.
const MaxChanges = 10_000

// Changes is what changed between two positions: ids alone, of which whoever follows may see some.
type Changes struct {
	Issues        []uuid.UUID // something happened to them
	Notifications []uuid.UUID // new ones
	Position      FeedPosition
}

// None reports whether nothing changed.
func (c Changes) None() bool { return len(c.Issues) == 0 && len(c.Notifications) == 0 }

// FeedStore tells what changes, in the order in which it becomes visible, so that nothing is missed and nothing is told before it is durable.
type FeedStore interface {
	// Changes returns what changed since a position and the position of now; of an empty position nothing, and now. CodeInvalid if the position is
	// malformed or lies ahead of the system of record (which was restored), or if more than MaxChanges changed.
	Changes(ctx context.Context, since FeedPosition) (Changes, error)
	// NotificationsByID returns those of ids that are for the actor, the earliest first.
	NotificationsByID(ctx context.Context, to Actor, ids []uuid.UUID) ([]*Notification, error)
}
