package groundwork

import (
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
)

// Ability is one of the seven abilities that officials are trained in.
type Ability string

// The seven abilities.
const (
	AbilityPolitical Ability = "POLITICAL"
	AbilityResearch  Ability = "RESEARCH"
	AbilityDecision  Ability = "DECISION"
	AbilityReform    Ability = "REFORM"
	AbilityEmergency Ability = "EMERGENCY"
	AbilityMassWork  Ability = "MASS_WORK"
	AbilityExecution Ability = "EXECUTION"
)

// Abilities lists all abilities.
var Abilities = []Ability{AbilityPolitical, AbilityResearch, AbilityDecision, AbilityReform, AbilityEmergency, AbilityMassWork, AbilityExecution}

// The levels of an ability.
const (
	LowestLevel  = 1
	HighestLevel = 5
)

// SkillRecord is what an assessor from outside found of an official's ability on a day. It is never changed: a later one follows. Only
// the official, assessors and supervisors see it.
type SkillRecord struct {
	ID                 uuid.UUID
	OfficialID         uuid.UUID
	Ability            Ability
	Level              int        // 1 to 5
	Evidence           string     // what it rests on: a reference, such as sha256:… of an uploaded file
	AssessorUnitID     uuid.UUID  // the unit that the assessor acts for
	AssessorOfficialID *uuid.UUID // the assessor, if an official
	At                 time.Time
	CreatedAt          time.Time
}

// Validate examines a new record, seen at now.
func (s SkillRecord) Validate(now time.Time) error {
	return firstError(
		oneOf("ability", s.Ability, Abilities...),
		check(s.Level >= LowestLevel && s.Level <= HighestLevel, "level", "level %d: give %d to %d", s.Level, LowestLevel, HighestLevel),
		check(strings.TrimSpace(s.Evidence) != "", "evidence", "a level rests on evidence: refer to it, such as sha256:… of an uploaded file"),
		check(!s.At.After(now), "at", "%s lies in the future; give a time up to now", s.At.Format(time.RFC3339)),
	)
}

// SkillFacts are what the guards need to know beyond the record.
type SkillFacts struct {
	Held     bool // the official holds a post on that day
	Inside   bool // the assessor's unit, or one in which the assessor holds a post on that day, is a unit of the official or lies below
	Uploaded bool // the file that the evidence refers to was uploaded, if it refers to one
}

// AssessedBy examines who assesses: an assessor, for a unit outside of the official's, and never oneself.
func (s SkillRecord) AssessedBy(by Actor, f SkillFacts) error {
	switch {
	case by.Role != RoleAssessor:
		return Errorf(CodeForbidden, "skills are assessed by %s, not by %s", RoleAssessor, by.Role)
	case by.UnitID == nil:
		return Errorf(CodeForbidden, "an assessor acts for a unit; this account is bound to none")
	case by.OfficialID != nil && *by.OfficialID == s.OfficialID:
		return Errorf(CodeForbidden, "nobody assesses oneself")
	case !f.Held:
		return Invalid("officialId", "the official holds no post on %s; assess officials in office", DayOf(s.At))
	case f.Inside:
		return Errorf(CodeForbidden, "the assessor belongs to the official's unit or one below it: somebody from outside assesses")
	}
	return check(f.Uploaded, "evidence", "no file %s was uploaded; put it to /files first", s.Evidence)
}

// UploadedEvidence is the hash of the file that the record refers to, empty if it refers to something else.
func (s SkillRecord) UploadedEvidence() string {
	hashes := uploaded([]string{s.Evidence})
	if len(hashes) == 0 {
		return ""
	}
	return hashes[0]
}

// SeesAllSkills reports whether the role sees the skills and trainings of others; everybody sees the own.
func SeesAllSkills(r Role) bool { return r == RoleAssessor || r == RoleSupervisor }

// Training is a course in an ability.
type Training struct {
	ID        uuid.UUID
	Title     string
	Ability   Ability
	UnitID    uuid.UUID // who holds it
	StartsOn  time.Time // first day
	EndsOn    time.Time // last day
	CreatedAt time.Time
}

// Validate examines a new course.
func (t Training) Validate() error {
	return firstError(
		check(strings.TrimSpace(t.Title) != "", "title", "a training needs a title"),
		oneOf("ability", t.Ability, Abilities...),
		check(!t.StartsOn.IsZero(), "startsOn", "a training needs its first day"),
		check(!t.EndsOn.Before(t.StartsOn), "endsOn", "the last day lies before the first"),
	)
}

// TrainingParticipation says that an official took part in a training, and whether to its end. It is noted once, when it is over.
type TrainingParticipation struct {
	ID         uuid.UUID
	TrainingID uuid.UUID
	OfficialID uuid.UUID
	Completed  bool
	CreatedAt  time.Time
}

// NotedBy examines a participation: the training is over at now, and nobody notes the own.
func (p TrainingParticipation) NotedBy(by Actor, t Training, now time.Time) error {
	if by.OfficialID != nil && *by.OfficialID == p.OfficialID {
		return Errorf(CodeForbidden, "nobody notes an own participation")
	}
	return check(t.EndsOn.Format(time.DateOnly) < DayOf(now), "trainingId", "the training lasts until %s; note who took part when it is over", t.EndsOn.Format(time.DateOnly))
}

// skillReaders see all, wherever it lies, or what is their own: who finds a level compares it with what others found.
func skillReaders() map[Role]Scope {
	own := slices.DeleteFunc(slices.Clone(workers), SeesAllSkills)
	return and(grants(Own, own...), grants(Anywhere, RoleAssessor, RoleSupervisor))
}

// skillOperations are those on skills and trainings. A record lies where the official holds a post on its day, a course and who took part
// in it where the unit lies that holds it: there an assessor must be bound to write.
var skillOperations = []Operation{
	{"skillRecord", skillReaders()}, {"skillRecords", skillReaders()}, {"trainingParticipations", skillReaders()},
	{"training", grants(Anywhere, append(slices.Clone(workers), RoleSystem)...)}, {"trainings", grants(Anywhere, append(slices.Clone(workers), RoleSystem)...)},
	{"assessSkill", grants(InRegion, RoleAssessor)},
	{"announceTraining", grants(InRegion, RoleAssessor)},
	{"recordTrainingParticipation", grants(InRegion, RoleAssessor)},
}
