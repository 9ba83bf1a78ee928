package groundwork

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
)

// DiscussionState is where a discussion stands.
type DiscussionState string

// The states of a discussion.
const (
	DiscussionOpen   DiscussionState = "OPEN"
	DiscussionClosed DiscussionState = "CLOSED"
)

// Discussion is a matter that is talked over on the front line, at a visit or after it, and online.
type Discussion struct {
	ID        uuid.UUID
	VisitID   *uuid.UUID
	RegionID  uuid.UUID // uuid.Nil in a new one = that of the visit's site
	Topic     string
	State     DiscussionState
	OpenedAt  time.Time
	ClosedAt  *time.Time
	Outcome   *string
	Version   int
	CreatedAt time.Time
}

// Validate examines a new discussion.
func (d Discussion) Validate() error {
	return firstError(
		check(strings.TrimSpace(d.Topic) != "", "topic", "a discussion needs a topic"),
		check(d.RegionID != uuid.Nil || d.VisitID != nil, "regionId", "say where: give a region, or the visit"),
	)
}

// PostKind is what a post in a discussion is.
type PostKind string

// The kinds of posts.
const (
	PostProposal  PostKind = "PROPOSAL"
	PostQuestion  PostKind = "QUESTION"
	PostAnswer    PostKind = "ANSWER"
	PostObjection PostKind = "OBJECTION"
)

// DiscussionPost is what somebody says in a discussion: a citizen, under a pseudonym, or somebody in office.
type DiscussionPost struct {
	ID           uuid.UUID
	DiscussionID uuid.UUID
	Kind         PostKind
	Text         string
	ReplyToID    *uuid.UUID
	AuthorPID    *uuid.UUID // of a citizen
	AuthorRole   Role
	AuthorUnitID *uuid.UUID // of somebody in office
	At           time.Time
	CreatedAt    time.Time
	Supports     int // by how many citizens

	WithheldAt     *time.Time `json:",omitempty"` // its words are shown to those alone who may withhold
	WithheldReason *string    `json:",omitempty"` // for everybody
	RedactedAt     *time.Time `json:",omitempty"` // when its words were taken away, as the rules of retention say; nil = they stand
}

// maxPost bounds a post, in characters.
const maxPost = 5000

// Validate examines a new post.
func (p DiscussionPost) Validate() error {
	return firstError(
		oneOf("kind", p.Kind, PostProposal, PostQuestion, PostAnswer, PostObjection),
		check(strings.TrimSpace(p.Text) != "", "text", "a post says something: give its text"),
		check(len([]rune(p.Text)) <= maxPost, "text", "a post has at most %d characters", maxPost),
		check(p.Kind != PostAnswer || p.ReplyToID != nil, "replyToId", "an answer names the question"),
	)
}

// PostFacts are what the guards need to know beyond the post.
type PostFacts struct {
	State   DiscussionState
	ReplyTo *DiscussionPost // nil = there is none of this discussion
}

// PostedBy examines who posts: citizens who can be told apart, and those in office; answers are theirs.
func (p DiscussionPost) PostedBy(by Actor, f PostFacts) error {
	switch {
	case f.State != DiscussionOpen:
		return Errorf(CodeTransition, "the discussion is closed")
	case by.Role != RoleCitizen && !slices.Contains(posters(), by.Role):
		return Errorf(CodeForbidden, "a discussion is for citizens and %s, not for %s", join(posters()), by.Role)
	case by.Role == RoleCitizen && p.Kind == PostAnswer:
		return Errorf(CodeForbidden, "answers are given by those in office; post a proposal or an objection")
	case by.Role == RoleCitizen && p.AuthorPID == nil:
		return unknownCitizen()
	case p.ReplyToID != nil && f.ReplyTo == nil:
		return Invalid("replyToId", "discussion post %s is none of this discussion; give one of it", p.ReplyToID)
	}
	return check(p.Kind != PostAnswer || f.ReplyTo.Kind == PostQuestion, "replyToId", "an answer replies to a question, not to a post of kind %s", kindOf(f.ReplyTo))
}

func kindOf(p *DiscussionPost) PostKind {
	if p == nil {
		return ""
	}
	return p.Kind
}

func unknownCitizen() error {
	return Errorf(CodeForbidden, "without an account nobody knows one person from another; sign in, or give the secret of an opinion of yours")
}

// SupportedBy examines a support: by a citizen who can be told apart and is not the author, while the discussion is open.
func (p DiscussionPost) SupportedBy(by Actor, pid *uuid.UUID, state DiscussionState) error {
	switch {
	case by.Role != RoleCitizen:
		return Errorf(CodeForbidden, "citizens support a post, not role %s", by.Role)
	case state != DiscussionOpen:
		return Errorf(CodeTransition, "the discussion is closed")
	case pid == nil:
		return unknownCitizen()
	case p.AuthorPID != nil && *p.AuthorPID == *pid:
		return Errorf(CodeForbidden, "others support a post, not its author")
	}
	return nil
}

// The steps of a discussion.
const (
	DiscussionOpened = "OPENED"
	DiscussionEnded  = "CLOSED"
)

// What may be done to a post: nobody changes it or takes it away.
const (
	PostWithheld = "WITHHELD"
	PostRestored = "RESTORED"
)

// PostStep asks to withhold a post, or to show it again. The reason is for everybody.
type PostStep struct {
	Actor  Actor
	PostID uuid.UUID
	Kind   string
	Reason string
}

