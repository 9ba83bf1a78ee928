package postgres

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"groundwork"
)

// writing gathers what one chunk adds and changes.
type writing struct {
	*importing
	pids     map[string]uuid.UUID
	known    map[string]known // by external id
	issues   map[uuid.UUID]*groundwork.Issue
	history  map[uuid.UUID][]groundwork.Event
	claims   map[uuid.UUID]int // how many an issue has
	past     map[uuid.UUID]past
	calendar groundwork.Calendar

	opinions   []newOpinion
	added      []*groundwork.Issue
	changed    map[uuid.UUID]*groundwork.Issue
	events     []groundwork.Event
	links      []link
	newClaims  []groundwork.Claim
	supporters []known // opinions with other numbers of supporters
}

// past is an issue as it was before the chunk.
type past struct {
	progress groundwork.Progress
	history  []groundwork.Event
}

type newOpinion struct {
	id  uuid.UUID
	row groundwork.ImportRow
}

// lock locks the issues that the matters may belong to and reads their past.
func (w *writing) lock(ctx context.Context, tx pgx.Tx, matters [][]groundwork.ImportRow) (err error) {
	var ids []uuid.UUID
	for _, rows := range matters {
		ids = append(ids, rows[0].Matter)
		for _, r := range rows {
			if k, ok := w.known[r.ExternalID]; ok {
				ids = append(ids, k.IssueID)
			}
		}
	}
	w.changed = map[uuid.UUID]*groundwork.Issue{}
	if w.issues, err = lockIDs(ctx, tx, distinct(ids)); err != nil {
		return err
	}
	if w.history, err = histories(ctx, tx, ids); err != nil {
		return err
	}
	w.past = make(map[uuid.UUID]past, len(w.issues))
	for id, issue := range w.issues {
		w.past[id] = past{issue.Progress, slices.Clip(w.history[id])}
	}
	if w.calendar, err = calendar(ctx, tx, time.Time{}); err != nil {
		return err
	}
	type counted struct {
		IssueID uuid.UUID
		N       int
	}
	counts, err := collect[counted](ctx, tx, "count claims", "SELECT issue_id, count(*)::int AS n FROM claim WHERE issue_id = ANY(@ids) GROUP BY issue_id", pgx.NamedArgs{"ids": ids})
	w.claims = map[uuid.UUID]int{}
	for _, c := range counts {
		w.claims[c.IssueID] = c.N
	}
	return err
}

// happening is something that the file tells of: an opinion was received, or a reply was given.
type happening struct {
	at      time.Time
	opinion uuid.UUID
	row     groundwork.ImportRow
	reply   bool
	issue   uuid.UUID
}

// matter takes in the rows of one matter, in the order of time: first the issue, then each further opinion and reply.
func (w *writing) matter(rows []groundwork.ImportRow) error {
	rows = earliestFirst(rows)
	home, err := w.home(rows)
	if err != nil {
		return err
	}
	var told []happening
	for _, r := range rows {
		k, isKnown := w.known[r.ExternalID]
		if !isKnown {
			k = known{ID: uuid.Must(uuid.NewV7()), IssueID: home}
			w.opinions = append(w.opinions, newOpinion{id: k.ID, row: r})
			told = append(told, happening{at: r.ReceivedAt, opinion: k.ID, row: r, issue: home})
		}
		gained := r.Reply != nil && !w.replied(k.IssueID, k.ID, r.Reply.At)
		if gained {
			told = append(told, happening{at: r.Reply.At, opinion: k.ID, row: r, reply: true, issue: k.IssueID})
		}
		w.countRow(k, r, isKnown, gained)
	}
	slices.SortStableFunc(told, func(a, b happening) int { return cmp.Or(a.at.Compare(b.at), boolOrder(a.reply, b.reply)) })
	return w.tell(told)
}

func boolOrder(a, b bool) int {
	if a == b {
		return 0
	}
	if b {
		return -1
	}
	return 1
}

// home is the issue of the rows that are new: the one that known rows of the matter belong to, or the matter itself.
func (w *writing) home(rows []groundwork.ImportRow) (uuid.UUID, error) {
	for _, r := range rows {
		if k, ok := w.known[r.ExternalID]; ok {
			return k.IssueID, nil
		}
	}
	if w.issues[rows[0].Matter] == nil && rows[0].MatterExists {
		return uuid.Nil, groundwork.Invalid("matter", "line %d: issue %s, which the row was linked to, does not exist any more; import again", rows[0].Line, rows[0].Matter)
	}
	return rows[0].Matter, nil
}

// replied reports whether this reply to the opinion is in the issue's history.
func (w *writing) replied(issue, opinion uuid.UUID, at time.Time) bool {
	return slices.ContainsFunc(w.history[issue], func(e groundwork.Event) bool {
		return (e.Kind == groundwork.EventClaimed || e.Kind == groundwork.EventResponded) &&
			e.Payload["opinion"] == opinion.String() && e.At.Equal(groundwork.Moment(at))
	})
}

