package groundwork

import "github.com/google/uuid"

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

// Actor is who does something: an account, the role it acts in and, for officials, its unit.
type Actor struct {
	ID     string
	Role   Role
	UnitID *uuid.UUID
}
