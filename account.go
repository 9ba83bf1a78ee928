package groundwork

import (
	"context"
	"slices"
	"time"

	"github.com/google/uuid"
)

// CodeUnauthenticated says that whoever asks has to prove who it is.
const CodeUnauthenticated Code = "UNAUTHENTICATED"

// RoleBinding lets an account act in a role, for a unit and in region subtrees, for a time. Who the account is, is proven elsewhere (a
// signed token); what it may do stands here, so that to take a role away is one deed, whoever issued the token.
type RoleBinding struct {
	ID         uuid.UUID
	Account    string // the subject of the account's tokens
	Role       Role
	UnitID     *uuid.UUID
	RegionIDs  []uuid.UUID
	OfficialID *uuid.UUID
	ValidFrom  time.Time
	ValidTo    *time.Time // nil = until revoked
	CreatedAt  time.Time
}

// RoleGrant is a role binding as an administrator asks for it.
type RoleGrant struct {
	Account     string
	Role        Role
	Unit        string   // id or name; empty = none
	RegionCodes []string // roots of subtrees
	Official    string   // id or pseudonym; empty = none
	ValidTo     *time.Time
}

// AccountStore keeps what accounts may do.
type AccountStore interface {
	// GrantRole binds an account to a role. CodeInvalid if the unit, a region or the official is unknown or the role needs one that is
	// missing, CodeConflict if the account is bound to this role for this unit already.
	GrantRole(ctx context.Context, by Actor, g RoleGrant) (*RoleBinding, error)
	// RevokeRole ends a binding now; to revoke it again changes nothing. CodeNotFound if there is none.
	RevokeRole(ctx context.Context, by Actor, id uuid.UUID) (*RoleBinding, error)
	RoleBindings(ctx context.Context, account string, p PageRequest) (Page[*RoleBinding], error) // of all accounts if empty; newest first
	BindingsOf(ctx context.Context, account string) ([]RoleBinding, error)                       // those valid now
}

// unitRoles act for a unit: without one they could do nothing.
var unitRoles = []Role{RoleHandler, RoleUnitHead, RoleCaller, RoleAssessor}

// NeedsRegions reports whether the role works in the regions that it is bound to alone: not for a unit, nor by reading what is public.
func (r Role) NeedsRegions() bool {
	return !slices.Contains([]Role{RoleCitizen, RoleHandler, RoleUnitHead, RolePolicyOwner, RoleAnalyst, RoleResearcher, RoleSystem}, r)
}

const maxAccount = 200

// Validate examines a grant, seen at now.
func (g RoleGrant) Validate(now time.Time) error {
	return firstError(
		check(g.Account != "" && len(g.Account) <= maxAccount, "account", "account %q: give the subject of its tokens, 1 to %d bytes", g.Account, maxAccount),
		check(g.Role != RoleSystem, "role", "SYSTEM is the program itself: no account has it"),
		check(g.Role != RoleCitizen, "role", "every account is a CITIZEN: it needs no grant"),
		oneOf("role", g.Role, slices.DeleteFunc(slices.Clone(Roles), func(r Role) bool { return r == RoleSystem || r == RoleCitizen })...),
		check(g.Account != Anonymous.ID && g.Account != System.ID, "account", "account %q is reserved; give another", g.Account),
		check(g.Unit != "" || !slices.Contains(unitRoles, g.Role), "unit", "role %s acts for a unit; name it", g.Role),
		check(g.Official != "" || g.Role != RoleLeader, "official", "role LEADER carries cases and makes visits as an official; name the official"),
		check(g.ValidTo == nil || g.ValidTo.After(now), "validTo", "a grant that has ended already is of no use; give a later time"),
	)
}

// Actor is the account acting under the binding.
func (b RoleBinding) Actor() Actor {
	return Actor{ID: b.Account, Role: b.Role, UnitID: b.UnitID, RegionIDs: b.RegionIDs, OfficialID: b.OfficialID}
}

// ChooseRole picks from the bindings of an account the one that it asks to act under: role and unit may be left open where that
// leaves one. An account without bindings is a citizen, and every account may ask to be one.
func ChooseRole(account string, bindings []RoleBinding, role Role, unit *uuid.UUID) (Actor, error) {
	if role == RoleCitizen || role == "" && unit == nil && len(bindings) == 0 {
		return Actor{ID: account, Role: RoleCitizen}, nil
	}
	var fit []RoleBinding
	for _, b := range bindings {
		if (role == "" || b.Role == role) && (unit == nil || b.UnitID != nil && *b.UnitID == *unit) {
			fit = append(fit, b)
		}
	}
	switch len(fit) {
	case 0:
		return Actor{}, Errorf(CodeForbidden, "account %s is not bound to what it asks to act as (role %s); it has %s", account, orAny(role), namesOf(bindings))
	case 1:
		return fit[0].Actor(), nil
	}
	if role != "" {
		return Actor{}, Errorf(CodeForbidden, "account %s may act as %s for any of the units %s; say for which by the header Groundwork-Unit", account, role, boundUnits(fit))
	}
	return Actor{}, Errorf(CodeForbidden, "account %s may act as any of %s; say which by the headers Groundwork-Role and Groundwork-Unit", account, namesOf(fit))
}

func orAny(r Role) Role {
	if r == "" {
		return "any"
	}
	return r
}

func boundUnits(bindings []RoleBinding) string {
	var units []string
	for _, b := range bindings {
		if b.UnitID != nil {
			units = append(units, b.UnitID.String())
		} else {
			units = append(units, "none")
		}
	}
	return join(units)
}

func namesOf(bindings []RoleBinding) string {
	roles := []Role{RoleCitizen}
	for _, b := range bindings {
		if !slices.Contains(roles, b.Role) {
			roles = append(roles, b.Role)
		}
	}
	return join(roles)
}
