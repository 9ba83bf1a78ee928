package postgres

import (
	"context"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"groundwork"
)

const (
	planColumns = "id, name, version, region_id, rank, activity_kind, cadence, site_kind, period_from, period_to, created_at"
	slotColumns = "id, plan_id, post_id, activity_kind, site_kind, region_id, window_from, window_to, state, visit_id, swapped_for_id, version, created_at"
)

// PublishRotaPlan implements groundwork.RotaStore.
func (db *DB) PublishRotaPlan(ctx context.Context, by groundwork.Actor, p groundwork.RotaPlan) (*groundwork.RotaPlan, groundwork.Receipt, error) {
	if err := p.Validate(); err != nil {
		return nil, groundwork.Receipt{}, err
	}
	r := request[groundwork.RotaPlan]{op: "publish rota plan", by: by, input: p, table: "rota_plan", columns: planColumns, region: &p.RegionID,
		id: func(p *groundwork.RotaPlan) uuid.UUID { return p.ID }}
	return do(ctx, db, r, func(tx pgx.Tx) (*groundwork.RotaPlan, error) {
		now := groundwork.Moment(db.now())
		deed, err := groundwork.Deed{Actor: by}.Settle("the plan", 0, time.Time{}, now)
		if err != nil {
			return nil, err
		}
		if _, err := groundwork.SlotLife.Take(groundwork.SlotAttempt{}, groundwork.SlotMade, "", by.Role, "the slot"); err != nil {
			return nil, err
		}
		// One plan of a name at a time: versions follow each other.
		if _, err := tx.Exec(ctx, "SELECT pg_advisory_xact_lock(hashtextextended(@name, 15))", pgx.NamedArgs{"name": p.RegionID.String() + p.Name}); err != nil {
			return nil, err
		}
		made, err := one[groundwork.RotaPlan](ctx, tx, "insert plan", `
			INSERT INTO rota_plan (id, name, version, region_id, rank, activity_kind, cadence, site_kind, period_from, period_to, recorded_by)
			SELECT @id, @name, coalesce(max(version), 0) + 1, @region, @rank, @kind, @cadence, @site_kind, @from, @to, @by FROM rota_plan WHERE region_id = @region AND name = @name
			RETURNING `+planColumns, pgx.NamedArgs{"id": newID(p.ID), "name": p.Name, "region": p.RegionID, "rank": p.Rank, "kind": p.ActivityKind, "cadence": p.Cadence,
			"site_kind": p.SiteKind, "from": p.PeriodFrom, "to": p.PeriodTo, "by": by.ID})
		if err != nil {
			return nil, err
		}
		deed.Reason = "a new version of the plan"
		if err := db.replaceSlots(ctx, tx, made, deed); err != nil {
			return nil, err
		}
		return made, db.makeSlots(ctx, tx, made, deed)
	})
}

// replaceSlots swaps away the slots of earlier versions whose windows have not begun.
func (db *DB) replaceSlots(ctx context.Context, tx pgx.Tx, p *groundwork.RotaPlan, d groundwork.Deed) error {
	_, err := tx.Exec(ctx, `
		WITH gone AS (UPDATE rota_slot SET state = 'SWAPPED', version = version + 1
			WHERE state = 'OPEN' AND window_from > @today::date AND plan_id IN (SELECT id FROM rota_plan WHERE region_id = @region AND name = @name AND id <> @plan)
			RETURNING id, version)
		INSERT INTO entity_event (noun, entity_id, seq, kind, from_state, to_state, at, actor, actor_role, actor_unit_id, reason)
		SELECT 'rota_slot', id, version, @kind, 'OPEN', 'SWAPPED', @at, @actor, @role, @unit, @reason FROM gone`,
		pgx.NamedArgs{"today": groundwork.DayOf(d.At), "region": p.RegionID, "name": p.Name, "plan": p.ID, "kind": groundwork.SlotStepSwapped, "at": d.At,
			"actor": d.Actor.ID, "role": d.Actor.Role, "unit": d.Actor.UnitID, "reason": d.Reason})
	return err
}

