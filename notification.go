package groundwork

import (
	"context"
	"time"

	"github.com/google/uuid"
)

// NotificationKind is what somebody is told.
type NotificationKind string

// What somebody is told.
const (
	ToldEscalated    NotificationKind = "ESCALATED"         // an issue was raised to the next rank
	ToldUrged        NotificationKind = "URGED_TO_WITHDRAW" // a reporter was urged to withdraw
	ToldPlanProposed NotificationKind = "PLAN_PROPOSED"     // a plan waits for approval
	ToldPlanEnded    NotificationKind = "PLAN_ENDED"        // a plan passed its review without having been renewed
	ToldAccepted     NotificationKind = "AUTO_ACCEPTED"     // a unit kept silent and so accepted
	ToldGlassBroken  NotificationKind = "GLASS_BROKEN"      // somebody opened what is confidential
)

// Notification tells those who have a role, in a unit, of a rank or for a region, of an event of an issue. Each event is told once.
type Notification struct {
	ID       uuid.UUID
	Kind     NotificationKind
	IssueID  *uuid.UUID // nil where a glass was broken
	IssueSeq *int
	GlassID  *uuid.UUID
	RegionID *uuid.UUID
	ToRole   Role
	ToUnitID *uuid.UUID // nil = whoever has the role for the region
	ToRank   *Rank
	Reason   *string // code of an escalation
	At       time.Time
	ReadAt   *time.Time
	ReadBy   *string
}

// NotificationStore keeps what people are told.
type NotificationStore interface {
	// Notifications lists what the actor is told, the latest first.
	Notifications(ctx context.Context, to Actor, unreadOnly bool, p PageRequest) (Page[*Notification], error)
	// ReadNotifications marks those of ids that are for the actor as read, and returns them.
	ReadNotifications(ctx context.Context, by Actor, ids []uuid.UUID) ([]*Notification, Receipt, error)
}

// ranksUpward are the ranks in the order in which an issue is raised.
var ranksUpward = []Rank{RankSection, RankTownship, RankCounty, RankPrefecture, RankProvincial}

// NotificationOf returns whom the event of an issue is told, nil if nobody. i stands as it does after the event.
func NotificationOf(i *Issue, e Event) *Notification {
	n := Notification{IssueID: &i.ID, IssueSeq: &e.Seq, RegionID: i.RegionID, ToRole: RoleSupervisor, At: e.At}
	bySystem := e.Actor.Role == RoleSystem
	switch {
	case e.Kind == EventEscalated:
		n.Kind, n.Reason = ToldEscalated, e.ReasonCode
		n.raise(i)
	case e.Kind == EventWithdrawn && e.Payload["pressured"] == "YES":
		n.Kind = ToldUrged
	case e.Kind == EventProposed:
		n.Kind = ToldPlanProposed
	case e.Kind == EventUnplanned && bySystem:
		n.Kind = ToldPlanEnded
		n.toHead(i)
	case e.Kind == EventAccepted && bySystem:
		n.Kind = ToldAccepted
		n.toHead(i)
	default:
		return nil
	}
	return &n
}

// raise addresses an escalation: first the head of the unit in charge, then the leading officials of the region, one rank higher each
// time; the supervisors where no unit is in charge.
func (n *Notification) raise(i *Issue) {
	if i.LeadUnitID == nil {
		return
	}
	n.ToRank = &ranksUpward[min(i.EscalationLevel, len(ranksUpward))-1]
	if *n.ToRank == RankSection {
		n.toHead(i)
		return
	}
	n.ToRole = RoleLeader
}

func (n *Notification) toHead(i *Issue) { n.ToRole, n.ToUnitID = RoleUnitHead, i.LeadUnitID }
