package groundwork

import (
	"time"

	"github.com/google/uuid"
)

// EntityEvent is one entry of the append-only, gap-free history of a noun other than an issue: a visit, a slot, a campaign. Seq is
// the noun's version after it.
type EntityEvent struct {
	Noun       string // the table's name
	EntityID   uuid.UUID
	Seq        int
	Kind       string
	FromState  *string // nil = the beginning
	ToState    string
	At         time.Time // when it happened
	RecordedAt time.Time
	Actor      Actor
	Reason     *string
	Payload    map[string]any
}
