package groundwork

import (
	"context"

	"github.com/google/uuid"
)

// PolicyStore keeps policies, their versions, and the changes that lead from evidence to a new version.
type PolicyStore interface {
	Policies(ctx context.Context, f PolicyFilter, p PageRequest) (Page[*Policy], error) // ordered by title
	PoliciesByID(ctx context.Context, ids []uuid.UUID) (map[uuid.UUID]*Policy, error)
	PolicyVersionsByID(ctx context.Context, ids []uuid.UUID) (map[uuid.UUID]*PolicyVersion, error)
	PolicyVersionsOf(ctx context.Context, policyIDs []uuid.UUID, limit int) (map[uuid.UUID][]*PolicyVersion, error) // by n descending
	CreatePolicy(ctx context.Context, by Actor, p Policy, first PolicyVersion) (*Policy, Receipt, error)
	// RevisePolicyVersion corrects a version that is not yet in effect.
	RevisePolicyVersion(ctx context.Context, by Actor, v PolicyVersion) (*PolicyVersion, Receipt, error)

	PolicyChanges(ctx context.Context, f PolicyChangeFilter, p PageRequest) (Page[*PolicyChange], error) // ordered by proposed_at descending
	PolicyChangesByID(ctx context.Context, ids []uuid.UUID) (map[uuid.UUID]*PolicyChange, error)
	RolloutsOf(ctx context.Context, changeIDs []uuid.UUID) (map[uuid.UUID][]*PolicyRollout, error)                // by day, region
	EvidenceLinksOf(ctx context.Context, changeIDs []uuid.UUID, limit int) (map[uuid.UUID][]*EvidenceLink, error) // by evidence_at
	EvaluationsOf(ctx context.Context, changeIDs []uuid.UUID) (map[uuid.UUID]*PolicyEvaluation, error)
	ProposePolicyChange(ctx context.Context, p PolicyProposal) (*PolicyChange, Receipt, error)
	StepPolicyChange(ctx context.Context, s PolicyStep) (*PolicyChange, Receipt, error)
}

// PolicyFilter narrows a list of policies; zero fields do not narrow.
type PolicyFilter struct {
	OwnerUnitIDs []uuid.UUID
	Under        *uuid.UUID // holds in a region of this subtree
	Title        string     // part of the title
}

// PolicyChangeFilter narrows a list of changes.
type PolicyChangeFilter struct {
	PolicyIDs    []uuid.UUID
	States       []PolicyChangeState
	OwnerUnitIDs []uuid.UUID
	Proposed     TimeRange
	Evidence     EvidenceTarget // rests on this, if one is given
	ToEvaluate   *bool          // adopted, and the registered window is over
}
