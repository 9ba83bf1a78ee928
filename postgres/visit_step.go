package postgres

import (
	"context"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"groundwork"
)

var _ groundwork.RotaStore = (*DB)(nil)

func visitRequest(op string, by groundwork.Actor, input any) request[groundwork.Visit] {
	return request[groundwork.Visit]{op: op, by: by, input: input, table: "visit", columns: visitColumns,
		id: func(v *groundwork.Visit) uuid.UUID { return v.ID }}
}

// PlanVisit implements groundwork.RotaStore.
func (db *DB) PlanVisit(ctx context.Context, d groundwork.Deed, v groundwork.Visit) (*groundwork.Visit, groundwork.Receipt, error) {
	v.State, v.EndedAt, v.CitizensMet, v.NoteText, v.NoteUnitID = groundwork.VisitPlanned, nil, nil, nil, nil
	if err := v.Validate(groundwork.Moment(db.now())); err != nil {
		return nil, groundwork.Receipt{}, err
	}
	return do(ctx, db, visitRequest("plan visit", d.Actor, []any{d, v}), func(tx pgx.Tx) (*groundwork.Visit, error) {
		v := v
		facts, err := db.entryFacts(ctx, tx, v, d.Actor)
		if err != nil {
			return nil, err
		}
		step, _, err := (&groundwork.Visit{StartedAt: v.StartedAt}).Plan(groundwork.VisitStep{Deed: d, Kind: groundwork.VisitArranged}, facts)
		if err != nil {
			return nil, err
		}
		return db.enterVisit(ctx, tx, v, step)
	})
}

// RecordVisit implements groundwork.OfficeStore: the visit is entered as held, and with its note takes the step to RECORDED at once.
func (db *DB) RecordVisit(ctx context.Context, by groundwork.Actor, v groundwork.Visit) (*groundwork.Visit, groundwork.Receipt, error) {
	now := groundwork.Moment(db.now())
	err := v.Validate(now)
	if err == nil && v.State == groundwork.VisitPlanned {
		err = groundwork.Invalid("state", "plan a visit that is to come; this one is entered as HELD or RECORDED")
	}
	if err != nil {
		return nil, groundwork.Receipt{}, err
	}
	return do(ctx, db, visitRequest("record visit", by, v), func(tx pgx.Tx) (*groundwork.Visit, error) {
		note, held := v, v
		held.State, held.NoteText, held.NoteUnitID, held.NoteCreatedAt = groundwork.VisitHeld, nil, nil, nil
		facts, err := db.entryFacts(ctx, tx, v, by)
		if err != nil {
			return nil, err
		}
		step, _, err := (&groundwork.Visit{}).Plan(groundwork.VisitStep{Deed: groundwork.Deed{Actor: by, At: facts.Now}, Kind: groundwork.VisitEntered}, facts)
		if err != nil {
			return nil, err
		}
		made, err := db.enterVisit(ctx, tx, held, step)
		if err != nil {
			return nil, err
		}
		if err := follows(ctx, tx, func() error { return db.fulfilSlot(ctx, tx, made) }); err != nil {
			return nil, err
		}
		if note.NoteText == nil {
			return made, nil
		}
		return db.stepVisit(ctx, tx, groundwork.VisitStep{Deed: groundwork.Deed{Actor: by}, VisitID: made.ID, Kind: groundwork.VisitNoted, NoteText: *note.NoteText, NoteUnitID: note.NoteUnitID})
	})
}

// entryFacts are what the guards need to know of a visit that is not there yet: whether the official who asks leads it or takes part.
func (db *DB) entryFacts(ctx context.Context, tx pgx.Tx, v groundwork.Visit, by groundwork.Actor) (groundwork.VisitFacts, error) {
	mine, err := scalars[bool](ctx, tx, "look whose visit it is", "SELECT EXISTS (SELECT FROM post_holding WHERE id = ANY(@posts) AND official_id = @official)",
		pgx.NamedArgs{"posts": append(slices.Clone(v.TakePartIDs), v.LeadID), "official": by.OfficialID})
	if err != nil {
		return groundwork.VisitFacts{}, err
	}
	return groundwork.VisitFacts{Now: groundwork.Moment(db.now()), Mine: mine[0]}, nil
}

// enterVisit makes the row of a visit with its participants and its first event.
func (db *DB) enterVisit(ctx context.Context, tx pgx.Tx, v groundwork.Visit, step groundwork.VisitStep) (*groundwork.Visit, error) {
	made, err := insert[groundwork.Visit](ctx, tx, "visit", visitColumns, pgx.NamedArgs{
		"id": newID(v.ID), "activity_kind": v.ActivityKind, "notice": v.Notice, "site_id": v.SiteID, "lead_id": v.LeadID,
		"started_at": v.StartedAt, "ended_at": v.EndedAt, "citizens_met": v.CitizensMet, "state": v.State, "recorded_by": step.Actor.ID,
	})
	if err != nil {
		return nil, err
	}
	if _, err := tx.Exec(ctx, "INSERT INTO visit_participant (visit_id, post_id) SELECT DISTINCT @visit::uuid, post FROM unnest(@posts::uuid[]) AS post WHERE post <> @lead",
		pgx.NamedArgs{"visit": made.ID, "posts": v.TakePartIDs, "lead": made.LeadID}); err != nil {
		return nil, err
	}
	return made, addEntityEvent(ctx, tx, event("visit", made.ID, 1, "", made.State, step.Kind, step.Deed, nil))
}