// makeSlots makes a slot for each holder of a post of the rank, in the units of the region and below, and each window that is not over and
// begins before the post ends.
func (db *DB) makeSlots(ctx context.Context, tx pgx.Tx, p *groundwork.RotaPlan, d groundwork.Deed) error {
	type holder struct {
		ID     uuid.UUID
		HeldTo *time.Time
	}
	posts, err := collect[holder](ctx, tx, "find posts", `
		SELECT h.id, h.held_to::timestamptz FROM post_holding h JOIN org_unit u ON u.id = h.org_unit_id JOIN region here ON here.id = u.region_id JOIN region root ON root.id = @region
		WHERE h.rank = @rank AND here.path <@ root.path AND h.held_from <= @today::date AND (h.held_to IS NULL OR h.held_to > @today::date) ORDER BY h.id`,
		pgx.NamedArgs{"region": p.RegionID, "rank": p.Rank, "today": groundwork.DayOf(d.At)})
	if err == nil && len(posts) == 0 {
		err = groundwork.Invalid("rank", "nobody holds a post of rank %s in a unit of the region or below; create posts first", p.Rank)
	}
	if err != nil {
		return err
	}
	type turn struct {
		PostID uuid.UUID
		Until  time.Time
	}
	running, err := collect[turn](ctx, tx, "find turns", `
		SELECT post_id, max(window_to)::timestamptz AS until FROM rota_slot WHERE state <> 'SWAPPED' AND window_from <= @today::date AND (window_to > @today::date OR state = 'OPEN')
			AND plan_id IN (SELECT id FROM rota_plan WHERE region_id = @region AND name = @name AND id <> @plan) GROUP BY post_id`,
		pgx.NamedArgs{"today": groundwork.DayOf(d.At), "region": p.RegionID, "name": p.Name, "plan": p.ID})
	if err != nil {
		return err
	}
	taken := map[uuid.UUID]time.Time{} // until when a post has a turn of an earlier version: its next one is of this
	for _, t := range running {
		taken[t.PostID] = t.Until
	}
	var slots, events [][]any
	for _, w := range p.Windows() {
		if w.To.Format(time.DateOnly) <= groundwork.DayOf(d.At) {
			continue
		}
		for _, post := range posts {
			if w.From.Before(taken[post.ID]) || post.HeldTo != nil && !w.From.Before(*post.HeldTo) {
				continue
			}
			id := newID(uuid.Nil)
			slots = append(slots, []any{id, p.ID, post.ID, p.ActivityKind, p.SiteKind, p.RegionID, w.From, w.To, groundwork.SlotOpen, 1, d.Actor.ID})
			events = append(events, []any{"rota_slot", id, 1, groundwork.SlotMade, groundwork.SlotOpen, d.At, d.Actor.ID, d.Actor.Role, d.Actor.UnitID})
		}
	}
	if len(slots) == 0 {
		return groundwork.Invalid("periodTo", "all windows of the plan are over, or its posts end before them or have a turn in them already; give a later period")
	}
	if err := addRows(ctx, tx, "rota_slot", []string{"id", "plan_id", "post_id", "activity_kind", "site_kind", "region_id", "window_from", "window_to", "state", "version", "recorded_by"},
		len(slots), func(i int) []any { return slots[i] }); err != nil {
		return err
	}
	return addRows(ctx, tx, "entity_event", []string{"noun", "entity_id", "seq", "kind", "to_state", "at", "actor", "actor_role", "actor_unit_id"},
		len(events), func(i int) []any { return events[i] })
}

// RotaPlans implements groundwork.RotaStore.
func (db *DB) RotaPlans(ctx context.Context, p groundwork.PageRequest) (groundwork.Page[*groundwork.RotaPlan], error) {
	newest := order[groundwork.RotaPlan]{name: "CREATED_DESC", expression: "created_at", cast: "timestamptz", descending: true,
		position: func(p *groundwork.RotaPlan) (string, uuid.UUID) { return moment(p.CreatedAt), p.ID }}
	return page(ctx, db, planColumns, "rota_plan", where(), newest, p)
}

// RotaPlansByID implements groundwork.RotaStore.
func (db *DB) RotaPlansByID(ctx context.Context, ids []uuid.UUID) (map[uuid.UUID]*groundwork.RotaPlan, error) {
	return byID(ctx, db, planColumns, "rota_plan", ids, func(p *groundwork.RotaPlan) uuid.UUID { return p.ID })
}

// RotaSlots implements groundwork.RotaStore.
func (db *DB) RotaSlots(ctx context.Context, f groundwork.RotaSlotFilter, p groundwork.PageRequest) (groundwork.Page[*groundwork.RotaSlot], error) {
	c := where()
	among(c, "plan_id", f.PlanIDs)
	among(c, "post_id", f.PostIDs)
	among(c, "state", f.States)
	c.within("window_to", f.Window)
	if f.OwnedBy != nil {
		c.add("post_id IN (SELECT id FROM post_holding WHERE official_id = %s)", *f.OwnedBy)
	}
	soonest := order[groundwork.RotaSlot]{name: "WINDOW_ASC", expression: "window_to", cast: "date",
		position: func(s *groundwork.RotaSlot) (string, uuid.UUID) { return s.WindowTo.Format(time.DateOnly), s.ID }}
	return page(ctx, db, slotColumns, "rota_slot", c, soonest, p)
}

// RotaSlotsByID implements groundwork.RotaStore.
func (db *DB) RotaSlotsByID(ctx context.Context, ids []uuid.UUID) (map[uuid.UUID]*groundwork.RotaSlot, error) {
	return byID(ctx, db, slotColumns, "rota_slot", ids, func(s *groundwork.RotaSlot) uuid.UUID { return s.ID })
}

// StepRotaSlot implements groundwork.RotaStore.
func (db *DB) StepRotaSlot(ctx context.Context, s groundwork.SlotStep) (*groundwork.RotaSlot, groundwork.Receipt, error) {
	r := request[groundwork.RotaSlot]{op: "take step " + s.Kind + " of slot", by: s.Actor, input: s, table: "rota_slot", columns: slotColumns,
		id: func(s *groundwork.RotaSlot) uuid.UUID { return s.ID }}
	return do(ctx, db, r, func(tx pgx.Tx) (*groundwork.RotaSlot, error) { return db.stepSlot(ctx, tx, s, time.Time{}) })
}

