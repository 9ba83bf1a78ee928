package postgres

import (
	"context"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"groundwork"
)

const (
	skillColumns         = "id, official_id, ability, level, evidence, assessor_unit_id, assessor_official_id, at, created_at"
	trainingColumns      = "id, title, ability, unit_id, starts_on, ends_on, created_at"
	participationColumns = "id, training_id, official_id, completed, created_at"
)

// reading runs f in a transaction that only reads and says for whom: rows about persons are seen by few.
func (db *DB) reading(ctx context.Context, by groundwork.Actor, op string, f func(pgx.Tx) error) error {
	err := pgx.BeginTxFunc(ctx, db.pool, pgx.TxOptions{AccessMode: pgx.ReadOnly}, func(tx pgx.Tx) error {
		if err := identify(ctx, tx, by, op); err != nil {
			return err
		}
		return f(tx)
	})
	if err != nil {
		return translate(op, err)
	}
	return nil
}

// ownSkills narrows to what the actor sees. The policies of the rows hold it too.
func ownSkills(c *conditions, by groundwork.Actor) {
	if !groundwork.SeesAllSkills(by.Role) {
		c.add("official_id = %s", by.OfficialID)
	}
}

// lies finds the region in which a new thing would lie, to say why it is refused; nil = unknown.
func (db *DB) lies(ctx context.Context, by groundwork.Actor, sql string, args pgx.NamedArgs) (*uuid.UUID, error) {
	regions, err := scalars[*uuid.UUID](groundwork.WithActor(ctx, by), db.reads(), "look where it lies", sql, args)
	if err != nil || len(regions) == 0 {
		return nil, err
	}
	return regions[0], nil
}

// AssessSkill implements groundwork.SkillStore.
func (db *DB) AssessSkill(ctx context.Context, by groundwork.Actor, s groundwork.SkillRecord) (*groundwork.SkillRecord, groundwork.Receipt, error) {
	now := groundwork.Moment(db.now())
	asked := s
	if s.At.IsZero() {
		s.At = now
	}
	if err := s.Validate(now); err != nil {
		return nil, groundwork.Receipt{}, err
	}
	region, err := db.lies(ctx, by, `SELECT u.region_id FROM post_holding h JOIN org_unit u ON u.id = h.org_unit_id
		WHERE h.official_id = @id AND h.held_from <= @day::date AND (h.held_to IS NULL OR h.held_to > @day::date)`, pgx.NamedArgs{"id": s.OfficialID, "day": groundwork.DayOf(s.At)})
	if err != nil {
		return nil, groundwork.Receipt{}, err
	}
	r := request[groundwork.SkillRecord]{op: "assess skill", by: by, input: asked, table: "skill_record", columns: skillColumns,
		region: region,
		id:     func(s *groundwork.SkillRecord) uuid.UUID { return s.ID }}
	return do(ctx, db, r, func(tx pgx.Tx) (*groundwork.SkillRecord, error) {
		facts, err := skillFacts(ctx, tx, by, s)
		if err == nil {
			err = s.AssessedBy(by, facts)
		}
		if err != nil {
			return nil, err
		}
		return insert[groundwork.SkillRecord](ctx, tx, "skill_record", skillColumns, pgx.NamedArgs{"id": newID(s.ID), "official_id": s.OfficialID, "ability": s.Ability,
			"level": s.Level, "evidence": s.Evidence, "assessor_unit_id": by.UnitID, "assessor_official_id": by.OfficialID, "at": s.At, "recorded_by": by.ID})
	})
}

func skillFacts(ctx context.Context, tx pgx.Tx, by groundwork.Actor, s groundwork.SkillRecord) (f groundwork.SkillFacts, err error) {
	hash := s.UploadedEvidence()
	err = tx.QueryRow(ctx, `
		WITH held AS (SELECT official_id, org_unit_id FROM post_holding WHERE held_from <= @day::date AND (held_to IS NULL OR held_to > @day::date)),
			posts AS (SELECT org_unit_id FROM held WHERE official_id = @official),
			assessor AS (SELECT @unit::uuid AS unit UNION SELECT org_unit_id FROM held WHERE official_id = @assessor)
		SELECT EXISTS (SELECT FROM posts), EXISTS (SELECT FROM posts, assessor WHERE unit_within(assessor.unit, posts.org_unit_id)),
			@hash = '' OR access.was_uploaded(@hash)`,
		pgx.NamedArgs{"day": groundwork.DayOf(s.At), "official": s.OfficialID, "unit": by.UnitID, "assessor": by.OfficialID, "hash": hash}).Scan(&f.Held, &f.Inside, &f.Uploaded)
	return f, err
}

// SkillRecords implements groundwork.SkillStore.
func (db *DB) SkillRecords(ctx context.Context, by groundwork.Actor, f groundwork.SkillFilter, p groundwork.PageRequest) (found groundwork.Page[*groundwork.SkillRecord], err error) {
	c := where()
	ownSkills(c, by)
	among(c, "official_id", f.OfficialIDs)
	among(c, "ability", f.Abilities)
	c.within("at", f.At)
	latest := order[groundwork.SkillRecord]{name: "AT_DESC", expression: "at", cast: "timestamptz", descending: true,
		position: func(s *groundwork.SkillRecord) (string, uuid.UUID) { return moment(s.At), s.ID }}
	err = db.reading(ctx, by, "list skills", func(tx pgx.Tx) error {
		found, err = pageFrom(ctx, tx, skillColumns, "skill_record", c, latest, p)
		return err
	})
	return found, err
}

