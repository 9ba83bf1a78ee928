package postgres_test

import (
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"groundwork"
	"groundwork/postgres"
	"groundwork/postgres/pgtest"
)

// school is rounds with assessors from outside of the leaders' unit.
type school struct {
	*rounds
	assessor groundwork.Actor
}

func newSchool(t testing.TB) *school {
	t.Helper()
	s := &school{rounds: newRounds(t)}
	unit, _, err := s.CreateOrgUnit(t.Context(), groundwork.System, groundwork.OrgUnit{Name: "Assessors", Kind: groundwork.PartyUnit})
	require.NoError(t, err)
	s.assessor = groundwork.Actor{ID: "assessor", Role: groundwork.RoleAssessor, UnitID: &unit.ID}
	return s
}

func (s *school) found(by groundwork.Actor, change func(*groundwork.SkillRecord)) (*groundwork.SkillRecord, error) {
	r := groundwork.SkillRecord{OfficialID: *s.leader.OfficialID, Ability: groundwork.AbilityMassWork, Level: 3, Evidence: "report 7"}
	if change != nil {
		change(&r)
	}
	made, _, err := s.AssessSkill(s.t.Context(), by, r)
	return made, err
}

func TestSkillsAreAssessedFromOutside(t *testing.T) {
	t.Parallel()
	s := newSchool(t)
	ctx := t.Context()
	inside := groundwork.Actor{ID: "inside", Role: groundwork.RoleAssessor, UnitID: &s.post.OrgUnitID}
	below, _, err := s.CreateOrgUnit(ctx, groundwork.System, groundwork.OrgUnit{Name: "City office, desk 2", Kind: groundwork.GovtUnit, ParentID: &s.post.OrgUnitID})
	require.NoError(t, err)
	oneself, colleague := s.assessor, s.assessor
	oneself.OfficialID, colleague.OfficialID = s.leader.OfficialID, s.colleague.OfficialID
	for name, c := range map[string]struct {
		by     groundwork.Actor
		change func(*groundwork.SkillRecord)
		code   groundwork.Code
		says   string
	}{
		"by a supervisor":                     {s.inspector, nil, groundwork.CodeForbidden, "not by SUPERVISOR"},
		"for no unit":                         {groundwork.Actor{ID: "x", Role: groundwork.RoleAssessor}, nil, groundwork.CodeForbidden, "bound to none"},
		"of oneself":                          {oneself, nil, groundwork.CodeForbidden, "oneself"},
		"from the unit":                       {inside, nil, groundwork.CodeForbidden, "outside"},
		"from below the unit":                 {groundwork.Actor{ID: "x", Role: groundwork.RoleAssessor, UnitID: &below.ID}, nil, groundwork.CodeForbidden, "outside"},
		"by a colleague, for another unit":    {colleague, nil, groundwork.CodeForbidden, "outside"},
		"of a level that there is not":        {s.assessor, func(r *groundwork.SkillRecord) { r.Level = 6 }, groundwork.CodeInvalid, "level"},
		"without evidence":                    {s.assessor, func(r *groundwork.SkillRecord) { r.Evidence = " " }, groundwork.CodeInvalid, "evidence"},
		"with a file that nobody uploaded":    {s.assessor, func(r *groundwork.SkillRecord) { r.Evidence = "sha256:" + groundworkHash }, groundwork.CodeInvalid, "uploaded"},
		"of an ability that there is not":     {s.assessor, func(r *groundwork.SkillRecord) { r.Ability = "DANCE" }, groundwork.CodeInvalid, "POLITICAL"},
		"in the future":                       {s.assessor, func(r *groundwork.SkillRecord) { r.At = s.clock.Now().Add(time.Hour) }, groundwork.CodeInvalid, "future"},
		"before the official held any office": {s.assessor, func(r *groundwork.SkillRecord) { r.At = day(2024, 1, 1) }, groundwork.CodeInvalid, "holds no post"},
	} {
		_, err := s.found(c.by, c.change)
		require.Equal(t, c.code, groundwork.CodeOf(err), "%s: %v", name, err)
		require.ErrorContains(t, err, c.says, name)
	}
	made, err := s.found(s.assessor, nil)
	require.NoError(t, err)
	require.Equal(t, *s.assessor.UnitID, made.AssessorUnitID)
	require.Equal(t, s.clock.Now().UTC(), made.At)
	later, err := s.found(s.assessor, func(r *groundwork.SkillRecord) { r.Level = 4; r.At = s.clock.Now().Add(-time.Hour) })
	require.NoError(t, err)
	require.Equal(t, 4, later.Level)
}

