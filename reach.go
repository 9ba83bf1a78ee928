package groundwork

import (
	"context"
	"slices"

	"github.com/google/uuid"
)

// ReachStore knows how far whoever asks reaches.
type ReachStore interface {
	// Reached returns those of the things of a noun (its table's name) of which the actor of the context may read more than the public
	// does: those in its regions, of its unit or its own, if its role works on issues.
	Reached(ctx context.Context, noun string, ids []uuid.UUID) (map[uuid.UUID]bool, error)
}

// WorksOnIssues reports whether the role reads more than the public of what it reaches.
func (r Role) WorksOnIssues() bool { return r == RoleSystem || slices.Contains(workers, r) }
