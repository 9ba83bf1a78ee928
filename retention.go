package groundwork

import (
	"context"
	"slices"
	"time"
)

// RetentionKind is a kind of what is personal, which is kept for so long as its rule says.
type RetentionKind string

// The kinds, in the order in which they are taken away.
const (
	// KeepReporterIdentity is who a reporter is: what the vault knows, and the account beside what was said. It rests since all that the reporter said rests.
	KeepReporterIdentity RetentionKind = "REPORTER_IDENTITY"
	// KeepOpinionWords are the words of an opinion and its exact place (a kilometre stays). It rests since its issue was closed.
	KeepOpinionWords RetentionKind = "OPINION_WORDS"
	// KeepIssueWords are the title of an issue and all free words of its course: questions, answers, claims, comments, reasons.
	KeepIssueWords RetentionKind = "ISSUE_WORDS"
	// KeepVisitWords are the note of a visit and the reasons of its course. It rests since it was closed out, cancelled or found void, and all issues raised at it rest.
	KeepVisitWords RetentionKind = "VISIT_WORDS"
	// KeepPostWords is what a post says. It rests since its discussion was closed, whose topic and outcome stay.
	KeepPostWords RetentionKind = "POST_WORDS"
	// KeepHistoryReasons are the reasons in the lives of all else: turns, campaigns, tasks, policies, discussions, targets, flags, assessments. They rest since that life ended.
	KeepHistoryReasons RetentionKind = "HISTORY_REASONS"
	// KeepOfficialName is who an official is. It rests since the last post ended.
	KeepOfficialName RetentionKind = "OFFICIAL_NAME"
	// KeepEvidenceFile is a file of evidence; its hash stays. It rests since it was brought last, and all that names it rests: issues, campaigns, and for skills the posts of the official.
	KeepEvidenceFile RetentionKind = "EVIDENCE_FILE"
)

// RetentionKinds lists the kinds.
var RetentionKinds = []RetentionKind{KeepReporterIdentity, KeepOpinionWords, KeepIssueWords, KeepVisitWords, KeepPostWords, KeepHistoryReasons, KeepOfficialName, KeepEvidenceFile}

// RetentionRule says how long a kind is kept after it came to rest.
type RetentionRule struct {
	Kind      RetentionKind
	Months    int
	ChangedAt time.Time
}

// Validate examines a rule that is to be set.
func (r RetentionRule) Validate() error {
	return firstError(
		check(slices.Contains(RetentionKinds, r.Kind), "kind", "%q is no kind of retention; give one of %s", r.Kind, join(RetentionKinds)),
		check(r.Months >= 1 && r.Months <= 1200, "months", "%d months is no period; give 1 to 1200", r.Months),
	)
}

// LegalHold keeps an issue, and those merged into it, as they are, for as long as it stands: a suit, an inquiry, an appeal that runs.
type LegalHold struct {
	PublicRef string
	Reason    string
	PlacedAt  time.Time
	PlacedBy  string
}

// Validate examines a hold that is to be placed.
func (h LegalHold) Validate() error {
	return saysWhy("reason", h.Reason, "it stays on record")
}

// RetentionStore takes away what has been kept long enough. What is counted stays: no figure changes by it.
type RetentionStore interface {
	RetentionRules(ctx context.Context) ([]RetentionRule, error)
	SetRetention(ctx context.Context, r RetentionRule) error
	// RetentionDue counts what of a kind is due at a moment that has passed.
	RetentionDue(ctx context.Context, kind RetentionKind, asOf time.Time) (int64, error)
	// ApplyRetention does one batch of what is due, in one transaction, and says how much; nothing means that nothing is left. A file is counted
	// when it is gone from where the contents are; one that could not be deleted there is tried again by the next run.
	ApplyRetention(ctx context.Context, kind RetentionKind, asOf time.Time) (int, error)
	// DeleteFilesAgain has the next run delete again whatever files were deleted before and nobody brought since, and says how many: their store was restored from a backup.
	DeleteFilesAgain(ctx context.Context) (int64, error)
	LegalHolds(ctx context.Context) ([]LegalHold, error) // those that stand, the latest first
	PlaceHold(ctx context.Context, h LegalHold) error
	LiftHold(ctx context.Context, publicRef string) error
}