// StepVisit implements groundwork.RotaStore.
func (db *DB) StepVisit(ctx context.Context, s groundwork.VisitStep) (*groundwork.Visit, groundwork.Receipt, error) {
	return do(ctx, db, visitRequest("take step "+s.Kind+" of visit", s.Actor, s), func(tx pgx.Tx) (*groundwork.Visit, error) { return db.stepVisit(ctx, tx, s) })
}

func (db *DB) stepVisit(ctx context.Context, tx pgx.Tx, s groundwork.VisitStep) (*groundwork.Visit, error) {
	v, err := one[groundwork.Visit](ctx, tx, "lock visit", "SELECT "+visitColumns+" FROM visit WHERE id = @id FOR UPDATE", pgx.NamedArgs{"id": s.VisitID})
	if err == nil && v == nil {
		err = unreached(ctx, tx, s.Actor, "visit", s.VisitID)
	}
	if err != nil {
		return nil, err
	}
	facts, err := db.visitFacts(ctx, tx, v, s.Actor)
	if err != nil {
		return nil, err
	}
	s, move, err := v.Plan(s, facts)
	if err != nil {
		return nil, err
	}
	after := v.After(s, move)
	made, err := one[groundwork.Visit](ctx, tx, "update visit", `
		UPDATE visit SET state = @state, version = @version, started_at = @started, ended_at = @ended, citizens_met = @met,
			note_text = @note, note_unit_id = @unit, note_created_at = @noted WHERE id = @id RETURNING `+visitColumns,
		pgx.NamedArgs{"id": v.ID, "state": after.State, "version": after.Version, "started": after.StartedAt, "ended": after.EndedAt, "met": after.CitizensMet,
			"note": after.NoteText, "unit": after.NoteUnitID, "noted": after.NoteCreatedAt})
	if err != nil {
		return nil, err
	}
	if err := addEntityEvent(ctx, tx, event("visit", v.ID, after.Version, v.State, after.State, s.Kind, s.Deed, nil)); err != nil {
		return nil, err
	}
	switch s.Kind {
	case groundwork.VisitEnded:
		err = follows(ctx, tx, func() error { return db.fulfilSlot(ctx, tx, made) })
	case groundwork.VisitVoided:
		err = follows(ctx, tx, func() error { return db.releaseSlot(ctx, tx, made.ID) })
	}
	return made, err
}

// visitFacts reads what the guards of a visit ask for. Thanks are no point that needs an issue.
func (db *DB) visitFacts(ctx context.Context, tx pgx.Tx, v *groundwork.Visit, by groundwork.Actor) (f groundwork.VisitFacts, err error) {
	f.Now = groundwork.Moment(db.now())
	if f.Last, err = lastEventOf(ctx, tx, "visit", v.ID, v.Version); err != nil {
		return f, err
	}
	err = tx.QueryRow(ctx, `
		WITH posts AS (SELECT @lead::uuid AS id UNION SELECT post_id FROM visit_participant WHERE visit_id = @visit),
			said AS (SELECT o.id, o.kind FROM opinion o WHERE o.visit_id = @visit)
		SELECT coalesce(bool_or(h.official_id = @official), false), array_agg(DISTINCT h.org_unit_id), (SELECT count(*) FROM said),
			(SELECT count(*) FROM said WHERE kind <> 'THANKS' AND NOT EXISTS (SELECT FROM issue_opinion link WHERE link.opinion_id = said.id)),
			EXISTS (SELECT FROM attestation WHERE visit_id = @visit AND nothing_raised)
		FROM posts JOIN post_holding h USING (id)`,
		pgx.NamedArgs{"visit": v.ID, "lead": v.LeadID, "official": by.OfficialID}).Scan(&f.Mine, &f.Units, &f.Opinions, &f.Unlinked, &f.NothingRaised)
	return f, err
}

const attestationColumns = "id, visit_id, voice, says, nothing_raised, at"