// countRow counts the row, and notes what else it changes: how many support it, and until when the issue is observed.
func (w *writing) countRow(k known, r groundwork.ImportRow, isKnown, gained bool) {
	support := isKnown && (k.Supported != r.Supported || k.Opposed != r.Opposed)
	if support {
		w.supporters = append(w.supporters, known{ID: k.ID, Supported: r.Supported, Opposed: r.Opposed})
	}
	switch {
	case !isKnown:
		w.result.OpinionsAdded++
	case gained || support:
		w.result.OpinionsChanged++
	default:
		w.result.OpinionsKnown++
	}
	issue := w.issues[k.IssueID]
	if issue == nil {
		return
	}
	if issue.ObservedUntil != nil && issue.ObservedUntil.Before(groundwork.Moment(w.batch.ObservedUntil)) {
		issue.ObservedUntil = new(groundwork.Moment(w.batch.ObservedUntil))
		w.changed[issue.ID] = issue
	}
	if issue.DueAt == nil && r.DueAt != nil {
		issue.DueAt = r.DueAt
		w.changed[issue.ID] = issue
	}
}

// tell turns what happened into events, one after the other.
func (w *writing) tell(told []happening) error {
	for len(told) > 0 {
		n := 0
		if w.issues[told[0].issue] == nil { // a reply cannot come before what opens the issue, whatever the source's clock says
			n = slices.IndexFunc(told, func(h happening) bool { return !h.reply })
			if err := w.register(told[n]); err != nil {
				return err
			}
		} else if err := w.step(told[0]); err != nil {
			return err
		}
		told = slices.Delete(told, n, n+1)
	}
	return nil
}

func (w *writing) register(h happening) error {
	r := h.row
	registration := groundwork.Registration{Actor: w.actor, OpinionIDs: []uuid.UUID{h.opinion}, Title: titleOf(r), DueAt: r.DueAt,
		RegionID: w.regionOf(r), CategoryID: w.categoryOf(r)}
	opinion := groundwork.Opinion{ID: h.opinion, Kind: r.Kind, Channel: r.Channel, ReceivedAt: groundwork.Moment(r.ReceivedAt)}
	issue, event, err := groundwork.PlanRegistration(registration, h.issue, groundwork.Opening{Opinions: []groundwork.Opinion{opinion}, At: h.at, Now: h.at})
	if err != nil {
		return err
	}
	event.ReasonCode = new(groundwork.SourceOpinion)
	issue.ObservedUntil = new(groundwork.Moment(w.batch.ObservedUntil))
	w.issues[issue.ID] = issue
	w.added = append(w.added, issue)
	w.result.IssuesAdded++
	w.keep(issue, event)
	w.link(h)
	return nil
}

func (w *writing) step(h happening) error {
	issue := w.issues[h.issue]
	s := groundwork.Step{IssueID: issue.ID, Actor: w.actor, At: h.at, OpinionID: &h.opinion}
	facts := groundwork.Facts{Now: later(w.batch.ObservedUntil, h.at), History: w.history[issue.ID]}
	switch {
	case !h.reply:
		s.Kind, s.Reason = groundwork.EventLinked, groundwork.SourceOpinion
		facts.Opinion = &groundwork.Opinion{ID: h.opinion, ReceivedAt: h.row.ReceivedAt}
	case issue.State == groundwork.Registered || issue.State == groundwork.Claimed:
		s.Kind, s.Reason = groundwork.EventClaimed, groundwork.SourceReply
	default: // the issue goes its own way here: what the source replied is a response, no claim
		s.Kind, s.Reason = groundwork.EventResponded, groundwork.SourceReply
	}
	event, err := issue.Plan(s, facts)
	if err != nil {
		return err
	}
	issue.Progress = event.Progress
	w.changed[issue.ID] = issue
	w.keep(issue, event)
	if !h.reply {
		w.link(h)
	}
	if s.Kind == groundwork.EventClaimed {
		w.claim(issue, h)
	}
	return nil
}

func (w *writing) keep(i *groundwork.Issue, e groundwork.Event) {
	w.history[i.ID] = append(w.history[i.ID], e)
	w.events = append(w.events, e)
}

func (w *writing) link(h happening) {
	w.links = append(w.links, link{issue: h.issue, opinion: h.opinion, at: h.at, by: w.actor.ID, score: h.row.LinkScore})
}

func (w *writing) claim(i *groundwork.Issue, h happening) {
	w.claims[i.ID]++
	w.result.ClaimsAdded++
	w.newClaims = append(w.newClaims, groundwork.Claim{ID: uuid.Must(uuid.NewV7()), IssueID: i.ID, N: w.claims[i.ID], Source: w.batch.Source,
		OpinionID: &h.opinion, Text: h.row.Reply.Text, ClaimedAt: groundwork.Moment(h.at), ClaimedPrecision: h.row.Reply.Precision})
}

func (w *writing) regionOf(r groundwork.ImportRow) *uuid.UUID {
	if len(r.Region) == 0 {
		return nil
	}
	return new(w.regions[r.Region[len(r.Region)-1].Code])
}

func (w *writing) categoryOf(r groundwork.ImportRow) *uuid.UUID {
	if r.CategoryCode == "" {
		return nil
	}
	return new(w.categories[r.CategoryCode])
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}
