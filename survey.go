package groundwork

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
)

// SurveyWave asks people of a region, once, for their sense of gain, happiness and security.
type SurveyWave struct {
	ID          uuid.UUID
	Title       string
	RegionID    uuid.UUID
	ReportLevel RegionLevel // results are told for regions of this level and the whole, and for no other
	OpensAt     time.Time
	ClosesAt    time.Time // no response from then on, and no result before
	CreatedAt   time.Time
}

// maxSurveyDays bounds how long a wave lasts.
const maxSurveyDays = 366

// Validate examines a new wave in a region of a level.
func (w SurveyWave) Validate(of RegionLevel) error {
	levels := []RegionLevel{Province, Prefecture, County, Township, VillageCommittee}
	return firstError(
		check(strings.TrimSpace(w.Title) != "", "title", "a survey needs a title"),
		oneOf("reportLevel", w.ReportLevel, levels...),
		check(slices.Index(levels, w.ReportLevel) >= slices.Index(levels, of), "reportLevel", "a region of level %s has none of level %s below it", of, w.ReportLevel),
		check(w.ClosesAt.After(w.OpensAt) && !w.ClosesAt.After(w.OpensAt.AddDate(0, 0, maxSurveyDays)), "closesAt", "a survey closes after it opens, at most %d days later", maxSurveyDays),
	)
}

// MaxSurveyTokens is how many tokens a batch has at most.
const MaxSurveyTokens = 1000

// SurveyBatch is a number of tokens given out for one place: who holds one may respond once, and nobody notes who that is.
type SurveyBatch struct {
	ID        uuid.UUID
	WaveID    uuid.UUID
	RegionID  uuid.UUID
	SiteKind  *SiteKind // at sites of this kind; nil = elsewhere
	Tokens    int
	CreatedAt time.Time
	Secrets   []string `db:"-"` // the tokens themselves, shown once
}

// Validate examines a new batch.
func (b SurveyBatch) Validate() error {
	return firstError(
		check(b.Tokens >= 1 && b.Tokens <= MaxSurveyTokens, "count", "%d tokens: give 1 to %d", b.Tokens, MaxSurveyTokens),
		check(b.SiteKind == nil || slices.Contains(SiteKinds, *b.SiteKind), "siteKind", "the kind of site is unknown; give one of %s", join(SiteKinds)),
	)
}

// SiteKinds lists all kinds of sites.
var SiteKinds = []SiteKind{Factory, Rural, Community, School, Hospital, GovtWindow, OtherSite}

// SurveyResponse is what somebody says. It belongs to nobody: the token says for which wave and place it counts, and is forgotten.
type SurveyResponse struct {
	Token                     string
	Gain, Happiness, Security int // 1 (none) to 5
}

// Validate examines a response.
func (r SurveyResponse) Validate() error {
	scale := func(field string, v int) error {
		return check(v >= 1 && v <= 5, field, "%s is %d; give 1 to 5", field, v)
	}
	return firstError(scale("gain", r.Gain), scale("happiness", r.Happiness), scale("security", r.Security),
		check(strings.TrimSpace(r.Token) != "", "token", "give the token that came with the survey"))
}

// SurveyCount is how many responded in a region, at sites of a kind, and how many of them said 4 or 5. These are raw counts: small ones are
// never shown.
type SurveyCount struct {
	RegionID                  uuid.UUID
	SiteKind                  SiteKind // empty = elsewhere
	Responses                 int64
	Gain, Happiness, Security int64
}

// SurveyStore keeps surveys.
type SurveyStore interface {
	OpenSurveyWave(ctx context.Context, by Actor, w SurveyWave) (*SurveyWave, Receipt, error)
	SurveyWaves(ctx context.Context, p PageRequest) (Page[*SurveyWave], error) // those that open last first
	SurveyWavesByID(ctx context.Context, ids []uuid.UUID) (map[uuid.UUID]*SurveyWave, error)
	// IssueSurveyTokens makes tokens; they come back once, and cannot be found again.
	IssueSurveyTokens(ctx context.Context, by Actor, b SurveyBatch) (*SurveyBatch, Receipt, error)
	// SubmitSurveyResponse spends a token. It keeps nothing of who asks. CodeNotFound for an unknown token, CodeConflict for a spent one,
	// CodeTransition before and after the wave.
	SubmitSurveyResponse(ctx context.Context, r SurveyResponse) error
	// SurveyCounts counts what was said; CodeTransition before the wave is over.
	SurveyCounts(ctx context.Context, wave uuid.UUID) ([]SurveyCount, error)
}

// surveyOperations are those on surveys.
var surveyOperations = []Operation{
	{"surveyWave", everybody()}, {"surveyWaves", everybody()}, {"surveyResults", everybody()},
	{"openSurveyWave", grants(InRegion, RoleSupervisor)},
	{"issueSurveyTokens", grants(InRegion, RoleSupervisor)},
	{"submitSurveyResponse", grants(Public, RoleCitizen)},
}
