package model

import (
	"github.com/google/uuid"

	"groundwork"
)

// Node is anything that can be read again by its id.
type Node interface{ IsNode() }

// The nouns of the domain under their global ids. A conversion between a noun and its type here costs nothing.
type (
	Region          groundwork.Region
	Site            groundwork.Site
	Category        groundwork.Category
	OrgUnit         groundwork.OrgUnit
	DispatchRule    groundwork.DispatchRule
	Official        groundwork.Official
	PostHolding     groundwork.PostHolding
	Visit           groundwork.Visit
	Opinion         groundwork.Opinion
	Issue           groundwork.Issue
	IssueEvent      groundwork.Event
	EntityEvent     groundwork.EntityEvent
	Claim           groundwork.Claim
	Feedback        groundwork.Feedback
	CallbackAttempt groundwork.CallbackAttempt
)

// The names of the types in global ids.
const (
	TypeRegion      = "Region"
	TypeSite        = "Site"
	TypeCategory    = "Category"
	TypeOrgUnit     = "OrgUnit"
	TypeOfficial    = "Official"
	TypePostHolding = "PostHolding"
	TypeVisit       = "Visit"
	TypeOpinion     = "Opinion"
	TypeIssue       = "Issue"
)

func (*Region) IsNode()      {}
func (*Site) IsNode()        {}
func (*Category) IsNode()    {}
func (*OrgUnit) IsNode()     {}
func (*Official) IsNode()    {}
func (*PostHolding) IsNode() {}
func (*Visit) IsNode()       {}
func (*Opinion) IsNode()     {}
func (*Issue) IsNode()       {}

// GlobalID and its like are what the API calls id.
func (r *Region) GlobalID() ID          { return ID{TypeRegion, r.ID} }
func (s *Site) GlobalID() ID            { return ID{TypeSite, s.ID} }
func (c *Category) GlobalID() ID        { return ID{TypeCategory, c.ID} }
func (u *OrgUnit) GlobalID() ID         { return ID{TypeOrgUnit, u.ID} }
func (r *DispatchRule) GlobalID() ID    { return ID{"DispatchRule", r.ID} }
func (o *Official) GlobalID() ID        { return ID{TypeOfficial, o.ID} }
func (h *PostHolding) GlobalID() ID     { return ID{TypePostHolding, h.ID} }
func (v *Visit) GlobalID() ID           { return ID{TypeVisit, v.ID} }
func (o *Opinion) GlobalID() ID         { return ID{TypeOpinion, o.ID} }
func (i *Issue) GlobalID() ID           { return ID{TypeIssue, i.ID} }
func (c *Claim) GlobalID() ID           { return ID{"Claim", c.ID} }
func (f *Feedback) GlobalID() ID        { return ID{"Feedback", f.ID} }
func (a *CallbackAttempt) GlobalID() ID { return ID{"CallbackAttempt", a.ID} }

// PausedHours is the net clock's standstill so far, in hours.
func (i *Issue) PausedHours() float64 { return float64(i.PausedSeconds) / 3600 }

// IDOf is the global id of what may be absent.
func IDOf(kind string, id *uuid.UUID) *ID {
	if id == nil {
		return nil
	}
	return &ID{kind, *id}
}

// ActorRole is the role in which somebody did it.
func (e *EntityEvent) ActorRole() groundwork.Role { return e.Actor.Role }

// ActorRole is the role in which somebody did it.
func (e *IssueEvent) ActorRole() groundwork.Role { return e.Actor.Role }
