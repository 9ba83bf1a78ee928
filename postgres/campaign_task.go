package postgres

import (
	"context"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"groundwork"
)

const taskColumns = "id, campaign_id, title, owner_unit_id, owner_post_id, due_at, done_at, evidence, overdue_at, state, version, created_at"

// CampaignTasks implements groundwork.CampaignStore.
func (db *DB) CampaignTasks(ctx context.Context, f groundwork.CampaignTaskFilter, p groundwork.PageRequest) (groundwork.Page[*groundwork.CampaignTask], error) {
	c := where()
	among(c, "campaign_id", f.CampaignIDs)
	among(c, "state", f.States)
	among(c, "owner_unit_id", f.OwnerUnitIDs)
	c.within("due_at", f.Due)
	if f.OwnedBy != nil {
		// The posts are looked up first: with a list of them both sides of OR find an index.
		posts, err := scalars[uuid.UUID](ctx, db.reads(), "read posts", "SELECT id FROM post_holding WHERE official_id = @official",
			pgx.NamedArgs{"official": f.OwnedBy.OfficialID})
		if err != nil {
			return groundwork.Page[*groundwork.CampaignTask]{}, err
		}
		c.add("(owner_unit_id = %s OR owner_post_id = ANY(%s))", f.OwnedBy.UnitID, posts)
	}
	if f.OverdueAt != nil {
		c.add("state = 'OPEN' AND due_at < %s", *f.OverdueAt)
	}
	soonest := order[groundwork.CampaignTask]{name: "DUE_ASC", expression: "due_at", cast: "timestamptz",
		position: func(t *groundwork.CampaignTask) (string, uuid.UUID) { return moment(t.DueAt), t.ID }}
	return page(ctx, db, taskColumns, "campaign_task", c, soonest, p)
}

// CampaignTasksByID implements groundwork.CampaignStore.
func (db *DB) CampaignTasksByID(ctx context.Context, ids []uuid.UUID) (map[uuid.UUID]*groundwork.CampaignTask, error) {
	return byID(ctx, db, taskColumns, "campaign_task", ids, func(t *groundwork.CampaignTask) uuid.UUID { return t.ID })
}

// CampaignTasksOf implements groundwork.CampaignStore.
func (db *DB) CampaignTasksOf(ctx context.Context, campaignIDs []uuid.UUID, limit int) (map[uuid.UUID][]*groundwork.CampaignTask, error) {
	items, err := limitedOf[groundwork.CampaignTask](ctx, db, taskColumns, "campaign_task", "campaign_id", "due_at, id", campaignIDs, limit)
	if err != nil {
		return nil, err
	}
	return grouped(items, func(t *groundwork.CampaignTask) uuid.UUID { return t.CampaignID }), nil
}

func taskRequest(op string, by groundwork.Actor, input any) request[groundwork.CampaignTask] {
	return request[groundwork.CampaignTask]{op: op, by: by, input: input, table: "campaign_task", columns: taskColumns,
		id: func(t *groundwork.CampaignTask) uuid.UUID { return t.ID }}
}

// AddCampaignTask implements groundwork.CampaignStore.
func (db *DB) AddCampaignTask(ctx context.Context, d groundwork.Deed, t groundwork.CampaignTask) (*groundwork.CampaignTask, groundwork.Receipt, error) {
	if err := t.Validate(); err != nil {
		return nil, groundwork.Receipt{}, err
	}
	return do(ctx, db, taskRequest("add task to campaign", d.Actor, []any{d, t}), func(tx pgx.Tx) (*groundwork.CampaignTask, error) {
		c, err := lockCampaign(ctx, tx, d.Actor, t.CampaignID)
		if err != nil {
			return nil, err
		}
		t := t
		t.ID = newID(t.ID)
		step, move, err := t.Plan(groundwork.TaskStep{Deed: d, Kind: groundwork.TaskAdded},
			groundwork.TaskFacts{Now: groundwork.Moment(db.now()), Campaign: c.State})
		if err != nil {
			return nil, err
		}
		made, err := insert[groundwork.CampaignTask](ctx, tx, "campaign_task", taskColumns, pgx.NamedArgs{"id": t.ID, "campaign_id": t.CampaignID,
			"title": t.Title, "owner_unit_id": t.OwnerUnitID, "owner_post_id": t.OwnerPostID, "due_at": t.DueAt, "state": move.To, "version": 1,
			"recorded_by": d.Actor.ID})
		if err != nil {
			return nil, err
		}
		return made, addEntityEvent(ctx, tx, event("campaign_task", t.ID, 1, "", made.State, step.Kind, step.Deed, nil))
	})
}