// Plan examines a step of the post.
func (p DiscussionPost) Plan(s PostStep) error {
	switch {
	case s.Actor.Role != RoleSupervisor && s.Actor.Role != RoleSystem:
		return Errorf(CodeForbidden, "posts are withheld by supervisors, not by role %s", s.Actor.Role)
	case s.Kind == PostWithheld && p.WithheldAt != nil:
		return Errorf(CodeTransition, "the post is withheld already")
	case s.Kind == PostRestored && p.WithheldAt == nil:
		return Errorf(CodeTransition, "the post is not withheld")
	}
	return saysWhy("reason", s.Reason, "everybody reads it")
}

// DiscussionStep asks to move a discussion along its life.
type DiscussionStep struct {
	Deed
	DiscussionID uuid.UUID
	Kind         string
	Outcome      string // CLOSED
}

// DiscussionFacts are what the guards need to know beyond the discussion.
type DiscussionFacts struct {
	Now        time.Time
	Last       time.Time
	Unanswered int // questions without an answer
}

// DiscussionAttempt is a step of a discussion under examination.
type DiscussionAttempt struct {
	Discussion *Discussion
	Step       DiscussionStep
	Facts      DiscussionFacts
}

// hosts are the roles that lead discussions.
var hosts = []Role{RoleIntake, RoleUnitHead, RoleLeader, RoleSupervisor, RoleCampaignLead, RolePolicyOwner}

// DiscussionLife is the life of a discussion.
var DiscussionLife = Life[DiscussionAttempt]{Noun: "discussion", Moves: []Move[DiscussionAttempt]{
	{Kind: DiscussionOpened, To: "OPEN", Roles: hosts, Asks: "a topic, and a region or a visit"},
	{Kind: DiscussionEnded, From: []string{"OPEN"}, To: "CLOSED", Roles: hosts, Asks: "the outcome in words; each question has an answer",
		Effect: "nobody posts or supports any more", Guards: []func(DiscussionAttempt) error{hasOutcome, allAnswered}},
}}

// DiscussionMachine shows the life of a discussion.
func DiscussionMachine() Machine { return DiscussionLife.Machine() }

// Plan examines a step of a discussion. It returns the step with its time, and the row of the life by which it goes.
func (d *Discussion) Plan(s DiscussionStep, f DiscussionFacts) (DiscussionStep, Move[DiscussionAttempt], error) {
	const name = "the discussion"
	deed, err := s.Settle(name, d.Version, f.Last, f.Now)
	if err != nil {
		return s, Move[DiscussionAttempt]{}, err
	}
	s.Deed = deed
	move, err := DiscussionLife.Take(DiscussionAttempt{d, s, f}, s.Kind, string(d.State), s.Actor.Role, name)
	return s, move, err
}

func hasOutcome(a DiscussionAttempt) error {
	return check(strings.TrimSpace(a.Step.Outcome) != "", "outcome", "say what came of the discussion")
}

func allAnswered(a DiscussionAttempt) error {
	if a.Facts.Unanswered > 0 {
		return Errorf(CodeTransition, "questions with no answer: %d; answer them first, if only to say that nobody knows", a.Facts.Unanswered)
	}
	return nil
}

// DiscussionStore keeps discussions. Posts and supports of citizens without an account rest on the secret of an opinion of theirs.
type DiscussionStore interface {
	OpenDiscussion(ctx context.Context, d Deed, made Discussion) (*Discussion, Receipt, error)
	CloseDiscussion(ctx context.Context, s DiscussionStep) (*Discussion, Receipt, error)
	Discussions(ctx context.Context, f DiscussionFilter, p PageRequest) (Page[*Discussion], error) // the latest opened first
	DiscussionsByID(ctx context.Context, ids []uuid.UUID) (map[uuid.UUID]*Discussion, error)

	PostToDiscussion(ctx context.Context, by Actor, p DiscussionPost, secret string) (*DiscussionPost, Receipt, error)
	// SupportPost adds the citizen's support, once: again, it changes nothing.
	SupportPost(ctx context.Context, by Actor, post uuid.UUID, secret string) (*DiscussionPost, Receipt, error)
	// StepPost withholds a post, or shows it again. What was said stays in the record, and its history says who did it.
	StepPost(ctx context.Context, s PostStep) (*DiscussionPost, Receipt, error)
	DiscussionPosts(ctx context.Context, f PostFilter, p PageRequest) (Page[*DiscussionPost], error) // the earliest first
	DiscussionPostsByID(ctx context.Context, ids []uuid.UUID) (map[uuid.UUID]*DiscussionPost, error)
}

// DiscussionFilter narrows a list of discussions.
type DiscussionFilter struct {
	Under    *uuid.UUID // in this region or below
	VisitIDs []uuid.UUID
	States   []DiscussionState
}

// PostFilter narrows a list of posts.
type PostFilter struct {
	DiscussionIDs []uuid.UUID
	Kinds         []PostKind
}

// discussionOperations are those on discussions.
var discussionOperations = []Operation{
	{"discussion", everybody()}, {"discussions", everybody()}, {"discussionPosts", everybody()},
	{"openDiscussion", grants(InRegion, DiscussionLife.RolesOf(DiscussionOpened)...)},
	{"closeDiscussion", grants(InRegion, DiscussionLife.RolesOf(DiscussionEnded)...)},
	{"postToDiscussion", and(grants(Public, RoleCitizen), grants(InRegion, posters()...))},
	{"supportPost", grants(Public, RoleCitizen)},
	{"withholdPost", grants(InRegion, RoleSupervisor)}, {"restorePost", grants(InRegion, RoleSupervisor)},
}

// posters are those in office who post: whoever leads discussions, and those who work on what is asked.
func posters() []Role { return slices.Concat(hosts, []Role{RoleHandler}) }