const groundworkHash = "00000000000000000000000000000000000000000000000000000000000000ff"

func TestSkillsAreSeenByFew(t *testing.T) {
	t.Parallel()
	s := newSchool(t)
	ctx := t.Context()
	made, err := s.found(s.assessor, nil)
	require.NoError(t, err)
	training, _, err := s.AnnounceTraining(ctx, s.assessor, groundwork.Training{Title: "Listening", Ability: groundwork.AbilityMassWork, UnitID: *s.assessor.UnitID,
		StartsOn: day(2026, 2, 1), EndsOn: day(2026, 2, 3)})
	require.NoError(t, err)
	_, _, err = s.RecordTrainingParticipation(ctx, s.assessor, groundwork.TrainingParticipation{TrainingID: training.ID, OfficialID: *s.leader.OfficialID, Completed: true})
	require.NoError(t, err)
	of := groundwork.SkillFilter{OfficialIDs: []uuid.UUID{*s.leader.OfficialID}}
	for role, by := range map[string]groundwork.Actor{"subject": s.leader, "assessor": s.assessor, "supervisor": s.inspector, "colleague": s.colleague, "anonymous": groundwork.Anonymous,
		"system": groundwork.System, "researcher": {ID: "r", Role: groundwork.RoleResearcher}} {
		seen := 0
		if role == "subject" || role == "assessor" || role == "supervisor" {
			seen = 1
		}
		list, err := s.SkillRecords(ctx, by, of, groundwork.PageRequest{First: 5})
		require.NoError(t, err)
		require.Len(t, list.Items, seen, role)
		byID, err := s.SkillRecordsByID(ctx, by, []uuid.UUID{made.ID})
		require.NoError(t, err)
		require.Len(t, byID, seen, role)
		part, err := s.TrainingParticipations(ctx, by, of, groundwork.PageRequest{First: 5})
		require.NoError(t, err)
		require.Len(t, part.Items, seen, role)
	}
	none, err := s.SkillRecords(ctx, s.inspector, groundwork.SkillFilter{Abilities: []groundwork.Ability{groundwork.AbilityReform}}, groundwork.PageRequest{First: 5})
	require.NoError(t, err)
	require.Empty(t, none.Items)
}