// SkillRecordsByID implements groundwork.SkillStore.
func (db *DB) SkillRecordsByID(ctx context.Context, by groundwork.Actor, ids []uuid.UUID) (map[uuid.UUID]*groundwork.SkillRecord, error) {
	c := where()
	ownSkills(c, by)
	c.add("id = ANY(%s)", ids)
	found := map[uuid.UUID]*groundwork.SkillRecord{}
	err := db.reading(ctx, by, "read skills", func(tx pgx.Tx) error {
		items, err := collect[groundwork.SkillRecord](ctx, tx, "read skills", "SELECT "+skillColumns+" FROM skill_record WHERE "+c.sql(), c.args)
		for i := range items {
			found[items[i].ID] = &items[i]
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return found, nil
}

// AnnounceTraining implements groundwork.SkillStore.
func (db *DB) AnnounceTraining(ctx context.Context, by groundwork.Actor, t groundwork.Training) (*groundwork.Training, groundwork.Receipt, error) {
	if err := t.Validate(); err != nil {
		return nil, groundwork.Receipt{}, err
	}
	region, err := db.lies(ctx, by, "SELECT region_id FROM org_unit WHERE id = @id", pgx.NamedArgs{"id": t.UnitID})
	if err != nil {
		return nil, groundwork.Receipt{}, err
	}
	r := request[groundwork.Training]{op: "announce training", by: by, input: t, table: "training", columns: trainingColumns, region: region,
		id: func(t *groundwork.Training) uuid.UUID { return t.ID }}
	return do(ctx, db, r, func(tx pgx.Tx) (*groundwork.Training, error) {
		return insert[groundwork.Training](ctx, tx, "training", trainingColumns, pgx.NamedArgs{"id": newID(t.ID), "title": t.Title, "ability": t.Ability, "unit_id": t.UnitID,
			"starts_on": t.StartsOn, "ends_on": t.EndsOn, "recorded_by": by.ID})
	})
}

// Trainings implements groundwork.SkillStore.
func (db *DB) Trainings(ctx context.Context, p groundwork.PageRequest) (groundwork.Page[*groundwork.Training], error) {
	latest := order[groundwork.Training]{name: "STARTS_DESC", expression: "starts_on", cast: "date", descending: true,
		position: func(t *groundwork.Training) (string, uuid.UUID) { return t.StartsOn.Format(time.DateOnly), t.ID }}
	return page(ctx, db, trainingColumns, "training", where(), latest, p)
}

// TrainingsByID implements groundwork.SkillStore.
func (db *DB) TrainingsByID(ctx context.Context, ids []uuid.UUID) (map[uuid.UUID]*groundwork.Training, error) {
	return byID(ctx, db, trainingColumns, "training", ids, func(t *groundwork.Training) uuid.UUID { return t.ID })
}

// RecordTrainingParticipation implements groundwork.SkillStore.
func (db *DB) RecordTrainingParticipation(ctx context.Context, by groundwork.Actor, p groundwork.TrainingParticipation) (*groundwork.TrainingParticipation, groundwork.Receipt, error) {
	region, err := db.lies(ctx, by, "SELECT u.region_id FROM training t JOIN org_unit u ON u.id = t.unit_id WHERE t.id = @id", pgx.NamedArgs{"id": p.TrainingID})
	if err != nil {
		return nil, groundwork.Receipt{}, err
	}
	r := request[groundwork.TrainingParticipation]{op: "record training participation", by: by, input: p, table: "training_participation", columns: participationColumns, region: region,
		id: func(p *groundwork.TrainingParticipation) uuid.UUID { return p.ID }}
	return do(ctx, db, r, func(tx pgx.Tx) (*groundwork.TrainingParticipation, error) {
		training, err := one[groundwork.Training](ctx, tx, "read training", "SELECT "+trainingColumns+" FROM training WHERE id = @id", pgx.NamedArgs{"id": p.TrainingID})
		if err == nil && training == nil {
			err = groundwork.Errorf(groundwork.CodeNotFound, "training %s does not exist", p.TrainingID)
		}
		if err == nil {
			err = p.NotedBy(by, *training, groundwork.Moment(db.now()))
		}
		if err != nil {
			return nil, err
		}
		return insert[groundwork.TrainingParticipation](ctx, tx, "training_participation", participationColumns, pgx.NamedArgs{"id": newID(p.ID), "training_id": p.TrainingID,
			"official_id": p.OfficialID, "completed": p.Completed, "noted_by_official": by.OfficialID, "recorded_by": by.ID})
	})
}

// TrainingParticipations implements groundwork.SkillStore.
func (db *DB) TrainingParticipations(ctx context.Context, by groundwork.Actor, f groundwork.SkillFilter, p groundwork.PageRequest) (found groundwork.Page[*groundwork.TrainingParticipation], err error) {
	c := where()
	ownSkills(c, by)
	among(c, "official_id", f.OfficialIDs)
	among(c, "training_id", f.TrainingIDs)
	latest := order[groundwork.TrainingParticipation]{name: "CREATED_DESC", expression: "created_at", cast: "timestamptz", descending: true,
		position: func(p *groundwork.TrainingParticipation) (string, uuid.UUID) { return moment(p.CreatedAt), p.ID }}
	err = db.reading(ctx, by, "list participations", func(tx pgx.Tx) error {
		found, err = pageFrom(ctx, tx, participationColumns, "training_participation", c, latest, p)
		return err
	})
	return found, err
}