// AttestVisit implements groundwork.RotaStore.
func (db *DB) AttestVisit(ctx context.Context, by groundwork.Actor, a groundwork.Attestation) (*groundwork.Attestation, groundwork.Receipt, error) {
	now, asked := groundwork.Moment(db.now()), a
	if a.At.IsZero() {
		a.At = now
	}
	if err := a.Validate(now); err != nil {
		return nil, groundwork.Receipt{}, err
	}
	r := request[groundwork.Attestation]{op: "attest visit", by: by, input: asked, table: "attestation", columns: attestationColumns,
		id: func(a *groundwork.Attestation) uuid.UUID { return a.ID }}
	return do(ctx, db, r, func(tx pgx.Tx) (*groundwork.Attestation, error) {
		v, err := one[groundwork.Visit](ctx, tx, "lock visit", "SELECT "+visitColumns+" FROM visit WHERE id = @id FOR SHARE", pgx.NamedArgs{"id": a.VisitID})
		switch {
		case err != nil:
			return nil, err
		case v == nil:
			return nil, unreached(ctx, tx, by, "visit", a.VisitID)
		case v.State != groundwork.VisitHeld && v.State != groundwork.VisitRecorded && v.State != groundwork.VisitClosedOut:
			return nil, groundwork.Errorf(groundwork.CodeTransition, "the visit stands at %s; what was held is attested", v.State)
		}
		facts, err := db.visitFacts(ctx, tx, v, by)
		if err != nil {
			return nil, err
		}
		if facts.Mine {
			return nil, groundwork.Errorf(groundwork.CodeForbidden, "who took part in a visit does not take down what others say of it")
		}
		return insert[groundwork.Attestation](ctx, tx, "attestation", attestationColumns, pgx.NamedArgs{"id": newID(a.ID), "visit_id": a.VisitID, "voice": a.Voice,
			"says": a.Says, "nothing_raised": a.NothingRaised, "at": a.At, "official_id": by.OfficialID, "recorded_by": by.ID})
	})
}

// AttestationsOf implements groundwork.RotaStore.
func (db *DB) AttestationsOf(ctx context.Context, visitIDs []uuid.UUID) (map[uuid.UUID][]*groundwork.Attestation, error) {
	items, err := collect[groundwork.Attestation](ctx, db.reads(), "read attestations",
		"SELECT "+attestationColumns+" FROM attestation WHERE visit_id = ANY(@ids) ORDER BY at, id", pgx.NamedArgs{"ids": distinct(visitIDs)})
	if err != nil {
		return nil, err
	}
	of := map[uuid.UUID][]*groundwork.Attestation{}
	for _, a := range items {
		of[a.VisitID] = append(of[a.VisitID], &a)
	}
	return of, nil
}

// ParticipantsOf implements groundwork.RotaStore.
func (db *DB) ParticipantsOf(ctx context.Context, visitIDs []uuid.UUID) (map[uuid.UUID][]*groundwork.PostHolding, error) {
	type row struct {
		VisitID uuid.UUID
		groundwork.PostHolding
	}
	items, err := collect[row](ctx, db.reads(), "read participants", `SELECT p.visit_id, h.id, h.official_id, h.org_unit_id, h.rank, h.title, h.held_from, h.held_to, h.created_at
		FROM visit_participant p JOIN post_holding h ON h.id = p.post_id WHERE p.visit_id = ANY(@ids) ORDER BY p.visit_id, h.id`, pgx.NamedArgs{"ids": distinct(visitIDs)})
	if err != nil {
		return nil, err
	}
	of := map[uuid.UUID][]*groundwork.PostHolding{}
	for _, r := range items {
		of[r.VisitID] = append(of[r.VisitID], &r.PostHolding)
	}
	return of, nil
}

// fulfilSlot has a visit that was held fulfil an open slot of whoever led it that it is of the kind and place of, if there is one: that in whose window it lies,
// else the earliest that is overdue.
func (db *DB) fulfilSlot(ctx context.Context, tx pgx.Tx, v *groundwork.Visit) error {
	slot, err := one[groundwork.RotaSlot](ctx, tx, "find slot", `
		SELECT `+slotColumns+` FROM rota_slot slot WHERE post_id = @lead AND state = 'OPEN' AND activity_kind = @kind
			AND window_from <= @day::date AND window_to > @day::date - @grace::int
			AND EXISTS (SELECT FROM site s JOIN region here ON here.id = s.region_id JOIN region root ON root.id = slot.region_id
				WHERE s.id = @site AND here.path <@ root.path AND (slot.site_kind IS NULL OR slot.site_kind = s.kind))
		ORDER BY window_to <= @day::date, window_to, id LIMIT 1 FOR UPDATE OF slot`,
		pgx.NamedArgs{"lead": v.LeadID, "kind": v.ActivityKind, "site": v.SiteID, "day": groundwork.DayOf(*v.EndedAt), "grace": groundwork.SlotGrace})
	if err != nil || slot == nil {
		return err
	}
	_, err = db.stepSlot(ctx, tx, groundwork.SlotStep{Deed: groundwork.Deed{Actor: groundwork.System}, SlotID: slot.ID, Kind: slot.StepFor(*v.EndedAt), VisitID: &v.ID}, *v.EndedAt)
	return err
}

func (db *DB) releaseSlot(ctx context.Context, tx pgx.Tx, visit uuid.UUID) error {
	ids, err := scalars[uuid.UUID](ctx, tx, "find slot", "SELECT id FROM rota_slot WHERE visit_id = @visit", pgx.NamedArgs{"visit": visit})
	for _, id := range ids {
		_, err = db.stepSlot(ctx, tx, groundwork.SlotStep{Deed: groundwork.Deed{Actor: groundwork.System}, SlotID: id, Kind: groundwork.SlotReleased}, time.Time{})
	}
	return err
}
