package postgres

import (
	"context"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"groundwork"
)

// flush writes what the chunk gathered, in bulk and in the order of the references.
func (w *writing) flush(ctx context.Context, tx pgx.Tx) error {
	if err := w.addOpinions(ctx, tx); err != nil {
		return err
	}
	refs, err := publicRefs(ctx, tx, len(w.added))
	if err != nil {
		return err
	}
	for i, issue := range w.added {
		issue.PublicRef = refs[i]
		delete(w.changed, issue.ID)
	}
	if err := addIssues(ctx, tx, w.added, w.actor, w.next); err != nil {
		return err
	}
	if err := addEvents(ctx, tx, w.events); err != nil {
		return err
	}
	if err := addLinks(ctx, tx, w.links); err != nil {
		return err
	}
	if err := w.addClaims(ctx, tx); err != nil {
		return err
	}
	if err := w.keepDerived(ctx, tx); err != nil {
		return err
	}
	w.result.IssuesChanged += len(w.changed)
	return w.update(ctx, tx)
}

// keepDerived writes what follows from the new events. New issues, by far the most, are copied in.
func (w *writing) keepDerived(ctx context.Context, tx pgx.Tx) error {
	var spells []groundwork.Spell
	for _, issue := range w.added {
		spells = append(spells, groundwork.Spells(issue.Progress, w.history[issue.ID])...)
	}
	if err := addSpells(ctx, tx, spells); err != nil {
		return err
	}
	var list []derivation
	for id, issue := range w.changed {
		list = append(list, derivation{issue, w.past[id].progress, w.past[id].history, w.history[id]})
	}
	return keepDerived(ctx, tx, list...)
}

// next is what time brings next to an issue that is handled here; imported ones wait for what their source tells.
func (w *writing) next(i *groundwork.Issue) *groundwork.Due {
	return i.NextDue(w.calendar, w.history[i.ID])
}

func (w *writing) addOpinions(ctx context.Context, tx pgx.Tx) error {
	columns := []string{"id", "source", "external_id", "channel", "kind", "received_at", "received_precision", "occurred_at", "reporter_pid",
		"subject", "text", "latitude", "longitude", "region_id", "supported", "opposed", "import_batch_id", "recorded_by"}
	_, err := tx.CopyFrom(ctx, pgx.Identifier{"opinion"}, columns, pgx.CopyFromSlice(len(w.opinions), func(i int) ([]any, error) {
		r := w.opinions[i].row
		return []any{w.opinions[i].id, w.batch.Source, r.ExternalID, r.Channel, r.Kind, r.ReceivedAt, precision(r.ReceivedPrecision), r.OccurredAt,
			w.reporter(r), r.Subject, r.Text, r.Latitude, r.Longitude, w.regionOf(r), r.Supported, r.Opposed, w.id, w.actor.ID}, nil
	}))
	return err
}

func (w *writing) reporter(r groundwork.ImportRow) *uuid.UUID {
	if pid, ok := w.pids[r.ReporterKey]; ok {
		return &pid
	}
	return nil
}

func precision(p groundwork.Precision) groundwork.Precision {
	if p == "" {
		return groundwork.ToTheSecond
	}
	return p
}

func (w *writing) addClaims(ctx context.Context, tx pgx.Tx) error {
	columns := []string{"id", "issue_id", "n", "source", "opinion_id", "text", "claimed_at", "claimed_precision", "recorded_by"}
	_, err := tx.CopyFrom(ctx, pgx.Identifier{"claim"}, columns, pgx.CopyFromSlice(len(w.newClaims), func(i int) ([]any, error) {
		c := w.newClaims[i]
		return []any{c.ID, c.IssueID, c.N, c.Source, c.OpinionID, c.Text, c.ClaimedAt, precision(c.ClaimedPrecision), w.actor.ID}, nil
	}))
	return err
}

// update changes the issues and opinions that were there before, in one round trip.
func (w *writing) update(ctx context.Context, tx pgx.Tx) error {
	batch := &pgx.Batch{}
	for _, issue := range w.changed {
		batch.Queue(progressUpdate, progressArgs(issue, w.next(issue)))
	}
	for _, o := range w.supporters {
		batch.Queue("UPDATE opinion SET supported = @supported, opposed = @opposed WHERE id = @id",
			pgx.NamedArgs{"supported": o.Supported, "opposed": o.Opposed, "id": o.ID})
	}
	return tx.SendBatch(ctx, batch).Close()
}
