package groundwork

import (
	"time"

	"github.com/google/uuid"
)

// Clock is one of the clocks of an issue.
type Clock string

// The clocks.
const (
	GrossClock Clock = "GROSS" // from origin to the end; it never pauses and never resets
	NetClock   Clock = "NET"   // the same without the waiting for answers of the citizen
)

// Spell is a stretch of an issue's time in which a clock ran or stood still.
type Spell struct {
	IssueID   uuid.UUID
	Clock     Clock
	N         int // 1 for the clock's first spell
	State     SpellState
	StartedAt time.Time
	EndedAt   *time.Time // nil = it goes on
	Reason    EventKind  // what began it
}

// SpellState says whether a clock runs.
type SpellState string

// The states of a clock.
const (
	Running SpellState = "RUNNING"
	Paused  SpellState = "PAUSED"
)

// Spells derives the spells from where an issue stands and from its events, of which those that only linked opinions may be left
// out. Spells of a clock follow each other without gap or overlap, from the origin to the end.
func Spells(p Progress, history []Event) []Spell {
	if len(history) == 0 {
		return nil
	}
	issue, end := history[0].IssueID, p.endedAt(history)
	spells := []Spell{{IssueID: issue, Clock: GrossClock, N: 1, State: Running, StartedAt: p.OriginAt, EndedAt: end, Reason: EventRegistered}}
	net := Spell{IssueID: issue, Clock: NetClock, N: 1, State: Running, StartedAt: p.OriginAt, Reason: EventRegistered}
	turn := func(s SpellState, at time.Time, by EventKind) {
		net.EndedAt = &at
		spells = append(spells, net)
		net = Spell{IssueID: issue, Clock: NetClock, N: net.N + 1, State: s, StartedAt: at, Reason: by}
	}
	var since *time.Time
	for _, e := range history {
		if until := payloadTimePtr(e, payloadPausedUntil); until != nil && since != nil {
			turn(Running, later(*since, *until), e.Kind)
		}
		if e.PausedSince != nil && (since == nil || !since.Equal(*e.PausedSince)) {
			turn(Paused, *e.PausedSince, e.Kind)
		}
		since = e.PausedSince
	}
	net.EndedAt = end
	return append(spells, net)
}

// endedAt is when the issue was closed or merged, nil while it is open.
func (p Progress) endedAt(history []Event) *time.Time {
	if p.State != Merged {
		return p.ClosedAt
	}
	for n := len(history) - 1; n >= 0; n-- {
		if history[n].Kind == EventMerged {
			return &history[n].At
		}
	}
	return nil
}

// Equal reports whether two spells say the same; times are compared as moments.
func (s Spell) Equal(o Spell) bool {
	return s.IssueID == o.IssueID && s.Clock == o.Clock && s.N == o.N && s.State == o.State && s.StartedAt.Equal(o.StartedAt) &&
		sameTime(s.EndedAt, o.EndedAt) && s.Reason == o.Reason
}
