package groundwork

import (
	"context"
	"net/netip"

	"github.com/google/uuid"
)

// Role is what somebody may do here.
type Role string

// The roles.
const (
	RoleCitizen        Role = "CITIZEN"
	RoleIntake         Role = "INTAKE"
	RoleDispatcher     Role = "DISPATCHER"
	RoleHandler        Role = "HANDLER"
	RoleUnitHead       Role = "UNIT_HEAD"
	RoleLeader         Role = "LEADER"
	RoleSupervisor     Role = "SUPERVISOR"
	RoleCaller         Role = "CALLER"
	RoleCampaignLead   Role = "CAMPAIGN_LEAD"
	RolePolicyOwner    Role = "POLICY_OWNER"
	RoleAssessor       Role = "ASSESSOR"
	RoleAnalyst        Role = "ANALYST"
	RoleResearcher     Role = "RESEARCHER"
	RolePrivacyOfficer Role = "PRIVACY_OFFICER"
	RoleSystem         Role = "SYSTEM"
)

// Roles lists all roles in the order in which tables show them.
var Roles = []Role{
	RoleCitizen, RoleIntake, RoleDispatcher, RoleHandler, RoleUnitHead, RoleLeader, RoleSupervisor, RoleCaller, RoleCampaignLead,
	RolePolicyOwner, RoleAssessor, RoleAnalyst, RoleResearcher, RolePrivacyOfficer, RoleSystem,
}

// Actor is who does something: an account, the role it acts in and what that role is bound to.
type Actor struct {
	ID         string
	Role       Role
	UnitID     *uuid.UUID  // the unit it acts for, of roles within units
	RegionIDs  []uuid.UUID // roots of the region subtrees that the role is bound to; none = it reaches no region
	Everywhere bool        `json:",omitempty"` // bound to no region and so reaching all: of the system, and where nobody has to prove who they are
	OfficialID *uuid.UUID  // the official behind the account, of LEADER and others who hold posts
	Via        Request     `json:"-"` // not part of who somebody is
}

// Caller names whom to count what is asked by: the account; without one the network that the request came from, which is an IPv4 address, or the first 64
// bits of an IPv6 address, of which one subscriber has all the rest.
func (a Actor) Caller() string {
	if a.ID != Anonymous.ID {
		return a.ID
	}
	ip, err := netip.ParseAddr(a.Via.Address)
	if err != nil {
		return a.Via.Address
	}
	if ip = ip.Unmap().WithZone(""); ip.Is4() {
		return ip.String()
	}
	prefix, _ := ip.Prefix(64) // an IPv6 address has 128 bits
	return prefix.String()
}

// Request is by which request an actor does something. It enters the audit, never a rule.
type Request struct {
	ClientMutationID string // given again by the same actor, the request is answered again and not done again
	ID               string // of the request in the log
	Address          string // where it came from
	Purpose          string // why, where a reason must be given beside the step's own
}

type actorKey struct{}

// WithActor returns a context that says who asks.
func WithActor(ctx context.Context, a Actor) context.Context {
	return context.WithValue(ctx, actorKey{}, a)
}

type requestKey struct{}

// WithRequest returns a context that says from where something is asked, and why.
func WithRequest(ctx context.Context, r Request) context.Context {
	return context.WithValue(ctx, requestKey{}, r)
}

// ActorFrom returns who asks, and by which request: an anonymous citizen, unless the context says otherwise.
func ActorFrom(ctx context.Context) Actor {
	a, ok := ctx.Value(actorKey{}).(Actor)
	if !ok {
		a = Anonymous
	}
	if via, ok := ctx.Value(requestKey{}).(Request); ok {
		a.Via = via
	}
	return a
}

// Anonymous is who asks without an account.
var Anonymous = Actor{ID: "anonymous", Role: RoleCitizen}

// System is who does what time brings about.
var System = Actor{ID: "system", Role: RoleSystem, Everywhere: true}