func (db *DB) stepSlot(ctx context.Context, tx pgx.Tx, s groundwork.SlotStep, visitEnd time.Time) (*groundwork.RotaSlot, error) {
	slot, err := one[groundwork.RotaSlot](ctx, tx, "lock slot", "SELECT "+slotColumns+" FROM rota_slot WHERE id = @id FOR UPDATE", pgx.NamedArgs{"id": s.SlotID})
	if err == nil && slot == nil {
		err = unreached(ctx, tx, s.Actor, "rota_slot", s.SlotID)
	}
	if err != nil {
		return nil, err
	}
	facts := groundwork.SlotFacts{Now: groundwork.Moment(db.now()), VisitEnd: visitEnd}
	if facts.Last, err = lastEventOf(ctx, tx, "rota_slot", slot.ID, slot.Version); err != nil {
		return nil, err
	}
	if s.PostID != nil {
		err = tx.QueryRow(ctx, `SELECT
			EXISTS (SELECT FROM post_holding h JOIN rota_plan p ON p.id = @plan WHERE h.id = @post AND h.rank = p.rank AND h.held_from <= @today::date AND (h.held_to IS NULL OR h.held_to > @today::date)),
			EXISTS (SELECT FROM rota_plan mine JOIN rota_plan p ON p.region_id = mine.region_id AND p.name = mine.name JOIN rota_slot s ON s.plan_id = p.id
				WHERE mine.id = @plan AND s.post_id = @post AND (s.state = 'OPEN' AND s.window_from < @to::date AND s.window_to > @from::date
					OR s.state <> 'SWAPPED' AND (s.window_from, s.window_to) = (@from::date, @to::date)))`,
			pgx.NamedArgs{"plan": slot.PlanID, "post": s.PostID, "from": slot.WindowFrom, "to": slot.WindowTo, "today": groundwork.DayOf(facts.Now)}).Scan(&facts.PostHeld, &facts.PostTaken)
		if err != nil {
			return nil, err
		}
	}
	s, move, err := slot.Plan(s, facts)
	if err != nil {
		return nil, err
	}
	after := slot.After(s, move)
	if s.Kind == groundwork.SlotStepSwapped {
		if after.SwappedForID, err = db.takeTurn(ctx, tx, slot, s); err != nil {
			return nil, err
		}
	}
	made, err := one[groundwork.RotaSlot](ctx, tx, "update slot", "UPDATE rota_slot SET state = @state, version = @version, visit_id = @visit, swapped_for_id = @for WHERE id = @id RETURNING "+slotColumns,
		pgx.NamedArgs{"id": slot.ID, "state": after.State, "version": after.Version, "visit": after.VisitID, "for": after.SwappedForID})
	if err != nil {
		return nil, err
	}
	return made, addEntityEvent(ctx, tx, event("rota_slot", slot.ID, after.Version, slot.State, after.State, s.Kind, s.Deed, nil))
}

// takeTurn makes the slot of the post that takes the turn.
func (db *DB) takeTurn(ctx context.Context, tx pgx.Tx, slot *groundwork.RotaSlot, s groundwork.SlotStep) (*uuid.UUID, error) {
	id := newID(uuid.Nil)
	if err := add(ctx, tx, "rota_slot", pgx.NamedArgs{"id": id, "plan_id": slot.PlanID, "post_id": s.PostID, "activity_kind": slot.ActivityKind, "site_kind": slot.SiteKind,
		"region_id": slot.RegionID, "window_from": slot.WindowFrom, "window_to": slot.WindowTo, "state": groundwork.SlotOpen, "version": 1, "recorded_by": s.Actor.ID}); err != nil {
		return nil, err
	}
	return &id, addEntityEvent(ctx, tx, event("rota_slot", id, 1, "", groundwork.SlotOpen, groundwork.SlotMade, s.Deed, nil))
}

// rotaChores are what time brings about in the rota.
func (db *DB) rotaChores() []groundwork.Chore {
	return []groundwork.Chore{{Name: "rota_slot_missed", Every: time.Hour, Run: db.missSlots}}
}

// missSlots notes that turns were not taken, when they no longer can be.
func (db *DB) missSlots(ctx context.Context, now time.Time) (int, error) {
	ids, err := scalars[uuid.UUID](ctx, db.reads(), "find missed slots", "SELECT id FROM rota_slot WHERE state = 'OPEN' AND window_to <= @day::date - @grace::int ORDER BY window_to, id LIMIT @limit",
		pgx.NamedArgs{"day": groundwork.DayOf(now), "grace": groundwork.SlotGrace, "limit": choreBatch})
	if err != nil {
		return 0, err
	}
	return eachDue(ids, func(id uuid.UUID) error {
		_, _, err := db.StepRotaSlot(ctx, groundwork.SlotStep{Deed: groundwork.Deed{Actor: groundwork.System}, SlotID: id, Kind: groundwork.SlotRanOut})
		return err
	})
}