func TestTrainings(t *testing.T) {
	t.Parallel()
	s := newSchool(t)
	ctx := t.Context()
	course := groundwork.Training{Title: "Listening", Ability: groundwork.AbilityMassWork, UnitID: *s.assessor.UnitID, StartsOn: day(2026, 3, 1), EndsOn: day(2026, 3, 2)}
	for field, change := range map[string]func(*groundwork.Training){
		"title":    func(c *groundwork.Training) { c.Title = "" },
		"ability":  func(c *groundwork.Training) { c.Ability = "" },
		"startsOn": func(c *groundwork.Training) { c.StartsOn = time.Time{} },
		"endsOn":   func(c *groundwork.Training) { c.EndsOn = day(2026, 2, 1) },
		"unitId":   func(c *groundwork.Training) { c.UnitID = uuid.New() },
	} {
		wrong := course
		change(&wrong)
		_, _, err := s.AnnounceTraining(ctx, s.assessor, wrong)
		require.Equal(t, field, shown(err).Field, "%v", err)
	}
	made, _, err := s.AnnounceTraining(ctx, s.assessor, course)
	require.NoError(t, err)
	list, err := s.Trainings(ctx, groundwork.PageRequest{First: 5})
	require.NoError(t, err)
	require.Equal(t, made, list.Items[0])
	p := groundwork.TrainingParticipation{TrainingID: made.ID, OfficialID: *s.leader.OfficialID}
	_, _, err = s.RecordTrainingParticipation(ctx, s.assessor, p)
	require.ErrorContains(t, err, "lasts until 2026-03-02")
	s.clock.advance(24 * time.Hour)
	oneself := s.assessor
	oneself.OfficialID = s.leader.OfficialID
	_, _, err = s.RecordTrainingParticipation(ctx, oneself, p)
	require.Equal(t, groundwork.CodeForbidden, groundwork.CodeOf(err))
	_, _, err = s.RecordTrainingParticipation(ctx, s.assessor, p)
	require.NoError(t, err)
	_, _, err = s.RecordTrainingParticipation(ctx, s.assessor, p)
	require.Equal(t, groundwork.CodeConflict, groundwork.CodeOf(err), "noted before")
	p.TrainingID = uuid.New()
	_, _, err = s.RecordTrainingParticipation(ctx, s.assessor, p)
	require.Equal(t, groundwork.CodeNotFound, groundwork.CodeOf(err))
}

// What the database holds by itself, whoever writes in the role of the API.
func TestTheDatabaseHoldsSkills(t *testing.T) {
	t.Parallel()
	s := newSchool(t)
	_, err := s.found(s.assessor, nil)
	require.NoError(t, err)
	conn := connectAs(t, s.dsn, postgres.RoleApp)
	in := s.city.ID
	as := func(role, official, sql string, args ...any) error {
		return pgx.BeginFunc(t.Context(), conn, func(tx pgx.Tx) error {
			_, err := tx.Exec(t.Context(), "SELECT set_config('groundwork.role', $1, true), set_config('groundwork.official', $2, true), set_config('groundwork.regions', $3, true)", role, official, in.String())
			require.NoError(t, err)
			_, err = tx.Exec(t.Context(), sql, args...)
			return err
		})
	}
	const add = "INSERT INTO skill_record (id, official_id, ability, level, evidence, assessor_unit_id, assessor_official_id, at) VALUES (gen_random_uuid(), $1, 'REFORM', 3, 'x', $2, $3, $4)"
	at := s.clock.Now()
	require.ErrorContains(t, as("LEADER", "", add, s.leader.OfficialID, s.assessor.UnitID, nil, at), "row-level security")
	require.ErrorContains(t, as("ASSESSOR", "", add, s.leader.OfficialID, s.assessor.UnitID, s.leader.OfficialID, at), "skill_record") // both rules refuse
	require.ErrorContains(t, as("ASSESSOR", "", add, s.leader.OfficialID, s.post.OrgUnitID, nil, at), "official's unit")
	require.ErrorContains(t, as("ASSESSOR", "", add, s.leader.OfficialID, s.assessor.UnitID, s.colleague.OfficialID, at), "official's unit")
	require.ErrorContains(t, as("ASSESSOR", "", add, s.leader.OfficialID, s.assessor.UnitID, nil, day(2024, 1, 1)), "holds no post")
	require.NoError(t, as("ASSESSOR", "", add, s.leader.OfficialID, s.assessor.UnitID, nil, at))
	in = s.elsewhere(t)
	require.ErrorContains(t, as("ASSESSOR", "", add, s.leader.OfficialID, s.assessor.UnitID, nil, at), "row-level security", "the official holds no post there")
	require.ErrorContains(t, as("ASSESSOR", "", "UPDATE skill_record SET level = 5"), "permission denied")
	require.ErrorContains(t, as("ASSESSOR", "", "DELETE FROM skill_record"), "permission denied")
	require.ErrorContains(t, s.sql("UPDATE skill_record SET level = 5"), "append-only", "not even the owner")
	require.ErrorContains(t, s.sql("DELETE FROM skill_record"), "append-only")
	for role, official := range map[string]string{"ANALYST": "", "RESEARCHER": "", "SYSTEM": "", "": "", "LEADER": s.colleague.OfficialID.String()} {
		require.NoError(t, as(role, official, "SELECT 1 / (count(*) = 0)::int FROM skill_record"), "%s sees what is not for it", role)
	}
	var mirrored int
	require.NoError(t, connectAs(t, s.dsn, postgres.RoleETL).QueryRow(t.Context(), "SELECT count(level) FROM skill_record").Scan(&mirrored))
	require.Equal(t, 2, mirrored, "the replication sees the rows that it mirrors")
	require.NoError(t, as("LEADER", s.leader.OfficialID.String(), "SELECT 1 / (count(*) = 2)::int FROM skill_record"))
}

