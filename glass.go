package groundwork

import (
	"context"
	"slices"
	"time"

	"github.com/google/uuid"
)

// GlassOpen is for how long a broken glass lets through.
const GlassOpen = 24 * time.Hour

// Glass was broken: an account that may not see a confidential opinion, or what is confidential in an issue, opened it with a reason. It closes by
// itself, and the privacy officer, who is told, may close it earlier.
type Glass struct {
	ID        uuid.UUID
	OpinionID *uuid.UUID
	IssueID   *uuid.UUID
	Account   string
	Role      Role
	Reason    string
	OpenedAt  time.Time
	ExpiresAt time.Time
	RevokedAt *time.Time
	RevokedBy *string
}

// Open reports whether it lets through at a moment.
func (g Glass) Open(at time.Time) bool { return g.RevokedAt == nil && at.Before(g.ExpiresAt) }

// MayBreakGlass reports whether a role may: those who work here under a name of their own, but not on what is published alone.
func MayBreakGlass(r Role) bool { return slices.Contains(workers, r) || r == RoleAnalyst }

// PlanGlass examines the wish to break a glass at now.
func PlanGlass(by Actor, g Glass, now time.Time) (Glass, error) {
	if !MayBreakGlass(by.Role) {
		return g, Errorf(CodeForbidden, "role %s breaks no glass", by.Role)
	}
	if err := firstError(
		check((g.OpinionID == nil) != (g.IssueID == nil), "opinionId", "give either opinionId or issueId"),
		CheckPurpose("reason", g.Reason),
	); err != nil {
		return g, err
	}
	g.Account, g.Role, g.OpenedAt, g.ExpiresAt = by.ID, by.Role, now, now.Add(GlassOpen)
	return g, nil
}

// GlassStore keeps which glasses were broken.
type GlassStore interface {
	// BreakGlass opens a confidential thing for the actor in its role, and tells the privacy officer.
	BreakGlass(ctx context.Context, by Actor, g Glass) (*Glass, Receipt, error)
	// RevokeGlass closes one before its time; one that is closed stays as it is.
	RevokeGlass(ctx context.Context, by Actor, id uuid.UUID) (*Glass, Receipt, error)
	// Glasses lists the latest first.
	Glasses(ctx context.Context, openOnly bool, p PageRequest) (Page[*Glass], error)
	// GlassesOpen says which of the opinions, and of the issues, are open to the actor now by a broken glass.
	GlassesOpen(ctx context.Context, by Actor, ids []uuid.UUID) (map[uuid.UUID]bool, error)
}

// vaultOperations are those on identities and on what was opened by breaking the glass.
var vaultOperations = []Operation{
	{"readContact", and(grants(InRegion, RolePrivacyOfficer), grants(OfUnit, RoleHandler, RoleUnitHead), grants(Own, RoleIntake, RoleLeader, RoleCaller))},
	{"nameOfficial", grants(Anywhere, RoleSystem)},
	{"readOfficialNames", and(grants(Own, RoleLeader), grants(Anywhere, RoleSupervisor, RoleAssessor, RolePrivacyOfficer, RoleSystem))},
	{"breakGlass", grants(Anywhere, append(slices.Clone(workers), RoleAnalyst)...)},
	{"brokenGlasses", grants(Anywhere, RolePrivacyOfficer)}, {"revokeGlass", grants(Anywhere, RolePrivacyOfficer)},
	{"rateLimit", everybody()},
}
