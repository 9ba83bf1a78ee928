package groundwork

import (
	"github.com/google/uuid"
)

// Subject is who is aimed for, flagged or assessed: a unit, or an official in a post of it. The unit and the official are those of the
// post, frozen when the thing was made. All nil where a thing has no subject.
type Subject struct {
	SubjectUnitID     *uuid.UUID // the unit, or that of the post
	SubjectPostID     *uuid.UUID // nil: the unit as a whole
	SubjectOfficialID *uuid.UUID // who holds or held the post
}

// Validate examines a subject as it is asked for: one of unit and post.
func (s Subject) Validate() error {
	return check((s.SubjectUnitID == nil) != (s.SubjectPostID == nil), "subject", "give a unit or a post, one of both")
}

// None reports whether there is no subject.
func (s Subject) None() bool { return s.SubjectUnitID == nil && s.SubjectPostID == nil }

// Is reports whether the actor is the subject: the official in the post, or the head of the unit.
func (s Subject) Is(a Actor) bool {
	if s.SubjectPostID != nil {
		return a.OfficialID != nil && s.SubjectOfficialID != nil && *a.OfficialID == *s.SubjectOfficialID
	}
	return a.Role == RoleUnitHead && a.UnitID != nil && s.SubjectUnitID != nil && *a.UnitID == *s.SubjectUnitID
}

// SeenBy reports whether the actor may see what is said of the subject: figures, flags and assessments of persons and units are for the
// subject, for assessors and for supervisors alone.
func (s Subject) SeenBy(a Actor) bool {
	switch a.Role {
	case RoleAssessor, RoleSupervisor, RoleSystem:
		return true
	default:
		return s.Is(a)
	}
}

// name is how messages call the subject.
func (s Subject) name() string {
	if s.SubjectPostID != nil {
		return "post " + s.SubjectPostID.String()
	}
	if s.SubjectUnitID != nil {
		return "unit " + s.SubjectUnitID.String()
	}
	return "nobody"
}

// SubjectFilter narrows lists of what belongs to subjects; zero fields do not narrow.
type SubjectFilter struct {
	UnitIDs     []uuid.UUID // of these units, and of posts in them
	PostIDs     []uuid.UUID
	OfficialIDs []uuid.UUID
	SeenBy      *Actor // only what this actor may see
}

// fromOutside asks that the actor acts for a unit outside that of the subject: neither it nor one below. outside says so of units, as the
// store knows them.
func (s Subject) fromOutside(a Actor, outside bool, what string) error {
	if a.UnitID == nil {
		return Errorf(CodeForbidden, "whoever %s acts for a unit, outside that of %s; name the unit that you act for", what, s.name())
	}
	if !outside || s.Is(a) {
		return Errorf(CodeForbidden, "%s belongs to your unit or one above it: whoever %s comes from another", s.name(), what)
	}
	return nil
}
