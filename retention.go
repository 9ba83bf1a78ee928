package groundwork

import (
	"context"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// RetentionKind is a kind of what is personal, which is kept for so long as its rule says.
type RetentionKind string

// The kinds, in the order in which they are taken away.
const (
	// KeepReporterIdentity is who a reporter is: what the vault knows, and the account beside what was said. It rests since all that the reporter said rests.
	KeepReporterIdentity RetentionKind = "REPORTER_IDENTITY"
	// KeepOpinionWords are the words of an opinion and its exact place (a kilometre stays). It rests since its issue was closed.
	KeepOpinionWords RetentionKind = "OPINION_WORDS"
	// KeepIssueWords are the title of an issue and all free words of its course: questions, answers, claims, comments.
	KeepIssueWords RetentionKind = "ISSUE_WORDS"
	// KeepOfficialName is who an official is. It rests since the last post ended.
	KeepOfficialName RetentionKind = "OFFICIAL_NAME"
)

// RetentionKinds lists the kinds.
var RetentionKinds = []RetentionKind{KeepReporterIdentity, KeepOpinionWords, KeepIssueWords, KeepOfficialName}

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
	n := utf8.RuneCountInString(strings.TrimSpace(h.Reason))
	return check(n >= minPurpose && n <= 500, "reason", "say why, in %d to 500 characters; it stays on record", minPurpose)
}

// RetentionStore takes away what has been kept long enough. What is counted stays: no figure changes by it.
type RetentionStore interface {
	RetentionRules(ctx context.Context) ([]RetentionRule, error)
	SetRetention(ctx context.Context, r RetentionRule) error
	// RetentionDue counts what of a kind is due at a moment that has passed.
	RetentionDue(ctx context.Context, kind RetentionKind, asOf time.Time) (int64, error)
	// ApplyRetention does one batch of what is due, in one transaction, and says how much; nothing means that nothing is left.
	ApplyRetention(ctx context.Context, kind RetentionKind, asOf time.Time) (int, error)
	LegalHolds(ctx context.Context) ([]LegalHold, error) // those that stand, the latest first
	PlaceHold(ctx context.Context, h LegalHold) error
	LiftHold(ctx context.Context, publicRef string) error
}