// StepCampaignTask implements groundwork.CampaignStore.
func (db *DB) StepCampaignTask(ctx context.Context, s groundwork.TaskStep) (*groundwork.CampaignTask, groundwork.Receipt, error) {
	return do(ctx, db, taskRequest("take step "+s.Kind+" of task", s.Actor, s), func(tx pgx.Tx) (*groundwork.CampaignTask, error) {
		return db.stepTask(ctx, tx, s)
	})
}

func (db *DB) stepTask(ctx context.Context, tx pgx.Tx, s groundwork.TaskStep) (*groundwork.CampaignTask, error) {
	t, facts, err := db.lockTask(ctx, tx, s)
	if err != nil {
		return nil, err
	}
	s, move, err := t.Plan(s, facts)
	if err != nil {
		return nil, err
	}
	after := t.After(s, move)
	made, err := updateTask(ctx, tx, &after)
	if err != nil {
		return nil, err
	}
	payload := map[string]any{}
	if s.Kind == groundwork.TaskCompleted {
		payload["evidence"] = s.Evidence
	}
	return made, addEntityEvent(ctx, tx, event("campaign_task", t.ID, after.Version, t.State, after.State, s.Kind, s.Deed, payload))
}

func updateTask(ctx context.Context, tx pgx.Tx, t *groundwork.CampaignTask) (*groundwork.CampaignTask, error) {
	return one[groundwork.CampaignTask](ctx, tx, "update task", `
		UPDATE campaign_task SET state = @state, version = @version, done_at = @done, evidence = coalesce(@evidence::text[], '{}'), overdue_at = @overdue
		WHERE id = @id RETURNING `+taskColumns, pgx.NamedArgs{"id": t.ID, "state": t.State, "version": t.Version,
		"done": t.DoneAt, "evidence": t.Evidence, "overdue": t.OverdueAt})
}

// lockTask locks the task's campaign first, as the steps of the campaign do, then the task.
func (db *DB) lockTask(ctx context.Context, tx pgx.Tx, s groundwork.TaskStep) (*groundwork.CampaignTask, groundwork.TaskFacts, error) {
	f := groundwork.TaskFacts{Now: groundwork.Moment(db.now())}
	of, err := scalars[uuid.UUID](ctx, tx, "read task", "SELECT campaign_id FROM campaign_task WHERE id = @id", pgx.NamedArgs{"id": s.TaskID})
	if err == nil && len(of) == 0 {
		err = groundwork.Errorf(groundwork.CodeNotFound, "task %s does not exist", s.TaskID)
	}
	if err != nil {
		return nil, f, err
	}
	c, err := lockCampaign(ctx, tx, s.Actor, of[0])
	if err != nil {
		return nil, f, err
	}
	f.Campaign = c.State
	t, err := one[groundwork.CampaignTask](ctx, tx, "lock task", "SELECT "+taskColumns+" FROM campaign_task WHERE id = @id FOR UPDATE", pgx.NamedArgs{"id": s.TaskID})
	if err == nil && t == nil {
		err = unreached(ctx, tx, s.Actor, "campaign_task", s.TaskID)
	}
	if err != nil {
		return nil, f, err
	}
	if f.Last, err = lastEventOf(ctx, tx, "campaign_task", t.ID, t.Version); err != nil {
		return nil, f, err
	}
	if f.Uploaded, err = wereUploaded(ctx, tx, s.UploadedEvidence()); err != nil {
		return nil, f, err
	}
	f.Mine, err = owns(ctx, tx, t, s.Actor, groundwork.DayOf(f.Now))
	return t, f, err
}

// owns reports whether the actor's unit owns the task, or its official holds the post that does.
func owns(ctx context.Context, tx pgx.Tx, t *groundwork.CampaignTask, by groundwork.Actor, today string) (bool, error) {
	if t.OwnerUnitID != nil {
		return by.UnitID != nil && *by.UnitID == *t.OwnerUnitID, nil
	}
	found, err := scalars[bool](ctx, tx, "look up the owner", `SELECT EXISTS (SELECT FROM post_holding
		WHERE id = @post AND official_id = @official AND held_from <= @today::date AND (held_to IS NULL OR held_to > @today::date))`,
		pgx.NamedArgs{"post": t.OwnerPostID, "official": by.OfficialID, "today": today})
	return err == nil && found[0], err
}
