package postgres

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"groundwork"
)

// historyNouns are the nouns whose lives are checked: all but issues, whose events hold more.
func historyNouns() []groundwork.Machine {
	return slices.DeleteFunc(groundwork.Machines(), func(m groundwork.Machine) bool { return m.Noun == "issue" })
}

// historyQuery reads a noun with its events, and of visits the times that are those of their steps.
func historyQuery(noun string) string {
	times := "NULL::timestamptz, NULL::timestamptz, NULL::timestamptz"
	if noun == "visit" {
		times = "n.started_at, n.ended_at, n.note_created_at"
	}
	return fmt.Sprintf(`SELECT n.id, n.state, n.version, %s, e.seq, e.kind, e.from_state, e.to_state, e.at, e.actor_role
		FROM %[2]s n LEFT JOIN entity_event e ON e.noun = '%[2]s' AND e.entity_id = n.id ORDER BY n.id, e.seq`, times, noun)
}

// storedNoun is a thing as it is stored, with one of its events.
type storedNoun struct {
	id                    uuid.UUID
	state                 string
	version               int
	started, ended, noted *time.Time
	seq                   *int // nil = there is no event
	kind, from, to, role  *string
	at                    *time.Time
}

// history is what the events of one noun say, as far as they have been read.
type history struct {
	noun   groundwork.Machine
	id     uuid.UUID
	seq    int
	state  string
	broken bool
	stands bool // the noun stands as the last event says
}

// checkHistories reads all things that have a life, but for issues, past their events: each event goes by a row of the life of its noun from where the one before it led, without gaps, and
// the last one leads to where the noun stands.
func (r *rebuild) checkHistories(ctx context.Context, tx pgx.Tx) error {
	for _, noun := range historyNouns() {
		rows, err := tx.Query(ctx, historyQuery(noun.Noun))
		if err != nil {
			return translate("read histories", err)
		}
		var n storedNoun
		h := history{noun: noun}
		into := []any{&n.id, &n.state, &n.version, &n.started, &n.ended, &n.noted, &n.seq, &n.kind, &n.from, &n.to, &n.at, &n.role}
		if _, err := pgx.ForEachRow(rows, into, func() error {
			if n.id != h.id {
				r.finishHistory(h)
				h = history{noun: noun, id: n.id}
			}
			h.read(&n)
			return nil
		}); err != nil {
			return translate("read histories", err)
		}
		r.finishHistory(h)
	}
	return nil
}

// finishHistory counts a noun whose events have all been read.
func (r *rebuild) finishHistory(h history) {
	if h.id == uuid.Nil {
		return
	}
	r.report.Histories++
	r.report.HistoryEvents += int64(h.seq)
	if h.broken || !h.stands {
		r.report.BrokenHistories++
		r.report.BrokenHistoryIDs = listed(r.report.BrokenHistoryIDs, []uuid.UUID{h.id})
	}
}

func (h *history) read(n *storedNoun) {
	if n.seq == nil {
		h.broken = true
		return
	}
	follows := *n.seq == h.seq+1 && (n.from == nil && h.seq == 0 || n.from != nil && *n.from == h.state)
	h.broken = h.broken || !follows || !h.admits(n) || !h.keepsTime(n)
	h.seq, h.state = *n.seq, *n.to
	h.stands = h.seq == n.version && h.state == n.state
}

// admits reports whether an event goes by a row of the life. Visits from before lives were kept were entered at where they stood.
func (h *history) admits(n *storedNoun) bool {
	if n.from == nil && *n.kind == groundwork.VisitEntered && *n.role == string(groundwork.RoleSystem) {
		return true
	}
	return slices.ContainsFunc(h.noun.Rows, func(m groundwork.MachineRow) bool {
		return m.Kind == *n.kind && (m.To == *n.to || m.To == "" && n.from != nil && *n.to == *n.from) && slices.Contains(m.Roles, groundwork.Role(*n.role)) &&
			(n.from == nil && len(m.From) == 0 || n.from != nil && slices.Contains(m.From, *n.from))
	})
}

// keepsTime reports whether a time that a step sets is that of the step.
func (h *history) keepsTime(n *storedNoun) bool {
	if h.noun.Noun != "visit" {
		return true
	}
	set := map[string]*time.Time{groundwork.VisitBegun: n.started, groundwork.VisitEnded: n.ended, groundwork.VisitNoted: n.noted}
	at, sets := set[*n.kind]
	return !sets || at != nil && at.Equal(*n.at)
}