// elsewhere is a region in which nobody holds a post.
func (s *school) elsewhere(t *testing.T) uuid.UUID {
	t.Helper()
	made, _, err := s.CreateRegion(t.Context(), groundwork.System, groundwork.Region{Code: "440000000000", Level: groundwork.Province, Name: "广东省"})
	require.NoError(t, err)
	return made.ID
}

// An assessor reads everywhere and writes in its own regions: where the official holds a post on the day of the record, and where the unit lies
// that holds the course. The program says where that is, and the remedy.
func TestAssessorsWriteInTheirRegions(t *testing.T) {
	t.Parallel()
	s := newSchool(t)
	s.DB = pgtest.Open(t, s.dsn, postgres.Options{Role: postgres.RoleApp, Now: s.clock.Now})
	inside, outside := s.assessor, s.assessor
	inside.RegionIDs, outside.RegionIDs = []uuid.UUID{s.city.ID}, []uuid.UUID{s.elsewhere(t)}
	course := groundwork.Training{Title: "Listening", Ability: groundwork.AbilityMassWork, UnitID: s.post.OrgUnitID, StartsOn: day(2026, 2, 1), EndsOn: day(2026, 2, 3)}
	announce := func(by groundwork.Actor) (*groundwork.Training, error) {
		made, _, err := s.AnnounceTraining(t.Context(), by, course)
		return made, err
	}
	training, err := announce(inside)
	require.NoError(t, err)
	took := groundwork.TrainingParticipation{TrainingID: training.ID, OfficialID: *s.leader.OfficialID, Completed: true}
	for what, write := range map[string]func(by groundwork.Actor) error{
		"assess skill":      func(by groundwork.Actor) error { _, err := s.found(by, nil); return err },
		"announce training": func(by groundwork.Actor) error { _, err := announce(by); return err },
		"record training participation": func(by groundwork.Actor) error {
			_, _, err := s.RecordTrainingParticipation(t.Context(), by, took)
			return err
		},
	} {
		err := write(outside)
		require.Equal(t, groundwork.CodeForbidden, groundwork.CodeOf(err), "%s: %v", what, err)
		require.ErrorContains(t, err, what+": what it writes lies in "+s.city.Name, what)
		require.ErrorContains(t, err, "--role ASSESSOR --region "+s.city.Code, what)
		require.NoError(t, write(inside), what)
	}
	for who, by := range map[string]groundwork.Actor{"inside": inside, "outside": outside} {
		skills, err := s.SkillRecords(t.Context(), by, groundwork.SkillFilter{}, groundwork.PageRequest{First: 5})
		require.NoError(t, err)
		require.Len(t, skills.Items, 1, who)
		parts, err := s.TrainingParticipations(t.Context(), by, groundwork.SkillFilter{}, groundwork.PageRequest{First: 5})
		require.NoError(t, err)
		require.Len(t, parts.Items, 1, who)
	}
}
